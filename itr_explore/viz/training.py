"""How a training run went: loss terms and recall over epochs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Progress
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_POINTS = 500  # of a curve; longer ones are averaged in stretches


def training_curves(history: Iterable[Progress], *, dark: bool = False) -> go.Figure:
    """Loss terms above, recall at 1 on the validation images below; a ring marks the best validation.

    Args:
        history: what `fit` yielded, in order.
        dark: the look for a dark page.
    """
    from plotly.subplots import make_subplots

    history = list(history)
    if not history:
        raise ValueError("wanted at least one Progress of a training run, got none")
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.08)
    figure.update_layout(template=theme.template(dark), title="Training", height=520)
    for name in dict.fromkeys(name for step in history for name in step.losses):
        points = [(step.epoch, step.losses[name]) for step in history if name in step.losses]
        epochs, values = thinned(np.array(points, dtype=float))
        figure.add_scatter(x=epochs, y=values, mode="lines", name=name, row=1, col=1)
    checked = [step for step in history if step.validation is not None]
    for side, name in enumerate(("image to text", "text to image")):
        recalls = [step.validation.recall_at(1)[side] for step in checked if step.validation is not None]
        figure.add_scatter(
            x=[step.epoch for step in checked], y=recalls, mode="lines+markers", name=name, row=2, col=1
        )
    best = [step for step in checked if step.best]
    if best and best[-1].validation is not None:
        ring = {"symbol": "circle-open", "size": 15, "color": (theme.DARK if dark else theme.LIGHT)["ink"]}
        at, both = best[-1].epoch, list(best[-1].validation.recall_at(1))
        figure.add_scatter(x=[at, at], y=both, mode="markers", marker=ring, name="best", row=2, col=1)
    figure.update_xaxes(title="epoch", row=2, col=1)
    figure.update_yaxes(title="loss", row=1, col=1)
    figure.update_yaxes(title="recall at 1, %", rangemode="tozero", row=2, col=1)
    return figure


def thinned(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[point 2]` as x and y, averaged in equal stretches where there are more than `MOST_POINTS`."""
    if len(points) > MOST_POINTS:
        points = np.array([stretch.mean(axis=0) for stretch in np.array_split(points, MOST_POINTS)])
    return points[:, 0], points[:, 1]
