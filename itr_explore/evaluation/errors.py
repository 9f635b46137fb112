"""What does a model get wrong? The captions that it puts above the right one, and those it should.

Two questions. `error_classes`: of the wrong captions that outrank the right ones, what is false in them (a
thing, an attribute, a relation, a count, the setting), or are they true of the image too, so that nobody
could have told? It needs a collection that knows what captions claim: the scenes. `above_negatives`: how
often does a right sentence score above one that is the same but for one claim? It needs such sentences
(`data.judgments`), of scenes or by people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.data.batching import collate
from itr_explore.data.judgments import Negative
from itr_explore.data.mistakes import CLASSES, Way, mistakes, told
from itr_explore.data.text import encode
from itr_explore.evaluation.encoding import at_rest, score_matrix
from itr_explore.evaluation.intervals import Bootstrap
from itr_explore.evaluation.relations import TextModel
from itr_explore.records import Measured

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

IMAGES_AT_ONCE = 16


def error_classes(
    model: RetrievalModel,
    collection: Collection,
    *,
    scores: np.ndarray | None = None,
    device: str = "auto",
    seed: int = 0,
) -> Measured:
    """What is false in the wrong captions that rank first: shares of the errors, in per cent.

    An error is an image whose own captions all score below one of another image; the highest of those is
    looked at. What is wrong with it is the least that it would have to take back to be true of the image
    (`data.mistakes`); where that is several things, or can be seen in several ways, the error is shared among
    them. Errors of the column `nothing` are none: what was put first is true, and only the collection says
    otherwise. So many errors no model could know to avoid.

    Rows: the model's errors; and captions of other images drawn at random, one an image.

    Args:
        scores: [image caption] of the model, where they are known (`score_matrix`).
        device: "auto" is a GPU where there is one.
        seed: of the random captions.

    Raises:
        ValueError: the collection does not know what its captions claim, or has one image only.
    """
    known = told(collection)
    if len(collection) < 2:
        raise ValueError("a wrong caption is one of another image; wanted two images at least, got 1")
    scores = score_matrix(model, collection, device=device) if scores is None else scores
    own = collection.image_of == np.arange(len(collection))[:, None]
    best = np.where(own, scores, -np.inf).max(axis=1)
    others = np.where(own, -np.inf, scores)
    wrong = others.argmax(axis=1)
    images = np.flatnonzero(others.max(axis=1) > best)
    anyone = np.where(own, -1.0, np.random.default_rng(seed).random(scores.shape)).argmax(axis=1)
    asked = {
        f"{model.name}: ranked first": (images, wrong[images]),
        "random caption": (np.arange(len(collection)), anyone),
    }
    values = []
    for rows, captions in asked.values():
        ways = [
            mistakes(known.captions[caption].claims, known.scenes[image])
            for image, caption in zip(rows, captions, strict=True)
        ]
        shares = np.array([[*_shares(way), len(way[0])] for way in ways]).reshape(len(rows), len(CLASSES) + 2)
        shares[:, :-1] *= 100
        none = np.full((3, len(CLASSES) + 2), np.nan)
        values.append((Bootstrap.of(rows).mean(shares) if len(rows) else none).T)
    return Measured(
        "per cent",
        tuple(f"{name} ({len(rows)})" for name, (rows, _) in asked.items()),
        (*CLASSES, "nothing", "claims wrong"),
        np.array(values),
        "What is wrong with the caption that outranks the right one",
        f"{len(images)} errors of {len(collection)} images; claims wrong: how many, on average",
    )


def _shares(ways: Sequence[Way]) -> list[float]:
    """[class+1] the share of each class in a mistake, and 1 at the end where there is none."""
    found = [float(ways[0] == ())]
    steps = [(step.kind, 1 / len(way) / len(ways)) for way in ways for step in way]
    return [sum(share for kind, share in steps if kind == name) for name in CLASSES] + found


def above_negatives(
    models: Mapping[str, RetrievalModel],
    collection: Collection,
    negatives: Sequence[Negative],
    training_captions: Iterable[str] = (),
    *,
    device: str = "auto",
) -> Measured:
    """How often a right sentence scores above a nearly right one, by what is false in that; ties count half.

    Args:
        models: by the names of their rows.
        collection: whose images the negatives are of.
        negatives: by `scene_negatives` or `read_negatives`.
        training_captions: for the row `text only`, which never sees an image; without them there is none.
        device: "auto" is a GPU where there is one.

    Raises:
        ValueError: there is no negative.
    """
    if not negatives:
        raise ValueError("wanted at least one negative; make them by scene_negatives or read_negatives")
    margins = {name: _margins(model, collection, negatives, device) for name, model in models.items()}
    read = list(training_captions)
    if read:
        blind = TextModel(read)
        margins["text only"] = np.array(
            [blind.score(one.right) - blind.score(one.wrong) for one in negatives]
        )
    kinds = np.array([one.kind for one in negatives])
    names = [name for name in CLASSES if name in kinds]
    inside = np.stack([np.ones(len(kinds), dtype=bool), *(kinds == name for name in names)], axis=1)
    again = Bootstrap.of(np.array([one.image for one in negatives]))
    values = [
        100 * again.mean((0.5 + 0.5 * np.sign(margin))[:, None] * inside, inside).T
        for margin in margins.values()
    ]
    return Measured(
        "per cent",
        tuple(margins),
        tuple(f"{name} ({count})" for name, count in zip(("all", *names), inside.sum(axis=0), strict=True)),
        np.array(values),
        "Right sentence above one with a false claim",
        "chance is 50",
    )


def _margins(
    model: RetrievalModel, collection: Collection, negatives: Sequence[Negative], device: str
) -> np.ndarray:
    """[negative] the score of the right sentence minus that of the wrong one, with its image."""
    if model.tokenizer is None:
        raise ValueError(f"{model.name} has no tokenizer; give it the one it was trained with")
    margins = np.empty(len(negatives))
    image_of = np.array([one.image for one in negatives])
    images = np.unique(image_of)
    with at_rest(model, device) as device_used:
        for start in range(0, len(images), IMAGES_AT_ONCE):
            rows = images[start : start + IMAGES_AT_ONCE]
            batch = collate(collection, rows, [], model.tokenizer)
            asked = np.flatnonzero(np.isin(image_of, rows))
            texts = [text for at in asked.tolist() for text in (negatives[at].right, negatives[at].wrong)]
            words, mask = encode(model.tokenizer, texts)
            place = np.searchsorted(rows, image_of[asked])
            batch = replace(batch, words=words, word_mask=mask, image_of=words.new_tensor(place.repeat(2)))
            scores = model(batch.to(device_used)).double().cpu().numpy()
            each = np.arange(len(asked))
            margins[asked] = scores[place, 2 * each] - scores[place, 2 * each + 1]
    return margins
