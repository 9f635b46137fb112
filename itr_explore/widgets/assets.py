"""The front end as one script a view: style, palette and JavaScript files, joined in order, no build step.

anywidget wants one ES module and an exported page one inline script; both get this text. The files under
`static/` are plain ES and know each other's top-level names; none of them imports or exports. What a view's
script exports is written here: its `mount(host, payload, kernel)` and anywidget's `render`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from itr_explore.viz import theme


class Parts(NamedTuple):
    """The files of one view; the function `mount` stands in the last of the scripts."""

    mount: str
    scripts: tuple[str, ...]
    styles: tuple[str, ...]


PAIR_SCRIPTS = (
    *("base.js", "picker.js", "play.js", "heat.js", "sentence.js", "picture.js", "matrix.js"),
    *("relations.js", "panels.js", "pair_view.js"),
)
VIEWS = {
    "pair_view": Parts("mountPairView", PAIR_SCRIPTS, ("base.css", "pair_view.css")),
    "model_compare": Parts(
        "mountModelCompare",
        (*PAIR_SCRIPTS, "model_compare.js"),
        ("base.css", "pair_view.css", "model_compare.css"),
    ),
    "training_monitor": Parts(
        "mountTrainingMonitor",
        ("base.js", "sentence.js", "chart.js", "probe.js", "training_monitor.js"),
        ("base.css", "pair_view.css", "training_monitor.css"),
    ),
    "retrieval_demo": Parts(
        "mountRetrievalDemo",
        (*PAIR_SCRIPTS, "why.js", "results.js", "worst.js", "retrieval_demo.js"),
        ("base.css", "pair_view.css", "retrieval_demo.css"),
    ),
    "graph_explorer": Parts(
        "mountGraphExplorer",
        ("base.js", "graph_numbers.js", "graph_plot.js", "graph_edits.js", "graph_explorer.js"),
        ("base.css", "graph_explorer.css"),
    ),
}


@cache
def view_script(view: str) -> str:
    """The ES module of a view: exports `mount(host, payload, kernel)` and anywidget's `render`."""
    parts = VIEWS[view]
    style = _house() + "".join(map(_read, parts.styles))
    palette = {
        "light": {"sequential": theme.sequential(), "diverging": theme.diverging()},
        "dark": {"sequential": theme.sequential(dark=True), "diverging": theme.diverging(dark=True)},
        "categories": [colour for name, colour in theme.OKABE_ITO.items() if name != "black"],
        "veil": theme.VEIL,
        "inks": theme.INKS,
    }
    opening = f"const PALETTE = {json.dumps(palette)};\nconst STYLE = {json.dumps(style)};\n"
    ending = f"export const mount = {parts.mount};\nexport default asWidget(mount);\n"
    return opening + "\n".join(map(_read, parts.scripts)) + ending


@cache
def _read(name: str) -> str:
    return (files("itr_explore.widgets") / "static" / name).read_text(encoding="utf-8")


def _house() -> str:
    """The colours and fonts of the house as CSS variables, for a light and for a dark host."""

    def rules(tone: dict[str, str]) -> str:
        names = {"paper": "house-paper", "ink": "house-ink"}  # the host's own win over these two
        return "".join(f"--{names.get(name, name)}: {colour}; " for name, colour in tone.items())

    fixed = {
        "hit": theme.HIT,
        "miss": theme.MISS,
        "edge": theme.EDGE,
        "edge-negative": theme.EDGE_NEGATIVE,
        "rim": theme.INKS[1],
        "veil": theme.VEIL,
        "sans": theme.SANS,
        "serif": theme.SERIF,
    }
    return (
        f".view {{ {rules(fixed)}{rules(theme.LIGHT)}}}\n"
        f'.view[data-theme="dark"] {{ {rules(theme.DARK)}}}\n'
        f".stage {{ --ring: {theme.RING_ON_PHOTO}; }}\n"
    )
