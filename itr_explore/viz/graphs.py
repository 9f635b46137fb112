"""A region graph over its image."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.viz import theme
from itr_explore.viz.images import image_data

if TYPE_CHECKING:
    import networkx as nx
    import plotly.graph_objects as go
    from PIL.Image import Image

WIDTHS = 4  # plotly draws a trace in one width, so edges are gathered into this many


def draw_graph(graph: nx.DiGraph, image: Image | None = None, *, dark: bool = False) -> go.Figure:
    """The graph of `explanation.graph.region_graph`, its nodes at the centres of their boxes.

    A wider line is a larger weight; orange and dashed is below zero. Arrowheads stand just before the region
    that an edge points to. Without boxes the nodes stand on a circle.

    Args:
        graph: nodes with `box` and `label`, edges with `weight` and perhaps `predicate`.
        image: the picture to lay it over; without one it stands on blank paper.
        dark: the look for a dark page.
    """
    import plotly.graph_objects as go

    aspect = graph.graph.get("aspect", 1.0)
    boxes = [box for _, box in graph.nodes(data="box") if box is not None]
    spots = _spots(graph, aspect)
    figure = go.Figure(layout={"template": theme.template(dark), "showlegend": False})
    if image is not None:
        source = image_data(image)["src"]
        figure.add_layout_image(
            source=source, xref="x", yref="y", x=0, y=0, sizex=aspect, sizey=1, layer="below"
        )
    if boxes:
        figure.add_trace(_outlines(np.array(boxes), aspect, over_photo=image is not None, dark=dark))
    for trace in _edge_traces(graph, spots):
        figure.add_trace(trace)
    figure.add_trace(_nodes(graph, spots, dark))
    figure.update_xaxes(visible=False, range=[0, aspect], constrain="domain")
    figure.update_yaxes(visible=False, range=[1, 0], scaleanchor="x", constrain="domain")
    title = graph.graph.get("map", f"{graph.graph.get('edges', '')} edges")
    return figure.update_layout(
        title=f"{title}: {graph.number_of_edges()} edges", margin={"l": 10, "r": 10, "t": 44, "b": 10}
    )


def _spots(graph: nx.DiGraph, aspect: float) -> dict:
    """Where each node stands: x in heights of the image, y down from the top."""
    found = {}
    for place, (node, box) in enumerate(graph.nodes(data="box")):
        if box is not None:
            found[node] = np.array([(box[0] + box[2]) / 2 * aspect, (box[1] + box[3]) / 2])
        else:
            angle = 2 * np.pi * place / len(graph)
            found[node] = np.array([aspect / 2 + 0.42 * np.sin(angle), 0.5 - 0.42 * np.cos(angle)])
    return found


def _outlines(boxes: np.ndarray, aspect: float, over_photo: bool, dark: bool) -> go.Scatter:
    """All boxes as one line with gaps."""
    import plotly.graph_objects as go

    left, top, right, bottom = boxes.T
    gap = np.full(len(boxes), np.nan)
    x = np.stack([left, right, right, left, left, gap], axis=1).ravel() * aspect
    y = np.stack([top, top, bottom, bottom, top, gap], axis=1).ravel()
    tone = theme.DARK if dark else theme.LIGHT
    colour = theme.INKS[1] if over_photo else tone["muted"]
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": colour, "width": 1},
        opacity=0.55,
        hoverinfo="skip",
        name="boxes",
    )


def _edge_traces(graph: nx.DiGraph, spots: dict) -> list[go.Scatter]:
    """Edges gathered by sign and width, then one trace of arrowheads that carries what hovering says."""
    import plotly.graph_objects as go

    edges = [(a, b, data.get("weight", 1.0), data.get("predicate")) for a, b, data in graph.edges(data=True)]
    if not edges:
        return []
    sizes = [abs(weight) for *_, weight, _ in edges]
    largest, alike = max(sizes) or 1.0, min(sizes) == max(sizes)
    groups: dict[tuple[bool, int], list] = {}
    for a, b, weight, _ in edges:
        width = 0 if alike else min(int(abs(weight) / largest * WIDTHS), WIDTHS - 1)
        groups.setdefault((weight < 0, width), []).append((spots[a], spots[b]))
    traces = []
    for (negative, width), lines in sorted(groups.items(), key=lambda group: group[0]):
        path = np.array([[start, end, (np.nan, np.nan)] for start, end in lines]).reshape(-1, 2)
        line = {
            "color": theme.EDGE_NEGATIVE if negative else theme.EDGE,
            "width": 1 + width,
            "dash": "dash" if negative else "solid",
        }
        traces.append(
            go.Scatter(x=path[:, 0], y=path[:, 1], mode="lines", line=line, hoverinfo="skip", name="edges")
        )
    starts, ends = (np.array([spots[edge[side]] for edge in edges]) for side in (0, 1))
    heads = starts + (ends - starts) * 0.8
    traces.append(
        go.Scatter(
            x=heads[:, 0],
            y=heads[:, 1],
            mode="markers",
            name="directions",
            marker={
                "symbol": "arrow",
                "size": 9,
                "angle": np.degrees(np.arctan2(ends[:, 0] - starts[:, 0], starts[:, 1] - ends[:, 1])),
                "color": [theme.EDGE_NEGATIVE if weight < 0 else theme.EDGE for *_, weight, _ in edges],
                "line": {"color": theme.INKS[1], "width": 0.5},
            },
            text=[f"{a} {predicate or '→'} {b}: {weight:.3f}" for a, b, weight, predicate in edges],
            hoverinfo="text",
        )
    )
    return traces


def _nodes(graph: nx.DiGraph, spots: dict, dark: bool) -> go.Scatter:
    import plotly.graph_objects as go

    tone = theme.DARK if dark else theme.LIGHT
    places = np.array([spots[node] for node in graph]).reshape(-1, 2)
    labels = [escape(str(label or node), quote=False) for node, label in graph.nodes(data="label")]
    hover = [
        f"region {node} ({label}): {graph.out_degree(node)} out, {graph.in_degree(node)} in"
        for node, label in zip(graph, labels, strict=True)
    ]
    return go.Scatter(
        x=places[:, 0],
        y=places[:, 1],
        mode="markers+text",
        name="regions",
        marker={"size": 19, "color": tone["paper"], "line": {"color": theme.EDGE, "width": 2}},
        text=[str(node) for node in graph],
        textfont={"size": 10, "color": tone["ink"]},
        hovertext=hover,
        hoverinfo="text",
    )
