import gc
import os
import threading

import pytest
from toys import toy_collection, toy_model

from itr_explore.evaluation.ranking import evaluate
from itr_explore.widgets import training_monitor, view
from itr_explore.widgets.training_monitor import TrainingMonitor

TRAINING, VALIDATION = toy_collection(40), toy_collection(12, split="val", seed=1)
SETTINGS = {"batch_size": 16, "learning_rate": 0.02, "device": "cpu"}  # 8 steps an epoch


@pytest.fixture
def make():
    made = []

    def monitor(model=None, epochs=3, probe=True, **more):
        pair = VALIDATION.pair(0) if probe else None
        model = toy_model(TRAINING) if model is None else model
        made.append(TrainingMonitor(model, TRAINING, VALIDATION, pair, epochs=epochs, **{**SETTINGS, **more}))
        return made[-1]

    yield monitor
    for one in made:
        one._stop.set()
        if one._thread:
            one._thread.join(20)


@pytest.fixture
def held(make, monkeypatch):
    """A monitor whose training waits for `go` before each step; `reached` tells that it waits."""
    monitor = make(epochs=4)
    monitor.go, monitor.reached = threading.Semaphore(0), threading.Semaphore(0)
    loss = monitor.model.training_loss

    def training_loss(*arguments, **more):
        monitor.reached.release()
        monitor.go.acquire(timeout=20)
        return loss(*arguments, **more)

    monkeypatch.setattr(monitor.model, "training_loss", training_loss)
    yield monitor
    monitor._stop.set()
    monitor.go.release(10_000)


def weights(model):
    return [value.tolist() for value in model.state_dict().values()]


def test_training_in_the_foreground_gives_the_history_and_the_best_weights(make):
    monitor = make()
    history = monitor.run()
    assert [step.step for step in history] == list(range(1, 25))
    assert evaluate(monitor.model, VALIDATION, device="cpu").rsum == history.best.validation.rsum
    assert monitor.state["status"] == "done"
    assert "finished at step 24; the model holds the weights of epoch" in monitor.state["note"]


def test_training_in_the_background_is_the_same_training(make):
    one, other = make(), make()
    one.run()
    other.start()
    other.wait()
    assert weights(one.model) == weights(other.model)
    assert [step.losses for step in one.history] == [step.losses for step in other.history]


def test_models_trained_side_by_side_are_those_trained_alone(make):
    alone = [make(seed=seed) for seed in range(2)]
    for monitor in alone:
        monitor.run()
    together = [make(seed=seed) for seed in range(2)]
    for monitor in together:
        monitor.start()
    for one, other in zip(alone, together, strict=True):
        other.wait()
        assert weights(one.model) == weights(other.model)


def test_the_worker_thread_prints_nothing(make, capfd):
    monitor = make(epochs=1)
    monitor.start()
    monitor.wait()
    assert capfd.readouterr() == ("", "")


def test_a_stopped_run_keeps_the_best_weights_and_goes_on_where_it_stood(make, held):
    held.start()
    held.go.release(12)
    for _ in range(13):
        assert held.reached.acquire(timeout=20)
    held.answer_stop()
    held.go.release()
    history = held.wait()
    assert (held.state["status"], history[-1].step, held.running) == ("stopped", 13, False)
    assert evaluate(held.model, VALIDATION, device="cpu").rsum == history.best.validation.rsum
    held.go.release(1000)
    held.answer_start()
    held.wait()
    whole = make(epochs=4)
    whole.run()
    assert [step.step for step in held.history] == list(range(1, 33))
    assert weights(held.model) == weights(whole.model)


