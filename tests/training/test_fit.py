import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from small_systems import system
from toys import toy_collection, toy_model

from itr_explore.data.batching import training_batches
from itr_explore.data.collection import Collection
from itr_explore.evaluation.ranking import evaluate
from itr_explore.training import fit as fit_module
from itr_explore.training.checkpoint import load_checkpoint, save_checkpoint
from itr_explore.training.collapse import TrainingCollapsed, has_collapsed
from itr_explore.training.fit import fit
from itr_explore.training.progress import with_progress_bar
from itr_explore.training.run import Run
from itr_explore.training.schedule import cosine_decay, step_decay

TRAINING, VALIDATION = toy_collection(40), toy_collection(12, split="val", seed=1)
SETTINGS = {"batch_size": 16, "learning_rate": 0.02, "device": "cpu"}  # 8 steps an epoch


def start(model, epochs=3, **more):
    return fit(model, TRAINING, VALIDATION, epochs=epochs, **{**SETTINGS, **more})


def after(steps, step: int):
    """The news of a step."""
    return next(progress for progress in steps if progress.step == step)


def weights(model) -> list:
    return [value.tolist() for value in model.state_dict().values()]


@pytest.fixture
def model():
    return toy_model(TRAINING)


def test_training_raises_recall_on_images_it_has_not_seen(model):
    before = evaluate(model, VALIDATION, device="cpu").rsum
    list(start(model, epochs=6))
    assert evaluate(model, VALIDATION, device="cpu").rsum > before + 100


def test_each_step_is_told_and_each_epoch_ends_with_a_validation(model):
    told = list(start(model))
    assert [progress.step for progress in told] == list(range(1, 25))
    assert [progress.step for progress in told if progress.validation is not None] == [8, 16, 24]
    assert [progress.epoch for progress in told if progress.validation is not None] == [1, 2, 3]


def test_the_same_seed_gives_the_same_run_whatever_the_caller_draws_meanwhile(model):
    other = toy_model(TRAINING)
    first = [progress.losses for progress in start(model)]
    second = []
    for progress in start(other):
        second.append(progress.losses)
        torch.rand(3), np.random.rand(3)  # noqa: NPY002
    assert first == second
    assert weights(model) == weights(other)


def test_another_seed_gives_another_run(model):
    list(start(model, seed=0))
    other = toy_model(TRAINING)
    list(start(other, seed=1))
    assert weights(model) != weights(other)


def test_the_model_ends_with_the_weights_of_the_best_validation(model):
    told = list(start(model, epochs=5, learning_rate=0.3))
    best = max(progress.validation.rsum for progress in told if progress.validation is not None)
    assert evaluate(model, VALIDATION, device="cpu").rsum == best
    assert [p.validation.rsum for p in told if p.best][-1] == best


def test_a_closed_run_leaves_the_best_weights_so_far(model):
    steps = start(model)
    best = next(progress for progress in steps if progress.validation is not None)
    next(steps)
    steps.close()
    assert evaluate(model, VALIDATION, device="cpu").rsum == best.validation.rsum


