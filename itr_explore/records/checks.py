"""What records ask of their parts."""

from __future__ import annotations

from typing import Any


def want(condition: bool, message: str) -> None:
    """`ValueError` with the message where the condition does not hold."""
    if not condition:
        raise ValueError(message)


def want_shape(name: str, array: Any, wanted: tuple[int | str, ...]) -> None:
    """Refuse an array whose shape does not fit; a string in `wanted` names an axis of any length."""
    got = tuple(array.shape)
    fits = len(got) == len(wanted) and all(
        isinstance(w, str) or w == g for w, g in zip(wanted, got, strict=False)
    )
    want(fits, f"{name} must be [{' '.join(map(str, wanted))}], got {list(got)}")
