import numpy as np
import pytest
import torch
from toys import toy_collection

from itr_explore.data.text import build_tokenizer
from itr_explore.evaluation.map_checks import infidelity, max_sensitivity, sign_agreement
from itr_explore.evaluation.removal import Removal, area, curves
from itr_explore.explanation.attribution import region_baseline, word_baseline
from itr_explore.explanation.scorer import Scorer
from itr_explore.models.registry import create_model


class Known:
    """Scores by a table of what each part gives, and how often they were asked for."""

    def __init__(self, gives):
        self.gives = np.array(gives, dtype=float)

    def __call__(self, kept):
        return np.asarray(kept) @ self.gives


@pytest.fixture
def scorer():
    collection = toy_collection(3)
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    model = create_model("scan", region_dim=collection.region_dim, tokenizer=tokenizer, dim=8, box=False)
    return Scorer.of(model.eval(), collection.pair(0))


@pytest.mark.parametrize("side", ["regions", "words"])
@torch.no_grad()
def test_scores_of_kept_parts_are_those_of_pairs_made_one_by_one(scorer, side):
    of_regions, of_words = region_baseline(scorer, "mean"), word_baseline(scorer, "padding")
    removal = Removal(scorer, of_regions if side == "regions" else of_words, side, at_once=2)
    kept = np.random.default_rng(0).random((6, removal.parts)) < 0.5
    for state, score in zip(kept, removal(kept), strict=True):
        regions, embeddings = scorer.regions.clone(), scorer.embeddings.clone()
        if side == "regions":
            regions[0, ~state] = of_regions[0, ~state]
        else:
            embeddings[0, 1:-1][~state] = of_words[0, 1:-1][~state]
        assert score == pytest.approx(scorer(regions, embeddings).item(), abs=1e-5)


def test_no_state_is_asked_of_the_model_twice(scorer, monkeypatch):
    removal = Removal(scorer, region_baseline(scorer, "mean"), "regions")
    asked = []
    scores = removal._scores
    monkeypatch.setattr(removal, "_scores", lambda kept: (asked.append(len(kept)), scores(kept))[1])
    states = np.ones((3, removal.parts), dtype=bool)
    removal(states)
    removal(states)
    assert asked == [1]


def test_parts_go_in_the_order_of_a_map_and_come_back_in_it():
    found = curves(Known([1, 4, 2]), np.array([0.1, 0.9, 0.5]), 2, 10, np.random.default_rng(0))
    assert found.deletion.tolist() == [7, 3, 1, 0]
    assert found.insertion.tolist() == [0, 4, 6, 7]
    assert found.random[:, [0, -1]].tolist() == [[7, 0], [7, 0]]


def test_with_more_parts_than_points_several_go_at_a_time():
    found = curves(Known(np.ones(10)), np.arange(10.0), 1, 4, np.random.default_rng(0))
    assert found.share.tolist() == [0, 0.2, 0.5, 0.8, 1]
    assert found.deletion.tolist() == [10, 8, 5, 2, 0]


def test_equal_values_go_in_an_order_by_chance():
    first = [
        curves(Known([1, 0]), np.zeros(2), 1, 2, np.random.default_rng(seed)).deletion[1]
        for seed in range(20)
    ]
    assert set(first) == {0, 1}


def test_random_orders_have_the_area_of_a_straight_line_on_average():
    found = curves(Known([1, 4, 2, 0]), np.zeros(4), 2000, 4, np.random.default_rng(0))
    assert found.areas()[2].mean() == pytest.approx(3.5, rel=0.02)


def test_areas_are_those_of_trapezia():
    assert area(np.array([0, 0.5, 1]), np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])).tolist() == [0.5, 1]


def test_curves_are_read_on_straight_lines_between_their_points():
    found = curves(Known([1, 4]), np.array([1.0, 4.0]), 1, 2, np.random.default_rng(0))
    assert found.at(np.array([0, 0.25, 1]))[0].tolist() == [5, 3, 0]


def test_signs_by_hand():
    values, changes = np.array([1.0, -1.0, 1.0, 0.0, 2.0]), np.array([0.5, 0.5, -0.1, 1.0, 0.0])
    agree, counted, by_chance = sign_agreement(values, changes)
    assert (agree, counted) == (1, 3)  # what has no sign is left out
    assert by_chance == pytest.approx(3 * (2 / 3 * 2 / 3 + 1 / 3 * 1 / 3))


def test_the_sign_agreement_of_chance_is_the_mean_over_all_orders():
    values, changes = np.array([1.0, -1.0, 1.0, -2.0]), np.array([0.5, 0.5, -0.1, 1.0])
    luck = np.random.default_rng(0)
    drawn = [sign_agreement(luck.permutation(values), changes)[0] for _ in range(4000)]
    assert sign_agreement(values, changes)[2] == pytest.approx(np.mean(drawn), abs=0.05)


def test_without_a_sign_nothing_is_counted():
    assert sign_agreement(np.zeros(3), np.ones(3)) == (0, 0, 0)


def test_infidelity_is_the_mean_square_of_what_a_map_at_its_best_scale_does_not_predict():
    gives, replaced = np.array([1.0, 4.0, 2.0]), np.random.default_rng(0).random((50, 3)) < 0.5
    maps = np.array([[2.0, 8.0, 4.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    found = infidelity(Known(gives), maps, replaced)
    changes, counts = replaced @ gives, replaced.sum(axis=1)
    scale = (changes * counts).sum() / (counts**2).sum()
    wanted = [0, ((scale * counts - changes) ** 2).mean(), (changes**2).mean()]
    assert found == pytest.approx(wanted, abs=1e-9)


def test_sensitivity_is_the_largest_relative_change_among_noisy_copies():
    pair = toy_collection(1).pair(0)
    seen = []

    def maps(pairs):
        seen.extend(one.regions for one in pairs)
        return [one.regions.sum(axis=1) for one in pairs]

    own = pair.regions.sum(axis=1)
    found = max_sensitivity(maps, pair, own, noise=0.1, copies=3)
    moved = [np.linalg.norm(one.sum(axis=1) - own) / np.linalg.norm(own) for one in seen]
    assert len(seen) == 3
    assert found == pytest.approx(max(moved), rel=1e-4)
    assert np.abs(np.array(seen) - pair.regions).max() <= 0.1 * pair.regions.std(ddof=1) + 1e-6


def test_a_map_that_does_not_move_is_not_sensitive():
    pair, still = toy_collection(1).pair(0), np.ones(2)
    assert max_sensitivity(lambda pairs: [still] * len(pairs), pair, still, 0.1, 3) == 0
