"""pyproject.toml, constraints.txt and environment.yml say the same; importing the package is quiet."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text().split("\n")
    if line and not line.startswith("#")
)
PINS = {canonicalize_name(name): version for name, version in PINS.items()}
EXTRAS = PROJECT["optional-dependencies"].values()
ASKED = [Requirement(line) for lines in (PROJECT["dependencies"], *EXTRAS) for line in lines]


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_every_package_we_ask_for_is_pinned_to_a_version_in_its_range(asked):
    assert asked.specifier.contains(PINS[canonicalize_name(asked.name)])


def imported(folder, within=ast.walk):
    """The packages that the files of a folder import, at the top or inside functions, by the name to install."""
    nodes = [node for file in (ROOT / folder).rglob("*.py") for node in within(ast.parse(file.read_text()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    installed = packages_distributions()
    found = [installed.get(name.split(".")[0], []) for name in names]
    return {canonicalize_name(name) for distributions in found for name in distributions} - {"itr-explore"}


def named(lines):
    return {canonicalize_name(Requirement(line).name) for line in lines}


def test_every_package_that_is_imported_is_asked_for():
    extras = PROJECT["optional-dependencies"]
    assert imported("itr_explore") <= named([*PROJECT["dependencies"], *extras["onnx"], *extras["milvus"]])
    assert imported("tests") | imported("benchmarks") <= {canonicalize_name(asked.name) for asked in ASKED}


def test_an_optional_package_is_imported_only_where_it_is_used():
    assert imported("itr_explore", within=ast.iter_child_nodes) <= named(PROJECT["dependencies"])


def test_torch_is_pinned_to_the_version_the_tests_run_with():
    import torch

    assert torch.__version__.split("+")[0] == PINS["torch"] == "2.13.0"


def test_conda_installs_this_package_under_the_same_constraints():
    pip = next(entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))
    extras = set(re.search(r"\.\[(.*)\]", " ".join(pip)).group(1).split(","))
    assert "--constraint constraints.txt" in pip
    assert extras <= set(PROJECT["optional-dependencies"])


def test_conda_brings_a_python_that_the_package_accepts():
    python = next(entry for entry in ENVIRONMENT["dependencies"] if str(entry).startswith("python="))
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python.split("=")[1] + ".0")


def test_the_version_is_said_once_everywhere():
    import itr_explore

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert itr_explore.__version__ == PROJECT["version"] == citation["version"]


def test_importing_the_package_prints_nothing_and_brings_nothing_heavy():
    code = "import sys, itr_explore; print(sorted({'torch', 'datasets', 'plotly'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_every_public_name_can_be_imported():
    import itr_explore

    assert all(getattr(itr_explore, name) is not None for name in itr_explore.__all__)


def test_an_unknown_public_name_is_refused_with_the_names_there_are():
    import itr_explore

    with pytest.raises(AttributeError, match=r"it has .*Collection"):
        itr_explore.nothing_of_the_kind  # noqa: B018


def test_no_public_name_is_also_the_name_of_a_room_which_importing_would_put_in_its_place():
    import itr_explore

    rooms = {path.name.removesuffix(".py") for path in (ROOT / "itr_explore").iterdir()}
    assert not rooms & set(itr_explore.__all__)
