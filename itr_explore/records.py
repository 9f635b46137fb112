"""What travels between the rooms of the house: frozen records that check themselves where they are made.

Axes are named `image caption region word dim`. Boxes are always `x1 y1 x2 y2` as fractions of the image's
width and height, so they outlive any resizing. Masks are True where something is real. Ranks count from 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


def _want(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _shape(name: str, array: Any, wanted: tuple[int | str, ...]) -> None:
    """Refuse an array whose shape does not fit; a string in `wanted` names an axis of any length."""
    got = tuple(array.shape)
    fits = len(got) == len(wanted) and all(
        isinstance(w, str) or w == g for w, g in zip(wanted, got, strict=False)
    )
    _want(fits, f"{name} must be [{' '.join(map(str, wanted))}], got {list(got)}")


@dataclass(frozen=True)
class Batch:
    """Images and captions as tensors, padded, with masks; which caption describes which image is said.

    Nothing assumes five captions an image, 36 regions, or equal counts.
    """

    regions: Tensor  # [image region feature]  float
    region_mask: Tensor  # [image region]  bool
    words: Tensor  # [caption word]  token ids
    word_mask: Tensor  # [caption word]  bool
    image_of: Tensor  # [caption]  the row of `regions` each caption describes; ~row of a caption: its foil
    boxes: Tensor | None = None  # [image region 4]  zeros where padded
    guide: Tensor | None = None  # [image guide]  one outside vector an image (CLIP, say)
    image_ids: Tensor | None = None  # [image]  each image's row in its collection, the same in every batch

    def __post_init__(self):
        images, regions = self.region_mask.shape
        captions, words = self.word_mask.shape
        _shape("regions", self.regions, (images, regions, "feature"))
        _shape("words", self.words, (captions, words))
        _shape("image_of", self.image_of, (captions,))
        if self.boxes is not None:
            _shape("boxes", self.boxes, (images, regions, 4))
        if self.guide is not None:
            _shape("guide", self.guide, (images, "guide"))
        if self.image_ids is not None:
            _shape("image_ids", self.image_ids, (images,))

    def to(self, device) -> Batch:
        """The same batch on another device."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: t.to(device) for name, t in moved.items() if t is not None})


@dataclass(frozen=True)
class Encoded:
    """One side of a batch after its encoder: a pooled vector an item, its fragments, and which are real."""

    vectors: Tensor  # [item dim]
    parts: Tensor  # [item part dim]
    mask: Tensor  # [item part]

    def __post_init__(self):
        items, parts = self.mask.shape
        _shape("vectors", self.vectors, (items, "dim"))
        _shape("parts", self.parts, (items, parts, "dim"))

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
        _want(len(self.words) > 0, "a mention needs at least one word")
        _shape("boxes", self.boxes, ("box", 4))


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
        _shape("word_regions", self.word_regions, ("word", "region"))
        for mention in self.mentions:
            _want(
                max(mention.words) < words, f"a mention names word {max(mention.words)} of only {words} words"
            )
        for relation in self.relations:
            last = max(relation.subject, *relation.objects)
            _want(last < len(self.mentions), f"a relation names mention {last} of only {len(self.mentions)}")

    @property
    def grounded(self) -> np.ndarray:
        """[word] bool: the word names something that has a box, whether or not a region covers it."""
        named = np.zeros(len(self.word_regions), dtype=bool)
        for mention in self.mentions:
            if len(mention.boxes):
                named[list(mention.words)] = True
        return named


