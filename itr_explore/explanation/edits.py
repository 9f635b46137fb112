"""Small changes to a pair, or to the edges that a model draws in it: what `intervene` is asked to do.

All numbers are those of the pair as it is given, whatever else is done to it at the same time. Regions and
words change before the model sees them; edges change on their way through a tap (`nn.tap.edit`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, combinations, permutations

import numpy as np
import torch
from torch import Tensor

from itr_explore.data.text import split_words
from itr_explore.records import Pair

TRIES = 20  # to draw another control, where few are left
CLOSE = 0.5  # how far the weight of a like edge may be from an edge's, as a share of it


@dataclass(frozen=True)
class DropRegion:
    """The image is seen without a region."""

    region: int


@dataclass(frozen=True)
class SwapRegions:
    """What is in two regions changes places: features are exchanged, boxes stay."""

    region: int
    other: int


@dataclass(frozen=True, eq=False)
class ReplaceRegion:
    """A region's features give way to those of region `theirs` of another pair's image; the box stays."""

    region: int
    donor: Pair
    theirs: int


@dataclass(frozen=True)
class ReplaceWord:
    """A word of the caption gives way to a text of one word or more; the caption is read anew."""

    word: int
    text: str


@dataclass(frozen=True)
class RemoveWord:
    """The caption is read without a word."""

    word: int


@dataclass(frozen=True)
class EdgeEdit:
    """A change of the edge from one node to another, on its way through a tap.

    In every layer a node takes up, by its row, what the columns hold: a message runs from column to row.

    Args:
        tap: path of a tap (`"image_side.layers.0.affinity"`), or of a module that holds several of one kind
            (`"image_side"`: of all its layers and heads), all of which are then changed.
        row: the region, or the word, that the edge starts from.
        column: the one that it leads to.
        keep_sum: of edges whose rows sum to one, scale the row back to the sum it had, so that messages stay
            as strong as they were; a row of which nothing is left stays empty. Without it they also become
            weaker or stronger. Rows of signed edges are never scaled.
    """

    tap: str
    row: int
    column: int
    keep_sum: bool = True

    @property
    def touched(self) -> tuple[tuple[int, int], ...]:
        """Each edge that changes, as its row and column."""
        return ((self.row, self.column),)


class CutEdge(EdgeEdit):
    """The edge becomes zero (see `EdgeEdit`)."""


class ReverseEdge(EdgeEdit):
    """The edge and the one back exchange their weights (see `EdgeEdit`)."""

    @property
    def touched(self) -> tuple[tuple[int, int], ...]:
        """Both edges."""
        return (self.row, self.column), (self.column, self.row)


class MeanEdge(EdgeEdit):
    """The edge becomes the mean of all edges between two different nodes of its item (see `EdgeEdit`)."""


Edit = DropRegion | SwapRegions | ReplaceRegion | ReplaceWord | RemoveWord | EdgeEdit
Weights = Mapping[str, np.ndarray]  # [tap node node] of one pair, by what `EdgeEdit.tap` may say
Place = tuple[str, *tuple[int, ...]]


@dataclass(frozen=True)
class Edited:
    """A pair after its edits, and its edges' edits in the places that nodes have now."""

    pair: Pair
    edges: tuple[EdgeEdit, ...] = ()


def edited(pair: Pair, edits: Sequence[Edit], of_words: frozenset[str] = frozenset()) -> Edited:
    """The pair with regions and words changed; what is known of its truth is dropped where they are.

    Args:
        pair: one image and one caption.
        edits: that were checked (`check`).
        of_words: the taps of edges between words; all others join regions.

    Raises:
        ValueError: two edits touch the same, an edge's end is removed, or no region or word is left.
    """
    met: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for what, *numbers in chain.from_iterable(map(places, edits)):
        for other in met[tuple(numbers)]:
            if within(what, other) or within(other, what):
                asked = " ".join(map(str, (what, *numbers)))
                raise ValueError(f"each thing can be edited once, {asked} is asked for twice")
        met[tuple(numbers)].append(what)
    changed, region_at = _with_regions(pair, edits)
    changed, word_at = _with_words(changed, edits)
    edges = []
    for edit in edits:
        if isinstance(edit, EdgeEdit):
            at = word_at if edit.tap in of_words else region_at
            if edit.row not in at or edit.column not in at:
                raise ValueError(f"{told(edit, pair)}: another edit removes one of its ends")
            edges.append(replace(edit, row=at[edit.row], column=at[edit.column]))
    return Edited(changed, tuple(edges))