def test_an_interrupt_ends_the_run_with_the_best_weights_and_says_so(model, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    steps = start(model)
    best = next(progress for progress in steps if progress.validation is not None)
    monkeypatch.setattr(model, "training_loss", interrupted)
    (last,) = list(steps)
    assert last.note == (
        f"interrupted at step 8; the model holds the weights of epoch 1, validation rsum"
        f" {best.validation.rsum:.1f}"
    )
    assert evaluate(model, VALIDATION, device="cpu").rsum == best.validation.rsum


@pytest.mark.parametrize("step", [5, 8, 13])
def test_a_closed_run_goes_on_where_it_stood_and_ends_with_the_same_weights(model, tmp_path, step):
    steps = start(model, folder=tmp_path)
    after(steps, step)
    steps.close()
    again = toy_model(TRAINING, seed=7)
    first, *_ = start(again, folder=tmp_path)
    assert first.step == step + 1
    other = toy_model(TRAINING)
    list(start(other))
    assert weights(again) == weights(other)


def test_a_run_interrupted_while_it_validates_goes_on_with_that_validation(model, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as at_work:
        at_work.setattr(fit_module, "evaluate", interrupted)
        *_, last = start(model, folder=tmp_path)
    assert (last.step, last.epoch, last.losses) == (8, 1, {})
    again = toy_model(TRAINING, seed=7)
    first, *_ = start(again, folder=tmp_path)
    assert (first.step, first.epoch, first.validation is None) == (8, 1, False)
    other = toy_model(TRAINING)
    list(start(other))
    assert weights(again) == weights(other)


def test_a_run_interrupted_inside_a_step_goes_on_from_the_checkpoint_before(model, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    steps = start(model, folder=tmp_path, checkpoint_every=3)
    after(steps, 4)
    monkeypatch.setattr(model, "training_loss", interrupted)
    list(steps)
    assert load_checkpoint(tmp_path)[1]["place"]["step"] == 3


SCRIPT = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from toys import toy_collection, toy_model
from itr_explore.training.fit import fit
training, validation = toy_collection(40), toy_collection(12, split="val", seed=1)
model = toy_model(training, seed=int(sys.argv[2]))
for progress in fit(model, training, validation, epochs=3, batch_size=16, learning_rate=0.02, device="cpu",
                    folder=sys.argv[1], checkpoint_every=3):
    if progress.step == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
model.save_pretrained(sys.argv[1] + "/weights")
"""


@pytest.mark.parametrize("step", [13, 16], ids=["inside an epoch", "at its end"])
def test_a_killed_run_goes_on_and_ends_with_the_same_weights_to_the_last_bit(tmp_path, model, step):
    def run(initial_seed: int, kill_at: int) -> int:
        code = SCRIPT.format(tests=str(Path(__file__).resolve().parents[1]))
        arguments = [str(tmp_path), str(initial_seed), str(kill_at)]
        return subprocess.run([sys.executable, "-c", code, *arguments], check=False).returncode

    assert run(0, step) == -9
    assert run(7, 0) == 0  # other fresh weights: those of the checkpoint count
    list(start(model))
    assert weights(type(model).from_pretrained(tmp_path / "weights")) == weights(model)


def test_a_finished_run_is_not_trained_again(model, tmp_path):
    list(start(model, folder=tmp_path))
    again = toy_model(TRAINING, seed=5)
    (told,) = list(start(again, folder=tmp_path))
    assert told.note.startswith("was already trained; the model holds the weights of epoch")
    assert weights(again) == weights(model)


def test_a_run_by_steps_can_be_made_longer(model, tmp_path):
    by_steps = {"folder": tmp_path, "schedule": "step", "decay_epoch": 2}
    list(start(model, epochs=2, **by_steps))
    assert [progress.step for progress in start(model, epochs=3, **by_steps)] == list(range(17, 25))


def test_the_folder_of_another_run_is_refused_with_the_differences(model, tmp_path):
    list(start(model, epochs=1, folder=tmp_path))
    with pytest.raises(ValueError, match=r"seed is 0 there, 3 here\. Name another folder"):
        start(model, epochs=1, folder=tmp_path, seed=3)
    with pytest.raises(ValueError, match=r"learning_rate is 0\.02 there, 0\.01 here"):
        start(model, epochs=1, folder=tmp_path, learning_rate=0.01)


def test_a_checkpoint_that_is_older_than_a_setting_had_its_default(model, tmp_path):
    list(start(model, epochs=1, folder=tmp_path))
    groups, facts = load_checkpoint(tmp_path)
    del facts["run"]["config.bert_rate"], facts["format"]
    save_checkpoint(tmp_path, groups, facts)
    (told,) = list(start(model, epochs=1, folder=tmp_path))
    assert told.note.startswith("was already trained")


def test_choosing_on_a_test_split_is_refused(model):
    with pytest.raises(ValueError, match="validation is a test split"):
        fit(model, TRAINING, toy_collection(12, split="test"), epochs=1)


def test_collections_without_regions_are_refused_before_anything_runs(model):
    bare = Collection(name="bare", split="val", captions=["a"], image_of=np.zeros(1), image_ids=["1", "2"])
    for given in ((bare, VALIDATION), (TRAINING, bare)):
        with pytest.raises(ValueError, match=r"bare, val has no regions yet.*with_regions"):
            next(fit(model, *given, epochs=1, device="cpu"))
    with pytest.raises(ValueError, match="bare, val has no regions yet"):
        evaluate(model, bare)


def test_images_without_captions_are_nothing_to_train_on(model):
    silent = Collection(name="mute", split="train", captions=[], image_of=np.zeros(0), image_ids=["1", "2"])
    with pytest.raises(ValueError, match="mute, train has no captions"):
        next(fit(model, silent, VALIDATION, epochs=1))


def test_settings_without_sense_are_refused_before_anything_runs(model):
    with pytest.raises(ValueError, match="epochs >= 1, batch_size >= 2"):
        start(model, epochs=0)
    with pytest.raises(ValueError, match='schedule must be "cosine" or "step", got \'linear\''):
        start(model, schedule="linear")


def test_a_loss_that_is_not_a_number_names_the_step_and_the_last_checkpoint(model, tmp_path):
    steps = start(model, folder=tmp_path)
    after(steps, 8)
    with torch.no_grad():
        model.look.weight.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match=rf"at step 8 the loss is .*nan.*of step 8 in {tmp_path}"):
        next(steps)
    assert torch.isfinite(model.look.weight).all()


def test_a_collapsed_model_is_noticed_and_the_message_says_what_to_do(model, monkeypatch):
    monkeypatch.setattr(
        model, "score", lambda images, captions: 0 * images.vectors @ captions.vectors.T + 0.5
    )
    with pytest.raises(TrainingCollapsed, match="warm_up_epochs=1"):
        list(start(model, epochs=30, warm_up_epochs=0))


def test_equal_scores_are_a_collapse_and_spread_ones_are_not():
    image_of = torch.arange(8)
    spread = torch.rand(8, 8) * 0.1
    assert has_collapsed(torch.full((8, 8), 0.3), image_of)
    assert not has_collapsed(spread, image_of)
    assert not has_collapsed(0.3 + torch.eye(8), image_of)


def test_the_first_epochs_warm_up(model, monkeypatch):
    asked, loss = [], model.training_loss

    def training_loss(batch, warming_up):
        asked.append(warming_up)
        return loss(batch, warming_up)

    monkeypatch.setattr(model, "training_loss", training_loss)
    list(start(model, epochs=3, warm_up_epochs=2))
    assert asked == [True] * 16 + [False] * 8


def test_learning_rates_fall_as_said():
    assert [step_decay(epoch, [15]) for epoch in (0, 14.9, 15, 29)] == [1, 1, 0.1, 0.1]
    assert [step_decay(epoch, [15, 25]) for epoch in (14, 15, 25, 29)] == pytest.approx([1, 0.1, 0.01, 0.01])
    assert [cosine_decay(epoch, 8) for epoch in (0, 4, 8)] == pytest.approx([1, 0.5, 0])


def test_a_full_disk_leaves_the_previous_checkpoint_and_the_best_weights(model, tmp_path, monkeypatch):
    def full(_tensors, path, **_):
        Path(path).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    steps = start(model, folder=tmp_path, checkpoint_every=1)
    best = after(steps, 8).validation.rsum
    checkpoint = (tmp_path / "checkpoint.safetensors").read_bytes()
    monkeypatch.setattr("itr_explore.training.checkpoint.save_file", full)
    with pytest.raises(OSError, match=r"No space left.*previous checkpoint is whole.*Make room"):
        next(steps)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.safetensors"]
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == checkpoint
    assert evaluate(model, VALIDATION, device="cpu").rsum == best


def test_a_damaged_checkpoint_is_refused_in_words(model, tmp_path):
    list(start(model, epochs=1, folder=tmp_path))
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"damaged.*delete it to train from the start"):
        start(model, epochs=1, folder=tmp_path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "facts"),
        ({"facts": "[]"}, "list indices"),
        ({"facts": "{}"}, "format"),
        ({"facts": '{"format": 1}'}, "its header lacks best, place, run"),
    ],
)
def test_a_foreign_file_is_no_checkpoint(model, tmp_path, header, message):
    save_file({"model/a": torch.zeros(1)}, tmp_path / "checkpoint.safetensors", metadata=header)
    with pytest.raises(ValueError, match=f"is no checkpoint.*{message}.*delete it"):
        start(model, epochs=1, folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("seed", -1), ("seed", 2**32), ("seed", 0.5), ("clip", 0), ("clip", float("nan"))]
)
def test_a_seed_or_clip_out_of_range_is_refused_before_anything_moves(model, name, value):
    with pytest.raises(ValueError, match=f"{name} must be .* got {value}"):
        start(model, **{name: value})


def test_the_bar_passes_on_what_happened_and_closing_it_closes_the_run(model, capsys):
    told = list(with_progress_bar(start(model)))
    assert [progress.step for progress in told] == list(range(1, 25))
    assert "best rsum" in capsys.readouterr().err
    steps = start(model)
    bar = with_progress_bar(steps)
    next(bar)
    bar.close()
    assert list(steps) == []


def test_slow_parameters_learn_at_their_share_of_the_learning_rate(model, monkeypatch):
    monkeypatch.setattr(model, "slow_parameters", lambda: {"read.": 0.1})
    run = Run(model, torch.device("cpu"), seed=0, clip=2.0, weight_decay=0.5)
    batch = next(training_batches(TRAINING, model.tokenizer, 16, np.random.default_rng(0)))
    run.step(batch, 0.02, warming_up=True)
    rates = {
        p: (group["lr"], group["weight_decay"])
        for group in run.optimiser.param_groups
        for p in group["params"]
    }
    assert rates[model.read.weight] == (pytest.approx(0.002), 0.5)
    assert rates[model.look.weight] == (0.02, 0.5)
    assert rates[model.look.bias] == (0.02, 0.0)
    assert len(rates) == 3


def test_several_decay_epochs_are_told_in_any_order_and_must_be_whole(model):
    rates = [
        p.learning_rate for p in start(model, epochs=3, schedule="step", decay_epoch=(2, 1)) if p.validation
    ]
    assert rates == pytest.approx([0.02, 0.002, 0.0002])
    for wrong in (0, 1.5, [], [1, 2.5]):
        with pytest.raises(ValueError, match="decay_epoch must be a whole number above 0 or several"):
            start(model, schedule="step", decay_epoch=wrong)


def test_a_gpu_without_enough_memory_is_told_what_to_lower_and_nothing_is_written(
    model, tmp_path, monkeypatch
):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    before = weights(model)
    monkeypatch.setattr(model, "training_loss", full)
    with pytest.raises(
        RuntimeError, match=r"memory does not suffice for step 0 of toy.*lower batch_size.*dim"
    ):
        list(start(model, folder=tmp_path / "run"))
    assert weights(model) == before
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(model, "encode_captions", full)
    with pytest.raises(RuntimeError, match=r"lower images_at_once, captions_at_once"):
        evaluate(model, VALIDATION, device="cpu")


def test_validation_takes_smaller_blocks_where_a_gpu_is_short_of_memory(model, monkeypatch):
    whole, asked = fit_module.evaluate, []

    def roomy(*given, images_at_once, **options):
        asked.append(images_at_once)
        if images_at_once > 16:
            raise RuntimeError("memory does not suffice") from torch.OutOfMemoryError()
        return whole(*given, images_at_once=images_at_once, **options)

    monkeypatch.setattr(fit_module, "evaluate", roomy)
    (ranking,) = [p.validation for p in start(model, epochs=1) if p.validation]
    assert asked == [256, 64, 16]
    assert ranking.rsum == whole(model, VALIDATION, device="cpu").rsum


def test_a_validation_sees_the_weights_that_the_last_step_left():
    model, fresh = (system("vse_infty", TRAINING) for _ in range(2))
    *_, last = start(model, epochs=1, warm_up_epochs=0)
    fresh.load_state_dict(model.state_dict())
    seen = evaluate(fresh, VALIDATION, device="cpu")
    assert last.validation.text_to_image.tolist() == seen.text_to_image.tolist()


def test_each_batch_of_an_epoch_is_marked_as_last_or_not():
    assert list(fit_module._mark_last("abc")) == [("a", False), ("b", False), ("c", True)]
