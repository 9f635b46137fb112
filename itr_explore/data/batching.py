"""From rows of a collection to padded tensors with masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from itr_explore.data.text import pad_ids
from itr_explore.records import Batch

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from itr_explore.data.collection import Collection


def collate(
    collection: Collection,
    images: Sequence[int] | np.ndarray,
    captions: Sequence[int] | np.ndarray,
    tokenizer: Tokenizer | None,
    share: slice | None = None,
) -> Batch:
    """The batch of some images and some captions, in the order given.

    Args:
        collection: where they are.
        images: rows of images, none or more, each once.
        captions: rows of captions, none or more.
        tokenizer: may be None where there are no captions.
        share: which of the images are read, where several processes share the batch.

    Returns:
        a batch whose `image_of` says at which place in `images` each caption's image stands; with no
        images it holds the collection's own image rows.

    Raises:
        ValueError: both are given and a caption's image is not among the images; or images are wanted of a
            collection that has no regions yet.
    """
    image_rows = _rows(images, len(collection), "image")
    caption_rows = _rows(captions, len(collection.captions), "caption")
    read = image_rows if share is None else image_rows[share]
    longest = 0 if share is None else int(collection.region_counts[image_rows].max())
    regions, region_mask, boxes = _pad_regions(collection, read, longest)
    if len(caption_rows) and tokenizer is None:
        raise ValueError("captions need a tokenizer; got None")
    if tokenizer is not None and len(caption_rows):
        words, word_mask = pad_ids(*collection.token_ids(tokenizer), caption_rows)
    else:
        words, word_mask = torch.zeros(0, 0, dtype=torch.int64), torch.zeros(0, 0, dtype=torch.bool)
    image_of = collection.image_of[caption_rows]
    if len(image_rows):
        image_of = _places(collection, image_rows, image_of)
    guide = collection.guide_of(read)
    return Batch(
        regions,
        region_mask,
        words,
        word_mask,
        torch.from_numpy(image_of),
        boxes,
        None if guide is None else torch.from_numpy(guide),
        torch.tensor(read),
        None if share is None else len(image_rows),
    )


def training_batches(
    collection: Collection,
    tokenizer: Tokenizer,
    batch_size: int,
    generator: np.random.Generator,
    foils: bool = False,
    share: Callable[[int], slice | None] | None = None,
) -> Iterator[Batch]:
    """One epoch: every caption once, in random order, `batch_size` captions a batch, their images once each.

    The last batch is smaller where the captions do not divide evenly. The order is drawn when the first batch
    is asked for. With `foils` each caption that has foils brings one of them, by chance: a row after all
    captions whose `image_of` is `~row` of its caption, a negative number. Where several processes share a
    batch, `share` says which of so many images this one reads (None: all).
    """
    order = generator.permutation(len(collection.captions))
    for chosen in _pieces(order, batch_size):
        images = np.unique(collection.image_of[chosen])
        own = None if share is None else share(len(images))
        batch = collate(collection, images, chosen, tokenizer, own)
        yield _with_foils(batch, collection, tokenizer, chosen, generator) if foils else batch


def _with_foils(
    batch: Batch,
    collection: Collection,
    tokenizer: Tokenizer,
    captions: np.ndarray,
    generator: np.random.Generator,
) -> Batch:
    ids, starts, firsts = collection.foil_ids(tokenizer)
    counts = firsts[captions + 1] - firsts[captions]
    drawn = firsts[captions] + (generator.random(len(captions)) * counts).astype(np.int64)
    words, mask = pad_ids(ids, starts, drawn[counts > 0])
    longest = max(words.shape[1], batch.words.shape[1])
    return replace(
        batch,
        words=torch.cat([_widen(batch.words, longest), _widen(words, longest)]),
        word_mask=torch.cat([_widen(batch.word_mask, longest), _widen(mask, longest)]),
        image_of=torch.cat([batch.image_of, torch.from_numpy(~np.flatnonzero(counts))]),
    )


def _widen(rows: Tensor, width: int) -> Tensor:
    """`[row word]` with padding (0, or False) up to `width` words."""
    return torch.nn.functional.pad(rows, (0, width - rows.shape[1]))


def image_batches(collection: Collection, tokenizer: Tokenizer | None, batch_size: int) -> Iterator[Batch]:
    """All images in order, no captions: for encoding each image once."""
    for chosen in _pieces(np.arange(len(collection)), batch_size):
        yield collate(collection, chosen, [], tokenizer)


def caption_batches(collection: Collection, tokenizer: Tokenizer, batch_size: int) -> Iterator[Batch]:
    """All captions in order, no images: for encoding each caption once."""
    for chosen in _pieces(np.arange(len(collection.captions)), batch_size):
        yield collate(collection, [], chosen, tokenizer)


def _pieces(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    if size < 1:
        raise ValueError(f"a batch needs a size of at least 1, got {size}")
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


def _rows(rows: Sequence[int] | np.ndarray, count: int, what: str) -> np.ndarray:
    found = np.asarray(rows, dtype=np.int64)
    if len(found) and not 0 <= found.min() <= found.max() < count:
        raise IndexError(f"{what} rows must lie in 0 to {count - 1}, got {found.min()} to {found.max()}")
    return found


def _places(collection: Collection, images: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """At which place in `images` each of `wanted` stands."""
    order = np.argsort(images)
    places = order[np.minimum(np.searchsorted(images, wanted, sorter=order), len(images) - 1)]
    missing = images[places] != wanted
    if missing.any():
        name = collection.image_ids[wanted[missing][0]]
        raise ValueError(f"a caption describes image {name!r}, which is not among the batch's images; add it")
    return places


def _pad_regions(
    collection: Collection, images: np.ndarray, longest: int = 0
) -> tuple[Tensor, Tensor, Tensor | None]:
    if not len(images) and not collection.has_regions:  # captions alone need none
        return torch.zeros(0, 0, 0), torch.zeros(0, 0, dtype=torch.bool), None
    values, lengths = collection.regions_of(images)
    boxes = collection.boxes_of(images)
    mask = np.arange(lengths.max(initial=longest)) < lengths[:, None]
    return (
        torch.from_numpy(_pad(values, mask)),
        torch.from_numpy(mask),
        None if boxes is None else torch.from_numpy(_pad(boxes, mask)),
    )


def _pad(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Rows `[row feature]` set where the mask `[image region]` is True, zeros elsewhere."""
    if mask.all():
        return values.reshape(*mask.shape, values.shape[1])
    padded = np.zeros((*mask.shape, values.shape[1]), dtype=np.float32)
    padded[mask] = values
    return padded
