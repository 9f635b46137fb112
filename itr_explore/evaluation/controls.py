"""A map beside its controls: what the model shows, what an attribution says, what random weights would show.

A picture that looks the same for a model that has learned nothing is not about what was learned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from itr_explore.evaluation.cascade import ANOTHER, fresh
from itr_explore.explanation.attribution import Method, attribute
from itr_explore.explanation.maps import explain
from itr_explore.records import Explanation, Pair

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel

RANDOM = "random weights"


def with_controls(
    model: RetrievalModel, pair: Pair, method: Method = "joint_occlusion", *, seed: int = 0
) -> dict[str, Explanation]:
    """What to put beside a model's own maps: an attribution, and the maps of a model with random weights.

    Both are explanations of the same pair, by their titles: the method's name with spaces, and "random
    weights". The latter has the model's architecture and words, and weights drawn anew.

    Args:
        model: is left as it was found.
        pair: one whose words the model knows at least one of.
        method: one of `attribute`; only `joint_occlusion` says something of each word and region together.
        seed: of the random weights and of sampled attributions.

    Raises:
        ValueError: an unknown method, or a pair that does not fit the model.
    """
    found = attribute(model, pair, method, seed=seed)
    return {
        method.replace("_", " "): found.explanation,
        RANDOM: explain(fresh(model, seed + ANOTHER), pair),
    }