@dataclass(frozen=True)
class Example:
    """One image with its regions and all its captions, as a collection hands it out."""

    image_id: str
    image: Image | None
    regions: np.ndarray  # [region feature]  float32
    boxes: np.ndarray | None  # [region 4]
    captions: tuple[str, ...]

    def __post_init__(self):
        _shape("regions", self.regions, ("region", "feature"))
        if self.boxes is not None:
            _shape("boxes", self.boxes, (len(self.regions), 4))


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

    def __post_init__(self):
        _shape("regions", self.regions, ("region", "feature"))
        if self.boxes is not None:
            _shape("boxes", self.boxes, (len(self.regions), 4))
        _want(
            len(self.words) == len(self.offsets), f"{len(self.words)} words but {len(self.offsets)} offsets"
        )
        if self.truth is not None:
            _shape("truth.word_regions", self.truth.word_regions, (len(self.words), len(self.regions)))


MapKind = Literal[
    "word_to_region", "region_to_word", "region_to_region", "word_to_word", "per_region", "per_word"
]
Origin = Literal["attention", "attribution", "derived"]


@dataclass(frozen=True)
class Map:
    """One picture of a model's insides for one pair, with what is needed to read it honestly.

    `values` are as the model has them; nothing is stretched to fill a scale.
    """

    name: str
    kind: MapKind
    values: np.ndarray  # [word region], [region word], [region region], [word word], [region] or [word]
    origin: Origin
    scale: str  # softmax, signed, row_sum, cosine, unit (see nn.tap)
    exact: bool = True
    layer: int | None = None
    head: int | None = None
    note: str = ""  # what a reader has to know besides, in a sentence

    def __post_init__(self):
        axes = 1 if self.kind.startswith("per_") else 2
        _want(self.values.ndim == axes, f"a {self.kind} map has {axes} axes, got {self.values.ndim}")
        _want(bool(np.isfinite(self.values).all()), f"map {self.name!r} holds NaN or infinite values")


@dataclass(frozen=True)
class Explanation:
    """What a model did with one pair: its score and the maps it was looked into by."""

    pair: Pair
    model: str
    score: float
    maps: tuple[Map, ...] = field(default=())
    unknown: tuple[int, ...] = ()  # positions of the words that the model has never seen

    def __post_init__(self):
        lengths = {"word": len(self.pair.words), "region": len(self.pair.regions)}
        for found in self.maps:
            axes = found.kind.removeprefix("per_").split("_to_")
            _shape(f"map {found.name!r}", found.values, tuple(lengths[axis] for axis in axes))

    def map(self, name: str) -> Map:
        """The map of that name (`KeyError` lists the names there are)."""
        for found in self.maps:
            if found.name == name:
                return found
        raise KeyError(f"no map {name!r}; this explanation has {[found.name for found in self.maps]}")

    def best(self, kind: MapKind) -> Map | None:
        """The first map of a kind, or None."""
        return next((found for found in self.maps if found.kind == kind), None)


@dataclass(frozen=True)
class Table:
    """Rows of a small report: shows itself as text in a terminal and as HTML in a notebook."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]  # None: does not apply
    title: str = ""
    note: str = ""  # what a reader has to know besides
    digits: int = 1

    def __post_init__(self):
        for row in self.rows:
            _want(len(row) == len(self.columns), f"a row of {len(self.columns)} cells is wanted, got {row}")

    def _cells(self) -> list[list[str]]:
        def shown(value: str | float | None) -> str:
            if value is None:
                return ""
            return str(value) if isinstance(value, str | int) else f"{value:.{self.digits}f}"

        return [list(self.columns), *([shown(value) for value in row] for row in self.rows)]

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.columns))]
        lines = [
            "  ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
        return "\n".join([*([self.title] if self.title else []), *lines, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        head, *body = [[escape(cell) for cell in row] for row in self._cells()]
        caption = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{cell}</td>" if column else f'<th scope="row">{cell}</th>'
                for column, cell in enumerate(row)
            )
            + "</tr>"
            for row in body
        )
        columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return f"<table>{caption}<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>{note}"

    __repr__ = __str__

    def to_frame(self):
        """The same as a pandas `DataFrame`, its first column as index."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.columns)).set_index(self.columns[0])


