"""Scores that are sums, taken apart: what each word gave together with each region.

| system                        | the score is                 | and a cell holds                         |
| ----------------------------- | ---------------------------- | ---------------------------------------- |
| VSE++, VSE-infinity, VSRN++,  | a product of two vectors,    | the product of the word's part and the   |
| LGSF, USER                    | each a sum of parts          | region's                                 |
| SCAN (`AVG`), CHAN (`AVG`)    | a mean of cosines            | the region's share in the word's cosine  |
| BSSAN (`fast`)                | a mean of cosines, both ways | the shares of both ways                  |
| RACG                          | two means of nodes' scores   | nothing: words and regions stand alone   |

What belongs to no single word stands in a row of its own, the last one, and what belongs to no single region
in the last column (a norm's shift, CLIP's vector, a node's score). Nothing is left over: all cells add up to
the score. The sum is exact; that a word *owns* its part is a way to read it. The parts of a recurrent network
are what each step left, and a cosine is split by its attention with the length of what was attended held
fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from itr_explore.records import Batch

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel


class NotAdditive(ValueError):
    """A score is no sum of what words and regions gave."""


def score_parts(model: RetrievalModel, batch: Batch) -> Tensor:
    """[image caption word+1 region+1] whose cells add up to the scores [image caption]; 0 where padded.

    Args:
        model: in evaluation mode, or dropout makes other parts than it made scores.
        batch: words with their <start> and <end>, which have rows as words have.

    Raises:
        NotAdditive: the model's score is no such sum.
    """
    if hasattr(model, "image_parts"):
        return vector_parts(model, batch)
    split = getattr(model, "score_parts", None)
    if split is None:
        raise NotAdditive(f"{model.name} does not say what its scores are sums of")
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    try:
        return split(images, captions)
    except ValueError as error:
        raise NotAdditive(f"{model.name}: {error}") from error


def vector_parts(model: RetrievalModel, batch: Batch) -> Tensor:
    """The same for scores that are products of vectors, from `image_parts` and `caption_parts`."""
    try:
        regions, words = (
            _with_rest(*getattr(model, side)(batch)) for side in ("image_parts", "caption_parts")
        )
    except ValueError as error:
        raise NotAdditive(f"{model.name}: {error}") from error
    return torch.einsum("ird,cwd->icwr", regions.float(), words.float())


def _with_rest(parts: Tensor, rest: Tensor) -> Tensor:
    """[item part+1 dim]"""
    return torch.cat([parts, rest.unsqueeze(1)], dim=1)