def test_a_stop_does_not_wait_for_the_end_of_a_validation(make, monkeypatch):
    monitor = make()
    encode = monitor.model.encode_captions

    def stopped_meanwhile(batch):
        monitor._stop.set()
        return encode(batch)

    def step_first(*arguments, **more):
        monkeypatch.setattr(monitor.model, "encode_captions", encode)
        return loss(*arguments, **more)

    loss = monitor.model.training_loss
    monkeypatch.setattr(monitor.model, "training_loss", step_first)
    while_validating = training_monitor.fit.__globals__["evaluate"]

    def validate(*arguments, **more):
        monkeypatch.setattr(monitor.model, "encode_captions", stopped_meanwhile)
        return while_validating(*arguments, **more)

    monkeypatch.setitem(training_monitor.fit.__globals__, "evaluate", validate)
    monitor.run()
    assert monitor.state["status"] == "stopped"
    assert monitor.history.best is None
    monkeypatch.undo()
    assert len({step.step for step in monitor.run()}) == len(monitor.history) == 24


def test_a_run_with_a_folder_goes_on_in_another_monitor(make, tmp_path):
    first = make(folder=tmp_path)
    first.model.training_loss = interrupt_after(first, 10)
    first.run()
    second = make(folder=tmp_path)
    assert second.state["resumable"]
    second.run()
    assert [first.history[-1].step, second.history[0].step, second.history[-1].step] == [10, 11, 24]


def interrupt_after(monitor, steps):
    loss, done = monitor.model.training_loss, []

    def training_loss(*arguments, **more):
        done.append(1)
        if len(done) == steps:
            monitor._stop.set()
        return loss(*arguments, **more)

    return training_loss


def test_an_interrupt_ends_training_in_the_foreground_and_keeps_what_was_learned(make, monkeypatch):
    monitor = make()

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    take = monitor._take
    monkeypatch.setattr(
        monitor, "_take", lambda progress: (take(progress), interrupted() if progress.step == 9 else None)
    )
    history = monitor.run()
    assert (monitor.state["status"], history[-1].step) == ("stopped", 9)
    assert "holds the weights of epoch 1" in monitor.state["note"]
    monkeypatch.undo()
    assert monitor.run()[-1].step == 24


def test_a_model_is_trained_by_one_monitor_at_a_time(make, held):
    held.start()
    other = make(held.model)
    with pytest.raises(RuntimeError, match="toy is being trained already, by another monitor; stop that run"):
        other.start()
    with pytest.raises(RuntimeError, match="trains in the background already"):
        held.run()
    held.start()  # a second click does no harm
    assert other.state["status"] == "ready"


def test_a_cell_that_runs_again_ends_the_run_it_began_before(make, held, monkeypatch):
    held._cell = ("this cell", "its first run")
    held.start()
    monkeypatch.setattr(view, "running_cell", lambda: ("this cell", "its second run"))
    held.go.release(10_000)
    make()
    assert not held.running
    assert held.state["status"] == "stopped"


def test_another_cell_leaves_it_alone(make, held, monkeypatch):
    held._cell = ("a cell", "its first run")
    held.start()
    monkeypatch.setattr(view, "running_cell", lambda: ("another cell", "its first run"))
    make()
    assert held.running


def test_what_fit_raises_is_shown_with_its_traceback_kept(make):
    monitor = make()
    monitor.model.training_loss = lambda *_, **__: 1 / 0
    monitor.start()
    with pytest.raises(ZeroDivisionError):
        monitor.wait()
    assert monitor.state["status"] == "failed"
    assert monitor.state["complaint"]["what"] == "division by zero"
    assert "ZeroDivisionError" in monitor.failures[-1]
    monitor.wait()  # told once
    assert "division by zero" in monitor.summary()


def test_a_probe_that_cannot_be_drawn_does_not_end_the_run(make, monkeypatch):
    monitor = make()

    def broken(*_):
        raise TypeError("no such map")

    monkeypatch.setattr(training_monitor, "explain", broken)
    monitor.run()
    assert monitor.state["status"] == "done"
    assert monitor.state["complaint"]["what"] == "TypeError: no such map."
    assert "broken" in monitor.failures[-1]


def test_settings_without_sense_are_told_when_the_monitor_is_made(make):
    with pytest.raises(ValueError, match="epochs >= 1"):
        make(epochs=0)


