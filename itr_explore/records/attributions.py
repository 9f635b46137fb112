"""What words and regions gave to a score, and to the difference of two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itr_explore.records.checks import want_shape
from itr_explore.records.maps import Explanation, Map, MapKind
from itr_explore.records.pairs import Pair
from itr_explore.records.tables import ShownAsTable, Table


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
        want_shape("regions", self.regions, (regions,))
        want_shape("words", self.words, (words,))
        if self.interactions is not None:
            want_shape("interactions", self.interactions, (words, regions))

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
            want_shape("words", words, (len(pair.words),))
            want_shape("regions", regions, (len(pair.regions),))

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


@dataclass(frozen=True, repr=False)
class ImageContrast(ShownAsTable):
    """Why a caption scores higher with one image than with another: their difference, taken apart by word.

    Regions of two images are no counterparts of each other: what each gave to its own image's score is kept,
    and nothing is subtracted. Two images stand in a pair: the right one first, then the other.
    """

    model: str
    method: str  # "parts": the score is their sum; or a method of attribution
    pairs: tuple[Pair, Pair]  # of one caption
    scores: tuple[float, float]
    words: tuple[np.ndarray, np.ndarray]  # [word] each: what it gave to the score with that image
    regions: tuple[np.ndarray, np.ndarray]  # [region] each: what it gave to its image's score
    word_rests: dict[str, float]  # of the difference: what belongs to no word
    gap: float = 0.0  # what is left unexplained; 0 but for rounding where scores are sums of their parts

    def __post_init__(self):
        for pair, words, regions in zip(self.pairs, self.words, self.regions, strict=True):
            want_shape("words", words, (len(self.pairs[0].words),))
            want_shape("regions", regions, (len(pair.regions),))

    @property
    def difference(self) -> float:
        """The other image's score minus the right one's: above 0 where it outranks it."""
        return self.scores[1] - self.scores[0]

    @property
    def exact(self) -> bool:
        """The parts add up to the difference because the score is computed as their sum."""
        return self.method == "parts"

    def table(self) -> Table:
        """The words in their order, with both images and the difference; the last row is the sum."""
        right, other = self.words
        rows = tuple(
            (word, float(one), float(two), float(two - one))
            for word, one, two in zip(self.pairs[0].words, right, other, strict=True)
        )
        rests = tuple((name, None, None, value) for name, value in self.word_rests.items())
        ends = (("unexplained (gap)", None, None, self.gap), ("score", *self.scores, self.difference))
        note = "an exact sum" if self.exact else f"by {self.method}, {abs(self.gap):.3g} is left unexplained"
        title = f"{self.model}: {self.pairs[0].caption!r}"
        names = ("word", f"right: {self.pairs[0].image_id}", f"other: {self.pairs[1].image_id}", "difference")
        return Table(names, (*rows, *rests, *ends), title, note, digits=4)
