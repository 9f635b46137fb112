"""The state of one training run: the model, its optimiser, its place, and the best weights so far."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from itr_explore.evaluation.encoding import enough_memory
from itr_explore.nn.together import ALONE, Team, together
from itr_explore.records import Batch, Ranking
from itr_explore.training.checkpoint import optimiser_tensors, restore_optimiser, save_checkpoint
from itr_explore.training.collapse import CollapseWatch
from itr_explore.training.processes import Processes

if TYPE_CHECKING:
    from itr_explore.models.base import RetrievalModel

LOOK_FOR_COLLAPSE_EVERY = 20  # steps


@dataclass
class Place:
    """Where a run stands."""

    epoch: int = 0
    batch: int = 0  # batches of this epoch that are done
    step: int = 0  # steps done since the start


@dataclass
class Best:
    """The best validation so far."""

    rsum: float
    epoch: int


class Run:
    """What `fit` changes as it goes. Nothing moves before `begin`."""

    def __init__(
        self,
        model: RetrievalModel,
        device: torch.device,
        *,
        seed: int,
        clip: float,
        weight_decay: float,
        processes: Processes | None = None,
    ):
        self.model, self.device, self.seed, self.clip = model, device, seed, clip
        self.processes = processes or Processes(str(device))
        self.home = next(model.parameters()).device
        self.optimiser = _adam(model, weight_decay)
        self.place = Place()
        self.best: Best | None = None
        self.best_weights: dict[str, Tensor] = {}
        self.watch = CollapseWatch()
        self.folder: Path | None = None
        self.description: dict[str, Any] = {}  # of a run that is checkpointed
        self.saved: tuple[dict[str, dict[str, Tensor]], dict[str, Any]] | None = None  # to go on from
        self.last_checkpoint: int | None = None  # its step
        self.whole = True  # no step was cut off in its middle

    def begin(self) -> None:
        """Move the model to its device and take up the saved state, if there is one."""
        self.model.to(self.device)
        if self.saved is None:
            self.processes.copy_first(self.model)
            return
        groups, facts = self.saved
        self.model.load_state_dict(groups["model"])
        restore_optimiser(self.optimiser, groups.get("optimiser", {}))
        self.best_weights = groups.get("best", {})
        self.best = Best(**facts["best"]) if facts["best"] else None
        self.last_checkpoint = facts["place"]["step"]
        for name, value in facts["place"].items():
            setattr(self.place, name, value)

    def step(self, batch: Batch, learning_rate: float, *, warming_up: bool) -> dict[str, float]:
        """One step of the optimiser; returns the terms of the loss.

        Raises:
            FloatingPointError: the loss or its gradient is not finite; the weights were not changed.
            TrainingCollapsed: all scores have been equal for a while.
            RuntimeError: the GPU's memory does not suffice; says what to lower.
        """
        self.whole = False
        with enough_memory(f"step {self.place.step}", self.model, "batch_size"):
            losses = self._step(batch, learning_rate, warming_up)
        self.whole = True
        return losses

    def _step(self, batch: Batch, learning_rate: float, warming_up: bool) -> dict[str, float]:
        batch = batch.to(self.device)
        on_gpu = self.device.type == "cuda"
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate * group["share"]
        self.model.train()
        team = self._team_for(batch)
        with torch.random.fork_rng(devices=[self.device] if on_gpu else []), together(team):
            torch.manual_seed(self._seed_of_step(team.rank))
            with torch.autocast(self.device.type, torch.bfloat16, enabled=on_gpu):
                terms = self.model.training_loss(batch, warming_up=warming_up)
            total = torch.stack([term.float() for term in terms.values()]).sum()
            told = torch.stack([term.detach().float() for term in terms.values()])
            self.processes.average([told])
            losses = dict(zip(terms, told.tolist(), strict=True))
            self._want_finite(float(told.sum()), f"the loss is {losses}")
            self.optimiser.zero_grad(set_to_none=True)
            total.backward()
        self.processes.average([p.grad for p in self.model.parameters() if p.grad is not None])
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.clip))
        self._want_finite(norm, f"the norm of the gradient is {norm} (loss {losses})")
        if not warming_up and self.place.step % LOOK_FOR_COLLAPSE_EVERY == 0:
            self._look_for_collapse(batch)
        self.optimiser.step()
        torch.autograd.graph.increment_version(self.model.parameters())  # a fused optimiser does not say so
        self.place.step += 1
        self.place.batch += 1
        return losses

    def _team_for(self, batch: Batch) -> Team:
        """Who shares a batch: with too few images for all, each does all of it."""
        return ALONE if batch.images_in_all is None else self.processes.team

    def _seed_of_step(self, rank: int) -> int:
        """Of all that chance decides in a step; processes that share a batch draw numbers of their own."""
        if rank == 0:
            return (self.seed << 32) + self.place.step
        drawn = np.random.SeedSequence([self.seed, self.place.step, rank])
        return int(drawn.generate_state(1, np.uint64)[0])

    def _look_for_collapse(self, batch: Batch) -> None:
        self.model.eval()
        with torch.no_grad(), together(self._team_for(batch)):
            scores = self.model(batch)
        margin = getattr(self.model.config, "margin", 0.2)
        self.watch.look(scores, batch.image_of, margin, self.place.step)

    def _want_finite(self, value: float, what: str) -> None:
        if math.isfinite(value):
            return
        if self.last_checkpoint is not None:
            kept = f"the last good checkpoint is that of step {self.last_checkpoint} in {self.folder}"
        else:
            kept = "there is no checkpoint" + ("" if self.folder else " (no folder was given)")
        raise FloatingPointError(
            f"at step {self.place.step} {what}; {kept}, {self.best_in_words}. Lower learning_rate, and look"
            " for infinite or very large region features"
        )

    def keep_if_best(self, ranking: Ranking, epoch: int) -> bool:
        """Remember the present weights if this validation is the best so far."""
        if self.best is not None and ranking.rsum <= self.best.rsum:
            return False
        weights = {
            name: value.detach().to("cpu", copy=True) for name, value in self.model.state_dict().items()
        }
        self.best, self.best_weights = Best(ranking.rsum, epoch), weights  # no interrupt falls between
        return True

    @property
    def best_in_words(self) -> str:
        """Which weights the model holds when the run ends here."""
        if self.best is None:
            return "no epoch was finished, so the model holds its latest weights"
        return f"the model holds the weights of epoch {self.best.epoch}, validation rsum {self.best.rsum:.1f}"

    def restore_best(self) -> None:
        """Put the best weights into the model."""
        if self.best_weights:
            self.model.load_state_dict(self.best_weights)

    def save(self) -> None:
        """Write a checkpoint, if the run has a folder; of several processes the first one does."""
        if self.folder is None:
            return
        if not self.processes.first:
            self.last_checkpoint = self.place.step
            return
        groups = {
            "model": self.model.state_dict(),
            "best": self.best_weights,
            "optimiser": optimiser_tensors(self.optimiser),
        }
        facts = {
            "run": self.description,
            "place": asdict(self.place),
            "best": asdict(self.best) if self.best else None,
        }
        save_checkpoint(self.folder, groups, facts)
        self.last_checkpoint = self.place.step

    def save_where_it_stands(self) -> None:
        """Write a checkpoint of a run that was ended early, unless that cut off a step in its middle."""
        if self.whole and self.last_checkpoint != self.place.step:
            self.save()

    def end(self) -> None:
        """The best weights, in evaluation mode, back where the model came from."""
        self.restore_best()
        self.model.eval().to(self.home)


def _adam(model: RetrievalModel, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW that decays matrices only (without decay it is Adam); slow parameters learn at their share."""
    slow = model.slow_parameters()
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            share = next((share for start, share in slow.items() if name.startswith(start)), 1.0)
            groups.setdefault((share, parameter.dim() >= 2), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": found, "weight_decay": weight_decay if is_matrix else 0.0, "share": share}
            for (share, is_matrix), found in sorted(groups.items(), key=lambda group: group[0], reverse=True)
        ],
        fused=True,
    )
