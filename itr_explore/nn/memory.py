"""A GRU that reads fragments one by one, and what each of them left in its last state.

PyTorch's gates: `h_i = (1 - z_i) * n_i + z_i * h_(i-1)`, so with `h_0 = 0` the last state is exactly
`h_last = sum_i w_i * n_i` with `w_i = (1 - z_i) * prod_(j > i) z_j`.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn


def gates(
    gru: nn.GRU, steps: Float[Tensor, "item step feature"], states: Float[Tensor, "item step dim"]
) -> tuple[Float[Tensor, "item step dim"], Float[Tensor, "item step dim"]]:
    """Update gate `z` and candidate `n` of every step in one parallel pass, from the states that a run left.

    Args:
        gru: one layer, one direction, with biases.
        steps: what the GRU read.
        states: its state after each step.
    """
    before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)
    of_step, of_state, step_bias, state_bias = gru.all_weights[0]
    from_step = nn.functional.linear(steps, of_step, step_bias).chunk(3, dim=-1)
    from_state = nn.functional.linear(before, of_state, state_bias).chunk(3, dim=-1)
    reset = (from_step[0] + from_state[0]).sigmoid()
    update = (from_step[1] + from_state[1]).sigmoid()
    candidate = (from_step[2] + reset * from_state[2]).tanh()
    return update, candidate


def contributions(
    update: Float[Tensor, "item step dim"],
    candidate: Float[Tensor, "item step dim"],
    mask: Bool[Tensor, "item step"],
) -> Float[Tensor, "item step dim"]:
    """What each step left in the last state, `w_i * n_i`; its sum over the steps is that state.

    Steps that are not real leave nothing and forget nothing.
    """
    real = mask.unsqueeze(-1)
    kept = torch.where(real, update, 1.0)
    later = kept.flip(1).cumprod(dim=1).flip(1)  # prod_(j >= i) z_j
    after = torch.cat([later[:, 1:], torch.ones_like(later[:, :1])], dim=1)  # prod_(j > i) z_j
    return (1 - update) * after * candidate * real


def memory_trace(
    gru: nn.GRU,
    steps: Float[Tensor, "item step feature"],
    states: Float[Tensor, "item step dim"],
    mask: Bool[Tensor, "item step"],
) -> Float[Tensor, "item step dim"]:
    """`contributions` of every step of a run of `gru` from `h_0 = 0`."""
    return contributions(*gates(gru, steps, states), mask)


def by_rank(rank: Shaped[Tensor, "item step"], mask: Bool[Tensor, "item step"]) -> Int[Tensor, "item step"]:
    """Where the steps of each item stand that a reader by rising `rank` comes to; padding stays behind."""
    return rank.to(torch.float32).masked_fill(~mask, torch.inf).argsort(dim=1, stable=True)


def luck(mask: Bool[Tensor, "item step"], fixed: bool) -> Float[Tensor, "item step"]:
    """A rank for each step by chance; `fixed`: always the same for a step, whatever its item and padding."""
    if fixed:
        drawn = np.random.default_rng(0).random(mask.shape[1], dtype=np.float32)
        return torch.from_numpy(drawn).to(mask.device).expand(mask.shape)
    return torch.rand(mask.shape, device=mask.device)


def rearranged(
    x: Float[Tensor, "item step dim"], places: Int[Tensor, "item step"] | None
) -> Float[Tensor, "item step dim"]:
    """The steps that stand at these places (None: as they are); `places.argsort(dim=1)` undoes it."""
    return x if places is None else x.gather(1, places.unsqueeze(-1).expand_as(x))


def shares(traces: Float[Tensor, "item step dim"]) -> Float[Tensor, "item step"]:
    """The length of each step's contribution, divided by the sum of all lengths of its item."""
    lengths = traces.norm(dim=-1)
    return lengths / lengths.sum(dim=1, keepdim=True).clamp(min=1e-8)
