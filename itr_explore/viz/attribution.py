"""What words and regions gave to a score: bars to either side of zero, on one scale."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Attribution
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


def attribution_bars(found: Attribution, most: int = 12, *, dark: bool = False) -> go.Figure:
    """The words of a caption in their order, and the regions that gave or took most.

    Both share one scale, so that words and regions can be compared. Regions that name something of the
    caption (where the truth is known) wear a ring.

    Args:
        found: what `attribute` returned.
        most: regions shown.
        dark: the look for a dark page.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    pair = found.pair
    order = np.argsort(-np.abs(found.regions), kind="stable")[:most].tolist()
    words = [
        f"{word} " + "\u200b" * place for place, word in enumerate(pair.words)
    ]  # plotly joins equal names
    names = [f"{row}" + (f" {pair.labels[row]}" if pair.labels else "") for row in order]
    shown = (
        "regions" if len(order) == len(found.regions) else f"the {len(order)} regions that gave or took most"
    )
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.16, subplot_titles=("words", shown))
    below, *_, above = theme.diverging(dark)
    columns = ((words, found.words), (names, found.regions[order]))
    for column, (rows, values) in enumerate(columns, start=1):
        figure.add_trace(
            go.Bar(
                y=[escape(row, quote=False) for row in rows],
                x=values,
                orientation="h",
                marker={"color": [above if value >= 0 else below for value in values.tolist()]},
                hovertemplate="%{y} %{x:.4f}<extra></extra>",
                showlegend=False,
            ),
            row=1,
            col=column,
        )
    if pair.truth is not None:
        right = np.atleast_1d(pair.truth.word_regions.any(axis=0))
        spots = [place for place, row in enumerate(order) if right[row]]
        ring = {"symbol": "circle-open", "size": 11, "line": {"width": 2}}
        ring["color"] = (theme.DARK if dark else theme.LIGHT)["ring"]
        figure.add_trace(
            go.Scatter(
                y=[escape(names[place], quote=False) for place in spots],
                x=found.regions[[order[place] for place in spots]],
                mode="markers",
                marker=ring,
                name="named in the caption",
                hoverinfo="skip",
            ),
            row=1,
            col=2,
        )
    reach = 1.08 * float(max(np.abs(found.words).max(), np.abs(found.regions).max(), 1e-12))
    figure.update_xaxes(range=[-reach, reach], zeroline=True, zerolinewidth=2, nticks=5)
    figure.update_yaxes(autorange="reversed", ticks="")
    title = (
        f"{found.model}: {found.method.replace('_', ' ')}, score {found.score:.3f}"
        f" against {found.baseline_score:.3f}, {abs(found.gap):.3f} unexplained"
    )
    height = 140 + 22 * max(len(words), len(order))
    legend = {"y": -0.12, "yanchor": "top", "x": 0.58}
    figure.update_layout(template=theme.template(dark), title=title, height=height, legend=legend)
    return figure
