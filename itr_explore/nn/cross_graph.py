"""Two graphs look at each other, pair by pair: the regions of an image and the words of a caption (RACG).

All of it is a reconstruction. The nodes of one side (*own*) attend to those of the *other*. That gives each
own node a context, and each own edge a second weight: how strongly the nodes that its two ends look at are
related in the other graph. Along the edges so strengthened nodes and relations are gathered once more, and
compared with what the other side has to say.

Whatever does not depend on the pair comes ready-made in `Nodes`. What is left for a pair is its attention
[own other], its edges [own own], and sums of short vectors; linear maps were drawn through the attention,
`(w other) W = w (other W)`. The same lines score each image with each caption and a list of pairs: only the
letters of `Axes` differ.
"""

from typing import Literal, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from itr_explore.nn.matching import NEGATIVE_SLOPE, SMALLEST_NORM
from itr_explore.nn.tap import Tap

AROUND = 0.1  # what the weight of a node's surroundings begins with
HIDDEN = 32  # between a node's cosines and its score
SMALLEST_SQUARE = 1e-12  # least square of a length, and product of lengths, that is divided by


class Nodes(NamedTuple):
    """One side of some pairs, and what its nodes bring; zero where padded."""

    mask: Tensor  # [item node]
    given: Tensor  # [item node dim]  as they were before their graph
    nodes: Tensor  # [item node dim]  after it, of unit length
    matched: Tensor  # [item node match]  these in the space where both sides are compared
    stated: Tensor  # [item node relation]  each node's relations, weighed by the edges
    gates: Tensor  # [item node 2]  how ready it is to take up a message, and how much one from it is worth
    edges: Tensor  # [item node node]
    relations: Tensor  # [item node node relation]  what the column's node is to the row's

    def pick(self, rows: Tensor, width: int) -> "Nodes":
        """These items, cut to so many nodes."""
        single = (x[:, :width] for x in self[:-2])
        square = (x[:, :width, :width] for x in self[-2:])
        return Nodes(*(x.index_select(0, rows) for x in (*single, *square)))


class Axes(NamedTuple):
    """Which own item meets which other one, in the letters of `einsum`."""

    own: str
    other: str
    pair: str

    def of_own(self, x: Tensor) -> Tensor:
        """[own_item ...] so that it lies along the axes of the pairs."""
        return x if self.own == self.pair else x.unsqueeze(0)

    def of_other(self, x: Tensor) -> Tensor:
        """[other_item ...] likewise."""
        return x if self.other == self.pair else x.unsqueeze(1)


EACH_WITH_EACH = Axes("o", "t", "to")  # pairs [other_item own_item]
IN_STEP = Axes("n", "n", "n")  # the first with the first, and so on: pairs [pair]


def pack(nodes: Nodes) -> Float[Tensor, "item node packed"]:
    """All but the mask as one tensor: a node's edges and relations stand with it."""
    return torch.cat([*nodes[1:-1], nodes.relations.flatten(2)], dim=-1)


def unpack(
    parts: Float[Tensor, "item node packed"], mask: Tensor, dim: int, match_dim: int, relation_dim: int
) -> Nodes:
    """What was packed, also if padded nodes were cut off since."""
    single = (dim, dim, match_dim, relation_dim, 2)
    width = (parts.shape[-1] - sum(single)) // (1 + relation_dim)  # nodes when they were packed
    *each, edges, relations = parts.split([*single, width, width * relation_dim], dim=-1)
    left = parts.shape[1]
    relations = relations.unflatten(-1, (width, relation_dim))[..., :left, :]
    given, nodes, matched, stated, gates = each
    return Nodes(mask, given, nodes, matched, stated, gates, edges[..., :left], relations)


def similarities(own: Nodes, other: Nodes, axes: Axes) -> Float[Tensor, "*pair own other"]:
    """The cosine of every own node with every other."""
    letters = f"{axes.own}ad,{axes.other}bd->{axes.pair}ab"
    return torch.einsum(letters, own.nodes, other.nodes).contiguous()


