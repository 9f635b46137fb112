"""The report page as a reader meets it, and a saved notebook where no script runs."""

import pytest

from itr_explore.data.collection import Collection
from itr_explore.models.registry import from_pretrained
from itr_explore.widgets.page import embedded
from itr_explore.widgets.pair_view import PairView
from itr_explore.widgets.report import save_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    model, few = from_pretrained("chan-tiny-scenes"), Collection.scenes("test", 12)
    path = tmp_path_factory.mktemp("report") / "report.html"
    return save_report(model, few, path, pairs=1, worst=2, views_of_worst=1, device="cpu")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1300), ("dark", 360)])
def test_a_report_draws_its_charts_and_its_views_with_the_network_off(open_page, report, scheme, width):
    page = open_page(report, width, scheme)
    page.locator("[data-chart] .main-svg").first.wait_for()
    assert page.locator("[data-chart]:has(.main-svg)").count() == 2
    assert page.locator(".itr-pair-view").count() == 2
    page.locator(".itr-pair-view .word").first.hover()
    assert page.locator("[data-region].lit").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_charts_follow_the_scheme_of_their_reader(open_page, report):
    page = open_page(report)
    paper = page.locator("[data-chart] .main-svg").first
    light = paper.evaluate("node => node.style.background")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "light => document.querySelector('.main-svg').style.background !== light", arg=light
    )


def test_where_no_script_runs_a_saved_output_is_a_picture_and_its_summary(
    open_page, make_explanation, tmp_path
):
    path = tmp_path / "saved.html"
    view = PairView(make_explanation())
    path.write_text(f'<!doctype html><meta charset="utf-8"><body>{embedded(view)}')
    page = open_page(path, width=500, java_script_enabled=False)
    picture = page.get_by_role("img", name="toy: A red dog near two boats")
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 820
    assert picture.bounding_box()["width"] <= 500
    assert "1 of 3 right" in page.locator("pre").inner_text()


def test_where_scripts_run_the_live_view_takes_the_place_of_the_picture(
    open_page, make_explanation, tmp_path
):
    path = tmp_path / "saved.html"
    path.write_text(f'<!doctype html><meta charset="utf-8"><body>{embedded(PairView(make_explanation()))}')
    page = open_page(path)
    page.locator(".view").wait_for()
    assert not page.locator("pre").is_visible()
    assert not page.locator("[data-view] > img").is_visible()
