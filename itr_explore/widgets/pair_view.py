"""`PairView`: one picture, one sentence, and what a model relates between them, linked in the browser.

`explore(model, pair)` is all a notebook needs. Nothing is asked of the kernel after the first display. As the
value of a cell the view is a piece of HTML that stays live in a saved notebook; inside another widget (a
`VBox`, say) it is an anywidget; `save_html` makes a page of it; where nothing runs it is a few lines of text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from itr_explore.explanation.maps import explain
from itr_explore.explanation.verdicts import by_chance, verdicts
from itr_explore.records import Explanation, Map, Pair
from itr_explore.widgets.payload import payload
from itr_explore.widgets.view import View

if TYPE_CHECKING:
    import pandas as pd

    from itr_explore.models.base import RetrievalModel


def explore(model: RetrievalModel, pair: Pair) -> PairView:
    """Look inside `model` for one pair: the linked view of its picture, its sentence and their maps."""
    return PairView(explain(model, pair))


class PairView(View):
    """The linked view of one explanation.

    Rest on a word, a region or a cell and all that belongs to it lights up; click holds it, Escape lets go,
    arrow keys walk. A badge says whether a mention's strongest region is right. The colour scale is written.
    """

    view = "pair_view"

    def __init__(self, explanation: Explanation):
        self.explanation = explanation
        super().__init__(payload=payload(explanation))

    def title(self) -> str:
        """The model and the caption."""
        return f"{self.explanation.model}: {self.explanation.pair.caption}"

    def to_frame(self, name: str | None = None) -> pd.DataFrame:
        """The numbers behind a map of words and regions: a row for each word, a column for each region.

        Args:
            name: which map (`explanation.map`); by default the one that the view shows first.
        """
        import pandas as pd

        found = self._first() if name is None else self.explanation.map(name)
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
        pair, found = self.explanation.pair, self._first()
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
        return "\n".join(lines)

    def _first(self) -> Map | None:
        return self.explanation.best("word_to_region") or self.explanation.best("region_to_word")
