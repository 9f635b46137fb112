import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from itr_explore.viz.drawing import Area, Drawing, Line, Photo, Text
from itr_explore.viz.raster import png
from itr_explore.viz.vector import svg

NAME = "{http://www.w3.org/2000/svg}"


def drawing(*shapes, width=100.0, height=50.0):
    return Drawing(width, height, "#ffffff", shapes, "a <title>", "what it shows")


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


def test_lines_and_areas_say_how_they_look():
    faint = Line(((0, 0), (5, 5)), "#000000", dash=(2, 1), opacity=0.5)
    root = ElementTree.fromstring(svg(drawing(faint, Area(((0, 0), (4, 0), (0, 4)), "#ff0000"))))
    line, area = root.find(f"{NAME}polyline"), root.find(f"{NAME}polygon")
    assert (line.get("stroke-dasharray"), line.get("opacity")) == ("2 1", "0.5")
    assert (area.get("points"), area.get("fill")) == ("0,0 4,0 0,4", "#ff0000")
