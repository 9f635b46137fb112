"""Karpathy's JSON: which images a split has, their captions, and what people linked to their boxes."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from itr_explore.data.boxes import clip_to_image, voc_to_fractions
from itr_explore.data.entities import ChainBoxes, Phrase, phrase_truth
from itr_explore.data.files import Misfit, read_json
from itr_explore.records import Truth

WANTED = "is not in the field's layout; wanted {'images': [{'filename', 'split', 'sentences': [{'raw'}]}]}"
DRAWN = (
    "wanted boxes [[x1, y1, x2, y2]], chain_boxes {chain: [row of boxes]}, objects [{'box', 'label'}] and"
    " phrases [{'span', 'chain', 'types'}] of sentences with tokens"
)
ALIASES = {"testall": "test", "dev": "val"}  # names that the field's arrays use for splits of the JSON


class Sentence(NamedTuple):
    """One caption; tokens are kept only where phrases are counted in them."""

    text: str
    tokens: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    number: int | str | None = None  # its sentid


class Described(NamedTuple):
    """One image as the JSON describes it."""

    record: dict[str, Any]  # imgid, filename, width, height ... as they stand there
    sentences: tuple[Sentence, ...]

    @property
    def name(self) -> str:
        """The image's file name."""
        return self.record["filename"]


def read_split(path: Path, split: str, restval: bool) -> tuple[list[Described], tuple[str, ...] | None]:
    """The images of a split, in the file's order, and the file's own names of object kinds if it has any.

    Raises:
        ValueError: the file is not in the field's layout, an image occurs twice, or the split is empty.
    """
    wanted = {ALIASES.get(split, split)}
    wanted |= {"restval"} if restval and "train" in wanted else set()
    seen: dict[str, int] = {}

    def slim(found: dict) -> Any:
        """Keep what is needed of each object as it is read, so that the whole file never stands in memory."""
        if "sentences" not in found:
            return found
        seen[str(found.get("split"))] = seen.get(str(found.get("split")), 0) + 1
        return _described(found) if found.get("split") in wanted else None

    try:
        told = read_json(path, slim)
        images = told["images"]
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{path} {WANTED}") from error
    if not isinstance(images, list) or any(isinstance(image, dict) for image in images):
        raise ValueError(f"{path} {WANTED}")
    found = [image for image in images if isinstance(image, Described)]
    if not found:
        there = ", ".join(f"{name} ({count:,})" for name, count in sorted(seen.items()))
        raise ValueError(f"{path} has no images in split {split!r}; its splits are {there or 'none'}")
    for key in ("imgid", "filename"):
        _want_different([image.record.get(key) for image in found], key, path)
    names = told.get("categories")
    return found, tuple(map(str, names)) if isinstance(names, list) else None


def truth_of_phrases(images: Sequence[Described], path: Path) -> Callable[..., Truth] | None:
    """The function that a `Collection` asks for truth, or None where no caption has phrases."""
    sentences = [sentence for image in images for sentence in image.sentences]
    if not any(sentence.phrases for sentence in sentences):
        return None
    image_of = np.repeat(np.arange(len(images)), [len(image.sentences) for image in images])
    boxes = _boxes_of(images, "boxes", lambda record: record.get("boxes", []), voc_to_fractions, path)

    def truth_of(row: int, words: tuple[str, ...], offsets, region_boxes: np.ndarray) -> Truth:
        image, sentence = int(image_of[row]), sentences[row]
        record = images[image].record
        scenes = frozenset(map(str, record.get("scene_chains", [])))
        chains = ChainBoxes(boxes[image], record.get("chain_boxes", {}), scenes)
        return phrase_truth(sentence.text, offsets, sentence.tokens, sentence.phrases, chains, region_boxes)

    return truth_of


