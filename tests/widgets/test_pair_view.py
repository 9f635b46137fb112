from dataclasses import replace

import numpy as np
import pytest

from itr_explore.widgets.pair_view import PairView


@pytest.fixture
def view(make_explanation):
    return PairView(make_explanation())


def test_a_view_with_its_image_weighs_less_than_300_kilobytes(view, tmp_path):
    assert view.save_html(tmp_path / "pair.html").stat().st_size < 300_000


def test_a_view_of_a_busy_photo_weighs_less_than_300_kilobytes(make_explanation, tmp_path):
    from PIL import Image

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (3000, 4000, 3), dtype=np.uint8))
    explanation = make_explanation(regions=36)
    explanation = replace(explanation, pair=replace(explanation.pair, image=noise))
    assert PairView(explanation).save_html(tmp_path / "pair.html").stat().st_size < 300_000


def test_it_shows_itself_in_ways_that_outlive_the_kernel(view):
    data, _ = view._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert len(data["text/html"]) < 300_000


def test_inside_other_widgets_it_is_a_widget(view):
    from ipywidgets import VBox

    assert VBox([view]).children == (view,)
    assert view.get_state()["payload"]["caption"] == "A red dog near two boats"


def test_the_text_says_score_strongest_regions_and_verdicts(view):
    text = repr(view)
    assert "toy, score 0.750: A red dog near two boats" in text
    assert [line.split() for line in text.splitlines()[2:-1]] == [
        ["red", "region", "0", "0.300", "uncovered"],
        ["dog", "region", "1", "0.600", "hit"],
        ["boats", "region", "2", "0.600", "miss"],
    ]
    assert text.splitlines()[-1] == "1 of 3 right; by chance 0.4"


def test_without_truth_the_text_claims_no_verdict(make_explanation):
    text = repr(PairView(make_explanation(truth=False)))
    assert "right" not in text
    assert "dog" in text


def test_the_numbers_behind_the_view_are_those_of_the_map(view):
    frame = view.to_frame()
    assert list(frame.index) == ["a", "red", "dog", "near", "two", "boats"]
    assert np.array_equal(frame.to_numpy(), view.explanation.map("to_regions").values)


def test_numbers_of_a_map_without_words_are_refused_and_it_is_said_where_they_are(view):
    with pytest.raises(ValueError, match="region_to_region"):
        view.to_frame("layers.0.affinity")


def test_saving_returns_the_path_and_makes_its_folder(view, tmp_path):
    path = view.save_html(tmp_path / "deep" / "pair.html")
    assert path == tmp_path / "deep" / "pair.html"
    assert [found.name for found in path.parent.iterdir()] == ["pair.html"]


def test_explore_explains_and_shows(make_explanation, monkeypatch):
    from itr_explore.widgets import pair_view

    explanation = make_explanation()
    monkeypatch.setattr(pair_view, "explain", lambda model, pair: explanation if pair == "pair" else None)
    assert pair_view.explore("model", "pair").explanation is explanation
