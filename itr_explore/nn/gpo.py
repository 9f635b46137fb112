"""The generalised pooling operator: sort each channel, weigh its places (Chen et al. 2021, VSE-infinity).

    pooled_d = sum_p weight_p(n) x_(p)d     x_(1)d >= ... >= x_(n)d, channel d of n parts, sorted

The mean (all weights 1 / n) and the maximum (weight 1 on the first place) are special cases. The weights
depend on nothing but the number of parts n, so each number that occurs is worked out once a step; without
gradients in evaluation, once for as long as the module's own numbers stay the same.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from itr_explore.nn.encoders import read
from itr_explore.nn.memory import shares
from itr_explore.nn.tap import Tap


class GPO(nn.Module):
    """Generalised pooling of [item part dim] to [item dim].

    `weights = softmax(score / temperature)` over the places, where a GRU reads the codes of the places both
    ways and a linear map makes a score of the mean of both states (exact, as in woodfrog/vse_infty).

    Tap: `share` [item part], the length of what each part gave, divided by the sum over the parts.

    Args:
        kind: what the parts are, to name the tap's axes.
        code_dim: length of a place's code, even.
        dim: size of the GRU.
        temperature: of the softmax.
    """

    def __init__(
        self,
        kind: Literal["per_region", "per_word"],
        code_dim: int = 32,
        dim: int = 32,
        temperature: float = 0.1,
    ):
        super().__init__()
        self.reader = nn.GRU(code_dim, dim, batch_first=True, bidirectional=True)
        self.score = nn.Linear(dim, 1, bias=False)
        self.temperature = temperature
        self.share = Tap(kind, "row_sum", derived=True)
        self._known: dict[int, Tensor] = {}  # weights by the number of parts
        self._known_of: tuple[tuple[int, int], ...] = ()  # the state of the parameters that they were made by

    def train(self, mode: bool = True) -> "GPO":
        """Forget the weights that were kept: whatever trains comes through here, a fused optimiser too."""
        self._known, self._known_of = {}, ()
        return super().train(mode)

    def forward(
        self, parts: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"]
    ) -> Float[Tensor, "item dim"]:
        """The pooled vector of each item; what stands in padded places does not matter."""
        channels = parts.masked_fill(~mask.unsqueeze(-1), float("-inf")).mT.contiguous()
        values = channels.sort(dim=-1, descending=True).values  # [item dim place]
        values = values.masked_fill(~mask.unsqueeze(1), 0)  # real ones are first in the mask, too
        if self.share.watched:
            self.share(shares(self.contributions(parts, mask)))
        return (values @ self.weights(mask).unsqueeze(-1)).squeeze(-1)

    def contributions(
        self, parts: Float[Tensor, "item part dim"], mask: Bool[Tensor, "item part"]
    ) -> Float[Tensor, "item part dim"]:
        """What each part gave to each channel, by the place at which it stands there; zero where padded.

        Their sum over the parts is the pooled vector.
        """
        order = parts.masked_fill(~mask.unsqueeze(-1), float("-inf")).argsort(dim=1, descending=True)
        weights = self.weights(mask).unsqueeze(-1).expand_as(parts)
        weight_of_part = torch.zeros_like(parts).scatter(1, order, weights)
        return (weight_of_part * parts).masked_fill(~mask.unsqueeze(-1), 0)

    def weights(self, mask: Bool[Tensor, "item part"]) -> Float[Tensor, "item place"]:
        """The weight of each place of each item: as many places as it has parts, which add up to 1."""
        lengths, which = mask.sum(dim=1).unique(return_inverse=True)
        if self.training or torch.is_grad_enabled():
            return self._weights(lengths, mask.shape[1])[which]
        state = tuple((weight.data_ptr(), weight._version) for weight in self.parameters())
        if state != self._known_of:
            self._known, self._known_of = {}, state
        numbers = lengths.tolist()
        new = [number for number in numbers if number not in self._known]
        if new:
            found = self._weights(torch.tensor(new, device=mask.device), mask.shape[1])
            self._known.update(zip(new, found, strict=True))
        known = [self._known[number][: mask.shape[1]] for number in numbers]
        padded = [nn.functional.pad(weights, (0, mask.shape[1] - len(weights))) for weights in known]
        return torch.stack(padded)[which]

    def _weights(self, lengths: Tensor, places: int) -> Tensor:
        """[length place] the weights for some numbers of parts."""
        real = torch.arange(places, device=lengths.device) < lengths.unsqueeze(1)
        codes = place_codes(places, self.reader.input_size).to(self.score.weight)
        with torch.autocast(lengths.device.type, enabled=False):
            scores = self.score(read(self.reader, codes.expand(len(lengths), -1, -1), real)).squeeze(-1)
        return (scores / self.temperature).masked_fill(~real, float("-inf")).softmax(dim=-1)


def place_codes(places: int, dim: int) -> Float[Tensor, "place dim"]:
    """Sines and cosines of a place at `dim / 2` wavelengths, in turn (Vaswani et al. 2017, section 3.5)."""
    wavelength = 10_000 ** (torch.arange(0, dim, 2) / dim)
    angles = torch.arange(places).unsqueeze(1) / wavelength
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
