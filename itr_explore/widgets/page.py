"""Views, tables and charts as one self-contained page: opens from disk, needs no kernel, asks no network.

The page carries a content security policy: only its own scripts run (named by their hashes), images come from
the page itself, and nothing can be fetched. So not even a caption that held a script could do anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import uuid4

from itr_explore.viz import theme
from itr_explore.viz.images import within
from itr_explore.viz.raster import png
from itr_explore.widgets.assets import view_script
from itr_explore.widgets.charts import Chart, chart_data, chart_place, charts_script, plotly_script

if TYPE_CHECKING:
    from itr_explore.widgets.view import View


STILL_WIDTH = 820  # pixels
STILL_BYTES = 48_000


class ShowsItself(Protocol):
    """A record with an HTML table of its own, `Ranking` or `Table` say."""

    def _repr_html_(self) -> str: ...


class Section(NamedTuple):
    """A part of a page under a heading of its own."""

    title: str
    text: Sequence[str] = ()  # paragraphs, as they are
    tables: Sequence[ShowsItself] = ()
    charts: Sequence[Chart] = ()  # figures that are made when asked for `dark=`
    views: Sequence[View] = ()


def save_page(
    path: str | Path,
    *,
    title: str,
    text: Iterable[str] = (),
    tables: Iterable[ShowsItself] = (),
    views: Iterable[View] = (),
    sections: Iterable[Section] = (),
) -> Path:
    """Write one page: title, paragraphs of plain text, tables, views, sections; returns its path.

    Folders are made where they are missing; an older page is replaced in one step.

    Raises:
        OSError: the page could not be written; an older one is still there.
    """
    return write(path, page(title=title, text=text, tables=tables, views=views, sections=sections).encode())


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
    sections: Iterable[Section] = (),
) -> str:
    """The same as one string."""
    first = Section(title, list(text), list(tables), (), list(views))
    sections = list(sections)
    alone = len(first.views) == 1 and not (first.text or first.tables or sections)
    parts = [] if alone else [f"<h1>{escape(title)}</h1>"]
    parts += _parts(first)
    for section in sections:
        parts += ["<section>", f"<h2>{escape(section.title)}</h2>", *_parts(section), "</section>"]
    shown = [view for section in (first, *sections) for view in section.views]
    return _document(title, "\n".join(parts), shown, charts=any(section.charts for section in sections))


def _parts(section: Section) -> Iterator[str]:
    for paragraph in section.text:
        yield f"<p>{escape(paragraph)}</p>"
    for table in section.tables:
        yield f'<div class="table" tabindex="0">{table._repr_html_()}</div>'
    for chart in section.charts:
        data = chart_data(chart)
        json_data = f'<script type="application/json">{safe_json(data)}</script>'
        yield f"<figure>{chart_place(data)}{json_data}</figure>"
    for view in section.views:
        yield f"<article>{_view(view)}</article>"


def embedded(view: View) -> str:
    """A view as a piece of HTML for a notebook's output: live wherever scripts run, also in a saved notebook.

    Where they do not run, one sees a still picture of the view, if it has one, and its summary in plain text.
    """
    name = uuid4().hex
    start = f"""
for (const host of document.querySelectorAll('[data-view="{name}"]')) {{
  if (host.shadowRoot) continue;
  onceShown(host, () => mount(host, {safe_json(view.drawn_now())}, null));
  hideMissing(host);
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


def _document(title: str, body: str, views: Iterable[View], charts: bool) -> str:
    modules = [_script(name) for name in sorted({view.view for view in views})]
    classic = [plotly_script(), charts_script()] if charts else []
    digests = [
        base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        for text in (*classic, *modules)
    ]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"
    scripts = "".join(f"<script>{text}</script>\n" for text in classic)
    scripts += "".join(f'<script type="module">{text}</script>\n' for text in modules)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{_style()}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n{scripts}</body>\n</html>\n"
    )


def _style() -> str:
    def tone(colours: dict[str, str]) -> str:
        return "".join(f"--{name}: {colours[name]}; " for name in ("paper", "ink", "line", "muted"))

    return f"""
:root {{ color-scheme: light dark; {tone(theme.LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {tone(theme.DARK)} }} }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.5 {theme.SANS} }}
main {{ max-width: 1180px; margin: 0 auto }}
h1, h2, p, .table, figure {{ margin: 18px 20px }}
h1, h2 {{ font: 600 26px/1.3 {theme.SERIF}; overflow-wrap: anywhere }}
h2 {{ font-size: 20px }}
p {{ max-width: 72ch; overflow-wrap: anywhere }}
.table p {{ margin: 6px 0 }}
section {{ border-top: 1px solid var(--line); margin-top: 30px; padding-top: 6px }}
article + article {{ border-top: 1px solid var(--line) }}
.table {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
caption {{ text-align: start; font-weight: 600; padding-bottom: 4px }}
th, td {{ padding: 3px 18px 3px 0; text-align: end; font-weight: 400; border-bottom: 1px solid var(--line) }}
td {{ white-space: nowrap }}
th:first-child {{ text-align: start }}
thead th, .table p {{ color: var(--muted) }}
"""
