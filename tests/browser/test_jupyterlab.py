"""Notebook 00 as a person meets it: a real JupyterLab in a real browser, run all cells, rest on a word."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE = 180_000  # milliseconds for a whole notebook on a busy machine


@pytest.fixture
def notebook(in_lab):
    """Notebook 00, opened and run from top to bottom."""
    page = in_lab(name="notebooks/00_first_look.ipynb", run=False, fresh=True)
    page.get_by_text(re.compile(r"Python 3 \(ipykernel\) \| Idle")).wait_for(timeout=PATIENCE)
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    return page


def test_resting_on_a_word_lights_regions_and_shows_whether_that_is_right(notebook):
    view = notebook.locator(".itr-pair-view").first
    view.wait_for(timeout=PATIENCE)
    view.scroll_into_view_if_needed()
    word = view.locator(".word:has(.badge[data-state=hit], .badge[data-state=miss])").first
    assert view.locator("[data-region].lit").count() == 0
    word.hover()
    expect(view.locator("[data-region].lit").first).to_be_attached()
    expect(word.locator(".badge")).to_be_visible()
    notebook.wait_for_function(
        """() => { const all = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
                   return all.length && all.every(p => /\\[\\d+\\]/.test(p.textContent)); }""",
        timeout=PATIENCE,
    )
    assert notebook.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