def elsewhere(
    pair: Pair,
    edits: Sequence[Edit],
    weights: Weights,
    of_words: frozenset[str],
    draws: int,
    rng: np.random.Generator,
) -> list[tuple[Edit, ...]]:
    """The same edits done to other things, drawn at random: at most so many draws, no two alike.

    None of them touches what the edits touch. An edge is exchanged for one of the `draws` edges whose weights
    are nearest to its own and within half of it; one that is reversed, for one that is as strong in both
    directions.

    Args:
        pair: one image and one caption.
        edits: that were checked.
        weights: of the edges that they are about.
        of_words: as of `edited`.
        draws: how many.
        rng: draws them.
    """
    taken = frozenset(chain.from_iterable(map(places, edits)))
    options = []
    for edit in edits:
        free = [other for other in _others(edit, pair, weights) if not places(other) & taken]
        options.append(free[: max(draws, len(edits))] if isinstance(edit, EdgeEdit) else free)
    found: dict[frozenset[Edit], tuple[Edit, ...]] = {}
    for _ in range(TRIES * draws if all(options) else 0):
        if len(found) == draws:
            break
        drawn = tuple(others[rng.integers(len(others))] for others in options)
        with suppress(ValueError):  # they may touch the same, remove all words, or an edge's end
            edited(pair, drawn, of_words)
            found.setdefault(frozenset(drawn), drawn)
    return list(found.values())


def rewired(edges: Tensor, edits: Sequence[EdgeEdit], first: int, count: int, sums: bool) -> Tensor:
    """Edges [*any node node] after their edits.

    Args:
        edges: as they came.
        edits: whose nodes are counted from `first`.
        first: where the first node stands (words: 1, after <start>).
        count: how many nodes there are.
        sums: rows sum to one (see `EdgeEdit.keep_sum`).
    """
    new, real = edges.clone(), edges[..., first : first + count, first : first + count]
    between = real.sum(dim=(-2, -1)) - real.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    scaled = set()
    for edit in edits:
        for row, column in edit.touched:
            row, column = first + row, first + column
            if isinstance(edit, ReverseEdge):
                new[..., row, column] = edges[..., column, row]
            else:
                mean = between / (count * (count - 1))
                new[..., row, column] = mean if isinstance(edit, MeanEdge) else 0.0
            if sums and edit.keep_sum:
                scaled.add(row)
    for row in scaled:
        before, after = edges[..., row, :].sum(dim=-1), new[..., row, :].sum(dim=-1)
        new[..., row, :] *= (before / torch.where(after > 0, after, 1.0)).unsqueeze(-1)
    return new


def places(edit: Edit) -> frozenset[Place]:
    """What an edit touches."""
    match edit:
        case DropRegion(region) | ReplaceRegion(region):
            return frozenset({("region", region)})
        case SwapRegions(region, other):
            return frozenset({("region", region), ("region", other)})
        case ReplaceWord(word) | RemoveWord(word):
            return frozenset({("word", word)})
        case EdgeEdit(tap):
            return frozenset((tap, *edge) for edge in edit.touched)
    raise ValueError(f"an edit is wanted (DropRegion, ReplaceWord, CutEdge ...), got {edit!r}")


def check(edit: Edit, pair: Pair, weights: Weights) -> None:
    """`ValueError` where there is nothing to change."""
    counts = {"region": len(pair.regions), "word": len(pair.words)}
    for what, *numbers in places(edit):
        for number in numbers:
            if isinstance(edit, EdgeEdit):
                _there("node", number, weights[edit.tap].shape[-1], f"the graph of {edit.tap!r}")
            else:
                _there(what, number, counts[what], "this pair")
    match edit:
        case SwapRegions(region, other) if region == other:
            raise ValueError(f"two regions are swapped, got region {region} twice")
        case ReplaceRegion(_, donor, theirs):
            _there("region", theirs, len(donor.regions), f"image {donor.image_id!r}")
            if donor.regions.shape[1] != pair.regions.shape[1]:
                raise ValueError(
                    f"a region has {pair.regions.shape[1]} features here, one of image {donor.image_id!r} has"
                    f" {donor.regions.shape[1]}; take a pair of the same collection"
                )
        case ReplaceWord(_, text) if not split_words(text)[0]:
            raise ValueError(f"there is no word in {text!r}; RemoveWord takes a word away")
        case EdgeEdit(_, row, column) if row == column:
            raise ValueError(f"an edge joins two nodes, got {row} twice; a node's own weight is not edited")
        case EdgeEdit(tap, row, column) if not weights[tap][:, row, column].any():
            raise ValueError(f"there is no edge from {row} to {column} in {tap!r}: its weight is zero")


def within(path: str, asked: str) -> bool:
    """A tap of this path is meant where `EdgeEdit.tap` says `asked`."""
    return path == asked or path.startswith(f"{asked}.")


