"""RetrievalDemo as a person uses it: a saved page, and a live one whose kernel is this process."""

import base64
import io
import json
import re

import pytest
from PIL import Image

from itr_explore.data.collection import Collection
from itr_explore.models.registry import from_pretrained
from itr_explore.widgets.assets import view_script
from itr_explore.widgets.retrieval_demo import RetrievalDemo

pytestmark = pytest.mark.browser

LIVE = """async ([source, payload]) => {
  const view = (await import("data:text/javascript;base64," + source)).default;
  const listeners = {};
  window.sent = [];
  const hear = (text) => JSON.parse(text).forEach((message) => listeners["msg:custom"]?.(message, []));
  const model = {
    get(name) { return name === "payload" ? payload : payload[name]; },
    on(name, call) { listeners[name] = call; }, off(name) { delete listeners[name]; },
    send(message) {
      window.sent.push(message);
      window.toKernel(JSON.stringify(message)).then((text) => window.held?.(message) ? window.late.push(text) : hear(text));
    },
  };
  window.late = [];
  window.hear = hear;
  window.listeners = listeners;
  const el = document.createElement("div");
  document.body.append(el);
  window.stop = view.render({ model, el });
}"""


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("test").subset(range(30))


@pytest.fixture(scope="module")
def model():
    return from_pretrained("chan-tiny-scenes")


@pytest.fixture
def demo(model, scenes):
    return RetrievalDemo(model, scenes)


