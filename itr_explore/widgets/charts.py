"""Plotly charts inside a page of its own: plotly's script once, each chart as JSON for light and for dark."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

Chart = Callable[..., "go.Figure"]  # takes `dark=`: `partial(recall_bars, rankings)`, say


def chart_data(chart: Chart) -> list[Any]:
    """A chart in light and in dark, as the page's script reads it."""
    return [json.loads(chart(dark=dark).to_json()) for dark in (False, True)]


def chart_place(data: list[Any]) -> str:
    """Where the page's script draws it; without scripts its title stays."""
    layout = data[0]["layout"]
    title = layout.get("title", {}).get("text", "chart")
    height = layout.get("height", 420)
    return f'<div data-chart role="img" aria-label="{escape(title)}" style="height: {height}px"></div>'


@cache
def plotly_script() -> str:
    """The whole of plotly.js, as plotly's own package brings it."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().replace("\r", "")


@cache
def charts_script() -> str:
    """What draws all charts of a page."""
    return (files("itr_explore.widgets") / "static" / "charts.js").read_text(encoding="utf-8")
