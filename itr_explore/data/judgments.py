"""What people said of captions and photos: grades by experts, and sentences that are nearly right.

Grades: Hodosh, Young, Hockenmaier, "Framing image description as a ranking task", JAIR 2013. A tab-separated
file with a header `image sentid expert1 expert2 expert3`: 1 the caption does not describe the photo, 2 minor
aspects only, 3 almost, 4 it does; it names sentences of a Karpathy JSON, which lies in the same folder. Hard
negatives: Hsieh et al., SugarCrepe, NeurIPS 2023, in its own files, `add_att.json` and six more, each from
numbers to `filename`, `caption` and `negative_caption`; or as `hard_negatives` of images of such a JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itr_explore.data.files import Misfit, read_json, read_lines, reading
from itr_explore.data.mistakes import minimal_foils, told
from itr_explore.data.relevance_files import number_of, rows_of_images

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection

SUGAR_CREPE = ("add_att", "add_obj", "replace_att", "replace_obj", "replace_rel", "swap_att", "swap_obj")
PUBLISHED = ("filename", "caption", "negative_caption")
KIND_OF = {"att": "attribute", "obj": "thing", "rel": "relation"}  # by how SugarCrepe's types end


@dataclass(frozen=True)
class Judgments:
    """Grades of pairs of a collection's images and captions."""

    images: np.ndarray  # [pair]  rows of the collection
    captions: np.ndarray  # [pair]
    grades: np.ndarray  # [pair expert]

    def __post_init__(self):
        pairs = len(self.images)
        if self.captions.shape != (pairs,) or self.grades.ndim != 2 or len(self.grades) != pairs:
            raise ValueError(
                f"wanted images [pair], captions [pair] and grades [pair expert], got"
                f" {list(self.images.shape)}, {list(self.captions.shape)} and {list(self.grades.shape)}"
            )


@dataclass(frozen=True)
class Negative:
    """A right sentence of an image and one that is nearly the same and false."""

    image: int  # row of the collection
    right: str
    wrong: str
    kind: str  # what is false in it: thing, attribute, relation, count, setting


def read_judgments(path: str | Path, collection: Collection) -> Judgments:
    """Experts' grades of a collection of photos; pairs that it does not have are left out.

    Args:
        path: the file; the photos' JSON lies in its folder.
        collection: what `Collection.from_karpathy` read there.

    Raises:
        ValueError: a line is not as it should be, or no pair is in the collection.
    """
    path = Path(path)
    lines = [line.split("\t") for line in read_lines(path)]
    with reading(path):
        if not lines or lines[0][:2] != ["image", "sentid"] or len(lines[0]) < 3:
            raise Misfit(
                f"wanted a header 'image sentid expert1 ...', got {lines[0] if lines else 'nothing'}"
            )
        for number, line in enumerate(lines[1:], 2):
            if len(line) != len(lines[0]) or not all(cell.strip().isdigit() for cell in line[1:]):
                raise Misfit(f"line {number}: wanted a name and {len(lines[0]) - 1} numbers, got {line}")
    caption_of = _sentences(path.parent, collection)
    image_of = {name: row for row, name in enumerate(collection.image_ids)}
    found = [
        (image_of[name], caption_of[int(sentence)], *map(int, grades))
        for name, sentence, *grades in lines[1:]
        if name in image_of and int(sentence) in caption_of
    ]
    if not found:
        raise ValueError(
            f"no pair of {path} is in {collection.name} ({collection.split}); experts judged photos of test"
        )
    table = np.array(found)
    return Judgments(table[:, 0], table[:, 1], table[:, 2:].astype(float))


