"""Settings that were chosen on a validation split, by system and kind of collection."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """A preset of a model, and how to train it; `settings` are keyword arguments of `fit`."""

    preset: str
    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    weight_decay: float = 0.0
    warm_up_epochs: int = 1

    @property
    def settings(self) -> dict[str, Any]:
        """All but the preset."""
        return {name: value for name, value in asdict(self).items() if name != "preset"}


RECIPES: dict[tuple[str, str], Recipe] = {
    ("scan", "scenes"): Recipe("tiny", epochs=6, learning_rate=2e-3, warm_up_epochs=3),
    ("vsrnpp", "scenes"): Recipe("tiny", epochs=8, learning_rate=2e-3, warm_up_epochs=4),
    ("scan", "real photos"): Recipe("base", epochs=6, warm_up_epochs=0),
    ("vsrnpp", "real photos"): Recipe("base", epochs=6, learning_rate=2e-3, warm_up_epochs=0),
}


def recipe_for(model: str, kind: str, epochs: int | None = None) -> Recipe:
    """The recipe of a system for a kind of collection, "scenes" or "real photos".

    Args:
        model: a name that `list_models` gives.
        kind: what is trained on; other collections of photos are best begun with "real photos".
        epochs: replaces the recipe's own; warm-up epochs are then at most half of them.

    Raises:
        ValueError: there is no such recipe.
    """
    if (model, kind) not in RECIPES:
        known = ", ".join(f"{name} on {what}" for name, what in RECIPES)
        raise ValueError(f"there is no recipe for {model} on {kind}; there is {known}")
    recipe = RECIPES[model, kind]
    if epochs is None:
        return recipe
    return replace(recipe, epochs=epochs, warm_up_epochs=min(recipe.warm_up_epochs, max(1, epochs // 2)))
