"""The splits of the embedded collection: which scene and which captions stand at which place."""

from __future__ import annotations

from itr_explore.data.scenes.language import Caption, make_captions
from itr_explore.data.scenes.layout import make_scene
from itr_explore.data.scenes.probes import swap_item
from itr_explore.data.scenes.world import Scene

SIZES = {"train": 4000, "val": 500, "test": 500, "swap": 500, "compose": 500}  # scenes, unless told otherwise


def told(split: str, seed: int, index: int) -> tuple[Scene, tuple[Caption, ...]]:
    """A scene with its captions.

    Args:
        split: a key of SIZES. `compose` has things in colours that their kinds never have elsewhere. `swap`
            has one caption a scene, and scenes in pairs 2k and 2k + 1: the caption of each is the wrong one
            for the other.
        seed: of the collection.
        index: place in the split, from 0.
    """
    if split == "swap":
        item = swap_item(seed, index)
        return item.scene, (item.right,)
    novel = split == "compose"
    scene = make_scene((seed, split, index), novel)
    return scene, make_captions(scene, novel=novel)
