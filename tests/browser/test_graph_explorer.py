"""The explorer as a reader of a saved page meets it, and its edits with a kernel that answers from a list."""

import base64
import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from itr_explore.explanation.graph import MEASURES, centralities, region_graph
from itr_explore.records import Change, Intervention, Map
from itr_explore.widgets.assets import view_script
from itr_explore.widgets.graph_payload import CutEdge, graph_payload, result_payload
from itr_explore.widgets.page import page as page_of
from itr_explore.widgets.view import View

pytestmark = pytest.mark.browser

TAP = "layers.0.affinity"
ATTACK = "</script><img src=x onerror=alert(1)>"


class Shown(View):
    """The explorer without a model behind it."""

    view = "graph_explorer"

    def title(self):
        return "graph"

    def summary(self):
        return "a graph"


def related(explanation):
    """With edges of words and edges made for the eye."""
    random = np.random.default_rng(1)
    words, regions = len(explanation.pair.words), len(explanation.pair.regions)
    return replace(
        explanation,
        maps=(
            *explanation.maps,
            Map("words.edges", "word_to_word", random.uniform(size=(words, words)), "attention", "unit"),
            Map(
                "image_nodes.cosine",
                "region_to_region",
                np.eye(regions) + 0.3 * (1 - np.eye(regions)),
                "derived",
                "cosine",
                exact=False,
            ),
        ),
    )


def after_a_cut(explanation, row=0, column=1):
    """The same with one edge cut, and what `intervene` would say of it."""
    values = explanation.map(TAP).values.copy()
    values[row, column] = 0.0
    heat = explanation.map("to_regions")
    moved = heat.values.copy()
    moved[2, 1] -= 0.25
    instead = {TAP: values, "to_regions": moved}
    maps = tuple(replace(m, values=instead.get(m.name, m.values)) for m in explanation.maps)
    found = Intervention(
        explanation.pair,
        explanation.pair,
        "toy",
        (f"edge {row} to {column} of {TAP} cut",),
        ("one", "two"),
        "another edge of nearly the same weight",
        Change(0.75, 0.5, np.array([0.74, 0.76])),
        Change(0.0, 3.0, np.array([0.0, 1.0])),
        Change(1.0, 1.0, np.array([1.0, 1.0])),
        "toy, test: 12 images",
    )
    after = replace(explanation, maps=maps, score=0.5)
    return {**result_payload([CutEdge(TAP, row, column)], found, explanation, after), "ranked": True}


@pytest.fixture
def show(open_page, make_explanation, tmp_path):
    """Saves the explorer of an explanation made to order, and opens it."""

    def shown(width=1300, scheme="light", result=False, before=False, **made):
        explanation = related(make_explanation(**made))
        twin = replace(
            explanation, maps=tuple(replace(m, values=m.values / 2) for m in explanation.maps), score=0.1
        )
        versions = {"untrained": twin, "trained": explanation} if before else {"now": explanation}
        sent = graph_payload(versions, "toy, test: 12 images")
        if result:
            sent["result"] = after_a_cut(explanation)
        path = tmp_path / "graph.html"
        path.write_text(page_of(title="graph", views=[Shown(payload=sent)]), encoding="utf-8")
        page = open_page(path, width, scheme)
        page.locator(".itr-graph-explorer .view").wait_for()
        page.explanation = explanation
        return page

    return shown


def choose(page, label):
    page.get_by_label("Graph", exact=True).select_option(label=label)


def node(page, index, where="right"):
    return page.locator(f'.{where} [data-node="{index}"]')


def edges(page, where="right", only=""):
    return {line.get_attribute("data-edge") for line in page.locator(f".{where} .hit{only}").all()}


def test_the_edges_drawn_are_those_of_the_function(show):
    page = show()
    wanted = region_graph(page.explanation, "learned", name=TAP, top=2)
    assert edges(page) == edges(page, "left") == {f"{a}-{b}" for a, b in wanted.edges}
    assert "10 of 20 edges" in page.locator(".thinning output").inner_text()
    page.get_by_label("Edges a node").select_option("all")
    assert len(edges(page)) == 20