def look(
    own: Nodes, other: Nodes, similarities: Float[Tensor, "*pair own other"], sharpness: float, axes: Axes
) -> Float[Tensor, "*pair own other"]:
    """Each own node's weights over the other side (`matching.attention_weights`); 0 for padded own nodes."""
    raised = nn.functional.leaky_relu(similarities, NEGATIVE_SLOPE)
    length = (raised.square().sum(dim=-2, keepdim=True) + SMALLEST_SQUARE).sqrt()
    weights = (sharpness * raised / (length + SMALLEST_NORM)).exp()  # at most exp(sharpness)
    weights = weights * (axes.of_own(own.mask).unsqueeze(-1) & axes.of_other(other.mask).unsqueeze(-2))
    return weights / weights.sum(dim=-1, keepdim=True).clamp(min=SMALLEST_NORM)


def transferred(
    own: Float[Tensor, "*#pair own own"],
    other: Float[Tensor, "*#pair other other"],
    weights: Float[Tensor, "*pair own other"],
    share: float,
) -> Float[Tensor, "*pair own own"]:
    """Relation transfer: `(1 - share) own + share rownorm(weights other weights.T)`.

    An edge is strengthened where the nodes that its two ends look at are related in the other graph.
    """
    seen = weights @ other @ weights.mT
    return (1 - share) * own + share * seen / seen.sum(dim=-1, keepdim=True).clamp(min=SMALLEST_NORM)


def head_cosines(
    one: Float[Tensor, "*node dim"], other: Float[Tensor, "*node dim"], heads: int
) -> Float[Tensor, "*node head"]:
    """The cosine of two vectors in each of `heads` blocks of their numbers; 0 where one of them is zero."""
    one, other = (x.unflatten(-1, (heads, -1)) for x in (one, other))
    lengths = torch.linalg.vector_norm(one, dim=-1) * torch.linalg.vector_norm(other, dim=-1)
    return torch.einsum("...d,...d->...", one, other) / lengths.clamp(min=SMALLEST_SQUARE)


