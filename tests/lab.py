"""A real Jupyter server for tests and benchmarks, and notebooks in it: written, opened, run."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nbformat

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
TOKEN = "a-token-for-these-tests"
PATIENCE = 180_000  # milliseconds for a whole notebook on a busy machine
TESTS = Path(__file__).resolve().parent
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
EMPTIED = "import ipywidgets\nipywidgets.Widget.close_all()\n%reset -f"  # what a shared kernel is first told

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


class Lab(NamedTuple):
    """A running Jupyter server, which serves JupyterLab and Notebook 7."""

    address: str
    root: Path  # the folder that it shows
    kernel: str  # the id of a kernel that notebooks may share

    def call(self, method: str, where: str, /, **body):
        """One request of the server's own interface; returns the JSON of its answer."""
        return _call(self.address, method, where, **body)

    def write(self, cells: Sequence[str]) -> str:
        """A notebook of these cells in the root; returns its name."""
        name = f"{len(list(self.root.glob('*.ipynb')))}.ipynb"
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        made = [nbformat.v4.new_code_cell(source) for source in cells]
        nbformat.write(
            nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), self.root / name
        )
        return name

    def open(self, page, name: str, *, theme: str = "light", app: str = "lab", shared: bool = True) -> None:
        """Open a notebook in a page of a browser; a `shared` kernel, or one that Jupyter starts for it."""
        if shared:
            self.call(
                "POST", "api/sessions", path=name, name=name, type="notebook", kernel={"id": self.kernel}
            )
        raw = json.dumps({"theme": THEMES[theme]})
        self.call("PUT", "lab/api/settings/@jupyterlab/apputils-extension:themes", raw=raw)
        where = f"lab/tree/{name}?reset&" if app == "lab" else f"notebooks/{name}?"
        page.goto(f"{self.address}/{where}token={TOKEN}", timeout=PATIENCE)
        page.locator(".jp-Notebook").wait_for(timeout=PATIENCE)

    def run_all(self, page) -> None:
        """Run all cells and wait until the kernel is idle."""
        page.evaluate(RUN_ALL)
        page.wait_for_function(IDLE, timeout=PATIENCE)

    def save(self, page) -> Path:
        """Save the notebook of a page; returns its path."""
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        return self.root / page.evaluate("window.jupyterapp.shell.currentWidget.context.path")


def _call(address: str, method: str, where: str, /, **body):
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    asked = urllib.request.Request(f"{address}/{where}", data=data, headers=headers, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


@contextmanager
def serve(folder: Path) -> Iterator[Lab]:
    """A Jupyter server whose root, settings and log lie in a folder of their own."""
    root = folder / "root"
    root.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        *("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
    ]
    places = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA")}
    environment = {**os.environ, **places, "TQDM_DISABLE": "1", "PYTHONPATH": str(TESTS)}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                try:
                    _call(address, "GET", "api")
                    break
                except OSError:
                    assert server.poll() is None, (folder / "log").read_text()
                    time.sleep(0.5)
            quiet = json.dumps({"fetchNews": "false", "checkForUpdates": False})
            _call(address, "PUT", "lab/api/settings/@jupyterlab/apputils-extension:notification", raw=quiet)
            yield Lab(address, root, _call(address, "POST", "api/kernels", name="python3")["id"])
        finally:
            server.terminate()
            server.wait(timeout=20)
