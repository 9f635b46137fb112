"""Files of right pairs in the layouts in which they are published, written small."""

import json

import numpy as np
import pytest
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.data.relevance_files import Relevant, number_of, read_relevance, rows_of_images
from itr_explore.evaluation.encoding import score_matrix
from itr_explore.evaluation.relevance import graded, relevance


@pytest.fixture
def coco():
    """Three images with two captions each, called as COCO calls them: 101 ... and 7, 8 ..."""
    toy = toy_collection(3, captions=2)
    return Collection(
        name="coco",
        split="test",
        captions=toy.captions,
        image_of=toy.image_of,
        image_ids=[f"COCO_val2014_{100 + row:012}.jpg" for row in range(3)],
        regions=toy._regions,
        caption_ids=list(range(7, 13)),
    )


def write(folder, to_caption, to_image, stem="eccv"):
    (folder / f"{stem}_image_to_caption.json").write_text(json.dumps(to_caption))
    (folder / f"{stem}_caption_to_image.json").write_text(json.dumps(to_image))
    return folder / f"{stem}_image_to_caption.json"


def test_images_are_known_by_the_number_in_their_names():
    assert number_of("COCO_val2014_000000391895.jpg") == 391895
    assert number_of("train2017/000000000042.jpg") == 42
    assert rows_of_images(["a_1.jpg", "b_2.jpg", "2.png", "none"]) == {1: 0}


def test_two_files_say_what_is_right_for_some_images_and_some_captions(tmp_path, coco):
    path = write(tmp_path, {"100": [7, 8, 11, 999], "555": [7]}, {"12": [102, 100, 555]})
    found = read_relevance(path, coco)
    assert found.of_images.nonzero()[0].tolist() == [0, 0, 0]
    assert found.of_images.nonzero()[1].tolist() == [0, 1, 4]
    assert [axis.tolist() for axis in found.of_captions.nonzero()] == [[0, 2], [5, 5]]
    other = read_relevance(tmp_path / "eccv_caption_to_image.json", coco)
    assert (other.of_images == found.of_images).all()


def test_only_what_was_asked_counts(tmp_path, coco):
    path = write(tmp_path, {"100": [7, 8, 11]}, {"12": [102, 100]})
    model, found = toy_model(coco), read_relevance(path, coco)
    scores = score_matrix(model, coco, device="cpu")
    table = relevance(model, coco, found, device="cpu")
    right = np.array([[True, True, False, False, True, False]])
    assert table.rows == ("toy", "toy, written pairs only", "random order")
    np.testing.assert_allclose(table.values[0, :3, 0], 100 * graded(scores[:1], right)[0], rtol=1e-5)
    of_last = graded(scores[:, 5:].T, np.array([[True, False, True]]))[0]
    np.testing.assert_allclose(table.values[0, 3:, 0], 100 * of_last, rtol=1e-5)
    assert "3.0 captions are right for an image, 2.0 images for a caption" in table.note


def test_grades_make_pairs_right_besides_the_written_ones(tmp_path, coco):
    (tmp_path / "sits_test.csv").write_text(
        "caption,image,agg_score,sampling_method\n"
        "COCO_val2014:sentid:7,COCO_val2014_000000000101.jpg,3.2,c2i_intrasim\n"
        "COCO_val2014:sentid:7,COCO_val2014_000000000102.jpg,2.2,c2i_intrasim\n"
        "COCO_val2014:sentid:7,COCO_val2014_000000000100.jpg,1.0,c2i_original\n"
        "COCO_val2014:sentid:99,COCO_val2014_000000000100.jpg,5,c2i_intrasim\n"
    )
    found = read_relevance(tmp_path / "sits_test.csv", coco)
    assert found.of_images.sum() == 7
    assert found.of_images[:, 0].tolist() == [True, True, False]
    assert read_relevance(tmp_path / "sits_test.csv", coco, at_least=2).of_captions[:, 0].all()
    assert relevance(toy_model(coco), coco, found, device="cpu").values.shape == (3, 6, 3)


def test_a_matrix_in_a_file_is_taken_as_it_is(tmp_path, coco):
    right = np.eye(3, 6, dtype=bool)
    np.save(tmp_path / "right.npy", right)
    np.testing.assert_array_equal(read_relevance(tmp_path / "right.npy", coco).of_images, right)
    np.save(tmp_path / "right.npy", right[:2])
    with pytest.raises(ValueError, match=r"wanted booleans \[image caption\] \[3, 6\], got bool \[2, 6\]"):
        read_relevance(tmp_path / "right.npy", coco)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", "{}", "wanted ..._image_to_caption.json or"),
        ("a_image_to_caption.json", "[1]", "wanted an object from numbers to lists of numbers"),
        ("a_image_to_caption.json", '{"1": ["x"]}', "wanted an object from numbers"),
        ("a_image_to_caption.json", '{"555": [7]}', r"no pair of .* is in coco \(test\)"),
        ("a.csv", "photo,grade\n", "wanted a header caption,image,agg_score"),
        ("a.csv", "caption,image,agg_score\n7,100,high\n", "line 2: wanted a caption, an image and a grade"),
        ("a.csv", "caption,image,agg_score\n555,100,3\n", r"no pair of .* is in coco"),
    ],
)
def test_files_of_another_form_or_set_are_refused(tmp_path, coco, name, text, message):
    write(tmp_path, {}, {}, "a")
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_relevance(tmp_path / name, coco)


def test_a_collection_without_numbers_of_captions_says_where_they_come_from(tmp_path):
    with pytest.raises(ValueError, match=r"toy does not know the numbers of its captions.*sentid"):
        read_relevance(write(tmp_path, {}, {}), toy_collection(2))


def test_matrices_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="two matrices"):
        Relevant(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


def test_the_numbers_of_real_captions_come_from_the_json(real_photos):
    folder = real_photos.parent / "coco-small"
    if not folder.exists():
        pytest.skip("needs ../shared/data/coco-small")
    found = Collection.from_karpathy(folder, "test")
    assert len(found.caption_ids) == len(found.captions)