def labelled_objects(images: Sequence[Described], path: Path) -> Callable[[int], tuple] | None:
    """The function that a `Collection` asks for labelled boxes, or None where the JSON has none.

    A box around many things at once is labelled, say, `person (crowd)`.
    """
    if not any("objects" in image.record for image in images):
        return None

    def pixels(record: dict) -> list:
        return [found["box"] for found in record.get("objects", [])]

    def fractions(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
        return np.asarray(boxes, np.float64).reshape(-1, 4) / (width, height, width, height)

    boxes = _boxes_of(images, "objects", pixels, fractions, path)

    def objects_of(row: int) -> tuple:
        found = images[row].record.get("objects", [])
        labels = [f"{one['label']} (crowd)" if one.get("crowd") else one["label"] for one in found]
        return tuple((label, tuple(map(float, box))) for label, box in zip(labels, boxes[row], strict=True))

    return objects_of


def image_sizes(images: Sequence[Described]) -> np.ndarray | None:
    """Widths and heights `[image 2]`, or None where the JSON does not say."""
    sizes = [(image.record.get("width"), image.record.get("height")) for image in images]
    return None if any(None in size for size in sizes) else np.array(sizes, np.float64)


def _described(found: dict) -> Described | dict:
    """An image of the JSON in our terms; as it is where it does not fit them."""
    told = found["sentences"]
    fits = isinstance(told, list) and all(
        isinstance(one, dict) and ("raw" in one or "tokens" in one) for one in told
    )
    if not fits or not isinstance(found.get("filename"), str):
        return found
    try:
        _check(found)
        return Described({**found, "sentences": None}, tuple(map(_sentence, told)))
    except Misfit as error:
        raise Misfit(f"image {found['filename']!r}: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise Misfit(f"image {found['filename']!r} cannot be understood ({reason}); {DRAWN}") from error


def _check(record: dict) -> None:
    """Refuse an image whose numbers, boxes, chains or objects are not what they should be."""
    if not isinstance(record.get("imgid"), int | str | None):
        raise Misfit(f"imgid must be a whole number or a text, got {record['imgid']!r}")
    for side in ("width", "height"):
        value = record.get(side)
        if value is not None and not (isinstance(value, int | float) and 0 < value < math.inf):
            raise Misfit(f"{side} must be a number of pixels above 0, got {value!r}; leave it out if unknown")
    objects = record.get("objects", [])
    for box in [*record.get("boxes", []), *(one["box"] for one in objects)]:
        if len(box) != 4 or not all(isinstance(value, int | float) for value in box):
            raise Misfit(f"a box must be four numbers [x1, y1, x2, y2], got {box!r}")
    for one in objects:
        if not isinstance(one["label"], str):
            raise Misfit(f"an object's label must be a text, got {one['label']!r}")
    there = len(record.get("boxes", []))
    for chain, rows in record.get("chain_boxes", {}).items():
        for row in map(operator.index, rows):
            if not 0 <= row < there:
                raise Misfit(f"chain {chain!r} names box {row}, counted from 0, of its {there} boxes")
    frozenset(map(str, record.get("scene_chains", [])))


def _sentence(found: dict) -> Sentence:
    text = found["raw"] if "raw" in found else " ".join(found["tokens"])
    if not isinstance(text, str):
        raise Misfit(f"a caption must be a text, got {text!r}")
    if not found.get("phrases"):
        return Sentence(text, number=found.get("sentid"))
    tokens, phrases = tuple(map(sys.intern, found["tokens"])), []
    for one in found["phrases"]:
        start, stop = map(operator.index, one["span"])
        if not 0 <= start < stop <= len(tokens):
            raise Misfit(f"a phrase spans tokens {start} to {stop} of the {len(tokens)} of {text!r}")
        phrases.append(Phrase(start, stop, sys.intern(str(one["chain"])), sys.intern(one["types"][0])))
    return Sentence(text, tokens, tuple(phrases), found.get("sentid"))


def _want_different(values: list, key: str, path: Path) -> None:
    given = [value for value in values if value is not None]
    if len(set(given)) != len(given):
        twice = next(value for value in given if given.count(value) > 1)
        raise ValueError(f"{path}: {key} {twice!r} occurs twice; every image needs its own")


def _boxes_of(images, key: str, pixels: Callable, to_fractions: Callable, path: Path) -> list[np.ndarray]:
    """Boxes that people drew, `[box 4]` fractions for each image, checked."""
    pieces, owners = [], []
    for image in images:
        found, record = pixels(image.record), image.record
        if found and not (record.get("width") and record.get("height")):
            raise ValueError(
                f"{path}: image {image.name!r} has {key} but no width and height to measure them by"
            )
        pieces.append(to_fractions(found, record.get("width", 1), record.get("height", 1)))
        owners += [image.name] * len(found)
    flat = np.concatenate(pieces) if pieces else np.empty((0, 4))
    checked = clip_to_image(flat, lambda row: f"{path}: one of the {key} of image {owners[row]!r}")
    return np.split(checked, np.cumsum([len(piece) for piece in pieces])[:-1])
