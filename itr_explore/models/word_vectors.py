"""Word vectors that were learned elsewhere (GloVe, word2vec, fastText), from a file into a model."""

from __future__ import annotations

import gzip
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from itr_explore.nn.encoders import UNKNOWN, WordEncoder

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel


def load_word_vectors(model: RetrievalModel, file: str | os.PathLike) -> int:
    """Fill a model's word vectors from a file; training goes on from there.

    Words of the vocabulary that the file lacks keep their random vectors. The vocabulary is lower-case.

    Args:
        model: one whose words are read by a GRU or LSTM.
        file: lines `word v1 v2 ...`, plain or `.gz`, with or without a first line that counts words and
            numbers (word2vec, fastText); or a `.npz` with `words` [word] and `vectors` [word dim].

    Returns:
        how many words of the vocabulary were found.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: vectors of another length than the model's, no word in common, or a broken line.
    """
    path = Path(file)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} to read word vectors from")
    tables = [module.vectors for module in model.modules() if isinstance(module, WordEncoder)]
    if not tables:
        raise ValueError(
            f"this {model.name} has no word vectors, as its reader is {model.config.reader!r}; create it with"
            ' reader="gru" or "lstm"'
        )
    if model.tokenizer is None:
        raise ValueError(
            f"this {model.name} has no tokenizer, so its words are not known; create it with one"
        )
    vocabulary = {word: row for word, row in model.tokenizer.get_vocab().items() if row > UNKNOWN}
    found: dict[int, np.ndarray] = {}
    try:
        vectors = _of_arrays if path.suffix == ".npz" else _of_lines
        for word, vector in vectors(path, vocabulary.keys(), tables[0].embedding_dim):
            found.setdefault(vocabulary[word], vector)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read ({error}); copy or download it again") from error
    if not found:
        raise ValueError(
            f"{path} has none of the {len(vocabulary):,} words of this model; wanted lower-case words of the"
            " captions' language"
        )
    rows = torch.tensor(list(found))
    with torch.no_grad():
        for table in tables:
            values = torch.from_numpy(np.stack(list(found.values())))
            table.weight[rows] = values.to(table.weight)
    return len(found)


def _of_lines(path: Path, wanted, width: int) -> Iterator[tuple[str, np.ndarray]]:
    """The wanted words of a text file and their vectors."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            word, *told = line.rstrip().split(" ", 1)
            numbers = told[0].count(" ") + 1 if told else 0
            if number == 1:
                header = re.fullmatch(r"\d+ (\d+)", line.rstrip())
                _want_width(path, int(header[1]) if header else numbers, width)
                if header:
                    continue
            if numbers > width:  # a "word" with a space in it, which is none of ours
                continue
            if numbers < width:
                raise ValueError(f"{path}, line {number}: wanted a word and {width} numbers, got {numbers}")
            if word in wanted:
                yield word, _numbers(path, number, told[0])


def _numbers(path: Path, line: int, told: str) -> np.ndarray:
    try:
        vector = np.array(told.split(" "), dtype=np.float32)
    except ValueError as error:
        raise ValueError(f"{path}, line {line}: {error}") from error
    if not np.isfinite(vector).all():
        raise ValueError(f"{path}, line {line}: a number is NaN or infinite")
    return vector


def _of_arrays(path: Path, wanted, width: int) -> Iterator[tuple[str, np.ndarray]]:
    """The wanted words of a `.npz` and their vectors."""
    with np.load(path, allow_pickle=False) as arrays:
        if not {"words", "vectors"} <= set(arrays.files):
            raise ValueError(f"{path} holds {sorted(arrays.files)}; wanted the arrays words and vectors")
        words, vectors = arrays["words"], arrays["vectors"]
    if vectors.ndim != 2 or words.shape != (len(vectors),):
        raise ValueError(
            f"{path}: wanted words [word] and vectors [word dim], got {list(words.shape)} and"
            f" {list(vectors.shape)}"
        )
    _want_width(path, vectors.shape[1], width)
    for row, word in enumerate(words.tolist()):
        if word in wanted:
            if not np.isfinite(vectors[row]).all():
                raise ValueError(f"{path}: the vector of {word!r} holds NaN or infinite numbers")
            yield word, vectors[row].astype(np.float32)


def _want_width(path: Path, there: int, width: int) -> None:
    if there != width:
        raise ValueError(
            f"{path} has vectors of {there} numbers, this model's words have {width};"
            f" create the model with word_dim={there}, or take another file"
        )
