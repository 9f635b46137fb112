"""Scores of all images with all captions: as a matrix with the truth marked, and as distributions."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.viz import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_CELLS = 40_000  # of a matrix: 160 KB
BINS = 60  # at most


def similarity_matrix(
    scores: np.ndarray,
    image_of: np.ndarray,
    *,
    images: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Scores as colours, and a mark where a caption meets its image: a ring if it is its first, else a cross.

    Captions stand in the order of their images, so the truth runs down the diagonal.

    Args:
        scores: [image caption].
        image_of: [caption] the row that each caption describes.
        images, captions: what is said where the pointer rests; their numbers by default.
        dark: the look for a dark page.

    Raises:
        ValueError: shapes do not fit, or there are more cells than can be told apart: cut the scores.
    """
    import plotly.graph_objects as go

    scores, image_of = _checked(scores, image_of)
    if scores.size > MOST_CELLS:
        raise ValueError(
            f"{scores.shape[0]} images by {scores.shape[1]} captions are more than {MOST_CELLS:,} cells, too"
            " many to see; give a part: scores[:40][:, image_of < 40] and image_of[image_of < 40], say"
        )
    order = np.argsort(image_of, kind="stable")
    ordered = scores[:, order].astype(np.float32)
    names = [escape(str(n), quote=False) for n in (images if images is not None else range(len(scores)))]
    texts = [escape(str(captions[at] if captions is not None else at), quote=False) for at in order]
    figure = go.Figure(layout={"template": theme.template(dark), "title": "Every image with every caption"})
    figure.add_heatmap(
        z=ordered,
        zmin=float(ordered.min()),
        zmax=float(ordered.max()),
        colorscale=theme.scale(theme.sequential(dark)),
        colorbar={"title": {"text": "score"}, "thickness": 14, "outlinewidth": 0},
        hovertemplate="image %{y}, caption %{x}: %{z:.3f}<extra></extra>",
        name="score",
    )
    columns = np.arange(len(order))
    rows = image_of[order]
    first = ordered[rows, columns] >= ordered.max(axis=0)
    looks = (
        ("its image, and its first", first, "circle-open", theme.HIT),
        ("its image, not its first", ~first, "x-thin-open", theme.MISS),
    )
    size = float(np.clip(600 / max(ordered.shape[1], 1), 4, 13))
    for name, which, symbol, colour in looks:
        figure.add_scatter(
            x=columns[which],
            y=rows[which],
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": size, "color": colour, "line": {"width": 2, "color": colour}},
            text=[
                f"“{texts[column]}” of image {names[row]}"
                for column, row in zip(columns[which], rows[which], strict=True)
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_xaxes(title="captions, in the order of their images", showgrid=False, zeroline=False)
    figure.update_xaxes(range=[-0.5, ordered.shape[1] - 0.5])
    figure.update_yaxes(title="images", range=[len(scores) - 0.5, -0.5], showgrid=False, zeroline=False)
    figure.update_layout(height=560)
    return figure


def score_histograms(scores: np.ndarray, image_of: np.ndarray, *, dark: bool = False) -> go.Figure:
    """How right and wrong pairs score, and by how much each query's right answer is ahead.

    Beside the scores stands the margin: the best right answer's score less the best wrong one's. A query with
    a margin above zero is answered at rank 1, so the share above zero is recall at 1.

    Args:
        scores: [image caption].
        image_of: [caption] the row that each caption describes.
        dark: the look for a dark page.
    """
    from plotly.subplots import make_subplots

    scores, image_of = _checked(scores, image_of)
    if len(scores) < 2:
        raise ValueError("wanted scores of at least two images: with one there is no wrong pair")
    right = np.zeros(scores.shape, dtype=bool)
    right[image_of, np.arange(len(image_of))] = True
    wide = max(float(np.ptp(scores)), 1e-9)
    bins = 2 * int(np.clip(np.sqrt(len(scores)), 6, BINS // 2))
    edges = np.linspace(scores.min() - 1e-6 * wide, scores.max() + 1e-6 * wide, bins + 1)
    figure = make_subplots(cols=2, rows=1, horizontal_spacing=0.1)
    kinds = (
        ("right pairs", scores[right], theme.HIT, None),
        ("wrong pairs", scores[~right], theme.MISS, "dot"),
    )
    for name, values, colour, dash in kinds:
        figure.add_scatter(**_steps(values, edges), name=name, **_line(colour, dash), row=1, col=1)
    margins = {"image to text": _margins(scores, right, 1), "text to image": _margins(scores, right, 0)}
    known = np.concatenate(list(margins.values()))
    largest = float(np.abs(known).max(initial=1e-9))
    edges = np.linspace(-largest, largest, bins + 1)  # zero is an edge: no bar stands on both sides of it
    for (name, values), colour, dash in zip(
        margins.items(), (theme.OKABE_ITO["blue"], theme.OKABE_ITO["vermillion"]), (None, "dash"), strict=True
    ):
        told = f"{name}: {np.mean(values > 0):.1%} above zero"
        figure.add_scatter(**_steps(values, edges), name=told, **_line(colour, dash), row=1, col=2)
    figure.add_vline(x=0, line={"width": 1.5, "color": (theme.DARK if dark else theme.LIGHT)["ink"]}, col=2)
    figure.update_xaxes(title="score", row=1, col=1, zeroline=False)
    figure.update_xaxes(title="margin: best right less best wrong", row=1, col=2, zeroline=False)
    figure.update_yaxes(title="% of these pairs", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="% of these queries", rangemode="tozero", row=1, col=2)
    figure.update_layout(template=theme.template(dark), title="Scores and margins", height=440, margin_t=92)
    return figure


def _checked(scores: np.ndarray, image_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores, image_of = np.asarray(scores), np.asarray(image_of)
    if scores.ndim != 2 or not scores.size or image_of.shape != scores.shape[1:]:
        raise ValueError(
            "wanted scores [image caption] and image_of [caption], got"
            f" {list(scores.shape)} and {list(image_of.shape)}"
        )
    if not 0 <= image_of.min() <= image_of.max() < len(scores):
        raise ValueError(
            f"image_of names images {image_of.min()} to {image_of.max()}, there are {len(scores)}"
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinite values")
    return scores, image_of


def _margins(scores: np.ndarray, right: np.ndarray, axis: int) -> np.ndarray:
    """[query] the best right score less the best wrong one, for queries that have both."""
    best = [np.where(which, scores, -np.inf).max(axis=axis) for which in (right, ~right)]
    both = np.isfinite(best[0]) & np.isfinite(best[1])
    return best[0][both] - best[1][both]


def _steps(values: np.ndarray, edges: np.ndarray) -> dict[str, np.ndarray]:
    """A histogram in per cent as a line of steps."""
    counts = np.histogram(values, edges)[0] / max(len(values), 1) * 100
    return {
        "x": np.repeat(edges, 2).astype(np.float32),
        "y": np.pad(np.repeat(counts, 2), 1).astype(np.float32),
    }


def _line(colour: str, dash: str | None) -> dict[str, object]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return {
        "mode": "lines",
        "line": {"color": colour, "width": 2, "dash": dash},
        "fill": "tozeroy",
        "fillcolor": f"rgba({red},{green},{blue},0.18)",
        "hovertemplate": "%{x:.2f}: %{y:.1f} %<extra></extra>",
    }
