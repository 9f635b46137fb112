"""Encode a collection once: images and captions in pieces that a model can score against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from itr_explore.data.batching import collate
from itr_explore.data.checks import want_features_from
from itr_explore.data.devices import choose_device
from itr_explore.nn.modes import evaluating
from itr_explore.nn.together import current_team, sent
from itr_explore.records import Encoded

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

LENGTHS = 4  # groups of captions of similar length in a piece: padding of long ones costs little


@contextmanager
def enough_memory(what: str, model: RetrievalModel, *settings: str) -> Iterator[None]:
    """Say which settings to lower where a GPU's memory does not suffice for what happens inside."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        of_model = [name for name in ("memory_budget", "dim") if hasattr(model.config, name)]
        raise RuntimeError(
            f"the GPU's memory does not suffice for {what} of {model.name} ({error}); lower"
            f" {', '.join(settings)}, or create the model with a smaller {' or '.join(of_model)}"
        ) from error


@contextmanager
def at_rest(model: RetrievalModel, device: str = "auto") -> Iterator[torch.device]:
    """The model in evaluation mode, without gradients, on a device; afterwards it is as and where it was."""
    home, chosen = next(model.parameters()).device, choose_device(device)
    try:
        model.to(chosen)
        with evaluating(model), torch.no_grad():
            yield chosen
    finally:
        model.to(home)


@dataclass(frozen=True)
class EncodedCaptions:
    """Captions in groups of similar length, and the order that puts their scores back in place."""

    groups: list[Encoded]
    back: Tensor  # [caption]

    @property
    def vectors(self) -> Tensor:
        """[caption dim] in the order they were asked for."""
        return torch.cat([group.vectors for group in self.groups])[self.back]

    def scores(self, model: RetrievalModel, images: Encoded, rows: np.ndarray | None = None) -> Tensor:
        """[image caption] scores, captions in the order they were asked for, or only some `rows` of them."""
        if rows is None:
            return torch.cat([model.score(images, group) for group in self.groups], dim=1)[:, self.back]
        places = self.back[torch.from_numpy(rows).to(self.back.device)]
        found, order, first = [], [], 0
        for group in self.groups:
            inside = ((places >= first) & (places < first + len(group))).nonzero().squeeze(1)
            if len(inside):
                found.append(model.score(images, group[places[inside] - first]))
                order.append(inside)
            first += len(group)
        return torch.cat(found, dim=1)[:, torch.cat(order).argsort()]


@dataclass(frozen=True)
class Encoder:
    """Turns items of a collection into `Encoded` pieces by a model that is `at_rest`."""

    model: RetrievalModel
    collection: Collection
    device: torch.device

    def __post_init__(self):
        want_features_from(self.model.config.regions_from, self.collection)

    def images(self, images: Sequence[int]) -> Encoded:
        """The images of these rows."""
        batch = collate(self.collection, list(images), [], self.model.tokenizer)
        return self.model.encode_images(batch.to(self.device))

    def captions(self, captions: Sequence[int] | np.ndarray) -> EncodedCaptions:
        """The captions of these rows, in groups of similar length."""
        rows = np.asarray(captions)
        order = np.argsort([self.collection.captions[row].count(" ") for row in rows], kind="stable")
        groups = [
            self.model.encode_captions(
                collate(self.collection, [], rows[part].tolist(), self.model.tokenizer).to(self.device)
            )
            for part in np.array_split(order, LENGTHS)
            if len(part)
        ]
        return EncodedCaptions(groups, torch.from_numpy(np.argsort(order)).to(self.device))


def encode_pieces(encoder: Encoder, pieces: Sequence[np.ndarray]) -> list[EncodedCaptions]:
    """The captions of each piece; several processes each encode some pieces, and then have all."""
    team = current_team()
    own = {place: encoder.captions(pieces[place]) for place in range(team.rank, len(pieces), team.size)}
    if team.size == 1:
        return list(own.values())
    return [_sent(own.get(place), place % team.size) for place in range(len(pieces))]


def _sent(piece: EncodedCaptions | None, sender: int) -> EncodedCaptions:
    """A piece that one process has encoded, in all of them."""
    flat = None
    if piece is not None:
        flat = [x for group in piece.groups for x in (group.vectors, group.parts, group.mask)] + [piece.back]
    *tensors, back = sent(flat, sender)
    return EncodedCaptions([Encoded(*tensors[i : i + 3]) for i in range(0, len(tensors), 3)], back)


def score_matrix(
    model: RetrievalModel,
    collection: Collection,
    *,
    device: str = "auto",
    images_at_once: int = 128,
    captions_at_once: int = 1024,
) -> np.ndarray:
    """[image caption] float32 scores of a whole collection, held in memory; `evaluate` does without.

    Raises:
        ValueError: a score is NaN.
    """
    images, captions = len(collection), len(collection.captions)
    scores = np.empty((images, captions), dtype=np.float32)
    lower = ("images_at_once", "captions_at_once")
    with at_rest(model, device) as device_used, enough_memory("a block of scores", model, *lower):
        encoder = Encoder(model, collection, device_used)
        texts = [
            (start, encoder.captions(np.arange(start, min(start + captions_at_once, captions))))
            for start in range(0, captions, captions_at_once)
        ]
        for start in range(0, images, images_at_once):
            rows = range(start, min(start + images_at_once, images))
            seen = encoder.images(rows)
            for first, text in texts:
                block = text.scores(model, seen).float().cpu().numpy()
                scores[start : rows.stop, first : first + block.shape[1]] = block
    if np.isnan(scores).any():
        raise ValueError(f"{model.name} gives scores that are NaN; look at its weights and at the features")
    return scores


def score_pairs(
    model: RetrievalModel,
    collection: Collection,
    images: np.ndarray,
    captions: np.ndarray,
    *,
    device: str = "auto",
    images_at_once: int = 16,
) -> np.ndarray:
    """[pair] scores of listed images [pair] with captions [pair]; few of all pairs are made."""
    scores = np.empty(len(images))
    with at_rest(model, device) as device_used, enough_memory("a batch of pairs", model, "images_at_once"):
        encoder = Encoder(model, collection, device_used)
        rows = np.unique(images)
        for start in range(0, len(rows), images_at_once):
            some = rows[start : start + images_at_once]
            asked = np.flatnonzero(np.isin(images, some))
            texts, place = np.unique(captions[asked], return_inverse=True)
            found = encoder.captions(texts).scores(model, encoder.images(some.tolist()))
            scores[asked] = found.double().cpu().numpy()[np.searchsorted(some, images[asked]), place]
    return scores
