"""How fast and how large the views are, in a real JupyterLab with headless Chromium.

    python benchmarks/views.py [--photos ../shared/data/real-photos --weights FOLDER]

Hovering is timed in the page, from the event to the lit regions, and to the next frame; the frames that the
page sends to the kernel meanwhile are counted. Choosing a pair and typing a query are timed from the person's
event to the frame after the last change, kernel, transport and waiting for more keys (debounce) included.
With `--photos` a query also searches all photos of that folder (FOLDER holds trained weights as `chan-0`).
Medians; the load beside them says what else ran on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from common import write
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from lab import CHROMIUM, QUIET, serve

BENCHMARKS = Path(__file__).resolve().parent
MODELS = """import sys
sys.path.insert(0, {benchmarks!r})
from itr_explore import *
scenes = Collection.scenes("test")
scan, chan = from_pretrained("scan-tiny-scenes"), from_pretrained("chan-tiny-scenes")"""

# Does something as a person would, and waits for the frame in which it shows: milliseconds.
PAINTED = """() => {
  const nextFrame = (then) => requestAnimationFrame(() => setTimeout(then));
  window.painted = (act, changed) => new Promise((resolve, reject) => {
    const start = performance.now();
    const done = () => resolve(performance.now() - start);
    const late = () => performance.now() - start > 120000;
    const look = () => {
      if (late()) reject(new Error(`nothing changed after ${act}`));
      else if (changed()) nextFrame(done);
      else setTimeout(look, 1);
    };
    act();
    look();
  });
  window.live = (name) => {
    const hosts = [...document.querySelectorAll(`.itr-${name}`)];
    return hosts.find((host) => host.offsetParent && !host.closest("[data-snapshot]")).shadowRoot;
  };
  window.typed = (field, value, kind) => {
    field.value = value;
    field.dispatchEvent(new Event(kind, { bubbles: true }));
  };
}"""

HOVER = """async (times) => {
  const root = [...document.querySelectorAll(".itr-pair-view")].find((host) => host.offsetParent).shadowRoot;
  const words = [...root.querySelectorAll(".word")], lit = [], frames = [];
  for (let at = 0; at < times; at++) {
    const word = words[at % words.length];
    const start = performance.now();
    word.dispatchEvent(new PointerEvent("pointerenter"));
    if (!root.querySelector("[data-region].lit")) throw new Error("nothing lit");
    lit.push(performance.now() - start);
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    frames.push(performance.now() - start);
    word.dispatchEvent(new PointerEvent("pointerleave"));
  }
  return { lit, frames };
}"""

CHOOSE = """async (images) => {
  const root = live("model-compare"), times = [];
  const [image] = root.querySelectorAll("input[type=number]");
  for (const row of images) {
    const before = root.querySelector(".sentence");
    const changed = () => root.querySelector(".sentence") !== before;
    times.push(await painted(() => typed(image, row, "input"), changed));
  }
  return times;
}"""

RAPID = """async (images) => {
  const root = live("model-compare"), [image] = root.querySelectorAll("input[type=number]");
  const shown = [];
  const watcher = new MutationObserver(() => {
    const text = root.querySelector(".place").textContent;
    if (shown.at(-1) !== text) shown.push(text);
  });
  watcher.observe(root, { childList: true, subtree: true });
  for (const row of images) {
    typed(image, row, "input");
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  await new Promise((resolve) => setTimeout(resolve, 3000));
  watcher.disconnect();
  return shown;
}"""

TYPE = """async (sentences) => {
  const root = live("retrieval-demo"), query = root.querySelector("textarea"), times = [];
  for (const sentence of sentences) {
    const before = root.querySelector("ol.cards");
    const changed = () => ![null, before].includes(root.querySelector("ol.cards"));
    times.push(await painted(() => typed(query, sentence, "input"), changed));
  }
  return times;
}"""

OPEN = """async (count) => {
  const root = live("retrieval-demo"), times = [];
  for (let at = 0; at < count; at++) {
    const before = root.querySelector(".itr-pair-view");
    times.push(await painted(() => root.querySelectorAll("button.card")[at].click(), () => {
      const view = root.querySelector(".itr-pair-view");
      return view && view !== before && view.shadowRoot?.querySelector(".cells");
    }));
  }
  return times;
}"""

SENTENCES = [
    "a robot in front of a red car",
    "two boats on the sea at night",
    "a dog left of a tree",
    "a purple castle and a sheep",
    "three balls in the snow",
    "a cat under a table",
    "an orange kite above a house",
]


def told(times: list[float]) -> dict[str, float]:
    """Milliseconds of each."""
    return {"median_ms": round(median(times), 1), "largest_ms": round(max(times), 1), "times": len(times)}


def opened(lab, context, cells: list[str]) -> Page:
    """A notebook that has been run, with what the measurements call."""
    page = context.new_page()
    page.set_viewport_size({"width": 1300, "height": 900})
    page.set_default_timeout(600_000)
    lab.open(page, lab.write([MODELS.format(benchmarks=str(BENCHMARKS)), *cells]))
    lab.run_all(page)
    page.evaluate(PAINTED)
    return page


def hover(lab, context) -> dict:
    sent: list[str] = []
    page = context.new_page()
    page.set_viewport_size({"width": 1300, "height": 900})
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame)[:80])))
    lab.open(page, lab.write([MODELS.format(benchmarks=str(BENCHMARKS)), "explore(chan, scenes.pair(7))"]))
    lab.run_all(page)
    page.locator(".itr-pair-view .cells").wait_for()
    page.evaluate(HOVER, 5)
    sent.clear()
    found = page.evaluate(HOVER, 60)
    page.close()
    return {
        "lit": told(found["lit"]),
        "next_frame": told(found["frames"]),
        "frames_sent_to_kernel": len(sent),
    }


def pairs(lab, context) -> dict:
    page = opened(lab, context, ["compare([scan, chan], scenes.subset(range(100)))"])
    page.locator(".itr-model-compare:visible .chooser").wait_for()
    page.evaluate(CHOOSE, [1, 2])
    times = page.evaluate(CHOOSE, list(range(10, 30)))
    shown = page.evaluate(RAPID, [40, 41, 42, 43, 44])
    page.close()
    return {
        "two_systems_new_pair": told(times),
        "five_rapid_changes": {"painted": len(shown), "last_is_the_last_asked": "image 44" in shown[-1]},
    }


def queries(lab, context, demo: str) -> dict:
    page = opened(lab, context, [demo])
    page.locator(".itr-retrieval-demo:visible textarea").wait_for()
    page.evaluate(TYPE, ["something to begin with"])
    found = {"typed_to_ranked_images": told(page.evaluate(TYPE, SENTENCES))}
    page.evaluate(OPEN, 2)
    found["result_chosen_to_its_view"] = told(page.evaluate(OPEN, 12))
    page.close()
    return found


def sizes(lab, context) -> dict:
    from itr_explore import Collection, explore, from_pretrained
    from itr_explore.widgets.page import embedded

    scenes, model = Collection.scenes("test"), from_pretrained("chan-tiny-scenes")
    views = [explore(model, scenes.pair(image)) for image in range(10)]
    page = opened(lab, context, [f"explore(chan, scenes.pair({image}))" for image in range(10)])
    saved = lab.save(page)
    page.close()
    text = saved.read_text()
    return {
        "one_view_kB": round(max(len(embedded(view).encode()) for view in views) / 1000),
        "notebook_of_ten_views_MB": round(len(text.encode()) / 1e6, 2),
        "widget_state_in_notebook": "application/vnd.jupyter.widget-state+json" in text,
    }


def kernel_side() -> dict:
    """The processor's own time for a pair's view, which other work lengthens less than the wall's."""
    from itr_explore import Collection, explore, from_pretrained
    from itr_explore.widgets.page import embedded

    scenes, model = Collection.scenes("test"), from_pretrained("chan-tiny-scenes")
    found: dict[str, list[float]] = {"explain_and_payload": [], "as_html_with_its_still": []}
    for image in range(21):
        pair = scenes.pair(image)
        start = time.process_time()
        view = explore(model, pair)
        between = time.process_time()
        embedded(view)
        found["explain_and_payload"].append(1000 * (between - start))
        found["as_html_with_its_still"].append(1000 * (time.process_time() - between))
    return {name: told(times[1:]) for name, times in found.items()}


def exported(browser) -> dict:
    from itr_explore import Collection, explore, from_pretrained

    noise: list[str] = []
    asked: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        view = explore(from_pretrained("chan-tiny-scenes"), Collection.scenes("test").pair(7))
        path = view.save_html(Path(folder) / "view.html")
        page = browser.new_page(offline=True)
        address = path.resolve().as_uri()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on(
            "request", lambda r: asked.append(r.url) if not r.url.startswith(("data:", address)) else None
        )
        page.goto(address)
        page.locator(".itr-pair-view .cells").wait_for()
        found = page.evaluate(HOVER, 20)
        page.close()
        size = path.stat().st_size
    return {
        "kB": round(size / 1000),
        "console_messages": len(noise),
        "requests": len(asked),
        "lit": told(found["lit"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "lab") as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context()
        result: dict = {}
        parts = {
            "hover_word_to_regions_lit": lambda: hover(lab, context),
            "new_pair": lambda: pairs(lab, context),
            "query_500_scenes": lambda: queries(lab, context, "RetrievalDemo(chan, scenes)"),
            "processor_time": kernel_side,
            "sizes": lambda: sizes(lab, context),
            "exported_page": lambda: exported(browser),
        }
        if options.photos:
            demo = (
                "from pathlib import Path\nfrom search import all_photos\n"
                f"RetrievalDemo(from_pretrained({str(options.weights.resolve() / 'chan-0')!r}),"
                f" all_photos(Path({str(options.photos.resolve())!r})))"
            )
            parts["query_all_photos"] = lambda: queries(lab, context, demo)
        for name, measure in parts.items():
            load = os.getloadavg()[0]
            result[name] = {**measure(), "load": round(load, 1)}
            print(name, result[name], file=sys.stderr, flush=True)
        browser.close()
    write("views", result)


if __name__ == "__main__":
    main()
