"""The exported view as a reader meets it: a file, no kernel, no network."""

import base64
import re
from dataclasses import replace

import numpy as np
import pytest

from itr_explore.records import Map
from itr_explore.widgets.assets import view_script
from itr_explore.widgets.page import embedded, save_page
from itr_explore.widgets.pair_view import PairView

pytestmark = pytest.mark.browser

ATTACKS = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "{{constructor.constructor('alert(1)')()}}",
    "<!--<script>alert(1)//-->",
    "a \u2028 alert(1) \u2029 b",
]


@pytest.fixture
def show(open_page, make_explanation, tmp_path):
    """Saves the view of an explanation made to order, and opens it."""

    def shown(width=1300, scheme="light", **made):
        path = PairView(make_explanation(**made)).save_html(tmp_path / "pair.html")
        page = open_page(path, width, scheme)
        page.locator(".itr-pair-view .view").wait_for()
        return page

    return shown


def lit(page):
    return {int(n.get_attribute("data-region")) for n in page.locator("[data-region].lit").all()}


def word(page, index):
    return page.locator(f'[data-word="{index}"]')


def test_resting_on_a_word_lights_its_regions_and_leaving_puts_them_out(show):
    page = show()
    assert lit(page) == set()
    word(page, 2).hover()
    assert lit(page) == {1}
    assert "“dog”" in page.locator(".readout").inner_text()
    page.mouse.move(1, 1)
    assert lit(page) == set()


def test_every_mention_has_a_badge_that_says_what_it_was_checked_against(show):
    page = show()
    assert [b.get_attribute("data-state") for b in page.locator(".word .badge").all()] == [
        "uncovered",
        "hit",
        "miss",
    ]
    assert "IoU ≥ 0.5" in word(page, 2).locator(".badge").get_attribute("title")
    assert word(page, 2).locator(".badge").is_visible()
    assert "hit" in word(page, 2).get_attribute("aria-label")


def test_right_and_wrong_differ_in_shape_not_only_in_colour(show):
    page = show()
    assert word(page, 2).locator(".badge circle").count() == 1
    assert word(page, 5).locator(".badge rect").count() == 1


def test_resting_on_a_region_lights_its_words(show):
    page = show()
    page.locator('[data-region="1"]').dispatch_event("pointerenter")
    lit_words = [n.get_attribute("data-word") for n in page.locator("[data-word].lit").all()]
    assert lit_words == ["2"]
    assert page.locator('[data-word="2"].named').count() == 1


def test_resting_on_a_cell_lights_its_row_and_marks_its_region(show):
    page = show()
    frame = page.locator(".cells").bounding_box()
    page.mouse.move(frame["x"] + frame["width"] * 1.5 / 5, frame["y"] + frame["height"] * 2.5 / 6)
    assert page.locator('[data-word="2"].active').count() == 1
    assert page.locator('[data-region="1"].active').count() == 1
    assert "region 1: 0.60" in page.locator(".readout").inner_text()


def test_a_click_holds_a_word_and_escape_lets_go(show):
    page = show()
    word(page, 2).click()
    word(page, 5).hover()
    assert lit(page) == {1}
    assert word(page, 2).get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    page.mouse.move(1, 1)
    assert lit(page) == set()
    assert word(page, 2).get_attribute("aria-pressed") == "false"


