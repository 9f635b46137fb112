"""Captions that people keep beside their photos: tables, JSON, JSON lines, Flickr's `.token`, side-car text.

What a file says is a list of names of pictures and their captions; `folder.py` finds the pictures.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from itr_explore.data.columns import CAPTIONS, NAMES, PICTURES, SPLITS, find_columns, texts_of
from itr_explore.data.files import Misfit, reading

DELIMITERS = ",;\t|"
KINDS = (".csv", ".tsv", ".txt", ".token", ".jsonl", ".ndjson", ".json")
FILE = re.compile(r"\.\w{2,5}$")
SAMPLE = 50  # rows that tell which mark divides a table
END = "\ue000"  # a line of it after a text shows whether a quote was left open
NUMBER = re.compile(r"#\d+$")  # Flickr's files number an image's captions: `1.jpg#0`

Known = Callable[[str], Any]  # a picture's name as somebody wrote it -> the picture, or None


class Said(NamedTuple):
    """One caption as a file has it."""

    name: str  # of the picture
    text: str
    split: str | None = None


def read_captions(
    path: Path, known: Known, *, image: str | None = None, caption: str | Sequence[str] | None = None
) -> tuple[list[Said], str, list[tuple[str, str]]]:
    """The captions in a file, a note of what was taken for what, and rows left out with the reason.

    Args:
        path: a table with or without a header (`.csv`, `.tsv`, `.txt`, `.token`), `.json` or `.jsonl`.
        known: finds the picture that a name means.
        image: the column with the pictures' names.
        caption: the column or columns with captions.

    Raises:
        ValueError: the file cannot be read, or names no picture that there is.
    """
    with reading(path):
        text, encoding = decoded(path.read_bytes())
        remark, table = "", False
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            rows = _objects(_json_lines(text))
        elif path.suffix.lower() == ".json":
            rows = _objects(_json_rows(json.loads(text)))
        else:
            table = True
            rows, remark = _table(text, path.suffix.lower(), known)
        if not rows:
            raise Misfit("it is empty; wanted names of pictures and their captions")
    said, columns, silent = _said(rows, str(path), known, image, caption, table)
    read_as = "" if encoding == "UTF-8" else f", read as {encoding}"
    return said, f"{columns} of {path.name}{read_as}{remark}", silent


def decoded(data: bytes) -> tuple[str, str]:
    """A text file's text, and the encoding it was read as: by its mark, else UTF-8, else Windows-1252."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "UTF-8"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if data.startswith(mark):
            return data.decode("utf-8-sig" if encoding == "UTF-8" else encoding), encoding
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), "Windows-1252"


def _table(text: str, suffix: str, known: Known) -> tuple[list[dict[str, Any]], str]:
    """The rows of a table, and a remark where its quotes do not close.

    Without a header, where its first row names a picture, columns are numbers.
    """
    if not text.strip():
        return [], ""
    mark = _mark(text, suffix, known)
    found, remark = _rows(text, mark, known, quoted=suffix != ".token")
    bare = any(FILE.search(_plain(cell)) and known(_plain(cell)) is not None for cell in found[0][:-1])
    header = _numbers(found, mark) if bare else _distinct(found[0])
    rows = []
    for row in found if bare else found[1:]:
        last = len(header) - 1
        if len(row) > len(header):  # a caption with marks that nobody quoted
            row = [*row[:last], f"{mark} ".join(row[last:]) if mark == "," else mark.join(row[last:])]
        rows.append(dict(zip(header, row, strict=False)))  # a short row is told by `_said`
    return rows, remark


