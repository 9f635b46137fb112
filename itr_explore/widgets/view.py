"""What all views have in common: how they show themselves, are saved as a page, and talk with the kernel.

A `View` is drawn in the browser from one JSON value, its `payload`, by the script that `assets.VIEWS` names.
A `LiveView` also answers questions of its front end. Both outlive the kernel: a `View` is a piece of HTML
with all it needs, a `LiveView` puts such a piece before itself, which its live self hides, and which is drawn
anew when what it shows has changed. A cell that runs again ends the live views that it made before.
"""

from __future__ import annotations

import io
import traceback
from pathlib import Path
from typing import Any, ClassVar, Literal
from uuid import uuid4
from weakref import WeakSet

import anywidget
import traitlets

from itr_explore.viz.drawing import Drawing
from itr_explore.viz.raster import png
from itr_explore.viz.vector import svg
from itr_explore.widgets.assets import view_script
from itr_explore.widgets.page import embedded, safe_json, save_page, write

QUIET = 2.0  # seconds without a question after which a snapshot is drawn anew
Theme = Literal["light", "dark"]


def is_dark(theme: str) -> bool:
    """Whether a theme's paper is dark.

    Raises:
        ValueError: it is neither "light" nor "dark".
    """
    if theme not in ("light", "dark"):
        raise ValueError(f'wanted the theme "light" or "dark", got {theme!r}')
    return theme == "dark"


class View(anywidget.AnyWidget):
    """One component in the browser. A subclass names its `view`, and says more in `title` and `summary`."""

    view: ClassVar[str]  # a key of `assets.VIEWS`
    payload = traitlets.Dict(help="what the front end draws").tag(sync=True)

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        if "view" in vars(cls):  # not where traitlets makes a class of its own from one that has it
            cls._esm = view_script(cls.view)

    def title(self) -> str:
        """One line that says what is shown; the title of an exported page."""
        return type(self).__name__

    def summary(self) -> str:
        """The view as a few lines of text."""
        return self.title()

    def drawn_now(self) -> dict[str, Any]:
        """What a saved page or a snapshot draws; not the payload where a view changes without a new one."""
        return self.payload

    def save_html(self, path: str | Path) -> Path:
        """Write the view as one self-contained page that needs no kernel and no network; returns its path."""
        return save_page(path, title=self.title(), views=[self])

    def still(self, *, width: float = 1000, theme: Theme = "light") -> Drawing | None:
        """The view as it is now, as a drawing: for paper and for places where no script runs.

        Every view of the house has one; a kind of view that has none says None.

        Args:
            width: in CSS pixels, 360 or more.
            theme: "light" or "dark" paper.

        Raises:
            ValueError: there is no such theme, or the drawing would be too narrow.
        """
        return None

    def save_png(self, path: str | Path, *, scale: float = 2.0, **look: Any) -> Path:
        """Write the view as a PNG, drawn without a browser; returns its path.

        Args:
            path: folders are made where they are missing.
            scale: pixels of the image for each pixel of `width`.
            look: `width` in pixels, `theme` ("light" or "dark"), and what else `still` takes.

        Raises:
            ValueError: this kind of view has no still; `save_html` writes any.
        """
        buffer = io.BytesIO()
        png(self._drawing(look), scale).save(buffer, "PNG", optimize=True)
        return write(path, buffer.getvalue())

    def save_svg(self, path: str | Path, **look: Any) -> Path:
        """The same as SVG: text stays text, the image is inside it."""
        return write(path, svg(self._drawing(look)).encode("utf-8"))

    def _drawing(self, look: dict[str, Any]) -> Drawing:
        drawing = self.still(**look)
        if drawing is None:
            raise ValueError(f"a {type(self).__name__} has no still picture; `save_html` writes it as a page")
        return drawing

    def __repr__(self) -> str:
        return self.summary()

    def _repr_mimebundle_(self, **_: Any):
        """HTML and text. Not the widget's own type: front ends prefer it, and it dies with the kernel."""
        return {"text/html": embedded(self), "text/plain": self.summary()}, {}


