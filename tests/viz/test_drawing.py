import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from itr_explore.viz.drawing import Box, Drawing, Line, Photo, Text, measure, png, svg

NAME = "{http://www.w3.org/2000/svg}"


def drawing(*shapes, width=100.0, height=50.0):
    return Drawing(width, height, "#ffffff", shapes, "a <title>", "what it shows")


def test_a_drawing_has_so_many_pixels_for_each_of_its_own():
    assert png(drawing(), scale=2).size == (200, 100)


def test_shapes_are_where_they_are_said_to_be():
    image = np.asarray(png(drawing(Box(10, 10, 20, 20, fill="#ff0000")), scale=1))
    assert image[20, 20].tolist() == [255, 0, 0]
    assert image[20, 40].tolist() == [255, 255, 255]


def test_later_shapes_lie_above_earlier_ones_and_text_above_all():
    photo = Photo(0, 0, 100, 50, Image.new("RGB", (8, 4), "#0000ff"))
    image = np.asarray(png(drawing(photo, Box(0, 0, 50, 50, fill="#ff0000")), scale=1))
    assert image[25, 25].tolist() == [255, 0, 0]
    assert image[25, 75].tolist() == [0, 0, 255]


def test_text_is_drawn_as_wide_as_it_is_measured():
    ink = np.asarray(png(drawing(Text(0, 30, "wide words", 12, "#000000")), scale=4))[:, :, 0] < 128
    assert abs(np.flatnonzero(ink.any(axis=0)).max() / 4 - measure("wide words", 12)) < 2


def test_a_dashed_box_has_gaps():
    edge = np.asarray(png(drawing(Box(10, 10, 80, 30, stroke="#000000", line=2, dash=(6, 6))), scale=1))[
        10, :, 0
    ]
    assert {0, 255} <= set(edge[12:88].tolist())


def test_an_svg_is_read_by_any_reader_and_fetches_nothing():
    photo = Photo(0, 0, 10, 10, Image.new("RGB", (2, 2)))
    written = svg(drawing(photo, Line(((0, 0), (5, 5)), "#000000"), Text(0, 10, "words", 12, "#000000")))
    root = ElementTree.fromstring(written)
    assert root.find(f"{NAME}title").text == "a <title>"
    assert root.find(f"{NAME}image").get("href").startswith("data:image/jpeg;base64,")
    assert root.find(f"{NAME}text").text == "words"


@pytest.mark.parametrize(
    "text", ["</text><script>alert(1)</script>", "a \x00 b \ud800 c", "a \ufffe b \uffff c", "& < > \" '"]
)
def test_text_from_people_stays_text(text):
    written = svg(drawing(Text(0, 10, text, 12, "#000000")))
    shown = ElementTree.fromstring(written).find(f"{NAME}text").text
    assert "<script" not in written
    assert shown == re.sub("[\x00\ud800\ufffe\uffff]", " ", text)
    png(drawing(Text(0, 10, text, 12, "#000000")))


def test_two_drawings_on_one_page_are_each_named_by_themselves():
    root = ElementTree.fromstring(svg(drawing()))
    assert root.get("aria-label") == "a <title>. what it shows"
    assert not [node for node in root.iter() if node.get("id")]
