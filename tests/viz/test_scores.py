import numpy as np
import pytest

from itr_explore.evaluation.ranking import rank
from itr_explore.viz.scores import score_histograms, similarity_matrix

SCORES = np.array([[0.9, 0.8, 0.1, 0.4], [0.2, 0.3, 0.7, 0.6], [0.1, 0.85, 0.2, 0.5]])
IMAGE_OF = np.array([0, 2, 1, 0])


def trace(figure, name):
    return next(found for found in figure.data if found.name == name)


def test_captions_stand_in_the_order_of_their_images():
    heat = similarity_matrix(SCORES, IMAGE_OF).data[0]
    assert np.allclose(heat.z, SCORES[:, [0, 3, 2, 1]])


def test_a_ring_marks_a_caption_whose_image_is_first_and_a_cross_one_whose_is_not():
    figure = similarity_matrix(SCORES, IMAGE_OF)
    ring, cross = (trace(figure, name) for name in ("its image, and its first", "its image, not its first"))
    assert list(zip(ring.x, ring.y, strict=True)) == [(0, 0), (2, 1), (3, 2)]
    assert list(zip(cross.x, cross.y, strict=True)) == [(1, 0)]
    assert ring.marker.symbol != cross.marker.symbol


def test_names_are_text_to_plotly():
    captions = ["<b>one</b>", "two", "three", "four"]
    figure = similarity_matrix(SCORES, IMAGE_OF, images=["<i>a</i>", "b", "c"], captions=captions)
    assert "\\u003cb\\u003e" not in figure.to_json()
    assert "&lt;b&gt;one" in trace(figure, "its image, and its first").text[0]


def test_a_matrix_of_too_many_cells_says_how_to_cut_it():
    with pytest.raises(ValueError, match=r"more than 40,000 cells.*scores\[:40\]"):
        similarity_matrix(np.zeros((300, 300)), np.zeros(300, dtype=int))


@pytest.mark.parametrize(
    ("scores", "image_of", "message"),
    [
        (SCORES, IMAGE_OF[:2], r"got \[3, 4\] and \[2\]"),
        (SCORES[0], IMAGE_OF, "wanted scores"),
        (SCORES, IMAGE_OF + 1, "names images 1 to 3, there are 3"),
        (SCORES * np.nan, IMAGE_OF, "NaN"),
    ],
)
@pytest.mark.parametrize("draw", [similarity_matrix, score_histograms])
def test_scores_that_do_not_fit_are_refused(draw, scores, image_of, message):
    with pytest.raises(ValueError, match=message):
        draw(scores, image_of)


def test_each_histogram_holds_all_of_its_pairs():
    figure = score_histograms(SCORES, IMAGE_OF)
    for name in ("right pairs", "wrong pairs"):
        assert trace(figure, name).y[1::2].sum() == pytest.approx(100, abs=1e-3)


def test_the_share_of_margins_above_zero_is_recall_at_1():
    random = np.random.default_rng(0)
    image_of = np.repeat(np.arange(30), 3)
    scores = random.normal(size=(30, 90)) + 2 * (np.arange(30)[:, None] == image_of)
    there, back = rank(scores, image_of).recall_at(1)
    names = [found.name for found in score_histograms(scores, image_of).data]
    assert f"image to text: {there:.1f}% above zero" in names
    assert f"text to image: {back:.1f}% above zero" in names


def test_no_bar_of_a_margin_stands_on_both_sides_of_zero():
    figure = score_histograms(SCORES, IMAGE_OF)
    margins = next(found for found in figure.data if found.name.startswith("image to text"))
    assert np.isclose(margins.x, 0).any()


def test_an_image_without_a_caption_has_no_margin():
    figure = score_histograms(SCORES, np.array([0, 1, 1, 0]))
    assert "image to text: 100.0% above zero" in [found.name for found in figure.data]


def test_one_image_has_no_wrong_pair():
    with pytest.raises(ValueError, match="at least two images"):
        score_histograms(SCORES[:1], np.zeros(4, dtype=int))
