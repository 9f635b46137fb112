"""Do words point at what they name? Maps of a model against the truth, beside controls and the ceiling.

The unit is a mention (records.Mention) that has a box: its row of the map is the mean of the rows of its
words, and a region is right where it covers (IoU >= 0.5) something the mention names. Five numbers, in per
cent, mean over mentions, with intervals of the bootstrap over images:

- *pointing*: the strongest region is right; where several are equally strong, the share of them that is.
- *precision, recall, F1* of attention (Chen et al., "More than just attention", WACV 2023): the regions that
  get more than the mean of the row are compared with the right ones. For a softmax the mean is the uniform
  share 1 / regions. The threshold is ours; the paper's is a constant chosen for 36 regions.
- *energy*: the share of the row's weight that lies on right regions; of signed rows the part above zero
  (after Wang et al., Score-CAM, CVPR Workshops 2020, of pixels in a box).

A mention that no region covers counts as 0 everywhere, so no row can exceed the ceiling of the proposals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, cast, get_args

import numpy as np

from itr_explore.data.boxes import areas
from itr_explore.evaluation.cascade import fresh
from itr_explore.evaluation.encoding import at_rest, enough_memory
from itr_explore.evaluation.report import NATIVE, Grounding
from itr_explore.explanation.attribution import METHODS, attribute
from itr_explore.explanation.maps import explain_all
from itr_explore.explanation.scorer import readable
from itr_explore.explanation.verdicts import verdicts
from itr_explore.records import Explanation, Origin, Pair

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel


WordRows = Literal["native", "joint_occlusion"]


def ground(
    model: RetrievalModel,
    collection: Collection,
    *,
    method: WordRows = NATIVE,
    device: str = "auto",
    batch_size: int = 32,
    seed: int = 0,
) -> Grounding:
    """Point with every word of every caption, and compare with the truth of the collection.

    Rows: the model; the same architecture with fresh random weights; the model *blind*: its own map where all
    regions look alike (the collection's mean region; likewise its guide), so that it knows the caption and
    how the boxes lie and nothing of what is in them; a region at random (the exact expectation); the region
    nearest to the image's centre; the largest one; and the ceiling, which a map that always knew the right
    regions would reach.

    Args:
        method: whose map: the model's own (`native`), or the interaction of each word and region as
            `attribute` finds it by `joint_occlusion`: a forward for each caption, and captions of which the
            model knows no word are left out.
        device: "auto" is a GPU where there is one.
        batch_size: captions a forward.
        seed: of the random weights.

    Raises:
        ValueError: the collection has no truth, or none of its mentions has a box; a method without a row of
            regions for each word.
    """
    if method not in get_args(WordRows):
        raise ValueError(_without_rows(method))
    if not collection.has_truth:
        raise ValueError(
            f"{collection.name} does not know which words name which regions, so nothing can be"
            " checked; take one with has_truth: the scenes, Collection.from_karpathy of a folder whose"
            " dataset_*.json links phrases to boxes, or with_entities of Flickr30k Entities"
        )
    asked, origin = _asked(model, _pairs(collection), method, device, batch_size)
    if not asked:
        raise ValueError(f"no word of {collection.name} ({collection.split}) names something that has a box")
    at_random, _ = _asked(fresh(model, seed), _pairs(collection), method, device, batch_size)
    blind, _ = _asked(model, _blinded(collection), method, device, batch_size)
    judged = {
        model.name: [_judged(one.weights, one.right) for one in asked],
        "random weights": [_judged(one.weights, one.right) for one in at_random],
        "blind": [_judged(_levelled(one.weights), one.right) for one in blind],
        "random region": [(*(found := expected_at_random(one.right)), found.pointing) for one in asked],
        "centre region": [_judged(nearest_to_centre(one.boxes), one.right) for one in asked],
        "largest region": [_judged(largest(one.boxes), one.right) for one in asked],
        "ceiling": [_judged(one.right.astype(float), one.right) for one in asked],
    }
    kinds, images = np.array([one.kind for one in asked]), np.array([one.image for one in asked])
    rows = {name: np.array(scores) for name, scores in judged.items()}
    return Grounding.of(rows, kinds, model.name, origin, images, method)


def _without_rows(method: str) -> str:
    if method not in METHODS:
        return f"there is no method {method!r} to ground; there is {' and '.join(get_args(WordRows))}"
    return (
        f"{method} gives one number a region and one a word, but no row of regions for each word, so no word"
        " points at anything; take method='joint_occlusion', or 'native' for the model's own map"
    )


@dataclass(frozen=True)
class _Asked:
    """A mention that has a box, and what a model's map says of it."""

    image: str
    kind: str
    weights: np.ndarray  # [region]
    right: np.ndarray  # [region]  bool
    boxes: np.ndarray  # [region 4]


def _pairs(collection: Collection) -> Iterator[Pair]:
    for image in range(len(collection)):
        for caption in range(len(collection.captions_of(image))):
            yield collection.pair(image, caption, picture=False)


def _blinded(collection: Collection) -> Iterator[Pair]:
    """The pairs, with regions that all look like the collection's mean region, and its mean guide."""
    total, count = np.zeros(collection.region_dim), 0
    for some in np.array_split(np.arange(len(collection)), 1 + len(collection) // 256):
        values, lengths = collection.regions_of(some)
        total, count = total + values.sum(axis=0, dtype=np.float64), count + int(lengths.sum())
    usual = (total / count).astype(np.float32)
    guides = collection.guide_of(np.arange(len(collection)))
    guide = None if guides is None else guides.mean(axis=0)
    for pair in _pairs(collection):
        yield replace(pair, regions=np.tile(usual, (len(pair.regions), 1)), guide=guide)


def _explained(
    model: RetrievalModel, pairs: Iterable[Pair], method: WordRows, batch_size: int
) -> Iterator[Explanation]:
    if method == NATIVE:
        return explain_all(model, pairs, batch_size)
    known = (pair for pair in pairs if readable(model, [pair.caption])[0])
    return (attribute(model, pair, method).explanation for pair in known)


def _asked(
    model: RetrievalModel, pairs: Iterable[Pair], method: WordRows, device: str, batch_size: int
) -> tuple[list[_Asked], Origin]:
    """All mentions of all captions, and where the map comes from."""
    asked: list[_Asked] = []
    origin: Origin = "derived"
    with at_rest(model, device), enough_memory("a batch of pairs", model, "batch_size"):
        for explanation in _explained(model, pairs, method, batch_size):
            found = explanation.best("word_to_region")
            assert found is not None, "explain derives a map where a model has none"
            origin = found.origin
            pair = explanation.pair
            for verdict in verdicts(found, pair.truth):
                if verdict.state == "ungrounded":
                    continue
                weights = found.values[list(verdict.mention.words)].mean(axis=0)
                right = np.zeros(len(weights), dtype=bool)
                right[list(verdict.right)] = True
                boxes = cast("np.ndarray", pair.boxes)  # without boxes there is no truth
                asked.append(_Asked(pair.image_id, verdict.mention.kind, weights, right, boxes))
    return asked, origin


class Scores(NamedTuple):
    """What one row of a map is worth for one mention, each from 0 to 1."""

    pointing: float
    precision: float
    recall: float
    f1: float


def judge(weights: np.ndarray, right: np.ndarray) -> Scores:
    """Compare the `weights [region]` of a mention with its `right [region]` regions (bool)."""
    if not right.any():
        return Scores(0.0, 0.0, 0.0, 0.0)
    pointing = right[weights == weights.max()].mean()
    attended = weights > weights.mean()
    both = int((attended & right).sum())
    precision = both / max(int(attended.sum()), 1)
    recall = both / int(right.sum())
    return Scores(float(pointing), precision, recall, 2 * both / (int(attended.sum()) + int(right.sum())))


def energy(weights: np.ndarray, right: np.ndarray) -> float:
    """The share, from 0 to 1, of the weight above zero of `weights [region]` that is on `right` regions."""
    above = np.clip(weights, 0, None)
    total = float(above.sum())
    return float(above[right].sum()) / total if total else 0.0


def _levelled(weights: np.ndarray) -> np.ndarray:
    """The same; but regions that look alike differ by rounding only, and then they are equal."""
    alike = np.ptp(weights) <= 1e-5 * np.abs(weights).max()
    return np.full(len(weights), np.sign(weights.sum())) if alike else weights


def _judged(weights: np.ndarray, right: np.ndarray) -> tuple[float, ...]:
    """As many numbers as there are MEASURES."""
    return (*judge(weights, right), energy(weights, right))


def expected_at_random(right: np.ndarray) -> Scores:
    """What one region, drawn at random, is worth on average: exact, nothing is drawn."""
    count = int(right.sum())
    hit = count / len(right)
    return Scores(hit, hit, hit / max(count, 1), 2 * hit / (1 + count))


def nearest_to_centre(boxes: np.ndarray) -> np.ndarray:
    """A map [region] that looks at no word: all weight on the region nearest to the image's centre."""
    away = np.linalg.norm((boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5, axis=1)
    return (away == away.min()).astype(float)


def largest(boxes: np.ndarray) -> np.ndarray:
    """A map [region] that looks at no word: all weight on the largest region."""
    return (areas(boxes) == areas(boxes).max()).astype(float)
