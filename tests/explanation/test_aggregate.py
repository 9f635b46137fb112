from dataclasses import replace

import numpy as np
import pytest

from itr_explore.data.collection import Collection
from itr_explore.explanation.aggregate import aggregate
from itr_explore.explanation.maps import explain
from itr_explore.models.registry import from_pretrained
from itr_explore.records import Map

FIRST = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])
SECOND = np.array([[0.1, 0.9, 0.0], [0.3, 0.3, 0.4], [0.0, 0.0, 1.0]])


@pytest.fixture
def explained(make_explanation):
    """Makes an explanation with these maps of regions: name, values, layer, head."""

    def make(*maps, scale="softmax", origin="attention"):
        made = [Map(n, "region_to_region", v, origin, scale, layer=ly, head=h) for n, v, ly, h in maps]
        return replace(make_explanation(regions=3, truth=False), maps=tuple(made))

    return make


LAYERS = (("side.0.edges", FIRST, 0, None), ("side.1.edges", SECOND, 1, None))


def test_the_mean_is_that_of_each_cell(explained):
    found = aggregate(explained(*LAYERS), "mean")
    assert np.allclose(found.values, (FIRST + SECOND) / 2)
    assert (found.origin, found.exact, found.scale, found.layer) == ("derived", False, "softmax", None)
    assert found.note == "mean of side.0.edges, side.1.edges"


def test_the_largest_keeps_its_sign(explained):
    maps = explained(("a", -FIRST, 0, None), ("b", SECOND, 1, None), scale="signed")
    found = aggregate(maps, "max")
    assert found.values[0].tolist() == [-0.5, 0.9, 0.0]
    assert found.scale == "signed"


def test_rows_of_largest_shares_do_not_claim_to_sum_to_one(explained):
    assert aggregate(explained(*LAYERS), "max").scale == "unit"


def test_rollout_is_the_product_of_layers_that_hand_on_half_of_themselves(explained):
    wanted = (SECOND + np.eye(3)) / 2 @ ((FIRST + np.eye(3)) / 2)
    found = aggregate(explained(*LAYERS[::-1]), "rollout")
    assert np.allclose(found.values, wanted)
    assert np.allclose(found.values.sum(axis=1), 1)


def test_rollout_averages_the_heads_of_a_layer_first(explained):
    heads = (("side.0.heads.0", FIRST, 0, 0), ("side.0.heads.1", SECOND, 0, 1))
    found = aggregate(explained(*heads), "rollout")
    assert np.allclose(found.values, ((FIRST + SECOND) / 2 + np.eye(3)) / 2)
    assert found.layer == 0


def test_only_maps_of_the_asked_part_are_taken(explained):
    found = aggregate(explained(*LAYERS, ("side.10.edges", SECOND, 10, None)), "mean", "side.1")
    assert np.allclose(found.values, SECOND)
    assert found.name == "side.1.mean"


def test_what_cannot_be_aggregated_is_refused(explained, make_explanation):
    with pytest.raises(ValueError, match="no way 'sum' to aggregate; there is mean, max, rollout"):
        aggregate(explained(*LAYERS), "sum")
    with pytest.raises(ValueError, match=r"no map within 'other'; it has \['side.0.edges', 'side.1.edges'\]"):
        aggregate(explained(*LAYERS), "mean", "other")
    with pytest.raises(ValueError, match="no map within ''"):
        aggregate(explained(*LAYERS, origin="derived"))
    with pytest.raises(ValueError, match="maps of one kind and scale"):
        aggregate(make_explanation())
    for regions in (5, 7):  # the caption has as many words as there are regions, or not
        with pytest.raises(ValueError, match="'to_regions' is a word_to_region map"):
            aggregate(make_explanation("a red dog on grass", regions=regions), "rollout", "to_regions")
    with pytest.raises(ValueError, match=r"'side.0.edges' is signed; composed_relations"):
        aggregate(explained(*LAYERS, scale="signed"), "rollout")
    with pytest.raises(ValueError, match="'a' is of no layer"):
        aggregate(explained(("a", FIRST, None, None), LAYERS[1]), "rollout")


def test_heads_of_a_trained_system_become_the_mean_that_its_tap_shows():
    explanation = explain(from_pretrained("lgsf-tiny-scenes"), Collection.scenes("test").pair(0))
    found = aggregate(explanation, "mean", "image_side.layers.0.edges")
    assert np.allclose(found.values, explanation.map("image_side.layers.0.edges.mean").values, atol=1e-6)
