"""Tables and charts of all that was measured on scenes: `python benchmarks/report.py`.

Reads results/scenes.json and writes results/scenes.md (the README's tables) and out/scenes.html (the charts,
interactive, on one page that needs no network). Trains and measures nothing.
"""

from __future__ import annotations

from common import RESULTS

from itr_explore.evaluation.runs import Runs, recall_at_1, swap_halves
from itr_explore.records import Table
from itr_explore.viz.runs import spread_bars


def markdown(table: Table) -> str:
    """A table as Markdown, its note below it."""
    rows = [table.columns, tuple("---" for _ in table.columns), *table.rows]

    def shown(cell: object) -> str:
        return "" if cell is None else f"{cell:.{table.digits}f}" if isinstance(cell, float) else str(cell)

    lines = ["| " + " | ".join(map(shown, row)) + " |" for row in rows]
    return "\n".join([f"**{table.title}**", "", *lines, "", table.note])


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


def main() -> None:
    runs = Runs.read(RESULTS / "scenes.json")
    tables = [runs.recall_table(), runs.swap_table(), runs.pointing_table()]
    (RESULTS / "scenes.md").write_text("\n\n".join(map(markdown, tables)) + "\n", encoding="utf-8")
    page = RESULTS.parents[1] / "out" / "scenes.html"
    page.parent.mkdir(exist_ok=True)
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=row == 0) for row, figure in enumerate(charts(runs))
    ]
    head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Systems on scenes</title>"
    page.write_text(head + "".join(parts), encoding="utf-8")
    print("\n\n".join(map(str, tables)), f"\n\nwrote {page}")


if __name__ == "__main__":
    main()