def test_the_threshold_says_and_shows_how_many_edges_are_left(show):
    page = show()
    page.get_by_label("Edges a node").select_option("all")
    page.get_by_label("least weight").fill("0.5")
    told = page.locator(".thinning output").inner_text()
    largest = np.abs(page.explanation.map(TAP).values * (1 - np.eye(5))).max()
    wanted = region_graph(page.explanation, "learned", name=TAP, threshold=largest / 2)
    assert len(edges(page)) == wanted.number_of_edges()
    least = float(told.split("≥ ")[1].split(")")[0])
    assert told.startswith(f"{wanted.number_of_edges()} of 20 edges (weight ≥ ")
    assert 0 <= largest / 2 - least < 0.01, "what is written is rounded down"


def test_measures_are_those_of_networkx(show):
    page = show()
    page.get_by_text("Nodes as a table").click()
    frame = centralities(region_graph(page.explanation, "learned", name=TAP, top=2))
    for index, row in enumerate(page.locator(".numbers tbody tr").all()):
        shown = [float(cell) for cell in row.locator("td").all_inner_texts()]
        assert shown == pytest.approx(frame.loc[index, list(MEASURES)].tolist(), abs=0.006)


def test_the_measure_sizes_nodes_and_its_formula_is_written(show):
    page = show()
    page.get_by_label("Size").select_option("closeness")
    sizes = [float(disc.get_attribute("r")) for disc in page.locator(".right .disc").all()]
    frame = centralities(region_graph(page.explanation, "learned", name=TAP, top=2))
    assert np.argmax(sizes) == frame["closeness"].argmax()
    assert "sum of steps" in page.locator("[aria-label='central nodes']").inner_text()


def test_resting_on_a_node_lights_its_edges_in_both_drawings_and_leaving_puts_them_out(show):
    page = show()
    node(page, 1).hover()
    for where in ("left", "right"):
        assert page.locator(f".{where} .edge.lit").count() == sum("1" in edge for edge in edges(page))
    assert "region 1" in page.locator(".readout").inner_text()
    page.mouse.move(1, 1)
    assert page.locator(".edge.lit").count() == 0


def test_a_click_pins_and_escape_lets_go(show):
    page = show()
    node(page, 1).click()
    node(page, 3).hover()
    assert node(page, 1).get_attribute("aria-pressed") == "true"
    assert "region 1" in page.locator(".readout").inner_text()
    page.keyboard.press("Escape")
    page.mouse.move(1, 1)
    assert page.locator(".edge.lit").count() == 0


