"""Words and their ids: what counts as a word, the vocabulary, and captions as padded tensors.

One splitting serves the tokenizer, the truth and the pictures, so word `j` of a caption is always row `j + 1`
of what a model reads: row 0 is `<start>`, and the row after the last word is `<end>`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor

SPECIALS = ("<pad>", "<start>", "<end>", "<unk>")  # ids 0 to 3, in the order that the field's code has them
PAD, START, END, UNKNOWN = range(4)

# Letters, marks and digits of any script, joined by inner hyphens and apostrophes; or a run of emoji.
_WORD = r"[\p{L}\p{M}\p{N}]+(?:['’‐-][\p{L}\p{M}\p{N}]+)*|\p{So}[\p{So}\p{Sk}\p{Mn}\x{200D}]*"
_SPLIT = pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)
_LOWER = normalizers.Lowercase()


def split_words(caption: str) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """The words of a caption, lower-cased, and where each stands in it.

    Punctuation is dropped; inner hyphens and apostrophes stay (`t-shirt`, `dog's`).

    Returns:
        words and offsets; `offsets[j]` is the half-open span of word `j`, in characters of `caption`.

    >>> split_words("A dog, running.")
    (('a', 'dog', 'running'), ((0, 1), (2, 5), (7, 14)))
    """
    pieces = _SPLIT.pre_tokenize_str(caption)
    words = tuple(_LOWER.normalize_str(word) for word, _ in pieces)
    return words, tuple((start, end) for _, (start, end) in pieces)


def build_tokenizer(captions: Iterable[str], min_count: int = 4) -> Tokenizer:
    """A word-level tokenizer whose vocabulary is the words that occur at least `min_count` times.

    Give it the captions of the training split only. Ids 0 to 3 are `<pad> <start> <end> <unk>`; then come the
    words, most frequent first and alphabetically where equally frequent. A caption that happens to contain
    the text `<start>` is read as the word `start`.
    """
    if isinstance(captions, str):
        raise ValueError("wanted many captions, got one string; put it in a list")
    counter = _bare_tokenizer(models.WordLevel(unk_token="<unk>"))
    trainer = trainers.WordLevelTrainer(vocab_size=2**31, min_frequency=min_count, show_progress=False)
    counter.train_from_iterator(captions, trainer)
    found = counter.get_vocab()
    words = [*SPECIALS, *sorted(found, key=found.__getitem__)]
    tokenizer = _bare_tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", START), ("<end>", END)]
    )
    return tokenizer


def encode(tokenizer: Tokenizer, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Captions as token ids, padded.

    Returns:
        ids `[caption word]` int64 and mask `[caption word]` bool, True where there is a token. A word that
        the tokenizer does not know is `<unk>`.

    Raises:
        ValueError: a caption has no words.
    """
    ids, starts = encode_flat(tokenizer, captions)
    lengths = np.diff(starts)
    if len(lengths) and lengths.min() <= 2:
        which = int(lengths.argmin())
        raise ValueError(f"caption {which} has no words: {captions[which]!r}; give it some or leave it out")
    return pad_ids(ids, starts, np.arange(len(lengths)))


def encode_flat(tokenizer: Tokenizer, captions: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Captions as one row of token ids: ids `[token]` int32 and starts `[caption + 1]`, captions end to end.

    A caption without words gives `<start> <end>` alone.
    """
    if isinstance(captions, str):
        raise ValueError("wanted a list of captions, got one string; put it in a list")
    parts, lengths = [np.empty(0, np.int32)], [0]
    for first in range(
        0, len(captions), 10_000
    ):  # so that a large collection's encodings never all stand at once
        found = [e.ids for e in tokenizer.encode_batch_fast(list(captions[first : first + 10_000]))]
        lengths.extend(map(len, found))
        parts.append(np.fromiter(itertools.chain.from_iterable(found), np.int32))
    return np.concatenate(parts), np.cumsum(lengths)


def pad_ids(ids: np.ndarray, starts: np.ndarray, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """The chosen rows of flat token ids as padded tensors: ids `[row word]` int64 and mask `[row word]`."""
    lengths = starts[rows + 1] - starts[rows]
    places = np.arange(lengths.max(initial=0))
    mask = places < lengths[:, None]
    padded = np.full(mask.shape, PAD, dtype=np.int64)
    padded[mask] = ids[(starts[rows][:, None] + places)[mask]]
    return torch.from_numpy(padded), torch.from_numpy(mask)


def _bare_tokenizer(model: models.WordLevel) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = _LOWER
    tokenizer.pre_tokenizer = _SPLIT
    return tokenizer
