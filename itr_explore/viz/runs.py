"""Systems side by side over several seeds: bars with their spread and what chance and the truth allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """A group of bars for each system, a bar for each number, whiskers of one standard deviation.

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
    figure = go.Figure(layout={"template": theme.template(dark), "title": title, "barmode": "group"})
    for place, name in enumerate(names):
        column = [values[place] for values in spreads.values()]
        figure.add_bar(
            x=list(spreads),
            y=[middle for middle, _ in column],
            error_y={"type": "data", "array": [None if isnan(width) else width for _, width in column]},
            name=name,
            hovertemplate="%{x}<br>" + name + " %{y:.1f}<extra></extra>",
        )
    for label, level in (lines or {}).items():
        figure.add_hline(y=level, line_dash="dot", annotation_text=label, annotation_position="top left")
    figure.update_yaxes(title="per cent", range=[0, 105], tickvals=[0, 25, 50, 75, 100])
    figure.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top"})
    return figure
