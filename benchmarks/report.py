"""Tables and charts of all that was measured of the systems: `python benchmarks/report.py`.

Reads the JSON files of results/, writes results/systems.md, puts its tables into the README, and writes
out/scenes.html (the charts, interactive, on one page that needs no network).
Trains and measures nothing.
"""

from __future__ import annotations

import json
import re

from common import RESULTS

from itr_explore.evaluation.runs import Runs, recall_at_1, swap_halves
from itr_explore.evaluation.tables import (
    agreement_table,
    edges_table,
    mistakes_table,
    photo_table,
    relevance_table,
    speed_table,
    switches_table,
    truth_table,
)
from itr_explore.records import Table
from itr_explore.viz.runs import spread_bars

ROOT = RESULTS.parents[1]


def markdown(table: Table) -> str:
    """A table as Markdown."""
    rows = [table.columns, tuple("---" for _ in table.columns), *table.rows]

    def shown(cell: object) -> str:
        return "" if cell is None else f"{cell:.{table.digits}f}" if isinstance(cell, float) else str(cell)

    return "\n".join("| " + " | ".join(map(shown, row)) + " |" for row in rows)


def in_readme(text: str, table: Table) -> str:
    """The README with this table after the mark `<!-- TITLE -->`, in place of the one that stood there."""
    mark = f"<!-- {table.title.lower()} -->"
    if mark not in text:
        raise ValueError(f"the README has no place for {table.title!r}; put {mark} where it belongs")
    return re.sub(rf"{mark}\n+(\|.*\n)*\n*", lambda _: f"{mark}\n\n{markdown(table)}\n\n", text)


def charts(runs: Runs) -> list:
    """Recall and swap, a group of bars for each system."""
    recall = {name: values[:2] for name, values in runs.spread(recall_at_1).items()}
    lines = {"ambiguity, image to text": runs.ceiling[0], "ambiguity, text to image": runs.ceiling[1]}
    return [
        spread_bars(recall, ("image to text", "text to image"), title="R@1 on test scenes", lines=lines),
        spread_bars(
            runs.spread(swap_halves),
            ("relation direction", "attribute binding"),
            title="Right caption above its mirror image",
            lines={"chance": 50},
        ),
    ]


def read(name: str) -> dict:
    """What stands in `results/NAME.json`."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    runs = Runs.read(RESULTS / "scenes.json")
    of_files = {
        "real_photos": photo_table,
        "speed": speed_table,
        "is_it_true": truth_table,
        "edges": edges_table,
        "relevance": mistakes_table,
    }
    of_relevance = [make(read("relevance")) for make in (relevance_table, agreement_table)]
    switched = switches_table(*map(read, ("switches", "scenes", "real_photos")))
    tables = [runs.recall_table(), runs.swap_table(), runs.pointing_table()]
    tables += [*(make(read(name)) for name, make in of_files.items()), *of_relevance, switched]
    told = [f"**{table.title}**\n\n{markdown(table)}\n\n{table.note}\n" for table in tables]
    (RESULTS / "systems.md").write_text("\n".join(told), encoding="utf-8")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    for table in tables:
        text = in_readme(text, table)
    readme.write_text(text, encoding="utf-8")

    page = ROOT / "out" / "scenes.html"
    page.parent.mkdir(exist_ok=True)
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=row == 0) for row, figure in enumerate(charts(runs))
    ]
    head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Systems on scenes</title>"
    page.write_text(head + "".join(parts), encoding="utf-8")
    print("\n\n".join(map(str, tables)), f"\n\nwrote {page}")


if __name__ == "__main__":
    main()