@pytest.fixture
def live(browser, demo):
    """Opens a page whose questions this process answers; at the end nothing may have been said or thrown."""
    pages, noise = [], []

    def opened(view=demo, width=1300, scheme="light"):
        sent = []
        view.send = lambda content, buffers=None: sent.append(content)

        def to_kernel(text):
            sent.clear()
            view._handle_custom_msg(json.loads(text), [])
            return json.dumps(sent, allow_nan=False)

        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.set_default_timeout(20_000)
        page.on("console", lambda message: noise.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: noise.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (noise.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.expose_function("toKernel", to_kernel)
        page.set_content("<!doctype html><meta charset='utf-8'><body>")
        script = base64.b64encode(view_script("retrieval_demo").encode()).decode()
        page.evaluate(LIVE, [script, view.drawn_now()])
        page.locator(".itr-retrieval-demo .answers li").first.wait_for()
        return page

    yield opened
    for page in pages:
        page.close()
    assert noise == []


@pytest.fixture
def saved(open_page, demo, tmp_path):
    def opened(width=1300, scheme="light"):
        page = open_page(demo.save_html(tmp_path / "demo.html"), width, scheme)
        page.locator(".itr-retrieval-demo .view").first.wait_for()
        return page

    return opened


def asked(page, question):
    return page.evaluate("name => sent.filter(({ question }) => question === name).length", question)


def test_typing_shows_ranked_images_with_scores_margins_and_the_right_one_marked(live, scenes):
    page = live()
    page.get_by_label("sentence to search with").fill(scenes.captions[31])
    image = int(scenes.image_of[31])
    right = page.locator(f'.card[data-row="{image}"]')
    right.locator('.mark[data-state="right"] circle').wait_for()
    assert re.search(r"\d\.\d{3} margin", right.inner_text())
    assert right.locator(".gauge i").evaluate("bar => bar.getBoundingClientRect().width") > 0
    assert page.locator('.card .mark[data-state="wrong"] rect').count() > 0
    assert "All 30 images scored" in page.locator(".status").inner_text()
    assert "higher fits better" in page.locator(".scale-note").inner_text()


def type_quickly(page, text):
    page.get_by_label("sentence to search with").evaluate(
        """(box, text) => {
            box.value = "";
            for (const letter of text) {
                box.value += letter;
                box.dispatchEvent(new InputEvent("input", { bubbles: true }));
            }
        }""",
        text,
    )


def test_a_letter_typed_after_a_rest_asks_at_once(live):
    page = live()
    before = asked(page, "prepare")
    after = page.get_by_label("sentence to search with").evaluate("""box => {
        box.value += "s";
        box.dispatchEvent(new InputEvent("input", { bubbles: true }));
        return window.sent.filter(({ question }) => question === "prepare").length;
    }""")
    assert after == before + 1


def test_of_letters_typed_in_a_row_only_the_last_are_painted(live):
    page = live()
    page.evaluate("""() => {
        window.painted = [];
        const root = document.querySelector(".itr-retrieval-demo").shadowRoot;
        new MutationObserver(() => window.painted.push(root.querySelector(".status").textContent))
            .observe(root.querySelector(".answers"), { childList: true });
    }""")
    type_quickly(page, "boats")
    page.get_by_text("No right answer is known").wait_for()
    assert page.evaluate("painted.length") == 1
    asks = page.evaluate(
        "sent.filter(({ question }) => question === 'search').map(({ details }) => details.query.text)"
    )
    assert asks[-1] == "boats"
    assert len(asks) <= 2


def test_letters_typed_and_taken_back_are_answered(live):
    page = live()
    text = page.get_by_label("sentence to search with").input_value()
    type_quickly(page, f"{text}s")
    type_quickly(page, text)
    page.locator(".itr-retrieval-demo [aria-busy]").wait_for(state="detached")
    page.get_by_text("The right answer at").wait_for()


def test_enter_asks_at_once_and_only_once(live):
    page = live()
    before = asked(page, "search")
    box = page.get_by_label("sentence to search with")
    box.evaluate("""box => {
        box.value = "a red zebra";
        box.dispatchEvent(new InputEvent("input", { bubbles: true }));
        box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    }""")
    page.get_by_text("Never seen by the model: “zebra”").wait_for()
    page.wait_for_timeout(200)
    assert asked(page, "search") == before + 1


def test_an_answer_that_comes_too_late_is_dropped(live):
    page = live()
    page.evaluate("() => { window.held = ({ details }) => details.query?.text === 'a red boat'; }")
    box = page.get_by_label("sentence to search with")
    box.fill("a red boat")
    box.press("Enter")
    page.wait_for_function("late.length > 0")
    box.fill("a blue zebra")
    box.press("Enter")
    page.get_by_text("Never seen by the model: “zebra”").wait_for()
    page.evaluate("hear(late[0])")
    assert "zebra" in page.locator(".status").inner_text()


def test_an_empty_query_asks_nothing_and_says_what_to_do(live):
    page = live()
    before = asked(page, "search")
    page.get_by_label("sentence to search with").fill("  …")
    page.get_by_text("Type a sentence").wait_for()
    assert asked(page, "search") == before
    assert page.locator(".answers li").count() == 0


def test_a_query_that_is_cleared_leaves_neither_a_complaint_nor_a_search_under_way(live, demo):
    page = live()
    box = page.get_by_label("sentence to search with")
    page.evaluate("() => { window.held = ({ question }) => question === 'search'; }")
    box.fill("a red boat")
    page.locator('.view[aria-busy="true"]').wait_for()
    box.fill("")
    page.get_by_text("Type a sentence").wait_for()
    assert page.locator('.view[aria-busy="true"]').count() == 0
    page.evaluate("() => { window.held = null; }")
    demo.answer_search = lambda **_: 1 / 0
    box.fill("a red car")
    page.get_by_role("alert").wait_for()
    box.fill("")
    page.get_by_text("Type a sentence").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_earlier_and_later_images_come_by_whole_pages(live):
    page = live()
    page.get_by_role("button", name="Image → captions").click()
    page.get_by_role("button", name="Choose another").click()
    for way, range_ in [
        ("Later", "13 to 24"),
        ("Later", "25 to 30"),
        ("Earlier", "13 to 24"),
        ("Earlier", "1 to 12"),
    ]:
        page.get_by_role("button", name=way).click()
        page.get_by_text(f"{range_} of 30").wait_for()


def test_words_never_seen_are_named_and_if_all_are_the_order_is_disowned(live):
    page = live()
    page.get_by_label("sentence to search with").fill("qwx zzy")
    page.get_by_text("never seen any of these words, so this order says nothing").wait_for()


def test_enter_on_a_result_opens_its_pair_and_escape_comes_back(live):
    page = live()
    first, second = (page.locator(".card").nth(at) for at in (0, 1))
    first.focus()
    page.keyboard.press("ArrowRight")
    assert second.evaluate("node => node.getRootNode().activeElement === node")
    page.keyboard.press("Enter")
    page.locator('.card[aria-pressed="true"]').nth(0).wait_for()
    page.locator(".detail .itr-pair-view .word").first.hover()
    page.get_by_role("heading", name="Rank 2").wait_for()
    second.focus()
    page.keyboard.press("Escape")
    assert page.locator(".detail").is_hidden()
    assert second.evaluate("node => node.getRootNode().activeElement === node")


def test_why_this_one_shows_parts_their_sum_and_whether_it_is_exact(live):
    page = live()
    page.locator('.card:has(.mark[data-state="wrong"])').first.click()
    page.get_by_role("heading", name=re.compile("^Rank [2-9]")).wait_for()
    page.get_by_role("button", name="Why this one?").click()
    why = page.locator(".why")
    why.wait_for()
    assert "An exact sum" in why.inner_text()
    rows = why.locator(".parts").first.locator("tr")
    numbers = [float(n.replace("−", "-")) for n in rows.locator(".number").all_inner_texts()]
    assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=2e-3)
    assert why.locator("tr.sum", has_text="unexplained (gap)").count() >= 1


def test_an_image_gives_ranked_captions_and_each_says_what_is_false_in_it(live):
    page = live()
    page.get_by_role("button", name="Image → captions").click()
    page.locator(".line").first.wait_for()
    assert page.locator(".line").count() == 12
    assert page.locator(".where .rank").count() == 5
    assert re.search("wrong: (thing|attribute|relation|count|setting)", page.locator(".lines").inner_text())
    page.locator(".line").nth(2).click()
    page.locator(".detail .itr-pair-view .word").first.wait_for()
    page.get_by_role("button", name="Images for this caption").click()
    page.locator(".card").first.wait_for()


def test_another_image_is_chosen_by_keyboard(live):
    page = live()
    page.get_by_role("button", name="Image → captions").click()
    page.get_by_role("button", name="Choose another").click()
    page.locator(".pick").first.wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator(".subject b", has_text="test-00001").wait_for()
    assert page.locator(".browser").is_hidden()


def test_filters_show_only_what_passes(live):
    page = live()
    page.get_by_label("wrong ones").check()
    page.get_by_text("29 pass the filters").wait_for()
    assert page.locator('.card[data-state="right"]').count() == 0
    page.get_by_label("caption with").fill("no such word")
    page.get_by_text("Nothing passes the filters").wait_for()


def test_a_picture_of_ones_own_is_uploaded_in_pieces_and_searched(live, scenes):
    import numpy as np

    page = live()
    page.get_by_role("button", name="Image → captions").click()
    page.get_by_text("Upload a picture").wait_for()
    noise = np.random.default_rng(0).integers(0, 9, (760, 1000, 3), dtype=np.uint8)
    large = np.asarray(scenes.image(7).resize((1000, 760))) // 2 * 2 + noise // 8
    buffer = io.BytesIO()
    Image.fromarray(large.astype(np.uint8)).save(buffer, "BMP")
    name = "<img src=x onerror=alert(1)>.png"
    page.locator(".file").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    page.get_by_text("Boxes of an uploaded picture are a grid").wait_for()
    assert asked(page, "upload") == 2
    assert page.locator(".subject b").inner_text() == name
    assert page.locator(".line").count() == 12
    page.get_by_text("No right answer is known for a picture from elsewhere").wait_for()


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"no picture", "is no picture that can be read"), (bytes(2**21), "at most 1 MB")],
    ids=["text", "2 MB"],
)
def test_a_file_that_cannot_be_read_is_refused_in_the_view(live, demo, data, said):
    demo.payload["upload"]["most"] = 2**20
    page = live()
    page.get_by_role("button", name="Image → captions").click()
    page.locator(".line").first.wait_for()
    page.locator(".file").set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": data})
    page.get_by_role("alert").get_by_text(said).wait_for()
    assert page.locator(".line").count() == 12, "what was there stays"


