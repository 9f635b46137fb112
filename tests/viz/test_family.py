"""All figures are one family: the house's template, its colours only, and small enough to be kept in a notebook."""

import inspect
import pkgutil
import re
from importlib import import_module

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

import itr_explore.viz
from itr_explore.explanation.graph import region_graph
from itr_explore.records import (
    Attribution,
    Cascade,
    Change,
    Contrast,
    Intervention,
    Measured,
    Progress,
    Ranking,
    RemovalCurves,
    Space,
)
from itr_explore.viz import theme

MOST_BYTES = 300_000
RANDOM = np.random.default_rng(0)
IMAGE_OF = np.repeat(np.arange(40), 5)
SCORES = RANDOM.normal(size=(40, 200)).astype(np.float32)


def a_ranking():
    return Ranking(RANDOM.integers(0, 100, 1000).astype(float), RANDOM.integers(0, 100, 5000).astype(float))


def a_space(images=200):
    of = np.repeat(np.arange(images), 5)
    noise = [Image.fromarray(RANDOM.integers(0, 255, (48, 64, 3), dtype=np.uint8)) for _ in range(images)]
    places = RANDOM.normal(size=(6 * images, 2))
    names, texts = tuple(map(str, range(images))), ("a caption of quite some words " * 4,) * len(of)
    return Space("vse", places[:images], places[images:], of, (0.2, 0.1), names, texts, tuple(noise))


@pytest.fixture(scope="module")
def drawn(make_explanation):
    """What each figure is drawn from: as much as people have."""
    found = make_explanation(" ".join(f"word{n}" for n in range(20)), regions=36, truth=False)
    pair = found.pair
    parts, words = np.linspace(-0.3, 0.2, 36), np.linspace(-0.1, 0.4, 20)
    three = RANDOM.normal(size=(37, 3))
    history = [
        Progress(n, n / 500, {"a": 1.0, "b": 2.0}, 0.1, a_ranking() if n % 500 == 0 else None)
        for n in range(1, 5001)
    ]
    cascade = Cascade("scan", "occlusion", "regions", (("a",),) * 8, three[:8], np.zeros(3))
    change = Change(0.5, 0.2, RANDOM.normal(size=100))
    return {
        "alignment": (found,),
        "maps_beside": ({"one": found, "other": found},),
        "attribution_bars": (Attribution(pair, "toy", "occlusion", 0.5, 0.1, parts, words, 0.0),),
        "contrast_bars": (
            Contrast("toy", "parts", (pair, pair), (0.5, 0.7), (words, words), (parts, parts), {}, {}),
        ),
        "removal_curves": (
            [RemovalCurves("scan", "occlusion", "regions", np.linspace(0, 1, 37), three, three, three)] * 4,
        ),
        "cascade_lines": ([cascade] * 4,),
        "draw_graph": (region_graph(pair, "nearest"), pair.image),
        "interval_dots": (
            Measured("per cent", tuple("abcde"), tuple("fghij"), RANDOM.normal(size=(5, 5, 3))),
        ),
        "intervention_strips": (Intervention(pair, pair, "toy", ("x",), ("y",) * 100, "z", change, change),),
        "recall_bars": ({name: a_ranking() for name in "abcdefgh"},),
        "spread_bars": ({name: [(50.0, 1.0)] * 3 for name in "abcdefgh"}, ("x", "y", "z")),
        "similarity_matrix": (SCORES, IMAGE_OF),
        "score_histograms": (SCORES, IMAGE_OF),
        "embedding_map": (a_space(),),
        "training_curves": (history,),
    }


def figures():
    """Every public function of the room that returns a figure."""
    for module in pkgutil.iter_modules(itr_explore.viz.__path__, "itr_explore.viz."):
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            ours = function.__module__ == module.name and not name.startswith("_")
            if ours and function.__annotations__.get("return") == "go.Figure":
                yield pytest.param(function, id=name)


def draw(function, drawn, **look):
    more = {"title": "Title"} if "title" in inspect.signature(function).parameters else {}
    return function(*drawn[function.__name__], **more, **look)


@pytest.mark.parametrize("function", list(figures()))
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_figure_has_the_look_of_the_house(function, dark, drawn):
    figure = draw(function, drawn, dark=dark)
    assert type(figure) is go.Figure
    assert figure.layout.template == theme.template(dark)


@pytest.mark.parametrize("function", list(figures()))
def test_a_figure_fits_into_a_notebook(function, drawn):
    assert len(draw(function, drawn).to_json()) < MOST_BYTES


@pytest.mark.parametrize("function", list(figures()))
def test_a_figure_names_no_colour_of_its_own(function, drawn):
    ours = set(re.findall(r"#[0-9a-f]{6}\b", inspect.getsource(theme).lower()))
    used = set(re.findall(r'"(#[0-9a-fA-F]{3,8})"', draw(function, drawn).to_json()))
    assert {colour.lower() for colour in used} <= ours
