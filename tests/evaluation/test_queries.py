import numpy as np
import pytest

from itr_explore.data.collection import Collection
from itr_explore.evaluation.encoding import score_matrix
from itr_explore.evaluation.queries import query_ranks, query_ranks_in_steps
from itr_explore.evaluation.ranking import evaluate
from itr_explore.models.registry import from_pretrained
from itr_explore.search.gallery import Gallery


@pytest.mark.parametrize("side", ["images", "captions"])
def test_ranks_are_those_of_evaluate_and_margins_those_of_the_scores(toy, side):
    collection, model = toy(40)
    found, wanted = query_ranks(model, collection, side), evaluate(model, collection, device="cpu")
    ranks = wanted.text_to_image if side == "images" else wanted.image_to_text
    np.testing.assert_array_equal(found.ranks, ranks)
    scores = score_matrix(model, collection, device="cpu").astype(float)
    scores = scores.T if side == "images" else scores
    np.testing.assert_allclose(found.right_scores, scores[found.queries, found.right], atol=1e-6)
    np.testing.assert_allclose(found.wrong_scores, scores[found.queries, found.wrong], atol=1e-6)
    assert ((found.margins < 0) == (found.ranks > 0)).all()


def test_the_worst_come_first_by_rank_or_by_margin(toy):
    collection, model = toy(40)
    found = query_ranks(model, collection)
    assert found.worst(5).ranks.tolist() == sorted(found.ranks, reverse=True)[:5]
    assert found.worst(5, by="margin").margins.tolist() == sorted(found.margins)[:5]
    assert "5 of 120 captions as queries" in str(found.worst(5))
    assert len(found.to_frame()) == 120
    with pytest.raises(ValueError, match="rank or margin"):
        found.worst(by="name")


def test_steps_tell_how_far_they_are_and_leave_the_model_alone_in_between(toy):
    collection, model = toy(40)
    model.train()
    told = []
    for step in query_ranks_in_steps(model, collection, "captions"):
        assert model.training
        told.append(step)
    done = [step[0] for step in told]
    assert done == sorted(done)
    assert told[-1][:2] == (160, 160)
    assert len(told[-1][2].names) == 40


@pytest.mark.parametrize("memory", [2**30, 100], ids=["kept", "encoded again"])
@pytest.mark.parametrize("name", ["chan", "vse"])
def test_what_a_gallery_has_encoded_is_not_encoded_again_and_gives_the_same_ranks(name, memory):
    model, scenes = from_pretrained(f"{name}-tiny-scenes"), Collection.scenes("test").subset(range(20))
    gallery = Gallery(model, scenes, memory=memory)
    gallery.encode("captions")
    given = list(query_ranks_in_steps(model, scenes, "captions", shelf=gallery.shelf("captions")))
    assert all(done >= 100 for done, _, _ in given), "the first step scores already"
    wanted = query_ranks(model, scenes, "captions", device="cpu")
    np.testing.assert_array_equal(given[-1][2].ranks, wanted.ranks)
    np.testing.assert_allclose(given[-1][2].margins, wanted.margins, atol=1e-5)


def test_a_step_scores_some_items_only(toy, monkeypatch):
    monkeypatch.setattr("itr_explore.evaluation.shelf.AT_ONCE", 10)
    collection, model = toy(40)
    scored, whole = [], model.score
    model.score = lambda *sides: scored.append(len(sides[0]) * len(sides[1])) or whole(*sides)
    steps = [done for done, _, _ in query_ranks_in_steps(model, collection, queries=[1, 2], device="cpu")]
    assert steps == [10, 20, 30, 40, 40, 41, 41, 42, 42]
    assert max(scored) <= 20


@pytest.mark.parametrize(("side", "images"), [("images", []), ("captions", []), ("captions", [0, 0, 0])])
def test_where_no_answer_could_be_wrong_or_right_it_is_said_before(side, images, toy):
    whole, model = toy(3)
    bare = Collection(
        name="bare",
        split="test",
        captions=["a red dog"] * len(images),
        image_of=np.array(images, dtype=int),
        image_ids=["a", "b", "c"],
        regions=whole._regions,
    )
    with pytest.raises(ValueError, match=rf"got 3 images and {len(images)} captions"):
        query_ranks(model, bare, side, device="cpu")


def test_of_a_large_collection_queries_are_drawn_and_it_is_said(toy, monkeypatch):
    monkeypatch.setattr("itr_explore.evaluation.queries.MOST_PAIRS", 400)
    collection, model = toy(40)
    found = query_ranks(model, collection)
    assert len(found.names) == 10
    assert "10 of 120" in str(found)
    np.testing.assert_array_equal(query_ranks(model, collection).queries, found.queries)


def test_queries_can_be_named_and_others_are_refused(toy):
    collection, model = toy(40)
    assert query_ranks(model, collection, queries=[7, 3]).queries.tolist() == [7, 3]
    with pytest.raises(ValueError, match="0 to 119"):
        query_ranks(model, collection, queries=[120])
    with pytest.raises(ValueError, match="images or captions"):
        query_ranks(model, collection, "words")
