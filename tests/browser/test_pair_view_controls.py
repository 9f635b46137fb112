"""What a reader can switch in the exported view: maps, heat, relations, play; panels; the phone's version."""

import re
from dataclasses import replace

import numpy as np
import pytest

from itr_explore.records import Map
from itr_explore.widgets.pair_view import PairView

pytestmark = pytest.mark.browser


@pytest.fixture
def show(open_page, tmp_path):
    """Opens the saved view of an explanation, with others beside it."""

    def shown(explanation, width=1300, beside=None, **options):
        path = PairView(explanation, beside=beside).save_html(tmp_path / "pair.html")
        page = open_page(path, width, **options)
        page.locator(".itr-pair-view .view").wait_for()
        return page

    return shown


def with_heads(explanation, layers=2, heads=3):
    """The explanation with a region graph of several layers and heads, and many other maps."""
    random = np.random.default_rng(1)
    regions, words = len(explanation.pair.regions), len(explanation.pair.words)
    graph = [
        Map(
            f"side.layers.{layer}.edges.heads.{head}",
            "region_to_region",
            random.uniform(0, 1, (regions, regions)),
            "attention",
            "unit",
            layer=layer,
            head=head,
        )
        for layer in range(layers)
        for head in range(heads)
    ]
    others = [
        Map(f"{side}.share", "per_word", random.uniform(0, 1, words), "derived", "unit") for side in "abcde"
    ]
    return replace(explanation, maps=(*explanation.maps, *graph, *others))


def painted(page, canvas=".left canvas:nth-of-type(2)"):
    """How many pixels of the heat's canvas are not transparent, as a share."""
    return page.locator(canvas).evaluate(
        """canvas => { const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
             copy.drawImage(canvas, 0, 0); const cells = copy.getImageData(0, 0, canvas.width, canvas.height).data;
             let drawn = 0; for (let at = 3; at < cells.length; at += 4) drawn += cells[at] > 8; return drawn * 4 / cells.length; }"""
    )


def test_many_maps_stand_in_groups_and_layers_and_heads_in_lists_of_their_own(show, make_explanation):
    page = show(with_heads(make_explanation()))
    choose = page.get_by_role("combobox", name="Map", exact=True)
    groups = [group.get_attribute("label") for group in choose.locator("optgroup").all()]
    assert groups == ["word → region", "region → region", "each word"]
    assert choose.locator("option").count() == 2 + 2 + 5, "six heads are one entry"
    choose.select_option("region → region · heads · attention")
    page.get_by_role("combobox", name="Layer", exact=True).select_option("1")
    page.get_by_role("combobox", name="Head", exact=True).select_option("2")
    page.get_by_text("Numbers as a table").click()
    wanted = with_heads(make_explanation()).map("side.layers.1.edges.heads.2").values[0]
    row = page.get_by_role("row", name=re.compile("^region 0")).inner_text().split()
    assert row[3] == str(wanted.argmax())
    choose.select_option("word → region · cosine · derived")
    assert page.get_by_role("combobox", name="Head", exact=True).count() == 0


def test_names_that_end_alike_are_told_apart_by_what_stands_before(show, make_explanation):
    page = show(with_heads(make_explanation()))
    names = (
        page.get_by_role("combobox", name="Map", exact=True)
        .locator("optgroup")
        .last.locator("option")
        .all_inner_texts()
    )
    assert names == [f"each word · {side}.share · derived" for side in "abcde"]


def test_heat_can_be_a_veil_outlines_or_a_smooth_field(show, make_explanation):
    page = show(make_explanation())
    page.locator('[data-word="2"]').click()
    veil = painted(page)
    page.get_by_role("button", name="outline").click()
    outline = painted(page)
    assert "its colour is the weight" in page.locator(".legend").inner_text()
    page.get_by_role("button", name="smooth").click()
    assert veil > 0.5
    assert 0 < outline < 0.2
    assert outline < painted(page) < 0.9
    assert "blurred" in page.locator(".legend").inner_text()


