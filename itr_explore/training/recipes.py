"""Recipes: which preset of a system, and how to train it, for a kind of collection.

One TOML file a system, `recipe_files/SYSTEM.toml`: its `system`, and a table for each of `[scenes]`,
`[photos]` (any collection of real photos), `[flickr30k]` and `[coco]` (the
published set-up, for the field's feature files). A table's keys are the fields of `Recipe`; its sub-table
`model` holds settings of the model that differ from the preset's. `recipe_files/collections.toml` says which
files the last two need and where the field gets them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itr_explore.data.text import build_tokenizer
from itr_explore.models.base import near
from itr_explore.models.registry import create_model, list_models

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

FOLDER = Path(__file__).parent / "recipe_files"
COLLECTIONS = "collections.toml"
TABLES = {"scenes": "scenes", "photos": "photos", "flickr30k": "f30k", "coco": "coco"}  # their short names
ALSO = {"real photos": "photos", **{short: table for table, short in TABLES.items()}}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that it takes to train a system on a kind of collection."""

    preset: str
    epochs: int
    learning_rate: float
    batch_size: int = 128  # captions a step
    schedule: str = "cosine"  # or "step"
    decay_epoch: int | tuple[int, ...] | None = None  # one epoch or several, of "step"
    weight_decay: float = 0.0
    clip: float = 2.0
    warm_up_epochs: int = 1
    foils: bool = False  # nearly right captions as further negatives, where the collection has them
    min_count: int = 4  # words rarer than this are <unk>
    captions_per_image: int | None = None  # keep only the first so many; None keeps all
    validation_images: int | None = None  # choose on the first so many; None takes all
    model: Mapping[str, Any] = field(default_factory=dict)  # settings that differ from the preset's

    system: str  # a name that `list_models` gives
    collection: str  # scenes, photos, flickr30k or coco
    file: str  # that it stands in
    files: tuple[tuple[str, ...], ...] = ()  # that the folder must have, each by any of its names
    source: str = ""  # where the field gets them

    @property
    def settings(self) -> dict[str, Any]:
        """Keyword arguments of `fit`."""
        return {name: getattr(self, name) for name in _OF_FIT}

    def open(self, folder: str | Path | None = None) -> tuple[Collection, Collection]:
        """What to train on and what to choose on.

        Args:
            folder: in the field's layout; scenes need none.

        Raises:
            FileNotFoundError: names each file that is missing, and where the field gets them.
            ValueError: a folder is needed, or its files do not fit each other.
        """
        from itr_explore.data.collection import Collection

        if self.collection == "scenes":
            return Collection.scenes("train"), Collection.scenes("val")
        if folder is None:
            raise ValueError(
                f"{self.system} on {self.collection} needs a folder of data. {self.source}".strip()
            )
        want_files(self, folder)
        training, validation = (
            Collection.from_karpathy(
                *(folder, split),
                restval=self.collection == "coco",  # the field trains on them
                captions_per_image=self.captions_per_image,
            )
            for split in ("train", "val")
        )
        if self.validation_images is not None:
            validation = validation.subset(range(min(self.validation_images, len(validation))))
        return training, validation

    def make_model(self, training: Collection, **overrides: Any) -> RetrievalModel:
        """A fresh model of this recipe, its tokenizer made of the training captions.

        With a BERT every word is kept, however rare, as BERT knows its pieces.

        Args:
            training: the split that will be trained on.
            overrides: settings that come before the recipe's; `preset` and `bert` may be among them.

        Raises:
            ValueError: the recipe's table says what its model does not know.
        """
        settings = {"preset": self.preset, **self.model, **overrides}
        min_count = 1 if "bert" in settings else self.min_count
        try:
            return create_model(
                self.system,
                region_dim=training.region_dim,
                tokenizer=build_tokenizer(training.captions, min_count=min_count),
                **settings,
            )
        except ValueError as error:
            raise ValueError(f"{self.file}, [{self.collection}]: {error}") from error


_ABOUT = ("system", "collection", "file", "files", "source")  # what a table cannot say
_KEYS = {f.name: f for f in fields(Recipe) if f.name not in _ABOUT}
_NOT_OF_FIT = ("preset", "min_count", "captions_per_image", "validation_images", "model")
_OF_FIT = [name for name in _KEYS if name not in _NOT_OF_FIT]


def list_recipes() -> list[str]:
    """The names that `load_recipe` knows: SYSTEM-COLLECTION."""
    return sorted(f"{system}-{TABLES[table]}" for system in _systems() for table in _read(_file_of(system)))


def load_recipe(name: str | Path) -> Recipe:
    """A recipe by its name, or from a TOML file of yours.

    Args:
        name: "user-f30k" and the like (`list_recipes`), or a path that ends in `.toml`; where that file has
            several tables, "path.toml:coco" says which.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no such recipe, or the file says something that is no recipe; it names the near names.
    """
    path = re.fullmatch(r"(.+\.toml)(?::([^:/\\]+))?", str(name))
    if path:
        return _from_file(Path(path[1]), path[2])
    system, _, short = str(name).rpartition("-")
    if system not in _systems() or ALSO.get(short, short) not in _read(_file_of(system)):
        raise ValueError(f"there is no recipe {str(name)!r}{near(str(name), list_recipes())}")
    return _recipe(_file_of(system), ALSO.get(short, short))


