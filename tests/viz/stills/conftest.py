from xml.etree import ElementTree

import pytest

from itr_explore.viz.drawing import Box, Photo, Text
from itr_explore.viz.vector import svg


@pytest.fixture
def whole():
    """Asks whether all of a drawing lies on its paper, and whether its SVG can be read."""

    def looked(drawing):
        for shape in drawing.shapes:
            if isinstance(shape, Box | Photo):
                assert shape.x >= -2
                assert shape.x + shape.width <= drawing.width + 2, shape
                assert shape.y + shape.height <= drawing.height, shape
            elif isinstance(shape, Text):
                share = {"start": 0, "middle": 0.5, "end": 1}[shape.anchor]
                assert shape.x - share * shape.width >= -2, shape
                assert shape.x + (1 - share) * shape.width <= drawing.width + 2, shape
                assert shape.y <= drawing.height, shape
        ElementTree.fromstring(svg(drawing))

    return looked


@pytest.fixture
def texts():
    """The texts of a drawing."""
    return lambda drawing: [shape.text for shape in drawing.shapes if isinstance(shape, Text)]
