import numpy as np
from PIL import Image

from itr_explore.viz.drawing import Area, Box, Drawing, Line, Photo, Text
from itr_explore.viz.fonts import measure
from itr_explore.viz.raster import png


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


def test_a_dashed_line_has_gaps_and_goes_on_round_a_corner():
    corner = Line(((10, 10), (60, 10), (60, 45)), "#000000", 2, dash=(6, 6))
    image = np.asarray(png(drawing(corner), scale=1))[:, :, 0]
    assert {0, 255} <= set(image[10, 12:58].tolist())
    assert {0, 255} <= set(image[12:43, 60].tolist())


def test_an_area_is_filled():
    image = np.asarray(png(drawing(Area(((10, 10), (60, 10), (10, 40)), "#ff0000")), scale=1))
    assert image[15, 15].tolist() == [255, 0, 0]
    assert image[38, 58].tolist() == [255, 255, 255]
