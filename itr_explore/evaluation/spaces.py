"""The space of a system that compares one vector an image with one vector a caption, brought to two axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from itr_explore.evaluation.encoding import Encoder, at_rest
from itr_explore.records import Space

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

PICTURE = 64  # pixels of a small picture's longer side
AT_ONCE = 128


def embedding_space(
    model: RetrievalModel,
    collection: Collection,
    *,
    images: int = 200,
    pictures: bool = True,
    device: str = "auto",
) -> Space:
    """The vectors of some images and of all their captions along their first two principal components.

    Principal components of images and captions together, by a singular value decomposition of the centred
    vectors: linear, without chance and without settings.

    Args:
        images: so many are taken, evenly spread over the collection.
        pictures: bring small pictures for `embedding_map`.
        device: "auto" takes a GPU where there is one. The model is left where and as it was.

    Raises:
        ValueError: the model's scores are not products of one vector a side, so that it has no such space; or
            the collection is empty.
    """
    if images < 1 or not len(collection):
        raise ValueError(f"wanted at least one image, got {images} of {len(collection)}")
    rows = np.unique(np.linspace(0, len(collection) - 1, min(images, len(collection))).astype(int))
    few = collection.subset(rows.tolist())
    if not len(few.captions):
        raise ValueError(f"the {len(few)} images taken have no caption")
    with at_rest(model, device) as used:
        encoder = Encoder(model, few, used)
        seen = [encoder.images(range(at, min(at + AT_ONCE, len(few)))) for at in range(0, len(few), AT_ONCE)]
        read = encoder.captions(np.arange(len(few.captions)))
        _want_a_space(model, seen[0].vectors, read.vectors, read.scores(model, seen[0]))
        sides = [torch.cat([side.vectors for side in seen]), read.vectors]
        vectors = torch.cat([side.double().cpu() for side in sides]).numpy()
    places, explained = principal(vectors)
    small = tuple(_small(few.image(row)) for row in range(len(few))) if pictures else (None,) * len(few)
    return Space(
        model.name,
        places[: len(few)],
        places[len(few) :],
        few.image_of.copy(),
        explained,
        tuple(few.image_ids),
        tuple(few.captions),
        small,
    )


def principal(vectors: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """[item 2] places along the first two principal components, and the variance's share along each.

    Args:
        vectors: [item dim]. The sign of an axis, which is free, is such that its largest weight is positive.
    """
    centred = vectors - vectors.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.pad(axes, ((0, max(0, 2 - len(axes))), (0, 0)))[:2]
    axes *= np.where(axes[[0, 1], np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    shares = np.pad(sizes**2, (0, 2))[:2] / max(float((sizes**2).sum()), np.finfo(float).tiny)
    return centred @ axes.T, (float(shares[0]), float(shares[1]))


def _want_a_space(
    model: RetrievalModel, images: torch.Tensor, captions: torch.Tensor, scores: torch.Tensor
) -> None:
    products = images @ captions.T if images.shape[1] == captions.shape[1] else None
    if products is None or not torch.allclose(products.float(), scores.float(), atol=1e-3):
        raise ValueError(
            f"{model.name} compares words with regions, not one vector with one vector, so it has no space to"
            " draw; take a system of one vector a side, such as vse, vse_infty, vsrnpp, user or lgsf"
        )


def _small(image: Image | None) -> Image | None:
    if image is None:
        return None
    small = image.convert("RGB")
    small.thumbnail((PICTURE, PICTURE))
    return small
