import numpy as np
import pytest
import torch

from itr_explore.data.collection import Collection
from itr_explore.evaluation.controls import RANDOM, with_controls
from itr_explore.explanation.maps import explain
from itr_explore.models.registry import from_pretrained


@pytest.fixture(scope="module")
def pair():
    return Collection.scenes("val", size=40).pair(0)


def test_an_attribution_and_random_weights_stand_beside_a_model_which_stays_as_it_was(pair):
    model = from_pretrained("scan-tiny-scenes")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    own, found = explain(model, pair), with_controls(model, pair)
    assert list(found) == ["joint occlusion", RANDOM]
    assert found["joint occlusion"].best("word_to_region").origin == "attribution"
    assert [one.name for one in found[RANDOM].maps] == [one.name for one in own.maps]
    assert not np.allclose(found[RANDOM].maps[0].values, own.maps[0].values)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_same_seed_gives_the_same_random_weights(pair):
    model = from_pretrained("vse-tiny-scenes")
    maps = [with_controls(model, pair, "occlusion", seed=seed)[RANDOM].maps[0].values for seed in (3, 3, 4)]
    assert np.array_equal(maps[0], maps[1])
    assert not np.allclose(maps[0], maps[2])
