"""Train the region network: `python -m itr_explore.data.scenes.train_features`.

Crops of training scenes, labelled by the thing they overlap most, teach one network to name kind, colour and
setting. Run it again whenever `draw.py` has changed; it overwrites the weights in `zoo/region-cnn`.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from tqdm.auto import tqdm

from itr_explore.data.boxes import iou
from itr_explore.data.scenes.features import NOTHING, RegionCNN, crop, weights_folder
from itr_explore.data.scenes.language import COVERS
from itr_explore.data.scenes.layout import make_scene
from itr_explore.data.scenes.pixels import picture
from itr_explore.data.scenes.regions import propose
from itr_explore.data.scenes.world import COLOURS, KINDS, SETTINGS, hidden_fraction, visible_box

IGNORE = -100  # label that no loss is taken of: the colour of nothing, or a kind between two answers
NOTHING_BELOW = 0.3  # IoU up to which a crop shows no thing; from there to COVERS nothing is said
PLAIN_COVER, PLAIN_HIDDEN = 0.7, 0.2  # a plain crop: covers so much of a thing that is hidden no more than so


def labelled(index: int, split: str, seed: int, drafts: int) -> dict[str, np.ndarray]:
    """Crops of one scene with their labels, from that many independent drafts of its proposals.

    Returns:
        `crops` [crop 32 32 3] uint8; `kind`, `colour`, `setting` [crop] int64; `plain` [crop] bool.
    """
    scene = make_scene((seed, split, index))
    image = picture(scene)
    boxes = np.concatenate([propose(scene, draft) for draft in range(drafts)])
    cover = iou(boxes, np.array([visible_box(scene, row) for row in range(len(scene.things))]))
    nearest, most = cover.argmax(1), cover.max(1)
    kinds = np.array([1 + list(KINDS).index(thing.kind) for thing in scene.things])[nearest]
    colours = np.array([COLOURS.index(thing.colour) for thing in scene.things])[nearest]
    hidden = np.array([hidden_fraction(thing, scene.things) for thing in scene.things])[nearest]
    return {
        "crops": crop(image, boxes),
        "kind": np.where(most >= COVERS, kinds, np.where(most < NOTHING_BELOW, 0, IGNORE)),
        "colour": np.where(most >= COVERS, colours, IGNORE),
        "setting": np.full(len(boxes), SETTINGS.index(scene.setting)),
        "plain": (most >= PLAIN_COVER) & (hidden <= PLAIN_HIDDEN),
    }


def gather(split: str, scenes: int, seed: int, drafts: int, processes: int) -> dict[str, Tensor]:
    """The labelled crops of the first scenes of a split."""
    make = partial(labelled, split=split, seed=seed, drafts=drafts)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        each = pool.imap(make, range(scenes), chunksize=32)
        found = list(tqdm(each, total=scenes, desc=f"drawing {split} scenes", mininterval=1))
    return {name: torch.from_numpy(np.concatenate([one[name] for one in found])) for name in found[0]}


def train(data: dict[str, Tensor], epochs: int, seed: int, batch: int = 256, peak: float = 4e-3) -> RegionCNN:
    """A network that names what is in the crops; batch norm helps it to learn and is then folded away."""
    torch.manual_seed(seed)
    model = RegionCNN()
    learner = _with_norms(model.body)
    model.body = learner
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.02)
    steps = epochs * (len(data["crops"]) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, total_steps=steps, pct_start=0.2)
    with tqdm(total=steps, desc="training", mininterval=1) as bar:
        for _ in range(epochs):
            order = torch.randperm(len(data["crops"]))
            for rows in order[: len(order) // batch * batch].split(batch):
                crops = data["crops"][rows]
                crops[::2] = crops[::2].flip(2)  # every other crop in a mirror
                logits = model.classify(nn.functional.dropout(model(crops), 0.1))
                losses = [
                    weight * cross_entropy(logits[what], data[what][rows], ignore_index=IGNORE)
                    for what, weight in (("kind", 1.0), ("colour", 1.0), ("setting", 0.3))
                ]
                optimiser.zero_grad(set_to_none=True)
                torch.stack(losses).sum().backward()
                optimiser.step()
                schedule.step()
                bar.update()
    model.eval()
    model.body = _folded(learner)
    return model.requires_grad_(False)


@torch.inference_mode()
def measure(model: RegionCNN, data: dict[str, Tensor]) -> dict[str, float]:
    """Accuracy of each classifier where there is an answer; for kind and colour also on plain crops alone."""
    features = torch.cat([model(crops) for crops in data["crops"].split(512)])
    right = {what: logits.argmax(-1) == data[what] for what, logits in model.classify(features).items()}
    shares: dict[str, Tensor] = {}
    for what, hits in right.items():
        shares[what] = hits[data[what] != IGNORE]
    for what in ("kind", "colour"):
        shares[f"plain {what}"] = right[what][data["plain"]]
    shares["nothing"] = right["kind"][data["kind"] == model.config.names["kind"].index(NOTHING)]
    return {name: round(hits.float().mean().item(), 4) for name, hits in shares.items()}


def _with_norms(body: nn.Sequential) -> nn.Sequential:
    """The same layers with batch norm after each that has weights."""
    layers: list[nn.Module] = []
    for layer in body:
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            layers.append(nn.BatchNorm2d(layer.out_channels))
        if isinstance(layer, nn.Linear):
            layers.append(nn.BatchNorm1d(layer.out_features))
    return nn.Sequential(*layers)


def _folded(body: nn.Sequential) -> nn.Sequential:
    """The layers with batch norm folded into the weights before it: the same function with fewer steps."""
    layers: list[nn.Module] = []
    for layer in body:
        before = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            layers[-1] = fuse_conv_bn_eval(before, layer)
        elif isinstance(layer, nn.BatchNorm1d) and isinstance(before, nn.Linear):
            layers[-1] = fuse_linear_bn_eval(before, layer)
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


def main(arguments: Iterable[str] | None = None) -> None:
    """Draw, train, measure on scenes of the validation split, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=4000, help="training scenes (default 4000)")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2, help="for drawing (default 2)")
    parser.add_argument("--folder", type=Path, default=Path(str(weights_folder())))
    told = parser.parse_args(list(arguments) if arguments is not None else None)
    torch.set_num_threads(1)  # the same sums in the same order on every machine, and quick enough

    known = gather("train", told.scenes, told.seed, drafts=2, processes=told.processes)
    unseen = gather("val", max(told.scenes // 10, 1), told.seed, drafts=1, processes=told.processes)
    model = train(known, told.epochs, told.seed)
    model.config = replace(model.config, measured=measure(model, unseen))
    model.save(told.folder)
    print(f"accuracy on {len(unseen['crops'])} crops of {told.scenes // 10} scenes of the split val:")
    for name, share in model.config.measured.items():
        print(f"  {name:14} {100 * share:5.1f} %")


if __name__ == "__main__":
    main()