class ShownAsTable(ABC):
    """Shows itself as its `table()`: as text in a terminal, as HTML in a notebook, as a data frame."""

    @abstractmethod
    def table(self) -> Table:
        """All of it."""

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def to_frame(self):
        """The table as a pandas `DataFrame`, its first column as index."""
        return self.table().to_frame()


@dataclass(frozen=True, repr=False)
class Attribution(ShownAsTable):
    """What each region and each word of a pair gave to its score, compared with a baseline.

    `gap` is what the parts leave unexplained of `score - baseline_score`.
    """

    pair: Pair
    model: str
    method: str
    score: float
    baseline_score: float
    regions: np.ndarray  # [region]  signed, in units of the score
    words: np.ndarray  # [word]
    gap: float
    interactions: np.ndarray | None = None  # [word region]  how much either needs the other, where asked for
    baseline: tuple[str, str] = ("mean", "padding")  # what regions and words were replaced by

    def __post_init__(self):
        words, regions = len(self.pair.words), len(self.pair.regions)
        _shape("regions", self.regions, (regions,))
        _shape("words", self.words, (words,))
        if self.interactions is not None:
            _shape("interactions", self.interactions, (words, regions))

    @property
    def relative_gap(self) -> float:
        """The size of the gap as a share of that of `score - baseline_score`; infinite where that is zero."""
        change = abs(self.score - self.baseline_score)
        return abs(self.gap) / change if change else float("inf")

    @property
    def explanation(self) -> Explanation:
        """The same as maps, for whatever draws an `Explanation`."""
        against = f"against the {self.baseline[0]} region and the {self.baseline[1]} word"
        note = f"{against}; {abs(self.gap):.3g} of {self.score - self.baseline_score:.3g} is left unexplained"
        kinds: tuple[tuple[MapKind, np.ndarray | None], ...] = (
            ("word_to_region", self.interactions),
            ("per_word", self.words),
            ("per_region", self.regions),
        )
        maps = tuple(
            Map(f"{self.method}.{kind}", kind, values, "attribution", "signed", exact=False, note=note)
            for kind, values in kinds
            if values is not None
        )
        return Explanation(self.pair, self.model, self.score, maps)

    def table(self) -> Table:
        """All words in their order, then the regions, those that gave or took most first."""
        order = np.argsort(-np.abs(self.regions), kind="stable").tolist()
        labels = self.pair.labels
        regions = tuple(
            (f"region {row}" + (f" ({labels[row]})" if labels else ""), float(self.regions[row]))
            for row in order
        )
        words = zip(self.pair.words, self.words.tolist(), strict=True)
        rows = (
            *((f"word {word!r}", gave) for word, gave in words),
            *regions,
            ("unexplained (gap)", self.gap),
            ("score - baseline", self.score - self.baseline_score),
        )
        note = f"score {self.score:.4f}, baseline {self.baseline_score:.4f}: {self.baseline[0]} region, "
        return Table(
            ("part", "gave"), rows, f"{self.model}: {self.method}", f"{note}{self.baseline[1]} word", 4
        )