def _mark(text: str, suffix: str, known: Known) -> str:
    """What divides a table: the mark that sets most names of pictures apart, else that is in every row."""
    often, everywhere = {}, {}
    first = "\t" if suffix in (".tsv", ".token") else ""
    for mark in DELIMITERS:
        sample = [row for row in _sample(text, mark, quoted=suffix != ".token") if any(row)]
        often[mark] = sum(any(_is_known(cell, known) for cell in row) for row in sample if len(row) > 1)
        everywhere[mark] = min(map(len, sample), default=1) - 1
    if any(often.values()):
        return max(DELIMITERS, key=lambda mark: (often[mark], mark == first, everywhere[mark]))
    if not any(everywhere.values()):
        line = next(line for line in text.splitlines() if line.strip())
        raise Misfit(
            f"wanted a name and a caption in each line, by comma, semicolon, tab or |; got {line!r:.60}"
        )
    return max(DELIMITERS, key=lambda mark: (bool(everywhere[mark]) and mark == "\t", everywhere[mark]))


def _reader(text: str, mark: str, quoted: bool) -> Iterable[list[str]]:
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark, quoting=quoting):
        yield [cell.strip() for cell in row]


def _sample(text: str, mark: str, quoted: bool) -> list[list[str]]:
    """The first rows, as far as they can be read; without quotes where a cell has no end."""
    for way in dict.fromkeys((quoted, False)):
        with suppress(csv.Error):
            return list(islice(_reader(text, mark, way), SAMPLE))
    return []


def _rows(text: str, mark: str, known: Known, quoted: bool) -> tuple[list[list[str]], str]:
    """All rows; a line at a time, and that said, where an open quote would make one caption of many rows."""
    if quoted:
        found = _closed(text, mark)
        if found is not None and not any(_swallowed(cell, mark, known) for row in found for cell in row):
            return [row for row in found if any(row)], ""
    rows = []
    try:
        for line in io.StringIO(text, newline=None):
            found = _closed(line, mark) if quoted else None
            rows += list(_reader(line, mark, False)) if found is None else found
    except csv.Error as error:
        raise Misfit(str(error)) from error
    remark = ", read a line at a time as a quote in it is never closed" if quoted else ""
    return [row for row in rows if any(row)], remark


def _closed(text: str, mark: str) -> list[list[str]] | None:
    """The rows of a text with quotes; None where one of them stays open."""
    try:
        found = list(_reader(f"{text}\n{END}", mark, True))
    except csv.Error:
        return None
    return found[:-1] if found[-1] == [END] else None


def _swallowed(cell: str, mark: str, known: Known) -> bool:
    """Whether a caption of several lines has a whole row in it."""
    lines = [line.split(mark) for line in cell.splitlines()] if "\n" in cell or "\r" in cell else []
    parts = [part.strip().strip('"') for line in lines if len(line) > 1 for part in line]
    return any(FILE.search(_plain(part)) and _is_known(part, known) for part in parts)


def _numbers(rows: list[list[str]], mark: str) -> list[str]:
    """Columns without names, as many as rows have; commas stand in captions, too, so the fewest count."""
    lengths = [len(row) for row in rows if len(row) > 1]
    width = min(lengths) if mark == "," else Counter(lengths).most_common(1)[0][0]
    return [str(column + 1) for column in range(width)]


def _distinct(header: list[str]) -> list[str]:
    """The columns' names; those that several have get a number each."""
    names: list[str] = []
    for column, name in enumerate(header):
        number = header[:column].count(name) + 1
        new = f"{name}_{number}" if header.count(name) > 1 else name
        while new in names or (new != name and new in header):
            number += len(header)
            new = f"{name}_{number}"
        names.append(new)
    return names


