import json

import numpy as np
import pytest
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.data.judgments import Judgments, read_judgments, read_negatives, scene_negatives
from itr_explore.evaluation.errors import above_negatives

HEADER = "image\tsentid\texpert1\texpert2\texpert3"


@pytest.fixture
def folder(tmp_path):
    """Two images of a toy collection with two captions each, as a JSON describes them."""
    toy = toy_collection(2, captions=2)
    images = [
        {
            "filename": name,
            "sentences": [{"sentid": 10 * row + k, "raw": toy.captions[2 * row + k]} for k in range(2)],
        }
        for row, name in enumerate(toy.image_ids)
    ]
    images[1]["hard_negatives"] = [{"type": "swap_att", "caption": "a", "negative": "b"}]
    (tmp_path / "dataset.json").write_text(json.dumps({"images": images}))
    return tmp_path, toy


def test_grades_are_found_by_image_and_sentence(folder):
    path, toy = folder
    file = path / "grades.tsv"
    file.write_text(f"{HEADER}\ntrain-1\t0\t1\t2\t1\ntrain-0\t11\t4\t4\t3\nelsewhere\t0\t1\t1\t1\n")
    found = read_judgments(file, toy)
    assert found.images.tolist() == [1, 0]
    assert found.captions.tolist() == [0, 3]
    assert found.grades.tolist() == [[1, 2, 1], [4, 4, 3]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("photo\tgrade", "wanted a header"),
        (f"{HEADER}\ntrain-1\t0\t1\t2", "line 2: wanted a name and 4 numbers"),
        (f"{HEADER}\ntrain-1\t0\t1\t2\tx", "line 2"),
        (f"{HEADER}\nelsewhere\t0\t1\t2\t3", "no pair of"),
    ],
)
def test_files_of_another_form_are_refused(folder, text, message):
    path, toy = folder
    (path / "grades.tsv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_judgments(path / "grades.tsv", toy)


def test_a_collection_of_other_sentences_is_refused(folder):
    path, toy = folder
    toy.captions[0] = "something else"
    (path / "grades.tsv").write_text(f"{HEADER}\ntrain-1\t0\t1\t2\t1")
    with pytest.raises(ValueError, match="read both from one folder"):
        read_judgments(path / "grades.tsv", toy)


def test_hard_negatives_have_the_class_of_their_type(folder):
    path, toy = folder
    (one,) = read_negatives(path, toy)
    assert (one.image, one.right, one.wrong, one.kind) == (1, "a", "b", "attribute")


@pytest.fixture
def sugar_crepe(tmp_path):
    """Two of SugarCrepe's files as they are published, of images of which a toy collection has one."""
    entry = {"filename": "000000000042.jpg", "caption": "red dog", "negative_caption": "blue dog"}
    elsewhere = {**entry, "filename": "000000000099.jpg"}
    (tmp_path / "replace_att.json").write_text(json.dumps({"0": entry, "1": elsewhere}))
    (tmp_path / "swap_obj.json").write_text(json.dumps({"7": {**entry, "negative_caption": "dog red"}}))
    toy = toy_collection(2)
    toy.image_ids = ["COCO_val2014_000000000041.jpg", "COCO_val2014_000000000042.jpg"]
    return tmp_path, toy


def test_sugarcrepe_is_read_as_it_is_published(sugar_crepe):
    path, toy = sugar_crepe
    found = read_negatives(path, toy)
    assert [(one.image, one.wrong, one.kind) for one in found] == [
        (1, "blue dog", "attribute"),
        (1, "dog red", "thing"),
    ]
    assert len(read_negatives(path / "swap_obj.json", toy)) == 1


def test_from_sugarcrepe_s_files_to_how_often_a_model_is_right(sugar_crepe):
    path, toy = sugar_crepe
    found = above_negatives({"toy": toy_model(toy)}, toy, read_negatives(path, toy), device="cpu")
    assert found.columns == ("all (2)", "thing (1)", "attribute (1)")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "swap_obj.json",
            '{"0": {"filename": "x"}}',
            "wanted entries with filename, caption, negative_caption",
        ),
        ("swap_obj.json", "3", "wanted a file called add_att"),
        ("other.json", "{}", "wanted a file called add_att"),
        ("swap_obj.json", "{}", r"no image of toy \(train\) is in .*val2017"),
    ],
)
def test_negatives_of_another_form_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_negatives(tmp_path / name, toy_collection(2))


def test_negatives_of_scenes_are_of_their_own_images():
    scenes = Collection.scenes("val", size=40)
    for one in scene_negatives(scenes):
        assert one.right in [scenes.captions[row] for row in scenes.captions_of(one.image)]


def test_grades_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"grades \[pair expert\]"):
        Judgments(np.zeros(3, int), np.zeros(3, int), np.zeros(3))


def test_the_experts_of_the_real_photos(real_photos):
    photos = Collection.from_karpathy(real_photos, "test")
    found = read_judgments(real_photos / "expert_judgments.tsv", photos)
    assert found.grades.shape == (5822, 3)
    assert set(np.unique(found.grades)) == {1, 2, 3, 4}
    own = photos.image_of[found.captions] == found.images
    assert found.grades[own].mean() > found.grades[~own].mean() + 1


def test_the_hard_negatives_of_coco(real_photos):
    folder = real_photos.parent / "coco-small"
    if not folder.exists():
        pytest.skip("needs ../shared/data/coco-small")
    found = read_negatives(folder, Collection.from_karpathy(folder, "test"))
    assert len(found) == 40
    assert {one.kind for one in found} == {"thing", "attribute", "relation"}
