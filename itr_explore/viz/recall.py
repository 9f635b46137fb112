"""Recall of several models, or of one before and after, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from itr_explore.records import Ranking
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

KS = (1, 5, 10)


def recall_bars(rankings: Mapping[str, Ranking], *, dark: bool = False) -> go.Figure:
    """Recall at 1, 5 and 10 in both directions: a group of bars for each, a bar for each named ranking."""
    import plotly.graph_objects as go

    if not rankings:
        raise ValueError("wanted at least one named Ranking, got none")
    sides = ("image to text", "text to image")
    groups: list[list[str]] = [[side for side in sides for _ in KS], [f"R@{k}" for _ in sides for k in KS]]
    figure = go.Figure(layout={"template": theme.template(dark), "title": "Recall", "barmode": "group"})
    for name, ranking in rankings.items():
        values = [ranking.recall_at(k)[side] for side in range(2) for k in KS]
        figure.add_bar(
            x=groups, y=values, name=name, text=[f"{value:.1f}" for value in values], textposition="outside"
        )
    figure.update_yaxes(title="queries answered, %", range=[0, 108], tickvals=[0, 25, 50, 75, 100])
    return figure
