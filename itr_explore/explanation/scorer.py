"""A pair's score as a function of numbers: region features and word embeddings in, a score a row out.

Attribution methods ask how a score changes with its input, and token ids cannot change a little. So the words
enter as the rows of the embedding that their ids would have looked up: a forward hook puts others in their
place, and no model knows of it. Words read by BERT enter as the embeddings of their pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from itr_explore.data.text import UNKNOWN, encode
from itr_explore.explanation.maps import batch_of
from itr_explore.nn.bert import BertEncoder, pieces_of_captions
from itr_explore.nn.encoders import WordEncoder
from itr_explore.nn.modes import evaluating
from itr_explore.records import Batch, Pair

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel

MARKS = -1  # owner of the embeddings of <start> and <end>
TOGETHER = 4  # rows scored in one call, each with each: fewer calls are worth more than the pairs left unread


@dataclass(frozen=True)
class Scorer:
    """One pair of one model, ready to be scored with other regions and other word embeddings.

    A model is used as it stands: put it into evaluation mode first (`still`).
    """

    model: RetrievalModel
    pair: Pair
    batch: Batch  # of one image and one caption
    embeddings: Tensor  # [1 piece word_dim]  what the words are looked up as
    owner: Tensor  # [piece]  the word of each, or MARKS

    @classmethod
    def of(cls, model: RetrievalModel, pair: Pair) -> Scorer:
        """Of a model in evaluation mode.

        Raises:
            ValueError: the pair does not fit the model, or the model knows none of its words.
        """
        batch = batch_of(model, [pair])
        inside = batch.words[0, 1:-1]
        if bool((inside == UNKNOWN).all()):
            raise ValueError(
                f"{model.name} knows none of the words of {pair.caption!r}, so all that it reads is <unk> and"
                " no word can be told from another; take a caption of words that the model has seen"
            )
        words = torch.arange(-1, len(inside) + 1, device=batch.words.device)
        words[-1] = MARKS
        reader = _readers(model)[0]
        if isinstance(reader, BertEncoder):
            pieces, owner = pieces_of_captions(reader.pieces, batch.words, batch.word_mask)
            ids, owners = pieces, words[owner[0]]
        else:
            ids, owners = batch.words, words
        with torch.no_grad():
            return cls(model, pair, batch, _embedding(reader)(ids).detach(), owners)

    @property
    def regions(self) -> Tensor:
        """[1 region feature] the pair's own."""
        return self.batch.regions

    def embeddings_of(self, token: int) -> Tensor:
        """[word_dim] what a token id is looked up as: by BERT, the mean over its pieces (0 without any)."""
        reader = _readers(self.model)[0]
        with torch.no_grad():
            if not isinstance(reader, BertEncoder):
                return _embedding(reader).weight[token]
            pieces = reader.pieces[token]
            found = _embedding(reader).weight[pieces[pieces >= 0].long()]
            return found.mean(dim=0) if len(found) else torch.zeros_like(self.embeddings[0, 0])

    def __call__(self, regions: Tensor, embeddings: Tensor) -> Tensor:
        """[row] scores of regions [row region feature] with word embeddings [row piece word_dim]."""
        rows = len(regions)
        many = replace(
            self._spread(regions),
            words=self.batch.words.expand(rows, -1),
            word_mask=self.batch.word_mask.expand(rows, -1),
            image_of=torch.arange(rows, device=regions.device),
        )
        with reading(self.model, embeddings):
            images, captions = self.model.encode_images(many), self.model.encode_captions(many)
        blocks = (slice(start, start + TOGETHER) for start in range(0, rows, TOGETHER))
        return torch.cat([self.model.score(images[at], captions[at]).diagonal() for at in blocks])

    def crossed(self, regions: Tensor, embeddings: Tensor) -> Tensor:
        """[image caption] every image of regions [image region feature] with every caption of embeddings."""
        captions = len(embeddings)
        images = self.model.encode_images(self._spread(regions))
        told = replace(
            self.batch,
            words=self.batch.words.expand(captions, -1),
            word_mask=self.batch.word_mask.expand(captions, -1),
            image_of=torch.zeros(captions, dtype=torch.int64, device=regions.device),
        )
        with reading(self.model, embeddings):
            return self.model.score(images, self.model.encode_captions(told))

    def _spread(self, regions: Tensor) -> Batch:
        """The batch with so many images, which differ in their features alone."""
        rows, batch = len(regions), self.batch
        return replace(
            batch,
            regions=regions,
            region_mask=batch.region_mask.expand(rows, -1),
            boxes=None if batch.boxes is None else batch.boxes.expand(rows, -1, -1),
            guide=None if batch.guide is None else batch.guide.expand(rows, -1),
            image_ids=None,
        )


def readable(model: RetrievalModel, captions: Sequence[str]) -> np.ndarray:
    """[caption] bool: the model knows a word of it, so that a `Scorer` can be made."""
    if model.tokenizer is None or not captions:
        return np.ones(len(captions), dtype=bool)
    return (encode(model.tokenizer, list(captions))[0] > UNKNOWN).any(dim=1).numpy()


@contextmanager
def still(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and weights that ask for no gradient; both are put back on exit.

    cuDNN gives the gradient of a recurrent network in training mode only, so it is left out.
    """
    asked = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in asked:
        parameter.requires_grad_(False)
    try:
        with evaluating(model), torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        for parameter in asked:
            parameter.requires_grad_(True)


@contextmanager
def reading(model: nn.Module, embeddings: Tensor) -> Iterator[None]:
    """Whatever ids the model looks up, it finds these embeddings [caption piece word_dim]."""
    handles = [_embedding(reader).register_forward_hook(lambda *_: embeddings) for reader in _readers(model)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _readers(model: nn.Module) -> list[WordEncoder | BertEncoder]:
    """What reads words in a model; a teacher's reader is among them, and is not asked."""
    found = [module for module in model.modules() if isinstance(module, WordEncoder | BertEncoder)]
    if not found:
        raise ValueError(
            f"{getattr(model, 'name', type(model).__name__)} reads words by neither a WordEncoder nor a"
            " BertEncoder, so its word embeddings cannot be reached"
        )
    return found


def _embedding(reader: WordEncoder | BertEncoder) -> nn.Embedding:
    return reader.transformer.get_input_embeddings() if isinstance(reader, BertEncoder) else reader.vectors
