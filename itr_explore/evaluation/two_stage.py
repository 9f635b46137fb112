"""Retrieval in two stages: a coarse ranking by one vector an item, then a model's own score of the first few.

A model whose score needs both sides at once (SCAN, BSSAN, CHAN, RACG) cannot score a whole collection for
every query. Its `Encoded.vectors` can: their cosines cost one matrix product. Here each query keeps its
`candidates` first ones by these, the model scores only those, and all others follow in their coarse order.
A right answer that is not among the candidates is lost to the second stage (`TwoStageRanking.ceiling`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from itr_explore.evaluation.encoding import EncodedCaptions, Encoder, at_rest
from itr_explore.evaluation.ranking import Ties, rank_among, rank_blocks, slices
from itr_explore.records import Encoded, Ranking, Table

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel


@dataclass(frozen=True, kw_only=True)
class TwoStageRanking(Ranking):
    """The ranks after both stages, and those of the coarse one alone."""

    coarse: Ranking
    candidates: int  # that each query keeps
    ceiling: tuple[float, float]  # per cent of queries with a right answer among them, both directions
    scored: int  # pairs that the model scored
    pairs: int  # that there are

    def table(self) -> Table:
        """Recalls of both stages and of the coarse one alone, in per cent."""
        both, coarse = super().table(), self.coarse.table()
        to_text, to_image = self.ceiling
        note = (
            f"{both.note}; {self.candidates} candidates a query, with a right answer for {to_text:.1f} and"
            f" {to_image:.1f} % of queries; {100 * self.scored / self.pairs:.1f} % of all pairs scored"
        )
        rows = (*both.rows, *((f"{row[0]}, coarse", *row[1:]) for row in coarse.rows))
        return Table(both.columns, rows, note=note)


def evaluate_two_stage(
    model: RetrievalModel,
    collection: Collection,
    *,
    candidates: int = 50,
    device: str = "auto",
    ties: Ties = "mean",
    images_at_once: int = 256,
    captions_at_once: int = 1024,
) -> TwoStageRanking:
    """Rank a collection's captions and images in two stages; every image and caption is encoded once.

    With as many candidates as there are images and captions the ranks are those of `evaluate`. Pairs that are
    candidates of both their image and their caption are scored once.

    Args:
        candidates: captions that each image keeps, and images that each caption keeps.
        device: "auto" takes a GPU where there is one. The model is left where and as it was.
        ties: as in `rank`; a right answer that is no candidate stands behind all candidates.
        images_at_once, captions_at_once: size of a block of cosines.

    Raises:
        ValueError: the collection is empty, a setting is below 1, or a score is NaN.
    """
    images, captions = len(collection), len(collection.captions)
    if images == 0 or captions == 0:
        raise ValueError(f"nothing to rank: {images} images and {captions} captions")
    if min(candidates, images_at_once, captions_at_once) < 1:
        raise ValueError(
            "candidates, images_at_once and captions_at_once must be at least 1, got"
            f" {candidates}, {images_at_once} and {captions_at_once}"
        )
    image_slices, caption_slices = slices(images, images_at_once), slices(captions, captions_at_once)
    with at_rest(model, device) as device_used:
        encoder = Encoder(model, collection, device_used)
        sides = [encoder.images(range(s.start, s.stop)) for s in image_slices]
        texts = [encoder.captions(np.arange(s.start, s.stop)) for s in caption_slices]
        vectors = torch.cat([side.vectors for side in sides])
        text_vectors = torch.cat([text.vectors for text in texts])

        coarse = rank_blocks(
            lambda at, among: vectors[at] @ text_vectors[among].T,
            image_slices,
            caption_slices,
            right_images=collection.image_of,
            right_captions=np.arange(captions),
            ties=ties,
        )
        of_image = _nearest(vectors, text_vectors, candidates, image_slices)  # [image candidate]
        of_caption = _nearest(text_vectors, vectors, candidates, caption_slices)  # [caption candidate]
        wanted = _Wanted(of_image, of_caption)
        for image, rows in wanted:
            side = sides[image // images_at_once][[image % images_at_once]]
            wanted.take(image, rows, _scores(model, side, texts, rows, captions_at_once))

    right = collection.image_of
    to_text = rank_among(wanted.image_scores, right[of_image] == np.arange(images)[:, None], ties)
    to_image = rank_among(wanted.caption_scores, of_caption == right[:, None], ties)
    return TwoStageRanking(
        _behind(to_text, coarse.image_to_text, of_image.shape[1]),
        _behind(to_image, coarse.text_to_image, of_caption.shape[1]),
        ties,
        coarse=coarse,
        candidates=candidates,
        ceiling=(_answered(to_text, coarse.image_to_text), _answered(to_image, coarse.text_to_image)),
        scored=wanted.scored,
        pairs=images * captions,
    )


def _nearest(queries: Tensor, among: Tensor, count: int, blocks: list[slice]) -> np.ndarray:
    """[query candidate] the rows of the largest inner products, best first."""
    count = min(count, len(among))
    return np.concatenate([(queries[at] @ among.T).topk(count).indices.cpu().numpy() for at in blocks])


class _Wanted:
    """Which captions must be scored with each image, and the scores as they come in, by query.

    Args:
        of_image: [image candidate] captions.
        of_caption: [caption candidate] images.
    """

    def __init__(self, of_image: np.ndarray, of_caption: np.ndarray):
        self.of_image, self.of_caption, self.scored = of_image, of_caption, 0
        self.image_scores, self.caption_scores = np.empty(of_image.shape), np.empty(of_caption.shape)
        order = of_caption.ravel().argsort(kind="stable")  # places in of_caption, by image
        firsts = np.searchsorted(of_caption.ravel()[order], np.arange(1, len(of_image)))
        self.places = np.split(order, firsts)

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Each image, and the captions to score with it, in order."""
        for image, places in enumerate(self.places):
            yield image, np.union1d(self.of_image[image], places // self.of_caption.shape[1])

    def take(self, image: int, rows: np.ndarray, scores: np.ndarray) -> None:
        """Put the scores of an image and its captions where they are wanted."""
        places = self.places[image]
        self.image_scores[image] = scores[np.searchsorted(rows, self.of_image[image])]
        of_places = scores[np.searchsorted(rows, places // self.of_caption.shape[1])]
        self.caption_scores.ravel()[places] = of_places
        self.scored += len(rows)


def _scores(
    model: RetrievalModel, image: Encoded, texts: list[EncodedCaptions], rows: np.ndarray, at_once: int
) -> np.ndarray:
    """[row] scores of one image with the captions of these rows, in order."""
    found = []
    for block, text in enumerate(texts):
        inside = rows[(rows >= block * at_once) & (rows < (block + 1) * at_once)]
        if len(inside):
            found.append(text.scores(model, image, inside - block * at_once)[0])
    scores = torch.cat(found).double().cpu().numpy()
    if np.isnan(scores).any():
        raise ValueError("scores hold NaN; look at the model's weights and at the region features")
    return scores


def _answered(ranks: np.ndarray, coarse: np.ndarray) -> float:
    """Per cent of the queries with an answer that have it among their candidates."""
    return 100.0 * float(np.mean(~np.isnan(ranks[~np.isnan(coarse)])))


def _behind(ranks: np.ndarray, coarse: np.ndarray, candidates: int) -> np.ndarray:
    """Ranks among the candidates; where no right answer is one (NaN), the coarse rank, behind all of them."""
    return np.where(np.isnan(ranks), np.maximum(coarse, candidates), ranks)
