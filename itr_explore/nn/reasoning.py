"""One side of VSRN and VSRN++: graph reasoning, then a gated memory that reads the fragments in order."""

from typing import Literal, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from itr_explore.nn.encoders import read
from itr_explore.nn.graph import GraphReasoning, MaskedBatchNorm, degree
from itr_explore.nn.memory import by_rank, luck, memory_trace, rearranged, shares
from itr_explore.nn.pooling import last_real, unit
from itr_explore.nn.tap import Tap

NormAxis = Literal["channels", "regions"]
Order = Literal["given", "reversed", "degree", "random"]


def normalised(nodes: Float[Tensor, "item part dim"], axis: NormAxis) -> Float[Tensor, "item part dim"]:
    """Each node of length sqrt(dim), or (VSRN's code) each channel of unit length over an item's nodes.

    A node of unit length would reach the memory in entries of size 1 / sqrt(dim), too small for its gates.
    """
    return unit(nodes, dim=1) if axis == "regions" else unit(nodes) * nodes.shape[-1] ** 0.5


class ReasoningSide(nn.Module):
    """Graph reasoning in `layers`, then a gated memory (a GRU) that reads the fragments in some order.

    Orders: `given` (a detector's regions by falling confidence), `reversed`, `degree` (by the rising
    `nn.graph.degree` of the last layer's affinity, so that the most related part is read last) and `random`
    (another for each forward in training; else always the same for the same number of parts).

    Taps: those of the layers, and `trace` [item part], each part's share in the last memory: the length of
    what it left there (`nn.memory`), divided by the sum over the parts.

    Args:
        dim: size of a fragment and of the memory.
        layers: of graph reasoning.
        kind: what the fragments are.
        norm_axis: how fragments are normalised before the memory reads them (see `normalised`).
        final_norm: batch norm on the last memory.
        divisor: of the affinity (see `nn.graph.affinity`).
        order: in which the memory reads; what it reads last it remembers best. `degree` needs a layer
            (else `ValueError`).
    """

    def __init__(
        self,
        dim: int,
        layers: int,
        kind: Literal["region", "word"],
        norm_axis: NormAxis = "channels",
        final_norm: bool = False,
        divisor: int | None = None,
        order: Order = "given",
    ):
        super().__init__()
        if order == "degree" and layers == 0:
            raise ValueError("reading in the order of degree needs a layer of reasoning, got layers=0")
        self.layers = nn.ModuleList(GraphReasoning(dim, kind, divisor) for _ in range(layers))
        self.memory = nn.GRU(dim, dim, batch_first=True)
        self.final_norm = MaskedBatchNorm(dim) if final_norm else None
        self.norm_axis, self.order = norm_axis, order
        self.trace = Tap("per_region" if kind == "region" else "per_word", "row_sum", derived=True)

    def forward(
        self, nodes: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"]
    ) -> tuple[Float[Tensor, "item dim"], Float[Tensor, "item part dim"]]:
        """[item part dim] -> the last memory, of unit length, and the relation-enhanced nodes."""
        nodes, places = self._reason(nodes, mask)
        steps = rearranged(nodes, places)
        states = read(self.memory, steps, mask)
        if self.trace.watched:
            self.trace(shares(self._trace(steps, states, mask, places)))
        return unit(self._finish(last_real(states, mask))), nodes

    def parts_of_vector(
        self, nodes: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"]
    ) -> tuple[Float[Tensor, "item part dim"], Float[Tensor, "item dim"]]:
        """What each node gave to its item's vector [item part dim], and what none of them gave [item dim].

        The nodes' parts and the rest add up to `forward(...)[0]`. In eval mode only (else `ValueError`).
        """
        if self.training:
            raise ValueError("a vector has additive parts in eval mode only; call model.eval() first")
        nodes, places = self._reason(nodes, mask)
        steps = rearranged(nodes, places)
        states = read(self.memory, steps, mask)
        traces = self._trace(steps, states, mask, places)
        length = self._finish(last_real(states, mask)).norm(dim=-1, keepdim=True)
        nothing = self._finish(torch.zeros_like(states[:, 0]))  # [item dim]  the final norm's constant
        parts = self._finish(traces.flatten(0, 1)).view_as(traces) - nothing.unsqueeze(1)
        return parts / length.unsqueeze(1), nothing / length

    def _reason(self, nodes: Tensor, mask: Tensor) -> tuple[Tensor, Int[Tensor, "item step"] | None]:
        """The relation-enhanced nodes, and which of them each step of the memory reads."""
        before = nodes
        for layer in self.layers:
            before, nodes = nodes, layer(nodes, mask)
        return normalised(nodes, self.norm_axis), self._places(before, mask)

    def _places(self, before: Tensor, mask: Tensor) -> Tensor | None:
        """`before` is what the last layer was given."""
        if self.order == "given":
            return None
        if self.order == "reversed":
            return by_rank(torch.arange(mask.shape[1], 0, -1, device=mask.device).expand(mask.shape), mask)
        if self.order == "random":
            return by_rank(luck(mask, fixed=not self.training), mask)
        last = cast("GraphReasoning", self.layers[-1])
        with torch.no_grad():
            return by_rank(degree(last.edges(before, mask)), mask)

    def _trace(self, steps: Tensor, states: Tensor, mask: Tensor, places: Tensor | None) -> Tensor:
        """What each node left in the last memory, in the nodes' own order."""
        left = memory_trace(self.memory, steps, states, mask)
        return rearranged(left, None if places is None else places.argsort(dim=1))

    def _finish(self, memory: Tensor) -> Tensor:
        """[item dim] the final batch norm, if there is one."""
        return memory if self.final_norm is None else self.final_norm.of_vectors(memory)
