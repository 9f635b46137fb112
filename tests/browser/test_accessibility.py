"""Every exported page by axe-core: no violation that is serious or critical, in light and in dark."""

from functools import partial

import pytest

from itr_explore.data.collection import Collection
from itr_explore.evaluation.ranking import evaluate
from itr_explore.models.registry import from_pretrained
from itr_explore.viz.recall import recall_bars
from itr_explore.widgets.graph_explorer import GraphExplorer
from itr_explore.widgets.model_compare import compare
from itr_explore.widgets.page import Section, save_page
from itr_explore.widgets.pair_view import explore
from itr_explore.widgets.retrieval_demo import RetrievalDemo
from itr_explore.widgets.training_monitor import TrainingMonitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A page with every kind of view, tables and charts."""
    few, folder = Collection.scenes("test", 12), tmp_path_factory.mktemp("pages")
    validation = Collection.scenes("val", 12)
    vse, scan, chan, graphs = (
        from_pretrained(f"{name}-tiny-scenes") for name in ("vse", "scan", "chan", "vsrnpp")
    )
    settings = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-4, "device": "cpu"}
    monitor = TrainingMonitor(vse, validation, validation, probe=validation.pair(0), **settings)
    monitor.run()
    ranking = evaluate(chan, few, device="cpu")
    views = [
        explore(chan, few.pair(1), beside=True),
        GraphExplorer(graphs, few.pair(1)),
        compare([scan, chan], few),
        RetrievalDemo(chan, few),
        monitor,
    ]
    numbers = Section("Numbers", ["In words."], [ranking], [partial(recall_bars, {"chan": ranking})])
    return save_page(folder / "everything.html", title="Everything", views=views, sections=[numbers])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_a_serious_violation(open_page, everything, violations, scheme):
    page = open_page(everything, 1300, scheme)
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-view]')].every(host => host.shadowRoot?.querySelector('.view'))"
    )
    page.locator("[data-chart] .main-svg").first.wait_for()
    assert violations(page) == []


def test_axe_looks_into_views(open_page, everything, violations):
    page = open_page(everything)
    page.locator(".itr-pair-view .view").first.wait_for()
    page.evaluate(
        "document.querySelector('.itr-pair-view').shadowRoot.querySelector('.view').append(new Image(8, 8))"
    )
    assert any("image-alt" in one for one in violations(page, ".itr-pair-view"))
