"""Maps as matrices: rows to columns, on a written scale, with the truth outlined."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Explanation, Map
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


def alignment(explanation: Explanation, name: str | None = None, *, dark: bool = False) -> go.Figure:
    """One map of an explanation as a heat map; where words meet their right regions there is a ring.

    The colours run from zero to the largest value (for values below zero, as far to both sides), and the bar
    says so. Nothing is stretched.

    Args:
        explanation: what `explain` returned.
        name: which map; by default the first.
        dark: the look for a dark page.
    """
    import plotly.graph_objects as go

    if not explanation.maps:
        raise ValueError(f"{explanation.model} has no map to draw")
    found = explanation.maps[0] if name is None else explanation.map(name)
    values, rows, columns = _laid_out(explanation, found)
    signed = found.scale in ("signed", "cosine") or bool((values < 0).any())
    largest = float(np.abs(values).max(initial=0.0))
    bar = {"title": {"text": found.scale}, "thickness": 12, "outlinewidth": 0}
    figure = go.Figure(layout={"template": theme.template(dark), "title": _title(explanation, found)})
    figure.add_heatmap(
        z=values,
        zmin=-largest if signed else 0.0,
        zmax=largest,
        colorscale=theme.scale(theme.diverging(dark) if signed else theme.sequential(dark)),
        colorbar=bar,
        xgap=1,
        ygap=1,
        hovertext=[[f"{row} · {column}" for column in columns] for row in rows],
        hovertemplate="%{hovertext}: %{z:.3f}<extra></extra>",
    )
    truth = explanation.pair.truth
    if truth is not None and found.kind in ("word_to_region", "region_to_word"):
        words, regions = np.nonzero(truth.word_regions)
        down, across = (words, regions) if found.kind == "word_to_region" else (regions, words)
        figure.add_trace(_rings(across, down, dark))
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, showgrid=False, zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=rows, autorange="reversed", showgrid=False, zeroline=False
    )
    return figure


def maps_beside(found: Mapping[str, Explanation], *, dark: bool = False) -> go.Figure:
    """The first word_to_region map of each explanation of one pair, side by side on one scale.

    Maps have scales of their own (weights, cosines, shares of a score), so each word's row is shown as shares
    of its weight above zero: what the *energy* of `ground` adds up on the right regions. Every panel has the
    same colours for the same share. Where words meet their right regions there is a ring.

    Args:
        found: explanations by their titles.
        dark: the look for a dark page.

    Raises:
        ValueError: no explanation, one without such a map, or explanations of several pairs.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    pairs = [one.pair for one in found.values()]
    if not pairs or any((one.image_id, one.words) != (pairs[0].image_id, pairs[0].words) for one in pairs):
        told = sorted({f"{one.image_id}: {one.caption}" for one in pairs})
        raise ValueError(f"wanted explanations of one pair, got {told or 'none'}")
    maps = {title: one.best("word_to_region") for title, one in found.items()}
    without = [title for title, one in maps.items() if one is None]
    if without:
        raise ValueError(f"{', '.join(without)}: no map of words to regions, so nothing to put beside others")
    shares = {}
    for title, one in maps.items():
        above = np.clip(one.values, 0, None)  # type: ignore[union-attr]
        shares[title] = above / np.maximum(above.sum(axis=1, keepdims=True), 1e-12)
    titles = [f"{escape(title, quote=False)}<br><sup>{one.origin}</sup>" for title, one in maps.items()]  # type: ignore[union-attr]
    figure = make_subplots(
        rows=1, cols=len(shares), shared_yaxes=True, horizontal_spacing=0.03, subplot_titles=titles
    )
    pair = pairs[0]
    for column, values in enumerate(shares.values(), start=1):
        words = [[escape(word, quote=False)] * len(pair.regions) for word in pair.words]
        heat = go.Heatmap(
            z=values,
            coloraxis="coloraxis",
            xgap=1,
            ygap=1,
            customdata=words,
            hovertemplate="%{customdata} · region %{x}: %{z:.2f}<extra></extra>",
        )
        figure.add_trace(heat, row=1, col=column)
        if pair.truth is not None:
            down, across = np.nonzero(pair.truth.word_regions)
            figure.add_trace(_rings(across, down, dark, shown=column == 1), row=1, col=column)
    bar = {"title": {"text": "share"}, "thickness": 12, "outlinewidth": 0}
    largest = max(float(values.max(initial=0.0)) for values in shares.values())
    colours = {"colorscale": theme.scale(theme.sequential(dark)), "cmin": 0, "cmax": largest, "colorbar": bar}
    legend = {"y": -0.2, "yanchor": "top"}
    figure.update_layout(
        template=theme.template(dark), coloraxis=colours, legend=legend, height=190 + 22 * len(pair.words)
    )
    figure.update_xaxes(showgrid=False, zeroline=False, dtick=2, title="region")
    ticks = {
        "tickvals": list(range(len(pair.words))),
        "ticktext": [escape(w, quote=False) for w in pair.words],
    }
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False)
    figure.update_yaxes(ticks, row=1, col=1)
    return figure


def _rings(across: np.ndarray, down: np.ndarray, dark: bool, shown: bool = True) -> go.Scatter:
    """Where words meet their right regions."""
    import plotly.graph_objects as go

    tone = (theme.DARK if dark else theme.LIGHT)["ring"]
    ring = {"symbol": "square-open", "size": 13, "color": tone, "line": {"width": 2}}
    about = {"name": "right region", "hoverinfo": "skip", "showlegend": shown}
    return go.Scatter(x=across, y=down, mode="markers", marker=ring, **about)


def _laid_out(explanation: Explanation, found: Map) -> tuple[np.ndarray, list[str], list[str]]:
    """Values as a matrix, with the names of its rows and columns."""
    pair = explanation.pair
    words = [escape(word, quote=False) for word in pair.words]  # plotly reads markup in text
    names = {"word": words, "region": [str(region) for region in range(len(pair.regions))]}
    if found.kind.startswith("per_"):
        return found.values[None, :], [""], names[found.kind.removeprefix("per_")]
    rows, columns = found.kind.split("_to_")
    return found.values, names[rows], names[columns]


def _title(explanation: Explanation, found: Map) -> str:
    exact = "" if found.exact else ", not exact"
    return f"{explanation.model}: {found.name} ({found.origin}{exact})"
