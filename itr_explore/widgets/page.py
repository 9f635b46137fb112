"""Views and tables as one self-contained page: opens from disk, needs no kernel, asks no network.

The page carries a content security policy: only its own scripts run (named by their hashes), images come from
the page itself, and nothing can be fetched. So not even a caption that held a script could do anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from itr_explore.viz import theme
from itr_explore.viz.drawing import png
from itr_explore.viz.images import within
from itr_explore.widgets.assets import view_script

if TYPE_CHECKING:
    from itr_explore.widgets.view import View


STILL_WIDTH = 820  # pixels
STILL_BYTES = 48_000


class ShowsItself(Protocol):
    """A record with an HTML table of its own, `Ranking` or `Table` say."""

    def _repr_html_(self) -> str: ...


def save_page(
    path: str | Path,
    *,
    title: str,
    text: Iterable[str] = (),
    tables: Iterable[ShowsItself] = (),
    views: Iterable[View] = (),
) -> Path:
    """Write one page: title, paragraphs of plain text, tables, views; returns its path.

    Folders are made where they are missing; an older page is replaced in one step.

    Raises:
        OSError: the page could not be written; an older one is still there.
    """
    return write(path, page(title=title, text=text, tables=tables, views=views).encode("utf-8"))


def write(path: str | Path, data: bytes) -> Path:
    """Write a file whole or not at all; folders are made where they are missing.

    Raises:
        OSError: it could not be written; an older one is still there.
    """
    path = Path(path)
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise OSError(f"could not write {path} ({error}); make room, or name another place") from error
    return path


def page(
    *,
    title: str,
    text: Iterable[str] = (),
    tables: Iterable[ShowsItself] = (),
    views: Iterable[View] = (),
) -> str:
    """The same as one string."""
    views = list(views)
    parts = [f"<h1>{escape(title)}</h1>"] if len(views) != 1 or text or tables else []
    parts += [f"<p>{escape(paragraph)}</p>" for paragraph in text]
    parts += [f'<div class="table">{table._repr_html_()}</div>' for table in tables]
    parts += [f"<article>{_view(view)}</article>" for view in views]
    return _document(title, "\n".join(parts), views)


def embedded(view: View) -> str:
    """A view as a piece of HTML for a notebook's output: live wherever scripts run, also in a saved notebook.

    Where they do not run, one sees a still picture of the view, if it has one, and its summary in plain text.
    """
    name = uuid4().hex
    start = f"""
for (const host of document.querySelectorAll('[data-view="{name}"]')) {{
  if (!host.shadowRoot) mount(host, {safe_json(view.drawn_now())}, null);
}}
"""
    return (
        f'<div data-view="{name}">{_still(view)}<pre>{escape(view.summary())}</pre></div>\n'
        f'<script type="module">\n{view_script(view.view)}{start}</script>'
    )


def _still(view: View) -> str:
    """The view's still as an image that stands inside the page; nothing for a view that has none."""
    drawing = view.still(width=STILL_WIDTH)
    if drawing is None:
        return ""
    image = within(png(drawing, 1.0), STILL_BYTES)
    return (
        f'<img src="{image["src"]}" width="{image["width"]}" height="{image["height"]}"'
        f' style="max-width: 100%; height: auto" alt="{escape(view.title())}">'
    )


def _view(view: View) -> str:
    return (
        f'<div data-view="{view.view}"></div>'
        f'<script type="application/json">{safe_json(view.drawn_now())}</script>'
    )


def safe_json(value: Any) -> str:
    """JSON that can stand inside a `<script>` element: no `<`, `>`, `&`, and nothing outside ASCII."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _script(view: str) -> str:
    """A view's script, and a start for each place of the page where it stands."""
    start = f"""
for (const host of document.querySelectorAll('[data-view="{view}"]')) {{
  mount(host, JSON.parse(host.nextElementSibling.textContent), null);
}}
"""
    return f"\n{view_script(view)}{start}"


def _document(title: str, body: str, views: Iterable[View]) -> str:
    scripts = [_script(name) for name in sorted({view.view for view in views})]
    digests = [
        base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") for text in scripts
    ]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"
    modules = "".join(f'<script type="module">{text}</script>\n' for text in scripts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{_style()}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n{modules}</body>\n</html>\n"
    )


def _style() -> str:
    def tone(colours: dict[str, str]) -> str:
        return "".join(f"--{name}: {colours[name]}; " for name in ("paper", "ink", "line", "muted"))

    return f"""
:root {{ color-scheme: light dark; {tone(theme.LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {tone(theme.DARK)} }} }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.5 {theme.SANS} }}
main {{ max-width: 1180px; margin: 0 auto }}
h1, main > p, .table {{ margin: 18px 20px }}
h1 {{ font: 600 26px/1.3 {theme.SERIF}; overflow-wrap: anywhere }}
article + article {{ border-top: 1px solid var(--line) }}
.table {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
caption {{ text-align: start; font-weight: 600; padding-bottom: 4px }}
th, td {{ padding: 3px 18px 3px 0; text-align: end; font-weight: 400; border-bottom: 1px solid var(--line) }}
th:first-child {{ text-align: start }}
thead th, .table p {{ color: var(--muted) }}
"""
