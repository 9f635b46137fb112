"""Every notebook runs alone, top to bottom, from a fresh kernel; stored copies carry no outputs."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_CELL = 10  # lines


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.mark.slow
def test_a_notebook_runs_from_top_to_bottom_without_a_warning(notebook, path):
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": FOLDER}}
    )
    client.execute(env={**os.environ, "TQDM_DISABLE": "1"})
    printed = [out for cell in code_cells(notebook) for out in cell.outputs if out.get("name") == "stderr"]
    assert printed == []
    size = len(nbformat.writes(notebook).encode())
    assert size < 4e6, f"{path.name} is {size / 1e6:.1f} MB once it has run"


def test_a_notebook_is_stored_without_outputs(notebook):
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(notebook))
    assert "widgets" not in notebook.metadata


def test_a_notebook_says_its_kernel_so_that_jupyterlab_does_not_ask(notebook):
    assert notebook.metadata.kernelspec.name == "python3"


def test_a_notebook_opens_with_its_question_and_its_time(notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "minute" in first.source


def test_cells_are_short_and_prose_stands_between_them(notebook):
    assert max(len(cell.source.splitlines()) for cell in code_cells(notebook)) <= LONGEST_CELL
    prose = sum(cell.cell_type == "markdown" for cell in notebook.cells)
    assert prose >= len(code_cells(notebook)) / 2


def test_one_cell_holds_the_parameters_that_turn_it_into_the_large_run(notebook):
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells) == 1
