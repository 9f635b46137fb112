import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_systems import SETTINGS, SMALL, curve, system
from toys import toy_collection, toy_model

from itr_explore.training.checkpoint import load_checkpoint
from itr_explore.training.fit import fit
from itr_explore.training.processes import Processes, first_to_say, launched_together

TRAINING, VALIDATION = toy_collection(40), toy_collection(12, split="val", seed=1)
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ACCELERATE = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]


def launch(*command: str) -> subprocess.CompletedProcess:
    alone = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCELERATE")}
    return subprocess.run(command, capture_output=True, text=True, env=kept | alone, timeout=570, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def told(folder):
    """What each of two processes has to say of all that `two_processes.py` does."""
    script = Path(__file__).with_name("two_processes.py")
    done = launch(*TORCHRUN, str(script), str(folder), *SMALL)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in range(2)]


def test_shares_put_together_are_all_rows_and_gradients_come_back_from_both(told):
    first, second = (each["shares"] for each in told)
    assert (first["own"], second["own"]) == (2, 3)
    assert first["same"]
    assert second["same"]
    assert first["total"] == second["total"] == sum(range(10))
    assert first["grad"] == [[11, 11]] * 2 + [[0, 0]] * 3
    assert second["grad"] == [[0, 0]] * 2 + [[11, 11]] * 3


@pytest.mark.parametrize("name", SMALL)
def test_two_processes_run_the_course_of_one(told, name):
    alone = curve(system(name, TRAINING), TRAINING, VALIDATION)
    for each in told:
        assert each["curves"][name]["losses"] == pytest.approx(alone["losses"], rel=1e-3, abs=1e-4)
        assert np.abs(np.subtract(each["curves"][name]["ranks"], alone["ranks"])).max() <= 1
        assert each["curves"][name] == told[0]["curves"][name]


def test_a_run_that_one_process_closes_stops_in_both_after_the_same_step(told):
    assert [each["stopped"]["step"] for each in told] == [3, 3]
    assert told[0]["stopped"]["note"].startswith("interrupted at step 3")


def test_a_signal_to_one_process_ends_both_after_the_step_with_the_best_weights(told, folder):
    for each in (each["signalled"] for each in told):
        assert each["note"].startswith("interrupted at step 11; the model holds the weights of epoch 1")
        assert each["holds"] == each["best"]
    assert load_checkpoint(folder / "signalled")[1]["place"]["step"] == 11


def test_both_go_on_with_the_checkpoint_that_the_first_wrote(told, folder):
    assert [each["stopped"]["again"] for each in told] == [list(range(4, 25))] * 2
    assert [path.name for path in (folder / "stopped").iterdir()] == ["checkpoint.safetensors"]


def test_a_process_that_fails_ends_the_other_which_says_why_and_both_hold_the_best(told):
    first, second = (each["failed"] for each in told)
    assert second["said"] == "OSError: region shard 3 cannot be read"
    assert first["said"] == (
        "EndedElsewhere: the run has ended: process 1 ended it: region shard 3 cannot be read. The same call on"
        " the same folder goes on from its last checkpoint"
    )
    assert all(each["holds"] == each["best"] for each in (first, second))


def test_one_process_goes_on_with_what_two_began(told, folder):
    assert load_checkpoint(folder / "failed")[1]["place"]["step"] == 8
    steps = [
        p.step for p in fit(toy_model(TRAINING), TRAINING, VALIDATION, folder=folder / "failed", **SETTINGS)
    ]
    assert steps == list(range(9, 25))


RECIPE = 'system = "vse"\n[coco]\npreset = "tiny"\nepochs = 2\nlearning_rate = 1e-3\nmin_count = 1\n'
SIZES = "batch_size = 5\n[coco.model]\ndim = 8\nbox = false\n"


@pytest.fixture
def command(tmp_path):
    """`itr-explore train` in two processes, on random features in the field's layout."""
    rng = np.random.default_rng(0)
    for split, images in (("train", 8), ("dev", 4)):
        captions = [f"{colour} dog {i}" for i in range(images) for colour in ("red", "blue")]
        (tmp_path / f"{split}_caps.txt").write_text("\n".join(captions), encoding="utf-8")
        np.save(tmp_path / f"{split}_ims.npy", rng.normal(size=(images, 3, 5)).astype(np.float32))
    (tmp_path / "own.toml").write_text(RECIPE + SIZES, encoding="utf-8")
    where = ["--recipe", tmp_path / "own.toml", "--data", tmp_path, "--folder", tmp_path / "run"]
    return [*ACCELERATE, "-m", "itr_explore.cli", "train", *map(str, where)]


def test_the_command_trains_in_two_processes_and_speaks_once(command, tmp_path):
    done = launch(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"saved {tmp_path / 'run' / 'weights'}\n"
    assert done.stderr.count("best rsum") >= 1


def test_what_is_wrong_with_the_data_is_said_once(command, tmp_path):
    (tmp_path / "dev_ims.npy").unlink()
    done = launch(*command)
    assert done.returncode != 0
    assert done.stderr.count("itr-explore train: ") == 1
    assert "lacks dev_ims.npy" in done.stderr


def test_a_process_alone_needs_nobody(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    processes = Processes("cpu")
    assert (processes.alone, processes.first, processes.share(5)) == (True, True, None)
    assert processes.from_first(lambda: 3) == 3
    assert not launched_together()
    assert first_to_say()


def test_training_alone_does_without_accelerate(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    list(fit(toy_model(TRAINING), TRAINING, VALIDATION, **{**SETTINGS, "epochs": 1}))


def test_each_of_several_processes_takes_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"each of several processes takes a GPU of its own.*got 'cuda:1'"):
        Processes("cuda:1")