def test_the_worst_queries_are_listed_and_one_click_from_being_asked(live):
    page = live()
    page.get_by_role("button", name="Worst queries").click()
    page.get_by_text("do not put a right answer first").wait_for()
    ranks = [int(text) for text in page.locator(".worst tbody tr td:nth-child(3)").all_inner_texts()]
    assert ranks == sorted(ranks, reverse=True)
    page.get_by_role("button", name="What is false in them?").click()
    page.get_by_role("columnheader", name="attribute").wait_for()
    text = page.locator(".go").first.inner_text()
    page.locator(".go").first.click()
    page.locator(".card").first.wait_for()
    assert page.get_by_label("sentence to search with").input_value() == text


def test_what_goes_wrong_in_the_kernel_is_shown_in_the_view(live, demo):
    page = live()
    demo.answer_search = lambda **_: 1 / 0
    page.get_by_label("sentence to search with").fill("a red boat")
    page.get_by_role("alert").get_by_text("division by zero").wait_for()


@pytest.mark.parametrize(
    "text",
    ["<img src=x onerror=alert(1)> a red dog", "كلب أحمر قرب قاربين", "🐕 red", " ".join(["red dog"] * 100)],
)
def test_any_sentence_is_shown_as_it_is(live, text):
    page = live(width=360)
    page.get_by_label("sentence to search with").fill(text)
    page.get_by_text("No right answer is known").wait_for()
    page.locator(".card").first.click()
    page.locator(".detail .sentence", has_text=text).wait_for()
    assert page.locator(".detail .sentence img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_saved_page_shows_the_last_query_and_says_what_it_cannot_do(saved, demo, scenes):
    demo.search({"image": 3})
    demo.answer_pair({"image": 3}, int(demo.found.rows[1]))
    page = saved()
    assert "need a running notebook" in page.locator(".saved").inner_text()
    assert page.locator(".line").count() == 12
    assert page.locator('.line[data-chosen="true"] .place').inner_text() == "2"
    page.locator(".detail .itr-pair-view .word").first.hover()
    assert page.locator(".detail .word.active").count() == 1
    assert page.locator(".line").first.evaluate("node => node.tagName") == "DIV"


@pytest.mark.parametrize("width", [360, 800, 1300])
def test_nothing_sticks_out_sideways(saved, width):
    assert saved(width).evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_scheme_of_its_host(saved, scheme):
    page = saved(scheme=scheme)
    assert {node.get_attribute("data-theme") for node in page.locator(".view").all()} == {scheme}


def test_it_cleans_up_after_itself(live):
    page = live()
    page.evaluate("stop()")
    assert page.evaluate("Object.keys(listeners)") == []
    assert page.locator(".view").count() == 0
