"""Every view as a still: by one call, and in the piece of HTML that stands for it where no script runs."""

import numpy as np
import pytest
from PIL import Image
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.explanation.edits import CutEdge
from itr_explore.models.registry import from_pretrained
from itr_explore.viz.drawing import Text
from itr_explore.widgets.graph_explorer import GraphExplorer
from itr_explore.widgets.page import embedded
from itr_explore.widgets.pair_view import PairView
from itr_explore.widgets.retrieval_demo import RetrievalDemo
from itr_explore.widgets.training_monitor import TrainingMonitor

VIEWS = ["pair", "graph", "systems", "search", "training"]


def said(view, **look):
    return [shape.text for shape in view.still(**look).shapes if isinstance(shape, Text)]


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("test").subset(range(8))


@pytest.fixture(scope="module")
def graph(scenes):
    return GraphExplorer(from_pretrained("racg-tiny-scenes"), scenes.pair(1), scenes, controls=3)


@pytest.fixture(scope="module")
def search(scenes):
    return RetrievalDemo(from_pretrained("vse-tiny-scenes"), scenes, shown=4)


@pytest.fixture
def training():
    collection = toy_collection(24)
    settings = {"epochs": 2, "batch_size": 12, "learning_rate": 0.02, "device": "cpu"}
    monitor = TrainingMonitor(toy_model(collection), collection, collection, collection.pair(0), **settings)
    monitor.run()
    return monitor


@pytest.fixture
def pair(make_explanation):
    return PairView(make_explanation())


@pytest.fixture
def systems(comparison):
    return comparison


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_saved_as_a_picture_without_a_browser(name, request, tmp_path):
    view = request.getfixturevalue(name)
    with Image.open(view.save_png(tmp_path / "view.png", width=700, theme="dark", scale=1)) as image:
        assert image.width == 700
        assert np.asarray(image)[2, 2].max() < 60
    assert view.title() in view.save_svg(tmp_path / "view.svg").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="light"):
        view.still(theme="pink")


@pytest.mark.parametrize("name", VIEWS)
def test_where_no_script_runs_a_view_is_its_picture_and_its_summary(name, request):
    view = request.getfixturevalue(name)
    html = embedded(view)
    before = html[: html.index("<script")]
    assert '<img src="data:image/jpeg;base64,' in before
    assert "<pre>" in before
    assert len(html) < 300_000


def test_a_still_of_a_graph_has_the_edits_that_stand(graph):
    tap = next(shown["tap"] for shown in graph.payload["graphs"] if shown["tap"])
    row, column = np.argwhere(np.abs(graph.explanation.map(tap).values) > 0)[1].tolist()
    graph.edit(CutEdge(tap, row, column))
    assert {"What if", "rank of the image", "after the edits", "cut"} <= set(said(graph))
    graph.edit()
    assert "What if" not in said(graph)


def test_a_graph_is_chosen_by_its_name(graph):
    assert any(text.startswith("word order") for text in said(graph, name="word:order"))
    with pytest.raises(KeyError, match="no graph"):
        graph.still(name="cousins")


def test_a_still_of_a_search_has_the_last_answer(search, scenes):
    search.search(scenes.captions[5])
    assert search.found.query in " ".join(said(search))
    search.search(2)
    assert any(text in scenes.captions for text in said(search))


def test_a_still_of_systems_has_the_word_that_is_asked_for(systems):
    word = systems._pair().words[-1]
    assert word in said(systems, word=word)
    with pytest.raises(ValueError, match="wanted a word of the caption"):
        systems.still(word="no such word")


def test_a_still_of_a_run_has_its_curves_and_the_probe_of_every_epoch(training):
    assert {"Loss", "finished", "start", "1", "2"} <= set(said(training))
    with pytest.raises(ValueError, match="wanted a word of the caption"):
        training.still(word=99)


def test_a_run_without_a_probe_has_a_still_too():
    collection = toy_collection(8)
    monitor = TrainingMonitor(toy_model(collection), collection, collection, epochs=1, batch_size=4)
    assert said(monitor).count("nothing yet") == 2
    with pytest.raises(ValueError, match="there is no probe"):
        monitor.still(word=0)
