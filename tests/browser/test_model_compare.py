"""Systems beside each other, as a reader of a page and as a person with a kernel meets them."""

import base64

import pytest
from playwright.sync_api import expect

from itr_explore.widgets.assets import view_script
from itr_explore.widgets.model_compare import compare

pytestmark = pytest.mark.browser

RENDER = """async ([source, payload]) => {
  const view = (await import("data:text/javascript;base64," + source)).default;
  const listeners = {};
  const model = {
    get: (name) => (name === "payload" ? payload : undefined),
    on(name, call) { (listeners[name] ??= new Set()).add(call); },
    off(name, call) { listeners[name]?.delete(call); },
    async send(message) { for (const said of await window.kernel(message)) for (const call of listeners["msg:custom"] ?? []) call(said); },
  };
  const el = document.createElement("div");
  document.body.append(el);
  window.stop = view.render({ model, el });
  window.left = () => Object.values(listeners).reduce((sum, calls) => sum + calls.size, 0);
}"""


@pytest.fixture
def live(browser):
    """Shows a view whose questions its Python side answers; `page.asked` lists them."""
    pages = []

    def shown(view, width=1300):
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        page.set_default_timeout(10_000)
        page.asked, page.errors = [], []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda message: page.errors.append(message.text))

        def kernel(message):
            said = []
            view.send = lambda content, buffers=None: said.append(content)
            page.asked.append((message["question"], message["details"]))
            view._handle_custom_msg(message, [])
            return said

        page.expose_function("kernel", kernel)
        page.evaluate(RENDER, [base64.b64encode(view_script(view.view).encode()).decode(), view.payload])
        page.locator(".panel .picture").first.wait_for()
        return page

    yield shown
    for page in pages:
        assert page.errors == []
        page.close()


@pytest.fixture
def saved(open_page, comparison, tmp_path):
    return open_page(comparison.save_html(tmp_path / "compared.html"))


def lit(panel):
    return panel.locator(".region.lit").count()


def test_a_word_in_focus_is_looked_for_in_every_column(saved):
    panels = saved.locator(".panel").all()
    assert [lit(panel) for panel in panels] == [0, 0]
    saved.locator(".word").nth(1).hover()
    assert all(lit(panel) > 0 for panel in panels)
    assert "vse: region" in saved.locator(".readout").inner_text()
    saved.mouse.move(1, 1)
    assert [lit(panel) for panel in panels] == [0, 0]


def test_a_word_is_held_and_let_go_by_keyboard(saved):
    saved.locator(".word").first.focus()
    saved.keyboard.press("ArrowRight")
    saved.keyboard.press("Enter")
    assert saved.locator('[data-word="1"]').get_attribute("aria-pressed") == "true"
    saved.keyboard.press("Escape")
    assert saved.locator('[data-word="1"]').get_attribute("aria-pressed") == "false"


def test_each_column_has_score_ranks_and_hits_and_the_one_scale_is_written(saved):
    for panel in saved.locator(".panel").all():
        facts = panel.locator(".facts").inner_text()
        assert "score" in facts
        assert "image rank" in facts
        assert "of 10" in facts
        assert "right" in panel.locator(".tally").inner_text()
    assert "One scale for all: each word’s shares" in saved.locator(".beside > .scale").inner_text()


def test_a_saved_page_says_who_is_right_how_often_and_what_needs_a_kernel(saved):
    told = saved.locator(".about").first.inner_text()
    assert "vse right, scan wrong:" in told
    assert "need a kernel" in told
    assert saved.locator(".chooser").count() == 0


def test_a_column_opens_as_a_whole_linked_view(saved):
    saved.get_by_role("button", name="Look inside").nth(1).click()
    inside = saved.locator(".itr-pair-view")
    assert inside.locator(".model").inner_text() == "scan"
    inside.locator(".word").nth(1).hover()
    assert inside.locator(".left .region.lit").count() > 0
    saved.get_by_role("button", name="Look inside").nth(1).click()
    assert saved.locator(".itr-pair-view").count() == 0


def test_another_map_of_one_system_changes_its_column_only(saved):
    first, second = saved.locator(".panel").all()
    before = second.locator(".from").inner_text()
    first.get_by_label("Map").select_option("word → region · node_cosine · derived")
    assert "node_cosine" in first.locator(".from").inner_text()
    assert second.locator(".from").inner_text() == before


def test_a_pair_is_chosen_by_its_numbers_and_the_page_saved_then_holds_it(live, comparison):
    page = live(comparison)
    page.get_by_label("Image").fill("4")
    page.get_by_text("image 4, caption 0").wait_for()
    caption = comparison.collection.captions[int(comparison.collection.captions_of(4)[0])]
    assert page.locator(".sentence").inner_text() == caption
    assert comparison.title().endswith(caption)
    assert comparison.drawn_now()["shown"]["place"] == [4, 0]