class CrossGraph(nn.Module):
    """One side's nodes beside what they see on the other side: how well they fit.

        w          = look(own, other)                                              [own other]
        context_i  = sum_j w_ij y_j,  said_i = sum_j w_ij stated_j                 [own match], [own relation]
        u_k        = sigmoid(a . x_k + sum_j w_kj (b . y_j + c cos(x_k, y_j)))     [own]
        edges      = transferred(own, other, w)                                    [own own]
        enriched_i = x_i + e sum_k edges_ik (x_k + u_k context_k)                  [own match]
        related_i  = sum_k edges_ik relation_ik                                    [own relation]
        m_i        = cosines of [enriched_i related_i] with [context_i said_i]     [own head]
        score      = mean_i (MLP(m_i) + mean m_i)

    The weight e of what is around a node is learned and begins small, so that nodes are told apart before
    they take up others. The gate u is one number a node, so that no vector is gated for a pair; the mean
    beside the MLP lets the score begin as a similarity. The MLP's tanh is written as a sigmoid, which is the
    same but for a linear map before and after it, and ten times as fast on a CPU.

    Taps, all of each pair: `attention` (w), `edges`, `node_scores`, the cosines `heads.N`, and
    `reconstruction` (see `reconstruction_errors`).

    Args:
        dim: size of a node.
        kind: what the own nodes are.
        heads: blocks of numbers in which nodes and relations are compared.
        sharpness: of the attention.
        transfer: share of the other graph in the edges.
    """

    def __init__(
        self, dim: int, kind: Literal["region", "word"], heads: int, sharpness: float, transfer: float
    ):
        super().__init__()
        self.sharpness, self.transfer, self.count = sharpness, transfer, heads
        self.agreement = nn.Parameter(torch.ones(()))  # c
        self.around = nn.Parameter(torch.tensor(AROUND))  # e
        self.compare = nn.Sequential(nn.Linear(heads, HIDDEN), nn.Sigmoid(), nn.Linear(HIDDEN, 1))
        self.decoder = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        region = self.of_regions = kind == "region"
        each: Literal["per_region", "per_word"] = "per_region" if region else "per_word"
        self.attention = Tap("region_to_word" if region else "word_to_region", "softmax")
        self.edges = Tap("region_to_region" if region else "word_to_word", "softmax")
        self.node_scores = Tap(each, "signed")
        self.heads = nn.ModuleList(Tap(each, "cosine") for _ in range(heads))
        self.reconstruction = Tap(each, "signed", derived=True)

    @property
    def watched(self) -> bool:
        """Somebody looks at one of the taps."""
        return any(module.watched for module in self.modules() if isinstance(module, Tap))

    def forward(self, own: Nodes, other: Nodes, axes: Axes = EACH_WITH_EACH) -> Float[Tensor, "*pair"]:
        """The score of each pair, by the nodes of one side."""
        cosines = similarities(own, other, axes)
        weights = self._pass(self.attention, look(own, other, cosines, self.sharpness, axes), axes)
        says = torch.cat([other.matched, other.stated], dim=-1)
        seen = torch.einsum(f"{axes.pair}ab,{axes.other}bd->{axes.pair}ad", weights, says)
        context = seen[..., : other.matched.shape[-1]]
        worth = axes.of_other(other.gates[..., 1]).unsqueeze(-2) + self.agreement * cosines
        gate = (axes.of_own(own.gates[..., 0]) + (weights * worth).sum(dim=-1)).sigmoid()

        edges = transferred(axes.of_own(own.edges), axes.of_other(other.edges), weights, self.transfer)
        edges = self._pass(self.edges, edges, axes)
        nodes = axes.of_own(own.matched)
        enriched = nodes + self.around * (edges @ (nodes + gate.unsqueeze(-1) * context))
        related = torch.einsum(f"{axes.pair}ak,{axes.own}akr->{axes.pair}ar", edges, own.relations)

        mask = axes.of_own(own.mask)
        fit = head_cosines(torch.cat([enriched, related], dim=-1), seen, self.count) * mask.unsqueeze(-1)
        if any(cast("Tap", tap).watched for tap in self.heads):
            each = zip(self.heads, fit.unbind(-1), strict=True)
            fit = torch.stack([self._pass(cast("Tap", tap), values, axes) for tap, values in each], dim=-1)
        scores = self._pass(self.node_scores, (self.compare(fit).squeeze(-1) + fit.mean(dim=-1)) * mask, axes)
        if self.reconstruction.watched:
            self._pass(self.reconstruction, self.reconstruction_errors(own, other, axes), axes)
        return scores.sum(dim=-1) / mask.sum(dim=-1)

    def reconstruction_errors(self, own: Nodes, other: Nodes, axes: Axes) -> Float[Tensor, "*pair own"]:
        """`|given_i - decoder(sum_j w_ij node_j)|^2`: what of each own node the other side does not tell."""
        weights = look(own, other, similarities(own, other, axes), self.sharpness, axes)
        context = torch.einsum(f"{axes.pair}ab,{axes.other}bd->{axes.pair}ad", weights, other.nodes)
        errors = (axes.of_own(own.given) - self.decoder(context)).square().sum(dim=-1)
        return errors * axes.of_own(own.mask)

    def _pass(self, tap: Tap, values: Tensor, axes: Axes) -> Tensor:
        """Through a tap whose axes begin with the image, which is the own item of regions."""
        if not tap.watched:
            return values
        if self.of_regions and axes is EACH_WITH_EACH:
            return tap(values.transpose(0, 1)).transpose(0, 1)
        return tap(values)
