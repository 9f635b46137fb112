"""Systems side by side over several seeds: bars with their spread and what chance and the truth allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import isnan
from typing import TYPE_CHECKING

from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

Spread = Sequence[tuple[float, float]]  # mean and standard deviation of each number; NaN: one seed


def spread_bars(
    spreads: Mapping[str, Spread],
    names: Sequence[str],
    *,
    title: str,
    lines: Mapping[str, float] | None = None,
    dark: bool = False,
) -> go.Figure:
    """A group of bars for each system, a bar for each number, with one standard deviation either way.

    Args:
        spreads: by system, as many numbers as there are `names`; in per cent.
        names: of the numbers.
        title: over the figure.
        lines: level lines by their labels: chance, say, or a ceiling.
        dark: on a dark page.
    """
    import plotly.graph_objects as go

    if not spreads:
        raise ValueError("wanted the numbers of at least one system, got none")
    wrong = [system for system, values in spreads.items() if len(values) != len(names)]
    if wrong:
        raise ValueError(f"wanted {len(names)} numbers a system ({', '.join(names)}); not so for {wrong}")
    layout = {"template": theme.template(dark), "title": title, "barmode": "group", "bargap": 0.3}
    figure = go.Figure(layout=layout)
    for place, name in enumerate(names):
        column = [values[place] for values in spreads.values()]
        widths = [None if isnan(width) else width for _, width in column]
        figure.add_bar(
            y=list(spreads),
            x=[middle for middle, _ in column],
            orientation="h",
            error_x={
                "type": "data",
                "array": widths,
                "width": 0,
                "thickness": 2,
            },  # no caps: none without length
            name=name,
            hovertemplate="%{y}<br>" + name + " %{x:.1f}<extra></extra>",
        )
    for (label, level), dash in zip((lines or {}).items(), cycle(("dot", "dash", "dashdot")), strict=False):
        figure.add_vline(x=level, line={"dash": dash, "width": 2}, name=label, showlegend=True)
    figure.update_xaxes(title="per cent", range=[0, 100], tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(autorange="reversed", ticks="")
    figure.update_layout(height=130 + 18 * len(spreads) * (len(names) + 1))
    return figure
