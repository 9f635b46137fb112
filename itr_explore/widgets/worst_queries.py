"""The ranks of all queries of a gallery, worked out little by little and kept as long as the weights stay."""

from __future__ import annotations

from collections.abc import Iterator

from itr_explore.evaluation.queries import query_ranks_in_steps
from itr_explore.records import QueryRanks
from itr_explore.records.found import Side
from itr_explore.search.gallery import Gallery


class WorstQueries:
    """`query_ranks` of both sides of a gallery."""

    def __init__(self, gallery: Gallery):
        self.gallery = gallery
        self._running: dict[Side, Iterator[tuple[int, int, QueryRanks | None]]] = {}
        self._found: dict[Side, QueryRanks] = {}
        self._weights: tuple = ()

    def go_on(self, side: Side) -> tuple[int, int] | QueryRanks:
        """The ranks of all queries, or, after a little more work, how much is done, of how much."""
        gallery = self.gallery
        if gallery.stamp() != self._weights:  # trained since
            self._running, self._found, self._weights = {}, {}, gallery.stamp()
        if side in self._found:
            return self._found[side]
        if side not in self._running:
            self._running[side] = query_ranks_in_steps(
                gallery.model,
                gallery.collection,
                side,
                device=str(next(gallery.model.parameters()).device),
                shelf=gallery.shelf(side),
            )
        try:
            done, total, ranks = next(self._running[side])
        except Exception:
            del self._running[side]
            raise
        if ranks is None:
            return done, total
        del self._running[side]
        self._found[side] = ranks
        return ranks