@dataclass(frozen=True, repr=False)
class Contrast(ShownAsTable):
    """Why one caption of an image scores above another, or below: their difference, taken apart twice.

    `difference` is what all words gave (those of the right caption count against it), the `word_rests` and
    the `gap`; and also what all regions gave, the `region_rests` and the `gap`. Two captions stand in a pair:
    the right one first, then the wrong one.
    """

    model: str
    method: str  # "parts": the score is their sum; or a method of attribution
    pairs: tuple[Pair, Pair]  # of one image
    scores: tuple[float, float]
    words: tuple[np.ndarray, np.ndarray]  # [word] each: what it gave to its own caption's score
    regions: tuple[np.ndarray, np.ndarray]  # [region] each: what it gave to the score of that caption
    word_rests: dict[str, float]  # of the difference: what belongs to no word of either caption
    region_rests: dict[str, float]  # what belongs to no region
    gap: float = 0.0  # what is left unexplained; 0 but for rounding where scores are sums of their parts
    cells: tuple[np.ndarray, np.ndarray] | None = None  # [word region] each, where the score has such parts
    false: tuple[str, ...] | None = None  # of what the wrong caption claims; None: nobody knows

    def __post_init__(self):
        for pair, words, regions in zip(self.pairs, self.words, self.regions, strict=True):
            _shape("words", words, (len(pair.words),))
            _shape("regions", regions, (len(pair.regions),))

    @property
    def difference(self) -> float:
        """The wrong caption's score minus the right one's: above 0 where it outranks it."""
        return self.scores[1] - self.scores[0]

    @property
    def evidence(self) -> np.ndarray:
        """[region] how much more each region gave to the wrong caption than to the right one."""
        return self.regions[1] - self.regions[0]

    @property
    def explanations(self) -> tuple[Explanation, Explanation]:
        """Both captions as explanations, for whatever draws one; `evidence` is a map of either."""
        exact = self.method == "parts"
        note = "adds up to the score with what is of no single word or region" if exact else self._gap_said()
        found = []
        for place, pair in enumerate(self.pairs):
            values: tuple[tuple[str, MapKind, np.ndarray | None], ...] = (
                (self.method, "word_to_region", None if self.cells is None else self.cells[place]),
                (f"{self.method}.per_word", "per_word", self.words[place]),
                (f"{self.method}.per_region", "per_region", self.regions[place]),
                ("evidence for the wrong caption", "per_region", self.evidence),
            )
            maps = tuple(
                Map(name, kind, array, "attribution", "signed", exact=exact, note=note)
                for name, kind, array in values
                if array is not None
            )
            found.append(Explanation(pair, self.model, self.scores[place], maps))
        return found[0], found[1]

    def by_word(self) -> Table:
        """The words of both captions in their order, and the rest; the last row is the sum."""
        right, wrong = (pair.words for pair in self.pairs)
        rows = (
            *((f"right: {word}", -gave) for word, gave in zip(right, self.words[0].tolist(), strict=True)),
            *((f"wrong: {word}", gave) for word, gave in zip(wrong, self.words[1].tolist(), strict=True)),
        )
        title = (
            f"{self.model}: wrong {self.pairs[1].caption!r} {self.scores[1]:.3f},"
            f" right {self.pairs[0].caption!r} {self.scores[0]:.3f}"
        )
        return self._summed("word", rows, self.word_rests, title)

    def by_region(self) -> Table:
        """The regions, those that tell the captions apart most first, the rest, and their sum."""
        order, labels = np.argsort(-np.abs(self.evidence), kind="stable").tolist(), self.pairs[0].labels
        names = [f"region {row}" + (f" ({labels[row]})" if labels else "") for row in order]
        rows = tuple(zip(names, self.evidence[order].tolist(), strict=True))
        return self._summed("region", rows, self.region_rests, f"{self.model}: the same by region")

    def table(self) -> Table:
        """By word; `by_region` is the other half."""
        return self.by_word()

    def __str__(self) -> str:
        return f"{self.by_word()}\n\n{self.by_region()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.by_word()._repr_html_() + self.by_region()._repr_html_()

    def _summed(self, what: str, rows: tuple, rests: dict[str, float], title: str) -> Table:
        whole = (*rows, *rests.items(), ("unexplained (gap)", self.gap), ("difference", self.difference))
        note = "for the wrong caption above 0, for the right one below; " + (
            "an exact sum" if self.method == "parts" else f"by {self.method}, {self._gap_said()}"
        )
        if self.false is not None:
            note += "; false of the image: " + (", ".join(self.false) or "nothing, it is true too")
        return Table((what, "gave"), whole, title, note, digits=4)

    def _gap_said(self) -> str:
        return f"{abs(self.gap):.3g} of {self.difference:.3g} is left unexplained"


