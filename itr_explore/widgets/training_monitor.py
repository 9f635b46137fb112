"""TrainingMonitor: watch a model learn, stop it, let it go on, and look back at every epoch.

Training runs in a worker thread, which only sets traits that exist: it prints nothing and displays nothing.
Whatever is shown can be had without the view: `history` goes into `training_curves`, and `explanations` holds
what `explain` gave for the probe after each epoch.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, finalize

import traitlets

from itr_explore.explanation.maps import explain
from itr_explore.records import Explanation, History, Pair, Progress
from itr_explore.training.checkpoint import FILE
from itr_explore.training.fit import fit
from itr_explore.training.turns import TURNS, claimed, cut_short
from itr_explore.viz.drawing import Drawing
from itr_explore.viz.stills.training import training_still
from itr_explore.widgets.judged import badges_of, first_map, place_of
from itr_explore.widgets.training_payload import Curves, loss_series, probe_map, probe_payload, recall_series
from itr_explore.widgets.view import (
    LiveView,
    Theme,
    complaint,
    end_earlier_runs_of_this_cell,
    is_dark,
    running_kernel,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel

BETWEEN_DRAWINGS = 0.25  # seconds
_monitors: WeakSet[TrainingMonitor] = WeakSet()


class TrainingMonitor(LiveView):
    """Training that is watched and steered: its curves, its recall, and a pair's map after every epoch.

    >>> monitor = TrainingMonitor(model, training, validation, probe=validation.pair(0), epochs=10)
    >>> monitor  # Start, Stop and Resume are buttons
    >>> monitor.run()  # or without a click: the cell ends when training does; Kernel > Interrupt stops it

    Stop ends the run after the step under way, or in the middle of a validation; the model then holds the
    weights of the best validation, and `Resume` goes on where the run stood. While a model is trained it
    should not be used for anything else. Several monitors train side by side, a step of each in turn, so that
    each run is the one it would be alone; random numbers that other cells draw from torch meanwhile change
    it, as they would those cells' own.

    Args:
        model: a `RetrievalModel` with its tokenizer.
        training: trained on.
        validation: chosen on; not a test split.
        probe: the pair whose map is drawn after each epoch; None draws none.
        settings: those of `fit`: `epochs`, `batch_size`, `folder` and so on. Without a `folder` the run can
            go on as long as this Python lives.

    Raises:
        ValueError: settings make no sense, or the probe does not fit the model.
    """

    view = "training_monitor"
    state = traitlets.Dict(help="where the run stands, and its curves").tag(sync=True)
    newest = traitlets.Dict(help="the probe's map after the last epoch").tag(sync=True)

    def __init__(
        self,
        model: RetrievalModel,
        training: Collection,
        validation: Collection,
        probe: Pair | None = None,
        **settings: Any,
    ):
        end_earlier_runs_of_this_cell()  # or a run goes on that trains this model
        fit(model, training, validation, **settings)  # nothing runs; wrong settings are told now
        self.model, self.training, self.validation, self.probe = model, training, validation, probe
        self.explanations: dict[float, Explanation] = {}
        self._steps: list[Progress] = []
        self._curves = Curves()
        self._maps: list[dict[str, Any]] = []
        self._note = ""
        self._trouble: dict[str, str] | None = None  # as the view shows it
        self._error: Exception | None = None  # as whoever waits is told it
        self._clock, self._drawn, self._seconds, self._from = time.monotonic(), 0.0, 0.0, 0.0
        self._status = "ready"
        self._stop, self._turn = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._busy, self._in_cell = False, False
        folder = settings.get("folder")
        if folder is None:
            folder = tempfile.mkdtemp(prefix="itr_explore-")
            finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._settings = {**settings, "folder": folder}
        if probe is not None:
            self._explain(0.0)
        about = {
            "model": model.name,
            "training": _named(training),
            "validation": _named(validation),
            "probe": None if probe is None else probe_payload(self.explanations[0.0]),
        }
        super().__init__(
            payload={**about, "state": self._state(), "maps": list(self._maps)}, state=self._state()
        )
        _monitors.add(self)

    @property
    def history(self) -> History:
        """All that `fit` told so far: a table of the validations, and `to_frame()` of each step."""
        return History(tuple(self._steps))

    @property
    def running(self) -> bool:
        """Whether the model is being trained now."""
        return self._busy

    def start(self) -> None:
        """Train in the background, or go on where the run stood; nothing where it is under way already.

        Raises:
            RuntimeError: another monitor trains this model.
        """
        with self._turn:
            if self._busy:
                return
            self._join()
            self._begin(in_cell=False)
            self._thread = threading.Thread(target=self._work, name=self.title(), daemon=True)
            self._thread.start()

    def run(self) -> History:
        """Train in the foreground; returns the history. Kernel > Interrupt, as Stop, keeps the best weights.

        Raises:
            RuntimeError: this model is being trained already.
            Exception: whatever `fit` raised; the view shows it, too.
        """
        if not self._displayed and running_kernel() is not None:
            self._ipython_display_()
        with self._turn:
            if self._busy:
                raise RuntimeError(
                    "this monitor trains in the background already; wait for it with `monitor.wait()`"
                )
            self._join()
            self._begin(in_cell=True)
        self._work()
        self._raise()
        return self.history

    def stop(self) -> None:
        """Ask for an end and wait for it; the model then holds the weights of the best validation."""
        self._stop.set()
        self.wait()

    def wait(self, seconds: float | None = None) -> History:
        """Wait until training in the background has ended, or for so long; returns the history so far.

        Raises:
            Exception: whatever ended it.
        """
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)
        self._raise()
        return self.history

    def answer_start(self) -> None:
        """Start, or Resume."""
        self.start()

    def answer_stop(self) -> None:
        """Stop, without waiting for it."""
        if self._busy:
            self._stop.set()
            self._show("stopping")

    def answer_maps(self, after: int) -> list[dict[str, Any]]:
        """The maps of the probe from that number on."""
        return self._maps[int(after) :]

    def drawn_now(self) -> dict[str, Any]:
        """The payload with all that is known by now, as a saved page draws it."""
        return {**self.payload, "state": self._state(), "maps": list(self._maps)}

    def title(self) -> str:
        """The model and what it is trained on."""
        return f"Training {self.model.name} on {self.training.name}"

    def summary(self) -> str:
        """Where the run stands: epoch, loss, the best validation."""
        state = self._state()
        lines = [f"{self.title()}: {SAYS[state['status']]}, step {state['step']}, {_epochs(state)}"]
        if state["terms"]:
            lines.append("  loss " + ", ".join(f"{n} {v:.3g}" for n, v in state["terms"].items()))
        if state["best"]:
            best = state["best"]
            lines.append(f"  best validation after epoch {best['epoch']:g}: rsum {best['rsum']:.1f}")
        if state["note"]:
            lines.append(f"  {state['note']}")
        if state["complaint"]:
            lines.append(f"  {state['complaint']['what']} {state['complaint']['advice']}".rstrip())
        return "\n".join(lines)

    def still(self, *, width: float = 1000, theme: Theme = "light", word: int | str | None = None) -> Drawing:
        """Where the run stands, its loss and recall, and the probe's map after each epoch.

        Args:
            width: in CSS pixels, 360 or more.
            theme: "light" or "dark" paper.
            word: of the probe, whose weights are shown: its position, or the word itself; by default the
                first that is right or wrong after the last epoch.

        Raises:
            ValueError: there is no probe or no such word in it, or as of `View.still`.
        """
        dark, state, probe = is_dark(theme), self._state(), dict(self.explanations)
        if word is not None and self.probe is None:
            raise ValueError("there is no probe to show a word of; make the monitor with one")
        newest = probe[max(probe)] if probe else None
        facts = {"": SAYS[state["status"]], "epoch": f"{state['epoch']:.3g} of {state['epochs']}"}
        if state["terms"]:
            facts["loss"] = f"{sum(state['terms'].values()):.3g}"
        if state["best"]:
            facts["best rsum"] = f"{state['best']['rsum']:.1f} (epoch {state['best']['epoch']:g})"
        on = f"Trained on {_named(self.training)}; chosen on {_named(self.validation)}."
        return training_still(
            self.model.name,
            facts,
            (on, state["note"]),
            loss_series(state),
            recall_series(state),
            state["epochs"],
            {epoch: (one, first_map(one)) for epoch, one in probe.items()},
            {} if newest is None else badges_of(newest, first_map(newest)),
            word=None if self.probe is None else place_of(word, self.probe.words),
            width=width,
            dark=dark,
            title=self.title(),
            description=self.summary(),
        )

    def end(self) -> None:
        """End the run, too: it trains a model that nobody holds."""
        self._stop.set()
        self._join()
        super().end()

    def _join(self) -> None:
        """Wait for a run that ended to have told so."""
        if self._thread is not None:
            self._thread.join()

    def _begin(self, in_cell: bool) -> None:
        """Claim the model; from here on `_work` must follow."""
        with ExitStack() as claim:
            claim.enter_context(claimed(self.model, "another monitor"))
            self._claim = claim.pop_all()
        self._busy, self._in_cell, self._error, self._trouble = True, in_cell, None, None
        self._stop.clear()
        self._clock, self._from = time.monotonic(), self._steps[-1].epoch if self._steps else 0.0
        self._note = ""
        self._show("training")

    def _work(self) -> None:
        status = "failed"
        try:
            with cut_short(self.model, self._stop):
                status = self._train()
        except KeyboardInterrupt:
            status = "stopped"
        except Exception as error:
            self._complain(error)
            self._error = error
        finally:
            self._seconds += time.monotonic() - self._clock
            if self._steps and not self._note.startswith("was already"):
                self._note = f"{SAYS[status]} at step {self._steps[-1].step}; {self._holds()}"
            self._claim.close()
            self._busy = False
            self._show(status)
            self._keep()

    def _keep(self) -> None:
        """Have the curves in the saved notebook; the thread that runs cells has to do it."""
        kernel = running_kernel()
        if not self._displayed or kernel is None:
            return
        if threading.current_thread() is threading.main_thread():
            self.refresh_snapshot()
        else:
            kernel.io_loop.add_callback(self._refresh_if_new)

    def _train(self) -> str:
        """Go through `fit` to its end or until a stop is asked for; returns how it ended."""
        steps = fit(self.model, self.training, self.validation, **self._settings)
        status = "stopped"
        try:
            while (progress := self._next(steps)) is not None:
                self._take(progress)
                if self._stop.is_set() or progress.note.startswith("interrupted"):
                    break
            else:
                status = "done"
        except KeyboardInterrupt:
            pass
        finally:
            steps.close()  # type: ignore[attr-defined]
        return status

    def _next(self, steps: Iterator[Progress]) -> Progress | None:
        with TURNS.taken(self._stop):
            return next(steps, None)

    def _take(self, progress: Progress) -> None:
        """Remember one step and show it, not too often."""
        happened = progress.losses or progress.validation
        if self._steps and happened and progress.step <= self._steps[-1].step:
            self._forget_from(progress.step)
        self._steps.append(progress)
        self._curves.add(progress)
        self._note = progress.note or self._note
        if progress.validation is not None:
            self._show(self._under_way())
            if self.probe is not None:
                self._look_at_probe(progress.epoch)
        elif time.monotonic() - self._drawn >= BETWEEN_DRAWINGS:
            self._show(self._under_way())

    def _under_way(self) -> str:
        return "stopping" if self._stop.is_set() else "training"

    def _forget_from(self, step: int) -> None:
        """The run goes on from an earlier step: what came after it happens once more."""
        self._steps = [progress for progress in self._steps if progress.step < step]
        self._curves = Curves()
        for progress in self._steps:
            self._curves.add(progress)

    def _look_at_probe(self, epoch: float) -> None:
        try:
            self._explain(epoch)
        except Exception as error:  # what cannot be drawn does not end a run
            self._complain(error)
        else:
            self.newest = {"number": len(self._maps) - 1, **self._maps[-1]}

    def _complain(self, error: Exception) -> None:
        self.failures.append(traceback.format_exc())
        self._trouble = complaint(error)

    def _explain(self, epoch: float) -> None:
        assert self.probe is not None
        found = explain(self.model, self.probe)
        self._maps = [known for known in self._maps if known["epoch"] < epoch]
        self.explanations = {known: one for known, one in self.explanations.items() if known < epoch}
        self.explanations[epoch] = found
        self._maps.append(probe_map(found, epoch))

    def _show(self, status: str) -> None:
        self._drawn, self._status = time.monotonic(), status
        self.state = self._state()

    def _state(self) -> dict[str, Any]:
        last = self._steps[-1] if self._steps else None
        told = next((step for step in reversed(self._steps) if step.losses), None)
        checked = next((step for step in reversed(self._steps) if step.best), None)
        best = checked and checked.validation and {"epoch": checked.epoch, "rsum": checked.validation.rsum}
        folder = Path(self._settings["folder"])
        return {
            "status": self._status,
            "in_cell": self._in_cell,
            "resumable": bool(self._steps) or (folder / FILE).exists(),
            "step": last.step if last else 0,
            "epoch": last.epoch if last else 0,
            "epochs": self._settings["epochs"],
            "rate": told.learning_rate if told else None,
            "terms": dict(told.losses) if told else {},
            "best": best,
            "elapsed": self._elapsed(),
            "left": self._left(),
            "note": self._note,
            "complaint": self._trouble,
            "maps": len(self._maps),
            **self._curves.sent(),
        }

    def _elapsed(self) -> float:
        return self._seconds + (time.monotonic() - self._clock if self._busy else 0.0)

    def _left(self) -> float | None:
        """Seconds that the rest will take at the pace since the start; None before anything is known."""
        if not self._busy or not self._steps:
            return None
        done = self._steps[-1].epoch - self._from
        rest = self._settings["epochs"] - self._steps[-1].epoch
        return (time.monotonic() - self._clock) * rest / done if done > 0 else None

    def _holds(self) -> str:
        """Which weights the model has when a run ends here."""
        best = self.history.best
        if best is None or best.validation is None:
            return "no epoch was finished, so the model holds its latest weights"
        return (
            f"the model holds the weights of epoch {best.epoch:g}, validation rsum {best.validation.rsum:.1f}"
        )

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


SAYS = {
    "ready": "not started",
    "training": "under way",
    "stopping": "stopping",
    "stopped": "stopped",
    "done": "finished",
    "failed": "failed",
}


def _epochs(state: dict[str, Any]) -> str:
    return f"epoch {state['epoch']:.1f} of {state['epochs']}"


def _named(collection: Collection) -> str:
    return (
        f"{collection.name}, {collection.split}: {len(collection):,} images,"
        f" {len(collection.captions):,} captions"
    )


@atexit.register
def _end_all_runs() -> None:
    for monitor in list(_monitors):
        monitor._stop.set()
        if monitor._thread is not None:
            monitor._thread.join(2)