def test_the_keyboard_reaches_words_and_regions(show):
    page = show()
    word(page, 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert lit(page) == {1}
    page.keyboard.press("Enter")
    assert word(page, 2).get_attribute("aria-pressed") == "true"
    page.keyboard.press("End")
    assert lit(page) == {2}, "what is held walks along"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.locator('[data-region="1"].active').count() == 1


def test_arrows_follow_the_reading_direction(show):
    page = show(caption="كلب أحمر قرب قاربين", truth=False)
    word(page, 0).focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator('[data-word="1"].active').count() == 1
    boxes = [word(page, index).bounding_box()["x"] for index in (0, 1)]
    assert boxes[0] > boxes[1]


def test_choosing_another_map_changes_what_lights_and_what_is_written(show):
    page = show()
    assert "the score is computed from these values" in page.locator(".about").inner_text()
    page.get_by_label("Map").select_option("word → region · cosine · derived")
    assert "derived" in page.locator(".about").inner_text()
    assert "not computed" in page.locator(".about").inner_text()
    word(page, 2).hover()
    assert len(lit(page)) > 1


def test_the_colour_scale_is_written_and_stretching_is_said(show):
    page = show()
    assert "0.60, the largest in this map" in page.locator(".legend").inner_text()
    page.get_by_role("button", name="stretch per word").click()
    assert "each word’s largest" in page.locator(".legend").inner_text()
    word(page, 0).hover()
    assert len(lit(page)) > 0, "a faint row reaches the end of its own scale"


def test_the_threshold_says_and_shows_how_many_relations_are_left(show):
    page = show()
    assert page.locator(".edge[data-from]").count() == 0
    page.get_by_label("Relations between regions").check()
    drawn = page.locator(".edge[data-from]").count()
    assert f": {drawn} of 20" in page.locator(".slider output").inner_text()
    page.locator("input[type=range]").fill("0")
    assert page.locator(".edge[data-from]").count() == 20
    page.locator("input[type=range]").fill("1")
    assert page.locator(".edge[data-from]").count() == 1


def test_the_numbers_are_there_as_a_table(show):
    page = show()
    page.get_by_text("Numbers as a table").click()
    row = page.get_by_role("row", name=re.compile("^dog"))
    assert row.inner_text().split() == ["dog", "region", "1", "0.60", "1", "hit"]


def test_the_table_follows_the_map(show):
    page = show()
    page.get_by_text("Numbers as a table").click()
    before = page.locator(".numbers table").inner_text()
    page.get_by_label("Map").select_option("word → region · cosine · derived")
    assert page.locator(".numbers table").inner_text() != before


def test_words_never_seen_are_marked(show):
    page = show()
    assert word(page, 0).get_attribute("data-unknown") is not None
    assert "never seen" in word(page, 0).get_attribute("aria-label")


@pytest.mark.parametrize("attack", ATTACKS)
def test_script_in_a_caption_is_shown_and_never_runs(show, attack):
    page = show(caption=attack + " and a red dog", truth=False, labels=(attack,) * 5)
    shown = re.sub(r"\s+", " ", page.locator(".sentence").text_content())
    assert re.sub(r"\s+", " ", attack) in shown
    page.locator('[data-region="0"]').dispatch_event("pointerenter")
    assert page.locator(".sentence script, .sentence img, .sentence iframe, .readout img").count() == 0


@pytest.mark.parametrize(
    "made",
    [
        {"picture": None},
        {"boxes": False},
        {"boxes": False, "picture": None},
        {"regions": 1, "caption": "one region here", "truth": False},
        {"regions": 100},
        {"caption": " ".join(["word"] * 200), "truth": False},
        {"caption": "🐕 chases 🐈‍⬛ on grass", "truth": False},
        {"picture": (1, 1)},
        {"relations": False},
    ],
    ids=lambda made: ",".join(f"{k}={str(v)[:12]}" for k, v in made.items()),
)
def test_odd_pairs_are_shown_and_linked(show, made):
    page = show(**made)
    word(page, 0).hover()
    assert page.locator('[data-word="0"].active').count() == 1
    assert page.locator("[data-region]").count() == made.get("regions", 5)
    page.get_by_role("button", name="stretch per word").click()
    page.locator("[data-region]").first.dispatch_event("pointerenter")
    assert page.locator("[data-region].active").count() == 1


def test_without_boxes_it_is_said_that_tiles_are_not_places(show):
    assert "not where they are in the image" in show(boxes=False).locator("figcaption").inner_text()


@pytest.mark.parametrize("width", [360, 800, 1300])
def test_nothing_sticks_out_sideways(show, width):
    page = show(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("scheme", "theme"), [("light", "light"), ("dark", "dark")])
def test_the_view_follows_the_scheme_of_its_host(show, scheme, theme):
    assert show(scheme=scheme).locator(".view").get_attribute("data-theme") == theme


def test_a_dark_jupyterlab_makes_the_view_dark(show):
    page = show()
    page.evaluate(
        "document.body.style.setProperty('--jp-layout-color0', '#111');"
        "document.body.dataset.jpThemeLight = 'false'"
    )
    page.locator('.view[data-theme="dark"]').wait_for()


def test_two_views_on_a_page_do_not_meddle(open_page, make_explanation, tmp_path):
    views = [PairView(make_explanation()), PairView(make_explanation("two cats on a sofa", truth=False))]
    page = open_page(save_page(tmp_path / "page.html", title="two", views=views))
    first, second = page.locator(".itr-pair-view").all()
    first.locator('[data-word="2"]').hover()
    assert first.locator("[data-region].lit").count() == 1
    assert second.locator("[data-region].lit").count() == 0


def test_one_view_can_be_shown_twice(open_page, make_explanation, tmp_path):
    view = PairView(make_explanation())
    page = open_page(save_page(tmp_path / "page.html", title="twice", views=[view, view]))
    for shown in page.locator(".itr-pair-view").all():
        shown.locator('[data-word="2"]').hover()
        assert shown.locator("[data-region].lit").count() == 1


def test_a_saved_output_is_live_also_where_it_stands_twice(open_page, make_explanation, tmp_path):
    output = embedded(PairView(make_explanation()))
    path = tmp_path / "saved.html"
    path.write_text(f'<!doctype html><meta charset="utf-8"><body>{output}{output}</body>')
    page = open_page(path)
    assert page.locator(".itr-pair-view").count() == 2
    for shown in page.locator(".itr-pair-view").all():
        shown.locator('[data-word="2"]').hover()
        assert shown.locator("[data-region].lit").count() == 1


def test_where_scripts_do_not_run_a_saved_output_is_its_summary(open_page, make_explanation, tmp_path):
    path = tmp_path / "saved.html"
    path.write_text(f'<!doctype html><meta charset="utf-8"><body>{embedded(PairView(make_explanation()))}')
    page = open_page(path, java_script_enabled=False)
    assert "1 of 3 right" in page.locator("pre").inner_text()


RENDER = """async ([source, payload]) => {
  const view = (await import("data:text/javascript;base64," + source)).default;
  const listeners = {};
  const model = {
    value: payload, get(name) { return name === "payload" ? this.value : undefined; },
    on(name, call) { listeners[name] = call; }, off(name) { delete listeners[name]; },
  };
  const el = document.createElement("div");
  window.stop = view.render({ model, el });
  window.change = (next) => { model.value = next; listeners["change:payload"](); };
  window.listeners = listeners;
  window.el = el;
}"""


def test_a_widget_mounted_outside_the_document_shows_later_follows_its_model_and_cleans_up(
    browser, make_explanation
):
    first, second = (
        PairView(make_explanation(caption)).payload for caption in ("a red dog runs", "two cats here")
    )
    page, errors = browser.new_page(), []
    page.on("console", lambda message: errors.append(message.text))
    page.evaluate(RENDER, [base64.b64encode(view_script("pair_view").encode()).decode(), first])
    page.evaluate("el.style.display = 'none'; document.body.append(el)")
    page.evaluate("el.style.display = ''; document.body.style.setProperty('--jp-layout-color0', '#111')")
    page.locator('.view[data-theme="dark"]').wait_for()
    page.locator('[data-word="2"]').hover()
    assert page.locator("[data-region].lit").count() == 1
    page.evaluate("next => change(next)", second)
    assert "two cats here" in page.locator(".sentence").inner_text()
    page.evaluate("stop()")
    assert page.evaluate("Object.keys(listeners)") == []
    assert page.locator(".view").count() == 0
    assert errors == []
    page.close()


def test_tiles_carry_no_true_boxes(show):
    page = show(boxes=False)
    word(page, 2).hover()
    assert page.locator(".truth rect").count() == 0
    assert "true box" not in page.locator(".legend").inner_text()


def test_a_map_with_one_value_a_region_is_read_out_as_that(open_page, make_explanation, tmp_path):
    explanation = make_explanation()
    shares = Map("memory.share", "per_region", np.array([0.1, 0.5, 0.2, 0.15, 0.05]), "attention", "row_sum")
    path = PairView(replace(explanation, maps=(shares,))).save_html(tmp_path / "pair.html")
    page = open_page(path)
    assert lit(page) == {0, 1, 2, 3}, "lit without resting on anything"
    page.locator('[data-region="1"]').dispatch_event("pointerenter")
    assert page.locator(".readout").inner_text().splitlines()[0] == "region 1: 0.50"


def test_an_explanation_without_maps_still_shows_its_picture_and_says_so(
    open_page, make_explanation, tmp_path
):
    path = PairView(replace(make_explanation(), maps=())).save_html(tmp_path / "pair.html")
    page = open_page(path)
    assert "no map to show" in page.locator(".right").inner_text()
    page.locator('[data-region="1"]').dispatch_event("pointerenter")
    assert page.locator('[data-region="1"].active').count() == 1
