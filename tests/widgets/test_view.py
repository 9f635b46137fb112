"""How a live view answers its front end, and what is left of it without a kernel."""

import pytest

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

    def title(self):
        return "asked"

    def summary(self):
        return "asked <nothing> yet"


@pytest.fixture
def asked(make_explanation):
    view = Asked(payload=PairView(make_explanation()).payload)
    view.sent = []
    view.send = lambda content, buffers=None: view.sent.append(content)
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
