"""Do words point at what they name? Maps of a model against the truth, beside controls and the ceiling.

The unit is a mention (records.Mention) that has a box: its row of the map is the mean of the rows of its
words, and a region is right where it covers (IoU >= 0.5) something the mention names. Four numbers, in per
cent, mean over mentions:

- *pointing*: the strongest region is right; where several are equally strong, the share of them that is.
- *precision, recall, F1* of attention (Chen et al., "More than just attention", WACV 2023): the regions that
  get more than the mean of the row are compared with the right ones. For a softmax the mean is the uniform
  share 1 / regions. The threshold is ours; the paper's is a constant chosen for 36 regions.

A mention that no region covers counts as 0 everywhere, so no row can exceed the ceiling of the proposals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import torch

from itr_explore.data.boxes import areas
from itr_explore.evaluation.encoding import at_rest, enough_memory
from itr_explore.evaluation.report import Grounding
from itr_explore.explanation.maps import explain_all
from itr_explore.explanation.verdicts import verdicts
from itr_explore.records import Origin

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel


def ground(
    model: RetrievalModel,
    collection: Collection,
    *,
    device: str = "auto",
    batch_size: int = 32,
    seed: int = 0,
) -> Grounding:
    """Point with every word of every caption, and compare with the truth of the collection.

    Rows: the model; the same architecture with fresh random weights; a region at random (the exact
    expectation); the region nearest to the image's centre; the largest one; and the ceiling, which a map that
    always knew the right regions would reach.

    Args:
        device: "auto" is a GPU where there is one.
        batch_size: captions a forward.
        seed: of the random weights.

    Raises:
        ValueError: the collection has no truth, or none of its mentions has a box.
    """
    if not collection.has_truth:
        raise ValueError(
            f"{collection.name} does not know which words name which regions, so nothing can be"
            " checked; take one with has_truth (scenes, or a folder with phrase boxes)"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = type(model)(model.config, model.tokenizer)

    asked, origin = _asked(model, collection, device, batch_size)
    if not asked:
        raise ValueError(f"no word of {collection.name} ({collection.split}) names something that has a box")
    at_random, _ = _asked(fresh, collection, device, batch_size)
    judged = {
        model.name: [judge(one.weights, one.right) for one in asked],
        "random weights": [judge(one.weights, one.right) for one in at_random],
        "random region": [expected_at_random(one.right) for one in asked],
        "centre region": [judge(nearest_to_centre(one.boxes), one.right) for one in asked],
        "largest region": [judge(largest(one.boxes), one.right) for one in asked],
        "ceiling": [judge(one.right.astype(float), one.right) for one in asked],
    }
    kinds = np.array([one.kind for one in asked])
    return Grounding.of({name: np.array(rows) for name, rows in judged.items()}, kinds, model.name, origin)


@dataclass(frozen=True)
class _Asked:
    """A mention that has a box, and what a model's map says of it."""

    kind: str
    weights: np.ndarray  # [region]
    right: np.ndarray  # [region]  bool
    boxes: np.ndarray  # [region 4]


def _asked(
    model: RetrievalModel, collection: Collection, device: str, batch_size: int
) -> tuple[list[_Asked], Origin]:
    """All mentions of all captions, and where the model's map comes from."""
    asked: list[_Asked] = []
    origin: Origin = "derived"
    pairs = (
        collection.pair(image, caption, picture=False)
        for image in range(len(collection))
        for caption in range(len(collection.captions_of(image)))
    )
    with at_rest(model, device), enough_memory("a batch of pairs", model, "batch_size"):
        for explanation in explain_all(model, pairs, batch_size):
            found = explanation.best("word_to_region")
            assert found is not None, "explain derives a map where a model has none"
            origin = found.origin
            for verdict in verdicts(found, explanation.pair.truth):
                if verdict.state == "ungrounded":
                    continue
                weights = found.values[list(verdict.mention.words)].mean(axis=0)
                right = np.zeros(len(weights), dtype=bool)
                right[list(verdict.right)] = True
                boxes = cast("np.ndarray", explanation.pair.boxes)  # without boxes there is no truth
                asked.append(_Asked(verdict.mention.kind, weights, right, boxes))
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
