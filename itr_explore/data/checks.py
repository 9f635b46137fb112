"""What must hold of every collection, whatever its source; each failure is one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection


def check_collection(collection: Collection) -> None:
    """Refuse a collection whose parts do not fit each other.

    Raises:
        ValueError: says which part, of which collection, and where it can the image.
    """
    _refuse(
        collection,
        _problem_of_images(collection) or _problem_of_regions(collection) or _problem_of_captions(collection),
    )


def check_regions(collection: Collection) -> None:
    """Refuse regions that do not fit their images, boxes or labels.

    Raises:
        ValueError: says which part, of which collection, and where it can the image.
    """
    _refuse(collection, _problem_of_regions(collection))


def want_regions(*collections: Collection) -> None:
    """Refuse collections without regions, before time is spent on those that have them.

    Raises:
        ValueError: says which has none, and how it comes by them.
    """
    for collection in collections:
        if not collection.has_regions:
            raise ValueError(no_regions(collection))


def want_features_from(known: str | None, *collections: Collection) -> None:
    """Refuse collections whose features another extractor made than the one that a model knows.

    Raises:
        ValueError: says whose features were wanted and whose came.
    """
    for collection in collections:
        want_made_by(known, collection.regions_from, f"{collection.name}, {collection.split}")


def want_made_by(known: str | None, made_by: str | None, whose: str) -> None:
    """Refuse features that another extractor made than the one that a model knows; None is not known.

    Raises:
        ValueError: says whose features were wanted and whose came.
    """
    if known is not None and made_by not in (None, known):
        raise ValueError(
            f"{whose} has regions made by {made_by!r}, and the model was trained on those of {known!r};"
            " features of two extractors cannot be compared. Take collection.with_regions(...) of the same"
            " one, or train a model on these"
        )


def check_guide(collection: Collection, guide: np.ndarray, where: str = "") -> None:
    """Refuse guide vectors that are not one finite vector for each image of a collection.

    Raises:
        ValueError: says what was wanted, what came, and where it can the image.
    """
    whose, images = f"{collection.name}, {collection.split}", len(collection)
    if guide.ndim != 2 or guide.dtype.kind != "f" or len(guide) != images or not guide.shape[1]:
        raise ValueError(
            f"{whose}: wanted guide vectors [image guide], floats, one for each of its {images:,} images in"
            f" their order; got {guide.dtype} {list(guide.shape)}{where}"
        )
    bad = np.flatnonzero(~np.isfinite(guide).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{whose}: the guide vector of image {collection.image_ids[bad[0]]!r} has NaN or infinite"
            f" values{where}; compute it again or leave the image out with subset()"
        )


def no_regions(collection: Collection) -> str:
    """What to say where regions are needed and there are none yet."""
    return (
        f"{collection.name}, {collection.split} has no regions yet, only pictures and captions; make them"
        " by collection.with_regions(extractor), or give it the folder of a region store"
    )


def no_words(collection: Collection, caption: int) -> str:
    """What to say of a caption that has no words."""
    image = collection.image_ids[collection.image_of[caption]]
    return (
        f"{collection.name}, {collection.split}: a caption of image {image!r} has no words: "
        f"{collection.captions[caption]!r}; give it some or leave it out"
    )


def _problem_of_images(collection: Collection) -> str | None:
    images = len(collection.image_ids)
    if len(set(collection.image_ids)) != images:
        seen: set[str] = set()
        for name in collection.image_ids:
            if name in seen:
                return f"image id {name!r} occurs twice; every image needs its own"
            seen.add(name)
    return None


def _problem_of_captions(collection: Collection) -> str | None:
    images, captions, image_of = len(collection), len(collection.captions), collection.image_of
    if image_of.shape != (captions,):
        return f"{captions} captions but image_of is {list(image_of.shape)}"
    if captions and not 0 <= image_of.min() <= image_of.max() < images:
        return f"image_of names an image outside the {images} there are"
    ids = collection.caption_ids
    if ids is not None and not len(set(ids)) == len(ids) == captions:
        return f"wanted a caption id for each of {captions} captions, all different, got {len(set(ids))}"
    for row, caption in enumerate(collection.captions):
        if not isinstance(caption, str):
            return f"caption {row} is {type(caption).__name__}, wanted text"
        if not caption.strip():
            raise ValueError(no_words(collection, row))
    return None


def _problem_of_regions(collection: Collection) -> str | None:
    regions = collection._regions
    if regions is None:
        if collection._boxes is None and collection._label_codes is None:
            return None
        return "boxes or labels, but no regions that they are of"
    images, counts, rows = len(collection), regions.lengths, len(regions.values)
    if len(counts) != images:
        return f"{images} image ids but regions of {len(counts)} images"
    if images and not counts.min():
        return f"image {collection.image_ids[int(counts.argmin())]!r} has no regions; leave it out"
    if collection._boxes is not None and collection._boxes.shape != (rows, 4):
        return f"{rows} regions but boxes {list(collection._boxes.shape)}"
    if collection._label_codes is not None and collection._label_codes.shape != (rows,):
        return f"{rows} regions but labels {list(collection._label_codes.shape)}"
    return None


def _refuse(collection: Collection, problem: str | None) -> None:
    if problem:
        raise ValueError(f"{collection.name}, {collection.split}: {problem}")
