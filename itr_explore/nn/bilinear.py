"""Bilinear attention of one modality over the other, and what is made of it (BSSAN, a reconstruction).

For a query `h` and the fragments `v_i` of a context item, with `U = P'Q` of low rank:

    a_i = softmax_i(h' U v_i + b_i)      b_i = p' Q v_i, from a bias p on P h
    c   = sum_i a_i v_i
    fit = cosine(P h + p, Q c)

A bias common to all `v_i` would be lost in the softmax; this one says what draws the eye whoever looks.

The fit needs no `c`: with `s_i = (P h + p)' Q v_i`, which the softmax has seen already, and the Gram matrix
`G` of the `Q v_i` it is `(sum_i a_i s_i) / (|P h + p| sqrt(a' G a))` (as in `matching.py`).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import rms_norm

from itr_explore.nn.chunks import as_columns
from itr_explore.nn.matching import SMALLEST_SQUARE
from itr_explore.nn.pooling import unit


class BilinearAttention(nn.Module):
    """Queries look at context fragments, and each says how well it fits what it saw.

    Before training P and Q are the same `rank` orthogonal directions, so queries look at what they are like.

    Args:
        dim: size of all fragments, whose entries should be about 1.
        rank: of U.
        sharpness: of the attention before training: what the logits are times the cosine, at full rank.
    """

    def __init__(self, dim: int, rank: int, sharpness: float = 8.0):
        super().__init__()
        self.query_key = nn.Linear(dim, rank)  # P, p
        self.context_key = nn.Linear(dim, rank, bias=False)  # Q
        with torch.no_grad():
            nn.init.orthogonal_(self.query_key.weight, gain=(sharpness / dim) ** 0.5)
            nn.init.zeros_(self.query_key.bias)
            self.context_key.weight.copy_(self.query_key.weight)

    def forward(
        self,
        query: Float[Tensor, "*#items query dim"],
        context: Float[Tensor, "*#items context dim"],
        mask: Bool[Tensor, "*#items context"],
    ) -> Float[Tensor, "*items query context"]:
        """The weights of each query over the context: rows sum to one, padded context gets none."""
        # einsum, unlike @, does not copy what it broadcasts
        logits = torch.einsum("...qk,...ck->...qc", self.query_key(query), self.context_key(context))
        return logits.masked_fill(~mask.unsqueeze(-2), float("-inf")).softmax(dim=-1)

    def fit(
        self, query: Float[Tensor, "*#items query dim"], sight: Float[Tensor, "*items query dim"]
    ) -> Float[Tensor, "*items query"]:
        """The cosine of each query with what it saw."""
        return (unit(self.query_key(query)) * unit(self.context_key(sight))).sum(dim=-1)

    def fit_parts(
        self,
        query: Float[Tensor, "*#items query dim"],
        context: Float[Tensor, "*#items context dim"],
        weights: Float[Tensor, "*items query context"],
    ) -> Float[Tensor, "*items query context"]:
        """What each context fragment gave to the fit of a query, by its weight; they add up to it."""
        seen = self.context_key(context)
        length = attended(weights, seen).norm(dim=-1, keepdim=True).clamp(min=1e-8)
        return weights * torch.einsum("...qk,...ck->...qc", unit(self.query_key(query)), seen) / length


def attended(
    weights: Float[Tensor, "*items query context"], context: Float[Tensor, "*#items context dim"]
) -> Float[Tensor, "*items query dim"]:
    """What queries saw: the sums of the context by their weights."""
    return torch.einsum("...qc,...cd->...qd", weights, context)


def fits(
    query_keys: Float[Tensor, "query_item query rank"],
    context_keys: Float[Tensor, "context_item context rank"],
    context_mask: Bool[Tensor, "context_item context"],
) -> Float[Tensor, "context_item query_item query"]:
    """`BilinearAttention.fit` of every query with every context item, without forming what it saw.

    Args:
        query_keys: P h + p.
        context_keys: Q v.
        context_mask: which context fragments are real.
    """
    keys = as_columns(query_keys)  # [column rank]
    logits = (context_keys.flatten(0, 1) @ keys.T).unflatten(0, context_mask.shape)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # autocast halves it
    weights = logits.masked_fill(~context_mask.unsqueeze(-1), float("-inf")).softmax(dim=1)
    dots = (weights * logits).sum(dim=1)  # [context_item column]
    squares = (weights * (context_keys @ context_keys.mT @ weights)).sum(dim=1)
    lengths = (squares * keys.square().sum(dim=1)).clamp(min=SMALLEST_SQUARE).sqrt()
    cosines = (dots / lengths).clamp(-1, 1)
    return cosines.unflatten(1, (query_keys.shape[1], query_keys.shape[0])).transpose(1, 2)


class LocalMatch(nn.Module):
    """`tanh(W_m [h; c; h * W c])` of a query `h` and what it saw, `c`."""

    def __init__(self, dim: int):
        super().__init__()
        self.from_query = nn.Linear(dim, dim)
        self.from_sight = nn.Linear(dim, dim, bias=False)
        self.from_product = nn.Linear(dim, dim, bias=False)
        self.value = nn.Linear(dim, dim, bias=False)  # W

    def forward(
        self, query: Float[Tensor, "*#items query dim"], sight: Float[Tensor, "*items query dim"]
    ) -> Float[Tensor, "*items query dim"]:
        """Entries between -1 and 1."""
        both = self.from_sight(sight) + self.from_product(query * self.value(sight))
        return (self.from_query(query) + both).tanh()


def read_beside(
    reader: nn.LSTM,
    from_sight: nn.Linear,
    attention: BilinearAttention,
    words: Float[Tensor, "caption word feature"],
    regions: Float[Tensor, "image region dim"],
    mask: Bool[Tensor, "image region"],
) -> Float[Tensor, "image caption word dim"]:
    """The states, of length sqrt(dim), of an LSTM that reads every caption beside every image.

    At each word it is given, beside the word, what it saw at the word before (nothing at first).

    Args:
        reader: one layer, one direction, with biases.
        from_sight: adds what was seen to the gates, [dim] -> [4 dim], without bias; where its weights are
            zero the states are those of `reader` alone.
        attention: how a state looks at the regions.
        words: what is read. States of padded words mean nothing.
        regions: what is looked at.
        mask: which regions are real.
    """
    images, captions = len(regions), len(words)
    of_word, of_state, word_bias, state_bias = reader.all_weights[0]
    from_words = nn.functional.linear(words, of_word, word_bias + state_bias)  # [caption word gates]
    state = cell = sight = regions.new_zeros(images, captions, reader.hidden_size)
    states = []
    for word in from_words.unbind(dim=1):
        gates = word + from_sight(sight) + nn.functional.linear(state, of_state)
        enter, forget, new, leave = gates.chunk(4, dim=-1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        state = leave.sigmoid() * cell.tanh()
        states.append(rms_norm(state, state.shape[-1:]))
        sight = attended(attention(states[-1], regions, mask), regions)
    return torch.stack(states, dim=2)
