"""The widgets that ask the kernel, end to end in a real JupyterLab, as a person drives them."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODELS = """from itr_explore import *
scenes = Collection.scenes("test", 40)
scan, chan, graphs = (from_pretrained(f"{name}-tiny-scenes") for name in ("scan", "chan", "vsrnpp"))"""


def live(page, name):
    """The view that has a kernel; its snapshot is hidden."""
    view = page.locator(f".itr-{name}:visible")
    view.locator(".view").first.wait_for()
    view.scroll_into_view_if_needed()
    return view


def test_a_sentence_is_typed_a_result_opened_and_asked_why(in_lab):
    page = in_lab([MODELS, "demo = RetrievalDemo(chan, scenes)\ndemo", "demo.failures"])
    demo = live(page, "retrieval-demo")
    demo.get_by_label("sentence to search with").fill("a robot and its shadow")
    demo.get_by_text("the sentence is no caption of the collection").wait_for()
    demo.locator("button.card").first.click()
    inside = demo.locator(".itr-pair-view")
    inside.locator(".word").nth(1).hover()
    assert inside.locator(".left .region.lit").count() > 0
    demo.get_by_role("button", name="Why this one?").click()
    demo.get_by_label("why this one").wait_for()
    demo.get_by_label("close the chosen result").click()
    assert demo.locator(".detail").is_hidden()
    assert demo.locator(".complaint").count() == 0


def test_an_edge_is_cut_by_keyboard_score_and_rank_answer_and_it_is_undone(in_lab):
    page = in_lab([MODELS, "explorer = GraphExplorer(graphs, scenes.pair(1), scenes)\nexplorer"])
    explorer = live(page, "graph-explorer")
    before = explorer.locator(".score b").inner_text()
    edge = explorer.locator(".right [data-edge]").first
    edge.focus()
    edge.press("Enter")
    explorer.get_by_role("menuitem", name="Cut").press("Enter")
    edits = explorer.get_by_label("edits", exact=True)
    edits.get_by_text(re.compile("rank of the")).first.wait_for()
    assert explorer.get_by_label("edits that stand").locator("li").count() == 1
    explorer.get_by_role("button", name="Undo").click()
    assert explorer.get_by_label("edits that stand").locator("li").count() == 0
    assert explorer.locator(".score b").inner_text() == before


def test_in_a_dark_lab_no_widget_has_a_serious_violation(in_lab, violations):
    cells = [
        MODELS,
        "explore(chan, scenes.pair(2))",
        "GraphExplorer(graphs, scenes.pair(1))",
        "compare([scan, chan], pair=scenes.pair(1))",
        "RetrievalDemo(chan, scenes)",
    ]
    page = in_lab(cells, theme="dark")
    for name in ("pair-view", "graph-explorer", "model-compare", "retrieval-demo"):
        page.locator(f".itr-{name} .view").first.wait_for(state="attached")
        assert violations(page, f".itr-{name}") == []
