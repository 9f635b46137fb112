"""Captions that people keep beside their photos: tables, JSON, JSON lines, Flickr's `.token`, side-car text.

What a file says is a list of names of pictures and their captions; `folder.py` finds the pictures.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from itr_explore.data.columns import SPLITS, find_columns, texts_of
from itr_explore.data.files import Misfit, reading

DELIMITERS = ",;\t|"
KINDS = (".csv", ".tsv", ".txt", ".token", ".jsonl", ".ndjson", ".json")
FILE = re.compile(r"\.\w{2,5}$")
NUMBER = re.compile(r"#\d+$")  # Flickr's files number an image's captions: `1.jpg#0`

Known = Callable[[str], Any]  # a picture's name as somebody wrote it -> the picture, or None


class Said(NamedTuple):
    """One caption as a file has it."""

    name: str  # of the picture
    text: str
    split: str | None = None


def read_captions(
    path: Path, known: Known, *, image: str | None = None, caption: str | Sequence[str] | None = None
) -> tuple[list[Said], str]:
    """The captions in a file, and a note of what was taken for what.

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
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            rows = _objects(_json_lines(text))
        elif path.suffix.lower() == ".json":
            rows = _objects(_json_rows(json.loads(text)))
        else:
            rows = _table(text, path.suffix.lower(), known)
        if not rows:
            raise Misfit("it is empty; wanted names of pictures and their captions")
    said, columns = _said(rows, str(path), known, image, caption)
    return said, f"{columns} of {path.name}{'' if encoding == 'UTF-8' else f', read as {encoding}'}"


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


def _table(text: str, suffix: str, known: Known) -> list[dict[str, Any]]:
    """The rows of a table; without a header, where its first row names a picture, columns are numbers."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    counts = {mark: min(line.count(mark) for line in lines[:20]) for mark in DELIMITERS}
    mark = "\t" if suffix in (".tsv", ".token") or counts["\t"] else max(DELIMITERS, key=lambda m: counts[m])
    if not counts[mark]:
        raise Misfit(
            f"wanted a name and a caption in each line, by comma, semicolon, tab or |; got {lines[0]!r:.60}"
        )
    quoting: Any = (
        csv.QUOTE_NONE if mark == "\t" and '"' in text and text.count('"') % 2 else csv.QUOTE_MINIMAL
    )
    try:
        read = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text), delimiter=mark, quoting=quoting)
        ]
    except csv.Error as error:
        raise Misfit(str(error)) from error
    found = [row for row in read if any(row)]
    bare = any(FILE.search(_plain(cell)) and known(_plain(cell)) is not None for cell in found[0][:-1])
    header = [str(column + 1) for column in range(min(map(len, found)))] if bare else found[0]
    rows = []
    for row in found if bare else found[1:]:
        last = len(header) - 1
        if len(row) > len(header):  # a caption with marks that nobody quoted
            row = [*row[:last], f"{mark} ".join(row[last:]) if mark == "," else mark.join(row[last:])]
        rows.append(dict(zip(header, row, strict=False)))
    return rows


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
        names = {image["id"]: image["file_name"] for image in told["images"]}
        return [
            {"filename": names.get(one["image_id"]), "caption": one["caption"]} for one in told["annotations"]
        ]
    if isinstance(told, dict) and isinstance(told.get("images"), list):  # Karpathy's
        return told["images"]
    if isinstance(told, dict):
        return [{"filename": name, "caption": value} for name, value in told.items()]
    return told


def _objects(rows: Iterable[Any]) -> list[dict[str, Any]]:
    found = list(rows)
    if not all(isinstance(row, dict) for row in found):
        raise Misfit("wanted objects with a name and captions, such as {'filename': ..., 'caption': ...}")
    return found


def _said(
    rows: list[dict[str, Any]],
    where: str,
    known: Known,
    image: str | None,
    caption: str | Sequence[str] | None,
) -> tuple[list[Said], str]:
    names = list(dict.fromkeys(name for row in rows[:100] for name in row))
    if image is None:  # the column that names most pictures
        hits = {name: sum(_is_known(row.get(name), known) for row in rows) for name in names}
        image = max(hits, key=lambda name: hits[name])
        if not hits[image]:
            raise ValueError(
                f"{where}: none of its columns ({', '.join(names)}) names a picture that is there; it begins"
                f" with {list(rows[0].values())!r:.80}"
            )
    if caption is None and len(names) == 2:
        caption = next(name for name in names if name != image)
    kinds = {name: "text" for name in names if name != image or name == caption}
    if names == [str(column + 1) for column in range(len(names))] and caption is None:
        caption = names[-1]
    columns = find_columns({**kinds, image: "text"}, where, image=image, caption=caption)
    split = columns.split if columns.split in SPLITS else None
    said = [
        Said(_plain(str(row.get(image))), text, None if split is None else str(row.get(split)))
        for row in rows
        for name in columns.captions
        for text, _ in texts_of(row.get(name))
    ]
    return said, f"captions from {' and '.join(map(repr, columns.captions))}, names from {image!r}"


def _is_known(value: Any, known: Known) -> bool:
    return isinstance(value, str | int) and known(_plain(str(value))) is not None


def _plain(name: str) -> str:
    """A picture's name without the number of a caption."""
    return NUMBER.sub("", name.strip())
