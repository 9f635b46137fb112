"""The doctor in worlds with one thing wrong each."""

import importlib
import importlib.metadata
import json
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from itr_explore import installation
from itr_explore.cli import main
from itr_explore.installation import Check, doctor

PYPROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


@pytest.fixture
def world(monkeypatch, tmp_path):
    """A healthy world: `world.versions`, `world.extensions` and `world.torch` can be made ill."""
    versions = {re.match(r"[\w.-]+", line)[0]: "99.0" for line in PYPROJECT["dependencies"]} | {
        "itr-explore": "0.1.0",
        "jupyterlab": "4.6.6",
        "notebook": "7.6.5",
        "anywidget": "0.11.0",
    }

    def version(name):
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    labextensions = tmp_path / "share" / "labextensions"
    for name, built in (("anywidget", "0.11.0"), ("@jupyter-widgets/jupyterlab-manager", "5.0.16")):
        (labextensions / name).mkdir(parents=True)
        (labextensions / name / "package.json").write_text(json.dumps({"version": built}))
    cuda = SimpleNamespace(is_available=lambda: False)
    torch = SimpleNamespace(get_num_threads=lambda: 4, cuda=cuda, version=SimpleNamespace(cuda=None))
    made = SimpleNamespace(versions=versions, extensions=labextensions, torch=torch, cache=tmp_path / "cache")

    def imported(name):
        if name == "torch":
            if isinstance(made.torch, Exception):
                raise made.torch
            return made.torch
        return importlib.import_module(name)

    folders = {"data": [tmp_path / "share"], "config": [tmp_path / "etc"]}
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: PYPROJECT["dependencies"])
    monkeypatch.setattr(installation, "import_module", imported)
    monkeypatch.setattr(installation, "_jupyter_folders", lambda kind: folders[kind])
    monkeypatch.setenv("ITR_EXPLORE_CACHE", str(made.cache))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return made


def ills():
    return {check.name: check for check in doctor().checks if check.state != "ok"}


def test_a_healthy_world_has_no_ills(world):
    assert ills() == {}
    assert doctor().state == "ok"
    assert repr(doctor()).endswith("all is well")


def test_an_old_ipywidgets_is_a_problem_with_the_line_that_helps(world):
    world.versions["ipywidgets"] = "7.8.5"
    (found,) = ills().values()
    assert (found.name, found.state, found.found) == ("ipywidgets", "problem", "7.8.5, older than 8.1")
    assert found.advice == 'run: pip install --upgrade "ipywidgets>=8.1", then restart the kernel'


def test_a_missing_anywidget_is_a_problem(world):
    del world.versions["anywidget"]
    found = doctor().of("anywidget")
    assert (found.state, found.found) == ("problem", "not installed")
    assert 'pip install "anywidget>=' in found.advice


def test_a_package_that_is_not_shown_is_told_of_when_it_is_missing(world):
    del world.versions["safetensors"]
    assert ills()["safetensors"].state == "problem"


def test_an_extension_that_is_not_there_is_a_problem_where_there_is_a_jupyterlab(world):
    (world.extensions / "anywidget" / "package.json").unlink()
    (world.extensions / "anywidget").rmdir()
    assert "cannot be drawn" in ills()["extension anywidget"].found
    del world.versions["jupyterlab"], world.versions["notebook"]
    assert set(ills()) == {"front end"}, "it is drawn by a front end that is installed elsewhere"


def test_an_extension_that_is_disabled_is_a_problem(world):
    etc = world.extensions.parents[1] / "etc" / "labconfig"
    etc.mkdir(parents=True)
    (etc / "page_config.json").write_text(
        '{"disabledExtensions": {"@jupyter-widgets/jupyterlab-manager": true}}'
    )
    assert "jupyter labextension enable" in ills()["extension jupyterlab_widgets"].advice


def test_an_extension_of_another_version_is_a_warning(world):
    world.versions["anywidget"] = "0.12.0"
    assert ills()["extension anywidget"].found == "its page's part is 0.11.0, its kernel's part 0.12.0"


