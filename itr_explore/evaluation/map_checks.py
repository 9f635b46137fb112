"""What one map of one pair is worth: signs, predictions, and how it moves where the image hardly does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from itr_explore.data.devices import seeded
from itr_explore.evaluation.removal import Removal
from itr_explore.records import Pair


def sign_agreement(values: np.ndarray, changes: np.ndarray) -> tuple[int, int, float]:
    """On how many parts a map's sign is that of what the part did for the score, of how many, and by chance.

    Liu, Li, Guo, Kong, Li, Wang: Rethinking Attention-Model Explainability through Faithfulness Violation
    Test, ICML 2022; a disagreement is their violation. Parts whose value or whose effect is zero have no sign
    and are left out.

    Args:
        values: [part] of the map.
        changes: [part] the score of the whole pair less that without the part.

    Returns:
        the last is what the same values would have agreed on if they were dealt out at random: exact.
    """
    noise = 1e-6 * max(float(np.abs(changes).max(initial=0.0)), 1e-6)
    counted = (values != 0) & (np.abs(changes) > noise)
    claims, truths = values[counted] > 0, changes[counted] > 0
    if not counted.any():
        return 0, 0, 0.0
    up, does = claims.mean(), truths.mean()
    by_chance = len(claims) * (up * does + (1 - up) * (1 - does))
    return int((claims == truths).sum()), len(claims), float(by_chance)


def infidelity(scores: Removal, maps: np.ndarray, replaced: np.ndarray) -> np.ndarray:
    """[map] the mean squared error of maps as predictions of what random sets of parts do for the score.

    Yeh, Hsieh, Suggala, Inouye, Ravikumar: On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019,
    by Captum. A map predicts the sum of the values of the parts that are replaced. Each is first given the
    scale that serves it best (`normalize`), as attention has no unit. It may be below zero: whether signs are
    right is for `sign_agreement` to ask.

    Args:
        scores: of the pair.
        maps: [map part]
        replaced: [set part] bool.
    """
    from captum import metrics

    sets = torch.from_numpy(replaced).double()

    def forward(kept: Tensor) -> Tensor:
        return torch.from_numpy(scores(kept.numpy() > 0.5))

    def perturb(kept: Tensor) -> tuple[Tensor, Tensor]:
        gone = sets.repeat(len(maps), 1)
        return gone, kept - gone

    values = torch.from_numpy(np.array(maps, dtype=float))
    found = metrics.infidelity(
        forward, perturb, torch.ones_like(values), values, n_perturb_samples=len(sets), normalize=True
    )
    return found.clamp(min=0).numpy()  # where a map says all, rounding may leave less than nothing


def max_sensitivity(
    maps: Callable[[list[Pair]], list[np.ndarray]],
    pair: Pair,
    values: np.ndarray,
    noise: float,
    copies: int,
    seed: int = 0,
) -> float:
    """The largest change of a map over regions where these change a little, as a share of its length.

    Yeh et al., NeurIPS 2019, by Captum.

    Args:
        maps: [region] values of each of some pairs.
        pair: whose regions are changed.
        values: [region] of its own map.
        noise: the most that a number changes, in standard deviations of the image's features.
        copies: how many changed images are tried.
        seed: of the noise.
    """
    from captum import metrics

    own = torch.from_numpy(np.array(pair.regions, dtype=np.float32))[None]

    def explained(regions: tuple[Tensor, ...]) -> tuple[Tensor]:
        if torch.equal(regions[0], own):
            return (torch.from_numpy(np.array(values, dtype=float))[None],)
        found = maps([replace(pair, regions=noisy.numpy()) for noisy in regions[0]])
        return (torch.from_numpy(np.stack(found).astype(float)),)

    with seeded(seed):
        return float(
            metrics.sensitivity_max(
                explained, own, perturb_radius=noise * float(own.std()), n_perturb_samples=copies
            )
        )
