"""Look inside a model by name: a `Tap` marks a value worth seeing, `capture` reads it during a forward, and
`edit` puts another in its place.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

Kind = Literal[
    "word_to_region",    # [image caption word region]  each word's weights over regions
    "region_to_word",    # [image caption region word]  each region's weights over words
    "region_to_region",  # [image region region]        an edge from row to column
    "word_to_word",      # [caption word word]
    "per_region",        # [image region]               these four may be each pair's own: then the
    "per_word",          # [caption word]               axes begin with [image caption ...]
    "image_to_image",    # [image image]                images of a batch that look at each other
    "caption_to_caption",  # [caption caption]
    "sample_to_sample",  # [sample sample]              images and captions together, images first
]  # fmt: skip

Scale = Literal["softmax", "signed", "row_sum", "cosine", "unit"]


class Tap(nn.Identity):
    """Names a value worth looking at; does nothing to it.

    Args:
        kind: what the value relates; it fixes the axes (see `Kind`).
        scale: how to read the numbers: `softmax` rows sum to one, `signed` has a meaningful zero,
            `row_sum` is non-negative and divided by its row sum, `cosine` lies in [-1, 1], `unit` in [0, 1].
        exact: the value is the one the score is computed from, not an approximation of it.
        derived: the value is made for the eye only; the model itself goes on without it, so it is never
            `exact` and cannot be edited.
    """

    def __init__(self, kind: Kind, scale: Scale, exact: bool = True, derived: bool = False):
        super().__init__()
        self.kind, self.scale, self.exact, self.derived = kind, scale, exact and not derived, derived

    @property
    def watched(self) -> bool:
        """Somebody listens: a value that costs extra is made only then."""
        return bool(self._forward_hooks)

    def extra_repr(self) -> str:
        """What `print(model)` shows of a tap."""
        return f"{self.kind}, {self.scale}"


@dataclass(frozen=True)
class Seen:
    """What one tap let through: the tap itself and its values, one for each time it was passed."""

    tap: Tap
    values: list[Tensor]

    @property
    def value(self) -> Tensor:
        """The only value; an error if the tap was passed more than once."""
        if len(self.values) != 1:
            raise ValueError(
                f"wanted a tap that was passed once, this one was passed {len(self.values)} times"
            )
        return self.values[0]


@contextmanager
def capture(model: nn.Module) -> Iterator[dict[str, Seen]]:
    """Collect what passes through the taps of `model` while the block runs.

    Yields a dict from a tap's module path (`"relations.0.affinity"`) to a `Seen`; taps that were never
    passed are absent. Values keep their graph, so gradients can be asked of them. The hooks are removed on
    exit, also after an error.

    >>> with capture(model) as seen:
    ...     model(batch)
    >>> seen["word_to_region"].value.shape
    """
    seen: dict[str, Seen] = {}

    def keep(name: str, tap: Tap):
        def hook(_module, _inputs, value: Tensor) -> None:
            seen.setdefault(name, Seen(tap, [])).values.append(value)

        return tap.register_forward_hook(hook)

    handles = [keep(name, tap) for name, tap in model.named_modules() if isinstance(tap, Tap)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def edit(model: nn.Module, edits: Mapping[str, Callable[[Tensor], Tensor]]) -> Iterator[Mapping[str, int]]:
    """Let other values go on from the taps of `model` while the block runs.

    Yields how often each tap was passed so far. A `capture` inside the block sees the new values, one around
    it those that came. The hooks are removed on exit, also after an error.

    Args:
        model: any that has taps.
        edits: from a tap's module path to a function: what came to what goes on, of the same shape.

    Raises:
        ValueError: there is no such tap, or its value is made for the eye only (`Tap.derived`), so that
            nothing would come of it; inside the block, a function returned another shape.

    >>> with edit(model, {"relations.0.affinity": torch.zeros_like}):
    ...     model(batch)
    """
    taps = {name: tap for name, tap in model.named_modules() if isinstance(tap, Tap)}
    editable = ", ".join(name for name, tap in taps.items() if not tap.derived) or "none"
    for name in edits:
        if name not in taps:
            raise ValueError(f"there is no tap {name!r}; those that can be edited: {editable}")
        if taps[name].derived:
            raise ValueError(
                f"what passes tap {name!r} is made for the eye only, the score is not computed from it, so an"
                f" edit would change nothing; those that can be edited: {editable}"
            )
    passed = dict.fromkeys(edits, 0)

    def put(name: str, function: Callable[[Tensor], Tensor]):
        def hook(_module, _inputs, value: Tensor) -> Tensor:
            passed[name] += 1
            instead = function(value)
            if instead.shape != value.shape:
                raise ValueError(
                    f"what passes tap {name!r} has the shape {list(value.shape)}, the edit returned"
                    f" {list(instead.shape)}; return one of the same shape"
                )
            return instead

        return taps[name].register_forward_hook(hook)

    handles = [put(name, function) for name, function in edits.items()]
    try:
        yield passed
    finally:
        for handle in handles:
            handle.remove()
