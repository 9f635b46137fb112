"""Words read by a pretrained transformer (BERT and its kin), which knows pieces of words.

A caption stays a row of words, as everywhere else: a table says which pieces each word of the vocabulary has,
the transformer reads the pieces of all words one after the other, and the states of a word's pieces are
averaged into the state of the word. So every map, truth and picture stays one of words; the papers that read
by BERT pool over pieces instead, which is the same for a word of one piece.
"""

import json
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from itr_explore.nn.encoders import PAD, UNKNOWN, want_known
from itr_explore.nn.tap import Tap

MASKED = PAD  # stands in no caption, so its row of the table says what a word left out becomes
NONE = -1  # fills the rows of words with fewer pieces than the most


class BertEncoder(nn.Module):
    """Token ids to states: what a transformer makes of each word's pieces, averaged, `W x + b`.

    Weights are random and no word has pieces until both are loaded (`models.bert.read_bert`).

    Args:
        vocabulary_size: number of token ids.
        dim: length of a state.
        architecture: the transformer's `transformers` config as JSON, and in it `pieces_a_word`, the most
            pieces that a word of the vocabulary has.
        dropout: of the words' averaged states, in training; the transformer has its own besides.
        word_dropout: share of words that are masked in training.
        frozen: keep the transformer's weights as they are, and its dropout off.
    """

    pieces: Tensor
    transformer: Any

    def __init__(
        self,
        vocabulary_size: int,
        dim: int,
        architecture: str,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        frozen: bool = False,
    ):
        super().__init__()
        told = json.loads(architecture)
        empty = torch.full((vocabulary_size, told.pop("pieces_a_word")), NONE, dtype=torch.int32)
        self.register_buffer("pieces", empty)  # [vocabulary piece]
        self.transformer = make_transformer(told).requires_grad_(not frozen)
        self.frozen = frozen
        self.dropout = nn.Dropout(dropout)
        self.word_dropout = word_dropout
        self.project = nn.Linear(self.transformer.config.hidden_size, dim)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.attention = Tap("word_to_word", "softmax", derived=True)

    def train(self, mode: bool = True) -> "BertEncoder":
        """Training or evaluation mode; a frozen transformer stays in evaluation mode."""
        super().train(mode)
        self.transformer.train(mode and not self.frozen)
        return self

    def forward(
        self, words: Int[Tensor, "caption word"], mask: Bool[Tensor, "caption word"]
    ) -> Float[Tensor, "caption word dim"]:
        """A state for each word, zero where padded.

        If somebody watches, the attention of the last layer passes through a tap: the mean over heads and
        over the pieces of the word that looks, the sum over the pieces of the word that is looked at.

        Raises:
            ValueError: a token id beyond the vocabulary (looked for on the CPU only), or a caption of more
                pieces than the transformer reads.
        """
        want_known(words, len(self.pieces))
        if self.training and self.word_dropout > 0:
            dropped = torch.rand(words.shape, device=words.device) < self.word_dropout
            words = words.masked_fill(dropped & (words > UNKNOWN), MASKED)
        pieces, owner = pieces_of_captions(self.pieces, words, mask)
        states, attention = self._read(pieces, owner != NONE)
        places = torch.arange(words.shape[1], device=words.device)
        belongs = (owner.unsqueeze(1) == places.unsqueeze(1)).to(states.dtype)  # [caption word piece]
        share = belongs / belongs.sum(dim=-1, keepdim=True).clamp(min=1)
        if attention is not None:
            self.attention(share @ attention @ belongs.transpose(1, 2))
        return self.project(self.dropout(share @ states)) * mask.unsqueeze(-1)

    def _read(self, pieces: Tensor, real: Tensor) -> tuple[Tensor, Tensor | None]:
        """States [caption piece hidden], and if somebody watches the attention [caption piece piece]."""
        read, config = self.transformer, self.transformer.config
        longest = getattr(config, "max_position_embeddings", pieces.shape[1])
        if pieces.shape[1] > longest:
            raise ValueError(
                f"a caption has {pieces.shape[1]} pieces of words and {config.model_type} reads at most"
                f" {longest}; shorten the caption"
            )
        if not self.attention.watched:
            return read(pieces, attention_mask=real).last_hidden_state, None
        usual = config._attn_implementation
        read.set_attn_implementation("eager")  # the one that gives its weights away
        try:
            found = read(pieces, attention_mask=real, output_attentions=True)
        finally:
            read.set_attn_implementation(usual)
        return found.last_hidden_state, found.attentions[-1].mean(dim=1)


def make_transformer(config: dict[str, Any]) -> nn.Module:
    """A `transformers` encoder with random weights, from its config as plain values; needs no network."""
    from transformers import AutoConfig, AutoModel

    told = dict(config)
    transformer = AutoModel.from_config(AutoConfig.for_model(told.pop("model_type"), **told))
    transformer.pooler = None  # it would pool the state of <start>, which nobody asks for
    return transformer


def pieces_of_captions(
    table: Int[Tensor, "vocabulary most"],
    words: Int[Tensor, "caption word"],
    mask: Bool[Tensor, "caption word"],
) -> tuple[Int[Tensor, "caption piece"], Int[Tensor, "caption piece"]]:
    """The pieces of each caption's real words end to end, and at which place the word of each piece stands.

    Args:
        table: pieces of every word of the vocabulary, those first; NONE in the rest of a row.
        words: token ids.
        mask: True where a word is real.

    Returns:
        pieces (0 where padded) and owners (NONE where padded).
    """
    found = table[words]  # [caption word most]
    real = (found != NONE) & mask.unsqueeze(-1)
    lengths = real.sum(dim=(1, 2))
    there = torch.arange(int(lengths.max()), device=words.device) < lengths.unsqueeze(1)
    places = torch.arange(words.shape[1], device=words.device)
    pieces = words.new_zeros(there.shape)
    owner = words.new_full(there.shape, NONE)
    pieces[there] = found[real].to(words.dtype)
    owner[there] = places[:, None].expand(real.shape)[real]
    return pieces, owner
