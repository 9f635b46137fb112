"""Why one caption or image outranks another: what words and regions gave, bars to either side of zero."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Contrast, ImageContrast
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

Bars = tuple[int, str, str, list[tuple[str, float]]]  # column, name, colour, and what each bar is called


def contrast_bars(found: Contrast | ImageContrast, most: int = 12, *, dark: bool = False) -> go.Figure:
    """The words and the regions that tell two captions of an image, or two images of a caption, apart most.

    To the right of zero stands what raised the wrong one above the right one. Of two captions each side's
    bars, what is not shown and the gap add up to the difference; words are coloured by their caption. Of two
    images the words' bars do; regions stand by their image, and what each gave to its score.

    Args:
        found: what `contrast` or `compare_images` returned.
        most: regions shown of an image; the others together are one bar.
        dark: the look for a dark page.
    """
    from plotly.subplots import make_subplots

    colours = {
        "right": theme.OKABE_ITO["blue"],
        "wrong": theme.OKABE_ITO["vermillion"],
        "both": theme.OKABE_ITO["bluish green"],
        "neither": (theme.DARK if dark else theme.LIGHT)["muted"],
    }
    of_captions = isinstance(found, Contrast)
    titles, parts = (_of_captions if of_captions else _of_images)(found, most, colours)  # type: ignore[arg-type]
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.2, subplot_titles=titles)
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
            showlegend=column == 1 or not of_captions,
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
    other = "wrong" if of_captions else "other image"
    title = f"{found.model}: {other} {found.scores[1]:.3f}, right {found.scores[0]:.3f}; {how}"
    figure.update_layout(
        template=theme.template(dark),
        title=title,
        barmode="overlay",
        height=150 + 22 * max(rows.values()),
        legend={"y": -0.08, "yanchor": "top", "x": 0},
    )
    return figure


def _of_captions(found: Contrast, most: int, colours: dict[str, str]) -> tuple[tuple[str, str], list[Bars]]:
    regions = _strongest(found.evidence, found.pairs[0].labels, most)
    right, wrong = (
        list(zip(pair.words, (sign * words).tolist(), strict=True))
        for pair, words, sign in zip(found.pairs, found.words, (-1, 1), strict=True)
    )
    return ("words of both captions", "regions"), [
        (1, "right caption", colours["right"], right),
        (1, "wrong caption", colours["wrong"], wrong),
        (1, "neither", colours["neither"], [*found.word_rests.items(), ("gap", found.gap)]),
        (2, "region", colours["both"], regions),
        (2, "neither", colours["neither"], [*found.region_rests.items(), ("gap", found.gap)]),
    ]


def _of_images(
    found: ImageContrast, most: int, colours: dict[str, str]
) -> tuple[tuple[str, str], list[Bars]]:
    right, other = found.words
    words = list(zip(found.pairs[0].words, (other - right).tolist(), strict=True))
    of_right, of_other = (
        _strongest(regions, pair.labels, most // 2)
        for regions, pair in zip(found.regions, found.pairs, strict=True)
    )
    return ("words: other image less right one", "regions of either image"), [
        (1, "word", colours["both"], words),
        (1, "neither", colours["neither"], [*found.word_rests.items(), ("gap", found.gap)]),
        (2, "right image", colours["right"], of_right),
        (2, "other image", colours["wrong"], of_other),
    ]


def _strongest(values: np.ndarray, labels: tuple[str, ...], most: int) -> list[tuple[str, float]]:
    """The strongest regions by name, and the sum of the others."""
    order = np.argsort(-np.abs(values), kind="stable")
    first, others = order[:most].tolist(), order[most:]
    named = [(f"{row}" + (f" {labels[row]}" if labels else ""), float(values[row])) for row in first]
    return [*named, (f"the other {len(others)}", float(values[others].sum()))] if len(others) else named
