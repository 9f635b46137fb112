"""The README's picture: a trained model's view of one test scene, one word held, in the system's Chromium.

python benchmarks/picture.py [--image 3 --caption 1 --word car]   writes benchmarks/results/first_look.png
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from common import RESULTS
from playwright.sync_api import sync_playwright

import itr_explore as itr

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="scan-tiny-scenes")
    parser.add_argument("--image", type=int, default=3)
    parser.add_argument("--caption", type=int, default=1)
    parser.add_argument("--word", help="the word to hold; by default the first that has a badge")
    options = parser.parse_args()

    pair = itr.Collection.scenes("test").pair(options.image, caption=options.caption)
    view = itr.explore(itr.from_pretrained(options.model), pair)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = view.save_html(Path(folder) / "view.html")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 900}, offline=True)
        page.goto(page_file.resolve().as_uri())
        chosen = pair.words.index(options.word) if options.word else None
        word = f'[data-word="{chosen}"]' if options.word else ".word:has(.badge)"
        page.locator(word).first.hover()
        page.locator("main").screenshot(path=RESULTS / "first_look.png")
        browser.close()
    print(RESULTS / "first_look.png")


if __name__ == "__main__":
    main()
