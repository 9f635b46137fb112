"""`GraphExplorer`: the graphs of a pair's regions and words, and what becomes of the score when edges change.

All that it shows comes from one call each:

>>> explanation = explain_edges(model, pair)                        # the model's edges, and derived ones
>>> graph = region_graph(explanation, "learned", threshold=0.1, top=2)   # what is drawn
>>> centralities(graph)                                             # how large nodes are
>>> layouts(graph)                                                  # where they stand
>>> intervene(model, pair, CutEdge(tap, 3, 5), gallery=collection)  # score and ranks beside the controls
>>> moved_words(explanation, explain_edges(model, pair, CutEdge(tap, 3, 5)))  # whose attention moved
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from itr_explore.evaluation.cascade import ANOTHER, fresh
from itr_explore.explanation.edges import editable, explain_edges
from itr_explore.explanation.edits import EdgeEdit
from itr_explore.explanation.graph import centralities
from itr_explore.explanation.intervention import EncodedGallery, intervene
from itr_explore.records import Explanation, Intervention, Pair
from itr_explore.viz.drawing import Drawing
from itr_explore.viz.stills.graph import graph_still
from itr_explore.widgets.graph_payload import (
    Choice,
    choices,
    edit_of,
    edited_edges,
    graph_payload,
    places_of,
    result_payload,
)
from itr_explore.widgets.view import LiveView, Theme, is_dark

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

Before = Mapping[str, "RetrievalModel"]
STRONGEST = 5  # edges and nodes that the summary names


class GraphExplorer(LiveView):
    """The region graphs and word graphs of one pair, over the image and as a layout.

    Choose edges that the model reasons on, that are derived from it, or that come from the pair itself. Rest
    on a node and its edges light up; click pins it, arrow keys walk, Tab goes through its edges. Click an
    edge, or press Enter on it, to cut it, reverse it or put the mean edge in its place: score and ranks
    answer, beside the same done to other edges of nearly the same weight. Edits add up; Ctrl+Z takes the last
    one back.

    Args:
        model: is left as it was found; a change of its weights afterwards is not noticed.
        pair: one image and one caption.
        collection: where the pair is from; without it scores change, and no ranks are known.
        before: the same system at other times, to be shown on one scale: a model, models by name (epochs,
            say), or `"untrained"` for a twin that never learned.
        gallery: among how many images of the collection the pair is ranked: its own and the first others.
        controls: to how many other edges the same is done.
        seed: of the controls, and of the twin, the same one as that of `with_controls`.

    Attributes:
        explanation: `explain_edges(model, pair)`.
        edits: those that stand.
        intervention: what they did (`intervene`), or None.

    Raises:
        ValueError: the pair does not fit the model or is not of the collection; `before` has no edges that
            the model has.
    """

    view = "graph_explorer"

    def __init__(
        self,
        model: RetrievalModel,
        pair: Pair,
        collection: Collection | None = None,
        *,
        before: RetrievalModel | Before | Literal["untrained"] | None = None,
        gallery: int = 500,
        controls: int = 20,
        seed: int = 0,
    ):
        self.model, self.pair = model, pair
        self.controls, self.seed = controls, seed
        self.collection = None if collection is None else _around(collection, pair, gallery)
        self.explanation = explain_edges(model, pair)
        self.edits: tuple[EdgeEdit, ...] = ()
        self._after: Explanation | None = None  # under the edits
        self.intervention: Intervention | None = None
        self._told: dict[str, Any] | None = None
        self._encoded: EncodedGallery | None = None
        versions = self._versions(before)
        super().__init__(payload=graph_payload(versions, self._gallery_in_words()))

    def edit(self, *edits: EdgeEdit) -> Intervention | None:
        """Let these edits stand, and no others, as if they had been clicked; returns what they did.

        Raises:
            ValueError: as of `intervene`.
        """
        self._told = self._edited(edits, self.collection is not None)
        self.payload = self.drawn_now()
        return self.intervention

    def drawn_now(self) -> dict[str, Any]:
        """With what the last edits did; the live view has that without being drawn anew."""
        return {**self.payload, "result": self._told}

    def answer_edit(self, edits: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Score and maps under some edits; ranks take longer and are asked for after."""
        return self._answered([edit_of(said) for said in edits], ranked=False)

    def answer_rank(self, edits: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The same with ranks."""
        return self._answered([edit_of(said) for said in edits], ranked=True)

    def graph(self, name: str | None = None, **thinned: Any) -> nx.DiGraph:
        """One of the graphs, as `region_graph` or `word_graph` makes it.

        Args:
            name: one of `graphs`; by default the one shown first.
            thinned: `threshold` and `top`, as of these functions.
        """
        return self._choice(name).of(self.explanation, **thinned)

    @property
    def graphs(self) -> list[str]:
        """The names of the graphs there are."""
        return [one.name for one in choices(self.explanation)]

    def to_frame(self, name: str | None = None, **thinned: Any) -> pd.DataFrame:
        """The edges of a graph (see `graph`), the strongest first."""
        import pandas as pd

        rows = self.graph(name, **thinned).edges(data=True)
        found = [(a, b, data["weight"], data.get("predicate", "")) for a, b, data in rows]
        frame = pd.DataFrame(found, columns=["from", "to", "weight", "predicate"])
        return frame.sort_values("weight", key=abs, ascending=False, kind="stable", ignore_index=True)

    def title(self) -> str:
        """The model and the caption."""
        return f"{self.explanation.model}, relations: {self.pair.caption}"

    def summary(self) -> str:
        """The graph shown first, its strongest edges and most central nodes, and what edits did."""
        one = self._choice(None)
        graph = one.of(self.explanation)
        edges = self.to_frame()
        lines = [
            f"{self.explanation.model}, score {self.explanation.score:.3f}: {self.pair.caption}",
            f"{one.name}: {len(graph)} {one.nodes}s, {graph.number_of_edges()} edges",
        ]
        lines += [
            f"  {a} → {b}  {weight:.3f}  {predicate}".rstrip()
            for a, b, weight, predicate in edges.head(STRONGEST).itertuples(index=False)
        ]
        central = centralities(graph)["in_strength"].sort_values(ascending=False, kind="stable")
        named = [f"{node} ({strength:.2f})" for node, strength in central.head(STRONGEST).items()]
        lines.append(f"most is led to {', '.join(named)}" if len(edges) else "no edges")
        if self.intervention is not None:
            lines.append(str(self.intervention))
        elif not editable(self.explanation):
            lines.append("nothing to edit: this system reasons on no edges")
        return "\n".join(lines)

    def still(
        self, *, width: float = 1000, theme: Theme = "light", name: str | None = None, top: int | None = None
    ) -> Drawing:
        """One graph over the image and as a layout, under the edits that stand, and what these did.

        Args:
            width: in CSS pixels, 360 or more.
            theme: "light" or "dark" paper.
            name: one of `graphs`; by default the one shown first.
            top: how many edges of each node are drawn; by default as many as the view shows at first.

        Raises:
            KeyError: there is no such graph.
            ValueError: as of `View.still`.
        """
        dark, one = is_dark(theme), self._choice(name)
        shown = self.payload["graphs"][self.graphs.index(one.name)]
        scores = dict(self.payload["versions"])
        facts = {f"score {which}": score for which, score in scores.items()} if len(scores) > 1 else {}
        facts = facts or {"score": f"{self.explanation.score:.3f}"}
        if self._after is not None:
            facts["after the edits"] = f"{self._after.score:.3f}"
        return graph_still(
            self.pair,
            one.of(self._after or self.explanation, top=top or shown["top"]),
            places_of(shown),
            model=self.explanation.model,
            facts=facts,
            label=shown["label"],
            about=shown["about"],
            words=one.nodes == "word",
            symmetric=shown["symmetric"],
            edited=edited_edges(self.edits, shown),
            found=self.intervention,
            width=width,
            dark=dark,
            title=self.title(),
            description=self.summary(),
        )

    def _answered(self, edits: list[EdgeEdit], ranked: bool) -> dict[str, Any] | None:
        result = self._edited(tuple(edits), ranked and self.collection is not None)
        self._told = result
        return result

    def _edited(self, edits: tuple[EdgeEdit, ...], ranked: bool) -> dict[str, Any] | None:
        if not edits:
            self.edits, self.intervention, self._after = (), None, None
            return None
        if ranked and self._encoded is None and self.collection is not None:
            self._encoded = EncodedGallery.of(self.model, self.collection)
        asked: Any = {"controls": self.controls, "seed": self.seed}
        found = intervene(self.model, self.pair, *edits, gallery=self._encoded if ranked else None, **asked)
        after = explain_edges(self.model, self.pair, *edits)
        self.edits, self.intervention, self._after = edits, found, after
        return {**result_payload(edits, found, self.explanation, after), "ranked": ranked}

    def _versions(self, before: Any) -> dict[str, Explanation]:
        if before is None:
            return {"now": self.explanation}
        if isinstance(before, str):
            if before != "untrained":
                raise ValueError(f'before must be "untrained", a model or models by name, got {before!r}')
            models, now = {"untrained": fresh(self.model, self.seed + ANOTHER)}, "trained"
        else:
            models, now = dict(before) if isinstance(before, Mapping) else {"before": before}, "now"
        found = {name: explain_edges(other, self.pair) for name, other in models.items()}
        mine = {m.name for m in self.explanation.maps if m.kind in ("region_to_region", "word_to_word")}
        for name, other in found.items():
            if not mine & {m.name for m in other.maps}:
                raise ValueError(
                    f"{name!r} ({other.model}) has no edges that {self.explanation.model} has; give the same"
                    " system at another time"
                )
        return {**found, (f"{now} (the model)" if now in found else now): self.explanation}

    def _gallery_in_words(self) -> str:
        found = self.collection
        return "" if found is None else f"{found.name}, {found.split}: {len(found):,} images"

    def _choice(self, name: str | None) -> Choice:
        found = choices(self.explanation)
        if name is None:
            return found[self.payload["first"]]
        for one in found:
            if one.name == name:
                return one
        raise KeyError(f"no graph {name!r}; there is {', '.join(one.name for one in found)}")


def _around(collection: Collection, pair: Pair, most: int) -> Collection:
    """The pair's image and the first others, in the collection's order."""
    if pair.image_id not in collection.image_ids:
        raise ValueError(
            f"image {pair.image_id!r} is not in {collection.name}, {collection.split}, so it has no rank"
            " there; take a pair of the collection, or give no collection"
        )
    if most < 2:
        raise ValueError(f"gallery must be at least 2 images, got {most}")
    if len(collection) <= most:
        return collection
    own = collection.image_ids.index(pair.image_id)
    others = [row for row in range(most) if row != own][: most - 1]
    return collection.subset(sorted([own, *others]))
