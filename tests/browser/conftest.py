"""The system's Chromium and a real JupyterLab, their doings on record; tests skip where there is no Chromium."""

import os
import re
import shutil
from pathlib import Path

import pytest
from lab import CHROMIUM, EMPTIED, QUIET, TESTS, serve


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all browser tests."""
    if CHROMIUM is None:
        tell = pytest.fail if os.environ.get("CI") else pytest.skip
        tell("needs Chromium on the path (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()


@pytest.fixture
def open_page(browser):
    """Opens a file with the network off; at the end nothing may have been asked of it, said or thrown."""
    contexts, noise = [], []

    def opened(path: Path, width: int = 1300, scheme: str = "light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        address = path.resolve().as_uri()
        page.on(
            "request", lambda r: noise.append(r.url) if not r.url.startswith(("data:", address)) else None
        )
        page.on("console", lambda message: noise.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: noise.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (noise.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(address, timeout=60_000)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert noise == []


@pytest.fixture(scope="session")
def violations():
    """Asks axe-core what is serious or critical on a page, or within a part of it; says where."""
    from axe_playwright_python.sync_playwright import Axe

    def found(page, within: str | None = None) -> list[str]:
        return [
            f"{one['id']}: {one['help']}: " + "; ".join(str(node["target"]) for node in one["nodes"][:4])
            for one in Axe().run(page, within).response["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    return found


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """One Jupyter server for all browser tests; its root holds copies of the notebooks."""
    with serve(tmp_path_factory.mktemp("lab")) as running:
        copied = shutil.ignore_patterns(".ipynb_checkpoints")
        shutil.copytree(TESTS.parent / "notebooks", running.root / "notebooks", ignore=copied)
        yield running


@pytest.fixture(scope="session")
def lab_context(browser):
    """One browser profile for all pages of the lab, so that its scripts are read once."""
    context = browser.new_context()
    yield context
    context.close()


# What JupyterLab says by itself, of widgets that the notebook before left in the kernel, and of lost kernels.
OF_THE_LAB = re.compile(
    r"/api/(workspaces|settings|kernels|sessions|contents)|favicon|Comm not found for|widget model not found"
)


@pytest.fixture
def in_lab(lab, lab_context):
    """Writes a notebook of some cells, opens and runs it: `page = in_lab(["1 + 1"], theme="dark")`.

    Waits until the kernel is idle. An exception or a warning in the kernel, or an error in the page that is
    none of JupyterLab's own, fails the test. Notebooks share a kernel, emptied first, unless one is `fresh`.
    """
    pages, noise = [], []

    def opened(
        cells=(),
        width: int = 1300,
        theme: str = "light",
        *,
        fresh: bool = False,
        app: str = "lab",  # or "notebook": Notebook 7
        run: bool = True,
        height: int = 900,
        name: str | None = None,  # an existing notebook, below the root
        errors: bool = False,  # whether exceptions in cells are part of the plan
    ):
        if name is None:
            name = lab.write(cells if fresh else [EMPTIED, *cells])
        page = lab_context.new_page()
        pages.append((page, errors))
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(20_000)
        page.on(
            "pageerror", lambda error: None if _of_the_lab(error) else noise.append(f"error: {error.stack}")
        )
        page.on("console", lambda said: noise.append(f"console: {said.text}") if _ours(said) else None)
        page.on("dialog", lambda dialog: (noise.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        lab.open(page, name, theme=theme, app=app, shared=not fresh)
        if run:
            lab.run_all(page)
        return page

    yield opened
    for page, errors in pages:
        said = page.locator(
            ".jp-RenderedText:is([data-mime-type$='jupyter.error'], [data-mime-type$='jupyter.stderr'])"
        )
        noise += [] if errors else [f"kernel: {text}" for text in said.all_inner_texts()]
        page.close()
    assert noise == []


def _ours(message) -> bool:
    return message.type == "error" and not OF_THE_LAB.search(f"{message.location['url']} {message.text}")


def _of_the_lab(error) -> bool:
    """Whether only the application's own scripts are on the stack: a view's script is a blob, or in the page."""
    places = re.findall(r"at .*?((?:https?|blob|data|file):[^\s)]+)", error.stack or "")
    return bool(places) and all("/static/" in place for place in places)
