"""Images, their regions and their captions: one type, whatever the source."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from itr_explore.data.checks import check_collection, check_guide, check_regions, no_regions, no_words
from itr_explore.data.files import map_array
from itr_explore.data.origin import Origin
from itr_explore.data.ragged import Ragged
from itr_explore.data.text import encode_flat, split_words
from itr_explore.data.thumbnails import gallery, summary
from itr_explore.records import Example, Pair, Truth

if TYPE_CHECKING:
    from PIL.Image import Image
    from tokenizers import Tokenizer

    from itr_explore.data.extract import Extractor

NO_BOXES = np.zeros((0, 4), np.float32)


class Collection:
    """Images with regions and captions, any number of either; pictures and truth are fetched when asked for.

    Regions may come later: until then pictures and captions can be looked at, and all that needs regions says
    so. Made by `scenes`, `from_karpathy`, `from_hub` and `from_folder`; a new source calls the constructor,
    all by keyword. A callable is given a *source row*: the row that an image or a caption had when the
    collection was made, which stays the same in every `subset`.

    Args:
        name: of the collection, as a reader knows it.
        split: train, val, test ...
        captions: all captions, each with a word at least.
        image_of: `[caption]`, the image that each caption describes.
        image_ids: one an image, all different.
        regions: features of all images' regions; None where nobody has made them yet (`has_regions`).
        boxes: `[row 4]` `x1 y1 x2 y2`, one a row of `regions.values`: fractions of width and height (float),
            or those times 65535 (uint16).
        label_codes: `[row]` integers, what a detector called each region.
        label_names: the word for each label code.
        open_image: image row -> picture, or None where there is none.
        truth_of: caption row, its words, their offsets, its image's boxes `[region 4]` -> what is known of
            the pair.
        objects_of: image row -> labelled boxes that people drew, `(label, (x1, y1, x2, y2))`.
        foils_of: caption row -> sentences that are nearly the caption and false of its image.
        stamp_of: image row -> a text that changes whenever the picture does, without opening it.
        caption_ids: the captions' own numbers or names at their source, all different.
        source: what the rows are rows of, for those who know its kind.

    Raises:
        ValueError: the parts do not fit each other; the message names what.
    """

    _tokens: tuple[Tokenizer, np.ndarray, np.ndarray] | None
    _foil_tokens: tuple[Tokenizer, np.ndarray, np.ndarray, np.ndarray] | None

    def __init__(
        self,
        *,
        name: str,
        split: str,
        captions: Sequence[str],
        image_of: np.ndarray,
        image_ids: Sequence[str],
        regions: Ragged | None = None,
        boxes: np.ndarray | None = None,
        label_codes: np.ndarray | None = None,
        label_names: Mapping[int, str] | Sequence[str] | None = None,
        open_image: Callable[[int], Image | None] | None = None,
        truth_of: Callable[[int, tuple[str, ...], tuple[tuple[int, int], ...], np.ndarray], Truth]
        | None = None,
        objects_of: Callable[[int], tuple[tuple[str, tuple[float, ...]], ...]] | None = None,
        foils_of: Callable[[int], tuple[str, ...]] | None = None,
        stamp_of: Callable[[int], str] | None = None,
        caption_ids: Sequence[int | str] | None = None,
        source: object = None,
    ):
        self.name, self.split = name, split
        self.captions, self.image_ids = list(captions), list(image_ids)
        self.image_of = np.asarray(image_of, dtype=np.int64)
        self._regions, self._boxes = regions, boxes
        self._label_codes, self._label_names = label_codes, label_names
        self._open_image, self._truth_of, self._objects_of = open_image, truth_of, objects_of
        self._foils_of, self._stamp_of, self.source = foils_of, stamp_of, source
        self.caption_ids = None if caption_ids is None else list(caption_ids)
        self._guide: Ragged | None = None
        self.regions_from: str | None = None  # which extractor made the regions, where that is known
        check_collection(self)
        self._image_rows, self._caption_rows = np.arange(len(self)), np.arange(len(self.captions))
        self._index_captions()

    @classmethod
    def scenes(cls, split: str = "train", size: int | None = None, seed: int = 0) -> Collection:
        """The embedded collection: drawn scenes whose truth is known; made once, then read from the cache.

        Args:
            split: train, val, test, swap or compose.
            size: how many images; by default the split's own size.
            seed: another seed gives other scenes.
        """
        from itr_explore.data.scenes.load import load_scenes

        return load_scenes(split, size, seed)

    @classmethod
    def from_karpathy(
        cls,
        folder: str | Path,
        split: str = "test",
        *,
        restval: bool = False,
        captions_per_image: int | None = None,
        guide: str | Path | None = None,
    ) -> Collection:
        """A split of a folder in the field's layout: see `data/karpathy.py` for the files it may hold.

        Args:
            folder: where the files are.
            split: train, val, test; `testall` and `dev` are understood as the names of test and val.
            restval: let the images that Karpathy calls `restval` count as training images.
            captions_per_image: keep only the first so many captions of each image; by default all.
            guide: a `.npy` of guide vectors `[image guide]`, in the order of the images (see `with_guide`).
        """
        from itr_explore.data.karpathy import load_karpathy

        found = load_karpathy(folder, split, restval=restval, captions_per_image=captions_per_image)
        return found if guide is None else found.with_guide(guide)

    @classmethod
    def from_hub(
        cls,
        name: str | Path,
        split: str = "test",
        *,
        config: str | None = None,
        image: str | None = None,
        caption: str | Sequence[str] | None = None,
        image_id: str | None = None,
        split_column: str | None = None,
        restval: bool = False,
        captions_per_image: int | None = None,
        limit: int | None = None,
        streaming: bool = False,
        pictures: str | Path | None = None,
        revision: str | None = None,
        cache: str | Path | None = None,
        skip_damaged: bool = False,
        guide: str | Path | None = None,
    ) -> Collection:
        """A split of an image-caption set in the formats of `datasets`; it has no regions yet.

        Columns are found by their types and names; the collection's line says which, and each can be said
        instead. An image may have one caption or a list of them, columns `caption_0` to `caption_4`, records
        with `raw`, or a row for each caption. Pictures are opened when asked for.

        Args:
            name: "owner/name" on the Hugging Face hub, a folder of `save_to_disk`, a folder that
                `load_dataset` reads, or a `.parquet` file.
            split: train, val, test ..., of the set or in a column that names Karpathy's; val is understood
                as validation, too.
            config: which of a set's configurations.
            image: the column of pictures, of their bytes or of their files' names.
            caption: the column of captions, or several; `()` where there are none.
            image_id: the column that names images; rows with one name are one image.
            split_column: the column that says which split a row belongs to.
            restval: let what Karpathy calls `restval` count as training images.
            captions_per_image: keep only the first so many captions of each image; by default all.
            limit: keep only the first so many images.
            streaming: read no more of the set than the first `limit` images. They are written into the cache
                of `datasets`, and the same call reads them there.
            pictures: a folder with the pictures, where the set only names them.
            revision: a branch, tag or commit on the hub.
            cache: where `datasets` puts what it prepares; by default in its own cache.
            skip_damaged: leave out local files that are damaged, which are named, and take the others.
            guide: a `.npy` of guide vectors, as for `from_karpathy`.

        Raises:
            ConnectionError: there is no network, or HF_HUB_OFFLINE is set, and the set is not in the cache.
            PermissionError: the set is gated.
            FileNotFoundError: there is no such set, or a split's file is missing.
            ValueError: there is no such split or column, nothing looks like captions, or a file is damaged.
            OSError: the disk is full.
        """
        from itr_explore.data.hub import load_hub

        found = load_hub(
            name,
            split,
            config=config,
            image=image,
            caption=caption,
            image_id=image_id,
            split_column=split_column,
            restval=restval,
            captions_per_image=captions_per_image,
            limit=limit,
            streaming=streaming,
            pictures=pictures,
            revision=revision,
            cache=cache,
            skip_damaged=skip_damaged,
        )
        return found if guide is None else found.with_guide(guide)

    @classmethod
    def from_entities(
        cls, folder: str | Path, split: str = "test", *, pictures: str | Path | None = None
    ) -> Collection:
        """Flickr30k Entities as it is published, with its truth; it has no regions yet.

        Args:
            folder: with `Annotations/`, `Sentences/` and a list of ids for each split, `test.txt`.
            split: train, val or test.
            pictures: the folder of photos; by default they are looked for in `images/` of the folder.

        Raises:
            FileNotFoundError: the folder lacks one of these.
            ValueError: a file is damaged.
        """
        from itr_explore.data.entities_files import read_entities

        return read_entities(folder, split, pictures)

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        captions: str | Path | Literal[False] | None = None,
        *,
        split: str = "all",
        image: str | None = None,
        caption: str | Sequence[str] | None = None,
        captions_per_image: int | None = None,
        check: bool = True,
        guide: str | Path | None = None,
    ) -> Collection:
        """Photos in a folder and its sub-folders, with captions if there are any; it has no regions yet.

        Pictures that cannot be opened, copies of others and captions of pictures that are not there are left
        out; a warning counts them and `skipped` has them all. Images are called by their paths in the folder.

        Args:
            folder: with pictures in JPEG, PNG, WEBP, GIF, BMP or TIFF, of any mode, turned as cameras say.
            captions: a table (CSV, TSV), JSON lines, COCO's or Karpathy's JSON, Flickr's `.token`; by default
                `captions.*` of the folder, or a `.txt` beside each picture, a caption a line. False: none,
                the photos can then only be searched for.
            split: which of the splits that a column of the captions names; by default all photos.
            image: the captions' column with the names of pictures; by default the one that names most.
            caption: the column, or columns, with captions.
            captions_per_image: keep only the first so many captions of each image; by default all.
            check: open every picture once to know which are broken; without, they are found when asked for.
            guide: a `.npy` of guide vectors, as for `from_karpathy`.

        Raises:
            FileNotFoundError: there is no such folder or file.
            ValueError: there are no pictures, no captions, or none belongs to a picture; a split is asked for
                that no caption names, or a picture is in two.
        """
        from itr_explore.data.folder import load_folder

        found = load_folder(
            folder,
            captions,
            split=split,
            image=image,
            caption=caption,
            captions_per_image=captions_per_image,
            check=check,
        )
        return found if guide is None else found.with_guide(guide)

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """What had to be left out when the collection was read, and why: `(name, reason)` each."""
        return self.source.skipped if isinstance(self.source, Origin) else ()

    @property
    def has_regions(self) -> bool:
        """Whether there are regions yet; without, only pictures and captions can be looked at."""
        return self._regions is not None

    @property
    def region_dim(self) -> int:
        """How many features a region has."""
        return self._region_rows().values.shape[1]

    @property
    def region_counts(self) -> np.ndarray:
        """How many regions each image has, `[image]`."""
        return self._region_rows().lengths

    @property
    def has_boxes(self) -> bool:
        """Whether it is known where the regions are."""
        return self._boxes is not None

    @property
    def has_truth(self) -> bool:
        """Whether it is known which words name which places."""
        return self._truth_of is not None

    @property
    def has_foils(self) -> bool:
        """Whether captions have near relatives that are known to be false (`foils`)."""
        return self._foils_of is not None

    @property
    def guide_dim(self) -> int | None:
        """How long each image's guide vector is; None where there are none (`with_guide`)."""
        return None if self._guide is None else self._guide.values.shape[1]

    @property
    def source_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """The source rows of the images and of the captions."""
        return self._image_rows, self._caption_rows

    def captions_of(self, image: int) -> np.ndarray:
        """Rows of the captions of an image, in their order."""
        image = self._row(image)
        return self._captions_by_image[self._caption_starts[image] : self._caption_starts[image + 1]]

    def regions(self, image: int) -> np.ndarray:
        """Features of an image's regions, `[region feature]` float32."""
        return self.regions_of(np.array([self._row(image)]))[0]

    def regions_of(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features of the regions of some images end to end `[row feature]`, and how many each has `[image]`.

        Raises:
            ValueError: a feature is NaN or infinite, the message names the image; or there are no regions.
        """
        regions = self._region_rows()
        values, lengths = regions.gather(images), regions.lengths[images]
        if regions.values.dtype.kind == "f":
            with np.errstate(over="ignore", invalid="ignore"):  # a sum is one quick look at all of them
                suspicious = not np.isfinite(values.sum())
            if suspicious and not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values).all(1)))
                image = images[np.searchsorted(np.cumsum(lengths), row, side="right")]
                raise ValueError(
                    f"image {self.image_ids[image]!r} of {self.name} has NaN or infinite features; "
                    "extract them again or leave the image out with subset()"
                )
        return values, lengths

    def boxes(self, image: int) -> np.ndarray | None:
        """Boxes of an image's regions, `[region 4]` float32 `x1 y1 x2 y2` fractions, or None."""
        return self.boxes_of(np.array([self._row(image)]))

    def boxes_of(self, images: np.ndarray) -> np.ndarray | None:
        """Boxes of the regions of some images, end to end: `[row 4]` float32, or None."""
        if self._boxes is None:
            return None
        boxes = self._boxes[self._region_rows().rows(images)].astype(np.float32)
        return boxes / np.float32(65535) if self._boxes.dtype == np.uint16 else boxes

    def guide_of(self, images: np.ndarray) -> np.ndarray | None:
        """The guide vectors of some images, `[image guide]` float32, or None where there are none."""
        return None if self._guide is None else self._guide.gather(images)

    def labels(self, image: int) -> tuple[str, ...]:
        """What a detector called each region of an image; empty if nobody said."""
        if self._label_codes is None or self._label_names is None:
            return ()
        codes = self._label_codes[self._region_rows().rows(np.array([self._row(image)]))]
        names = self._label_names
        if not isinstance(names, Mapping):
            names = dict(enumerate(names))
        return tuple(names.get(int(code), str(code)) for code in codes)

    def objects(self, image: int) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """The boxes that people drew and labelled in an image: `(label, (x1, y1, x2, y2))`, fractions."""
        row = self._row(image)
        return () if self._objects_of is None else self._objects_of(int(self._image_rows[row]))

    def image(self, image: int) -> Image | None:
        """The picture, opened now: RGB, turned as its camera says; None if the collection has no pictures."""
        row = self._row(image)
        if self._open_image is None:
            return None
        return self._open_image(int(self._image_rows[row]))

    def stamp(self, image: int) -> str | None:
        """A text that changes whenever the picture does, without opening it; None if the source has none."""
        row = self._row(image)
        return None if self._stamp_of is None else self._stamp_of(int(self._image_rows[row]))

    def example(self, image: int) -> Example:
        """An image with its regions, if there are any yet, and all its captions."""
        row = self._row(image)
        captions = tuple(self.captions[caption] for caption in self.captions_of(row))
        return Example(self.image_ids[row], self.image(row), self._known(row), self.boxes(row), captions)

    def pair(self, image: int, caption: int = 0, *, picture: bool = True) -> Pair:
        """An image and one of its captions (which of that image's), with what is known of the two.

        Without `picture` the pair has none: opening it takes longer than all the rest. Where the collection
        has no regions yet, nor has the pair: `regions` is `[0 0]`.
        """
        row, captions = self._row(image), self.captions_of(image)
        if not -len(captions) <= caption < len(captions):
            raise IndexError(
                f"image {self.image_ids[row]!r} has {len(captions)} captions; wanted number {caption}"
            )
        which = int(captions[caption])
        words, offsets = split_words(self.captions[which])
        guide = self.guide_of(np.array([row]))
        return Pair(
            image_id=self.image_ids[row],
            image=self.image(row) if picture else None,
            regions=self._known(row),
            boxes=self.boxes(row),
            caption=self.captions[which],
            words=words,
            offsets=offsets,
            truth=self.truth(which),
            labels=self.labels(row),
            guide=None if guide is None else guide[0],
            regions_from=self.regions_from,
        )

    def truth(self, caption: int) -> Truth | None:
        """What the words of a caption (a row of `captions`) name in its image, if known; opens no picture.

        Where there are no regions yet, the boxes that people drew are told all the same.
        """
        boxes = self.boxes(int(self.image_of[caption])) if self.has_regions else NO_BOXES
        if self._truth_of is None or boxes is None:
            return None
        return self._truth_of(int(self._caption_rows[caption]), *split_words(self.captions[caption]), boxes)

    def foils(self, caption: int) -> tuple[str, ...]:
        """Sentences that are nearly a caption (a row of `captions`) and false of its image; maybe none."""
        return () if self._foils_of is None else self._foils_of(int(self._caption_rows[caption]))

    def with_guide(self, guide: np.ndarray | str | Path) -> Collection:
        """The same collection with one outside vector an image, which models that want one are given.

        Args:
            guide: `[image guide]` numbers, an array or a `.npy` file of them, in the order of the images;
                `data.guide.guide_vectors` computes them from the pictures.

        Raises:
            ValueError: they are not one finite vector an image.
        """
        vectors = guide if isinstance(guide, np.ndarray) else map_array(Path(guide))
        check_guide(self, vectors, "" if vectors is guide else f" in {guide}")
        guided = copy(self)
        guided._guide = Ragged(vectors, np.arange(len(self) + 1))  # each image owns one row
        return guided

    def with_regions(
        self, source: Extractor | str | Path, *, cache: str | Path | None = None, progress: bool = True
    ) -> Collection:
        """The same collection with regions that an extractor makes of its pictures, or that a folder keeps.

        Each picture is looked at once and kept, by what it holds: a run that was interrupted goes on where it
        stopped, and copies of a picture cost nothing.

        Args:
            source: `GridExtractor`, `DetectorExtractor`, `OnnxDetector` or one of your own (see
                `data/extract.py`), or the folder of a region store.
            cache: a folder to keep the regions in; by default one in the user's cache for each extractor.
            progress: show a bar with an estimate.

        Raises:
            FileNotFoundError: there is no such store, or a picture is missing.
            ValueError: there are no pictures to look at, or images are missing from the store.
            OSError: the cache cannot be written; what was done is kept.
        """
        from itr_explore.data.extract import regions_for

        found = regions_for(self, source, cache=cache, progress=progress)
        changed = self._with(found.regions, found.boxes, found.label_codes, found.label_names)
        changed.regions_from = found.made_by
        return changed

    def with_entities(self, folder: str | Path) -> Collection:
        """The same collection of Flickr30K photos with what people said that its phrases name, as truth.

        Args:
            folder: of Flickr30k Entities, with `Annotations/` and `Sentences/`.

        Raises:
            FileNotFoundError: the folder lacks one of these.
            ValueError: none of the captions is among the sentences.
        """
        from itr_explore.data.entities_files import truth_of_entities

        told = copy(self)
        told._truth_of = truth_of_entities(self, folder)
        return told

    def subset(self, images: Iterable[int]) -> Collection:
        """Some of the images, in the order given, with all their captions; nothing large is copied."""
        rows = np.array([self._row(image) for image in images], dtype=np.int64)
        if len(np.unique(rows)) != len(rows):
            raise ValueError("a subset takes each image once; some were given twice")
        chosen = copy(self)
        captions = [self.captions_of(row) for row in rows]
        flat = np.concatenate(captions) if captions else np.empty(0, np.int64)
        chosen.captions = [self.captions[row] for row in flat]
        if self.caption_ids is not None:
            chosen.caption_ids = [self.caption_ids[row] for row in flat]
        chosen.image_of = np.repeat(np.arange(len(rows)), [len(found) for found in captions])
        chosen.image_ids = [self.image_ids[row] for row in rows]
        chosen._regions = None if self._regions is None else self._regions.subset(rows)
        chosen._guide = None if self._guide is None else self._guide.subset(rows)
        chosen._image_rows, chosen._caption_rows = self._image_rows[rows], self._caption_rows[flat]
        chosen._index_captions()
        return chosen

    def token_ids(self, tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray]:
        """All captions as token ids end to end `[token]`, and starts `[caption + 1]`; kept for the next call.

        Raises:
            ValueError: a caption has no words; the message names its image.
        """
        if self._tokens is None or self._tokens[0] is not tokenizer:
            ids, starts = encode_flat(tokenizer, self.captions)
            blank = np.flatnonzero(np.diff(starts) <= 2)
            if len(blank):
                raise ValueError(no_words(self, int(blank[0])))
            self._tokens = (tokenizer, ids, starts)
        return self._tokens[1:]

    def foil_ids(self, tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All foils as token ids end to end, kept for the next call.

        Returns:
            ids `[token]`, starts `[foil + 1]`, and `[caption + 1]` the first foil of each caption.
        """
        if self._foil_tokens is None or self._foil_tokens[0] is not tokenizer:
            foils = [self.foils(caption) for caption in range(len(self.captions))]
            firsts = np.cumsum([0, *map(len, foils)])
            flat = [text for texts in foils for text in texts]
            self._foil_tokens = (tokenizer, *encode_flat(tokenizer, flat), firsts)
        return self._foil_tokens[1:]

    def __repr__(self) -> str:
        return f"<{summary(self)}>"

    def _repr_html_(self) -> str:
        return gallery(self)

    def _row(self, image: int) -> int:
        row = operator.index(image)
        if not -len(self) <= row < len(self):
            raise IndexError(f"{self.name}, {self.split} has {len(self)} images; wanted number {image}")
        return row % len(self)

    def _region_rows(self) -> Ragged:
        if self._regions is None:
            raise ValueError(no_regions(self))
        return self._regions

    def _known(self, row: int) -> np.ndarray:
        """Features of an image's regions, `[0 0]` where there are none yet."""
        return np.zeros((0, 0), np.float32) if self._regions is None else self.regions(row)

    def _with(
        self,
        regions: Ragged,
        boxes: np.ndarray | None,
        label_codes: np.ndarray | None = None,
        label_names: Mapping[int, str] | Sequence[str] | None = None,
    ) -> Collection:
        """The same collection with other regions, image by image in its own order; see the constructor."""
        changed = copy(self)
        changed._regions, changed._boxes = regions, boxes
        changed._label_codes, changed._label_names = label_codes, label_names
        check_regions(changed)
        return changed

    def _index_captions(self) -> None:
        self._captions_by_image = np.argsort(self.image_of, kind="stable")
        self._caption_starts = np.searchsorted(
            self.image_of[self._captions_by_image], np.arange(len(self) + 1)
        )
        self._tokens = self._foil_tokens = None
