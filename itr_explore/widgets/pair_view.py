"""`PairView`: one picture, one sentence, and what a model relates between them, linked in the browser.

`explore(model, pair)` is all a notebook needs. Nothing is asked of the kernel after the first display. As the
value of a cell the view is a piece of HTML that stays live in a saved notebook; inside another widget (a
`VBox`, say) it is an anywidget; `save_html` makes a page of it; where nothing runs it is a few lines of text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from itr_explore.evaluation.controls import with_controls
from itr_explore.explanation.maps import explain
from itr_explore.explanation.verdicts import by_chance, verdicts
from itr_explore.records import Attribution, Explanation, Pair
from itr_explore.viz.drawing import Drawing
from itr_explore.viz.stills.pair import pair_still
from itr_explore.widgets.judged import badges_of, first_map, hits_of, place_of
from itr_explore.widgets.payload import payload
from itr_explore.widgets.view import Theme, View, is_dark

if TYPE_CHECKING:
    import pandas as pd

    from itr_explore.models.base import RetrievalModel


Beside = Mapping[str, Explanation | Attribution]


def explore(model: RetrievalModel, pair: Pair, beside: bool | Beside = False) -> PairView:
    """Look inside `model` for one pair: the linked view of its picture, its sentence and their maps.

    Args:
        model: is left as it was found.
        pair: one picture and one sentence.
        beside: True puts an attribution and the map of a model with random weights beside the model's own, on
            one scale (`with_controls`); or what you have of the same pair, by its titles.

    Raises:
        ValueError: the pair does not fit the model, or `beside` holds something of another pair.
    """
    explanation = explain(model, pair)
    if beside is True:
        beside = with_controls(model, pair)
    return PairView(explanation, beside=beside or None)


class PairView(View):
    """The linked view of one explanation.

    Rest on a word, a region or a cell and all that belongs to it lights up; click holds it, Escape lets go,
    arrow keys walk. A badge says whether a mention's strongest region is right. The colour scale is written.

    Args:
        explanation: what `explain` returned.
        beside: attributions of the pair, or what others say of it, by their titles: a strip of the same
            picture on one scale.

    Raises:
        ValueError: `beside` holds something of another pair.
    """

    view = "pair_view"

    def __init__(self, explanation: Explanation, *, beside: Beside | None = None):
        self.explanation = explanation
        self.others = {
            title: _same_pair(title, one, explanation.pair) for title, one in (beside or {}).items()
        }
        super().__init__(payload=payload(explanation, self.others))

    def title(self) -> str:
        """The model and the caption."""
        return f"{self.explanation.model}: {self.explanation.pair.caption}"

    def to_frame(self, name: str | None = None) -> pd.DataFrame:
        """The numbers behind a map of words and regions: a row for each word, a column for each region.

        Args:
            name: which map (`explanation.map`); by default the one that the view shows first.
        """
        import pandas as pd

        found = first_map(self.explanation) if name is None else self.explanation.map(name)
        if found is None or found.kind not in ("word_to_region", "region_to_word"):
            raise ValueError(
                f"wanted a map of words and regions, got {found and found.kind};"
                " `explanation.map(name).values` has the numbers of any map"
            )
        values = found.values if found.kind == "word_to_region" else found.values.T
        return pd.DataFrame(values, index=pd.Index(self.explanation.pair.words, name="word")).rename_axis(
            columns="region"
        )

    def summary(self) -> str:
        """The view as a few lines: the score, and for each mention its strongest region and the verdict."""
        pair, found = self.explanation.pair, first_map(self.explanation)
        lines = [f"{self.explanation.model}, score {self.explanation.score:.3f}: {pair.caption}"]
        if found is None:
            return "\n".join([*lines, "no map of words and regions"])
        lines.append(
            f"map {found.name} ({found.origin}, {found.scale}{'' if found.exact else ', not exact'})"
        )
        judged = verdicts(found, pair.truth)
        for verdict in judged:
            words = " ".join(pair.words[word] for word in verdict.mention.words)
            lines.append(f"  {words:<20} region {verdict.top:>3}  {verdict.weight:6.3f}  {verdict.state}")
        if judged:
            checked = [verdict for verdict in judged if verdict.state != "ungrounded"]
            hits = sum(verdict.state == "hit" for verdict in checked)
            lines.append(
                f"{hits} of {len(checked)} right; by chance {by_chance(judged, len(pair.regions)):.1f}"
            )
        else:
            rows = found.values if found.kind == "word_to_region" else found.values.T
            lines += [
                f"  {w:<20} region {r.argmax():>3}  {r.max():6.3f}"
                for w, r in zip(pair.words, rows, strict=True)
            ]
        for title, one in self.others.items():
            lines.append(f"beside, {title}: {hits_of(one) or 'nothing to judge'}")
        return "\n".join(lines)

    def still(
        self,
        *,
        width: float = 1000,
        theme: Theme = "light",
        word: int | str | None = None,
        name: str | None = None,
    ) -> Drawing:
        """The sentence, the image with one word's heat, the matrix and the scale, as a drawing.

        Args:
            width: in CSS pixels, 360 or more.
            theme: "light" or "dark" paper.
            word: whose heat lies over the image: its position, or the word itself (where it stands first); by
                default the first word that is right or wrong.
            name: which map (`explanation.map`); by default the one that the view shows first.

        Raises:
            KeyError: there is no such map.
            ValueError: the caption has no such word, or the map does not relate words and regions.
        """
        dark, pair = is_dark(theme), self.explanation.pair
        found = first_map(self.explanation) or self.explanation.best("per_region")
        if name is not None:
            found = self.explanation.map(name)
            if found.kind not in ("word_to_region", "region_to_word", "per_region"):
                raise ValueError(f"wanted a map of words and regions or of regions, {name!r} is {found.kind}")
        return pair_still(
            self.explanation,
            found,
            badges_of(self.explanation, found),
            remark="" if found is None else hits_of(self.explanation, found, chance=True),
            word=place_of(word, pair.words),
            width=width,
            dark=dark,
            description=self.summary(),
        )


def _same_pair(title: str, found: Explanation | Attribution, pair: Pair) -> Explanation:
    explanation = found.explanation if isinstance(found, Attribution) else found
    one = explanation.pair
    if (one.image_id, one.words, len(one.regions)) != (pair.image_id, pair.words, len(pair.regions)):
        raise ValueError(
            f"{title!r} is of another pair ({one.image_id}: {one.caption}); wanted one of this pair"
            f" ({pair.image_id}: {pair.caption})"
        )
    return explanation