def test_relations_can_be_kept_to_a_few_a_region(show, make_explanation):
    page = show(make_explanation())
    assert page.get_by_label("At most").is_hidden()
    page.get_by_label("Relations between regions").check()
    page.locator("input[type=range]").fill("0")
    page.get_by_label("At most").select_option("1 a region")
    edges = page.locator(".left .edge[data-from]")
    assert sorted(edge.get_attribute("data-from") for edge in edges.all()) == list("01234")
    assert ": 5 of 20" in page.locator(".slider output").inner_text()


def test_of_a_region_only_what_goes_out_or_comes_in_stands_out(show, make_explanation):
    page = show(make_explanation())
    page.get_by_label("Relations between regions").check()
    page.locator("input[type=range]").fill("0")
    page.locator('.left [data-region="1"]').dispatch_event("click")

    def out():
        found = page.locator(".left .edge:not(.faint)").all()
        return {
            (edge.get_attribute("data-from") == "1", edge.get_attribute("data-to") == "1") for edge in found
        }

    assert out() == {(True, False), (False, True)}
    page.get_by_role("button", name="from", exact=True).click()
    page.mouse.move(1, 1)
    assert out() == {(True, False)}
    page.get_by_role("button", name="to", exact=True).click()
    page.mouse.move(1, 1)
    assert out() == {(False, True)}


def test_regions_can_stand_in_a_circle_and_go_back(show, make_explanation):
    page = show(make_explanation(regions=8))
    before = page.locator('.left [data-region="3"]').bounding_box()
    page.get_by_label("Relations between regions").check()
    page.get_by_role("button", name="in a circle").click()
    boxes = [page.locator(f'.left [data-region="{region}"]').bounding_box() for region in range(8)]
    assert len({round(box["width"]) for box in boxes}) == 1
    page.locator('[data-word="2"]').hover()
    assert page.locator('.left [data-region="1"].lit').count() == 1
    assert page.locator(".truth rect").count() == 0
    page.get_by_label("Relations between regions").uncheck()
    assert page.locator('.left [data-region="3"]').bounding_box() == before


def test_play_goes_from_word_to_word_and_ends(show, make_explanation):
    page = show(make_explanation())
    page.clock.install()
    page.get_by_role("button", name="Play word by word").click()
    assert page.locator('[data-word="0"].active').count() == 1
    page.clock.run_for(1600)
    assert page.locator('[data-word="1"].active').count() == 1
    page.keyboard.press("Space")
    page.clock.run_for(9000)
    assert page.locator('[data-word="1"].active').count() == 1, "paused"
    page.keyboard.press("Space")
    page.clock.run_for(9000)
    assert page.locator(".word.active").count() == 0
    assert page.get_by_role("button", name="Play word by word").count() == 1


@pytest.mark.parametrize("interruption", ["Escape", "hover", "click"])
def test_play_stops_when_anything_is_done(show, make_explanation, interruption):
    page = show(make_explanation())
    page.clock.install()
    page.get_by_role("button", name="Play word by word").click()
    if interruption == "Escape":
        page.keyboard.press("Escape")
    elif interruption == "hover":
        page.locator('[data-word="4"]').hover()
    else:
        page.locator(".readout").click()
    page.clock.run_for(5000)
    assert page.get_by_role("button", name="Play word by word").count() == 1
    wanted = {"Escape": [], "hover": ["4"], "click": ["0"]}[interruption]
    assert [word.get_attribute("data-word") for word in page.locator(".word.active").all()] == wanted


def test_who_wants_no_motion_goes_a_word_a_press(show, make_explanation):
    page = show(make_explanation(), reduced_motion="reduce")
    page.clock.install()
    page.get_by_role("button", name="Next word").click()
    page.clock.run_for(9000)
    assert page.locator('[data-word="0"].active').count() == 1
    page.keyboard.press("Enter")
    assert page.locator('[data-word="1"].active').count() == 1


def test_maps_beside_share_the_word_in_focus_and_have_verdicts_of_their_own(show, make_explanation):
    own = make_explanation()
    other = replace(own, maps=(replace(own.maps[0], values=own.maps[0].values[:, ::-1].copy()),))
    page = show(own, beside={"turned": other})
    page.locator('[data-word="2"]').hover()
    first, second = page.locator(".panel").all()
    assert first.locator('[data-region="1"].lit').count() == 1
    assert second.locator('[data-region="3"].lit').count() == 1
    assert first.locator('.chips li[data-state="hit"]').inner_text().split("\n")[0] == "dog"
    assert second.locator('.chips li[data-state="hit"]').count() == 0
    assert "weights as they are" in page.locator(".beside > .scale").inner_text()
    second.locator('[data-region="4"]').dispatch_event("pointerenter")
    assert page.locator('.left [data-region="4"].active').count() == 1


