"""Why did this caption outrank the right one? The difference of two scores, by word and by region.

Both captions are read with one image, so whatever the image gives to both alike cancels. Where a model's
score is a sum (`explanation.parts`) the difference is split exactly, and what belongs to no single word or
region stands in a row of its own. Any other score is split by an attribution (`attribute`): that of the
difference is the difference of both, as either is linear in the score, and what it leaves unexplained is the
gap.

Contrastive targets: Yin and Neubig, "Interpreting Language Models with Contrastive Explanations", EMNLP 2022;
there for the next word, here for a caption.
"""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from itr_explore.data.batching import collate
from itr_explore.data.mistakes import false_claims
from itr_explore.data.text import UNKNOWN, split_words
from itr_explore.explanation.attribution import METHODS, attribute
from itr_explore.explanation.maps import batch_of
from itr_explore.explanation.parts import NotAdditive, score_parts
from itr_explore.explanation.scorer import still
from itr_explore.records import Contrast, Pair

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

CAPTIONS_AT_ONCE = 256


def contrast(
    model: RetrievalModel,
    collection: Collection,
    image: int,
    wrong: int | str | None = None,
    *,
    right: int | str | None = None,
    method: str | None = None,
    **options: Any,
) -> Contrast:
    """Why a wrong caption of an image scores above the right one, or does not.

    Args:
        model: is left as it was found, on its device.
        collection: where the image and its captions are.
        image: which one.
        wrong: a row of `collection.captions`, or a sentence of your own. By default the caption of another
            image that scores best with this one.
        right: likewise; by default the image's own caption that scores best.
        method: "parts" or a method of `attribute`; by default "parts" where the model's score has them, and
            integrated gradients where it has not.
        options: for `attribute`: `steps`, `regions`, `words` ...; parts want none.

    Raises:
        ValueError: the image has no caption, the wrong caption is one of its own or the right one is not, a
            sentence has no word that the model knows, or the model cannot serve the method.
        TypeError: `attribute` has no such option.
    """
    own = collection.captions_of(image)
    if len(own) == 0:
        raise ValueError(f"image {collection.image_ids[image]!r} has no caption that could be the right one")
    if isinstance(wrong, int | np.integer) and wrong in own:
        raise ValueError(
            f"caption {wrong} describes image {image}; its captions are rows {own.tolist()}, a wrong one is"
            " any other row, or a sentence of your own"
        )
    if isinstance(right, int | np.integer) and right not in own:
        raise ValueError(
            f"caption {right} does not describe image {image}; its captions are rows {own.tolist()}, a right"
            " one is any of them, or a sentence of your own"
        )
    if wrong is None or right is None:
        scores = _scores(model, collection, image)
        mine = {collection.captions[row] for row in own}
        others = [row for row, text in enumerate(collection.captions) if text not in mine]
        if wrong is None and not others:
            raise ValueError(f"{collection.name} has captions of this image only; give a wrong one")
        right = int(own[scores[own].argmax()]) if right is None else right
        wrong = others[int(scores[others].argmax())] if wrong is None else wrong
    pair = collection.pair(image)
    told = [_told(collection, pair, image, caption) for caption in (right, wrong)]
    found = contrast_pairs(model, told[0], told[1], method=method, **options)
    false = false_claims(collection, int(wrong), image) if not isinstance(wrong, str) else None
    return replace(found, false=false)


def contrast_pairs(
    model: RetrievalModel, right: Pair, wrong: Pair, *, method: str | None = None, **options: Any
) -> Contrast:
    """The same of two pairs of one image (see `contrast`).

    Raises:
        ValueError: the pairs are of two images, or as `contrast` says.
    """
    if method not in (None, "parts", *METHODS):
        raise ValueError(f"there is no method {method!r}; there is parts, {', '.join(METHODS)}")
    if right.regions.shape != wrong.regions.shape or (right.regions != wrong.regions).any():
        raise ValueError(
            f"two captions of one image are compared, got pairs of {right.image_id!r} and {wrong.image_id!r}"
            " with other regions"
        )
    signature(attribute).bind(model, right, **options)
    if method in (None, "parts"):
        try:
            return _by_parts(model, right, wrong)
        except NotAdditive:
            if method == "parts":
                raise
    return _by_attribution(model, right, wrong, method or "integrated_gradients", options)


