"""What is installed here, what is wrong with it, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

from itr_explore.records import ShownAsTable, Table
from itr_explore.records.checks import want

State = Literal["ok", "warning", "problem"]
PACKAGE = "itr-explore"
SHOWN = ("torch", "ipywidgets", "anywidget", "plotly", "captum", "datasets", "transformers")
FRONT_ENDS = {"jupyterlab": "4.2", "notebook": "7.2"}  # the oldest that are known to work
EXTENSIONS = {  # folder under labextensions: the package that brings it, and what needs it
    "anywidget": ("anywidget", "the linked views"),
    "@jupyter-widgets/jupyterlab-manager": ("jupyterlab_widgets", "every widget"),
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    found: str
    advice: str = ""  # what to do where it is not ok

    def __post_init__(self):
        want(self.state == "ok" or bool(self.advice), f"{self.name} is a {self.state} without advice")


@dataclass(frozen=True, repr=False)
class Checkup(ShownAsTable):
    """All that `doctor` looked at; `to_frame()` has a row for each."""

    checks: tuple[Check, ...]

    @property
    def state(self) -> State:
        """The worst of all."""
        states = {check.state for check in self.checks}
        return "problem" if "problem" in states else "warning" if "warning" in states else "ok"

    def of(self, name: str) -> Check:
        """One of them by its name; `KeyError` says which there are."""
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(f"nothing is known of {name!r}; there is {', '.join(c.name for c in self.checks)}")

    @property
    def verdict(self) -> str:
        """One sentence on all."""
        counts = {s: sum(check.state == s for check in self.checks) for s in ("problem", "warning")}
        told = [f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts.items() if n]
        return " and ".join(told) or "all is well"

    def table(self) -> Table:
        """A row for each check."""
        rows = tuple((check.name, check.state, check.found, check.advice) for check in self.checks)
        return Table(("checked", "state", "found", "what to do"), rows, note=self.verdict)

    def __str__(self) -> str:
        wide = max(len(check.name) for check in self.checks)
        lines = []
        for check in self.checks:
            lines.append(f"{check.state:<8} {check.name:<{wide}}  {check.found}")
            lines += [f"{'':<8} {'':<{wide}}  -> {check.advice}"] if check.advice else []
        return "\n".join([*lines, self.verdict])

    __repr__ = __str__


def doctor() -> Checkup:
    """Look at the installation: versions, the front end for widgets, the GPU, the cache.

    Needs no network and changes nothing. The same as `itr-explore doctor`, whose exit status is 1 where there
    is a problem.
    """
    return Checkup(tuple(_checks()))


def _checks() -> Iterator[Check]:
    yield _python()
    yield _this_package()
    wanted = _wanted()
    for name in SHOWN:
        yield _package(name, wanted.get(name, ""))
    others = [_package(name, oldest) for name, oldest in wanted.items() if name not in SHOWN]
    yield from (check for check in others if check.state != "ok")
    yield _gpu()
    yield _front_end()
    yield from _extensions()
    yield _cache()
    yield from _old_scenes()


def _python() -> Check:
    wanted = _metadata("Requires-Python") or ">=3.11"
    oldest = wanted.removeprefix(">=")
    found = f"{platform.python_version()} ({sys.executable})"
    if _at_least(platform.python_version(), oldest):
        return Check("python", "ok", found)
    return Check("python", "problem", found, f"make an environment with Python {oldest} or newer")


def _this_package() -> Check:
    import itr_explore

    version = itr_explore.__version__
    if _version(PACKAGE) is None:
        advice = "its requirements are not known; in its folder, run: pip install -e ."
        return Check(PACKAGE, "warning", f"{version}, not installed but found on the path", advice)
    return Check(PACKAGE, "ok", version)


def _package(name: str, oldest: str) -> Check:
    found = _version(name)
    wish = f"{name}>={oldest}" if oldest else name
    if found is None:
        return Check(name, "problem", "not installed", f'run: pip install "{wish}"')
    if oldest and not _at_least(found, oldest):
        told = f"{found}, older than {oldest}"
        return Check(name, "problem", told, f'run: pip install --upgrade "{wish}", then restart the kernel')
    return Check(name, "ok", found)


def _gpu() -> Check:
    try:
        torch = import_module("torch")
    except Exception as error:  # whatever a broken installation raises
        advice = "torch is needed; install it anew by the line that pytorch.org gives for this machine"
        return Check("device", "problem", f"torch cannot be imported: {error}", advice)
    threads = f"CPU, {torch.get_num_threads()} threads of {os.cpu_count()}"
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_properties(at) for at in range(torch.cuda.device_count())]
        told = ", ".join(f"{one.name} with {one.total_memory / 2**30:.0f} GiB" for one in names)
        return Check("device", "ok", f"{told} (CUDA {torch.version.cuda}); {threads}")
    if torch.version.cuda is None:
        return Check("device", "ok", f"{threads}; this torch was built without CUDA")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    advice = "where there is a GPU, `nvidia-smi` has to show it: look at its driver; else all runs on the CPU"
    if hidden is not None and not hidden.strip("-1, "):
        advice = "the variable CUDA_VISIBLE_DEVICES hides all GPUs; unset it"
    return Check("device", "warning", f"{threads}; torch was built for CUDA, but sees no GPU", advice)


def _front_end() -> Check:
    found = {name: version for name in FRONT_ENDS if (version := _version(name)) is not None}
    told = ", ".join(f"{name} {version}" for name, version in found.items())
    if not found:
        advice = 'run: pip install "jupyterlab>=4.2"; in VS Code or Colab none is needed'
        return Check("front end", "warning", "neither JupyterLab nor Notebook here", advice)
    old = [name for name, version in found.items() if not _at_least(version, FRONT_ENDS[name])]
    if old:
        wish = " ".join(f'"{name}>={FRONT_ENDS[name]}"' for name in old)
        return Check("front end", "problem", told, f"run: pip install --upgrade {wish}")
    return Check("front end", "ok", told)


def _extensions() -> Iterator[Check]:
    """Whether JupyterLab, where it is of this environment, has what draws widgets."""
    if not any(_version(name) for name in FRONT_ENDS):
        return
    disabled = _disabled()
    for extension, (package, needs) in EXTENSIONS.items():
        name = f"extension {package}"
        again = f"run: pip install --force-reinstall --no-deps {package}; then reload the page"
        at = next((folder for root in _extension_folders() if (folder := root / extension).is_dir()), None)
        if at is None:
            yield Check(name, "problem", f"not there, and {needs} cannot be drawn", again)
        elif extension in disabled:
            enable = f"run: jupyter labextension enable {extension}"
            yield Check(name, "problem", f"disabled, and {needs} cannot be drawn", enable)
        elif extension == package and (built := _built(at)) != _version(package):
            told = f"its page's part is {built}, its kernel's part {_version(package)}"
            yield Check(name, "warning", told, again)
        else:
            yield Check(name, "ok", str(at))


def _cache() -> Check:
    from itr_explore.data.scenes.cache import ENVIRONMENT, cache_folder

    folder = cache_folder()
    advice = f"make room or name another folder by the environment variable {ENVIRONMENT}"
    try:
        there = next(place for place in (folder, *folder.parents) if place.exists())
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        return Check("cache", "problem", f"{folder} cannot be written: {reason}", advice)
    if not folder.exists():
        return Check("cache", "ok", f"{folder}, still empty")
    return Check("cache", "ok", f"{folder}, {_megabytes(folder)}")


def _old_scenes() -> Iterator[Check]:
    """Scenes that another version of this package made: nothing reads them any more."""
    from itr_explore.data.scenes.cache import UNFINISHED, cache_folder, digest

    folder = cache_folder()
    if not folder.is_dir():
        return
    pattern = re.compile(rf"({UNFINISHED})?scenes-.*-(?P<digest>[0-9a-f]{{12}})")
    found = {place: pattern.fullmatch(place.name) for place in sorted(folder.iterdir()) if place.is_dir()}
    old = [place for place, match in found.items() if match and match["digest"] != digest()]
    if not old:
        return
    told = f"{len(old)} of another version, {_megabytes(*old)}: {', '.join(place.name for place in old)}"
    yield Check("old scenes", "warning", told, f"to have the room back, delete them from {folder}")


def _megabytes(*folders: Path) -> str:
    sizes = [file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file()]
    return f"{sum(sizes) / 1e6:,.0f} MB"


def _wanted() -> dict[str, str]:
    """The oldest version of each package that is asked for, by its name; none where that is not known."""
    try:
        lines = importlib.metadata.requires(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    asked = [line for line in lines if "extra" not in line]
    found = [re.match(r"([\w.-]+)[^>]*(?:>=\s*([\w.]+))?", line) for line in asked]
    return {match[1]: match[2] or "" for match in found if match}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _metadata(field: str) -> str | None:
    try:
        return importlib.metadata.metadata(PACKAGE)[field]
    except (importlib.metadata.PackageNotFoundError, KeyError):
        return None


def _at_least(found: str, oldest: str) -> bool:
    def numbers(version: str) -> list[int]:
        parts = [int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3]]
        return parts + [0] * (3 - len(parts))

    return numbers(found) >= numbers(oldest)


def _jupyter_folders(kind: Literal["data", "config"]) -> list[Path]:
    try:
        paths = import_module("jupyter_core.paths")
    except ImportError:
        return [Path(sys.prefix) / {"data": "share", "config": "etc"}[kind] / "jupyter"]
    return [
        Path(place) for place in (paths.jupyter_path() if kind == "data" else paths.jupyter_config_path())
    ]


def _extension_folders() -> list[Path]:
    return [folder / "labextensions" for folder in _jupyter_folders("data")]


def _disabled() -> set[str]:
    """Extensions that someone switched off."""
    found: set[str] = set()
    for folder in _jupyter_folders("config"):
        try:
            told = json.loads((folder / "labconfig" / "page_config.json").read_text(encoding="utf-8"))
            named = told.get("disabledExtensions", {})
        except (OSError, ValueError, AttributeError):
            continue
        found |= {name for name, off in named.items() if off} if isinstance(named, dict) else set(named)
    return found


def _built(folder: Path) -> str | None:
    try:
        return json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError):
        return None