def test_an_old_front_end_is_a_problem(world):
    world.versions["jupyterlab"] = "3.6.8"
    assert ills()["front end"].advice == 'run: pip install --upgrade "jupyterlab>=4.2"'


def test_a_cache_that_cannot_be_written_is_a_problem(world):
    world.cache.write_text("a file, not a folder")
    found = ills()["cache"]
    assert found.state == "problem"
    assert "ITR_EXPLORE_CACHE" in found.advice


def test_scenes_of_another_version_are_named_with_their_size(world, monkeypatch):
    monkeypatch.setattr("itr_explore.data.scenes.cache.digest", lambda: "0123456789ab")
    for name in ("scenes-val-500-0-0123456789ab", "scenes-val-500-0-ba9876543210", "guide-0123"):
        (world.cache / name).mkdir(parents=True)
        (world.cache / name / "scenes.arrow").write_bytes(b"0" * 2_000_000)
    found = ills()["old scenes"]
    assert found.found == "1 of another version, 2 MB: scenes-val-500-0-ba9876543210"
    assert str(world.cache) in found.advice
    assert doctor().of("cache").found == f"{world.cache}, 6 MB"


def test_a_gpu_is_shown_with_its_memory(world):
    one = SimpleNamespace(name="H200", total_memory=140 * 2**30)
    world.torch.cuda = SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 1, get_device_properties=lambda _: one
    )
    world.torch.version.cuda = "12.6"
    assert doctor().of("device").found.startswith("H200 with 140 GiB (CUDA 12.6); CPU, 4 threads of ")


@pytest.mark.parametrize(("hidden", "advice"), [(None, "nvidia-smi"), ("", "unset it"), ("-1", "unset it")])
def test_a_gpu_that_is_not_seen_is_a_warning(world, monkeypatch, hidden, advice):
    world.torch.version.cuda = "12.6"
    if hidden is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert (ills()["device"].state, advice in ills()["device"].advice) == ("warning", True)


def test_a_torch_that_cannot_be_imported_is_a_problem(world):
    world.torch = OSError("libcudart.so is missing")
    assert "libcudart.so is missing" in ills()["device"].found


def test_an_old_python_is_a_problem(world, monkeypatch):
    monkeypatch.setattr("platform.python_version", lambda: "3.9.2")
    assert ills()["python"].advice == "make an environment with Python 3.11 or newer"


def test_a_package_that_is_only_found_on_the_path_is_a_warning(world, monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    del world.versions["itr-explore"]
    monkeypatch.setattr(importlib.metadata, "requires", unknown)
    assert set(ills()) == {"itr-explore"}


@pytest.mark.parametrize(
    ("found", "oldest", "enough"),
    [("8.1.9", "8.1", True), ("8.1", "8.1.2", False), ("2.13.0+cpu", "2.6", True), ("10", "9.9.9", True)],
)
def test_versions_are_compared_as_numbers(found, oldest, enough):
    assert installation._at_least(found, oldest) is enough


def test_the_command_prints_all_and_ends_with_one_on_a_problem(world, capsys):
    assert main(["doctor"]) == 0
    world.versions["ipywidgets"] = "7.8.5"
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "problem  ipywidgets" in said
    assert '-> run: pip install --upgrade "ipywidgets>=8.1"' in said
    assert said.endswith("1 problem\n")


def test_a_warning_alone_is_no_failure(world):
    del world.versions["jupyterlab"], world.versions["notebook"]
    assert doctor().verdict == "1 warning"
    assert main(["doctor"]) == 0


def test_a_checkup_is_a_table_and_a_data_frame(world):
    frame = doctor().to_frame()
    assert frame.loc["anywidget", "found"] == "0.11.0"
    assert "<table>" in doctor()._repr_html_()
    with pytest.raises(KeyError, match="nothing is known of 'plot'; there is python"):
        doctor().of("plot")


def test_whatever_is_not_well_says_what_to_do():
    with pytest.raises(ValueError, match="without advice"):
        Check("a", "warning", "b")