def _json_lines(text: str) -> Iterable[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise Misfit(f"line {number} is no JSON ({error}); wanted an object a line") from error


def _json_rows(told: Any) -> Iterable[Any]:
    """One object a picture or a caption, from what JSON files hold."""
    if isinstance(told, dict) and isinstance(told.get("annotations"), list):  # COCO's captions_*.json
        try:
            names = {image["id"]: image["file_name"] for image in told["images"]}
            return [
                {
                    "filename": names.get(one["image_id"], f"image_id {one['image_id']}"),
                    "caption": one["caption"],
                }
                for one in told["annotations"]
            ]
        except (KeyError, TypeError) as error:
            raise Misfit(
                f"it has annotations, but not as COCO's captions ({error}); wanted images with id and"
                " file_name, and annotations with image_id and caption"
            ) from error
    if isinstance(told, dict) and isinstance(told.get("images"), list):  # Karpathy's
        return told["images"]
    if isinstance(told, dict):
        return [{"filename": name, "caption": value} for name, value in told.items()]
    return told


def _objects(rows: Iterable[Any]) -> list[dict[str, Any]]:
    found = list(rows) if isinstance(rows, Iterable) else [rows]
    if not all(isinstance(row, dict) for row in found):
        raise Misfit("wanted objects with a name and captions, such as {'filename': ..., 'caption': ...}")
    return found


def _said(
    rows: list[dict[str, Any]],
    where: str,
    known: Known,
    image: str | None,
    caption: str | Sequence[str] | None,
    table: bool,
) -> tuple[list[Said], str, list[tuple[str, str]]]:
    names = list(dict.fromkeys(name for row in rows[:100] for name in row))
    if image is None:
        image = _naming(rows, names, where, known, caption)
    if caption is None and len(names) == 2:
        caption = next(name for name in names if name != image)
    kinds = {name: "text" for name in names if name != image or name == caption}
    if names == [str(column + 1) for column in range(len(names))] and caption is None:
        caption = names[-1]
    columns = find_columns({**kinds, image: "text"}, where, image=image, caption=caption)
    split = columns.split if columns.split in SPLITS else None
    said, silent = [], []
    for number, row in enumerate(rows, 1):
        if row.get(image) is None:
            silent.append((f"row {number}", f"names no picture in {image!r}"))
            continue
        name = _plain(str(row.get(image)))
        try:
            texts = [text for column in columns.captions for text, _ in texts_of(row.get(column))]
        except ValueError as error:
            raise ValueError(f"{where}, row {number}, of {name!r}: {error}") from error
        part = row.get(split) if split is not None else None
        said += [Said(name, text, None if part in (None, "") else str(part)) for text in texts]
        if not texts and table:  # of JSON a picture may well have none
            silent.append((name, f"row {number} has no caption: it has {len(row)} of {len(names)} columns"))
    note = f"captions from {' and '.join(map(repr, columns.captions))}, names from {image!r}"
    return said, note, silent


def _naming(
    rows: list[dict[str, Any]],
    names: list[str],
    where: str,
    known: Known,
    caption: str | Sequence[str] | None,
) -> str:
    """The column that names most pictures, with `.jpg` and the like if any does.

    A number can be a picture's name without its end by chance, so that one is only taken where no other
    column could be meant.
    """
    said = {caption} if isinstance(caption, str) else set(caption or ())
    asked = [name for name in names if name not in said] or names
    pictures = {
        name: [known(_plain(str(row[name]))) if _is_known(row.get(name), known) else None for row in rows]
        for name in asked
    }
    with_end = {
        name: sum(
            picture is not None and FILE.search(_plain(str(row[name]))) is not None
            for row, picture in zip(rows, found, strict=True)
        )
        for name, found in pictures.items()
    }
    hits = {name: sum(picture is not None for picture in found) for name, found in pictures.items()}
    if not any(hits.values()):
        raise ValueError(
            f"{where}: none of its columns ({', '.join(names)}) names a picture that is there; it begins"
            f" with {list(rows[0].values())!r:.80}"
        )

    def likely(name: str) -> int:
        return (name.lower() in NAMES + PICTURES) - (name.lower() in CAPTIONS)

    best = max(asked, key=lambda name: (with_end[name], hits[name], likely(name)))
    rank = (with_end[best], hits[best], likely(best))
    for other in asked:
        equal = (with_end[other], hits[other], likely(other)) == rank
        named = not with_end[best] and hits[other] and likely(other) > likely(best)
        if other != best and pictures[other] != pictures[best] and (equal or named):
            raise ValueError(
                f"{where}: {best!r} and {other!r} could both be the names of pictures; say which one by"
                " image='...'"
            )
    return best


def _is_known(value: Any, known: Known) -> bool:
    return isinstance(value, str | int) and known(_plain(str(value))) is not None


def _plain(name: str) -> str:
    """A picture's name without the number of a caption."""
    return NUMBER.sub("", name.strip())
