"""What becomes of a score, and of ranks, when one thing is changed and all else stays as it is.

A change of the score means little by itself: whatever is dropped changes it. So the same is done to other
regions, other words, or other edges of nearly the same weight (`edits.elsewhere`), and what that does stands
beside it. The pair before and after, and its controls, are scored in one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from itr_explore.data.batching import collate
from itr_explore.data.text import UNKNOWN, encode
from itr_explore.explanation.edits import (
    EdgeEdit,
    Edit,
    Edited,
    Weights,
    check,
    edited,
    elsewhere,
    like,
    rewired,
    told,
    within,
)
from itr_explore.explanation.maps import batch_of, explain
from itr_explore.explanation.scorer import still
from itr_explore.nn.tap import Tap, edit
from itr_explore.records import Change, Encoded, Intervention, Pair

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

EDGES = ("region_to_region", "word_to_word")
PAIRS_AT_ONCE = 16  # versions that are scored in one forward, each with each
EQUAL = 1e-6  # scores that differ by no more, as a share, are ties


def intervene(
    model: RetrievalModel,
    pair: Pair,
    *edits: Edit,
    gallery: Collection | EncodedGallery | None = None,
    controls: int = 20,
    seed: int = 0,
    at_once: int = 256,
) -> Intervention:
    """Change a pair or a model's edges, and see its score and its ranks move, beside the same done elsewhere.

    Args:
        model: is left as it was found, on its device.
        pair: one image and one caption.
        edits: one or more of `DropRegion`, `SwapRegions`, `ReplaceRegion`, `ReplaceWord`, `RemoveWord`,
            `CutEdge`, `ReverseEdge` and `MeanEdge`, all done at the same time.
        gallery: the collection among whose images and captions the pair is ranked; it is one of them. For
            many interventions in one gallery, encode it once: `EncodedGallery.of(model, collection)`.
        controls: how often the same is done to other things, drawn at random; fewer where there are not so
            many others.
        seed: of these draws.
        at_once: captions or images of the gallery that are scored in one forward; bounds the memory.

    Raises:
        ValueError: no edit or one of nothing (a region, word, edge or tap that does not exist, an edge of
            weight zero), two of the same thing, a pair that does not fit the model or is not of the gallery,
            or whose words are all unknown.

    >>> intervene(model, pair, RemoveWord(2), gallery=Collection.scenes("test"))
    """
    if not edits:
        raise ValueError("nothing to change; give edits, such as DropRegion(3) or ReplaceWord(2, 'blue')")
    if controls < 0 or at_once < 1:
        raise ValueError(f"wanted controls >= 0 and at_once >= 1, got {controls} and {at_once}")
    with still(model), torch.no_grad():
        among = None if gallery is None else _collection(gallery)
        place = None if among is None else _place(among, pair)
        graphs = edge_weights(model, pair, edits)
        for change in edits:
            check(change, pair, graphs.weights)
        drawn = elsewhere(pair, edits, *graphs, controls, np.random.default_rng(seed))
        versions = [edited(pair, each, graphs.of_words) for each in ((), edits, *drawn)]
        sides = encode_edited(model, versions)
        if len(_unknown(model, pair)) == len(set(pair.words)):
            raise ValueError(
                f"{model.name} knows none of the words of {pair.caption!r}; take a caption of words that it"
                " has seen"
            )
        scores = _pair_scores(model, versions, *sides)
        changes = {"score": scores}
        if gallery is not None and place is not None:
            asked = gallery, place, at_once, graphs.of_words
            changes["caption_rank"] = _caption_ranks(model, versions, sides[0], scores, *asked)
            changes["image_rank"] = _image_ranks(model, versions, sides[1], scores, *asked)
    return Intervention(
        pair,
        versions[1].pair,
        model.name,
        tuple(told(change, pair) for change in edits),
        tuple("; ".join(told(change, pair) for change in each) for each in drawn),
        " and ".join(dict.fromkeys(map(like, edits))),
        **{name: Change(float(found[0]), float(found[1]), found[2:]) for name, found in changes.items()},
        gallery="" if among is None else f"{among.name}, {among.split}: {len(among):,} images",
        unknown=_unknown(model, versions[1].pair),
    )


class Piece(NamedTuple):
    """Some images, or some captions, of a gallery, and their rows in it."""

    rows: np.ndarray
    encoded: Encoded


@dataclass(frozen=True)
class EncodedGallery:
    """A gallery's images and captions as a model encodes them, so that one can be asked often.

    It holds for the weights that the model had then.
    """

    model: RetrievalModel
    collection: Collection
    images: tuple[Piece, ...]
    captions: tuple[Piece, ...]

    @classmethod
    def of(cls, model: RetrievalModel, collection: Collection, at_once: int = 256) -> EncodedGallery:
        """All of a collection, `at_once` images or captions a forward; the model is left as it was found."""
        with still(model), torch.no_grad():
            return cls(
                model,
                collection,
                tuple(_pieces(model, collection, "images", at_once)),
                tuple(_pieces(model, collection, "captions", at_once)),
            )


class Graphs(NamedTuple):
    """A pair's edges before they are edited, by what `EdgeEdit.tap` says."""

    weights: Weights  # [tap node node]
    of_words: frozenset[str]  # those between words; all others join regions


