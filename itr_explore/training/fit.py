"""Train a retrieval model: a generator that yields what happened, step by step, and draws and prints nothing.

Data order and every random number are functions of (seed, epoch) and (seed, step). So the place in the run is
all that a checkpoint has to remember of chance, a resumed run equals an uninterrupted one, and what a caller
does with random numbers between two steps changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch

from itr_explore.data.batching import training_batches
from itr_explore.data.checks import want_features_from, want_regions
from itr_explore.evaluation.ranking import evaluate
from itr_explore.records import Batch, Progress, Ranking
from itr_explore.training.checkpoint import describe_run, load_checkpoint, refuse_another_run
from itr_explore.training.processes import Processes, StoppedTogether
from itr_explore.training.run import Run
from itr_explore.training.schedule import cosine_decay, step_decay

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel


def fit(
    model: RetrievalModel,
    training: Collection,
    validation: Collection,
    *,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float = 5e-4,
    schedule: Literal["cosine", "step"] = "cosine",
    decay_epoch: int | Sequence[int] | None = None,
    weight_decay: float = 0.0,
    clip: float = 2.0,
    warm_up_epochs: int = 1,
    foils: bool = False,
    seed: int = 0,
    device: str = "auto",
    folder: str | Path | None = None,
    checkpoint_every: int = 200,
) -> Iterator[Progress]:
    """Train `model`; yields a `Progress` a step, with a `Ranking` of `validation` at the end of each epoch.

    When the iterator ends, is closed or is interrupted, `model` holds the weights of the best validation (by
    rsum) and is back on the device it came from. An interrupt ends the iterator with a last `Progress` whose
    note says so. With a `folder` the run is checkpointed; the same call on the same folder goes on where the
    run stood when it was closed or interrupted, after `kill -9` from its last checkpoint, and on a CPU ends
    with the same weights to the last bit.

    Torch's random numbers are one stream for a whole process: what other threads draw during a step changes
    the run, and a run in another thread what they draw.

    Where `accelerate launch` or `torchrun` has started several processes and each makes this same call, they
    train together: `batch_size` is that of all, each works on its share of every batch, and all yield the
    same news and end with the same weights. Without dropout the run is that of one process up to rounding;
    with it each process draws numbers of its own. Who closes the iterator, is interrupted or fails ends the
    run for all. Only the first process writes to `folder`.

    Args:
        training: trained on; captions of one image are never each other's negatives (the model's loss).
        validation: chosen on. A split named "test" is refused: choosing there flatters the result.
        batch_size: captions a step.
        schedule: "cosine" falls to zero at the last epoch; "step" falls to a tenth at `decay_epoch`, or at
            each of several, by default after two thirds of the epochs, as VSE++, SCAN and VSRN do.
        weight_decay: of AdamW, on matrices only (not on biases and scales).
        clip: largest norm of the gradient.
        warm_up_epochs: epochs that begin with the sum over all negatives instead of the hardest ones.
        foils: after the warm-up each caption brings one of its foils, if it has any, as one more negative.
            Captions of other images are seldom wrong by a relation alone, so without foils nothing teaches
            who is where; before words know their regions foils only teach to overlook the order of words.
        device: "auto" is a GPU with bfloat16 autocast where there is one, else the CPU in float32; several
            processes take a GPU each.
        folder: where the checkpoint is kept; None keeps none.
        checkpoint_every: steps between checkpoints; each epoch ends with one in any case.

    Raises:
        ValueError: settings make no sense, or `folder` holds a checkpoint of another run.
        FloatingPointError: the loss or its gradient is not finite; names the step and the last checkpoint.
        TrainingCollapsed: all scores became equal; says what to change.
        OSError: a checkpoint could not be written; the previous one is whole.
        EndedElsewhere: another process has failed; a `RuntimeError` that says which one, and why.
    """
    if epochs < 1 or batch_size < 2 or not learning_rate > 0 or checkpoint_every < 1:
        raise ValueError(
            "wanted epochs >= 1, batch_size >= 2, learning_rate > 0 and checkpoint_every >= 1, got"
            f" {epochs}, {batch_size}, {learning_rate} and {checkpoint_every}"
        )
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to 2**32 - 1, got {seed!r}")
    if not clip > 0:
        raise ValueError(f"clip must be above 0 (inf clips nothing), got {clip!r}")
    if schedule not in ("cosine", "step"):
        raise ValueError(f'schedule must be "cosine" or "step", got {schedule!r}')
    if foils and not training.has_foils:
        raise ValueError(
            f"{training.name} knows no foils (nearly right captions that are false); train with foils=False,"
            " or take a collection that has them, such as the scenes"
        )
    if model.tokenizer is None:
        raise ValueError(f"{model.name} has no tokenizer; create it with build_tokenizer(training.captions)")
    if len(training) < 2 or not len(validation):
        raise ValueError(f"cannot train on {len(training)} and validate on {len(validation)} images")
    for collection in (training, validation):
        if not len(collection.captions):
            raise ValueError(
                f"{collection.name}, {collection.split} has no captions; training and choosing need some"
            )
    want_regions(training, validation)
    known = model.config.regions_from or training.regions_from
    want_features_from(known, training, validation)
    model.config = replace(model.config, regions_from=known)
    if getattr(validation, "split", "").startswith("test"):
        raise ValueError(
            "validation is a test split; choosing weights there would flatter every number reported on it."
            ' Give the collection\'s "val" split, or a part of the training images'
        )
    decays = _decay_epochs(max(1, epochs * 2 // 3) if decay_epoch is None else decay_epoch)
    # what the schedule hangs on; with "step" and a `decay_epoch` of its own a run may be made longer later
    falling = (
        {"epochs": epochs}
        if schedule == "cosine"
        else {"decay_epoch": decays[0] if len(decays) == 1 else decays}
    )
    course = {
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "schedule": schedule,
        **falling,
        "weight_decay": weight_decay,
        "clip": clip,
        "warm_up_epochs": warm_up_epochs,
        **({"foils": True} if foils else {}),
        "seed": int(seed),
    }

    def rate(epoch: float) -> float:
        falls = cosine_decay(epoch, epochs) if schedule == "cosine" else step_decay(epoch, decays)
        return learning_rate * falls

    processes = Processes(device)
    run = Run(
        *(model, processes.device),
        seed=int(seed),
        clip=clip,
        weight_decay=weight_decay,
        processes=processes,
    )
    if folder is not None:
        run.folder = Path(folder)
        run.description = describe_run(model, training, validation, course)
        saved = processes.from_first(lambda: load_checkpoint(Path(folder)))
        if saved is not None:
            refuse_another_run(run.folder, saved[1]["run"], run.description, model)
            run.saved = saved
    steps = _train(
        run, training, validation, epochs, batch_size, rate, warm_up_epochs, foils, checkpoint_every
    )
    return steps if processes.alone else _to_the_end(processes, steps)


def _to_the_end(processes: Processes, steps: Iterator[Progress]) -> Iterator[Progress]:
    with processes.to_the_end():
        yield from steps


def _train(
    run: Run,
    training: Collection,
    validation: Collection,
    epochs: int,
    batch_size: int,
    rate: Callable[[float], float],
    warm_up_epochs: int,
    foils: bool,
    checkpoint_every: int,
) -> Iterator[Progress]:
    tokenizer, steps_an_epoch = (
        cast("Tokenizer", run.model.tokenizer),
        -(-len(training.captions) // batch_size),
    )
    place, learning_rate, note, processes = run.place, rate(0.0), "", run.processes
    try:
        run.begin()
        if run.saved is not None:
            note = f"goes on from step {place.step}; {run.best_in_words}"
        if place.epoch >= epochs:
            yield Progress(
                place.step, epochs, {}, 0.0, epochs=epochs, note=f"was already trained; {run.best_in_words}"
            )
        for epoch in range(place.epoch, epochs):
            order = np.random.default_rng([run.seed, epoch])
            batches = training_batches(
                *(training, tokenizer, batch_size, order, foils and epoch >= warm_up_epochs),
                None if processes.alone else processes.share,
            )
            for index, (batch, last) in enumerate(_mark_last(batches)):
                learning_rate = rate(epoch + index / steps_an_epoch)
                losses: dict[str, float] = {}
                if index < place.batch and not last:  # done before the run was resumed
                    continue
                processes.meet()
                if index >= place.batch:
                    losses = run.step(batch, learning_rate, warming_up=epoch < warm_up_epochs)
                ranking, best = None, False
                if last:
                    ranking = _validate(run, validation)
                    best = run.keep_if_best(ranking, epoch + 1)
                    place.epoch, place.batch = epoch + 1, 0
                if last or place.step % checkpoint_every == 0:
                    run.save()
                done = epoch + 1 if last else epoch + (index + 1) / steps_an_epoch
                yield Progress(place.step, done, losses, learning_rate, ranking, best, epochs, note)
                note = ""
        processes.meet()
    except GeneratorExit:
        processes.meet(stop=True)
        run.save_where_it_stands()
        raise
    except KeyboardInterrupt as error:
        if not processes.alone and not isinstance(error, StoppedTogether):
            raise  # in the middle of what others wait for
        run.save_where_it_stands()
        run.restore_best()
        note = f"interrupted at step {place.step}; {run.best_in_words}"
        done = place.epoch + place.batch / steps_an_epoch
        yield Progress(place.step, done, {}, learning_rate, epochs=epochs, note=note)
    finally:
        run.end()


def _validate(run: Run, validation: Collection, images_at_once: int = 256) -> Ranking:
    """Rank the validation images; where a GPU is short of memory, in smaller blocks (if it is alone)."""
    try:
        with run.processes.together():
            return evaluate(
                run.model,
                validation,
                device=str(run.device),
                images_at_once=images_at_once,
                captions_at_once=4 * images_at_once,
            )
    except RuntimeError as error:
        short = isinstance(error.__cause__, torch.OutOfMemoryError)
        if not short or images_at_once < 32 or not run.processes.alone:
            raise
    return _validate(run, validation, images_at_once // 4)


def _decay_epochs(told: int | Sequence[int]) -> list[int]:
    epochs = list(told) if isinstance(told, Sequence) else [told]
    if not epochs or not all(isinstance(epoch, int | np.integer) and epoch > 0 for epoch in epochs):
        raise ValueError(f"decay_epoch must be a whole number above 0 or several, got {told!r}")
    return sorted(map(int, epochs))


def _mark_last(batches: Iterable[Batch]) -> Iterator[tuple[Batch, bool]]:
    """Each batch, and whether it is the last one."""
    remaining = iter(batches)
    held = next(remaining)
    for batch in remaining:
        yield held, False
        held = batch
    yield held, True
