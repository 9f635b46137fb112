"""Regions of a picture from its pixels alone."""

import numpy as np
import pytest
from PIL import Image

from itr_explore.data.boxes import iou
from itr_explore.data.collection import Collection
from itr_explore.data.sliding import FEWEST, MOST, sliding_regions


@pytest.mark.parametrize("size", [(320, 240), (1, 1), (60, 900)])
def test_any_picture_has_some_regions_the_whole_of_it_first(size):
    features, boxes = sliding_regions(Image.new("RGB", size, "white"))
    assert FEWEST <= len(boxes) <= MOST
    assert features.shape == (len(boxes), 128)
    assert boxes[0].tolist() == [0, 0, 1, 1]
    assert (boxes >= 0).all()
    assert (boxes <= 1).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_most_things_of_a_scene_are_covered():
    scenes = Collection.scenes("test")
    covered = []
    for image in range(4):
        _, boxes = sliding_regions(scenes.image(image))
        for caption in scenes.captions_of(image):
            for mention in scenes.truth(int(caption)).mentions:
                covered += (
                    (iou(mention.boxes, boxes).max(axis=1) >= 0.5).tolist() if len(mention.boxes) else []
                )
    assert np.mean(covered) > 0.6
