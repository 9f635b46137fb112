"""The README's pictures: views of trained models as a reader meets them, in the system's Chromium.

    python benchmarks/picture.py [--only first_look search edges]

Writes benchmarks/results/first_look.png (a word rested on), search.png (a sentence searched) and edges.png
(the edges that a system learned). Each is a saved page, opened without a network.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from common import RESULTS
from playwright.sync_api import Page, sync_playwright

import itr_explore as itr
from itr_explore.widgets.view import View

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
WIDTH = 1200


class Picture(NamedTuple):
    """A view, what a reader does to it, and how much of it is shown: pixels from the top, or all."""

    view: View
    touch: Callable[[Page], None] = lambda page: None
    height: int | None = None


def first_look() -> Picture:
    """A sentence, and the regions that its first checked word attends to."""
    pair = itr.Collection.scenes("test").pair(3, caption=1)
    view = itr.explore(itr.from_pretrained("scan-tiny-scenes"), pair)
    return Picture(view, lambda page: page.locator(".word:has(.badge)").first.hover())


def search() -> Picture:
    """A sentence, and the images that fit it best."""
    demo = itr.RetrievalDemo(itr.from_pretrained("chan-tiny-scenes"), itr.Collection.scenes("test"))
    return Picture(demo, height=800)


def edges() -> Picture:
    """The edges between regions that a system learned."""
    test = itr.Collection.scenes("test")
    model = itr.from_pretrained("racg-tiny-scenes")
    return Picture(itr.GraphExplorer(model, test.pair(3, caption=1), test), height=620)


PICTURES = {"first_look": first_look, "search": search, "edges": edges}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(PICTURES), default=list(PICTURES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in options.only:
            view, touch, height = PICTURES[name]()
            page_file = view.save_html(Path(folder) / f"{name}.html")
            page = browser.new_page(viewport={"width": WIDTH, "height": height or 900}, offline=True)
            page.goto(page_file.resolve().as_uri())
            page.locator(".view").first.wait_for()
            touch(page)
            (page if height else page.locator("main")).screenshot(path=RESULTS / f"{name}.png")
            print(RESULTS / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