def told(edit: Edit, pair: Pair) -> str:
    """An edit in words."""

    def region(of: Pair, number: int) -> str:
        return f"region {number}" + (f" ({of.labels[number]})" if of.labels else "")

    match edit:
        case DropRegion(number):
            return f"{region(pair, number)} dropped"
        case SwapRegions(number, other):
            return f"{region(pair, number)} and {region(pair, other)} swapped"
        case ReplaceRegion(number, donor, theirs):
            return f"{region(pair, number)} replaced by {region(donor, theirs)} of image {donor.image_id!r}"
        case ReplaceWord(word, text):
            return f"word {word} {pair.words[word]!r} replaced by {text!r}"
        case RemoveWord(word):
            return f"word {word} {pair.words[word]!r} removed"
    done = {CutEdge: "cut", ReverseEdge: "reversed", MeanEdge: "replaced by the mean edge"}
    return f"edge {edit.row} to {edit.column} of {edit.tap} {done[type(edit)]}"


def like(edit: Edit) -> str:
    """What else the same is done to, for comparison."""
    if isinstance(edit, EdgeEdit):
        return "another edge of nearly the same weight"
    if isinstance(edit, SwapRegions):
        return "two other regions"
    return "another word" if isinstance(edit, ReplaceWord | RemoveWord) else "another region"


def _others(edit: Edit, pair: Pair, weights: Weights) -> Iterator[Edit]:
    """The same done to all that it can be done to; edges of like weight only, the likest first."""
    regions, words = range(len(pair.regions)), range(len(pair.words))
    match edit:
        case DropRegion() | ReplaceRegion():
            yield from (replace(edit, region=region) for region in regions)
        case SwapRegions():
            yield from (SwapRegions(*two) for two in combinations(regions, 2))
        case ReplaceWord(_, text):
            yield from (replace(edit, word=at) for at in words if pair.words[at] != text)
        case RemoveWord():
            yield from map(RemoveWord, words)
        case EdgeEdit(tap, row, column):
            found = weights[tap]  # [tap node node]
            if isinstance(edit, ReverseEdge):  # what it does hangs on both directions
                found = np.concatenate([found, found.swapaxes(1, 2)])
            own = found[:, row, column]
            away = np.abs(found - own[:, None, None]).sum(axis=0) / np.abs(own).sum()  # [node node]
            met: set[frozenset[Place]] = set()
            for edge in sorted(permutations(range(len(away)), 2), key=lambda edge: away[edge]):
                other = replace(edit, row=edge[0], column=edge[1])
                if away[edge] <= CLOSE and places(other) not in met:
                    met.add(places(other))
                    yield other


def _with_regions(pair: Pair, edits: Sequence[Edit]) -> tuple[Pair, dict[int, int]]:
    """The pair with its regions edited, and where each that is left stands now."""
    taken: dict[int, tuple[Pair, int] | None] = {at: (pair, at) for at in range(len(pair.regions))}
    for edit in edits:
        match edit:
            case DropRegion(region):
                taken[region] = None
            case SwapRegions(region, other):
                taken[region], taken[other] = (pair, other), (pair, region)
            case ReplaceRegion(region, donor, theirs):
                taken[region] = (donor, theirs)
    left = {region: source for region, source in taken.items() if source is not None}
    if not left:
        raise ValueError(f"all {len(taken)} regions of image {pair.image_id!r} are dropped; leave one")
    at = {region: place for place, region in enumerate(left)}
    if all(isinstance(edit, ReplaceWord | RemoveWord | EdgeEdit) for edit in edits):
        return pair, at
    changed = replace(
        pair,
        regions=np.stack([of.regions[region] for of, region in left.values()]),
        boxes=None if pair.boxes is None else pair.boxes[list(left)],
        labels=tuple(of.labels[region] if of.labels else "?" for of, region in left.values())
        if pair.labels
        else (),
        truth=None,
    )
    return changed, at


def _with_words(pair: Pair, edits: Sequence[Edit]) -> tuple[Pair, dict[int, int]]:
    """The pair with its caption edited and read anew, and where each word that is left stands now."""
    texts = {edit.word: edit.text for edit in edits if isinstance(edit, ReplaceWord)}
    texts |= {edit.word: "" for edit in edits if isinstance(edit, RemoveWord)}
    at, place = {}, 0
    for word in range(len(pair.words)):
        if word not in texts:
            at[word] = place
        place += len(split_words(texts[word])[0]) if word in texts else 1
    if not texts:
        return pair, at
    caption = pair.caption
    for word in sorted(texts, reverse=True):
        start, end = pair.offsets[word]
        rest = caption[end:] if texts[word] else caption[end:].lstrip(" ")
        caption = caption[:start] + texts[word] + rest
    words, offsets = split_words(caption)
    if not words:
        raise ValueError(f"all words of {pair.caption!r} are removed; leave one")
    if len(words) != place:
        raise ValueError(
            f"{caption!r} reads as {len(words)} words where {place} are wanted: the new text joins one"
            " beside it; put a space between them"
        )
    return replace(pair, caption=caption, words=words, offsets=offsets, truth=None), at


def _there(what: str, number: int, count: int, where: str) -> None:
    if not isinstance(number, int | np.integer) or not 0 <= number < count:
        raise ValueError(f"{where} has {count} {what}s, from 0 to {count - 1}; got {what} {number}")
