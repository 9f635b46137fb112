"""`ModelCompare`: two or more systems on one pair, on one scale; and the pairs they disagree about.

`compare(models, collection)` is a live view: it finds who is right about which caption, lists the pairs, and
shows any of them. `compare(models, pair=pair)` shows one pair and asks nothing of the kernel. Either can be
saved as a page, which holds the pair that was shown last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from itr_explore.evaluation.side_by_side import Direction, Disagreements, disagreements
from itr_explore.explanation.maps import explain
from itr_explore.records import Explanation, Pair
from itr_explore.viz.drawing import Drawing
from itr_explore.viz.stills.systems import Column, systems_still
from itr_explore.widgets.judged import badges_of, first_map, hits_of, place_of
from itr_explore.widgets.payload import pair_payload, system_payload
from itr_explore.widgets.view import LiveView, Theme, is_dark

if TYPE_CHECKING:
    import pandas as pd

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

LISTED = 200  # pairs of a group that are offered; the clearest come first


def compare(
    models: Mapping[str, RetrievalModel] | Sequence[RetrievalModel],
    collection: Collection | None = None,
    *,
    pair: Pair | None = None,
    scores: Mapping[str, np.ndarray] | None = None,
    direction: Direction = "text_to_image",
) -> ModelCompare:
    """Put systems beside each other: on one pair, or on any pair of a collection.

    Args:
        models: two or more; by names of your own, or a list that is told by the models' names.
        collection: whose images and captions are ranked, once, by every system.
        pair: the one pair to look at where there is no collection.
        scores: `[image caption]` of systems by name, where they are known (`score_matrix`).
        direction: which rank decides who is right: that of the image for the caption, or the other way.

    Raises:
        ValueError: fewer than two systems, neither a collection nor a pair, both, or scores that do not fit.
    """
    named = _named(models)
    if (collection is None) == (pair is None):
        raise ValueError(
            "wanted either a collection to choose pairs from or one `pair=`, got both or neither"
        )
    if pair is not None:
        return ModelCompare(named, pair=pair)
    assert collection is not None
    found = disagreements(named, collection, scores=scores, direction=direction)
    return ModelCompare(named, collection=collection, found=found)


class ModelCompare(LiveView):
    """Systems beside each other: the same picture once each, its words in focus in all, one scale.

    Args:
        models: by their names.
        pair: the one pair to show; or
        collection: to choose from, with
        found: what `disagreements` found there.
    """

    view = "model_compare"

    def __init__(
        self,
        models: Mapping[str, RetrievalModel],
        *,
        pair: Pair | None = None,
        collection: Collection | None = None,
        found: Disagreements | None = None,
    ):
        self.models, self.collection, self.disagreements = dict(models), collection, found
        place: tuple[int, int] | None = None
        self.explanations: dict[str, Explanation] = {}
        if pair is None:
            collection, found = self._among()
            place = _clearest(found)
            pair = collection.pair(*place)
        self._shown = self._show(pair, place)
        super().__init__(payload={"models": list(models), "choosing": self._choosing(), "shown": self._shown})

    def show(self, image: int, caption: int = 0) -> ModelCompare:
        """Show another pair, wherever the view stands: an image and which of its captions, both from 0."""
        self._shown = self._shown_at(image, caption)
        self.payload = self.drawn_now()
        return self

    def answer_show(self, image: int, caption: int) -> dict[str, Any]:
        """The pair as the front end draws it; a page that is saved from now on holds it."""
        self._shown = self._shown_at(image, caption)
        return self._shown

    def drawn_now(self) -> dict[str, Any]:
        """The payload with the pair that was shown last."""
        return {**self.payload, "shown": self._shown}

    def answer_list(self, group: str) -> list[dict[str, Any]]:
        """The pairs of a group: image, caption and each system's rank, counted from 1."""
        _, found = self._among()
        if group not in found.groups:
            raise KeyError(f"there is no group {group!r}; there is {', '.join(found.groups)}")
        rows = found.groups[group][:LISTED].tolist()
        return [
            {
                "image": int(found.image_of[row]),
                "caption": int(found.number_of[row]),
                "text": found.captions[row][:90],
                "ranks": [_from_one(rank) for rank in found.ranks[:, row]],
            }
            for row in rows
        ]

    def title(self) -> str:
        """The systems and the caption."""
        return f"{' | '.join(self.models)}: {self._pair().caption}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each system: its score of the pair shown, the ranks (from 1), and its hits."""
        import pandas as pd

        rows = [
            {
                "system": name,
                "score": one.score,
                "rank of the image": told.get("image"),
                "rank of the caption": told.get("caption"),
                "hits": hits_of(one),
            }
            for (name, one), told in zip(self.explanations.items(), self._ranks(), strict=True)
        ]
        return pd.DataFrame(rows).set_index("system")

    def summary(self) -> str:
        """The pair, and for each system its score, the ranks and the hits; who is right how often."""
        lines = [f"{self._pair().caption} ({self._where()})"]
        for (name, one), told in zip(self.explanations.items(), self._ranks(), strict=True):
            said = [f"score {one.score:.3f}", *(f"{what} rank {rank}" for what, rank in told.items())]
            lines.append(f"  {name}: {', '.join([*said, *filter(None, [hits_of(one)])])}")
        if self.disagreements is not None:
            groups = self.disagreements.groups.items()
            counts = "; ".join(f"{name}: {len(rows)}" for name, rows in groups)
            lines.append(f"of {len(self.disagreements.captions)} captions: {counts}")
        return "\n".join(lines)

    def still(self, *, width: float = 1000, theme: Theme = "light", word: int | str | None = None) -> Drawing:
        """The sentence, and a column for each system: score, ranks, one word's heat on one scale, verdicts.

        Args:
            width: in CSS pixels, 360 or more.
            theme: "light" or "dark" paper.
            word: whose heat lies over the images: its position, or the word itself; by default the first
                about which the systems disagree.

        Raises:
            ValueError: the caption has no such word, or as of `View.still`.
        """
        dark, columns = is_dark(theme), []
        for (name, one), told in zip(self.explanations.items(), self._ranks(), strict=True):
            found = first_map(one) or one.best("per_region")
            facts = {"score": f"{one.score:.3f}", **{f"{what} rank": rank for what, rank in told.items()}}
            columns.append(Column(name, one, found, facts, badges_of(one, found), hits_of(one)))
        return systems_still(
            columns,
            where=self._where(),
            word=place_of(word, self._pair().words),
            width=width,
            dark=dark,
            title=self.title(),
            description=self.summary(),
        )

    def _among(self) -> tuple[Collection, Disagreements]:
        if self.collection is None or self.disagreements is None:
            raise ValueError("only one pair is known here; give `compare` a collection to choose from")
        return self.collection, self.disagreements

    def _pair(self) -> Pair:
        return next(iter(self.explanations.values())).pair

    def _where(self) -> str:
        if self.place is None or self.collection is None:
            return f"image {self._pair().image_id}"
        name = f"{self.collection.name}, {self.collection.split}"
        return f"{name}: image {self.place[0]}, caption {self.place[1]}"

    def _shown_at(self, image: int, caption: int) -> dict[str, Any]:
        collection, found = self._among()
        found.row(image, caption)
        return self._show(collection.pair(image, caption), (image, caption))

    def _show(self, pair: Pair, place: tuple[int, int] | None) -> dict[str, Any]:
        explanations = {name: explain(model, pair) for name, model in self.models.items()}
        self.explanations, self.place = explanations, place  # not before: what fails leaves the last pair
        systems = [
            {"name": name, "ranks": told, **system_payload(one)}
            for (name, one), told in zip(self.explanations.items(), self._ranks(), strict=True)
        ]
        at = None if place is None else list(place)
        return {"pair": pair_payload(pair), "where": self._where(), "place": at, "systems": systems}

    def _ranks(self) -> list[dict[str, str]]:
        """Each system's ranks of the pair shown, counted from 1, as people read them."""
        if self.disagreements is None or self.place is None:
            return [{} for _ in self.models]
        found = self.disagreements
        row = found.row(*self.place)
        wrong = len(found.captions) - int((found.image_of == found.image_of[row]).sum())
        return [
            {
                "image": f"{_from_one(found.image_ranks[at, row])} of {len(found.image_ids)}",
                "caption": f"{_from_one(found.caption_ranks[at, row])} of {wrong + 1}",
            }
            for at in range(len(self.models))
        ]

    def _choosing(self) -> dict[str, Any] | None:
        """What the front end needs to let people choose; None where there is one pair only."""
        if self.disagreements is None or self.collection is None:
            return None
        found = self.disagreements
        return {
            "groups": [{"name": name, "count": len(rows)} for name, rows in found.groups.items()],
            "captions": len(found.captions),
            "images": len(found.image_ids),
            "listed": LISTED,
            "asked": "ranks its image first"
            if found.direction == "text_to_image"
            else "ranks it before all captions of other images",
        }


def _named(models: Mapping[str, RetrievalModel] | Sequence[RetrievalModel]) -> dict[str, RetrievalModel]:
    if isinstance(models, Mapping):
        named = dict(models)
    else:
        named = {}
        for model in models:
            name, number = model.name, 2
            while name in named:
                name, number = f"{model.name} {number}", number + 1
            named[name] = model
    if len(named) < 2:
        raise ValueError(f"wanted two systems or more to compare, got {', '.join(named) or 'none'}")
    return named


def _clearest(found: Disagreements) -> tuple[int, int]:
    """The first pair of the first group that has one: its image, and which of its captions."""
    for rows in found.groups.values():
        if len(rows):
            return int(found.image_of[rows[0]]), int(found.number_of[rows[0]])
    raise ValueError("nothing to compare: the collection has no caption")


def _from_one(rank: float) -> str:
    return f"{rank + 1:g}"
