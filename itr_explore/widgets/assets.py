"""The front end as one script: style, palette and the JavaScript files, joined in order, no build step.

anywidget wants one ES module and an exported page one inline script; both get this text. The files under
`static/` are plain ES and know each other's top-level names; only the last one of a view exports.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from itr_explore.viz import theme

PAIR_VIEW = ("base.js", "sentence.js", "picture.js", "matrix.js", "pair_view.js")


@cache
def pair_view_script() -> str:
    """The ES module of `PairView`: exports `mount(host, payload)` and anywidget's `render`."""
    style = _house() + _read("pair_view.css")
    palette = {
        "light": {"sequential": theme.sequential(), "diverging": theme.diverging()},
        "dark": {"sequential": theme.sequential(dark=True), "diverging": theme.diverging(dark=True)},
        "veil": theme.VEIL,
        "inks": theme.INKS,
    }
    opening = f"const PALETTE = {json.dumps(palette)};\nconst STYLE = {json.dumps(style)};\n"
    return opening + "\n".join(_read(name) for name in PAIR_VIEW)


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