def edge_weights(model: RetrievalModel, pair: Pair, edits: Sequence[Edit]) -> Graphs:
    """The edges that some edits are about.

    Raises:
        ValueError: no tap of edges there, edges that the score is not computed from, or edges of two kinds.
    """
    asked = list(dict.fromkeys(change.tap for change in edits if isinstance(change, EdgeEdit)))
    if not asked:
        return Graphs({}, frozenset())
    maps = {found.name: found for found in explain(model, pair).maps}
    taps = {path: tap for path, tap in _edge_taps(model) if path in maps}
    weights, of_words = {}, set()
    for path in asked:
        inside = [found for found in taps if within(found, path)]
        if not inside:
            raise ValueError(_no_edges(model, path, list(taps)))
        kinds = {taps[found].kind for found in inside}
        if len(kinds) > 1:
            raise ValueError(
                f"{path!r} holds edges of regions and edges of words; say which: {', '.join(inside)}"
            )
        weights[path] = np.stack([maps[found].values for found in inside])
        if kinds == {"word_to_word"}:
            of_words.add(path)
    return Graphs(weights, frozenset(of_words))


def edited_scores(model: RetrievalModel, versions: Sequence[Edited]) -> np.ndarray:
    """[version] scores of pairs under their own edits; the model is left as it was found."""
    with still(model), torch.no_grad():
        return _pair_scores(model, versions, *encode_edited(model, versions))


def encode_edited(model: RetrievalModel, versions: Sequence[Edited]) -> tuple[Encoded, Encoded]:
    """Images and captions of pairs, one of each a version, encoded under their edits."""
    batch = batch_of(model, [version.pair for version in versions])
    of = batch.image_of
    each = replace(
        batch,
        regions=batch.regions[of],
        region_mask=batch.region_mask[of],
        boxes=None if batch.boxes is None else batch.boxes[of],
        guide=None if batch.guide is None else batch.guide[of],
        image_of=torch.arange(len(versions), device=of.device),
    )
    with rewiring(model, versions, versions):
        return model.encode_images(each), model.encode_captions(each)


@contextmanager
def rewiring(model: RetrievalModel, images: Sequence[Edited], captions: Sequence[Edited]) -> Iterator[None]:
    """Edges are edited inside, those of each image and of each caption of a batch by its own edits.

    Args:
        model: has the taps that the edits name.
        images: one for each image that is encoded or scored inside; empty: their edges stay.
        captions: likewise.
    """
    functions = {}
    for path, tap in _edge_taps(model):
        items = images if tap.kind == "region_to_region" else captions
        asked = [[change for change in item.edges if within(path, change.tap)] for item in items]
        if any(asked):
            functions[path] = partial(_rewired_items, tap, path, items, asked)
    with edit(model, functions):
        yield


def _rewired_items(
    tap: Tap, path: str, items: Sequence[Edited], asked: Sequence[Sequence[EdgeEdit]], value: Tensor
) -> Tensor:
    """What passes a tap, [item node node] or [image caption node node], edited item by item."""
    of_regions = tap.kind == "region_to_region"
    new = value.clone()
    each = new if of_regions or value.ndim == 3 else new.transpose(0, 1)
    if len(each) != len(items):
        raise ValueError(f"tap {path!r} let {len(each)} of {len(items)} items through at a time; wanted all")
    for edges, item, changes in zip(each, items, asked, strict=True):
        if changes:
            first, count = (0, len(item.pair.regions)) if of_regions else (1, len(item.pair.words))
            edges.copy_(rewired(edges, changes, first, count, tap.scale in ("softmax", "row_sum")))
    return new


def _edge_taps(model: nn.Module) -> Iterator[tuple[str, Tap]]:
    """All taps of edges that the score is computed from, by path."""
    for path, tap in model.named_modules():
        if isinstance(tap, Tap) and tap.kind in EDGES and not tap.derived:
            yield path, tap


def _no_edges(model: RetrievalModel, path: str, there: list[str]) -> str:
    derived = dict(model.named_modules()).get(path)
    if isinstance(derived, Tap) and derived.derived:
        wrong = f"what passes tap {path!r} is made for the eye only, the score is not computed from it"
    else:
        wrong = f"{model.name} has no tap of edges at {path!r} that this pair passes"
    return (
        f"{wrong}; {'edges that can be edited: ' + ', '.join(there) if there else 'it has no edges at all'}"
    )