@dataclass(frozen=True)
class Change:
    """A number before and after an intervention, and after each draw of the same done to other things."""

    before: float
    after: float
    controls: np.ndarray  # [draw]

    def __post_init__(self):
        _shape("controls", self.controls, ("draw",))

    @property
    def by(self) -> float:
        """What the intervention did."""
        return self.after - self.before

    @property
    def by_controls(self) -> np.ndarray:
        """[draw] what the controls did."""
        return self.controls - self.before

    @property
    def control_mean(self) -> float:
        """What a control did on average; NaN without controls."""
        return float(self.by_controls.mean()) if len(self.controls) else float("nan")

    @property
    def control_range(self) -> tuple[float, float]:
        """Between which 95 per cent of the controls' changes lie; NaN without controls."""
        if not len(self.controls):
            return float("nan"), float("nan")
        low, high = np.percentile(self.by_controls, (2.5, 97.5))
        return float(low), float(high)

    @property
    def as_large(self) -> float:
        """How likely a thing drawn at random does at least as much: (1 + so many controls) / (1 + all)."""
        larger = int((np.abs(self.by_controls) >= abs(self.by)).sum())
        return (1 + larger) / (1 + len(self.controls))


@dataclass(frozen=True, repr=False)
class Intervention(ShownAsTable):
    """What became of a pair's score, and of its ranks in a gallery, when something was changed.

    `caption_rank` is that of the caption for the image, among it and the captions of all other images;
    `image_rank` that of the image for the caption. Ranks count from 0, ties by half.
    """

    pair: Pair
    changed: Pair  # as it was after its regions and words were edited
    model: str
    edits: tuple[str, ...]  # in words
    controls: tuple[str, ...]  # [draw] what was done instead
    like: str  # what a control is: "another region"
    score: Change
    caption_rank: Change | None = None
    image_rank: Change | None = None
    gallery: str = ""
    unknown: tuple[str, ...] = ()  # words of the edited caption that the model has never seen

    def __post_init__(self):
        for change in self.changes.values():
            _shape("controls of a change", change.controls, (len(self.controls),))

    @property
    def changes(self) -> dict[str, Change]:
        """What was measured, by name."""
        found = {
            "score": self.score,
            "rank of the caption": self.caption_rank,
            "rank of the image": self.image_rank,
        }
        return {name: change for name, change in found.items() if change is not None}

    @property
    def what(self) -> str:
        """The edits as one text."""
        return "; ".join(self.edits)

    def table(self) -> Table:
        """A row for the score and for each rank (from 1); the controls' changes beside the edits'."""
        rows = []
        for name, change in self.changes.items():
            first, digits = (0, 4) if name == "score" else (1, 1)
            known = (first + change.before, first + change.after, change.by)
            shown = [f"{number:.{digits}f}" for number in known]
            seen: tuple[str | float | None, ...] = (None, None, None)
            if self.controls:
                mean, low, high = (f"{n:.{digits}f}" for n in (change.control_mean, *change.control_range))
                seen = (mean, f"{low} to {high}", change.as_large)
            rows.append((name, *shown, *seen))
        columns = ("", "before", "after", "change", "controls' mean", "95 % of them", "as large by chance")
        told = [f"{len(self.controls)} controls, the same done to {self.like}"]
        told += [f"in {self.gallery}"] if self.gallery else []
        told += [f"never seen by the model: {', '.join(self.unknown)}"] if self.unknown else []
        return Table(columns, tuple(rows), f"{self.model}: {self.what}", "; ".join(told), 3)


