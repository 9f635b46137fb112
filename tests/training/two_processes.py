"""What each of two processes runs for `test_processes.py`, started by torchrun; writes RANK.json into a folder."""

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from small_systems import SETTINGS, curve, system
from toys import toy_collection, toy_model

from itr_explore.evaluation.ranking import evaluate
from itr_explore.nn.together import mine, ours, summed, together
from itr_explore.training.fit import fit
from itr_explore.training.processes import EndedElsewhere, Processes

FOLDER, SYSTEMS = Path(sys.argv[1]), sys.argv[2:]
TRAINING, VALIDATION = toy_collection(40), toy_collection(12, split="val", seed=1)
PROCESSES = Processes("cpu")
RANK = PROCESSES.team.rank


def start(model, folder, **more):
    return fit(model, TRAINING, VALIDATION, folder=FOLDER / folder, **{**SETTINGS, **more})


def shares():
    """All rows are there again, and gradients add up over what both processes made of them."""
    rows = torch.arange(10.0).view(5, 2).requires_grad_()
    with together(PROCESSES.team):
        own = mine(rows)
        everything = ours(own, 5)
        (everything * torch.tensor([1.0, 10.0])[RANK]).sum().backward()
        total = summed(own.sum())
    return {
        "own": len(own),
        "same": everything.equal(rows),
        "total": total.item(),
        "grad": rows.grad.tolist(),
    }


def stopped():
    """The second process closes its run after step 3, then both go on with it."""
    model, steps = toy_model(TRAINING), []
    for progress in (news := start(model, "stopped")):
        steps.append(progress)
        if RANK == 1 and progress.step == 3:
            news.close()
    again = [p.step for p in start(toy_model(TRAINING, seed=7), "stopped")]
    return {"step": steps[-1].step, "note": steps[-1].note, "again": again}


def signalled():
    """The second process is asked to end in the middle of its second epoch."""
    model, steps = toy_model(TRAINING), []
    for progress in start(model, "signalled"):
        steps.append(progress)
        if RANK == 1 and progress.step == 11 and not progress.note:
            os.kill(os.getpid(), signal.SIGTERM)
    best = steps[7].validation.rsum
    return {"step": steps[-1].step, "note": steps[-1].note, "best": best, "holds": held(model)}


def held(model):
    return evaluate(model, VALIDATION, device="cpu").rsum


def failed():
    """The second process cannot read a batch in its second epoch."""
    model, broken = toy_model(TRAINING), toy_collection(40)
    seen = []

    def unreadable(*_):
        raise OSError("region shard 3 cannot be read")

    try:
        for progress in fit(model, broken, VALIDATION, folder=FOLDER / "failed", **SETTINGS):
            seen += [progress.validation.rsum] if progress.validation else []
            if seen and RANK == 1:
                broken.regions_of = unreadable
    except (OSError, EndedElsewhere) as error:
        said = f"{type(error).__name__}: {error}"
    return {"said": said, "best": seen[-1], "holds": held(model)}


told = {"shares": shares()}
told["curves"] = {name: curve(system(name, TRAINING, seed=RANK), TRAINING, VALIDATION) for name in SYSTEMS}
told["stopped"] = stopped()
told["signalled"] = signalled()
told["failed"] = failed()
(FOLDER / f"{RANK}.json").write_text(json.dumps(told), encoding="utf-8")
