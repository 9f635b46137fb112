"""Where the right answers stand: ranks without sorting, recalls, and the evaluation of a whole collection.

A rank is a count of the scores above the right one, so nothing is ever sorted, and blocks of scores can be
counted one after another and thrown away. Ranks count from 0 (see `records.Ranking`). Protocols: methods.md
0.3 and 0.4; image to text ranks the best of an image's captions, text to image the image of a caption.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from itr_explore.evaluation.encoding import Encoder, at_rest, encode_pieces, enough_memory
from itr_explore.nn.together import current_team, summed
from itr_explore.records import Ranking

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

Ties = Literal["mean", "pessimistic", "optimistic"]


def recall_at(ranks, k: int) -> float:
    """Per cent of `ranks` (from 0) among the first k; NaN, a query without an answer, is left out."""
    ranks = np.asarray(ranks, dtype=np.float64)
    return 100.0 * float(np.mean(ranks[~np.isnan(ranks)] <= k - 1))


def rank(scores, relevance, *, ties: Ties = "mean", chunk: int = 256) -> Ranking:
    """Rank all captions for each image and all images for each caption.

    Args:
        scores: [image caption] tensor or array, also a memory-mapped one; read `chunk` images at a time.
        relevance: [caption] integers, the image that each caption describes; or [image caption] booleans,
            any number of right answers in each row and column.
        ties: where a right answer stands among wrong ones of its score: in their "mean" (the expectation
            over a random order), "pessimistic" (behind them) or "optimistic" (before them).

    Raises:
        ValueError: shapes do not fit, an image index is out of range, or a score is NaN.
    """
    if len(getattr(scores, "shape", ())) != 2:
        came = list(scores.shape) if hasattr(scores, "shape") else type(scores).__name__
        raise ValueError(f"scores must be a tensor or array [image caption], got {came}")
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1 image, got {chunk}")
    images, captions = scores.shape
    rows, columns = _right_pairs(relevance, images, captions)

    count = _Count(images, captions, rows, columns, _tensor(scores[rows, columns]))
    for at in slices(images, chunk):
        count.add(_tensor(scores[at]), at, slice(0, captions))
    return count.ranking(ties)


def rank_blocks(
    block: Callable[[slice, slice], Tensor],
    images: Sequence[slice],
    captions: Sequence[slice],
    right_images: np.ndarray,
    right_captions: np.ndarray,
    ties: Ties = "mean",
) -> Ranking:
    """`rank` for scores that are made a block at a time and never held together.

    Blocks with right answers are made first and kept, as what they hold is compared with all the others;
    when captions are ordered by their image these are few. No block is made twice. Several processes
    (`nn.together`) each make the blocks of some of the images, and meet twice.

    Args:
        block: gives the scores of a slice of images and a slice of captions.
        images, captions: slices that cover each axis, in order.
        right_images, right_captions: [right] each right pair, as an index on either axis.
    """
    kept: dict[tuple[int, int], Tensor] = {}
    own = torch.zeros(len(right_images), dtype=torch.float64)  # holds any score exactly
    team = current_team()
    ours = images[team.rank :: team.size]
    for at in ours:
        for among in captions:
            inside = (right_images >= at.start) & (right_images < at.stop)
            inside &= (right_captions >= among.start) & (right_captions < among.stop)
            if inside.any():
                scores = kept[at.start, among.start] = block(at, among)
                found = scores[right_images[inside] - at.start, right_captions[inside] - among.start]
                own[torch.from_numpy(inside)] = found.to("cpu", torch.float64)
    count = _Count(images[-1].stop, captions[-1].stop, right_images, right_captions, summed(own))
    for at in ours:
        for among in captions:
            place = (at.start, among.start)
            count.add(kept.pop(place) if place in kept else block(at, among), at, among)
    for side in count.sides:
        side.above, side.tied = summed(torch.stack([side.above, side.tied]))
    return count.ranking(ties)


class _Count:
    """How many scores lie above, and at, the best right score of each image and of each caption.

    Args:
        images, captions: how many there are.
        right_images, right_captions: [right] each right pair.
        own: [right] its score.
    """

    def __init__(
        self, images: int, captions: int, right_images: np.ndarray, right_captions: np.ndarray, own: Tensor
    ):
        self.sides = [_Side(images, right_images, own), _Side(captions, right_captions, own)]

    def add(self, scores: Tensor, images: slice, captions: slice) -> None:
        """Count a block of scores."""
        if not torch.isfinite(scores.sum()) and scores.isnan().any():
            raise ValueError(
                f"scores of images {images.start} to {images.stop - 1} hold NaN; look at the model's weights"
                " and at the region features"
            )
        # compared into floats: summing booleans is ten times slower, and float32 counts exactly to 16 million
        room = torch.empty(scores.shape, device=scores.device)
        for side, (queries, axis) in zip(self.sides, ((images, 1), (captions, 0)), strict=True):
            best = side.best[queries].to(scores.device, scores.dtype).unsqueeze(axis)
            side.above[queries] += torch.gt(scores, best, out=room).sum(axis).cpu()
            side.tied[queries] += torch.eq(scores, best, out=room).sum(axis).cpu()

    def ranking(self, ties: Ties) -> Ranking:
        """The ranks that the counts amount to."""
        if ties not in ("mean", "pessimistic", "optimistic"):
            raise ValueError(f"ties must be mean, pessimistic or optimistic, got {ties!r}")
        image_to_text, text_to_image = (side.ranks(ties) for side in self.sides)
        return Ranking(image_to_text, text_to_image, ties)


class _Side:
    """The counts of one direction: an entry for each query."""

    def __init__(self, queries: int, right: np.ndarray, own: Tensor):
        query_of, own = torch.from_numpy(right), own.double().cpu()
        self.best = torch.full((queries,), -torch.inf, dtype=own.dtype)
        self.best.scatter_reduce_(0, query_of, own, "amax")
        at_best = (own == self.best[query_of]).to(own.dtype)
        self.right_tied = torch.zeros_like(self.best).index_add(0, query_of, at_best)
        self.above, self.tied = torch.zeros_like(self.best), torch.zeros_like(self.best)

    def ranks(self, ties: Ties) -> np.ndarray:
        """[query] from 0, NaN for a query without a right answer."""
        return _ranks(
            self.above.numpy(), (self.tied - self.right_tied).numpy(), self.right_tied.numpy(), ties
        )


def rank_among(scores: np.ndarray, right: np.ndarray, ties: Ties = "mean") -> np.ndarray:
    """[query] rank, from 0, of the best right one among each query's own candidates; NaN where none is right.

    Args:
        scores: [query candidate].
        right: [query candidate] booleans.
        ties: as in `rank`.
    """
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    tied = scores == best
    wrong, right_tied = ((tied & which).sum(axis=1) for which in (~right, right))
    return _ranks((scores > best).sum(axis=1), wrong, right_tied, ties)


def _ranks(above: np.ndarray, wrong: np.ndarray, right_tied: np.ndarray, ties: Ties) -> np.ndarray:
    """[query] ranks from how many scores lie above the best right one, and how many equal it; or NaN."""
    # in a random order of `wrong` and `right_tied` equals, so many wrong ones precede the first right one
    before = {"mean": wrong / (right_tied + 1), "pessimistic": wrong, "optimistic": 0 * wrong}[ties]
    return np.where(right_tied == 0, np.nan, above + before)


def _tensor(array) -> Tensor:
    """A view of an array where that can be had; a copy of a read-only one."""
    if isinstance(array, Tensor):
        return array
    return torch.from_numpy(array if array.flags.writeable else np.array(array))


def _right_pairs(relevance, images: int, captions: int) -> tuple[np.ndarray, np.ndarray]:
    relevance = np.asarray(relevance)
    if relevance.shape == (images, captions) and relevance.dtype == bool:
        return relevance.nonzero()
    if relevance.shape == (captions,) and np.issubdtype(relevance.dtype, np.integer):
        if captions and not 0 <= relevance.min() <= relevance.max() < images:
            raise ValueError(
                f"relevance names images {relevance.min()} to {relevance.max()}, scores have {images} images"
            )
        return relevance.astype(np.int64), np.arange(captions)
    raise ValueError(
        f"relevance must be [{captions}] integers (the image of each caption) or [{images} {captions}]"
        f" booleans, got {list(relevance.shape)} {relevance.dtype}"
    )


def _for_all(length: int, size: int) -> int:
    """The size of a block, at most `size`, so that every process of a team has as many blocks."""
    team = current_team()
    if team.size == 1:
        return size
    blocks = -(-length // (size * team.size)) * team.size
    return max(1, -(-length // blocks))


def slices(length: int, size: int) -> list[slice]:
    """Slices of `size` that cover so many items; the last may be smaller."""
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]


def evaluate(
    model: RetrievalModel,
    collection: Collection,
    *,
    device: str = "auto",
    folds: int = 1,
    ties: Ties = "mean",
    images_at_once: int = 256,
    captions_at_once: int = 1024,
) -> Ranking:
    """Rank a collection's captions and images by a model; every image and caption is encoded once.

    Several processes (`nn.together`) share the encoding, and each scores some of the images.

    Args:
        device: "auto" takes a GPU where there is one. The model is left where and as it was.
        folds: blocks of images that follow each other, each ranked by itself; 5 is COCO's "1K" protocol.
            The recalls of the blocks together are their mean, as all blocks have the same size.
        images_at_once, captions_at_once: size of a block of scores; only blocks are ever in memory.

    Raises:
        ValueError: the collection is empty, does not divide into `folds`, or a score is NaN.
        RuntimeError: the GPU's memory does not suffice; says what to lower.
    """
    images, captions = len(collection), len(collection.captions)
    if images == 0 or captions == 0:
        raise ValueError(f"nothing to rank: {images} images and {captions} captions")
    if folds < 1 or images % folds:
        raise ValueError(f"{images} images do not divide into {folds} blocks of the same size")

    if images_at_once < 1 or captions_at_once < 1:
        raise ValueError(
            "images_at_once and captions_at_once must be at least 1,"
            f" got {images_at_once} and {captions_at_once}"
        )
    order = np.argsort(collection.image_of, kind="stable")  # right answers then lie near the diagonal
    firsts = np.searchsorted(collection.image_of[order], np.arange(folds + 1) * (images // folds))
    to_text, to_image = np.full(images, np.nan), np.full(captions, np.nan)
    lower, team = ("images_at_once", "captions_at_once"), current_team()
    with at_rest(model, device) as device_used, enough_memory("a block of scores", model, *lower):
        encoder = Encoder(model, collection, device_used)
        for fold in range(folds):
            first_image = fold * (images // folds)
            ours = order[firsts[fold] : firsts[fold + 1]]
            if not len(ours):
                continue
            image_slices = slices(images // folds, _for_all(images // folds, images_at_once))
            caption_slices = slices(len(ours), _for_all(len(ours), captions_at_once))
            sides = {
                s.start: encoder.images(range(first_image + s.start, first_image + s.stop))
                for s in image_slices[team.rank :: team.size]
            }
            pieces = encode_pieces(encoder, [ours[s] for s in caption_slices])
            texts = {s.start: piece for s, piece in zip(caption_slices, pieces, strict=True)}

            def block(at: slice, among: slice, sides=sides, texts=texts) -> Tensor:
                return texts[among.start].scores(model, sides[at.start])

            of = collection.image_of[ours] - first_image
            found = rank_blocks(block, image_slices, caption_slices, of, np.arange(len(ours)), ties)
            to_text[first_image : first_image + images // folds] = found.image_to_text
            to_image[ours] = found.text_to_image
    return Ranking(to_text, to_image, ties, folds)
