"""Is a map what a model goes by? Scores while parts go or come, and maps of a model that forgets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Cascade, RemovalCurves
from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

SIDES = ("regions", "words")
DASHES = ("solid", "dash", "dot", "dashdot")  # colour is never the only sign
SYMBOLS = ("circle", "square", "diamond", "triangle-up")


def removal_curves(found: Sequence[RemovalCurves], *, dark: bool = False) -> go.Figure:
    """Deletion on the left, insertion on the right, a row for regions and one for words.

    A line for each model and method with its 95 per cent interval; the grey band holds 95 per cent of random
    orders. On the left a faithful map lies below the band, on the right above it.

    Args:
        found: `faithfulness(...).curves`; those of several reports may be joined.
        dark: the look for a dark page.
    """
    from plotly.subplots import make_subplots

    sides = [side for side in SIDES if any(one.side == side for one in found)]
    if not sides:
        raise ValueError("wanted the curves of at least one report of faithfulness, got none")
    titles = [f"{side}: {way}" for side in sides for way in ("deletion", "insertion")]
    figure = make_subplots(
        rows=len(sides), cols=2, shared_yaxes=True, horizontal_spacing=0.06, subplot_titles=titles
    )
    figure.update_layout(template=theme.template(dark), title="Score while parts go or come")
    colours = [theme.OKABE_ITO[name] for name in ("blue", "vermillion", "bluish green", "reddish purple")]
    names = list(dict.fromkeys(_name(one) for one in found))
    looks = dict(zip(names, zip(cycle(colours), cycle(DASHES)), strict=False))
    shown: set[str] = set()
    banded: set[tuple[str, str]] = set()
    for one in found:
        row, name = sides.index(one.side) + 1, _name(one)
        if (one.model, one.side) not in banded:
            banded.add((one.model, one.side))
            for column, band in ((1, one.random), (2, one.random[::-1])):
                _band(figure, row, column, one.share, band, dark, "random orders" not in shown)
                shown.add("random orders")
        colour, dash = looks[name]
        for column, curve in ((1, one.deletion), (2, one.insertion)):
            whiskers = {"array": curve[:, 2] - curve[:, 0], "arrayminus": curve[:, 0] - curve[:, 1]}
            figure.add_scatter(
                x=100 * one.share,
                y=curve[:, 0],
                error_y={**whiskers, "type": "data", "symmetric": False, "width": 0, "thickness": 1},
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2},
                name=name,
                legendgroup=name,
                showlegend=name not in shown,
                hovertemplate="%{x:.0f} %: %{y:.3f}<extra>" + name + "</extra>",
                row=row,
                col=column,
            )
            shown.add(name)
    for column, text in ((1, "taken away, %"), (2, "brought back, %")):
        figure.update_xaxes(title=text, row=len(sides), col=column)
    figure.update_yaxes(title="score, in units of its range", col=1)
    figure.update_layout(height=170 + 280 * len(sides), margin_t=120, legend_y=1 + 0.12 / len(sides))
    return figure


def cascade_lines(found: Sequence[Cascade], *, dark: bool = False) -> go.Figure:
    """How like the trained model's maps those of a model are that forgets from its output to its input.

    A line for each model, method and side, with its 95 per cent interval; the dotted line is what maps reach
    whose values are dealt out at random. A map that stays high looks at something that was never learned.

    Args:
        found: `faithfulness(...).cascades`; those of several reports may be joined.
        dark: the look for a dark page.
    """
    import plotly.graph_objects as go

    if not found:
        raise ValueError("wanted the cascade of at least one report of faithfulness, got none")
    figure = go.Figure(layout={"template": theme.template(dark), "title": "Maps while the model forgets"})
    for one, dash, symbol in zip(found, cycle(DASHES), cycle(SYMBOLS), strict=False):
        values = np.concatenate([np.ones((1, 3)), one.correlation])
        figure.add_scatter(
            x=list(range(len(values))),
            y=values[:, 0],
            error_y={
                "array": values[:, 2] - values[:, 0],
                "arrayminus": values[:, 0] - values[:, 1],
                "type": "data",
                "symmetric": False,
            },
            mode="lines+markers",
            line={"dash": dash},
            marker={"symbol": symbol, "size": 8},
            name=f"{_name(one)}: {one.side}",
            text=["nothing", *(", ".join(stage) for stage in one.stages)],
            hovertemplate="made random: %{text}<br>%{y:.2f}<extra></extra>",
        )
    figure.add_hline(
        y=float(np.mean([one.random[0] for one in found])),
        line={"dash": "dot", "width": 1},
        name="dealt at random",
        showlegend=True,
    )
    most = max(len(one.stages) for one in found)
    ticks = ["trained", *(str(stage) for stage in range(1, most)), "all random"]
    same = all(len(one.stages) == most for one in found)
    figure.update_xaxes(
        title="stages made random, from the output on",
        tickvals=list(range(most + 1)),
        ticktext=ticks if same else [str(stage) for stage in range(most + 1)],
    )
    figure.update_yaxes(title="rank correlation", range=[-1.05, 1.05])
    figure.update_layout(height=520, margin_t=110)
    return figure


def _name(one: RemovalCurves | Cascade) -> str:
    return f"{one.model}, {one.method}"


def _band(
    figure: go.Figure, row: int, column: int, share: np.ndarray, band: np.ndarray, dark: bool, legend: bool
) -> None:
    """A grey strip between the ends of `band [point 3]`."""
    grey = (theme.DARK if dark else theme.LIGHT)["muted"]
    red, green, blue = (int(grey[at : at + 2], 16) for at in (1, 3, 5))
    figure.add_scatter(
        x=100 * np.concatenate([share, share[::-1]]),
        y=np.concatenate([band[:, 1], band[::-1, 2]]),
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.35)",
        line={"width": 0},
        hoverinfo="skip",
        name="random orders",
        legendgroup="random orders",
        showlegend=legend,
        row=row,
        col=column,
    )
