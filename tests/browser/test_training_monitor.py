"""A run as a reader of a page sees it, and as a person with a kernel steers it."""

import base64
from dataclasses import dataclass, replace

import numpy as np
import pytest
from playwright.sync_api import expect

from itr_explore.records import Progress, Ranking
from itr_explore.widgets.assets import view_script
from itr_explore.widgets.page import save_page
from itr_explore.widgets.training_payload import Curves, probe_map, probe_payload

pytestmark = pytest.mark.browser

ATTACK = "<img src=x onerror=alert(1)></script><script>alert(1)</script>"


@dataclass
class Recorded:
    """A monitor's payload without a run."""

    payload: dict
    view = "training_monitor"

    def drawn_now(self):
        return self.payload


def ranking(share):
    ranks = np.where(np.arange(100) < share, 0.0, 20.0)
    return Ranking(ranks, ranks)


def a_state(epochs=3, of=5, steps=20, status="stopped", **more):
    """The state after so many epochs; the second was the best."""
    curves = Curves()
    for step in range(1, epochs * steps + 1):
        last = step % steps == 0
        found = ranking(10 * (step // steps) if step // steps < 3 else 15) if last else None
        losses = {"matching": 5 / step, "diversity": 0.5 / step}
        told = Progress(step, step / steps, losses, 0.01 / step, found, best=last and step // steps < 3)
        curves.add(told)
    best = {"epoch": min(epochs, 2), "rsum": 120.0} if epochs else None
    return {
        "status": status,
        "in_cell": False,
        "resumable": epochs > 0,
        "step": epochs * steps,
        "epoch": epochs,
        "epochs": of,
        "rate": 0.001 if epochs else None,
        "terms": {"matching": 0.5, "diversity": 0.25} if epochs else {},
        "best": best,
        "elapsed": 125.0,
        "left": None,
        "note": "stopped at step 60",
        "complaint": None,
        "maps": epochs + 1,
        **curves.sent(),
        **more,
    }


@pytest.fixture
def record(make_explanation):
    """The payload of a run; the probe's third word finds its region in the second epoch."""

    def made(epochs=3, state=None, probe=True, **explanation):
        found = make_explanation(**explanation)
        maps = []
        for epoch in range(epochs + 1):
            values = found.maps[0].values.copy()
            if epoch < 2 and values.shape[1] > 4:
                values[2] = np.roll(values[2], 3)
            shown = replace(found, maps=(replace(found.maps[0], values=values),), score=epoch / 10)
            maps.append(probe_map(shown, float(epoch)))
        return {
            "model": "toy",
            "training": "toy, train: 40 images, 120 captions",
            "validation": "toy, val: 12 images, 36 captions",
            "probe": probe_payload(found) if probe else None,
            "state": a_state(epochs) if state is None else state,
            "maps": maps if probe else [],
        }

    return made


@pytest.fixture
def show(open_page, record, tmp_path):
    """Saves the page of a run, and opens it."""

    def shown(width=1300, scheme="light", **made):
        path = save_page(tmp_path / "run.html", title="run", views=[Recorded(record(**made))])
        page = open_page(path, width, scheme)
        page.locator(".itr-training-monitor .view").wait_for()
        return page

    return shown


def chart(page, title):
    return page.locator(".chart", has=page.locator("figcaption b", has_text=title))


def slider(page):
    return page.get_by_role("slider", name="epoch whose map is shown")


def test_a_saved_page_shows_where_the_run_stood_and_what_needs_a_kernel(show):
    page = show()
    assert page.locator(".status").inner_text() == "stopped"
    assert "training needs a kernel" in page.locator("header").inner_text()
    assert page.get_by_role("button", name="Resume").count() == 0
    told = dict(zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=True))
    assert told["epoch"] == "3.0 of 5"
    assert told["loss"] == "0.75"
    assert told["best rsum"] == "120.0 (epoch 2)"
    assert told["time so far"] == "2 min"


def test_every_term_has_a_line_of_its_own_kind_and_the_best_validation_a_ring(show):
    page = show()
    lines = chart(page, "Loss").locator("path.line").all()
    assert len({line.get_attribute("stroke-dasharray") for line in lines}) == len(lines) == 2
    assert chart(page, "Recall").locator("circle.best").count() == 2
    assert "A ring marks the best validation" in page.locator(".charts + .about").inner_text()


def test_the_keyboard_reads_the_points_of_a_curve_and_the_other_charts_follow(show):
    page = show()
    plot = chart(page, "Recall").locator(".plot")
    plot.focus()
    page.keyboard.press("Home")
    assert plot.get_attribute("aria-valuetext") == "epoch 1: image → text 10 %, text → image 10 %"
    page.keyboard.press("ArrowRight")
    assert "epoch 2: image → text 20 %" in plot.get_attribute("aria-valuetext")
    assert chart(page, "Loss").locator(".where").inner_text() == "epoch 2"
    page.keyboard.press("Escape")
    assert chart(page, "Loss").locator(".where").inner_text() == ""


def test_the_pointer_reads_the_nearest_point(show):
    page = show()
    frame = chart(page, "Recall").locator(".plot").bounding_box()
    page.mouse.move(frame["x"] + frame["width"] * 0.45, frame["y"] + 60)
    assert chart(page, "Recall").locator(".where").inner_text() == "epoch 2"
    page.mouse.move(1, 1)
    assert chart(page, "Recall").locator(".where").inner_text() == ""


def test_recall_is_shown_among_the_first_one_five_or_ten_and_loss_on_two_scales(show):
    page = show()
    page.get_by_role("button", name="log").click()
    assert "0.1" in chart(page, "Loss").locator(".tick").all_text_contents()
    page.get_by_role("button", name="R@10", exact=True).click()
    assert page.get_by_role("button", name="R@10", exact=True).get_attribute("aria-pressed") == "true"
    assert "15 %" in chart(page, "Recall").locator(".key").inner_text()


def test_losses_below_zero_are_drawn_and_have_no_logarithm(show):
    below = [{"name": "matching", "x": [1, 2, 3], "y": [-1, -7, -8], "stretch": 1}]
    page = show(state=a_state() | {"losses": below})
    frame = chart(page, "Loss").locator(".plot").bounding_box()
    line = chart(page, "Loss").locator("path.line").bounding_box()
    assert frame["y"] <= line["y"] < line["y"] + line["height"] <= frame["y"] + frame["height"]
    assert line["height"] > 100
    page.get_by_role("button", name="log").click()
    assert chart(page, "Loss").locator(".empty").inner_text() == "no value above zero"


def test_the_epoch_slider_goes_back_and_the_verdict_with_it(show):
    page = show()
    assert page.locator(".when").inner_text() == "after epoch 3"
    assert page.locator('[data-word="2"] .badge').get_attribute("data-state") == "hit"
    slider(page).focus()
    page.keyboard.press("Home")
    assert page.locator(".when").inner_text() == "before training"
    assert page.locator('[data-word="2"] .badge').get_attribute("data-state") == "miss"
    assert "region 4 (0.60); right: 1" in page.locator(".facts").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator(".when").inner_text() == "after epoch 1"


def test_a_row_of_the_epochs_can_be_clicked(show):
    page = show()
    frame = page.locator(".strip-map").bounding_box()
    page.mouse.click(frame["x"] + 80, frame["y"] + 20 + 10)
    assert page.locator(".when").inner_text() == "before training"


def test_play_goes_through_the_epochs_and_ends_at_the_last(show):
    page = show()
    page.get_by_role("button", name="Play").click()
    page.locator(".when", has_text="before training").wait_for()
    page.get_by_role("button", name="Pause").wait_for()
    page.locator(".when", has_text="after epoch 3").wait_for()
    page.get_by_role("button", name="Play").wait_for()


def test_another_word_can_be_chosen_with_the_arrow_keys(show):
    page = show()
    page.locator('[data-word="2"]').focus()
    page.keyboard.press("End")
    assert page.locator('[data-word="5"]').get_attribute("aria-pressed") == "true"
    assert "“boats”" in page.locator(".facts").inner_text()
    assert "“boats”: its weights" in page.locator(".over").inner_text()


def test_numbers_are_there_as_tables(show):
    page = show()
    page.get_by_text("Validations as a table").click()
    assert page.get_by_role("row", name="2 20.0").inner_text().split()[-1] == "best"
    page.get_by_text("The epochs as a table").click()
    row = page.get_by_role("row", name="before training").inner_text()
    assert row.split("\t") == ["before training", "0", "region 4", "0.60", "0 of 3"]


def test_a_run_that_has_not_begun_is_shown_as_that(show):
    page = show(epochs=0, state=a_state(0, status="ready", note=""))
    assert page.locator(".status").inner_text() == "not started"
    assert chart(page, "Loss").locator(".empty").is_visible()
    assert slider(page).is_disabled()


def test_what_went_wrong_is_shown_with_advice_and_as_text(show):
    trouble = {"what": ATTACK, "advice": "print(view.failures[-1])"}
    page = show(state=a_state(status="failed", complaint=trouble, note=ATTACK))
    assert ATTACK in page.locator(".trouble .complaint").inner_text()
    assert "failures[-1]" in page.locator(".trouble .complaint").inner_text()
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(
    "made",
    [
        {"probe": False},
        {"picture": None},
        {"boxes": False},
        {"regions": 1, "caption": "one region here", "truth": False},
        {"regions": 100},
        {"epochs": 60},
        {"caption": " ".join(["word"] * 200), "truth": False},
        {"caption": ATTACK + " and a dog", "truth": False},
        {"caption": "كلب أحمر قرب قاربين", "truth": False},
    ],
    ids=lambda made: ",".join(f"{k}={str(v)[:12]}" for k, v in made.items()),
)
@pytest.mark.parametrize("width", [360, 1300])
def test_odd_runs_are_shown_and_nothing_sticks_out(show, made, width):
    page = show(width=width, **made)
    assert page.locator(".status").inner_text() == "stopped"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("img[src=x]").count() == 0


def test_a_dark_host_makes_the_view_dark(show):
    assert show(scheme="dark").locator('.view[data-theme="dark"]').count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_technology_finds_no_fault(show, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = show(scheme=scheme)
    page.get_by_text("Validations as a table").click()
    found = axe.Axe().run(page).response["violations"]
    assert [one for one in found if one["impact"] in ("serious", "critical")] == []


def test_two_runs_on_a_page_do_not_meddle(open_page, record, tmp_path):
    both = [Recorded(record()), Recorded(record(caption="A blue cat near two boats"))]
    page = open_page(save_page(tmp_path / "page.html", title="two", views=both))
    first, second = page.locator(".itr-training-monitor").all()
    slider(first).fill("0")
    assert first.locator(".when").inner_text() == "before training"
    assert second.locator(".when").inner_text() == "after epoch 3"


RENDER = """async ([source, traits]) => {
  const view = (await import("data:text/javascript;base64," + source)).default;
  const calls = {};
  window.asked = [];
  window.say = (message) => calls["msg:custom"].forEach((call) => call(message));
  window.set = (name, value) => { traits[name] = value; (calls[`change:${name}`] ?? []).forEach((call) => call()); };
  const model = {
    get: (name) => traits[name], send: (message) => window.asked.push(message),
    on: (name, call) => (calls[name] ??= []).push(call),
    off: (name, call) => { calls[name] = calls[name].filter((other) => other !== call); },
  };
  const el = document.body.appendChild(document.createElement("div"));
  window.stop = view.render({ model, el });
  window.listening = () => Object.values(calls).flat().length;
}"""


@pytest.fixture
def live(browser, record):
    """A view with a kernel that is played by the test: `page.asked()` is what was asked of it."""
    page, noise = browser.new_page(), []
    page.set_default_timeout(10_000)
    page.on("console", lambda said: noise.append(said.text))
    page.on("pageerror", lambda error: noise.append(str(error)))

    def mounted(**traits):
        payload = record(epochs=0, state=a_state(0, status="ready", note=""))
        traits = {"payload": payload, "state": payload["state"], "newest": {}, **traits}
        source = base64.b64encode(view_script("training_monitor").encode()).decode()
        page.evaluate(RENDER, [source, traits])
        page.asked = lambda: page.evaluate("asked")
        page.put = lambda name, value: page.evaluate("([name, value]) => set(name, value)", [name, value])
        return page

    yield mounted
    page.close()
    assert noise == []


def test_start_stop_and_resume_ask_the_kernel(live):
    page = live()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    page.get_by_role("button", name="Start").click()
    page.put("state", a_state(1, status="training"))
    page.get_by_role("button", name="Stop").click()
    page.put("state", a_state(1, status="stopping"))
    page.locator(".status", has_text="stopping").wait_for()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    page.put("state", a_state(1))
    page.get_by_role("button", name="Resume").click()
    assert [told["question"] for told in page.asked() if told["question"] != "maps"] == [
        "start",
        "stop",
        "start",
    ]


def test_a_refusal_of_the_kernel_is_shown(live):
    page = live()
    page.get_by_role("button", name="Start").click()
    page.evaluate(
        "say({answers: asked.at(-1).number, error: {what: 'this toy is being trained already', advice: ''}})"
    )
    expect(page.locator(".complaint")).to_contain_text("being trained already")


def test_a_cell_that_trains_is_stopped_by_an_interrupt_and_the_view_says_so(live):
    page = live()
    page.put("state", a_state(1, status="training", in_cell=True))
    page.get_by_text("Kernel > Interrupt stops it").wait_for()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()


def test_curves_grow_and_the_map_follows_the_newest_epoch_unless_one_looks_back(live, record):
    page, maps = live(), record()["maps"]
    page.put("newest", {"number": 1, **maps[1]})
    page.put("state", a_state(1, status="training"))
    page.locator(".when", has_text="after epoch 1").wait_for()
    expect(chart(page, "Recall").locator("path.line")).to_have_count(2)
    slider(page).fill("0")
    page.put("newest", {"number": 2, **maps[2]})
    page.put("state", a_state(2, status="training"))
    page.locator("dd", has_text="2.0 of 5").wait_for()
    assert page.locator(".when").inner_text() == "before training"
    expect(slider(page)).to_have_attribute("max", "2")


def test_a_view_that_was_opened_late_asks_for_the_maps_it_missed(live, record):
    page, maps = live(), record()["maps"]
    page.put("newest", {"number": 3, **maps[3]})
    page.put("state", a_state(3))
    page.wait_for_function("asked.some(({ question }) => question === 'maps')")
    (asked,) = [told for told in page.asked() if told["question"] == "maps"]
    assert asked["details"]["after"] == 1
    page.evaluate("([n, v]) => say({answers: n, value: v})", [asked["number"], maps[1:]])
    page.locator(".when", has_text="after epoch 3").wait_for()


def test_a_view_that_is_closed_leaves_nothing_behind(live):
    page = live()
    page.evaluate("stop()")
    assert page.evaluate("listening()") == 0
    assert page.locator(".view").count() == 0


SLOW = """
import time
from toys import toy_collection, toy_model
from itr_explore import TrainingMonitor
training, validation = toy_collection(40), toy_collection(12, split="val", seed=1)
model = toy_model(training)
loss = model.training_loss
model.training_loss = lambda *a, **k: time.sleep(0.02) or loss(*a, **k)
monitor = TrainingMonitor(
    model, training, validation, validation.pair(0), epochs=400, batch_size=16, learning_rate=0.02, device="cpu"
)
"""


@pytest.mark.slow
def test_in_jupyterlab_a_run_is_started_stopped_and_resumed(in_lab):
    page = in_lab([SLOW, "monitor"])
    view = page.locator(".itr-training-monitor:visible")
    expect(view).to_have_count(1)
    view.get_by_role("button", name="Start").click()
    view.locator(".when", has_text="after epoch 2").wait_for()
    view.get_by_role("button", name="Stop").click()
    view.locator('[data-status="stopped"]').wait_for()
    expect(view.locator(".note")).to_contain_text("the model holds the weights of epoch")
    view.get_by_role("button", name="Resume").click()
    view.locator('[data-status="training"]').wait_for()
    view.get_by_role("button", name="Stop").click()
    view.locator('[data-status="stopped"]').wait_for()
    expect(page.locator(".itr-training-monitor:visible"), "the snapshot stays hidden").to_have_count(1)


@pytest.mark.slow
def test_in_jupyterlab_a_cell_that_trains_draws_meanwhile_and_ends_with_an_interrupt(in_lab):
    page = in_lab(
        [SLOW, "history = monitor.run()\nprint(len(history) < 3200, history.best is not None)"], run=False
    )
    page.evaluate(
        """async () => {
          const { commands, shell } = window.jupyterapp;
          await shell.currentWidget.context.ready;
          await shell.currentWidget.sessionContext.ready;
          commands.execute("notebook:run-all-cells");
        }"""
    )
    view = page.locator(".itr-training-monitor:visible")
    view.locator(".when", has_text="after epoch 2").wait_for(timeout=60_000)
    page.evaluate("window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    view.locator('[data-status="stopped"]').wait_for()
    page.get_by_text("True True").wait_for()
