"""The system's Chromium and a real JupyterLab, their doings on record; tests skip where there is no Chromium."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
TOKEN = "a-token-for-these-tests"
PATIENCE = 180_000  # milliseconds for a whole notebook on a busy machine
TESTS = Path(__file__).resolve().parents[1]
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


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


class Lab(NamedTuple):
    """A running Jupyter server, which serves JupyterLab and Notebook 7."""

    address: str
    root: Path  # the folder that it shows
    kernel: str  # the id of a kernel that notebooks may share

    def call(self, method: str, where: str, /, **body):
        """One request of the server's own interface; returns the JSON of its answer."""
        return _call(self.address, method, where, **body)


def _call(address: str, method: str, where: str, /, **body):
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    asked = urllib.request.Request(f"{address}/{where}", data=data, headers=headers, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """One Jupyter server for all browser tests; its root holds copies of the notebooks."""
    root = tmp_path_factory.mktemp("lab")
    notebooks = TESTS.parent / "notebooks"
    shutil.copytree(notebooks, root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        *("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
    ]
    folders = {f"JUPYTER_{name}_DIR": str(root.parent / f"{root.name}-{name}") for name in ("CONFIG", "DATA")}
    environment = {**os.environ, **folders, "TQDM_DISABLE": "1", "PYTHONPATH": str(TESTS)}
    log = (root.parent / f"{root.name}.log").open("w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            _call(address, "GET", "api")
            break
        except OSError:
            assert server.poll() is None, Path(log.name).read_text()
            time.sleep(0.5)
    quiet = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    _call(address, "PUT", "lab/api/settings/@jupyterlab/apputils-extension:notification", raw=quiet)
    yield Lab(address, root, _call(address, "POST", "api/kernels", name="python3")["id"])
    server.terminate()
    server.wait(timeout=20)
    log.close()


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

RUN_ALL = """async () => {
  const { commands, shell } = window.jupyterapp;
  await shell.currentWidget.context.ready;
  await shell.currentWidget.sessionContext.ready;
  await commands.execute("notebook:run-all-cells");
}"""
IDLE = """() => {
  const { sessionContext } = window.jupyterapp.shell.currentWidget;
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")];
  const done = prompts.every((prompt) => /\\[\\d+\\]/.test(prompt.textContent));
  return done && sessionContext.session?.kernel?.status === "idle";
}"""


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
            name = f"{len(list(lab.root.glob('*.ipynb')))}.ipynb"
            start = [] if fresh else ["import ipywidgets\nipywidgets.Widget.close_all()\n%reset -f"]
            made = [nbformat.v4.new_code_cell(source) for source in [*start, *cells]]
            kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
            written = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
            nbformat.write(written, lab.root / name)
        if not fresh:
            lab.call("POST", "api/sessions", path=name, name=name, type="notebook", kernel={"id": lab.kernel})
        raw = json.dumps({"theme": THEMES[theme]})
        lab.call("PUT", "lab/api/settings/@jupyterlab/apputils-extension:themes", raw=raw)
        page = lab_context.new_page()
        pages.append((page, errors))
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(20_000)
        page.on(
            "pageerror", lambda error: None if _of_the_lab(error) else noise.append(f"error: {error.stack}")
        )
        page.on("console", lambda said: noise.append(f"console: {said.text}") if _ours(said) else None)
        page.on("dialog", lambda dialog: (noise.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        where = f"lab/tree/{name}?reset&" if app == "lab" else f"notebooks/{name}?"
        page.goto(f"{lab.address}/{where}token={TOKEN}")
        page.locator(".jp-Notebook").wait_for(timeout=PATIENCE)
        if run:
            page.evaluate(RUN_ALL)
            page.wait_for_function(IDLE, timeout=PATIENCE)
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
