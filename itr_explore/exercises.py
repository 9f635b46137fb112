"""Exercises that check themselves: an answer gets a tick, a hint that fits the mistake, or an invitation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import numpy as np


class Verdict:
    """What `check` found; shows itself in a notebook and as text, and is true only if the answer is right."""

    def __init__(self, sign: str, message: str, right: bool):
        self.sign, self.message, self.right = sign, message, right

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{self.sign} {self.message}"

    def _repr_html_(self) -> str:
        border = "#009E73" if self.right else "#E69F00"
        return (
            f'<div style="border-left:4px solid {border};padding:.4em .8em;margin:.3em 0">'
            f"<b>{self.sign}</b> {escape(self.message)}</div>"
        )


def check(
    answer: Any,
    wanted: Any,
    hints: Mapping[Any, str] | Callable[[Any], str] | str = "Not yet: look again.",
    tolerance: float = 1e-3,
) -> Verdict:
    """Compare an exercise's answer with what is wanted; never raises, so that Run All goes on.

    Args:
        answer: what the reader wrote; `...` or None means not answered yet.
        wanted: the right value; numbers and arrays are compared within `tolerance`, all else by equality.
        hints: one hint, a hint for each likely wrong answer (`"else"` for all others), or a function that
            makes one of the answer.
        tolerance: largest difference between numbers that still counts as right.
    """
    if answer is None or answer is ...:
        return Verdict("…", "Write your answer in place of the dots and run the cell again.", False)
    if _same(answer, wanted, tolerance):
        return Verdict("✓", "Right.", True)
    if isinstance(hints, Mapping):
        fitting = (text for wrong, text in hints.items() if _same(answer, wrong, tolerance))
        return Verdict("✗", next(fitting, hints.get("else", "Not yet.")), False)
    return Verdict("✗", hints if isinstance(hints, str) else hints(answer), False)


def _same(answer: Any, wanted: Any, tolerance: float) -> bool:
    """Numbers of one shape within the tolerance, or equal; what cannot be compared is not the same."""
    try:
        given, right = (np.asarray(_plain(value)) for value in (answer, wanted))
        if given.shape != right.shape:
            return False
        if given.dtype.kind in "biufc" and right.dtype.kind in "biufc":
            return bool(np.allclose(given, right, atol=tolerance))
        return bool((given == right).all())
    except (TypeError, ValueError, RuntimeError):
        return False


def _plain(value: Any) -> Any:
    """Numbers out of an array or a tensor, gradient or not."""
    return value.tolist() if hasattr(value, "tolist") else value
