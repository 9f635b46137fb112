"""Notebook 00 as a person meets it: a real JupyterLab in a real browser, run all cells, rest on a word."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
TOKEN = "a-token-for-this-test"
PATIENCE = 180_000  # milliseconds for a whole notebook on a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab whose root holds copies of the notebooks."""
    root = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"),
    ]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(root / "config"), "TQDM_DISABLE": "1"}
    log = (root / "log").open("w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2).close()
            break
        except OSError:
            assert server.poll() is None, (root / "log").read_text()
            time.sleep(0.5)
    yield address
    server.terminate()
    server.wait(timeout=20)
    log.close()


@pytest.fixture
def notebook(lab, browser):
    """Notebook 00, opened and run from top to bottom."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.goto(f"{lab}/lab/tree/notebooks/00_first_look.ipynb?token={TOKEN}&reset")
    page.locator(".jp-Notebook").wait_for(timeout=PATIENCE)
    page.get_by_text(re.compile(r"Python 3 \(ipykernel\) \| Idle")).wait_for(timeout=PATIENCE)
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    yield page
    page.close()


def test_resting_on_a_word_lights_regions_and_shows_whether_that_is_right(notebook):
    view = notebook.locator(".itr-pair-view").first
    view.wait_for(timeout=PATIENCE)
    view.scroll_into_view_if_needed()
    word = view.locator(".word:has(.badge[data-state=hit], .badge[data-state=miss])").first
    assert view.locator("[data-region].lit").count() == 0
    word.hover()
    assert view.locator("[data-region].lit").count() > 0
    assert word.locator(".badge").is_visible()


def test_every_cell_of_the_first_notebook_runs_without_an_error(notebook):
    notebook.wait_for_function(
        """() => { const all = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
                   return all.length && all.every(p => /\\[\\d+\\]/.test(p.textContent)); }""",
        timeout=PATIENCE,
    )
    assert notebook.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