class LiveView(View):
    """A view whose front end asks the kernel: a question `name` is answered by the method `answer_name`.

    An answer is a JSON value. What an answer raises is shown in the view with what to do about it, and its
    traceback is kept in `failures`.
    """

    snapshot = traitlets.Unicode(help="names the piece of HTML that the live view hides").tag(sync=True)

    def __init__(self, **traits: Any):
        end_earlier_runs_of_this_cell()
        super().__init__(snapshot=uuid4().hex, **traits)
        self.failures: list[str] = []
        self._cell, self._displayed, self._frozen_as, self._timer = running_cell(), False, 0, None
        self.on_msg(self._receive)
        _live.add(self)

    def tell(self, **news: Any) -> None:
        """Send the front end something it did not ask for."""
        self.send({"news": news})

    def end(self) -> None:
        """Let go of the front end and of what only keeps the view alive: ipywidgets, and IPython's `Out`."""
        self._displayed = False
        self.close()
        _leave_outputs(self)

    def _receive(self, _: Any, message: dict[str, Any], __: Any) -> None:
        number = message.get("number")
        try:
            answer = getattr(self, f"answer_{message['question']}")
            value = answer(**{name: what for name, what in message["details"].items() if name != "topic"})
            self.send({"answers": number, "value": value})
        except (Exception, KeyboardInterrupt) as error:
            self.failures.append(traceback.format_exc())
            self.send({"answers": number, "error": complaint(error)})
        self.settle()
        self._refresh_soon()

    def settle(self) -> None:
        """What is done after an answer was sent, so that nobody waits for it."""

    def _refresh_soon(self) -> None:
        """Draw the snapshots anew when nothing has been asked for a while: each is as large as a page."""
        kernel = running_kernel()
        if not self._displayed or kernel is None:
            return
        if self._timer is not None:
            kernel.io_loop.remove_timeout(self._timer)
        self._timer = kernel.io_loop.call_later(QUIET, self._refresh_if_new)

    def _refresh_if_new(self) -> None:
        self._timer = None
        if self._displayed and self._frozen_as != self._look():
            self.refresh_snapshot()

    def _look(self) -> int:
        return hash(safe_json(self.drawn_now()))

    def _ipython_display_(self, **_: Any) -> None:
        from IPython.display import display

        display(self._frozen(), raw=True, display_id=self.snapshot)
        if self.comm is None:  # it has ended
            return
        self._displayed = True
        live, metadata = anywidget.AnyWidget._repr_mimebundle_(self) or ({}, {})
        live["text/plain"] = f"{type(self).__name__}, live where there is a kernel"
        display(live, metadata=metadata, raw=True)

    def refresh_snapshot(self) -> None:
        """Draw the snapshots anew that stand for this view where there is no kernel: as the view is now.

        To be called by the thread that runs cells.
        """
        from IPython.display import display

        display(self._frozen(), raw=True, display_id=self.snapshot, update=True)

    def _frozen(self) -> dict[str, str]:
        self._frozen_as = self._look()
        html = f'<div data-snapshot="{self.snapshot}">{embedded(self)}</div>'
        return {"text/html": html, "text/plain": self.summary()}


_live: WeakSet[LiveView] = WeakSet()


def end_earlier_runs_of_this_cell() -> None:
    """End the live views that an earlier run of the running cell made; their outputs are gone."""
    here = running_cell()
    for view in list(_live):
        there = view._cell
        if here and there and here[0] == there[0] and here[1] != there[1]:
            view.end()
            _live.discard(view)


def running_kernel() -> Any:
    """The Jupyter kernel that this is, or None."""
    return getattr(_shell(), "kernel", None)


def running_cell() -> tuple[str, str] | None:
    """The notebook's cell that runs now, and which run of it; None outside a notebook, and between cells."""
    kernel = running_kernel()
    parent = kernel.get_parent("shell") if kernel is not None else {}
    cell = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code")
    return (str(cell), parent["header"]["msg_id"]) if cell and parent.get("header") else None


def _shell() -> Any:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def _leave_outputs(view: LiveView) -> None:
    """IPython keeps what a cell gave in `Out`, `_` and their like; other names are left alone."""
    shell = _shell()
    names = getattr(shell, "user_ns", {})
    outputs = names.get("_oh", {})
    for number in [number for number, value in outputs.items() if value is view]:
        del outputs[number]
        names.pop(f"_{number}", None)
    for name in ("_", "__", "___"):
        if names.get(name) is view:
            names[name] = None
            setattr(shell.displayhook, name, None)  # or it takes the name for one of the person's own


TELLING = (ValueError, LookupError, ArithmeticError, OSError, RuntimeError)  # their messages say what to do


def complaint(error: BaseException) -> dict[str, str]:
    """What went wrong, and what to do about it, as plain text."""
    if isinstance(error, KeyboardInterrupt):  # also where a run that trains the same model was stopped
        return {"what": "This was interrupted before it was answered.", "advice": "Ask once more."}
    what = str(error.args[0] if isinstance(error, KeyError) and error.args else error) or type(error).__name__
    if isinstance(error, TELLING):
        return {"what": what, "advice": ""}
    return {
        "what": f"{type(error).__name__}: {what}.",
        "advice": "The view is at fault, not you; `print(view.failures[-1])` shows where it happened.",
    }