def test_the_probe_has_an_explanation_before_training_and_after_each_epoch(make):
    monitor = make()
    monitor.run()
    assert list(monitor.explanations) == [0, 1, 2, 3]
    assert [known["epoch"] for known in monitor.answer_maps(0)] == [0, 1, 2, 3]
    assert monitor.answer_maps(3) == [monitor.drawn_now()["maps"][3]]
    assert monitor.newest["number"] == 3


def test_without_a_probe_there_are_no_maps(make):
    monitor = make(probe=False)
    monitor.run()
    assert (monitor.payload["probe"], monitor.answer_maps(0)) == (None, [])


def test_the_view_is_told_at_most_once_in_a_while_and_of_each_epoch(make, monkeypatch):
    monitor = make()
    now = iter(range(1, 100_000))
    monkeypatch.setattr(
        training_monitor.time, "monotonic", lambda: next(now) * 1e-6
    )  # hardly any time passes
    seen = []
    monitor.observe(lambda change: seen.append(change["new"]["step"]), "state")
    monitor.run()
    assert sorted(set(seen)) == [0, 8, 16, 24]


def test_a_saved_page_has_the_curves_so_far(make, tmp_path):
    monitor = make()
    assert monitor.payload["state"]["step"] == 0
    monitor.run()
    assert monitor.drawn_now()["state"]["losses"][0]["x"][-1] == 3
    page = monitor.save_html(tmp_path / "run.html").read_text()
    assert '"step":24' in page
    assert len(page) < 300_000


def test_the_text_says_where_the_run_stands(make):
    monitor = make()
    assert repr(monitor) == "Training toy on toy: not started, step 0, epoch 0.0 of 3"
    monitor.run()
    assert "finished, step 24, epoch 3.0 of 3" in repr(monitor)
    assert "best validation after epoch" in repr(monitor)


def test_a_monitor_without_a_folder_leaves_none_behind_when_it_goes():
    monitor = TrainingMonitor(toy_model(TRAINING), TRAINING, VALIDATION, epochs=1, **SETTINGS)
    monitor.run()
    folder = monitor._settings["folder"]
    assert os.listdir(folder)
    monitor.end()
    del monitor
    gc.collect()
    assert not os.path.exists(folder)


def test_a_run_that_is_being_stopped_says_so_until_it_has(make, monkeypatch):
    monkeypatch.setattr(training_monitor, "BETWEEN_DRAWINGS", 0.0)
    monitor = make(epochs=2)
    loss, seen, done = monitor.model.training_loss, [], []

    def stopped_at_the_last_step_of_an_epoch(*arguments, **more):
        done.append(1)
        if len(done) == 8:
            monitor.answer_stop()
        return loss(*arguments, **more)

    monitor.observe(lambda change: seen.append(change["new"]["status"]), "state")
    monitor.model.training_loss = stopped_at_the_last_step_of_an_epoch
    monitor.run()
    assert set(seen[seen.index("stopping") :]) == {"stopping", "stopped"}


def test_a_run_in_the_foreground_waits_until_the_one_before_it_has_told_its_end(make, monkeypatch):
    monitor = make(epochs=1)
    show, told = monitor._show, []

    def slowly(status):
        if threading.current_thread() is not threading.main_thread():
            ended.wait(0.5)
        told.append(status)
        show(status)

    ended = threading.Event()
    monitor.start()
    monkeypatch.setattr(monitor, "_show", slowly)
    while monitor.running:
        threading.Event().wait(0.01)
    monitor.run()
    assert told[-1] == "done"
    assert told.index("training", told.index("done")) > told.index("done")


def test_the_history_is_a_table_and_a_data_frame(make):
    history = make().run()
    assert [row[:2] for row in history.table().rows] == [("1", 8), ("2", 16), ("3", 24)]
    frame = history.to_frame()
    assert list(frame.index) == list(range(1, 25))
    assert frame["i2t R@1"].notna().sum() == 3
    assert frame.loc[8, "rsum"] == history[7].validation.rsum
    assert frame["loss matching"].notna().all()
