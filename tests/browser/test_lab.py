"""Views in a real notebook: shown twice, side by side, without their kernel, saved and opened again."""

import re

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MADE = """from conftest import _make_explanation as make_explanation
from ipywidgets import VBox
from itr_explore import PairView
explanation = make_explanation()"""
ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(1)> a red dog"

ASKER = """
function mountAsker(host, payload, kernel) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  host.classList.add("itr-asker");
  const said = make("div", {});
  const ask = (name) => kernel.ask(name, { number: 21 }).then((value) => said.replaceChildren(String(value)), (error) => said.replaceChildren(complaint(error)));
  const buttons = ["double", "refuse", "break"].map((name) => {
    const button = make("button", {}, name);
    button.addEventListener("click", () => ask(name));
    return button;
  });
  shadow.replaceChildren(make("style", {}, STYLE), make("section", { class: "view" }, kernel ? "live" : `needs a kernel; said ${payload.said ?? "nothing"}`, ...buttons, said));
  return () => shadow.replaceChildren();
}
"""
ASKING = """from itr_explore.widgets.assets import VIEWS, Parts
from itr_explore.widgets import view
from itr_explore.widgets.view import LiveView
view.QUIET = 0.1
VIEWS["asker"] = Parts("mountAsker", ("base.js", {script!r}), ("base.css",))
class Asker(LiveView):
    view = "asker"
    said = None
    def answer_double(self, number):
        self.said = 2 * number
        return self.said
    def drawn_now(self): return {{"said": self.said}}
    def answer_refuse(self, number): raise ValueError("wanted a word; type <b>one</b>")
    def answer_break(self, number): return number.nothing
    def title(self): return "asker"
    def summary(self): return f"an asker that said {{self.said}}"
asker = Asker(payload={{}})"""


def words_light_regions(view):
    view.scroll_into_view_if_needed()
    view.locator('[data-word="2"]').hover()
    expect(view.locator("[data-region].lit")).to_have_count(1)
    return True


def menu(page, *names):
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{names[0]}$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{names[1]}$")).click()


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_view_is_live_in_both_of_jupyters_applications(in_lab, app):
    page = in_lab([MADE, "PairView(explanation)"], app=app)
    assert words_light_regions(page.locator(".itr-pair-view"))


def test_views_shown_twice_and_side_by_side_and_inside_a_box_are_all_live_also_after_a_restart(in_lab):
    cells = [MADE, "view = PairView(explanation)\nview", "view", "VBox([view, PairView(explanation)])"]
    page = in_lab(cells, fresh=True, height=2400)
    views = page.locator(".itr-pair-view")
    views.nth(3).wait_for()
    assert [words_light_regions(view) for view in views.all()] == [True] * 4
    views.nth(0).locator('[data-word="2"]').click()
    page.mouse.move(0, 0)
    expect(views.nth(0).locator("[data-region].lit")).to_have_count(1)
    assert [view.locator("[data-region].lit").count() for view in views.all()] == [1, 0, 0, 0]
    menu(page, "Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    page.get_by_text(re.compile(r"Python 3 \(ipykernel\) \| Idle")).wait_for()
    assert views.count() == 4
    assert [words_light_regions(view) for view in views.all()[1:]] == [True] * 3


def test_a_saved_notebook_is_live_without_its_kernel_and_a_picture_where_it_is_not_trusted(in_lab, lab):
    attack = f"PairView(make_explanation({ATTACK!r}, truth=False))"
    path = lab.save(in_lab([MADE, "PairView(explanation)", attack]))
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    page = in_lab(name=path.name, run=False, fresh=True)
    view = page.locator(".itr-pair-view").first
    view.wait_for()
    assert words_light_regions(view)
    assert "<script>alert(1)</script>" in page.locator(".itr-pair-view .sentence").nth(1).text_content()

    notebook.metadata["touched"] = "by somebody else"
    nbformat.write(notebook, lab.root / "foreign.ipynb")
    page = in_lab(name="foreign.ipynb", run=False, fresh=True)
    page.get_by_text("1 of 3 right").wait_for()
    assert page.locator(".itr-pair-view").count() == 0
    picture = page.get_by_role("img", name="toy: A red dog near two boats")
    assert picture.evaluate("image => image.naturalWidth") == 820


def test_a_live_view_answers_shows_what_fails_and_leaves_a_snapshot(in_lab, lab):
    (lab.root / "asker.js").write_text(ASKER)
    page = in_lab([ASKING.format(script=str(lab.root / "asker.js")), "asker", "len(asker.failures)"])
    live = page.locator(".itr-asker", has_text="live")
    live.get_by_role("button", name="double").click()
    live.get_by_text("42").wait_for()
    live.get_by_role("button", name="refuse").click()
    assert live.get_by_role("alert").inner_text().strip() == "wanted a word; type <b>one</b>"
    live.get_by_role("button", name="break").click()
    live.get_by_text("AttributeError: 'int' object has no attribute 'nothing'.").wait_for()
    assert "print(view.failures[-1])" in live.get_by_role("alert").inner_text()
    assert not page.get_by_text("needs a kernel").is_visible()
    page.locator("[data-snapshot] pre", has_text="said 42").wait_for(state="attached")

    path = lab.save(page)
    lab.call("PATCH", f"api/contents/{path.name}", path="reopened.ipynb")
    page = in_lab(name="reopened.ipynb", run=False, fresh=True)
    page.get_by_text("needs a kernel; said 42").wait_for()
    missing = page.get_by_text("Error displaying widget")
    missing.wait_for(state="attached")
    missing.wait_for(state="hidden")


def test_two_displays_of_a_live_view_each_get_their_own_answers(in_lab, lab):
    (lab.root / "asker.js").write_text(ASKER)
    page = in_lab([ASKING.format(script=str(lab.root / "asker.js")), "asker", "asker"])
    live = page.locator(".itr-asker", has_text="live")
    live.nth(1).get_by_role("button", name="refuse").wait_for()
    page.evaluate(
        """() => { const live = [...document.querySelectorAll(".itr-asker")].filter((host) => /^live/.test(host.shadowRoot.querySelector(".view").textContent));
                   live.forEach((host, at) => host.shadowRoot.querySelectorAll("button")[at].click()); }"""
    )
    live.nth(0).get_by_text("42").wait_for()
    live.nth(1).get_by_role("alert").wait_for()
    assert live.nth(0).get_by_role("alert").count() == 0
