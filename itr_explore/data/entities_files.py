"""Flickr30k Entities as it is published: `Annotations/ID.xml` and `Sentences/ID.txt` for each photo.

A sentence marks its phrases, `[/EN#7/people Two young guys] with ...`: a chain and what kinds of thing it is.
An annotation has the photo's size and for each chain its boxes, in whole pixels counted from 1, or says that
it is the scene as such (`scene`) or has none (`nobndbox`); see github.com/BryanPlummer/flickr30k_entities.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from itr_explore.data.boxes import clip_to_image, voc_to_fractions
from itr_explore.data.caption_files import decoded
from itr_explore.data.entities import ChainBoxes, Phrase, phrase_truth
from itr_explore.data.files import Misfit, read_lines, reading
from itr_explore.records import Truth

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection

BEGIN, END = "[/EN#", "]"
KEPT = 256  # photos whose annotations are kept in memory


class Marked(NamedTuple):
    """A sentence without its marks, and what they said."""

    tokens: tuple[str, ...]
    phrases: tuple[Phrase, ...]

    @property
    def text(self) -> str:
        """The sentence, a blank between two tokens."""
        return " ".join(self.tokens)


def read_entities(folder: str | Path, split: str, pictures: str | Path | None = None) -> Collection:
    """The photos that `SPLIT.txt` lists; see `Collection.from_entities`."""
    from itr_explore.data.collection import Collection
    from itr_explore.data.pictures import Pictures

    folder = _checked(folder)
    if not (folder / f"{split}.txt").is_file():
        there = sorted(path.stem for path in folder.glob("*.txt") if path.stem.islower())
        raise FileNotFoundError(
            f"there is no {folder / f'{split}.txt'}, the list of a split's photos, an id a line;"
            f" there are {', '.join(there) or 'none'}"
        )
    names = [line.strip() for line in read_lines(folder / f"{split}.txt") if line.strip()]
    sentences = [read_sentences(folder / "Sentences" / f"{name}.txt") for name in names]
    shown = Pictures(folder if pictures is None else Path(pictures), [f"{name}.jpg" for name in names])
    found = Collection(
        name=folder.resolve().name,
        split=split,
        captions=[one.text for told in sentences for one in told],
        image_of=np.repeat(np.arange(len(names)), [len(told) for told in sentences]),
        image_ids=[f"{name}.jpg" for name in names],
        open_image=shown,
        stamp_of=shown.stamp,
    )
    return found.with_entities(folder)


def truth_of_entities(collection: Collection, folder: str | Path) -> Callable[..., Truth]:
    """The function that a collection of these photos asks for truth.

    A caption is known by its letters among the sentences of its photo; one that is not there has no mentions.

    Raises:
        FileNotFoundError: the folder lacks what is published.
        ValueError: none of the collection's captions is among the sentences.
    """
    folder = _checked(folder)
    marked: dict[int, tuple[str, Marked]] = {}  # by source row
    rows = collection.source_rows[1]
    for image, name in enumerate(collection.image_ids):
        stem = Path(name).stem
        path = folder / "Sentences" / f"{stem}.txt"
        if not path.is_file():
            continue
        by_letters = {_letters(one.text): one for one in read_sentences(path)}
        for caption in collection.captions_of(image).tolist():
            one = by_letters.get(_letters(collection.captions[caption]))
            if one is not None:
                marked[int(rows[caption])] = (stem, one)
    if not marked:
        raise ValueError(
            f"no caption of {collection.name} ({collection.split}) is in {folder / 'Sentences'}, where photos"
            f" are called as in 1000092795.txt; the collection's first is {collection.image_ids[:1]}"
        )
    captions = dict(zip(rows.tolist(), collection.captions, strict=True))

    @lru_cache(maxsize=KEPT)
    def boxes_of(stem: str) -> ChainBoxes:
        return read_annotation(folder / "Annotations" / f"{stem}.xml")

    def truth_of(row: int, words: tuple[str, ...], offsets, region_boxes: np.ndarray) -> Truth:
        if row not in marked:
            return Truth((), np.zeros((len(words), len(region_boxes)), dtype=bool))
        stem, one = marked[row]
        caption = captions[row]
        tokens = _own_tokens(caption, one.tokens)
        return phrase_truth(caption, offsets, tokens, one.phrases, boxes_of(stem), region_boxes)

    return truth_of


def read_sentences(path: Path) -> list[Marked]:
    """The sentences of a photo.

    Raises:
        ValueError: a mark is not closed, or says no chain and kind.
    """
    with reading(path):
        lines = decoded(path.read_bytes())[0].splitlines()
        return [_marked(line) for line in lines if line.strip()]


def _marked(line: str) -> Marked:
    tokens: list[str] = []
    phrases: list[Phrase] = []
    opened: tuple[int, str, str] | None = None
    for token in line.split():
        if token.startswith(BEGIN):
            chain, _, kinds = token.removeprefix(BEGIN).partition("/")
            if not kinds or opened:
                raise Misfit(f"wanted [/EN#chain/kind words], got {token!r} in {line!r:.100}")
            opened = len(tokens), sys.intern(chain), sys.intern(kinds.split("/")[0])
            continue
        closes = opened is not None and token.endswith(END)
        tokens.append(sys.intern(token.removesuffix(END) if closes else token))
        if closes and opened is not None:
            phrases.append(Phrase(opened[0], len(tokens), *opened[1:]))
            opened = None
    if opened:
        raise Misfit(f"a phrase is not closed by {END} in {line!r:.100}")
    return Marked(tuple(tokens), tuple(phrases))


def read_annotation(path: Path) -> ChainBoxes:
    """Where in a photo each chain is.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no annotation, or a box does not lie inside the photo.
    """
    with reading(path):
        try:
            root = ElementTree.fromstring(path.read_bytes())
            width, height = (float(root.findtext(f"size/{side}", "nan")) for side in ("width", "height"))
            boxes, of_chain, scenes = [], {}, set()  # type: ignore[var-annotated]
            for thing in root.iter("object"):
                chains = [name.text or "" for name in thing.findall("name")]
                if thing.findtext("scene", "0") == "1":
                    scenes |= set(chains)
                place = thing.find("bndbox")
                if place is not None:
                    for chain in chains:
                        of_chain.setdefault(chain, []).append(len(boxes))
                    boxes.append(
                        [float(place.findtext(side, "nan")) for side in ("xmin", "ymin", "xmax", "ymax")]
                    )
        except ElementTree.ParseError as error:
            raise Misfit(f"it is no XML ({error}); copy it again") from error
        if not (width > 0 and height > 0):
            raise Misfit("it does not say the photo's size; wanted <size> with <width> and <height>")
    found = voc_to_fractions(np.array(boxes).reshape(-1, 4), width, height)
    return ChainBoxes(clip_to_image(found, lambda row: f"{path}: box {row + 1}"), of_chain, frozenset(scenes))


def _checked(folder: str | Path) -> Path:
    folder = Path(folder)
    for name in ("Annotations", "Sentences"):
        if not (folder / name).is_dir():
            raise FileNotFoundError(
                f"there is no folder {folder / name}; wanted Flickr30k Entities: Annotations and Sentences"
            )
    return folder


def _letters(text: str) -> str:
    """A sentence without what its editions differ in."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _own_tokens(caption: str, tokens: Sequence[str]) -> list[str]:
    """The pieces of a caption that are tokens of another edition of it with the same letters."""
    places = [place for place, letter in enumerate(caption) for _ in _letters(letter)]
    found, done = [], 0
    for token in tokens:
        count = len(_letters(token))
        found.append(caption[places[done] : places[done + count - 1] + 1] if count else "")
        done += count
    return found
