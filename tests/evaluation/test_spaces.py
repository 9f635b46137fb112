import numpy as np
import pytest
import torch
from toys import toy_collection, toy_model

from itr_explore.evaluation.spaces import embedding_space, principal

COLLECTION = toy_collection(20)


@pytest.fixture
def model():
    return toy_model(COLLECTION)


def test_principal_components_keep_what_differs_most():
    random = np.random.default_rng(0)
    plane = random.normal(size=(50, 2)) * [5, 2]
    turned = plane @ np.linalg.qr(random.normal(size=(6, 6)))[0][:2] + 3
    places, explained = principal(turned)
    apart = np.linalg.norm(plane[:, None] - plane, axis=-1)
    assert np.allclose(np.linalg.norm(places[:, None] - places, axis=-1), apart)
    assert sum(explained) == pytest.approx(1)
    assert explained[0] > explained[1]


def test_principal_components_of_points_on_a_line_or_in_one_place_exist():
    line, explained = principal(np.outer(np.arange(5), np.ones(3)))
    assert explained == pytest.approx((1, 0))
    assert np.allclose(line[:, 1], 0)
    assert principal(np.ones((4, 3)))[1] == (0, 0)


def test_images_are_evenly_spread_and_come_with_all_their_captions(model):
    space = embedding_space(model, COLLECTION, images=5, device="cpu")
    assert space.image_ids == tuple(COLLECTION.image_ids[row] for row in (0, 4, 9, 14, 19))
    assert list(space.image_of) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert space.texts[3] == COLLECTION.captions[COLLECTION.captions_of(4)[0]]


def test_images_lie_nearer_to_captions_that_they_score_higher_with_in_a_plane(model):
    with torch.no_grad():
        model.look.weight[2:] = 0
        model.look.bias[2:] = 0
        model.read.weight[:, 2:] = 0
    space = embedding_space(model, COLLECTION, images=20, device="cpu")
    assert sum(space.explained) == pytest.approx(1)
    scores = model.whole_matrix(COLLECTION).numpy()
    apart = np.linalg.norm(space.images[:, None] - space.captions, axis=-1)
    assert np.allclose(apart**2, 2 - 2 * scores, atol=1e-5)


def test_the_table_says_what_the_axes_hold_and_the_frame_where_each_lies(model):
    space = embedding_space(model, COLLECTION, images=4, device="cpu")
    assert [row[0] for row in space.table().rows] == ["component 1", "component 2"]
    assert list(space.to_frame().kind.value_counts()) == [12, 4]


def test_a_model_whose_scores_are_no_products_of_vectors_is_refused(model, monkeypatch):
    monkeypatch.setattr(model, "score", lambda images, captions: 0.5 * images.vectors @ captions.vectors.T)
    with pytest.raises(ValueError, match=r"toy compares words with regions.*take a system of one vector"):
        embedding_space(model, COLLECTION, device="cpu")


def test_no_images_are_refused(model):
    with pytest.raises(ValueError, match="at least one image"):
        embedding_space(model, COLLECTION, images=0)
