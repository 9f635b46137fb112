"""Where do systems disagree? Every caption of a collection with its image, as each system ranks the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from itr_explore.evaluation.encoding import score_matrix
from itr_explore.evaluation.ranking import rank_among, slices
from itr_explore.records import ShownAsTable, Table

if TYPE_CHECKING:
    import pandas as pd

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

Direction = Literal["text_to_image", "image_to_text"]
AT_ONCE = 256  # captions that are ranked together


@dataclass(frozen=True, repr=False)
class Disagreements(ShownAsTable):
    """Each caption and its own image in the eyes of several systems.

    Ranks count from 0 and are the mean over ties. A system is *right* about a caption where no wrong answer
    ranks before the right one: among all images for the caption (`text_to_image`), or among this caption and
    those of other images for the image (`image_to_text`).
    """

    models: tuple[str, ...]
    direction: Direction
    captions: tuple[str, ...]
    image_ids: tuple[str, ...]
    image_of: np.ndarray  # [caption]
    number_of: np.ndarray  # [caption]  which of its image's captions it is, from 0
    scores: np.ndarray  # [model caption]  of the caption with its own image
    image_ranks: np.ndarray  # [model caption]  of the image among all images, for the caption
    caption_ranks: np.ndarray  # [model caption]  of the caption among those of other images, for the image

    def __post_init__(self):
        wanted = (len(self.models), len(self.captions))
        for name in ("scores", "image_ranks", "caption_ranks"):
            if getattr(self, name).shape != wanted:
                raise ValueError(
                    f"{name} must be [model caption] {list(wanted)}, got {list(getattr(self, name).shape)}"
                )

    @property
    def ranks(self) -> np.ndarray:
        """[model caption] in the chosen direction."""
        return self.image_ranks if self.direction == "text_to_image" else self.caption_ranks

    @property
    def right(self) -> np.ndarray:
        """[model caption] bool: the right answer comes first."""
        return self.ranks <= 0

    @property
    def groups(self) -> dict[str, np.ndarray]:
        """Rows of captions by who is right about them, the clearest first: those with the largest ranks."""
        right, models = self.right, self.models
        if len(models) == 2:
            named = {
                f"{models[0]} right, {models[1]} wrong": right[0] & ~right[1],
                f"{models[1]} right, {models[0]} wrong": right[1] & ~right[0],
                "both wrong": ~right.any(axis=0),
                "both right": right.all(axis=0),
            }
        else:
            count = right.sum(axis=0)
            named = {f"only {name} right": right[at] & (count == 1) for at, name in enumerate(models)}
            named |= {
                f"only {name} wrong": ~right[at] & (count == len(models) - 1)
                for at, name in enumerate(models)
            }
            named |= {"all wrong": count == 0, "all right": count == len(models)}
            some = (count > 1) & (count < len(models) - 1)
            if some.any():
                named["some right"] = some
        order = np.argsort(-self.ranks.sum(axis=0), kind="stable")
        return {name: order[inside[order]] for name, inside in named.items()}

    def row(self, image: int, caption: int) -> int:
        """The row of an image's caption, which is counted within its image.

        Raises:
            IndexError: there is none.
        """
        found = np.flatnonzero((self.image_of == image) & (self.number_of == caption))
        if not len(found):
            of = int((self.image_of == image).sum())
            raise IndexError(
                f"there is no caption {caption} of image {image}: there are {len(self.image_ids)} images,"
                f" and {of} captions of this one; both count from 0"
            )
        return int(found[0])

    def table(self) -> Table:
        """How many captions there are in each group."""
        groups = self.groups
        whole = max(len(self.captions), 1)
        rows = tuple((name, len(found), 100 * len(found) / whole) for name, found in groups.items())
        asked = "its image" if self.direction == "text_to_image" else "the caption, for its image,"
        return Table(
            ("who", "captions", "per cent"),
            rows,
            f"{' and '.join(self.models)}: who ranks {asked} first",
            f"{len(self.captions)} captions of {len(self.image_ids)} images; ties count as behind",
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each caption: its image, its group, and each system's score and ranks (from 0)."""
        import pandas as pd

        group = np.empty(len(self.captions), dtype=object)
        for name, rows in self.groups.items():
            group[rows] = name
        columns = {
            "image": self.image_of,
            "image id": [self.image_ids[image] for image in self.image_of],
            "number": self.number_of,
            "caption": self.captions,
            "who": group,
        }
        for at, name in enumerate(self.models):
            columns[f"{name}: score"] = self.scores[at]
            columns[f"{name}: image rank"] = self.image_ranks[at]
            columns[f"{name}: caption rank"] = self.caption_ranks[at]
        return pd.DataFrame(columns)


def disagreements(
    models: Mapping[str, RetrievalModel],
    collection: Collection,
    *,
    scores: Mapping[str, np.ndarray] | None = None,
    direction: Direction = "text_to_image",
    device: str = "auto",
) -> Disagreements:
    """Rank every caption and its image by each system; one score matrix is held at a time.

    Args:
        models: two or more, by the names they are told by.
        scores: `[image caption]` of some of them, where they are known (`score_matrix`).
        direction: which rank decides who is right (see `Disagreements`).
        device: "auto" is a GPU where there is one.

    Raises:
        ValueError: fewer than two systems, scores of another shape or of a system that is not there, NaN.
    """
    if len(models) < 2:
        raise ValueError(f"wanted two systems or more to compare, got {list(models) or 'none'}")
    if direction not in get_args(Direction):
        raise ValueError(f"direction must be {' or '.join(get_args(Direction))}, got {direction!r}")
    known = dict(scores or {})
    if not known.keys() <= models.keys():
        raise ValueError(f"scores of {sorted(known.keys() - models.keys())}, which is none of {list(models)}")
    found = []
    for name, model in models.items():
        matrix = known[name] if name in known else score_matrix(model, collection, device=device)
        found.append(_ranked(name, np.asarray(matrix), collection.image_of, len(collection)))
    own, of_images, of_captions = (np.stack(values) for values in zip(*found, strict=True))
    number = np.zeros(len(collection.captions), dtype=np.int64)
    for image in range(len(collection)):
        rows = collection.captions_of(image)
        number[rows] = np.arange(len(rows))
    return Disagreements(
        tuple(models),
        direction,
        tuple(collection.captions),
        tuple(collection.image_ids),
        collection.image_of,
        number,
        own,
        of_images,
        of_captions,
    )


def _ranked(name: str, scores: np.ndarray, image_of: np.ndarray, images: int) -> tuple[np.ndarray, ...]:
    """[caption] each: its score with its image, that image's rank, and its own among wrong captions."""
    if scores.shape != (images, len(image_of)):
        raise ValueError(
            f"scores of {name} must be [image caption] {[images, len(image_of)]}, got {list(scores.shape)}"
        )
    if np.isnan(scores).any():
        raise ValueError(f"scores of {name} hold NaN; look at its weights and at the features")
    captions = np.arange(len(image_of))
    own = scores[image_of, captions]
    of_images, of_captions = np.empty(len(image_of)), np.empty(len(image_of))
    for at in slices(len(image_of), AT_ONCE):
        mine = image_of[at][:, None]
        of_images[at] = rank_among(scores[:, at].T, mine == np.arange(images))
        itself = captions[at][:, None] == captions
        others = np.where((mine == image_of) & ~itself, -np.inf, scores[image_of[at]])
        of_captions[at] = rank_among(others, itself)
    return own.astype(np.float64), of_images, of_captions
