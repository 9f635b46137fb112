"""How the learning rate falls: functions of the place in the run, so that nothing has to be remembered."""

import math
from collections.abc import Sequence


def step_decay(epoch: float, decay_epochs: Sequence[int], factor: float = 0.1) -> float:
    """1 at first, `factor` from the first of `decay_epochs`, its square from the second and so on.

    One decay is the recipe of VSE++, SCAN and VSRN, two that of HREM.
    """
    return factor ** sum(epoch >= decay for decay in decay_epochs)


def cosine_decay(epoch: float, epochs: int) -> float:
    """From 1 to 0 along half a cosine. Short runs gain most: there is no epoch at which to wait too long."""
    return 0.5 * (1.0 + math.cos(math.pi * min(epoch / epochs, 1.0)))
