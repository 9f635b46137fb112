"""How the learning rate falls: functions of the place in the run, so that nothing has to be remembered."""

import math


def step_decay(epoch: float, decay_epoch: int | None, factor: float = 0.1) -> float:
    """1 before `decay_epoch`, `factor` from there on: the recipe of VSE++, SCAN and VSRN."""
    return 1.0 if decay_epoch is None or epoch < decay_epoch else factor


def cosine_decay(epoch: float, epochs: int) -> float:
    """From 1 to 0 along half a cosine. Short runs gain most: there is no epoch at which to wait too long."""
    return 0.5 * (1.0 + math.cos(math.pi * min(epoch / epochs, 1.0)))
