"""From a model and a pair to its maps: every tap that a forward passes, read one way for all models.

Rows and columns of the maps stand for `pair.words` and `pair.regions`. Models also see a <start> and an <end>
mark around the words; these are dropped here. Where words are rows nothing else changes: a softmax row over
regions still sums to one. Where words are columns (region_to_word, word_to_word, per_word) the share that
fell on the two marks is lost: a `softmax` or `row_sum` map then has rows that sum to less than one, so its
scale becomes `unit` and its note says how much was dropped. Taps that relate the samples of a batch to each
other are of no one pair and give no map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from itr_explore.data.checks import want_made_by
from itr_explore.data.text import UNKNOWN, encode
from itr_explore.explanation.parts import NotAdditive, vector_parts
from itr_explore.nn.modes import evaluating
from itr_explore.nn.tap import Seen, Tap, capture
from itr_explore.records import Batch, Encoded, Explanation, Map, MapKind, Origin, Pair

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel


def explain(model: RetrievalModel, pair: Pair) -> Explanation:
    """What `model` does with one pair: its score and a `Map` for every tap that was passed.

    A model that pools words and regions before it compares them has no word_to_region tap. It gets two maps
    in its place: `parts`, what each word and each region gave to the score together (origin `attribution`,
    exact, where the model knows its vectors' additive parts), and `node_cosine`, the cosine of their nodes
    before pooling (origin `derived`, not exact: the score is not computed from it).
    The model runs in eval mode without gradients; it is left as it was found.

    Raises:
        ValueError: the pair does not fit the model (feature size, guide, tokenizer, no region, NaN).
    """
    return next(explain_all(model, [pair], batch_size=1))


def explain_all(model: RetrievalModel, pairs: Iterable[Pair], batch_size: int = 32) -> Iterator[Explanation]:
    """`explain` for many pairs, `batch_size` captions a forward; yields explanations in the pairs' order.

    Pairs that share an image should stand next to each other: it is then encoded once a batch. Every forward
    scores all images of a batch against all its captions, so memory grows with the square of the batch.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    remaining = iter(pairs)
    while chunk := list(islice(remaining, batch_size)):
        with (
            evaluating(model),
            torch.no_grad(),
        ):  # not across a yield: the caller may train between two explanations
            found = _explain_batch(model, chunk)
        yield from found


def _explain_batch(model: RetrievalModel, pairs: list[Pair]) -> list[Explanation]:
    batch = batch_of(model, pairs)
    with capture(model) as seen:
        images, captions = model.encode_images(batch), model.encode_captions(batch)
        scores = model.score(images, captions)
    sizes = {"image": len(batch.regions), "caption": len(pairs)}
    taps = {
        name: found.tap for name, found in seen.items() if {*_axes_of_map(found.tap)} <= {"word", "region"}
    }
    values = {name: _whole(name, seen[name], sizes) for name in taps}
    parts = _products(model, batch)
    attended = any(tap.kind == "word_to_region" for tap in taps.values())
    cosines = None if attended else _cosines(images, captions)

    scores, words = scores.float().cpu(), batch.words.cpu().numpy()
    explanations = []
    for caption, pair in enumerate(pairs):
        image = int(batch.image_of[caption])
        maps = [_cut(name, taps[name], values[name], image, caption, pair) for name in values]
        score = float(scores[image, caption])
        inside = (image, caption, slice(1, 1 + len(pair.words)), slice(0, len(pair.regions)))
        if parts is not None:
            given = parts[inside].copy()
            note = (
                f"adds up to {given.sum():.3f}, the score is {score:.3f}: what <start>, <end> and all that is"
                " of no single region or word gave is not shown"
            )
            maps.insert(0, Map("parts", "word_to_region", given, "attribution", "signed", note=note))
        if cosines is not None:
            nodes = cosines[inside].copy()
            maps.append(Map("node_cosine", "word_to_region", nodes, "derived", "cosine", exact=False))
        unknown = tuple(np.flatnonzero(words[caption, 1 : 1 + len(pair.words)] == UNKNOWN).tolist())
        explanations.append(Explanation(pair, model.name, score, tuple(maps), unknown))
    return explanations


def batch_of(model: RetrievalModel, pairs: list[Pair]) -> Batch:
    """Pairs as one padded batch on the model's device, each image once."""
    if model.tokenizer is None:
        raise ValueError(
            f"{model.name} has no tokenizer, so captions cannot be read; give it the one it was trained with"
        )
    for pair in pairs:
        _check(model, pair)
    firsts, image_of = _distinct_images(pairs)
    longest = max(len(pair.regions) for pair in firsts)
    regions = torch.zeros(len(firsts), longest, firsts[0].regions.shape[1])
    boxes = None if any(pair.boxes is None for pair in firsts) else torch.zeros(len(firsts), longest, 4)
    mask = torch.zeros(len(firsts), longest, dtype=torch.bool)
    for row, pair in enumerate(firsts):
        count = len(pair.regions)
        regions[row, :count] = torch.as_tensor(np.asarray(pair.regions, dtype=np.float32))
        mask[row, :count] = True
        if boxes is not None:
            boxes[row, :count] = torch.as_tensor(np.asarray(pair.boxes, dtype=np.float32))
    known = [pair.guide for pair in firsts if pair.guide is not None]
    guide = torch.as_tensor(np.stack(known), dtype=torch.float32) if len(known) == len(firsts) else None

    words, word_mask = encode(model.tokenizer, [pair.caption for pair in pairs])
    for pair, length in zip(pairs, word_mask.sum(dim=1).tolist(), strict=True):
        if length != len(pair.words) + 2:
            raise ValueError(
                f"the model's tokenizer reads {length - 2} words in {pair.caption!r}, the pair lists"
                f" {len(pair.words)}: {list(pair.words)}; make the pair's words with data.text.split_words"
            )
    batch = Batch(regions, mask, words, word_mask, torch.tensor(image_of), boxes, guide)
    return batch.to(next(model.parameters()).device)


def _check(model: RetrievalModel, pair: Pair) -> None:
    """Refuse a pair that the model cannot take, saying what was wanted and what came."""
    count, size = pair.regions.shape
    wanted = model.config.region_dim
    if count == 0:
        raise ValueError(
            f"image {pair.image_id!r} has no regions, at least one is needed; where its collection has none"
            " yet, take the pair of collection.with_regions(extractor)"
        )
    if size != wanted:
        raise ValueError(
            f"{model.name} was built for region features of size {wanted}, image {pair.image_id!r} has"
            f" features of size {size}; take a pair of the collection that the model was trained on"
        )
    known = getattr(model.config, "regions_from", None)
    want_made_by(known, pair.regions_from, f"image {pair.image_id!r}")
    guide, came = getattr(model.config, "guide_dim", None), 0 if pair.guide is None else len(pair.guide)
    if guide and came != guide:
        raise ValueError(
            f"{model.name} was built for guide vectors of length {guide}, image {pair.image_id!r} has"
            f" {f'one of length {came}' if came else 'none'}; take a pair of collection.with_guide(vectors)"
        )
    if not np.isfinite(pair.regions).all():
        raise ValueError(f"the region features of image {pair.image_id!r} hold NaN or infinite values")


def _distinct_images(pairs: list[Pair]) -> tuple[list[Pair], list[int]]:
    """The first pair of each image, and for each pair the position of its image among them."""
    firsts: list[Pair] = []
    position: dict[tuple, int] = {}
    image_of = []
    for pair in pairs:
        extras = (None if array is None else array.tobytes() for array in (pair.boxes, pair.guide))
        key = (
            pair.regions.shape,
            pair.regions.tobytes(),
            *extras,
        )  # an image_id may come with edited regions
        if key not in position:
            position[key] = len(firsts)
            firsts.append(pair)
        image_of.append(position[key])
    return firsts, image_of


def _axes_of_map(tap: Tap) -> list[str]:
    """What the rows and columns of a tap's map stand for, `word` or `region`."""
    return tap.kind.removeprefix("per_").split("_to_")


def _axes_before(tap: Tap, value: Tensor | np.ndarray) -> tuple[str, ...]:
    """The axes of a tap's value before those of the map: each pair's, or those of one side of the batch."""
    axes = _axes_of_map(tap)
    if value.ndim == len(axes) + 2:
        return ("image", "caption")
    return ("caption",) if axes[0] == "word" else ("image",)


def _whole(name: str, found: Seen, sizes: dict[str, int]) -> np.ndarray:
    """The values of one tap for the whole batch; a forward that worked in chunks is put together again."""
    axes = _axes_before(found.tap, found.values[0])
    value = (
        found.values[0] if len(found.values) == 1 else _joined(found.values, [sizes[axis] for axis in axes])
    )
    if value is None or tuple(value.shape[: len(axes)]) != tuple(sizes[axis] for axis in axes):
        raise ValueError(
            f"tap {name!r} ({found.tap.kind}) let through {[list(v.shape) for v in found.values]}; wanted"
            f" {[f'{axis}={sizes[axis]}' for axis in axes]} first, whole or in chunks along one of them"
        )
    return value.float().cpu().numpy()


def _joined(chunks: list[Tensor], sizes: list[int]) -> Tensor | None:
    """Chunks along one leading axis as one tensor, or None if they are not that."""
    for axis, size in enumerate(sizes):
        others = {(*chunk.shape[:axis], *chunk.shape[axis + 1 :]) for chunk in chunks}
        if len(others) == 1 and sum(chunk.shape[axis] for chunk in chunks) == size:
            return torch.cat(chunks, dim=axis)
    return None


def _cut(name: str, tap: Tap, value: np.ndarray, image: int, caption: int, pair: Pair) -> Map:
    """One pair's map out of the batch: padding and the <start> and <end> marks dropped."""
    place = {"image": image, "caption": caption}
    value = value[tuple(place[axis] for axis in _axes_before(tap, value))]
    words, regions = slice(1, 1 + len(pair.words)), slice(0, len(pair.regions))
    axes = [words if axis == "word" else regions for axis in _axes_of_map(tap)]
    kept = value[tuple(axes)].copy()
    scale, note = tap.scale, ""
    if axes[-1] is words and scale in ("softmax", "row_sum"):
        with_marks = value[(*axes[:-1], slice(0, 2 + len(pair.words)))]
        lost = float((with_marks.sum(axis=-1) - kept.sum(axis=-1)).mean())
        scale, note = "unit", f"{lost:.0%} of the weight fell on <start> and <end> and is not shown"
    origin: Origin = "derived" if tap.derived else "attention"
    layer, head = _layer_and_head(name)
    return Map(name, cast(MapKind, tap.kind), kept, origin, scale, tap.exact, layer, head, note)


def _layer_and_head(name: str) -> tuple[int | None, int | None]:
    """The numbers in a tap's path: one after `heads` is the head's, the first other one the layer's."""
    parts = name.split(".")
    numbers = {before: int(part) for before, part in pairwise(["", *parts]) if part.isdigit()}
    head = numbers.pop("heads", None)
    return next(iter(numbers.values()), None), head


def _products(model: RetrievalModel, batch: Batch) -> np.ndarray | None:
    """[image caption word region] products of the parts of both vectors; None if they are not known."""
    if not hasattr(model, "image_parts"):
        return None
    try:
        return vector_parts(model, batch).cpu().numpy()
    except NotAdditive:
        return None


def _cosines(images: Encoded, captions: Encoded) -> np.ndarray | None:
    """[image caption word region] cosine of word nodes and region nodes; None if they share no space."""
    if images.parts.shape[-1] != captions.parts.shape[-1]:
        return None
    regions = nn.functional.normalize(images.parts.float(), dim=-1)
    words = nn.functional.normalize(captions.parts.float(), dim=-1)
    return torch.einsum("ird,cwd->icwr", regions, words).cpu().numpy()