def recipe_for(model: str, kind: str, epochs: int | None = None) -> Recipe:
    """The recipe of a system for a kind of collection.

    Args:
        model: a name that `list_models` gives.
        kind: scenes, photos, flickr30k or coco; other collections of photos are best begun with photos.
        epochs: replaces the recipe's own; warm-up epochs are then at most half of them.

    Raises:
        ValueError: there is no such recipe.
    """
    table = ALSO.get(kind, kind)
    if model not in _systems() or table not in _read(_file_of(model)):
        raise ValueError(f"there is no recipe for {model} on {kind}; there is {', '.join(list_recipes())}")
    return shortened(_recipe(_file_of(model), table), epochs)


def shortened(recipe: Recipe, epochs: int | None) -> Recipe:
    """A recipe for so many epochs (None: its own); its decay epochs stay where they are."""
    if epochs is None:
        return recipe
    return replace(recipe, epochs=epochs, warm_up_epochs=min(recipe.warm_up_epochs, max(1, epochs // 2)))


def want_files(recipe: Recipe, folder: str | Path) -> None:
    """Refuse a folder that lacks what the recipe's collection needs.

    Raises:
        FileNotFoundError: names each missing file, and where the field gets them.
    """
    folder = Path(folder)
    missing = _missing(recipe, folder)
    if not missing:
        return
    said = [f"{names[0]}" + (f" (or {', '.join(names[1:])})" if names[1:] else "") for names in missing]
    where = f"{folder} lacks" if folder.is_dir() else f"there is no folder {folder}; wanted one with"
    inside = [path for path in sorted(folder.glob("*/")) if path.is_dir() and not _missing(recipe, path)]
    hint = f" All of it is in {inside[0]}: name that folder." if inside else ""
    raise FileNotFoundError(f"{where} {'; '.join(said)}.{hint} {recipe.source}".rstrip())


def _missing(recipe: Recipe, folder: Path) -> list[tuple[str, ...]]:
    return [names for names in recipe.files if not any(any(folder.glob(name)) for name in names)]


def _systems() -> list[str]:
    return [name for name in list_models() if _file_of(name).exists()]


def _file_of(system: str) -> Path:
    return FOLDER / f"{system}.toml"


def _from_file(path: Path, table: str | None) -> Recipe:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; name one, or one of {', '.join(list_recipes())}")
    tables = _read(path)
    if table is None and len(tables) > 1:
        raise ValueError(f"{path} has {', '.join(tables)}; say which, as in {path}:{next(iter(tables))}")
    chosen = next(iter(tables)) if table is None else ALSO.get(table, table)
    if chosen not in tables:
        raise ValueError(f"{path} has no table [{chosen}]{near(chosen, tables)}")
    return _recipe(path, chosen)


def _recipe(path: Path, table: str) -> Recipe:
    """A table of a file as a recipe, each of its values checked."""
    told, where = _read(path)[table], f"{path}, [{table}]"
    for key, value in told.items():
        if key not in _KEYS:
            raise ValueError(f"{where}: there is no key {key!r}{near(key, _KEYS)}")
        wanted = _wanted(str(_KEYS[key].type), value)
        if wanted:
            raise ValueError(f"{where}: {key} must be {wanted}, got {value!r}")
    lacking = [f.name for f in _KEYS.values() if _is_needed(f) and f.name not in told]
    if lacking:
        raise ValueError(f"{where} lacks {' and '.join(lacking)}")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in told.items()
    }
    needs = _toml(FOLDER / COLLECTIONS).get(table, {})
    return Recipe(
        **values,
        system=_toml(path)["system"],
        collection=table,
        file=str(path),
        files=tuple(map(tuple, needs.get("files", ()))),
        source=needs.get("source", "").strip(),
    )


def _is_needed(key: Any) -> bool:
    return key.default is MISSING and key.default_factory is MISSING


def _wanted(hint: str, value: Any) -> str:
    """What a value must be, in words, where it is not that; else nothing."""
    if hint.startswith("Mapping"):
        return "" if isinstance(value, dict) else "a table"
    if hint == "str":
        return "" if isinstance(value, str) else "a text"
    if hint == "bool":
        return "" if isinstance(value, bool) else "true or false"
    whole = isinstance(value, int) and not isinstance(value, bool)
    if hint == "float":
        return "" if whole or isinstance(value, float) else "a number"
    if "tuple" in hint:
        several = isinstance(value, list) and value and all(type(one) is int for one in value)
        return "" if whole or several else "a whole number or a list of them"
    return "" if whole else "a whole number"


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The tables of a recipe file, after its system."""
    told = _toml(path)
    system = told.pop("system", None)
    if not isinstance(system, str) or system not in list_models():
        said = f"{system!r}" if isinstance(system, str) else "missing" if system is None else repr(system)
        raise ValueError(f"{path}: system is {said}{near(str(system), list_models())}")
    for name, table in told.items():
        if name not in TABLES or not isinstance(table, dict):
            raise ValueError(f"{path}: there is no table [{name}]{near(name, TABLES)}")
    if not told:
        raise ValueError(f"{path} has no recipe; give it a table, one of {', '.join(TABLES)}")
    return told


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