def _by_parts(model: RetrievalModel, right: Pair, wrong: Pair) -> Contrast:
    """An exact split of both scores."""
    with still(model), torch.no_grad():
        batch = batch_of(model, [right, wrong])
        for row, pair in enumerate((right, wrong)):
            if bool((batch.words[row, 1 : 1 + len(pair.words)] == UNKNOWN).all()):
                raise ValueError(
                    f"{model.name} knows none of the words of {pair.caption!r}; take a caption of words that"
                    " the model has seen"
                )
        found = score_parts(model, batch).double().cpu().numpy()
        scores = model(batch).double().cpu().numpy()
    if len(found) > 1:  # two images: their boxes or guides differ
        raise ValueError(f"two captions of one image are compared; of {right.image_id!r} the boxes differ")
    parts = found[0]  # [caption word+1 region+1], words with their marks
    inside = [slice(1, 1 + len(pair.words)) for pair in (right, wrong)]
    by_word, by_region = parts.sum(axis=2), parts.sum(axis=1)
    words = [by_word[row, at] for row, at in enumerate(inside)]
    of_none = by_word[1, -1] - by_word[0, -1]
    marks = sum(sign * (by_word[row, :-1].sum() - words[row].sum()) for row, sign in ((0, -1), (1, 1)))
    difference, explained = scores[0, 1] - scores[0, 0], by_word[1].sum() - by_word[0].sum()
    count = len(right.regions)
    return Contrast(
        model.name,
        "parts",
        (right, wrong),
        (float(scores[0, 0]), float(scores[0, 1])),
        (words[0], words[1]),
        (by_region[0, :count], by_region[1, :count]),
        {"<start> and <end>": float(marks), "of no single word": float(of_none)},
        {"of no single region": float(by_region[1, -1] - by_region[0, -1])},
        gap=float(difference - explained),
        cells=(parts[0, inside[0], :count], parts[1, inside[1], :count])
        if parts[:, :-1, :-1].any()
        else None,
    )


def _by_attribution(
    model: RetrievalModel, right: Pair, wrong: Pair, method: str, options: dict[str, Any]
) -> Contrast:
    """The difference of two attributions; what the other side gave, and the baselines, are the rests."""
    one, other = (attribute(model, pair, method, **options) for pair in (right, wrong))  # type: ignore[arg-type]
    baselines = other.baseline_score - one.baseline_score
    of_regions, of_words = (
        float(getattr(other, side).sum() - getattr(one, side).sum()) for side in ("regions", "words")
    )
    cells = None
    if one.interactions is not None and other.interactions is not None:
        cells = (one.interactions, other.interactions)
    return Contrast(
        model.name,
        method,
        (right, wrong),
        (one.score, other.score),
        (one.words, other.words),
        (one.regions, other.regions),
        {"all regions": of_regions, "the baselines": baselines},
        {"all words": of_words, "the baselines": baselines},
        gap=other.gap - one.gap,
        cells=cells,
    )


def _told(collection: Collection, pair: Pair, image: int, caption: int | str) -> Pair:
    """The image with one of the collection's captions, or with a sentence."""
    if not isinstance(caption, str):
        if not 0 <= caption < len(collection.captions):
            raise IndexError(f"{collection.name} has {len(collection.captions)} captions; wanted {caption}")
        own = collection.captions_of(image).tolist()
        if caption in own:
            return collection.pair(image, own.index(caption))
    text = caption if isinstance(caption, str) else collection.captions[caption]
    words, offsets = split_words(text)
    if not words:
        raise ValueError(f"there is no word in the caption {text!r}")
    return replace(pair, caption=text, words=words, offsets=offsets, truth=None)


def _scores(model: RetrievalModel, collection: Collection, image: int) -> np.ndarray:
    """[caption] all captions of a collection with one image."""
    device = next(model.parameters()).device
    with still(model), torch.no_grad():
        images = model.encode_images(collate(collection, [image], [], model.tokenizer).to(device))
        found = []
        for start in range(0, len(collection.captions), CAPTIONS_AT_ONCE):
            rows = range(start, min(start + CAPTIONS_AT_ONCE, len(collection.captions)))
            captions = model.encode_captions(collate(collection, [], rows, model.tokenizer).to(device))
            found.append(model.score(images, captions)[0])
    return torch.cat(found).double().cpu().numpy()