@dataclass(frozen=True, repr=False)
class Ranking(ShownAsTable):
    """Ranks of the right answers, from 0, in both directions; NaN where a query has no right answer.

    `ties` says where a right answer stands among wrong ones of the same score: in their `mean`, behind all
    of them (`pessimistic`) or before them (`optimistic`). Under `mean` a rank can be fractional; a right
    answer counts as among the first k only if its mean rank is at most k - 1, so that equal scores are never
    rewarded.
    """

    image_to_text: np.ndarray  # [image]  rank of its best caption
    text_to_image: np.ndarray  # [caption]  rank of its best image
    ties: str = "mean"
    folds: int = 1  # each query was ranked among the candidates of its own block of images

    def _answered(self) -> tuple[np.ndarray, np.ndarray]:
        return tuple(ranks[~np.isnan(ranks)] for ranks in (self.image_to_text, self.text_to_image))  # type: ignore[return-value]

    def recall_at(self, k: int) -> tuple[float, float]:
        """Per cent of queries whose right answer is among the first k: image to text, text to image."""
        return tuple(100.0 * float(np.mean(ranks <= k - 1)) for ranks in self._answered())  # type: ignore[return-value]

    @property
    def rsum(self) -> float:
        """Sum of the six recalls at 1, 5 and 10; at most 600."""
        return sum(sum(self.recall_at(k)) for k in (1, 5, 10))

    @property
    def median_rank(self) -> tuple[float, float]:
        """Median rank of the right answer, counted from 1: image to text, text to image."""
        return tuple(1.0 + float(np.median(ranks)) for ranks in self._answered())  # type: ignore[return-value]

    @property
    def mean_rank(self) -> tuple[float, float]:
        """Mean rank of the right answer, counted from 1: image to text, text to image."""
        return tuple(1.0 + float(np.mean(ranks)) for ranks in self._answered())  # type: ignore[return-value]

    def table(self) -> Table:
        """Recalls in per cent, median and mean rank from 1; a row for each direction."""
        columns = (*(self.recall_at(k) for k in (1, 5, 10)), self.median_rank, self.mean_rank)
        note = f"rsum {self.rsum:.1f}; ties: {self.ties}"
        if self.folds > 1:
            note += f"; over {self.folds} blocks of images"
        return Table(
            ("query", "R@1", "R@5", "R@10", "median rank", "mean rank"),
            tuple(
                (name, *(values[side] for values in columns))
                for side, name in enumerate(("image to text", "text to image"))
            ),
            note=note,
        )


@dataclass(frozen=True)
class RemovalCurves:
    """A mean score while parts are taken away, or brought back, in the order of a map and in random orders.

    Scores are counted from that of a pair of which all parts were taken away, in units of the score's range
    (`evaluation.faithfulness`). The three numbers of a point are the mean and the ends of its 95 per cent
    interval; those of `random` hold 95 per cent of the means of one random order.
    """

    model: str
    method: str
    side: str  # regions or words
    share: np.ndarray  # [point]  of the parts, from 0 to 1
    deletion: np.ndarray  # [point 3]  this share was taken away, the most important first
    insertion: np.ndarray  # [point 3]  this share was brought back, the most important first
    random: np.ndarray  # [point 3]  this share was taken away, in a random order

    def __post_init__(self):
        for name in ("deletion", "insertion", "random"):
            _shape(name, getattr(self, name), (len(self.share), 3))


@dataclass(frozen=True)
class Cascade:
    """How like the trained model's maps those of a model are that forgets, from its output to its input."""

    model: str
    method: str
    side: str  # regions or words
    stages: tuple[tuple[str, ...], ...]  # the modules that were made random at each, besides those before
    correlation: np.ndarray  # [stage 3]  mean rank correlation with the trained model's maps, its interval
    random: np.ndarray  # [3]  that of maps whose values were dealt out at random

    def __post_init__(self):
        _shape("correlation", self.correlation, (len(self.stages), 3))
        _shape("random", self.random, (3,))


@dataclass(frozen=True)
class Progress:
    """One step of news from training."""

    step: int
    epoch: float
    losses: dict[str, float]
    learning_rate: float
    validation: Ranking | None = None  # only where this step ended with a validation
    best: bool = False  # this validation is the best so far
    epochs: int = 0  # of the whole run
    note: str = ""  # a sentence worth telling: resumed, interrupted, already finished
