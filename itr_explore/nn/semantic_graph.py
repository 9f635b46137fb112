"""A graph of the fragments of one image or one caption, whose edges say how two fragments are related."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from itr_explore.nn.tap import Tap

GEOMETRY = 6  # numbers of `pair_geometry`
ORDER = 2  # numbers of `word_order`
SMALLEST_SIDE = 1e-3  # least width and height of a box, as a fraction of the image


def pair_geometry(boxes: Float[Tensor, "image region 4"]) -> Float[Tensor, "image region region 6"]:
    """Where the column's box lies as seen from the row's; signed, so that left is not right.

    Between the centres `dx, dy` as fractions of the image, then `sign(dx) log(1 + |dx| / w)` and the same of
    dy, in widths and heights of the row's box, then `log w_j / w_i` and `log h_j / h_i`.
    """
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=SMALLEST_SIDE)
    away = centre.unsqueeze(1) - centre.unsqueeze(2)  # [image row column 2]
    larger = size.log().unsqueeze(1) - size.log().unsqueeze(2)
    return torch.cat([away, _signed_log(away / size.unsqueeze(2)), larger], dim=-1)


def word_order(words: int, device: torch.device | None = None) -> Float[Tensor, "1 word word 2"]:
    """How far behind the row's word the column's stands: the sign of that, and `sign(d) log(1 + |d|)`."""
    away = _places(words, device)
    return torch.stack([away.sign(), _signed_log(away)], dim=-1).unsqueeze(0)


def near_words(words: int, device: torch.device | None = None, reach: int = 2) -> Float[Tensor, "word word"]:
    """One where two words stand at most `reach` apart, else zero."""
    return (_places(words, device).abs() <= reach).float()


def _places(words: int, device: torch.device | None) -> Tensor:
    place = torch.arange(words, device=device, dtype=torch.float32)
    return place - place.unsqueeze(1)


def _signed_log(x: Tensor) -> Tensor:
    return x.sign() * x.abs().log1p()


class Related(NamedTuple):
    """What a graph found out about its nodes; all of it is zero where padded."""

    nodes: Tensor  # [item node dim]  after they took up what is around them
    edges: Tensor  # [item node node]  rows sum to one
    relations: Tensor  # [item node node relation]  what the column's node is to the row's
    stated: Tensor  # [item node relation]  each node's relations, weighed by its edges


class SemanticGraph(nn.Module):
    """Edges, relations and one round of messages on a fully connected graph (RACG, a reconstruction).

        logit_ij    = (W_q x_i) . (W_k x_j) / sqrt(relation_dim) + MLP(g_ij) + bias_ij
        edge_ij     = softmax_j logit_ij
        relation_ij = tanh(W_s x_i + W_o x_j + W_g g_ij)
        x'_i        = x_i + W_n sum_j edge_ij x_j + W_r sum_j edge_ij relation_ij

    The graph begins as if it was not there, with W_n = W_r = 0: nodes that are mixed before they know
    anything are hard to tell apart. `g_ij` says how two nodes lie to each other (`pair_geometry`,
    `word_order`). A relation has few numbers and becomes as long as a node only after the sum.

    Tap: `edges` [item node node].

    Args:
        dim: size of a node.
        relation_dim: size of a relation.
        kind: what the nodes are, to name the tap's axes.
        geometry: how many numbers `g_ij` has; 0: there is none.
    """

    def __init__(self, dim: int, relation_dim: int, kind: Literal["region", "word"], geometry: int = 0):
        super().__init__()
        self.query, self.key = (nn.Linear(dim, relation_dim, bias=False) for _ in range(2))
        self.subject = nn.Linear(dim, relation_dim)
        self.object = nn.Linear(dim, relation_dim, bias=False)
        self.node_message = nn.Linear(dim, dim)
        self.relation_message = nn.Linear(relation_dim, dim, bias=False)
        for message in (self.node_message, self.relation_message):
            nn.init.zeros_(message.weight)
        if geometry:
            self.geometry_logit = nn.Sequential(
                nn.Linear(geometry, 32), nn.ReLU(), nn.Linear(32, 1, bias=False)
            )
            self.geometry_relation = nn.Linear(geometry, relation_dim, bias=False)
        self.edges = Tap("region_to_region" if kind == "region" else "word_to_word", "softmax")

    def forward(
        self,
        nodes: Float[Tensor, "item node dim"],
        mask: Bool[Tensor, "item node"],
        geometry: Float[Tensor, "#item node node geometry"] | None = None,
        bias: Float[Tensor, "node node"] | None = None,
    ) -> Related:
        """One round of messages.

        Args:
            nodes: the fragments.
            mask: which are real; at least one an item.
            geometry: how each two lie to each other, if the graph was made for that.
            bias: added to the logits.
        """
        query, key = self.query(nodes), self.key(nodes)
        logits = query @ key.mT / query.shape[-1] ** 0.5
        relations = self.subject(nodes).unsqueeze(2) + self.object(nodes).unsqueeze(1)
        if geometry is not None:
            logits = logits + self.geometry_logit(geometry).squeeze(-1)
            relations = relations + self.geometry_relation(geometry)
        if bias is not None:
            logits = logits + bias
        real = (mask.unsqueeze(2) & mask.unsqueeze(1)).to(nodes.dtype)
        edges = self.edges(logits.masked_fill(~mask.unsqueeze(1), float("-inf")).softmax(dim=-1) * real)
        relations = relations.tanh() * real.unsqueeze(-1)
        stated = torch.einsum("nij,nijr->nir", edges, relations)
        change = self.node_message(edges @ nodes) + self.relation_message(stated)
        return Related(nodes + change * mask.unsqueeze(-1), edges, relations, stated)
