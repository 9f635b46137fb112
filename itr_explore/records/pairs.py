"""Images and captions: as batches for a model, and one of each with what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.records.checks import want, want_shape

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Images and captions as tensors, padded, with masks; which caption describes which image is said.

    Nothing assumes five captions an image, 36 regions, or equal counts. Where several processes share a
    batch, what has a row for each image holds those of one process, and all captions are there.
    """

    regions: Tensor  # [image region feature]  float
    region_mask: Tensor  # [image region]  bool
    words: Tensor  # [caption word]  token ids
    word_mask: Tensor  # [caption word]  bool
    image_of: Tensor  # [caption]  the row of `regions` each caption describes; ~row of a caption: its foil
    boxes: Tensor | None = None  # [image region 4]  zeros where padded
    guide: Tensor | None = None  # [image guide]  one outside vector an image (CLIP, say)
    image_ids: Tensor | None = None  # [image]  each image's row in its collection, the same in every batch
    images_in_all: int | None = None  # of a shared batch; `image_of` counts them

    def __post_init__(self):
        images, regions = self.region_mask.shape
        captions, words = self.word_mask.shape
        want_shape("regions", self.regions, (images, regions, "feature"))
        want_shape("words", self.words, (captions, words))
        want_shape("image_of", self.image_of, (captions,))
        if self.boxes is not None:
            want_shape("boxes", self.boxes, (images, regions, 4))
        if self.guide is not None:
            want_shape("guide", self.guide, (images, "guide"))
        if self.image_ids is not None:
            want_shape("image_ids", self.image_ids, (images,))

    @property
    def image_count(self) -> int:
        """How many images there are, also those of other processes."""
        return len(self.regions) if self.images_in_all is None else self.images_in_all

    def to(self, device) -> Batch:
        """The same batch on another device."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: t.to(device) for name, t in moved.items() if hasattr(t, "to")})


@dataclass(frozen=True)
class Encoded:
    """One side of a batch after its encoder: a pooled vector an item, its fragments, and which are real."""

    vectors: Tensor  # [item dim]
    parts: Tensor  # [item part dim]
    mask: Tensor  # [item part]

    def __post_init__(self):
        items, parts = self.mask.shape
        want_shape("vectors", self.vectors, (items, "dim"))
        want_shape("parts", self.parts, (items, parts, "dim"))

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, rows) -> Encoded:
        """The items that a slice, a list or a mask chooses."""
        return Encoded(self.vectors[rows], self.parts[rows], self.mask[rows])

    def to(self, device) -> Encoded:
        """The same on another device."""
        return Encoded(self.vectors.to(device), self.parts.to(device), self.mask.to(device))


@dataclass(frozen=True)
class Mention:
    """Some words of a caption and the things in the image they name."""

    words: tuple[int, ...]  # positions in the caption's words
    boxes: np.ndarray  # [box 4]  one for each thing named; empty where nothing in the image can be boxed
    kind: str = "thing"  # thing, attribute, count, setting ... or a collection's own phrase type

    def __post_init__(self):
        want(len(self.words) > 0, "a mention needs at least one word")
        want_shape("boxes", self.boxes, ("box", 4))


@dataclass(frozen=True)
class Relation:
    """A relation that a caption states: `subject predicate objects`, each an index into `Truth.mentions`."""

    subject: int
    predicate: str
    objects: tuple[int, ...]  # one, or two for "between"
    words: tuple[int, ...] = ()  # the words that say the predicate


@dataclass(frozen=True)
class Truth:
    """What is known of one pair: what its words name, and which relations it states."""

    mentions: tuple[Mention, ...]
    word_regions: np.ndarray  # [word region]  bool: the region covers (IoU >= 0.5) something the word names
    relations: tuple[Relation, ...] = ()

    def __post_init__(self):
        words = self.word_regions.shape[0]
        want_shape("word_regions", self.word_regions, ("word", "region"))
        for mention in self.mentions:
            want(
                max(mention.words) < words, f"a mention names word {max(mention.words)} of only {words} words"
            )
        for relation in self.relations:
            last = max(relation.subject, *relation.objects)
            want(last < len(self.mentions), f"a relation names mention {last} of only {len(self.mentions)}")


@dataclass(frozen=True)
class Example:
    """One image with its regions and all its captions, as a collection hands it out."""

    image_id: str
    image: Image | None
    regions: np.ndarray  # [region feature]  float32
    boxes: np.ndarray | None  # [region 4]
    captions: tuple[str, ...]

    def __post_init__(self):
        want_shape("regions", self.regions, ("region", "feature"))
        if self.boxes is not None:
            want_shape("boxes", self.boxes, (len(self.regions), 4))


@dataclass(frozen=True)
class Pair:
    """One picture and one sentence: what every explanation starts from."""

    image_id: str
    image: Image | None
    regions: np.ndarray  # [region feature]  float32
    boxes: np.ndarray | None  # [region 4]
    caption: str
    words: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]  # where each word stands in the caption, in characters
    truth: Truth | None = None
    labels: tuple[str, ...] = ()  # what a detector called each region; empty if unknown
    guide: np.ndarray | None = None
    regions_from: str | None = None  # which extractor made the regions, where that is known

    def __post_init__(self):
        want_shape("regions", self.regions, ("region", "feature"))
        if self.boxes is not None:
            want_shape("boxes", self.boxes, (len(self.regions), 4))
        want(len(self.words) == len(self.offsets), f"{len(self.words)} words but {len(self.offsets)} offsets")
        if self.truth is not None:
            want_shape("truth.word_regions", self.truth.word_regions, (len(self.words), len(self.regions)))
