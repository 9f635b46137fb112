"""What the explorer sends and answers; how it looks is in tests/browser/test_graph_explorer.py."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.data.text import build_tokenizer
from itr_explore.evaluation.cascade import fresh
from itr_explore.explanation.edits import CutEdge, MeanEdge, ReverseEdge
from itr_explore.explanation.graph import MEASURES, centralities, region_graph
from itr_explore.explanation.intervention import intervene
from itr_explore.models.registry import create_model, from_pretrained, list_models
from itr_explore.records import Map
from itr_explore.widgets.graph_explorer import GraphExplorer
from itr_explore.widgets.graph_payload import edit_as_told, edit_of, graph_payload

WITH_EDGES = {"lgsf", "racg", "vsrnpp"}
TAP = "region_graph.edges"


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("test").subset(range(8))


@pytest.fixture(scope="module")
def racg():
    return from_pretrained("racg-tiny-scenes")


@pytest.fixture
def explorer(racg, scenes):
    view = GraphExplorer(racg, scenes.pair(1), scenes, controls=3)
    view.sent = []
    view.send = lambda content, buffers=None: view.sent.append(content)
    return view


def asked(view, question, *edits):
    said = [edit_as_told(edit, view.pair) for edit in edits]
    view._handle_custom_msg({"number": 1, "question": question, "details": {"edits": said}}, [])
    return view.sent[-1]


def weights(graph, version=-1):
    sent = graph["weights"][version]
    codes = np.frombuffer(base64.b64decode(sent["data"]), dtype=f"<u{sent['bits'] // 8}").astype(float)
    return ((codes - sent["zero"]) * sent["step"]).reshape(sent["nodes"], sent["nodes"])


@pytest.mark.parametrize("name", list_models())
def test_every_system_can_be_explored_and_says_what_can_be_edited(name, scenes, tmp_path):
    tokenizer = build_tokenizer(scenes.captions, min_count=1)
    guided = scenes.with_guide(np.ones((8, 4), dtype=np.float32))
    extra = {"guide_dim": 4} if name == "user" else {}
    model = create_model(
        name, preset="tiny", region_dim=scenes.region_dim, tokenizer=tokenizer, **extra
    ).eval()
    view = GraphExplorer(model, (guided if extra else scenes).pair(0), before="untrained")
    assert view.payload["edges"] == (name in WITH_EDGES)
    assert any(graph["tap"] for graph in view.payload["graphs"]) == (name in WITH_EDGES)
    assert {graph["nodes"] for graph in view.payload["graphs"]} == {"region", "word"}
    assert view.save_html(tmp_path / "graph.html").stat().st_size < 300_000
    assert ("nothing to edit" in view.summary()) == (name not in WITH_EDGES)


def test_a_system_without_any_edges_or_boxes_still_has_graphs():
    collection = toy_collection(images=4)
    view = GraphExplorer(toy_model(collection), collection.pair(0))
    assert "region:semantic" in view.graphs
    assert not any(name.endswith("spatial") for name in view.graphs)


def test_weights_travel_fine_enough_to_be_counted_alike(explorer):
    for graph in explorer.payload["graphs"]:
        made = explorer.to_frame(graph["name"])
        sent = weights(graph)
        np.testing.assert_allclose(sent[made["from"], made["to"]], made["weight"], atol=2e-5)
        assert np.count_nonzero(sent[~np.eye(len(sent), dtype=bool)]) <= len(made)


def test_a_hundred_regions_stay_small(make_explanation):
    sent = graph_payload({"now": make_explanation(regions=100)}, "")
    assert len(json.dumps(sent, allow_nan=False)) < 250_000


def test_the_graph_is_what_the_function_makes(explorer):
    wanted = region_graph(explorer.explanation, "learned", name=TAP, threshold=0.05, top=2)
    assert set(explorer.graph(f"learned:{TAP}", threshold=0.05, top=2).edges) == set(wanted.edges)
    assert list(explorer.payload["measures"]) == list(MEASURES)
    assert list(centralities(wanted).columns[1:]) == list(MEASURES)


def test_an_unknown_graph_is_refused_with_those_there_are(explorer):
    with pytest.raises(KeyError, match=f"learned:{TAP}"):
        explorer.graph("friendly")


def test_an_edit_is_answered_as_intervene_does(explorer, racg, scenes):
    told = asked(explorer, "rank", CutEdge(TAP, 0, 2))["value"]
    wanted = intervene(racg, scenes.pair(1), CutEdge(TAP, 0, 2), gallery=scenes, controls=3)
    for sent, (name, change) in zip(told["changes"], wanted.changes.items(), strict=True):
        first = 0 if name == "score" else 1
        assert sent["name"] == name
        assert sent["before"] == pytest.approx(first + change.before, abs=1e-4)
        assert sent["after"] == pytest.approx(first + change.after, abs=1e-4)
        assert len(sent["controls"]) == 3
    json.dumps(told, allow_nan=False)


def test_the_score_is_answered_before_the_ranks(explorer):
    assert [c["name"] for c in asked(explorer, "edit", CutEdge(TAP, 0, 2))["value"]["changes"]] == ["score"]
    assert len(asked(explorer, "rank", CutEdge(TAP, 0, 2))["value"]["changes"]) == 3


def test_several_edits_stand_at_once_and_none_is_how_it_was(explorer, racg, scenes):
    edits = CutEdge(TAP, 0, 2), ReverseEdge(TAP, 1, 3), MeanEdge("word_graph.edges", 0, 1)
    told = asked(explorer, "edit", *edits)["value"]
    wanted = intervene(racg, scenes.pair(1), *edits, controls=0).score.after
    assert told["changes"][0]["after"] == pytest.approx(wanted, abs=1e-5)
    assert explorer.edits == edits
    assert asked(explorer, "edit")["value"] is None
    assert (explorer.edits, explorer.intervention, explorer.drawn_now()["result"]) == ((), None, None)


def test_weights_after_the_edits_come_with_the_answer(explorer):
    told = asked(explorer, "edit", CutEdge(TAP, 0, 2))["value"]
    assert weights({"weights": [told["graphs"][f"learned:{TAP}"]]})[0, 2] == 0


def test_what_stands_is_refused_a_second_time_and_the_last_answer_kept(explorer):
    asked(explorer, "edit", CutEdge(TAP, 0, 2))
    told = asked(explorer, "edit", CutEdge(TAP, 0, 2), MeanEdge(TAP, 0, 2))
    assert "edited once" in told["error"]["what"]
    assert explorer.edits == (CutEdge(TAP, 0, 2),)


def test_edges_made_for_the_eye_are_refused_and_those_that_can_be_edited_named(explorer):
    told = asked(explorer, "edit", CutEdge("image_nodes.cosine", 0, 2))["error"]["what"]
    assert TAP in told


def test_edits_by_call_are_what_the_view_shows_and_a_page_keeps(explorer, tmp_path):
    found = explorer.edit(CutEdge(TAP, 0, 2))
    assert found is explorer.intervention
    assert explorer.payload["result"]["edits"][0]["text"] == f"edge 0 to 2 of {TAP} cut"
    assert "edge 0 to 2" in explorer.save_html(tmp_path / "page.html").read_text()
    assert "rank of the image" in explorer.summary()


def test_a_page_saved_after_an_answer_has_it_and_the_live_view_is_not_drawn_anew(explorer, tmp_path):
    changes = []
    explorer.observe(changes.append, "payload")
    asked(explorer, "edit", CutEdge(TAP, 0, 2))
    assert changes == []
    assert "edge 0 to 2" in explorer.save_html(tmp_path / "page.html").read_text()


def test_edits_come_back_as_they_were_told(explorer):
    for edit in (CutEdge(TAP, 0, 2), ReverseEdge(TAP, 1, 3, keep_sum=False), MeanEdge(TAP, 2, 0)):
        assert edit_of(json.loads(json.dumps(edit_as_told(edit, explorer.pair)))) == edit


def test_before_training_stands_beside_after(racg, scenes):
    pair = scenes.pair(0)
    epochs = {f"epoch {n}": fresh(racg, n) for n in range(2)}
    for before, names in (
        ("untrained", ["untrained", "trained"]),
        (fresh(racg, 0), ["before", "now"]),
        (epochs, ["epoch 0", "epoch 1", "now"]),
    ):
        view = GraphExplorer(racg, pair, before=before)
        assert [name for name, _ in view.payload["versions"]] == names
        graph = next(g for g in view.payload["graphs"] if g["name"] == f"learned:{TAP}")
        assert len(graph["weights"]) == len(names)
        assert not np.allclose(weights(graph, 0), weights(graph, -1))


def test_what_cannot_stand_beside_it_is_refused(racg, scenes):
    with pytest.raises(ValueError, match='"untrained"'):
        GraphExplorer(racg, scenes.pair(0), before="yesterday")


def test_the_gallery_holds_the_pair_and_so_many_others(racg, scenes):
    view = GraphExplorer(racg, scenes.pair(6), scenes, gallery=3)
    assert view.payload["gallery"] == "scenes, test: 3 images"
    assert view.pair.image_id in view.collection.image_ids
    with pytest.raises(ValueError, match="at least 2"):
        GraphExplorer(racg, scenes.pair(6), scenes, gallery=1)


def test_a_pair_of_elsewhere_is_refused(racg, scenes):
    stranger = replace(scenes.pair(0), image_id="elsewhere")
    with pytest.raises(ValueError, match="'elsewhere' is not in scenes"):
        GraphExplorer(racg, stranger, scenes)


def test_attention_that_joins_nothing_is_not_shown_first(make_explanation):
    explanation = make_explanation()
    made = [
        Map("shared_words", "region_to_region", np.eye(5), "derived", "unit", exact=False),
        Map("image_nodes.cosine", "region_to_region", np.full((5, 5), 0.5), "derived", "cosine", exact=False),
    ]
    sent = graph_payload({"now": replace(explanation, maps=tuple(made))}, "")
    assert sent["graphs"][sent["first"]]["name"] == "learned:image_nodes.cosine"
