"""Numbers with their intervals: a dot and a line for each row, a panel for each column."""

from __future__ import annotations

from html import escape
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Measured
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

ACROSS = 3  # panels in a row
ROW, GAP, AROUND = 24, 70, 130  # pixels: a row of a panel, between panels, above and below all of them


def interval_dots(found: Measured, *, dark: bool = False) -> go.Figure:
    """A panel for each column, in it a dot for each row with a line over its 95 per cent interval.

    Rows stand in their order, the first at the top; a number that is not known has no dot. Panels of one
    figure have scales of their own.

    Args:
        found: what `error_classes`, `above_negatives`, `relevance` or `agreement` returned, or what
            `ground(...).measured()` gives.
        dark: the look for a dark page.
    """
    from plotly.subplots import make_subplots

    across = min(ACROSS, len(found.columns))
    down = ceil(len(found.columns) / across)
    panel = ROW * (len(found.rows) + 1)
    inside = down * panel + (down - 1) * GAP
    rows, columns = ([escape(name, quote=False) for name in names] for names in (found.rows, found.columns))
    figure = make_subplots(
        rows=down,
        cols=across,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        vertical_spacing=GAP / inside,
        subplot_titles=columns,
    )
    colours = [theme.OKABE_ITO["blue"], *[(theme.DARK if dark else theme.LIGHT)["muted"]] * (len(rows) - 1)]
    for place, name in enumerate(columns):
        value, low, high = found.values[:, place].T
        figure.add_scatter(
            x=value,
            y=rows,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": high - value,
                "arrayminus": value - low,
                "color": (theme.DARK if dark else theme.LIGHT)["muted"],  # one: an array is warned of
            },
            mode="markers",
            cliponaxis=False,
            marker={"size": 9, "color": colours},
            showlegend=False,
            hovertemplate="%{y}<br>" + name + f" %{{x:.{found.digits}f}}<extra></extra>",
            row=place // across + 1,
            col=place % across + 1,
        )
    figure.update_traces(error_x={"width": 0, "thickness": 2})
    from_zero = np.nanmin(found.values, initial=0.0) >= 0
    figure.update_xaxes(nticks=5, zeroline=False, rangemode="tozero" if from_zero else "normal")
    figure.update_xaxes(title=escape(found.unit, quote=False), row=down)
    figure.update_yaxes(autorange="reversed", ticks="")
    figure.update_layout(
        template=theme.template(dark),
        title=escape(found.title, quote=False),
        height=AROUND + inside,
        margin={"t": AROUND - 50, "b": 50},
    )
    figure.update_annotations(font_size=13)
    return figure
