"""Which column of a table holds pictures, captions and names, and what its values say.

The sets in use agree on little: captions are one text a row, a list of texts, columns `caption_0` to
`caption_4`, or records with `raw`; an image has one row, or one for each of its captions. Columns are found
by their types and names; what was found stands in a collection's line, and can be said instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CAPTIONS = (
    "caption",
    "captions",
    "sentences",
    "sentence",
    "text",
    "texts",
    "alt_text",
    "description",
    "comment",
)
NUMBERED = re.compile(r"(caption|captions|sentence|text|description)[_ ]?\d+")
PICTURES = ("image", "img", "jpg", "jpeg", "png", "picture", "photo", "image_path", "image_file")
NAMES = (
    *("filename", "file_name", "image_name", "image_id", "img_id", "imgid", "cocoid", "image_path"),
    *("image_file", "image_url", "url"),
)
SPLITS = ("split", "karpathy_split")
SENTENCES = ("sentids", "sentid", "sentence_id", "caption_id", "caption_ids")
TEXTS = ("raw", "caption", "text", "sentence")  # of a record, where its text may stand
NUMBERS = ("sentid", "id", "caption_id")
SAME_SPLIT = ({"val", "validation", "valid", "dev"}, {"test", "testall", "testing"}, {"train", "training"})


@dataclass(frozen=True)
class Columns:
    """Where in a table what stands."""

    captions: tuple[str, ...]
    image: str | None
    image_id: str | None
    split: str | None
    sentence_ids: str | None
    by_picture: bool = False  # rows of one picture are one image, as no name says so

    def key(self, cells: Mapping[str, Any], row: int) -> Any:
        """What all rows of an image have in common."""
        if self.image_id and cells[self.image_id] is not None:
            return str(cells[self.image_id])
        value = cells[self.image] if self.by_picture and self.image else None
        if isinstance(value, Mapping):
            value = value.get("bytes") or value.get("path")
        if isinstance(value, bytes):
            return hashlib.blake2b(value, digest_size=16).digest()
        return f"row {row}" if value is None else str(value)

    @property
    def note(self) -> str:
        """The choice in words, for a reader to check."""
        told = [
            f"captions from {' and '.join(map(repr, self.captions))}" if self.captions else "",
            f"pictures from {self.image!r}" if self.image else "no pictures",
            f"names from {self.image_id!r}" if self.image_id else "",
            f"splits from {self.split!r}" if self.split else "",
        ]
        return ", ".join(filter(None, told))

    @property
    def small(self) -> list[str]:
        """What has to be read to know images and captions."""
        named = [*self.captions, self.image_id, self.split, self.sentence_ids]
        named += [self.image] if self.by_picture else []
        return list(dict.fromkeys(name for name in named if name))


def find_columns(
    kinds: Mapping[str, str],
    where: str,
    *,
    image: str | None = None,
    caption: str | Sequence[str] | None = None,
    image_id: str | None = None,
    split_column: str | None = None,
) -> Columns:
    """The columns of a table, those that are said and the others by their names and types.

    Args:
        kinds: of each column: image, bytes, text or other.
        where: the table, for messages.
        image, caption, image_id, split_column: what a reader says they are; `caption=()` wants none.

    Raises:
        ValueError: a column that was said does not exist, or nothing looks like captions.
    """
    said = [caption] if isinstance(caption, str) else list(caption or ())
    for name in (*said, image, image_id, split_column):
        if name is not None and name not in kinds:
            raise ValueError(f"{where} has no column {name!r}; its columns are {', '.join(kinds)}")
    lower = {name.lower(): name for name in reversed(list(kinds))}

    def first(names: Sequence[str], *allowed: str) -> str | None:
        found = (lower[name] for name in names if name in lower)
        return next((name for name in found if not allowed or kinds[name] in allowed), None)

    if image is None:
        drawn = [name for name, kind in kinds.items() if kind == "image"]
        named = first(PICTURES, "image") or first(PICTURES, "bytes", "text")
        image = named or (drawn[0] if drawn else None)
    if caption is None:
        numbered = sorted(
            (name for name in kinds if NUMBERED.fullmatch(name.lower())),
            key=lambda name: int(re.findall(r"\d+", name)[-1]),
        )
        one = first(CAPTIONS, "text", "other")
        said = numbered if numbered and one is None else [one] if one else []
        if not said:
            raise ValueError(
                f"{where} has no column that looks like captions; its columns are"
                f" {', '.join(f'{name} ({kind})' for name, kind in kinds.items())}. Say which one by"
                " caption='...', or caption=() where there are none"
            )
    taken = {*said, image} - set(NAMES)
    name = image_id or first([name for name in NAMES if lower.get(name) not in taken], "text", "other")
    return Columns(
        captions=tuple(said),
        image=image,
        image_id=name,
        split=split_column or first(SPLITS, "text"),
        sentence_ids=first([name for name in SENTENCES if lower.get(name) not in taken]),
        by_picture=name is None and image is not None and len(said) == 1 and kinds[said[0]] == "text",
    )


def kinds_of(features: Mapping[str, Any]) -> dict[str, str]:
    """What each column holds: image, bytes, text or other.

    Args:
        features: of `datasets`, by the columns' names.
    """
    from datasets import Image, Value

    def kind(feature: Any) -> str:
        if isinstance(feature, Image) or (isinstance(feature, Mapping) and {"bytes", "path"} <= set(feature)):
            return "image"
        if not isinstance(feature, Value):
            return "other"
        plain = feature.dtype.removeprefix("large_")
        return {"binary": "bytes", "string": "text"}.get(plain, "other")

    return {name: kind(feature) for name, feature in features.items()}


def split_names(split: str, restval: bool = False) -> set[str]:
    """What the same split is called elsewhere; with `restval` Karpathy's belongs to train."""
    found = {split, *next((names for names in SAME_SPLIT if split in names), set())}
    return found | {"restval"} if restval and "train" in found else found


def texts_of(value: Any) -> list[tuple[str, Any]]:
    """The captions that a cell holds, each with its number where that stands beside it.

    Raises:
        ValueError: it holds something else.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return [(value, None)]
    if isinstance(value, Mapping):
        text = next((value[key] for key in TEXTS if key in value), None)
        number = next((value[key] for key in NUMBERS if key in value), None)
        if isinstance(text, str):
            return [(text, number)]
        if isinstance(text, list | tuple):  # a record of lists
            numbers = number if isinstance(number, list | tuple) else [None] * len(text)
            return list(zip(text, numbers, strict=False))
    if isinstance(value, list | tuple):
        return [found for one in value for found in texts_of(one)]
    raise ValueError(
        f"wanted a caption, captions or records with a raw text, got {type(value).__name__}: {value!r:.60}"
    )