def read_negatives(folder: str | Path, collection: Collection) -> tuple[Negative, ...]:
    """Hard negatives for the images of a collection, from SugarCrepe's files or a Karpathy JSON.

    Args:
        folder: with SugarCrepe's files (or one of them), or with the JSON that the collection was read from.
        collection: with images of those names; COCO's are known by their numbers, whatever stands before.

    Raises:
        FileNotFoundError: the folder has neither.
        ValueError: none of its images has any, or one is not as it should be.
    """
    files = _sugar_crepe(Path(folder))
    if files:
        return _published(files, collection)
    path, images = _json(Path(folder))
    row_of, found = {name: row for row, name in enumerate(collection.image_ids)}, []
    with reading(path):
        for image in images:
            for one in image.get("hard_negatives", []) if image["filename"] in row_of else []:
                kind = str(one.get("type", "")).rsplit("_", 1)[-1]
                if not {"type", "caption", "negative"} <= one.keys() or kind not in KIND_OF:
                    raise Misfit(
                        f"a hard negative must have a type (add_att ...), caption, negative; got {one}"
                    )
                row = row_of[image["filename"]]
                found.append(Negative(row, one["caption"], one["negative"], KIND_OF[kind]))
    if not found:
        raise ValueError(f"no image of {collection.name} ({collection.split}) has hard_negatives in {path}")
    return tuple(found)


def _sugar_crepe(place: Path) -> list[Path]:
    """SugarCrepe's files in a folder, or the one that is given."""
    if place.is_file():
        return [place]
    return sorted(path for path in place.glob("*_*.json") if path.stem in SUGAR_CREPE)


def _published(files: Sequence[Path], collection: Collection) -> tuple[Negative, ...]:
    by_name = {name: row for row, name in enumerate(collection.image_ids)}
    by_number = rows_of_images(collection.image_ids)
    found = []
    for path in files:
        kind = KIND_OF.get(path.stem.rsplit("_", 1)[-1])
        told = read_json(path)
        with reading(path):
            if kind is None or not isinstance(told, dict | list):
                raise Misfit(
                    f"wanted a file called {', '.join(SUGAR_CREPE)}: what is false is told by its name"
                )
            for one in told.values() if isinstance(told, dict) else told:
                texts = [one.get(name) for name in PUBLISHED] if isinstance(one, dict) else []
                if not texts or not all(isinstance(text, str) for text in texts):
                    raise Misfit(f"wanted entries with {', '.join(PUBLISHED)}; got {one!r:.100}")
                name, right, wrong = map(str, texts)
                row = by_name.get(name, by_number.get(number_of(name)))
                if row is not None:
                    found.append(Negative(row, right, wrong, kind))
    if not found:
        raise ValueError(
            f"no image of {collection.name} ({collection.split}) is in {files[0]}; SugarCrepe is of COCO's"
            " val2017, whose photos are spread over Karpathy's splits"
        )
    return tuple(found)


def scene_negatives(collection: Collection) -> tuple[Negative, ...]:
    """Captions of scenes and what they become by one false claim, at most one a caption and class."""
    known = told(collection)
    return tuple(
        Negative(int(image), caption.text, wrong, kind)
        for caption, image in zip(known.captions, collection.image_of, strict=True)
        for kind, wrong in minimal_foils(caption, known.scenes[image]).items()
    )


def _sentences(folder: Path, collection: Collection) -> dict[int, int]:
    """From the number of a sentence in the folder's JSON to the row of that caption."""
    path, images = _json(folder)
    row_of = {name: row for row, name in enumerate(collection.image_ids)}
    found: dict[int, int] = {}
    with reading(path):
        for image in images:
            if image["filename"] not in row_of:
                continue
            rows = collection.captions_of(row_of[image["filename"]]).tolist()
            for row, sentence in zip(rows, image["sentences"], strict=False):  # the first captions may do
                if sentence["raw"] != collection.captions[row]:
                    raise Misfit(
                        f"sentence {sentence['sentid']} is {sentence['raw']!r} there,"
                        f" {collection.captions[row]!r} in {collection.name}; read both from one folder"
                    )
                found[int(sentence["sentid"])] = row
    return found


def _json(folder: Path) -> tuple[Path, Sequence[dict[str, Any]]]:
    paths = sorted(path for end in ("json", "json.gz") for path in folder.glob(f"dataset*.{end}"))
    if len(paths) != 1:
        raise FileNotFoundError(f"wanted one dataset*.json or .json.gz in {folder}, got {len(paths)}")
    return paths[0], read_json(paths[0])["images"]
