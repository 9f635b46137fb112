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


def test_a_view_is_saved_as_png_and_svg_without_a_browser(make_explanation, tmp_path):
    from PIL import Image

    view = PairView(make_explanation())
    with Image.open(view.save_png(tmp_path / "new" / "pair.png", width=800, theme="dark")) as image:
        assert image.width == 1600
    written = view.save_svg(tmp_path / "pair.svg", word="dog").read_text()
    assert written.startswith("<?xml")
    assert "1 of 3 right" in written


def test_a_still_of_a_word_or_a_theme_that_is_not_there_is_refused(make_explanation):
    view = PairView(make_explanation())
    with pytest.raises(ValueError, match=r"wanted a word of the caption.*'boats'"):
        view.still(word="cat")
    with pytest.raises(ValueError, match="region_to_region"):
        view.still(name="layers.0.affinity")
    with pytest.raises(ValueError, match='"light" or "dark"'):
        view.still(theme="pink")


def test_an_output_is_below_300_kilobytes_also_with_a_photo_full_of_noise(make_explanation):
    from dataclasses import replace

    from PIL import Image

    from itr_explore.widgets.page import embedded

    explanation = make_explanation(regions=36, caption=" ".join(["word"] * 20), truth=False)
    noise = np.random.default_rng(0).integers(0, 255, (3000, 4000, 3), dtype=np.uint8)
    noisy = replace(explanation, pair=replace(explanation.pair, image=Image.fromarray(noise)))
    assert len(embedded(PairView(noisy)).encode()) < 300_000


def test_what_stands_beside_is_told_in_the_text_and_sent_once(make_explanation):
    own = make_explanation()
    view = PairView(own, beside={"same": own})
    assert repr(view).splitlines()[-1] == "beside, same: 1 of 3 right"
    panels = view.payload["beside"]
    assert [panel["title"] for panel in panels] == ["attention", "same"]
    assert panels[0]["maps"] is None, "they are in the payload already"
    assert panels[1]["maps"] == view.payload["maps"]


def test_what_is_of_another_pair_is_not_put_beside(make_explanation):
    with pytest.raises(ValueError, match=r"'other' is of another pair \(toy: two cats\)"):
        PairView(make_explanation(), beside={"other": make_explanation("two cats", truth=False)})


def test_a_busy_photo_with_two_panels_weighs_less_than_300_kilobytes(make_explanation, tmp_path):
    from PIL import Image

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (3000, 4000, 3), dtype=np.uint8))
    found = make_explanation(" ".join(["word"] * 20), regions=36, truth=False)
    found = replace(found, pair=replace(found.pair, image=noise))
    view = PairView(found, beside={"one": found, "other": found})
    assert view.save_html(tmp_path / "pair.html").stat().st_size < 300_000
