"""A pretrained BERT for the words of any model: weights and pieces of words through `transformers`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from itr_explore.nn.bert import MASKED, NONE, BertEncoder
from itr_explore.nn.encoders import END, START, UNKNOWN

UNSAID = (
    "architectures",
    "dtype",
    "torch_dtype",
    "transformers_version",
)  # of a config: not the architecture


@dataclass(frozen=True)
class Bert:
    """What of a pretrained BERT a model needs."""

    architecture: str  # JSON, see `BertEncoder`
    weights: dict[str, Tensor]
    pieces: Tensor  # [vocabulary piece]

    def fill(self, model: nn.Module) -> None:
        """Give a fresh model the weights and the pieces."""
        for module in model.modules():
            if isinstance(module, BertEncoder):
                module.transformer.load_state_dict(self.weights)
                module.pieces.copy_(self.pieces)


def read_bert(source: str | os.PathLike, tokenizer: Tokenizer) -> Bert:
    """A pretrained BERT and the pieces it knows of every word of a vocabulary.

    Args:
        source: a name on the Hugging Face hub ("bert-base-uncased"), or a folder with the model and its
            tokenizer as `transformers` saves them. Take an uncased one: our words are lower-case.
        tokenizer: ours, word-level. Built with `min_count=1` it keeps rare words, whose pieces BERT knows.

    Raises:
        FileNotFoundError: it is neither here nor to be had from the hub.
        ValueError: what is there is no encoder of words, or lacks a special token.
    """
    from transformers import AutoModel, AutoTokenizer

    name = os.fspath(source)
    try:
        theirs = AutoTokenizer.from_pretrained(name)
        transformer = AutoModel.from_pretrained(name).float()
    except OSError as error:
        raise FileNotFoundError(
            f"BERT {name!r} is no folder here and could not be had from the Hugging Face hub ({error});"
            " download it once where there is a network, and give the folder"
        ) from error
    except (ValueError, ImportError, KeyError, RuntimeError) as error:
        raise ValueError(f"{name!r} cannot be read as a BERT: {error}") from error
    if not hasattr(transformer, "get_input_embeddings") or not hasattr(transformer.config, "hidden_size"):
        raise ValueError(f"{name!r} is a {type(transformer).__name__}, wanted an encoder of words")
    transformer.pooler = None
    pieces = _pieces(theirs, tokenizer, name)
    known = transformer.get_input_embeddings().num_embeddings
    if int(pieces.max()) >= known:
        raise ValueError(
            f"the tokenizer of {name!r} has pieces up to number {int(pieces.max())}, its model knows {known};"
            " they belong to different models"
        )
    return Bert(_architecture(transformer.config, pieces.shape[1]), transformer.state_dict(), pieces)


def _pieces(theirs: Any, tokenizer: Tokenizer, name: str) -> Tensor:
    """The pieces of every word of our vocabulary, [vocabulary piece]."""
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    found = theirs([f" {word}" for word, _ in words], add_special_tokens=False)["input_ids"]
    unknown = theirs.unk_token_id
    specials = {
        START: ("first", theirs.cls_token_id if theirs.cls_token_id is not None else theirs.bos_token_id),
        END: ("last", theirs.sep_token_id if theirs.sep_token_id is not None else theirs.eos_token_id),
        UNKNOWN: ("unknown", unknown),
        MASKED: ("mask", theirs.mask_token_id if theirs.mask_token_id is not None else unknown),
    }
    for row, (what, token) in specials.items():
        if token is None:
            raise ValueError(f"the tokenizer of {name!r} has no {what} token, which BERT and its kin have")
        found[row] = [token]
    rows = [torch.tensor(pieces or [unknown], dtype=torch.int32) for pieces in found]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=NONE)


def _architecture(config: Any, pieces_a_word: int) -> str:
    said = {k: v for k, v in config.to_dict().items() if not k.startswith("_") and k not in UNSAID}
    return json.dumps({**said, "pieces_a_word": pieces_a_word}, sort_keys=True)
