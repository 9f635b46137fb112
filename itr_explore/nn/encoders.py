"""From detector features and token ids to fragments of one size."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from itr_explore.nn.graph import MaskedBatchNorm
from itr_explore.nn.together import summed

PAD, START, END, UNKNOWN = range(4)  # token ids of <pad>, <start>, <end> and <unk>


class RegionNetwork(nn.Module):
    """`relu(BN(regions W1 + b1)) W2 + b2`: what VSE-infinity adds to the linear map of regions.

    With `box=True` (ours) the hidden layer is also given the place, so that it can tell what is where.

    Args:
        region_dim: length of a region's feature.
        hidden: length of the hidden layer.
        dim: length of a fragment, and of a place.
        box: take the place into the hidden layer.
        count_padding: in training the norm's statistics count padded rows too, zeros up to the largest image
            of the batch, as in woodfrog/vse_infty.
    """

    def __init__(
        self, region_dim: int, hidden: int, dim: int, box: bool = False, count_padding: bool = False
    ):
        super().__init__()
        self.enter, self.leave = nn.Linear(region_dim, hidden), nn.Linear(hidden, dim)
        self.enter_place = nn.Linear(dim, hidden, bias=False) if box else None
        self.norm = MaskedBatchNorm(hidden)
        self.count_padding = count_padding

    def forward(
        self,
        regions: Float[Tensor, "image region feature"],
        mask: Bool[Tensor, "image region"],
        places: Float[Tensor, "image region dim"] | None = None,
    ) -> Float[Tensor, "image region dim"]:
        """A fragment for each region; what comes out where padded has no meaning."""
        counted = mask
        if self.count_padding:
            regions = regions * mask.unsqueeze(-1)
            counted = (summed(mask.any(dim=0).int()) > 0).expand_as(mask)
        hidden = self.enter(regions)
        if self.enter_place is not None:
            hidden = hidden + self.enter_place(places)
        return self.leave(self.norm(hidden, counted).relu())


class RegionEncoder(nn.Module):
    """`regions W + b`, and with `box=True` a small network of each region's position and size added.

    Args:
        region_dim: length of a region's feature.
        dim: length of a fragment.
        box: add the box. Without it no model can tell left from right.
        dropout: of the features, in training.
        region_dropout: share of regions left out in training (one an image always stays).
        hidden: add a `RegionNetwork` with a hidden layer of this length.
        count_padding: of that network.
    """

    def __init__(
        self,
        region_dim: int,
        dim: int,
        box: bool = False,
        dropout: float = 0.0,
        region_dropout: float = 0.0,
        hidden: int | None = None,
        count_padding: bool = False,
    ):
        super().__init__()
        self.appearance = nn.Linear(region_dim, dim)
        nn.init.xavier_uniform_(self.appearance.weight)
        nn.init.zeros_(self.appearance.bias)
        self.place = nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, dim)) if box else None
        self.network = None if hidden is None else RegionNetwork(region_dim, hidden, dim, box, count_padding)
        self.dropout = nn.Dropout(dropout)
        self.region_dropout = region_dropout

    def forward(
        self,
        regions: Float[Tensor, "image region feature"],
        mask: Bool[Tensor, "image region"],
        boxes: Float[Tensor, "image region 4"] | None = None,
    ) -> tuple[Float[Tensor, "image region dim"], Bool[Tensor, "image region"]]:
        """Fragments (zero where padded) and the mask of the regions that are left, those first.

        Raises:
            ValueError: features of another length than the model was built for, or boxes wanted and absent.
        """
        want_features(regions, self.appearance.in_features)
        if self.place is not None and boxes is None:
            raise ValueError(
                "this model adds the boxes of regions to their features, and the batch has no boxes;"
                " take a collection that has them or create the model with box=False"
            )
        regions = self.dropout(regions)
        if self.training and self.region_dropout > 0:
            kept = keep_some(mask, 1 - self.region_dropout)
            order = (~kept).to(torch.uint8).argsort(dim=1, stable=True)
            regions, mask = _rows(regions, order), kept.gather(1, order)
            boxes = None if boxes is None else _rows(boxes, order)
        fragments, places = self.appearance(regions), None
        if self.place is not None and boxes is not None:
            places = self.place(box_features(boxes))
            fragments = fragments + places
        if self.network is not None:
            fragments = fragments + self.network(regions, mask, places)
        return fragments * mask.unsqueeze(-1), mask


def want_features(regions: Float[Tensor, "image region feature"], wanted: int) -> None:
    """Refuse region features of another length than `wanted`."""
    if regions.shape[-1] != wanted:
        raise ValueError(
            f"this model was built for region features of length {wanted}, not {regions.shape[-1]};"
            " create it with region_dim=collection.region_dim, or take the features it learned from"
        )


def _rows(x: Float[Tensor, "item part dim"], order: Int[Tensor, "item part"]) -> Tensor:
    """The parts of each item in another order."""
    return x.gather(1, order.unsqueeze(-1).expand_as(x))


def box_features(boxes: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 7"]:
    """`x1 y1 x2 y2` (fractions of the image), width, height and area, shifted to lie in [-1, 1]."""
    x1, y1, x2, y2 = boxes.unbind(dim=-1)
    width, height = x2 - x1, y2 - y1
    return 2 * torch.stack([x1, y1, x2, y2, width, height, width * height], dim=-1) - 1


def keep_some(mask: Bool[Tensor, "item part"], share: float) -> Bool[Tensor, "item part"]:
    """A random share of the real parts of each item, never none of them."""
    luck = torch.rand(mask.shape, device=mask.device).masked_fill(~mask, 2.0)
    luckiest = luck == luck.amin(dim=1, keepdim=True)
    return mask & ((luck < share) | luckiest)


class WordEncoder(nn.Module):
    """Token ids to word vectors to the states of a GRU or LSTM; states after the last real word are zero.

    Args:
        vocabulary_size: number of token ids.
        word_dim: length of a word vector.
        dim: length of a state.
        bidirectional: read both ways and take the mean of both directions (SCAN); else left to right (VSRN).
        dropout: of the word vectors, in training.
        word_dropout: share of words that are replaced by <unk> in training.
        reader: what reads the word vectors.
    """

    def __init__(
        self,
        vocabulary_size: int,
        word_dim: int,
        dim: int,
        bidirectional: bool = True,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        reader: Literal["gru", "lstm"] = "gru",
    ):
        super().__init__()
        self.vectors = nn.Embedding(vocabulary_size, word_dim)
        nn.init.uniform_(self.vectors.weight, -0.1, 0.1)
        self.dropout = nn.Dropout(dropout)
        self.word_dropout = word_dropout
        kind = nn.GRU if reader == "gru" else nn.LSTM
        self.reader = kind(word_dim, dim, batch_first=True, bidirectional=bidirectional)

    def forward(
        self, words: Int[Tensor, "caption word"], mask: Bool[Tensor, "caption word"]
    ) -> Float[Tensor, "caption word dim"]:
        """A state for each word.

        Raises:
            ValueError: a token id beyond the vocabulary (looked for on the CPU only).
        """
        return read(self.reader, self.look_up(words), mask)

    def look_up(self, words: Int[Tensor, "caption word"]) -> Float[Tensor, "caption word word_dim"]:
        """A vector for each word, as the reader gets it; in training with dropout."""
        want_known(words, self.vectors.num_embeddings)
        if self.training and self.word_dropout > 0:
            dropped = torch.rand(words.shape, device=words.device) < self.word_dropout
            words = words.masked_fill(dropped & (words > UNKNOWN), UNKNOWN)
        return self.dropout(self.vectors(words))


def want_known(words: Int[Tensor, "caption word"], known: int) -> None:
    """Refuse a token id beyond a vocabulary of `known`; on the CPU only, as a GPU would have to wait."""
    if words.device.type == "cpu" and words.numel() and int(words.max()) >= known:
        raise ValueError(
            f"token id {int(words.max())} is beyond this model's vocabulary of {known};"
            " encode captions with the tokenizer that the model was trained with"
        )


def read(
    reader: nn.GRU | nn.LSTM, steps: Float[Tensor, "item step feature"], mask: Bool[Tensor, "item step"]
) -> Float[Tensor, "item step dim"]:
    """The states of a GRU or LSTM at every step, the mean of both directions if there are two; 0 if padded.

    Real steps must come before padded ones. Padding is never read, in neither direction.
    """
    lengths = mask.sum(dim=1).cpu()
    packed = nn.utils.rnn.pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False)
    states, _ = nn.utils.rnn.pad_packed_sequence(
        reader(packed)[0], batch_first=True, total_length=mask.shape[1]
    )
    if reader.bidirectional:
        states = (states[..., : reader.hidden_size] + states[..., reader.hidden_size :]) / 2
    return states
