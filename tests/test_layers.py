"""Imports point one way: what a room may import is written down here."""

import ast
from pathlib import Path

import pytest

from itr_explore import _HOME as PUBLIC

ROOT = Path(__file__).resolve().parents[1] / "itr_explore"

MAY_IMPORT = {
    "records": set(),
    "nn": set(),
    "data": {"records"},
    "viz": {"records"},
    "models": {"records", "nn"},
    "explanation": {"records", "data", "nn", "models"},
    "evaluation": {"records", "data", "nn", "models", "explanation"},
    "training": {"records", "data", "nn", "models", "evaluation"},
    "search": {"records", "data", "nn", "models", "evaluation", "explanation"},
    "widgets": {"records", "data", "models", "explanation", "evaluation", "training", "search", "viz"},
    "zoo": set(),
    "exercises": set(),
    "installation": {"records", "data"},
    "cli": {
        "records",
        "data",
        "models",
        "explanation",
        "evaluation",
        "training",
        "search",
        "viz",
        "widgets",
        "installation",
    },
    "__init__": set(),
}

HEAVY = {  # may not be imported when a room is imported; inside functions they may
    "nn": {"datasets", "captum", "plotly", "ipywidgets", "anywidget", "networkx", "transformers"},
    "models": {"datasets", "captum", "plotly", "ipywidgets", "anywidget", "networkx", "transformers"},
    "training": {
        *("datasets", "captum", "plotly", "ipywidgets", "anywidget", "networkx", "transformers", "accelerate")
    },
    "evaluation": {"datasets", "captum", "plotly", "ipywidgets", "anywidget", "transformers"},
    "search": {
        "datasets",
        "captum",
        "plotly",
        "ipywidgets",
        "anywidget",
        "transformers",
        "pymilvus",
        "milvus_lite",
    },
    "data": {"datasets", "captum", "plotly", "ipywidgets", "anywidget", "transformers"},
    "explanation": {"captum", "plotly", "ipywidgets", "anywidget", "transformers"},
    "viz": {"torch", "transformers", "ipywidgets", "anywidget"},
    "records": {"torch", "PIL"},
}

MODULES = sorted(ROOT.rglob("*.py"))


def room_of(module: Path) -> str:
    return module.relative_to(ROOT).parts[0].removesuffix(".py")


def room_named(name: str) -> str:
    """`itr_explore.nn.tap` is in nn; a public name, as in `from itr_explore import fit`, in the room it is from."""
    first = name.split(".")[1]
    return PUBLIC.get(first, first).split(".")[0]


def imported(nodes) -> set[str]:
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def at_import_time(tree: ast.Module):
    """Statements that run when the module is imported, `if TYPE_CHECKING` blocks left out."""
    todo = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        todo.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_a_room_imports_only_what_stands_below_it(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    ours = {room_named(name) for name in imported(ast.walk(tree)) if name.startswith("itr_explore.")}
    room = room_of(module)
    assert ours - {room} <= MAY_IMPORT[room], f"{room} may import {sorted(MAY_IMPORT[room])}"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_heavy_packages_are_imported_where_they_are_used(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    names = {name.split(".")[0] for name in imported(at_import_time(tree))}
    assert not names & HEAVY.get(room_of(module), set())
