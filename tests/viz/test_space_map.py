from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from itr_explore.records import Space
from itr_explore.viz.space_map import MOST_PICTURES, embedding_map


def a_space(images=3, apart=1.0):
    places = np.stack([np.arange(images) * apart, np.zeros(images)], axis=1)
    of = np.repeat(np.arange(images), 2)
    pictures = tuple(Image.new("RGB", (64, 48), "seagreen") for _ in range(images))
    names, texts = tuple(map(str, range(images))), tuple(f"caption {n}" for n in range(len(of)))
    return Space("vse", places, np.repeat(places, 2, axis=0) + 0.1, of, (0.5, 0.25), names, texts, pictures)


def test_images_and_captions_stand_where_the_record_says():
    captions, images = embedding_map(a_space()).data
    assert np.allclose(images.x, [0, 1, 2])
    assert np.allclose(captions.x, [0.1, 0.1, 1.1, 1.1, 2.1, 2.1])
    assert images.marker.symbol != captions.marker.symbol


def test_the_axes_say_how_much_of_the_variance_they_show_and_are_alike():
    figure = embedding_map(a_space())
    assert figure.layout.xaxis.title.text == "principal component 1, 50% of the variance"
    assert figure.layout.yaxis.scaleanchor == "x"


def test_pictures_are_few_and_none_hides_another():
    assert len(embedding_map(a_space(apart=1.0)).layout.images) == 3
    assert len(embedding_map(a_space(images=300, apart=0.001)).layout.images) < 20
    assert len(embedding_map(a_space(images=30)).layout.images) <= MOST_PICTURES


def test_without_pictures_images_are_squares():
    space = a_space()
    assert embedding_map(replace(space, pictures=(None,) * 3)).layout.images == ()


def test_a_link_runs_from_each_caption_to_its_image():
    lines = embedding_map(a_space(), links=True).data[0]
    assert np.allclose(lines.x[:2], [0.1, 0])
    assert np.isnan(lines.x[2::3]).all()
    assert len(lines.x) == 3 * 6


def test_captions_are_text_to_plotly():
    space = replace(a_space(), texts=("<b>bold</b>",) * 6)
    assert "\\u003cb\\u003e" not in embedding_map(space).to_json()


def test_a_record_whose_parts_do_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"captions must be \[5 2\], got \[6, 2\]"):
        replace(a_space(), texts=("a",) * 5)
    with pytest.raises(ValueError, match="a picture, or None, for each of 3 images"):
        replace(a_space(), pictures=(None,))
