"""Flickr30k Entities in the layout in which it is published, written small."""

import numpy as np
import pytest
from PIL import Image

from itr_explore.data.collection import Collection
from itr_explore.data.entities_files import read_annotation, read_sentences
from itr_explore.data.ragged import Ragged
from itr_explore.data.text import build_tokenizer
from itr_explore.evaluation.grounding import ground
from itr_explore.evaluation.ranking import evaluate
from itr_explore.models.registry import create_model

SENTENCES = (
    "[/EN#1/people Two young guys] with [/EN#2/bodyparts/other shaggy hair] stand in [/EN#8/scene the yard] .\n"
    "[/EN#1/people Two] look at [/EN#0/notvisual each other] .\n"
)
ANNOTATION = """<annotation>
  <filename>{name}.jpg</filename>
  <size><width>100</width><height>50</height><depth>3</depth></size>
  <object><name>1</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>50</xmax><ymax>25</ymax></bndbox></object>
  <object><name>1</name><name>2</name>
    <bndbox><xmin>51</xmin><ymin>26</ymin><xmax>100</xmax><ymax>50</ymax></bndbox></object>
  <object><name>8</name><scene>1</scene><nobndbox>0</nobndbox></object>
</annotation>"""
NAMES = ("1000092795", "10002456")


@pytest.fixture
def published(tmp_path):
    for name in ("Annotations", "Sentences", "images"):
        (tmp_path / name).mkdir()
    for name in NAMES:
        (tmp_path / "Annotations" / f"{name}.xml").write_text(ANNOTATION.format(name=name))
        (tmp_path / "Sentences" / f"{name}.txt").write_text(SENTENCES, encoding="utf-8")
        Image.new("RGB", (100, 50)).save(tmp_path / "images" / f"{name}.jpg")
    (tmp_path / "test.txt").write_text("\n".join(NAMES) + "\n")
    return tmp_path


def with_boxes(found: Collection) -> Collection:
    """Two regions an image: the first guy, and nothing."""
    boxes = np.tile(np.array([[0, 0, 0.5, 0.5], [0.9, 0, 1, 0.1]], np.float32), (len(found), 1))
    features = np.random.default_rng(0).normal(size=(len(boxes), 3)).astype(np.float32)
    return found._with(Ragged(features, np.arange(len(found) + 1) * 2), boxes)


def test_sentences_are_read_without_their_marks(published):
    first, second = read_sentences(published / "Sentences" / f"{NAMES[0]}.txt")
    assert first.text == "Two young guys with shaggy hair stand in the yard ."
    assert first.phrases == ((0, 3, "1", "people"), (4, 6, "2", "bodyparts"), (8, 10, "8", "scene"))
    assert second.phrases[1] == (3, 5, "0", "notvisual")


def test_boxes_are_fractions_and_may_belong_to_several_chains(published):
    found = read_annotation(published / "Annotations" / f"{NAMES[0]}.xml")
    np.testing.assert_allclose(found.boxes, [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]])
    assert (found.of_chain, found.scenes) == ({"1": [0, 1], "2": [1]}, {"8"})


def test_the_published_folder_is_a_collection_with_truth(published):
    found = Collection.from_entities(published)
    assert (len(found), len(found.captions), found.has_truth, found.has_regions) == (2, 4, True, False)
    assert found.image(1).size == (100, 50)
    mentions = found.pair(1).truth.mentions
    assert [(one.words, one.kind, len(one.boxes)) for one in mentions] == [
        ((0, 1, 2), "people", 2),
        ((4, 5), "bodyparts", 1),
        ((8, 9), "whole scene", 1),
    ]


def test_from_the_published_folder_to_recall_and_grounding(published):
    found = with_boxes(Collection.from_entities(published))
    assert found.truth(0).word_regions[:3, 0].all()
    tokenizer = build_tokenizer(found.captions, min_count=1)
    model = create_model("scan", preset="tiny", region_dim=3, tokenizer=tokenizer)
    assert evaluate(model, found, device="cpu").rsum > 0
    assert found.subset([1]).pair(0, caption=1).truth.word_regions.tolist()[0] == [True, False]
    assert "people" in str(ground(model, found, device="cpu"))


def test_any_collection_of_the_photos_can_be_given_the_truth(published):
    other = with_boxes(
        Collection(
            name="mine",
            split="test",
            captions=[
                "two young guys with shaggy hair, stand in the yard",
                "Two look at each other.",
                "else",
            ],
            image_of=np.array([0, 0, 1]),
            image_ids=["1000092795.jpg", "77.jpg"],
        )
    ).subset([1, 0])
    found = other.with_entities(published)
    assert len(found.truth(1).mentions) == 3
    assert found.truth(0).mentions == ()
    assert not other.has_truth


@pytest.mark.parametrize(
    ("sentence", "message"),
    [("[/EN#1/people Two", "is not closed"), ("[/EN#1 Two]", r"wanted \[/EN#chain/kind words\]")],
)
def test_marks_that_are_not_as_published_name_the_file(published, sentence, message):
    path = published / "Sentences" / f"{NAMES[0]}.txt"
    path.write_text(sentence)
    with pytest.raises(ValueError, match=f"{NAMES[0]}.txt: .*{message}"):
        read_sentences(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation><size>", "it is no XML"),
        ("<annotation/>", "does not say the photo's size"),
        (ANNOTATION.replace("<xmax>50</xmax>", "<xmax>500</xmax>"), "is no box inside its image"),
    ],
)
def test_annotations_that_are_damaged_name_the_file(published, text, message):
    path = published / "Annotations" / f"{NAMES[0]}.xml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"{NAMES[0]}.xml.*{message}"):
        read_annotation(path)


def test_what_is_missing_is_named(published, small):
    with pytest.raises(
        FileNotFoundError, match=r"no .*val\.txt, the list of a split's photos.*there are test"
    ):
        Collection.from_entities(published, "val")
    with pytest.raises(ValueError, match=r"no caption of small \(test\) is in"):
        small.with_entities(published)
    with pytest.raises(FileNotFoundError, match="Annotations; wanted Flickr30k Entities"):
        small.with_entities(published / "images")
