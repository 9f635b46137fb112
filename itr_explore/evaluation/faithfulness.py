"""Is a map what the model goes by? One report for a model and a method, over many pairs of a collection.

A picture can please and still have nothing to do with the score. Five questions, each beside a map that knows
nothing (*random*):

| measure            | what it asks                                                          | better |
| ------------------ | --------------------------------------------------------------------- | ------ |
| deletion area      | how much score is left while the parts go, most important first       | low    |
| insertion area     | how much score is there while they come back in the same order        | high   |
| gains              | by how much the area is better than that of a random order            | high   |
| sign agreement     | is the sign of a part that of what it does for the score?             | high   |
| infidelity         | what of the effect of dropping random sets does the map not predict?  | low    |
| max sensitivity    | how much can the map change where the image hardly does?              | low    |
| after random weights | how like it is the map of a model that has learned nothing?         | near 0 |

Regions are replaced by the image's mean region, words by the padding embedding. Areas are counted from the
score of a pair of which all regions (or words) are replaced, in units of the score's range: from the lowest
to the highest of the whole pair, of that without each part, and of the random orders (mean over pairs). So
systems compare, and methods on one system have the same unit. Infidelity is a share: 0 where the map predicts
all, 1 where it predicts as much as a map of zeros; each map is given its best scale, which may be below zero,
as attention has no unit. Sensitivity is in units of the map's own length, for noise on region features of up
to `NOISE` of their standard deviation.

Intervals are of the bootstrap over images: captions of one image are not independent. `occlusion` *is* the
effect of dropping a part, so its signs agree by construction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.evaluation.cascade import randomised, rank_correlation
from itr_explore.evaluation.encoding import at_rest, enough_memory
from itr_explore.evaluation.intervals import Bootstrap
from itr_explore.evaluation.map_checks import infidelity, max_sensitivity, sign_agreement
from itr_explore.evaluation.removal import SIDES, Removal, Side, curves
from itr_explore.evaluation.report import Faithfulness, Measure
from itr_explore.explanation.attribution import (
    METHODS,
    RegionBaseline,
    WordBaseline,
    attribute,
    region_baseline,
    word_baseline,
)
from itr_explore.explanation.maps import batch_of, explain_all
from itr_explore.explanation.own_values import own_values
from itr_explore.explanation.scorer import Scorer, readable
from itr_explore.records import Cascade, Interval, Pair, RemovalCurves

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

ATTENTION = "attention"
SETS = 16  # random sets of parts a pair, of infidelity
NOISE = 0.05  # of the standard deviation of an image's features
NOISY = 4  # noisy copies of an image
Values = dict[str, np.ndarray]  # one value a region, one a word; a side without a map is absent


def faithfulness(
    model: RetrievalModel,
    collection: Collection,
    method: str = "integrated_gradients",
    *,
    pairs: int = 500,
    examined: int = 32,
    orders: int = 5,
    points: int = 10,
    regions: RegionBaseline | np.ndarray = "mean",
    words: WordBaseline | np.ndarray = "padding",
    steps: int = 32,
    samples: int | None = None,
    at_once: int = 128,
    device: str = "auto",
    seed: int = 0,
) -> Faithfulness:
    """Whether the maps of a method say what the model goes by, on pairs of a collection drawn at random.

    Args:
        model: is left as it was found.
        collection: needs no truth.
        method: one of `attribute`, or "attention": the model's own maps, one value a part (`own_values`).
        pairs: how many; no image comes twice before all have come.
        examined: of these, how many are also looked at for sensitivity and random weights, which take many
            maps a pair.
        orders: random orders a pair.
        points: steps of a curve at most; with more parts than that, several go at a time.
        regions: what regions are replaced by, in the map and in the curves (see `attribute`): a name or
            features of your own [feature].
        words: what words are replaced by.
        steps: of integrated gradients.
        samples: of Shapley sampling and Kernel SHAP (see `attribute`).
        at_once: rows that are scored in one forward; bounds the memory.
        device: "auto" is a GPU where there is one.
        seed: of pairs, orders, sets, noise and random weights.

    Raises:
        ValueError: an unknown method, one that the model cannot serve, a number below 1, or no caption of
            which the model knows a word.
    """
    if method not in (*METHODS, ATTENTION):
        raise ValueError(f"there is no method {method!r}; there is {', '.join((*METHODS, ATTENTION))}")
    counts = {"pairs": pairs, "examined": examined, "orders": orders, "points": points}
    for name, value in {**counts, "steps": steps, "samples": samples, "at_once": at_once}.items():
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    options = {"regions": regions, "words": words, "steps": steps, "samples": samples}
    rng = np.random.default_rng(seed)

    def values(of: RetrievalModel, asked: Sequence[Pair]) -> list[Values]:
        if method == ATTENTION:
            return [own_values(explanation) for explanation in explain_all(of, asked)]
        found = (attribute(of, pair, method, **options, at_once=at_once, seed=seed) for pair in asked)  # type: ignore[arg-type]
        return [{"regions": one.regions, "words": one.words} for one in found]

    def over_regions(noisy: list[Pair]) -> list[np.ndarray]:
        return [one["regions"] for one in values(model, noisy)]

    with at_rest(model, device), enough_memory("a batch of states", model, "at_once"):
        asked, left_out = _drawn(model, collection, pairs, rng)
        own = values(model, asked)
        sides = [side for side in SIDES if side in own[0]]
        judged: dict[Side, list[_Judged]] = {side: [] for side in sides}
        for number, (pair, found) in enumerate(zip(asked, own, strict=True)):
            scorer = Scorer.of(model, pair)
            base = {"regions": region_baseline(scorer, regions), "words": word_baseline(scorer, words)}
            for side in sides:
                removal = Removal(scorer, base[side], side, at_once)
                luck = np.random.default_rng((seed, number, SIDES.index(side)))  # whatever the method
                judged[side].append(_judge(removal, found[side], orders, points, luck))
        few, own_few = asked[:examined], own[:examined]
        moved = []
        if "regions" in sides:
            moved = [
                max_sensitivity(over_regions, pair, found["regions"], NOISE, NOISY, seed)
                for pair, found in zip(few, own_few, strict=True)
            ]
        forgotten = [
            (stage, values(empty, few)) for stage, empty in randomised(model, batch_of(model, few[:1]), seed)
        ]
    images = np.unique([pair.image_id for pair in asked], return_inverse=True)[1]
    over, over_few = Bootstrap.of(images, seed=seed), Bootstrap.of(images[: len(few)], seed=seed)
    measures, drawn, cascades = [], [], []
    for side in sides:
        cascade = _cascade(side, model.name, method, own_few, forgotten, over_few, rng)
        found_measures, found_curves = _told(side, judged[side], over)
        measures += found_measures
        if side == "regions":
            measures.append(Measure("max sensitivity", side, over_few.interval(np.array(moved)), None, "low"))
        last = Interval(*cascade.correlation[-1].tolist())
        dealt = Interval(*cascade.random.tolist())
        measures.append(Measure("after random weights", side, last, dealt, "near 0"))
        drawn.append(RemovalCurves(model.name, method, side, *found_curves))
        cascades.append(cascade)
    return Faithfulness(
        *(model.name, method, len(asked), len(np.unique(images)), len(few), left_out),
        *(tuple(measures), tuple(drawn), tuple(cascades)),
    )


def _drawn(
    model: RetrievalModel, collection: Collection, pairs: int, rng: np.random.Generator
) -> tuple[list[Pair], int]:
    """Pairs in a random order, each image once before any comes again; and how many the model cannot read."""
    rows = rng.permutation(len(collection.captions))
    met: Counter[int] = Counter()
    turn = []
    for image in collection.image_of[rows].tolist():
        turn.append(met[image])
        met[image] += 1
    rows = rows[np.argsort(turn, kind="stable")][:pairs]
    kept = rows[readable(model, [collection.captions[row] for row in rows])]
    if not len(kept):
        raise ValueError(
            f"{model.name} knows no word of {len(rows)} captions of {collection.name} ({collection.split}),"
            " so none of its maps can be tested; take the collection that it was trained on"
        )
    found = []
    for row in kept:
        image = int(collection.image_of[row])
        which = int(np.flatnonzero(collection.captions_of(image) == row)[0])
        found.append(collection.pair(image, which, picture=False))
    return found, len(rows) - len(kept)


@dataclass(frozen=True)
class _Judged:
    """One side of one pair; scores are counted from the pair of which all parts of the side are replaced."""

    range: float  # of the score, see the top of this file
    deletion: np.ndarray  # [point]
    insertion: np.ndarray  # [point]
    random: np.ndarray  # [order point]
    deletion_area: float
    insertion_area: float
    random_areas: np.ndarray  # [order]
    signs: tuple[int, int, float]  # that agree, of how many, by chance
    infidelities: np.ndarray  # [3]  of the map, of one that is dealt out at random, of zeros


def _judge(
    removal: Removal, values: np.ndarray, orders: int, points: int, rng: np.random.Generator
) -> _Judged:
    found = curves(removal, values, orders, points, rng)
    whole, empty = found.deletion[0], found.deletion[-1]
    without = removal(~np.eye(len(values), dtype=bool))
    counted = replace(
        found,
        deletion=found.deletion - empty,
        insertion=found.insertion - empty,
        random=found.random - empty,
    )
    maps = np.stack([values, rng.permutation(values), np.zeros(len(values))])
    sets = rng.random((SETS, len(values))) < 0.5
    return _Judged(
        float(np.ptp([*found.random.flat, *without])),
        *counted.at(np.linspace(0, 1, points + 1)),
        *counted.areas(),
        sign_agreement(values, whole - without),
        infidelity(removal, maps, sets),
    )


def _told(
    side: Side, judged: list[_Judged], over: Bootstrap
) -> tuple[list[Measure], tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """The measures of one side that are of all pairs; shares and curves of deletion, insertion, random."""
    unit = np.array([one.range for one in judged])
    deletion, insertion, random = (
        np.array([getattr(one, name) for one in judged])
        for name in ("deletion_area", "insertion_area", "random_areas")
    )
    chance = Interval(*_band(random[..., None], unit)[0].tolist())
    agree, counted, by_chance = np.array([one.signs for one in judged], dtype=float).T
    told, dealt, nothing = np.array([one.infidelities for one in judged]).T
    expected = random.mean(axis=1)
    measures = [
        Measure("deletion area", side, over.interval(deletion, unit), chance, "low"),
        Measure("deletion gain", side, over.interval(expected - deletion, unit), None, "high"),
        Measure("insertion area", side, over.interval(insertion, unit), chance, "high"),
        Measure("insertion gain", side, over.interval(insertion - expected, unit), None, "high"),
        Measure(
            "sign agreement", side, over.interval(agree, counted), over.interval(by_chance, counted), "high"
        ),
        Measure("infidelity", side, over.interval(told, nothing), over.interval(dealt, nothing), "low"),
    ]
    of_points = [
        over.mean(np.array([getattr(one, name) for one in judged]), unit).T
        for name in ("deletion", "insertion")
    ]
    band = _band(np.array([one.random for one in judged]), unit)
    return measures, (np.linspace(0, 1, len(band)), *of_points, band)  # type: ignore[return-value]


def _band(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """[point 3] of random orders [pair order point]: their mean, and where one order's mean would lie."""
    middle = values.mean(axis=1).sum(axis=0)
    if values.shape[1] > 1:
        half = 1.96 * np.sqrt(values.var(axis=1, ddof=1).sum(axis=0))
    else:
        half = np.full_like(middle, np.nan)
    return np.stack([middle, middle - half, middle + half], axis=-1) / (unit.sum() or float("nan"))


def _cascade(
    side: Side,
    model: str,
    method: str,
    own: list[Values],
    forgotten: list[tuple[tuple[str, ...], list[Values]]],
    over: Bootstrap,
    rng: np.random.Generator,
) -> Cascade:
    def likeness(others: list[np.ndarray]) -> np.ndarray:
        return over.mean(
            np.array([rank_correlation(one[side], other) for one, other in zip(own, others, strict=True)])
        )

    found = [likeness([values[side] for values in maps]) for _, maps in forgotten]
    dealt = likeness([rng.permutation(one[side]) for one in own])
    return Cascade(model, method, side, tuple(stage for stage, _ in forgotten), np.stack(found), dealt)
