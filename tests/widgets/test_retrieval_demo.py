"""What a RetrievalDemo answers, without a browser."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.evaluation.errors import error_classes
from itr_explore.models.registry import from_pretrained
from itr_explore.widgets.retrieval_demo import RetrievalDemo


@pytest.fixture(scope="module")
def scenes():
    return Collection.scenes("test").subset(range(30))


@pytest.fixture(scope="module")
def model():
    return from_pretrained("chan-tiny-scenes")


@pytest.fixture
def demo(model, scenes):
    return listening(RetrievalDemo(model, scenes))


def listening(view):
    view.sent = []
    view.send = lambda content, buffers=None: view.sent.append(
        json.loads(json.dumps(content, allow_nan=False))
    )
    return view


def ask(view, question, **details):
    """The answer as the front end gets it: whole, or why there is none."""
    view._handle_custom_msg({"number": 1, "question": question, "details": details}, [])
    told = view.sent[-1]
    return told["value"] if "value" in told else told["error"]


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def send(view, file, name="a.png", size=1000, key="one"):
    pieces = [file[at : at + size] for at in range(0, len(file), size)] or [b""]
    for part, piece in enumerate(pieces):
        data = base64.b64encode(piece).decode()
        told = ask(view, "upload", key=key, name=name, part=part, parts=len(pieces), data=data)
    return told


def test_a_display_that_is_opened_later_begins_with_the_last_answer(demo):
    assert demo.get_state("latest")["latest"]["chosen"] is not None
    heard, first = [], demo.latest
    demo.observe(lambda change: heard.append(change.new), "latest")
    ask(demo, "search", query={"text": "two boats"})
    assert heard[-1]["answer"]["query"] == demo.latest["answer"]["query"] == "two boats"
    assert first["answer"]["query"] != "two boats", "what was sent before stays what it was"
    row = demo.latest["answer"]["results"][0]["row"]
    ask(demo, "pair", query={"text": "two boats"}, row=row)
    ask(demo, "why", query={"text": "two boats"}, row=row)
    assert demo.latest["chosen"]["row"] == row
    assert demo.latest["chosen"]["why"] is not None
    assert demo.drawn_now()["latest"] == demo.latest


def test_the_first_display_has_an_answer_and_a_pair(demo, scenes):
    latest = demo.latest
    assert latest["answer"]["query"] == scenes.captions[0]
    assert latest["answer"]["results"][0]["src"].startswith("data:image/jpeg")
    assert latest["chosen"]["pair"]["caption"] == scenes.captions[0]
    assert "all 30 images scored" in demo.summary()


def test_results_are_those_of_the_gallery(demo, scenes):
    told = ask(demo, "search", query={"text": scenes.captions[31]})
    found = demo.gallery.images_for(scenes.captions[31], 12)
    assert [result["row"] for result in told["results"]] == found.rows.tolist()
    assert [result["score"] for result in told["results"]] == pytest.approx(found.scores.tolist())
    assert told["right"] == [{"row": int(scenes.image_of[31]), "rank": int(found.right_ranks[0]) + 1}]


def test_what_is_wrong_is_told_apart_from_what_is_true_too(demo):
    states = {}
    for image in range(8):
        for result in ask(demo, "search", query={"image": image})["results"]:
            states.setdefault(result["state"], result["false"])
    assert states["right"] is None
    assert states["wrong"]


def test_of_a_free_sentence_no_right_answer_is_claimed(demo):
    told = ask(demo, "search", query={"text": "a red zebra"})
    assert not told["known"]
    assert {result["state"] for result in told["results"]} == {"unknown"}
    assert (told["unknown"], told["lost"]) == (["zebra"], False)
    assert ask(demo, "search", query={"text": "Zebra, zebra!"})["lost"]


@pytest.mark.parametrize("query", ["text", "image"])
def test_filters_leave_results_with_their_ranks(demo, scenes, query):
    asked = {"text": scenes.captions[10]} if query == "text" else {"image": 2}
    everything = ask(demo, "search", query=asked)
    wrong = ask(demo, "search", query=asked, wrong=True)
    assert all(result["state"] != "right" for result in wrong["results"])
    assert wrong["results"][0]["rank"] == next(
        r["rank"] for r in everything["results"] if r["state"] != "right"
    )
    label = scenes.labels(2)[0]
    some = ask(demo, "search", query=asked, label=label)
    images = [result["row"] if query == "text" else result["image"] for result in some["results"]]
    assert all(label in scenes.labels(image) for image in images)
    assert some["eligible"] < everything["eligible"]
    of = [scenes.captions_of(i) for i in range(30)] if query == "text" else [[row] for row in range(150)]
    worded = ask(demo, "search", query=asked, word="TREE")
    assert worded["results"]
    for result in worded["results"]:
        assert any("tree" in scenes.captions[row].lower() for row in of[result["row"]])
    assert ask(demo, "search", query=asked, word="no such word")["results"] == []


@pytest.fixture
def repeated(model):
    """A demo with a caption that two images share."""
    scenes = Collection.scenes("test").subset(range(6))
    scenes.captions[scenes.captions_of(4)[0]] = scenes.captions[0]
    return listening(RetrievalDemo(model, scenes))


def test_only_wrong_ones_leaves_out_what_another_image_says_in_the_same_words(repeated):
    shared = int(repeated.collection.captions_of(4)[0])
    shown = {row["row"]: row["state"] for row in ask(repeated, "search", query={"image": 4})["results"]}
    assert shown.get(0, "right") == shown.get(shared, "right") == "right"
    repeated.shown = 30
    for image in (0, 4):
        told = ask(repeated, "search", query={"image": image}, wrong=True)
        assert "right" not in {result["state"] for result in told["results"]}
        assert not {0, shared} & {result["row"] for result in told["results"]}
        assert told["eligible"] == 30 - len(repeated.gallery.right_of(image))


def test_where_all_that_an_image_says_is_said_of_others_too_a_wrong_one_is_still_compared(model):
    scenes = Collection.scenes("test").subset(range(6))
    for image in range(4):
        for own, caption in zip(scenes.captions_of(image), scenes.captions_of(0), strict=True):
            scenes.captions[own] = scenes.captions[caption]
    demo = listening(RetrievalDemo(model, scenes))
    why = ask(demo, "why", query={"image": 0}, row=0)
    assert why["names"][0] == "the best wrong one"
    assert int(scenes.image_of[why["against"]["row"]]) in (4, 5)


def test_a_chosen_result_is_explained_with_its_truth_where_it_is_known(demo, scenes):
    right = ask(demo, "pair", query={"image": 3}, row=int(scenes.captions_of(3)[1]))
    assert right["pair"]["truth"]
    other = ask(demo, "pair", query={"image": 3}, row=0)
    assert other["pair"]["caption"] == scenes.captions[0]
    assert not other["pair"]["truth"]


@pytest.mark.parametrize("query", ["text", "image"])
def test_why_this_one_adds_up_and_says_against_what(demo, scenes, query):
    asked = {"text": scenes.captions[12]} if query == "text" else {"image": 2}
    answer = ask(demo, "search", query=asked)
    wrong = next(result for result in answer["results"] if result["state"] != "right")
    why = ask(demo, "why", query=asked, row=wrong["row"])
    assert why["names"][0] == "the right answer"
    assert why["exact"]
    parts = sum(row[2] for row in why["words"]) + sum(value for _, value in why["rests"]) + why["gap"]
    assert parts == pytest.approx(why["difference"], abs=1e-5)
    right = answer["right"][0]["row"]
    assert ask(demo, "why", query=asked, row=right)["names"][0] == "the best wrong one"


def test_why_of_a_free_sentence_compares_with_the_best_other_one(demo):
    asked = {"text": "a red car"}
    answer = ask(demo, "search", query=asked)
    why = ask(demo, "why", query=asked, row=answer["results"][0]["row"])
    assert why["names"][0] == "the best other one"
    assert why["against"] == {"row": answer["results"][1]["row"], "rank": 2}


def test_a_picture_of_ones_own_is_searched_by_its_pixels(demo, scenes):
    query = send(demo, png(scenes.image(7)), "<b>mine</b>.png")
    told = ask(demo, "search", query=query)
    assert told["query"] == "<b>mine</b>.png"
    assert told["picture"]["src"].startswith("data:")
    own = scenes.captions_of(7)
    assert set(own) & {result["row"] for result in told["results"]}
    pair = ask(demo, "pair", query=query, row=told["results"][0]["row"])["pair"]
    assert pair["regions"] == told["picture"]["regions"]
    assert ask(demo, "why", query=query, row=told["results"][1]["row"])["against"]["rank"] == 1


@pytest.mark.parametrize("file", [b"", b"no picture", b"\x89PNG\r\n\x1a\n damaged"])
def test_a_file_that_is_no_picture_is_refused_in_a_sentence(demo, file):
    told = send(demo, file, "holiday.png")
    assert "holiday.png" in told["what"]
    assert told["advice"] == ""


def test_too_large_a_file_is_refused_before_it_is_whole(demo, monkeypatch):
    monkeypatch.setattr("itr_explore.widgets.uploads.MOST_BYTES", 5000)
    told = ask(demo, "upload", key="one", name="a.png", part=0, parts=9, data="A" * 9000)
    assert "larger than" in told["what"]
    assert demo._uploads._pieces == []


def test_of_two_uploads_at_once_the_later_one_is_taken_and_nothing_of_the_other_kept(demo, scenes):
    halves = png(scenes.image(1)), png(scenes.image(2))
    first = {"name": "first.png", "part": 0, "parts": 2, "data": base64.b64encode(halves[0]).decode()}
    assert ask(demo, "upload", key="one", **first) == {"done": 1, "total": 2}
    query = send(demo, halves[1], "second.png", key="two")
    assert demo._uploads._pieces == []
    told = ask(demo, "upload", key="one", **(first | {"part": 1}))
    assert "first.png was stopped" in told["what"]
    assert ask(demo, "search", query=query)["picture"]["name"] == "second.png"
    np.testing.assert_array_equal(demo._uploads[query["upload"]].image, scenes.image(2))


def test_where_nobody_knows_regions_it_is_said_how_to_give_them():
    collection = toy_collection(6)
    demo = listening(RetrievalDemo(toy_model(collection), collection))
    told = send(demo, png(Image.new("RGB", (9, 9))))
    assert "regions_of=f" in told["what"]
    assert "[region 15]" in told["what"]


def test_regions_of_ones_own_are_used(model, scenes):
    def regions_of(image):
        assert image.mode == "RGB"
        return scenes.regions(4), scenes.boxes(4)

    demo = RetrievalDemo(model, scenes, regions_of=regions_of)
    query = demo.take_picture(Image.new("L", (40, 30)), "grey")
    np.testing.assert_array_equal(demo.search(query).rows, demo.search(4).rows)


def test_the_worst_queries_come_little_by_little(demo, monkeypatch):
    monkeypatch.setattr("itr_explore.evaluation.queries.AT_ONCE", 50)
    told = ask(demo, "worst", side="images")
    assert 0 < told["done"] < told["total"]
    while "rows" not in told:
        told = ask(demo, "worst", side="images")
    assert len(told["rows"]) == 20
    assert told["rows"][0]["rank"] == max(row["rank"] for row in told["rows"])
    margins = [row["margin"] for row in ask(demo, "worst", side="images", by="margin")["rows"]]
    assert margins == sorted(margins)


def test_error_classes_are_those_of_the_function(demo, model, scenes):
    assert ask(demo, "classes")["title"] == error_classes(model, scenes, device="cpu").table().title


def test_images_to_choose_from_come_by_the_dozen_and_pass_the_filters(demo, scenes):
    assert [image["image"] for image in ask(demo, "browse", start=12)["images"]] == list(range(12, 24))
    assert ask(demo, "browse", start=999)["start"] == 24
    assert ask(demo, "browse", start=999)["page"] == 12
    label = scenes.labels(2)[0]
    found = ask(demo, "browse", label=label)
    assert all(label in scenes.labels(image["image"]) for image in found["images"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"text": ""}, "no word"),
        ({"text": "word " * 5000}, "at most"),
        ({"image": 999}, "wanted number 999|0 to 29"),
        ({"upload": 5}, "no longer kept"),
        ({"text": "dog", "image": 1}, "a query is"),
    ],
)
def test_what_cannot_be_answered_is_said(demo, query, said):
    assert re.search(said, ask(demo, "search", query=query)["what"])


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)> red", "كلب أحمر", "🐕 red", " ".join(["red dog"] * 100)]
)
def test_any_sentence_is_answered_and_looked_into(demo, text):
    answer = ask(demo, "search", query={"text": text})
    assert answer["query"] == text
    row = answer["results"][0]["row"]
    assert ask(demo, "pair", query={"text": text}, row=row)["pair"]["caption"] == text


def test_pictures_that_cannot_be_opened_are_named_and_the_others_come(model, scenes, monkeypatch):
    whole = Collection.image

    def image(self, row):
        if row == 0:
            raise ValueError("picture 0 cannot be opened")
        return whole(self, row)

    monkeypatch.setattr(Collection, "image", image)
    demo = listening(RetrievalDemo(model, scenes))
    first = demo.latest["answer"]["results"][0]
    assert (first["src"], first["problem"]) == (None, "picture 0 cannot be opened")
    assert demo.latest["chosen"]["pair"]["image"] is None


def test_a_collection_without_pictures_boxes_or_truth_is_searched_too():
    collection = toy_collection(12)
    model = toy_model(collection)
    demo = listening(RetrievalDemo(model, collection))
    assert ask(demo, "search", query={"image": 3})["results"]
    assert ask(demo, "browse")["images"][0]["src"] is None


def test_a_saved_page_holds_the_last_query_and_weighs_little(demo, scenes, tmp_path):
    demo.search(scenes.captions[40])
    demo.answer_pair({"text": scenes.captions[40]}, int(demo.found.rows[0]))
    page = demo.save_html(tmp_path / "demo.html")
    assert page.stat().st_size < 300_000
    assert json.dumps(scenes.captions[40]) in page.read_text()


def test_an_empty_collection_is_refused(model, scenes):
    with pytest.raises(ValueError, match="0 images"):
        RetrievalDemo(model, scenes.subset([]))
