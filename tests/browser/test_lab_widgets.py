"""The widgets that ask the kernel, end to end in a real JupyterLab, as a person drives them."""

import re

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODELS = """from itr_explore import *
scenes = Collection.scenes("test", 40)
scan, chan, graphs = (from_pretrained(f"{name}-tiny-scenes") for name in ("scan", "chan", "vsrnpp"))"""
SEARCH = "demo = RetrievalDemo(chan, scenes)\ndemo"
RUN = """few = Collection.scenes("val", 40).subset(range(4))
settings = {"epochs": 1, "batch_size": 4, "learning_rate": 1e-4, "device": "cpu"}
TrainingMonitor(scan, few, few, few.pair(0), **settings)"""
GRAPH = "explorer = GraphExplorer(graphs, scenes.pair(1), scenes, controls=3)\nexplorer"


def live(page, name):
    """The view that has a kernel; its snapshot is hidden."""
    view = page.locator(f".itr-{name}:visible")
    view.locator(".view").first.wait_for()
    view.scroll_into_view_if_needed()
    return view


def cut_an_edge(explorer):
    edge = explorer.locator(".right [data-edge]").first
    edge.focus()
    edge.press("Enter")
    explorer.get_by_role("menuitem", name="Cut").press("Enter")
    edits = explorer.get_by_label("edits", exact=True)
    edits.get_by_text(re.compile("rank of the")).first.wait_for()


def test_a_sentence_is_typed_a_result_opened_and_asked_why(in_lab):
    page = in_lab([MODELS, SEARCH, "demo.failures"])
    demo = live(page, "retrieval-demo")
    demo.get_by_label("sentence to search with").fill("a robot and its shadow")
    demo.get_by_text("the sentence is no caption of the collection").wait_for()
    demo.locator("button.card").first.click()
    inside = demo.locator(".itr-pair-view")
    inside.locator(".word").nth(1).hover()
    expect(inside.locator(".left .region.lit").first).to_be_attached()
    demo.get_by_role("button", name="Why this one?").click()
    demo.get_by_label("why this one").wait_for()
    demo.get_by_label("close the chosen result").click()
    expect(demo.locator(".detail")).to_be_hidden()
    expect(demo.locator(".complaint")).to_have_count(0)


def test_an_edge_is_cut_by_keyboard_score_and_rank_answer_and_it_is_undone(in_lab):
    explorer = live(in_lab([MODELS, GRAPH]), "graph-explorer")
    before = explorer.locator(".score b").inner_text()
    cut_an_edge(explorer)
    expect(explorer.get_by_label("edits that stand").locator("li")).to_have_count(1)
    explorer.get_by_role("button", name="Undo").click()
    expect(explorer.get_by_label("edits that stand").locator("li")).to_have_count(0)
    expect(explorer.locator(".score b")).to_have_text(before)


def test_in_a_dark_lab_no_widget_has_a_serious_violation(in_lab, violations):
    cells = [
        MODELS,
        "explore(chan, scenes.pair(2))",
        "GraphExplorer(graphs, scenes.pair(1))",
        "compare([scan, chan], pair=scenes.pair(1))",
        "RetrievalDemo(chan, scenes)",
        RUN,
    ]
    page = in_lab(cells, theme="dark")
    for name in ("pair-view", "graph-explorer", "model-compare", "retrieval-demo", "training-monitor"):
        page.locator(f".itr-{name} .view").first.wait_for(state="attached")
        assert violations(page, f".itr-{name}") == []


RESTART = """async () => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  await kernel.restart();
}"""


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_search_and_a_graph_answer_in_both_applications_and_again_after_a_restart(in_lab, lab, app):
    page = in_lab([MODELS, SEARCH, GRAPH], app=app, fresh=True)
    for _ in range(2):
        demo = live(page, "retrieval-demo")
        demo.get_by_label("sentence to search with").fill("a robot and its shadow")
        demo.get_by_text("the sentence is no caption of the collection").wait_for()
        explorer = live(page, "graph-explorer")
        cut_an_edge(explorer)
        expect(explorer.get_by_label("edits that stand").locator("li")).to_have_count(1)
        page.evaluate(RESTART)
        lab.run_all(page)
    expect(page.locator(".itr-retrieval-demo:visible")).to_have_count(1)


def test_a_second_display_of_a_search_begins_with_the_last_answer(in_lab):
    page = in_lab([MODELS, SEARCH, "demo.search('two boats on the sea');", "demo"])
    both = page.locator(".itr-retrieval-demo:visible")
    expect(both).to_have_count(2)
    expect(both.nth(1).get_by_label("sentence to search with")).to_have_value("two boats on the sea")


def test_a_notebook_that_nobody_trusts_has_a_picture_of_every_view(in_lab, lab):
    cells = [MODELS, SEARCH, GRAPH, "compare([scan, chan], pair=scenes.pair(1))"]
    cells.append(RUN)
    path = lab.save(in_lab(cells))
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["touched"] = "by somebody else"
    nbformat.write(notebook, lab.root / "untrusted.ipynb")
    page = in_lab(name="untrusted.ipynb", run=False, fresh=True)
    pictures = page.locator("[data-view] img, .jp-RenderedHTMLCommon img")
    expect(pictures).to_have_count(4)
    assert {picture.evaluate("image => image.naturalWidth") for picture in pictures.all()} == {820}
