"""A map as a matrix: rows to columns, on a written scale, with the truth outlined."""

from __future__ import annotations

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
        ring = {
            "symbol": "square-open",
            "size": 13,
            "color": (theme.DARK if dark else theme.LIGHT)["ring"],
            "line": {"width": 2},
        }
        figure.add_scatter(
            x=across, y=down, mode="markers", marker=ring, name="right region", hoverinfo="skip"
        )
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, showgrid=False, zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=rows, autorange="reversed", showgrid=False, zeroline=False
    )
    return figure


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
