"""What an intervention changed, against how far its controls spread."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Change, Intervention
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROWS = 5  # controls lie in so many rows, so that equal ones can be told apart
SCORE, RANK = 0.002, 2.0  # what a strip is at least wide: rounding looks like nothing


def intervention_strips(found: Intervention, *, dark: bool = False) -> go.Figure:
    """A strip for the score and for each rank (from 1): before, after, and a dot for each control.

    The shaded band holds 95 per cent of the controls; a dot says, when pointed at, what was done.

    Args:
        found: what `intervene` returned.
        dark: on a dark page.
    """
    from plotly.subplots import make_subplots

    tone = theme.DARK if dark else theme.LIGHT
    changes = found.changes
    figure = make_subplots(rows=len(changes), cols=1, vertical_spacing=0.5 / len(changes))
    texts = [escape(text, quote=False) for text in found.controls]  # plotly reads markup in text
    for row, (name, change) in enumerate(changes.items(), start=1):
        first, shown = (0, ":.4f") if name == "score" else (1, ":.1f")
        here = {"row": row, "col": 1}
        legend = {"showlegend": row == 1}
        if found.controls:
            figure.add_scatter(
                x=first + change.controls,
                y=np.arange(len(texts)) % ROWS / (ROWS - 1) - 0.5,
                mode="markers",
                marker={"color": tone["muted"], "size": 7, "opacity": 0.7},
                name=f"the same done to {found.like}",
                text=texts,
                hovertemplate="%{text}: %{x" + shown + "}<extra></extra>",
                **legend,
                **here,
            )
            low, high = (first + change.before + end for end in change.control_range)
            band = {"fillcolor": tone["line"], "opacity": 0.6, "line_width": 0, "layer": "below"}
            figure.add_vrect(x0=low, x1=high, **band, **here)
        points = {
            "before": (change.before, theme.EDGE, "line-ns"),
            "after": (change.after, theme.MISS, "diamond"),
        }
        for point, (value, colour, symbol) in points.items():
            figure.add_scatter(
                x=[first + value],
                y=[0],
                mode="markers",
                marker={
                    "color": colour,
                    "symbol": symbol,
                    "size": 34 if point == "before" else 13,
                    "line": {"color": colour, "width": 3 if point == "before" else 0},
                },
                name=point,
                hovertemplate=point + ": %{x" + shown + "}<extra></extra>",
                **legend,
                **here,
            )
        low, high = _ends(change, SCORE if name == "score" else RANK)
        ticks = {"dtick": 1} if name != "score" and high - low < 10 else {}
        figure.update_xaxes(title=name, zeroline=False, range=[first + low, first + high], **ticks, **here)
    figure.update_yaxes(visible=False, range=[-1, 1])
    figure.update_layout(
        template=theme.template(dark),
        title=escape(f"{found.model}: {found.what}", quote=False),
        height=120 + 110 * len(changes),
    )
    return figure


def _ends(change: Change, least: float) -> tuple[float, float]:
    """Where the axis of a strip begins and ends."""
    values = np.array([change.before, change.after, *change.controls])
    middle, width = (values.min() + values.max()) / 2, max(1.1 * np.ptp(values), least)
    return float(middle - width / 2), float(middle + width / 2)