def test_arrows_walk_nodes_and_tab_walks_the_edges_of_the_pinned_one(show):
    page = show()
    node(page, 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert node(page, 1).get_attribute("aria-pressed") == "true"
    mine = [edge for edge in edges(page) if "1" in edge]
    met = []
    for _ in mine:
        page.keyboard.press("Tab")
        met.append(
            page.evaluate(
                "document.querySelector('.itr-graph-explorer').shadowRoot.activeElement.dataset.edge"
            )
        )
    assert sorted(met) == sorted(mine)
    assert page.locator(".right .edge.lit").count() == 1


def test_every_layout_moves_nodes_and_none_leaves_the_drawing(show):
    page = show(regions=12)
    seen = set()
    for name in ("spring", "circle", "Kamada-Kawai", "spectral"):
        page.get_by_role("button", name=name, exact=True).click()
        places = [n.get_attribute("style") for n in page.locator(".right .node").all()]
        seen.add(tuple(places))
        box = page.locator(".right .plot").bounding_box()
        for place in places:
            x, y = map(float, re.findall(r"[\d.]+(?=px)", place))
            assert 0 < x < box["width"]
            assert 0 < y < box["height"]
    assert len(seen) == 4


def test_relations_of_place_are_named_and_can_be_chosen(show):
    page = show()
    choose(page, "where regions lie")
    graph = region_graph(page.explanation.pair, "spatial")
    named = next(says for *_, says in graph.edges(data="predicate"))
    options = page.locator("label.choice", has_text="Relation").locator("select")
    options.select_option(index=0)
    assert len(edges(page)) == graph.number_of_edges()
    label = next(text for text in options.locator("option").all_inner_texts() if text.startswith(named))
    options.select_option(label=label)
    assert len(edges(page)) == int(re.search(r"\((\d+)\)", label).group(1))
    page.get_by_text("Edges as a table").click()
    assert named in page.locator(".numbers tbody tr").first.inner_text()


def test_words_stand_along_the_sentence_and_light_up_in_it(show):
    page = show()
    choose(page, "words edges")
    node(page, 2, "left").hover()
    assert page.locator('.sentence [data-word="2"].active').count() == 1
    assert "“dog”" in page.locator(".readout").inner_text()
    assert page.locator(".left .node").count() == 6


def test_before_and_after_training_are_on_one_scale(show):
    page = show(before=True)
    assert page.locator(".score b").inner_text() == "0.750"
    widths = {line.get_attribute("stroke-width") for line in page.locator(".right .line").all()}
    page.get_by_role("button", name="untrained", exact=True).click()
    assert page.locator(".score b").inner_text() == "0.100"
    assert {line.get_attribute("stroke-width") for line in page.locator(".right .line").all()} != widths
    assert "the largest in all of untrained, trained" in page.locator(".legend").inner_text()


def test_without_a_kernel_edits_are_not_offered_and_it_is_said(show):
    page = show()
    assert "Edits need the kernel" in page.locator("[aria-label=edits]").inner_text()
    node(page, 0).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "open this pair in a notebook" in page.locator(".menu").inner_text()
    assert page.get_by_role("menuitem").count() == 0
    page.keyboard.press("Escape")
    assert page.locator(".menu").is_hidden()


def test_the_last_edits_of_a_saved_page_are_shown(show):
    page = show(result=True)
    panel = page.locator("[aria-label=edits]")
    assert "0 → 1 cut" in panel.inner_text()
    cells = panel.locator("tr", has_text="score").locator("td").all_inner_texts()
    assert cells[:3] == ["0.7500", "0.5000", "−0.2500"]
    assert "rank of the caption" in panel.inner_text()
    assert "dog" in panel.locator("tr", has_text="0.350").inner_text()
    assert page.locator(".right .edge.gone").count() == 1
    page.get_by_role("button", name="now", exact=True).click()
    assert page.locator(".score b").inner_text() == "0.750"


def test_where_nothing_can_be_edited_it_is_said(show):
    page = show(relations=False)
    choose(page, "semantic: the model's regions alike")
    assert "can be: words: words edges" in page.locator("[aria-label=edits]").inner_text()
    page.get_by_role("button", name="words: words edges").click()
    assert page.get_by_label("Graph", exact=True).evaluate("l => l.selectedOptions[0].label") == "words edges"


def test_script_in_labels_and_words_is_shown_and_never_runs(show):
    page = show(caption=ATTACK + " and a red dog", truth=False, labels=(ATTACK,) * 5)
    node(page, 0).hover()
    assert "img src=x" in page.locator(".readout").inner_text()
    page.get_by_text("Edges as a table").click()
    choose(page, "words edges")
    assert page.locator(".readout img, .sentence img, table img").count() == 0


@pytest.mark.parametrize("width", [360, 800, 1300])
def test_nothing_sticks_out_sideways(show, width):
    page = show(width=width, result=True, before=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    choose(page, "words edges")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "made",
    [
        {"picture": None},
        {"boxes": False},
        {"regions": 1, "caption": "one", "truth": False},
        {"regions": 100, "truth": False},
        {"caption": " ".join(["word"] * 200), "truth": False},
        {"caption": "كلب أحمر 🐕 قرب قاربين", "truth": False},
    ],
    ids=lambda made: ",".join(f"{k}={str(v)[:9]}" for k, v in made.items()),
)
def test_odd_pairs_are_shown(show, made):
    page = show(**made)
    assert page.locator(".right .node").count() == made.get("regions", 5)
    node(page, 0).hover(force=True)
    choose(page, "words edges")
    assert page.locator(".left .node").count() == len(page.explanation.pair.words)


def test_two_explorers_on_a_page_do_not_meddle(open_page, make_explanation, tmp_path):
    sent = graph_payload({"now": related(make_explanation())}, "")
    path = tmp_path / "two.html"
    path.write_text(page_of(title="two", views=[Shown(payload=sent), Shown(payload=sent)]), encoding="utf-8")
    first, second = open_page(path).locator(".itr-graph-explorer").all()
    first.locator('.right [data-node="1"]').click()
    assert first.locator(".right .edge.lit").count() > 0
    assert second.locator(".edge.lit").count() == 0


LIVE = """async ([source, payload, answers]) => {
  const view = (await import("data:text/javascript;base64," + source)).default;
  const listeners = {};
  window.asked = [];
  const model = {
    get(name) { return name === "payload" ? payload : undefined; },
    on(name, call) { listeners[name] = call; }, off(name) { delete listeners[name]; },
    send(message) {
      asked.push(message);
      const { edits } = message.details;
      const known = edits.length ? answers[message.question] : { value: null };
      const value = known.value && { ...known.value, edits: edits.map((edit) => ({ ...edit, text: "" })) };
      const answer = () => listeners["msg:custom"]?.({ answers: message.number, ...(known.error ? known : { value }) });
      window.held ? held.push(answer) : setTimeout(answer, 5);
    },
  };
  const el = document.createElement("div");
  document.body.append(el);
  window.stop = view.render({ model, el });
  window.listeners = listeners;
}"""


@pytest.fixture
def live(browser, make_explanation):
    """The explorer with a kernel that cuts edge 0 → 1, or refuses."""
    opened = []

    def shown(refuses=False):
        explanation = related(make_explanation())
        ranked = after_a_cut(explanation)
        scored = {**ranked, "changes": ranked["changes"][:1], "ranked": False}
        trouble = {"error": {"what": "no such edge", "advice": "take another"}}
        answers = {"edit": trouble if refuses else {"value": scored}, "rank": {"value": ranked}}
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        opened.append(page)
        page.errors = []
        page.on("console", lambda message: page.errors.append(message.text))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        source = base64.b64encode(view_script("graph_explorer").encode()).decode()
        page.evaluate(LIVE, [source, graph_payload({"now": explanation}, "toy, test: 12 images"), answers])
        page.get_by_label("Edges a node").select_option("all")
        return page

    yield shown
    for page in opened:
        assert page.errors == []
        page.close()


def cut(page):
    """By keyboard: to node 0, hold it, to its edge to 1, its menu, the first deed."""
    node(page, 0).focus()
    if node(page, 0).get_attribute("aria-pressed") == "false":
        page.keyboard.press("Enter")
    page.locator('.right [data-edge="0-1"]').focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Cut").press("Enter")


def test_an_edge_is_cut_by_keyboard_and_score_and_ranks_answer(live):
    page = live()
    cut(page)
    panel = page.locator("[aria-label=edits]")
    panel.get_by_text("rank of the image").wait_for()
    asked = page.evaluate("asked")
    assert [message["question"] for message in asked] == ["edit", "rank"]
    assert asked[0]["details"]["edits"] == [
        {"tap": TAP, "kind": "cut", "row": 0, "column": 1, "keep_sum": True}
    ]
    assert "0.5000" in panel.inner_text()
    expect(page.locator(".score b")).to_have_text("0.500")
    expect(page.locator(".right .edge.gone .mark")).to_have_count(1)


def test_a_click_on_an_edge_opens_its_menu(live):
    page = live()
    line = page.locator('.right [data-grab="3-4"]')
    x, y = line.evaluate(
        """path => { const p = path.getPointAtLength(path.getTotalLength() / 2);
                     const box = path.ownerSVGElement.getBoundingClientRect(); return [box.x + p.x, box.y + p.y]; }"""
    )
    page.mouse.click(x, y)
    assert page.get_by_role("menuitem").all_inner_texts() == ["Cut", "Reverse", "Replace by the mean edge"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator(".menu")).to_be_hidden()
    assert page.evaluate("asked.length") == 0


@pytest.mark.parametrize("way", ["Control+z", "Undo", "Reset", "take back"])
def test_edits_are_undone(live, way):
    page = live()
    cut(page)
    page.get_by_text("rank of the image").wait_for()
    if way == "Control+z":
        node(page, 2).focus()
        page.keyboard.press(way)
    else:
        page.locator("[aria-label=edits]").get_by_text(way, exact=True).click()
    page.locator(".edits li").wait_for(state="detached")
    assert page.evaluate("asked.at(-1).details.edits") == []
    expect(page.locator(".score b")).to_have_text("0.750")
    expect(page.locator(".mark")).to_have_count(0)


def test_edits_pile_up_and_an_edited_edge_offers_to_take_its_edit_back(live):
    page = live()
    cut(page)
    page.get_by_text("rank of the image").wait_for()
    page.locator('.right [data-edge="0-1"]').focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("menuitem").all_inner_texts() == [
        "Take back",
        "Reverse",
        "Replace by the mean edge",
    ]
    page.keyboard.press("Escape")
    page.locator('.right [data-edge="0-2"]').focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Reverse").click()
    page.wait_for_function("asked.length >= 4")
    kinds = [edit["kind"] for edit in page.evaluate("asked.at(-1).details.edits")]
    assert kinds == ["cut", "reverse"]


def cut_another(page):
    page.locator('.right [data-edge="0-2"]').focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Cut").press("Enter")


def answer_all(page):
    page.evaluate("() => { const waiting = held; held = null; waiting.forEach((answer) => answer()); }")


def test_edits_quicker_than_the_kernel_all_stand(live):
    page = live()
    page.evaluate("window.held = []")
    cut(page)
    cut_another(page)
    answer_all(page)
    page.get_by_text("rank of the image").wait_for()
    assert [edit["column"] for edit in page.evaluate("asked.at(-1).details.edits")] == [1, 2]
    expect(page.locator(".edits li")).to_have_count(2)


def test_edits_undone_quicker_than_the_kernel_are_all_undone(live):
    page = live()
    cut(page)
    cut_another(page)
    page.locator(".edits li").nth(1).wait_for()
    page.get_by_text("rank of the image").wait_for()
    page.evaluate("window.held = []")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    answer_all(page)
    page.locator(".edits li").first.wait_for(state="detached")
    assert page.evaluate("asked.at(-1).details.edits") == []
    expect(page.locator(".score b")).to_have_text("0.750")


def test_what_stood_before_quick_edits_stands_where_the_last_is_refused(live):
    page = live()
    cut(page)
    page.get_by_text("rank of the image").wait_for()
    page.evaluate("window.held = []")
    cut_another(page)
    page.evaluate(
        "listeners['msg:custom']({answers: asked.at(-1).number, error: {what: 'no such edge', advice: ''}})"
    )
    page.get_by_role("alert").wait_for()
    expect(page.locator(".edits li")).to_have_count(1)
    page.evaluate("held = null")
    page.keyboard.press("Control+z")
    page.locator(".edits li").first.wait_for(state="detached")


def test_a_refusal_is_shown_and_nothing_stands(live):
    page = live(refuses=True)
    cut(page)
    page.get_by_role("alert").wait_for()
    assert "no such edge take another" in page.get_by_role("alert").inner_text()
    expect(page.locator(".edits li")).to_have_count(0)


def test_the_table_reaches_edges_too(live):
    page = live()
    page.get_by_text("Edges as a table").click()
    page.get_by_role("button", name="edit region 0 → region 1").click()
    page.get_by_role("menuitem", name="Cut").click()
    page.get_by_text("rank of the image").wait_for()


def test_a_stopped_view_leaves_nothing_behind(live):
    page = live()
    page.evaluate("stop()")
    assert page.evaluate("Object.keys(listeners)") == []
    assert page.locator(".view").count() == 0