def test_maps_of_different_units_are_put_on_one_scale_as_shares_and_it_is_said(show, make_explanation):
    own = make_explanation()
    signed = replace(
        own.maps[0], values=own.maps[0].values * np.array([100, -100, 100, 100, 100]), scale="signed"
    )
    page = show(own, beside={"given": replace(own, maps=(signed,))})
    told = page.locator(".beside > .scale").inner_text()
    assert "shares of the sum of its absolute values" in told
    assert "below zero nothing is lit" in told
    page.locator('[data-word="1"]').hover()
    wanted = own.maps[0].values[1]
    for panel in page.locator(".panel").all():
        assert f"region 0 · {wanted[0] / wanted.sum():.2f}" in panel.locator(".top").inner_text()


def test_a_map_from_beside_can_be_put_into_the_matrix(show, make_explanation):
    own = make_explanation()
    page = show(own, beside={"random weights": replace(own, maps=own.maps[:1])})
    page.get_by_role("combobox", name="Map", exact=True).select_option(
        "random weights · word → region · to_regions · attention"
    )
    assert page.locator(".about").inner_text().startswith("random weights: word → region")


def test_on_a_phone_the_matrix_is_folded_away_and_things_are_large_enough_to_touch(show, make_explanation):
    page = show(make_explanation(), 360, has_touch=True)
    assert page.locator(".cells").is_hidden()
    page.locator('[data-word="2"]').tap()
    assert page.locator('.left [data-region="1"].lit').count() == 1
    page.get_by_role("button", name="held; let go").tap()
    assert page.locator('[data-word="2"][aria-pressed="true"]').count() == 0
    for found in page.locator(".play, select, .switch button").all():
        assert found.is_hidden() or found.bounding_box()["height"] >= 39
    page.get_by_text("Matrix of words and regions").click()
    assert page.locator(".cells").is_visible()


def test_a_wide_view_shows_its_matrix_unasked(show, make_explanation):
    page = show(make_explanation(), 360)
    page.set_viewport_size({"width": 1000, "height": 800})
    page.locator(".view.wide .cells").wait_for()


def test_the_matrix_says_what_it_is_and_where_its_numbers_are(show, make_explanation):
    page = show(make_explanation())
    matrix = page.get_by_role("img", name="Matrix of word → region, 6 by 5")
    assert "in the table below" in matrix.get_attribute("aria-label")


def test_nothing_serious_is_wrong_for_readers_of_the_screen(show, make_explanation):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = show(
        with_heads(make_explanation(regions=40)),
        beside={"same": make_explanation(regions=40)},
        bypass_csp=True,
    )
    page.get_by_label("Relations between regions").check()
    page.get_by_text("Numbers as a table").click()
    page.locator('[data-word="2"]').click()
    found = axe.Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("width", [360, 800])
def test_nothing_sticks_out_with_all_that_can_be_open(show, make_explanation, width):
    page = show(
        with_heads(make_explanation()), width, beside={"a rather long title of a panel": make_explanation()}
    )
    page.get_by_label("Relations between regions").check()
    outside = page.evaluate(
        """() => { const root = document.querySelector('.itr-pair-view').shadowRoot;
             return [...root.querySelectorAll('.view *')].filter(node => node.getBoundingClientRect().right > innerWidth + 1
               && !node.closest('.unseen, .tags, svg, .matrix')).map(node => node.className); }"""
    )
    assert outside == []


def test_an_older_payload_without_places_on_a_circle_is_drawn(open_page, make_explanation, tmp_path):
    view = PairView(make_explanation())
    view.payload = {name: value for name, value in view.payload.items() if name != "circle"}
    page = open_page(view.save_html(tmp_path / "pair.html"))
    page.get_by_label("Relations between regions").check()
    assert page.locator(".left .edge").count() > 0
    assert page.get_by_role("button", name="in a circle").count() == 0
