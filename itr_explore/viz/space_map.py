"""Images and captions in the space that a system compares them in."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records import Space
from itr_explore.viz import theme
from itr_explore.viz.images import image_data

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_PICTURES = 40
SHARE = 0.07  # of the longer axis: a picture's longer side
MOST_TEXT = 90  # letters of a caption that are told


def embedding_map(space: Space, *, links: bool = False, dark: bool = False) -> go.Figure:
    """Captions as dots, images as squares, some of these as small pictures; lengths compare on both axes.

    Args:
        space: what `embedding_space` returned.
        links: draw a line from each caption to the image it describes.
        dark: the look for a dark page.
    """
    import plotly.graph_objects as go

    tone = theme.DARK if dark else theme.LIGHT
    figure = go.Figure(layout={"template": theme.template(dark), "title": f"The space of {space.model}"})
    if links:
        figure.add_scatter(**_links(space), mode="lines", line={"width": 0.6, "color": tone["line"]})
        figure.update_traces(name="whose caption", hoverinfo="skip")
    figure.add_scatter(
        x=space.captions[:, 0].astype(np.float32),
        y=space.captions[:, 1].astype(np.float32),
        mode="markers",
        name="caption",
        marker={"size": 6, "symbol": "circle", "color": theme.OKABE_ITO["vermillion"], "opacity": 0.7},
        text=[_told(text) for text in space.texts],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=space.images[:, 0].astype(np.float32),
        y=space.images[:, 1].astype(np.float32),
        mode="markers",
        name="image",
        marker={"size": 8, "symbol": "square", "color": theme.OKABE_ITO["blue"]},
        text=[f"image {_told(name)}" for name in space.image_ids],
        hovertemplate="%{text}<extra></extra>",
    )
    side = SHARE * float(np.ptp(np.concatenate([space.images, space.captions]), axis=0).max())
    figure.update_layout(images=[_picture(space, row, side) for row in _spread(space, 1.1 * side)])
    for axis, share, update in zip(
        "12", space.explained, (figure.update_xaxes, figure.update_yaxes), strict=True
    ):
        update(title=f"principal component {axis}, {share:.0%} of the variance", zeroline=False)
    figure.update_yaxes(scaleanchor="x", constrain="domain")
    figure.update_xaxes(constrain="domain")
    figure.update_layout(height=640)
    return figure


def _spread(space: Space, apart: float) -> list[int]:
    """Images with a picture, none nearer to another than a picture is wide."""
    taken: list[int] = []
    for row, picture in enumerate(space.pictures):
        if picture is None or len(taken) == MOST_PICTURES:
            continue
        near = np.abs(space.images[taken] - space.images[row]).max(axis=1) if taken else np.array([np.inf])
        if near.min() > apart:
            taken.append(row)
    return taken


def _picture(space: Space, row: int, side: float) -> dict[str, object]:
    picture = space.pictures[row]
    assert picture is not None
    x, y = space.images[row]
    return {
        "source": image_data(picture)["src"],
        "x": float(x),
        "y": float(y),
        "sizex": side,
        "sizey": side,
        "xref": "x",
        "yref": "y",
        "xanchor": "center",
        "yanchor": "middle",
        "layer": "above",
    }


def _links(space: Space) -> dict[str, np.ndarray]:
    """Lines as one row of points, cut by gaps."""
    ends = np.stack([space.captions, space.images[space.image_of], np.full_like(space.captions, np.nan)], 1)
    return {"x": ends[..., 0].ravel().astype(np.float32), "y": ends[..., 1].ravel().astype(np.float32)}


def _told(text: str) -> str:
    cut = text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
    return escape(cut, quote=False)
