"""Why one caption outranks another: what words and regions gave, bars to either side of zero."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Contrast
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


def contrast_bars(found: Contrast, most: int = 12, *, dark: bool = False) -> go.Figure:
    """The words of both captions and the regions that tell them apart most, with what belongs to neither.

    To the right of zero stands what raised the wrong caption above the right one, so each side's bars, what
    is not shown and the gap add up to the difference. Words are coloured by their caption.

    Args:
        found: what `contrast` returned.
        most: regions shown; the others together are one bar.
        dark: the look for a dark page.
    """
    from plotly.subplots import make_subplots

    shown = np.argsort(-np.abs(found.evidence), kind="stable")
    first, others = shown[:most].tolist(), shown[most:]
    labels = found.pairs[0].labels
    regions = [
        (f"{row}" + (f" {labels[row]}" if labels else ""), float(found.evidence[row])) for row in first
    ]
    if len(others):
        regions.append((f"the other {len(others)}", float(found.evidence[others].sum())))
    right, wrong = (
        list(zip(pair.words, (sign * words).tolist(), strict=True))
        for pair, words, sign in zip(found.pairs, found.words, (-1, 1), strict=True)
    )
    titles = ("words of both captions", "regions")
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.2, subplot_titles=titles)
    blue, orange = theme.OKABE_ITO["blue"], theme.OKABE_ITO["vermillion"]
    grey = (theme.DARK if dark else theme.LIGHT)["muted"]
    parts = (
        (1, "right caption", blue, right),
        (1, "wrong caption", orange, wrong),
        (1, "neither", grey, [*found.word_rests.items(), ("gap", found.gap)]),
        (2, "region", theme.OKABE_ITO["bluish green"], regions),
        (2, "neither", grey, [*found.region_rests.items(), ("gap", found.gap)]),
    )
    rows = {1: 0, 2: 0}
    for column, name, colour, bars in parts:
        places = list(range(rows[column], rows[column] + len(bars)))
        rows[column] += len(bars)
        words = [escape(word, quote=False) for word, _ in bars]  # plotly reads markup in text
        figure.add_bar(
            y=places,
            x=[value for _, value in bars],
            orientation="h",
            marker={"color": colour},
            name=name,
            showlegend=column == 1,
            hovertext=words,
            hovertemplate="%{hovertext} %{x:.4f}<extra>" + name + "</extra>",
            row=1,
            col=column,
        )
    for column in (1, 2):
        named = [escape(word, quote=False) for at, *_, bars in parts if at == column for word, _ in bars]
        ticks = {"tickvals": list(range(len(named))), "ticktext": named}
        figure.update_yaxes(**ticks, autorange="reversed", ticks="", row=1, col=column)
    values = np.abs([value for *_, bars in parts for _, value in bars])
    reach = 1.08 * float(max(values.max(), 1e-12))
    figure.update_xaxes(range=[-reach, reach], zeroline=True, zerolinewidth=2, nticks=5)
    how = "an exact sum" if found.method == "parts" else f"by {found.method.replace('_', ' ')}"
    title = f"{found.model}: wrong {found.scores[1]:.3f}, right {found.scores[0]:.3f}; {how}"
    figure.update_layout(
        template=theme.template(dark),
        title=title,
        barmode="overlay",
        height=150 + 22 * max(rows.values()),
        legend={"y": -0.08, "yanchor": "top", "x": 0},
    )
    return figure