def _unknown(model: RetrievalModel, pair: Pair) -> tuple[str, ...]:
    """The words of a pair that the model does not know."""
    assert model.tokenizer is not None, "the pair was encoded by it"
    ids = encode(model.tokenizer, [pair.caption])[0][0, 1:-1].tolist()
    unknown = [word for word, token in zip(pair.words, ids, strict=True) if token == UNKNOWN]
    return tuple(dict.fromkeys(unknown))


def _pair_scores(
    model: RetrievalModel, versions: Sequence[Edited], images: Encoded, captions: Encoded
) -> np.ndarray:
    """[version] each image with its own caption."""
    found = []
    for rows in _slices(len(versions), PAIRS_AT_ONCE):
        with rewiring(model, versions[rows], versions[rows]):
            found.append(model.score(images[rows], captions[rows]).diagonal())
    return torch.cat(found).double().cpu().numpy()


def _place(gallery: Collection, pair: Pair) -> int:
    """The row of the pair's image in a gallery."""
    if pair.image_id not in gallery.image_ids:
        raise ValueError(
            f"image {pair.image_id!r} is not in {gallery.name}, {gallery.split}, so it has no rank there;"
            " take a pair of the gallery"
        )
    image = gallery.image_ids.index(pair.image_id)
    if pair.caption not in [gallery.captions[row] for row in gallery.captions_of(image)]:
        raise ValueError(
            f"{pair.caption!r} is no caption of image {pair.image_id!r} in {gallery.name}, {gallery.split};"
            " take a pair of the gallery"
        )
    return image


def _caption_ranks(
    model: RetrievalModel,
    versions: Sequence[Edited],
    images: Encoded,
    scores: np.ndarray,
    gallery: Collection | EncodedGallery,
    place: int,
    at_once: int,
    of_words: frozenset[str],
) -> np.ndarray:
    """[version] how many captions of other images score above the pair for its image."""
    collection, ranks = _collection(gallery), np.zeros(len(versions))
    keys = [(id(v.pair.regions), *(e for e in v.edges if e.tap not in of_words)) for v in versions]
    first, of = _distinct(keys)
    for piece in _pieces(model, gallery, "captions", at_once):
        others = np.flatnonzero(collection.image_of[piece.rows] != place)
        if len(others):
            with rewiring(model, [versions[at] for at in first], ()):
                ranks += _above(model.score(images[first], piece.encoded[others])[of], scores)
    return ranks


def _image_ranks(
    model: RetrievalModel,
    versions: Sequence[Edited],
    captions: Encoded,
    scores: np.ndarray,
    gallery: Collection | EncodedGallery,
    place: int,
    at_once: int,
    of_words: frozenset[str],
) -> np.ndarray:
    """[version] how many other images score above the pair for its caption."""
    ranks = np.zeros(len(versions))
    keys = [(v.pair.caption, *(e for e in v.edges if e.tap in of_words)) for v in versions]
    first, of = _distinct(keys)
    for piece in _pieces(model, gallery, "images", at_once):
        others = np.flatnonzero(piece.rows != place)
        if len(others):
            with rewiring(model, (), [versions[at] for at in first]):
                ranks += _above(model.score(piece.encoded[others], captions[first]).T[of], scores)
    return ranks


def _distinct(keys: Sequence[tuple]) -> tuple[list[int], list[int]]:
    """Where each key stands first, and for each key which of those it is."""
    met: dict[tuple, int] = {}
    of = [met.setdefault(key, len(met)) for key in keys]
    return [of.index(number) for number in range(len(met))], of


def _collection(gallery: Collection | EncodedGallery) -> Collection:
    return gallery.collection if isinstance(gallery, EncodedGallery) else gallery


def _pieces(
    model: RetrievalModel, gallery: Collection | EncodedGallery, what: str, at_once: int
) -> Iterator[Piece]:
    """The `images` or the `captions` of a gallery, encoded by now or now."""
    if isinstance(gallery, EncodedGallery):
        if gallery.model is not model:
            raise ValueError("the gallery was encoded by another model; EncodedGallery.of(model, collection)")
        yield from gallery.images if what == "images" else gallery.captions
        return
    device = next(model.parameters()).device
    everything = np.arange(len(gallery if what == "images" else gallery.captions))
    for rows in (everything[found] for found in _slices(len(everything), at_once)):
        if what == "images":
            batch = collate(gallery, rows, [], model.tokenizer).to(device)
            yield Piece(rows, model.encode_images(batch))
        else:
            batch = collate(gallery, [], rows, model.tokenizer).to(device)
            yield Piece(rows, model.encode_captions(batch))


def _above(found: Tensor, scores: np.ndarray) -> np.ndarray:
    """[version] how many of the scores found [version candidate] lie above its own; equal ones count half."""
    away = found.double().cpu().numpy() - scores[:, None]
    equal = np.abs(away) <= EQUAL * (1 + np.abs(scores[:, None]))  # batches of other sizes round differently
    return np.where(equal, 0.5, away > 0).sum(axis=1)


def _slices(length: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, length, size)]
