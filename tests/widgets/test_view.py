"""How a live view answers its front end, and what is left of it without a kernel."""

import gc
import json
import weakref
from types import SimpleNamespace

import pytest

from itr_explore.widgets import view as views
from itr_explore.widgets.pair_view import PairView
from itr_explore.widgets.view import LiveView


class Asked(LiveView):
    """Answers three questions, each in its own way."""

    view = "pair_view"

    def answer_double(self, number):
        return 2 * number

    def answer_refuse(self):
        raise ValueError("wanted one word at least; type one")

    def answer_break(self):
        raise TypeError("no such thing")

    def answer_choose(self, word):
        self.chosen = word

    def answer_stop(self):
        raise KeyboardInterrupt

    def answer_send(self):
        return object

    def drawn_now(self):
        return {**self.payload, "chosen": getattr(self, "chosen", None)}

    def title(self):
        return "asked"

    def summary(self):
        return "asked <nothing> yet"


@pytest.fixture
def asked(make_explanation):
    view = Asked(payload=PairView(make_explanation()).payload)
    view.sent = []
    view.send = lambda content, buffers=None: view.sent.append(json.loads(json.dumps(content)))
    return view


def ask(view, question, **details):
    view._handle_custom_msg({"number": 7, "question": question, "details": details}, [])
    return view.sent[-1]


def test_a_question_is_answered_under_its_number(asked):
    assert ask(asked, "double", number=21) == {"answers": 7, "value": 42}


def test_a_refusal_is_told_in_its_own_words(asked):
    told = ask(asked, "refuse")["error"]
    assert told == {"what": "wanted one word at least; type one", "advice": ""}


def test_a_fault_is_told_with_advice_and_its_traceback_is_kept(asked):
    told = ask(asked, "break")["error"]
    assert told["what"] == "TypeError: no such thing."
    assert "view.failures" in told["advice"]
    assert "answer_break" in asked.failures[-1]


def test_only_answers_can_be_asked_for(asked):
    assert "error" in ask(asked, "save_html", path="x")


def test_a_live_view_puts_a_snapshot_before_itself(asked, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle))
    asked._ipython_display_()
    snapshot, live = shown
    assert f'data-snapshot="{asked.snapshot}"' in snapshot["text/html"]
    assert "asked &lt;nothing&gt; yet" in snapshot["text/html"]
    assert snapshot["text/plain"] == "asked <nothing> yet"
    assert live["application/vnd.jupyter.widget-view+json"]["model_id"] == asked.model_id


def test_an_interrupted_question_and_an_answer_that_cannot_be_sent_are_told(asked):
    assert ask(asked, "stop")["error"]["what"] == "This was interrupted before it was answered."
    assert "is not JSON serializable" in ask(asked, "send")["error"]["what"]


class Loop:
    """A kernel's loop that the test turns."""

    def __init__(self):
        self.waiting = []

    def call_later(self, _, work):
        self.waiting.append(work)
        return work

    def remove_timeout(self, work):
        self.waiting.remove(work)

    def turn(self):
        while self.waiting:
            self.waiting.pop()()


@pytest.fixture
def displayed(asked, monkeypatch):
    """The view on display; `drawn` are its snapshots, `loop` is the kernel's."""
    asked.drawn, asked.loop = [], Loop()
    monkeypatch.setattr(views, "running_kernel", lambda: SimpleNamespace(io_loop=asked.loop))
    monkeypatch.setattr(views, "running_cell", lambda: None)
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: asked.drawn.append(bundle))
    asked._ipython_display_()
    asked.drawn.clear()
    return asked


def test_a_snapshot_is_drawn_anew_once_after_answers_that_changed_what_is_drawn(displayed):
    ask(displayed, "choose", word="red")
    ask(displayed, "choose", word="dog")
    assert displayed.drawn == []
    displayed.loop.turn()
    (snapshot,) = displayed.drawn
    assert '"chosen":"dog"' in snapshot["text/html"]
    displayed.loop.turn()
    assert len(displayed.drawn) == 1


def test_a_snapshot_that_is_still_true_is_not_drawn_anew(displayed):
    ask(displayed, "double", number=2)
    displayed.loop.turn()
    assert displayed.drawn == []


def of_a_cell(monkeypatch, cell, run, payload):
    monkeypatch.setattr(views, "running_cell", lambda: (cell, run))
    return Asked(payload=payload)


def test_a_cell_that_runs_again_lets_go_of_the_view_it_made_before(monkeypatch):
    before = of_a_cell(monkeypatch, "a cell", "first run", {})
    beside = of_a_cell(monkeypatch, "a cell", "first run", {})
    other = of_a_cell(monkeypatch, "another cell", "first run", {})
    assert before.comm
    assert beside.comm
    gone = weakref.ref(before)
    del before, beside
    of_a_cell(monkeypatch, "a cell", "second run", {})
    gc.collect()
    assert gone() is None
    assert other.comm


def test_an_ended_view_that_somebody_holds_still_shows_what_it_showed(asked, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle))
    asked.end()
    asked._ipython_display_()
    assert [list(bundle) for bundle in shown] == [["text/html", "text/plain"]]