def test_pairs_of_a_group_are_walked_through(live, comparison):
    page = live(comparison)
    page.get_by_label("Pairs").select_option(
        "both right: " + str(len(comparison.disagreements.groups["both right"]))
    )
    page.locator(".chooser select").nth(1).locator("option").nth(2).wait_for(state="attached")
    rows = comparison.disagreements.groups["both right"]
    wanted = comparison.collection.captions
    page.wait_for_function(f"{SENTENCE} === {wanted[rows[0]]!r}")
    page.get_by_role("button", name="next pair").click()
    page.wait_for_function(f"{SENTENCE} === {wanted[rows[1]]!r}")
    page.get_by_role("button", name="pair before").click()
    page.wait_for_function(f"{SENTENCE} === {wanted[rows[0]]!r}")


SENTENCE = "document.querySelector('.itr-model-compare').shadowRoot.querySelector('.sentence').innerText"


def test_quick_changes_ask_once_for_the_last(live, comparison):
    page = live(comparison)
    before = len(page.asked)
    page.get_by_label("Image").evaluate(
        "field => { for (let at = 0; at < 5; at++) { field.value = at; field.dispatchEvent(new Event('input')); } }"
    )
    page.get_by_text("image 4, caption 0").wait_for()
    assert [asked for asked in page.asked[before:] if asked[0] == "show"] == [
        ("show", {"image": 4, "caption": 0, "topic": "show"})
    ]


def test_a_pair_that_is_not_there_is_told_and_the_last_one_stays(live, comparison):
    page = live(comparison)
    before = page.locator(".sentence").inner_text()
    page.get_by_label("Caption").fill("77")
    expect(page.get_by_role("alert")).to_contain_text("there is no caption 77")
    assert page.locator(".sentence").inner_text() == before
    assert comparison.summary().startswith(before)


def test_it_cleans_up_after_itself(live, comparison):
    page = live(comparison)
    page.evaluate("stop()")
    assert page.evaluate("left()") == 0
    assert page.locator(".view").count() == 0


@pytest.mark.parametrize("width", [360, 800, 1300])
def test_nothing_sticks_out_sideways(open_page, live, comparison, tmp_path, width):
    page = open_page(comparison.save_html(tmp_path / "compared.html"), width)
    for shown in (page, live(comparison, width)):
        outside = shown.evaluate(
            """() => { const root = document.querySelector('.itr-model-compare').shadowRoot;
                 return [...root.querySelectorAll('.view *')].filter(node => node.getBoundingClientRect().right > innerWidth + 1
                   && !node.closest('.unseen, .tags, svg')).map(node => node.className); }"""
        )
        assert outside == []


def test_one_pair_needs_no_collection(open_page, two_systems, ten_scenes, tmp_path):
    page = open_page(
        compare(two_systems, pair=ten_scenes.pair(3)).save_html(tmp_path / "one.html"), scheme="dark"
    )
    assert page.locator(".panel").count() == 2
    assert page.locator(".chooser, .view > .about").count() == 0
    assert page.locator(".view").first.get_attribute("data-theme") == "dark"


@pytest.mark.parametrize("attack", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>"])
def test_script_in_a_system_s_name_never_runs(open_page, two_systems, ten_scenes, tmp_path, attack):
    named = dict(zip((attack, "b"), two_systems.values(), strict=True))
    page = open_page(compare(named, pair=ten_scenes.pair(3)).save_html(tmp_path / "one.html"))
    assert page.locator(".panel h4 bdi").first.inner_text() == attack


CELL = """from itr_explore import Collection, compare, explore, from_pretrained
scenes = Collection.scenes("val", size=40).subset(range(6))
models = {name: from_pretrained(f"{name}-tiny-scenes") for name in ("vse", "scan")}
view = compare(models, scenes)
view"""


@pytest.mark.slow
def test_in_jupyterlab_another_pair_is_a_change_away_and_a_view_has_its_controls(in_lab):
    page = in_lab([CELL, "explore(models['scan'], scenes.pair(0), beside=True)"], theme="dark")
    live = page.locator(".itr-model-compare:visible").filter(has=page.locator(".chooser"))
    live.wait_for()
    assert live.locator(".view").get_attribute("data-theme") == "dark"
    live.get_by_label("Image").fill("5")
    live.get_by_text("image 5, caption 0").wait_for()
    live.locator(".word").nth(1).hover()
    for panel in live.locator(".panel").all():
        expect(panel.locator(".region.lit").first).to_be_attached()
    beside = page.locator(".itr-pair-view .panel h4 bdi")
    assert beside.all_inner_texts() == ["attention", "joint occlusion", "random weights"]
