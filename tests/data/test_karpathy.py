import gzip
import json

import numpy as np
import pytest
from PIL import Image

from itr_explore.data.boxes import iou
from itr_explore.data.collection import Collection
from itr_explore.data.text import build_tokenizer, split_words

rng = np.random.default_rng(0)
FEATURES = rng.normal(size=(4, 3, 5)).astype(np.float32)


def image(imgid, split="test", captions=("A dog runs .", "A red dog ."), **more):
    return {
        "imgid": imgid,
        "filename": f"{imgid}.jpg",
        "split": split,
        "width": 100,
        "height": 50,
        "sentences": [{"raw": raw, "tokens": raw.lower().replace(" .", "").split()} for raw in captions],
        **more,
    }


def write_json(folder, images, name="dataset_small.json", **more):
    (folder / name).write_text(json.dumps({"dataset": "small", "images": images, **more}), encoding="utf-8")


def write_npz(folder, name="regions-test.npz", **arrays):
    np.savez(folder / name, **arrays)


def load(folder, split="test", **options):
    return Collection.from_karpathy(folder, split, **options)


@pytest.fixture
def with_json(tmp_path):
    write_json(tmp_path, [image(3), image(1, "train"), image(5)])
    write_npz(tmp_path, imgid=np.array([5, 3]), features=FEATURES[:2])
    return tmp_path


@pytest.fixture
def with_texts(tmp_path):
    np.save(tmp_path / "test_ims.npy", FEATURES)
    captions = [f"dog {i} of image {i // 2}" for i in range(8)]
    (tmp_path / "test_caps.txt").write_text("\n".join(captions) + "\n", encoding="utf-8")
    return tmp_path


# ---- JSON and regions ----


def test_regions_are_matched_to_the_json_by_imgid(with_json):
    found = load(with_json)
    assert found.image_ids == ["3.jpg", "5.jpg"]
    np.testing.assert_array_equal(found.regions(0), FEATURES[1])
    assert found.captions[:2] == ["A dog runs .", "A red dog ."]


def test_a_zipped_json_is_the_same(with_json):
    path = with_json / "dataset_small.json"
    with gzip.open(with_json / "dataset_small.json.gz", "wb") as file:
        file.write(path.read_bytes())
    path.unlink()
    assert load(with_json).image_ids == ["3.jpg", "5.jpg"]


def test_regions_without_ids_are_in_the_json_s_order(tmp_path):
    write_json(tmp_path, [image(9), image(4)])
    write_npz(tmp_path, features=FEATURES[:2])
    np.testing.assert_array_equal(load(tmp_path).regions(1), FEATURES[1])


def test_one_file_of_regions_may_hold_all_splits(tmp_path):
    write_json(tmp_path, [image(0), image(1, "train"), image(2)])
    write_npz(tmp_path, "regions.npz", imgid=np.arange(4), features=FEATURES)
    np.testing.assert_array_equal(load(tmp_path).regions(1), FEATURES[2])


def test_images_may_have_different_numbers_of_regions(tmp_path):
    write_json(tmp_path, [image(0), image(1)])
    flat = FEATURES.reshape(-1, 5)[:7]
    boxes = np.linspace(0, 1, 7)[:, None] * np.array([0, 0, 1, 1])
    write_npz(tmp_path, imgid=np.array([1, 0]), features=flat, starts=np.array([0, 2, 7]), boxes=boxes)
    found = load(tmp_path)
    np.testing.assert_array_equal(found.regions(0), flat[2:])
    np.testing.assert_allclose(found.boxes(1), boxes[:2], rtol=1e-6)


def test_codes_are_multiplied_by_the_scale_beside_them(tmp_path):
    write_json(tmp_path, [image(0)])
    write_npz(tmp_path, codes=np.full((1, 2, 3), -4, np.int8))
    write_npz(tmp_path, "regions-projection.npz", scale=np.array([0.5, 1.0, 2.0]))
    assert load(tmp_path).regions(0).tolist() == [[-2.0, -4.0, -8.0]] * 2


@pytest.mark.parametrize(
    "boxes",
    [
        np.full((1, 2, 4), [0, 13107, 32768, 65535], np.uint16),
        np.full((1, 2, 4), [0, 0.2, 0.5, 1.0]),
        np.full((1, 2, 4), [0, 10, 50, 50.0]),
    ],
    ids=["65535ths", "fractions", "pixels"],
)
def test_boxes_become_fractions_however_they_are_stored(tmp_path, boxes):
    write_json(tmp_path, [image(0)])
    write_npz(tmp_path, features=FEATURES[:1, :2], boxes=boxes)
    np.testing.assert_allclose(load(tmp_path).boxes(0), [[0, 0.2, 0.5, 1.0]] * 2, atol=1e-5)


def test_labels_have_names(tmp_path):
    write_json(tmp_path, [image(0)], categories=["cup", "hat"])
    write_npz(tmp_path, features=FEATURES[:1], labels=np.array([[255, 1, 0]], np.uint8))
    assert load(tmp_path).labels(0) == ("whole image", "hat", "cup")


def test_restval_counts_as_training_only_where_asked(tmp_path):
    write_json(tmp_path, [image(0, "train"), image(1, "restval"), image(2, "train")])
    write_npz(tmp_path, "regions.npz", imgid=np.arange(4), features=FEATURES)
    assert len(load(tmp_path, "train")) == 2
    assert load(tmp_path, "train", restval=True).image_ids == ["0.jpg", "1.jpg", "2.jpg"]


@pytest.mark.parametrize(("keep", "count"), [(None, 7), (5, 5), (1, 1)])
def test_more_than_five_captions_are_kept_or_cut(tmp_path, keep, count):
    write_json(tmp_path, [image(0, captions=[f"dog {i}" for i in range(7)])])
    write_npz(tmp_path, features=FEATURES[:1])
    assert len(load(tmp_path, captions_per_image=keep).captions) == count


def test_coco_s_name_for_the_test_split_is_understood(with_json):
    assert len(load(with_json, "testall")) == 2


def test_pictures_are_found_and_opened_upright(with_json):
    (with_json / "images").mkdir()
    turned = Image.new("RGB", (40, 20))
    turned.getexif()[0x0112] = 6
    turned.save(with_json / "images" / "3.jpg", exif=turned.getexif())
    found = load(with_json)
    assert found.image(0).size == (20, 40)
    with pytest.raises(FileNotFoundError, match=r"no picture 5\.jpg"):
        found.image(1)


def test_a_collection_without_pictures_says_none(with_json):
    assert load(with_json).pair(0).image is None


def test_a_damaged_picture_is_named(with_json):
    (with_json / "images").mkdir()
    (with_json / "images" / "3.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"3\.jpg cannot be opened"):
        load(with_json).image(0)


# ---- what people drew ----

PHRASED = image(
    0,
    captions=(),
    boxes=[[1, 1, 50, 50], [51, 1, 100, 50]],
    chain_boxes={"4": [0], "6": [0, 1]},
    scene_chains=["5"],
)
PHRASED["sentences"] = [
    {"raw": "Hello there", "tokens": ["hello", "there"]},
    {
        "raw": "A dog on grass .",
        "tokens": ["a", "dog", "on", "grass"],
        "phrases": [
            {"span": [0, 2], "chain": "4", "types": ["animals"]},
            {"span": [3, 4], "chain": "5", "types": ["scene"]},
        ],
    },
]


@pytest.fixture
def phrased(tmp_path):
    write_json(tmp_path, [PHRASED])
    write_npz(
        tmp_path, features=FEATURES[:1], boxes=np.array([[[0, 0, 1, 1], [0, 0, 0.5, 1], [0.6, 0, 1, 1]]])
    )
    return tmp_path


def test_phrase_boxes_become_truth(phrased):
    pair = load(phrased).pair(0, caption=1)
    dog, grass = pair.truth.mentions
    assert (dog.words, dog.kind, dog.boxes.tolist()) == ((0, 1), "animals", [[0, 0, 0.5, 1]])
    assert (grass.words, grass.kind) == ((3,), "whole scene")
    both, none = [True, True, False], [False] * 3  # half an image covers the whole of it just well enough
    assert pair.truth.word_regions.tolist() == [both, both, none, both]
    assert pair.truth.relations == ()


def test_a_caption_without_phrases_has_truth_that_names_nothing(phrased):
    assert load(phrased).pair(0).truth.mentions == ()


def test_captions_that_are_cut_off_take_their_phrases_with_them(phrased):
    found = load(phrased, captions_per_image=1)
    assert len(found.captions) == 1
    assert not found.has_truth


def test_labelled_objects_are_fractions(tmp_path):
    objects = [
        {"box": [0, 10, 50, 50], "label": "dog"},
        {"box": [0, 0, 100, 50], "label": "person", "crowd": 1},
    ]
    write_json(tmp_path, [image(0, objects=objects)])
    write_npz(tmp_path, features=FEATURES[:1])
    (label, box), (crowd, _) = load(tmp_path).objects(0)
    assert (label, crowd) == ("dog", "person (crowd)")
    assert box == pytest.approx((0, 0.2, 0.5, 1))


# ---- arrays and texts ----


def test_captions_are_dealt_to_images_by_their_counts(with_texts):
    found = load(with_texts)
    assert (len(found), len(found.captions), found.has_boxes) == (4, 8, False)
    assert found.pair(2, caption=1).caption == "dog 5 of image 2"
    np.testing.assert_array_equal(found.regions(3), FEATURES[3])


def test_features_stay_on_the_disk(with_texts):
    assert isinstance(load(with_texts)._regions.values, np.memmap)


def test_captions_of_arrays_can_be_cut(with_texts):
    assert load(with_texts, captions_per_image=1).captions == [f"dog {2 * i} of image {i}" for i in range(4)]


def test_ids_may_be_given_for_images_or_for_captions(with_texts):
    for each in (1, 2):
        (with_texts / "test_ids.txt").write_text("".join(f"{i}\n" * each for i in "abcd"), encoding="utf-8")
        assert load(with_texts).image_ids == ["a", "b", "c", "d"]


def test_an_image_repeated_for_each_caption_is_read_once_by_its_ids(with_texts):
    np.save(with_texts / "test_ims.npy", np.repeat(FEATURES, 2, 0))
    (with_texts / "test_ids.txt").write_text("9\n9\n7\n7\n8\n8\n1\n1\n", encoding="utf-8")
    found = load(with_texts)
    assert found.image_ids == ["9", "7", "8", "1"]
    assert found.image_of.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    np.testing.assert_array_equal(found.regions(2), FEATURES[2])


def test_an_image_repeated_five_times_is_read_once_without_ids(tmp_path):
    np.save(tmp_path / "test_ims.npy", np.repeat(FEATURES, 5, 0))
    (tmp_path / "test_caps.txt").write_text("\n".join(f"dog {i}" for i in range(20)), encoding="utf-8")
    found = load(tmp_path)
    assert (len(found), len(found.captions)) == (4, 20)
    np.testing.assert_array_equal(found.regions(2), FEATURES[2])
    assert found.captions[found.captions_of(3)[0]] == "dog 15"


def test_one_vector_an_image_is_one_region(with_texts):
    np.save(with_texts / "test_ims.npy", FEATURES[:, 0])
    assert load(with_texts).regions(1).shape == (1, 5)


def test_the_arrays_names_of_splits_are_understood(with_texts):
    for name in ("ims.npy", "caps.txt"):
        (with_texts / f"test_{name}").rename(with_texts / f"dev_{name}")
    assert len(load(with_texts, "val")) == 4


def test_boxes_in_pixels_are_measured_by_the_sizes_beside_them(with_texts):
    np.save(with_texts / "test_ims_bbx.npy", np.full((4, 3, 4), [0, 10, 50, 50.0]))
    np.save(with_texts / "test_ims_size.npy", np.array([[100 * (i + 1), 50] for i in range(4)]))
    np.testing.assert_allclose(load(with_texts).boxes(1), [[0, 0.2, 0.25, 1]] * 3, rtol=1e-6)


def test_arrays_get_phrases_and_pictures_from_a_json_that_agrees(with_texts):
    images = [image(i, captions=[f"Dog {2 * i}, of image {i}.", "another"]) for i in range(4)]
    write_json(with_texts, images)
    found = load(with_texts)
    assert found.image_ids == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert isinstance(found._regions.values, np.memmap)


def test_captions_are_read_as_text(with_texts):
    (with_texts / "test_caps.txt").write_bytes("\r\n".join(["the dog 🐕 и кот"] * 8).encode() + b"\r\n")
    found = load(with_texts)
    assert found.captions[0] == "the dog 🐕 и кот"
    words = build_tokenizer(found.captions, min_count=1).get_vocab()
    assert not [word for word in words if word.startswith("b'")]


# ---- bad input ----


def spoil(name, content):
    def write(folder):
        (folder / name).write_bytes(content)

    return write


def truncate(name):
    def cut(folder):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-40])

    return cut


def npz(name="regions-test.npz", **arrays):
    return lambda folder: write_npz(folder, name, **arrays)


IDS = np.array([5, 3])


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (truncate("dataset_small.json"), r"dataset_small\.json cannot be read"),
        (truncate("regions-test.npz"), r"regions-test\.npz cannot be read"),
        (spoil("dataset_small.json", b"[1, 2]"), "not in the field's layout"),
        (spoil("dataset_small.json", b'{"images": [{"filename": "a.jpg"}]}'), "not in the field's layout"),
        (
            spoil("dataset_small.json", b'{"images": [{"split": "test", "sentences": [{}]}]}'),
            "not in the field's layout",
        ),
        (spoil("dataset_small.json", b'{"images": []}'), "no images in split 'test'; its splits are none"),
        (lambda f: write_json(f, [image(3), image(3)]), "imgid 3 occurs twice"),
        (lambda f: write_json(f, [image(3), image(5, filename="3.jpg")]), r"filename '3\.jpg' occurs twice"),
        (lambda f: write_json(f, [image(3), image(4), image(5)]), r"image '4\.jpg' \(imgid 4\) is missing"),
        (lambda f: write_json(f, [image(3)]), r"has 2 images, split 'test' .* only 1; .*restval"),
        (lambda f: write_json(f, [image(3, captions=["a", " "]), image(5)]), r"image '3\.jpg' has no words"),
        (lambda f: write_json(f, [], "dataset_other.json"), "one collection a folder"),
        (npz(imgid=IDS, other=FEATURES), "wanted an array 'features' or 'codes'"),
        (npz(imgid=IDS, codes=np.zeros((2, 3, 5), np.int8)), "need a scale; wanted regions-projection.npz"),
        (npz(imgid=IDS, features=FEATURES[:2].astype("U8")), "wanted values .* got str"),
        (npz(imgid=IDS, features=FEATURES[:2, 0, 0]), r"wanted features \[image region feature\], got \[2\]"),
        (npz(imgid=np.array([5, 5]), features=FEATURES[:2]), "imgid must be 2 different numbers"),
        (npz(features=FEATURES[:3]), r"has 3 images, but the split has 2"),
        (npz(imgid=IDS, features=FEATURES[:2], starts=np.array([0, 9])), r"regions-test\.npz: wanted values"),
        (npz(imgid=IDS, features=FEATURES[:2], boxes=np.zeros((2, 2, 4))), r"boxes must be \[region 4\] of 6"),
        (npz(imgid=IDS, features=FEATURES[:2], labels=np.zeros((2, 4))), r"labels must be \[region\] of 6"),
        (
            npz(imgid=IDS, features=FEATURES[:2], boxes=np.full((2, 3, 4), [0, 0, 300, 20])),
            r"a region of image '3\.jpg' is no box inside its image: \[0 0 3 0\.4\]",
        ),
        (
            npz(imgid=IDS, features=FEATURES[:2], boxes=np.full((2, 3, 4), [9, 0, 3, 4], np.uint16)),
            r"a region of image '3\.jpg' is no box",
        ),
        (lambda f: write_json(f, [image(3, boxes=[[1, 1, 900, 9]], chain_boxes={}), PHRASED | {"imgid": 5}]), "boxes of image '3.jpg' is no box"),
        (
            lambda f: write_json(f, [PHRASED | {"imgid": 3, "width": None}, image(5)]),
            "image '0.jpg' has boxes but no width",
        ),
        (
            lambda f: write_json(f, [PHRASED | {"imgid": 3, "chain_boxes": {"4": [7]}}, image(5)]),
            r"dataset_small\.json: image '0\.jpg': chain '4' names box 7, counted from 0, of its 2 boxes",
        ),
        (
            lambda f: write_json(f, [image(3, sentences=[{"raw": "a", "tokens": ["a"], "phrases": [{"span": [0, 2], "chain": "1", "types": ["other"]}]}])]),
            r"dataset_small\.json: image '3\.jpg': a phrase spans tokens 0 to 2 of the 1",
        ),
        (spoil("dataset_small.json", b"[" * 100_000), r"dataset_small\.json cannot be read"),
        (
            lambda f: np.savez(f / "regions-test.npz", imgid=IDS, features=FEATURES[:2], labels=np.full((2, 3), np.nan)),
            "labels must be integers, got float64",
        ),
        (
            npz(imgid=IDS, features=FEATURES.reshape(-1, 5)[:6], starts=np.array([0, 8, 6])),
            r"regions-test\.npz: starts must never fall, but image 1 has rows 8 to 6",
        ),
    ],
)  # fmt: skip
def test_a_bad_json_or_bad_regions_are_one_clear_error(with_json, do, message):
    do(with_json)
    with pytest.raises(ValueError, match=message):
        load(with_json)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"objects": [{"label": "dog"}]}, "there is no 'box'.*wanted boxes"),
        ({"objects": [{"box": [0, 0, 9, 9]}]}, "there is no 'label'"),
        ({"objects": [{"box": [0, 0, 9, 9], "label": 7}]}, "label must be a text, got 7"),
        ({"objects": 5}, "cannot be understood"),
        ({"boxes": [[1, 2, 3]] * 4}, r"a box must be four numbers .* got \[1, 2, 3\]"),
        ({"boxes": [[1, 2, 3, "4"]]}, "a box must be four numbers"),
        ({"boxes": [[1, 1, 9, 9]], "chain_boxes": []}, "wanted boxes .* chain_boxes"),
        ({"boxes": [[1, 1, 9, 9]], "chain_boxes": {"1": ["0"]}}, "wanted boxes .* chain_boxes"),
        ({"boxes": [[1, 1, 9, 9]], "chain_boxes": {"1": [-1]}}, "chain '1' names box -1"),
        ({"imgid": [3]}, r"imgid must be a whole number or a text, got \[3\]"),
        ({"width": "abc"}, "width must be a number of pixels above 0, got 'abc'"),
        ({"sentences": [{"raw": 5}]}, "a caption must be a text, got 5"),
        ({"sentences": [{"raw": "a", "phrases": [{}]}]}, "there is no 'tokens'"),
        ({"sentences": [{"raw": "a", "tokens": ["a"], "phrases": [{}]}]}, "there is no 'span'"),
    ],
)
def test_an_image_that_cannot_be_understood_is_named_with_its_file(with_json, more, message):
    write_json(with_json, [image(3) | more, image(5)])
    with pytest.raises(ValueError, match=rf"dataset_small\.json: image '3\.jpg'.*{message}") as caught:
        load(with_json)
    assert "truncated" not in str(caught.value)


class Trap:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (truncate("test_ims.npy"), r"test_ims\.npy cannot be read"),
        (spoil("test_ims.npy", b"nothing"), r"test_ims\.npy cannot be read"),
        (spoil("test_caps.txt", b"one\ntwo\nthree\n"), "3 captions and .* 4 images"),
        (spoil("test_caps.txt", b""), "0 captions and .* 4 images"),
        (spoil("test_caps.txt", b"a\n\nc\nd\n"), "image 'test-00001' has no words"),
        (spoil("test_caps.txt", b"b'a dog'\n" * 8), "the print of byte strings"),
        (spoil("test_caps.txt", b"\xff\xfe\n" * 8), r"test_caps\.txt cannot be read"),
        (spoil("test_ids.txt", b"1\n2\n"), "2 ids; wanted one for each of 4"),
        (spoil("test_ids.txt", b"1\n2\n3\n1\n"), "'1' occurs twice"),
        (lambda f: np.save(f / "test_ims.npy", FEATURES.astype(complex)), "wanted values .* got complex128"),
        (lambda f: np.save(f / "test_ims.npy", FEATURES[None]), r"wanted features .* got \[1, 4, 3, 5\]"),
        (lambda f: np.save(f / "test_boxes.npy", np.zeros((4, 2, 4))), r"boxes must be \[region 4\] of 12"),
        (lambda f: np.save(f / "test_boxes.npy", np.full((4, 3, 4), 99)), "boxes up to 99 are pixels"),
        (lambda f: np.save(f / "test_ims_size.npy", np.ones((3, 2))), "sizes of 3"),
        (lambda f: np.save(f / "test_ims_size.npy", np.full((4, 2), "9")), "numbers above 0, got <U1"),
        (
            lambda f: np.save(f / "test_ims_size.npy", np.array([Trap()] * 4)),
            r"test_ims_size\.npy: it holds pickled objects",
        ),
        (lambda f: write_json(f, [image(i) for i in range(4)]), "disagree on image 0"),
        (lambda f: write_json(f, [image(i) for i in range(3)]), "has 4 images, but the split has 3"),
    ],
)
def test_bad_arrays_or_texts_are_one_clear_error(with_texts, do, message):
    do(with_texts)
    with pytest.raises(ValueError, match=message):
        load(with_texts)


def test_a_missing_folder_or_file_is_said_to_be_missing(tmp_path, with_json):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"wanted regions-train\.npz, train_ims\.npy or regions\.npz"):
        load(with_json, "train")


def test_missing_captions_are_said_to_be_missing(with_texts):
    (with_texts / "test_caps.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"test_caps\.txt"):
        load(with_texts)


def test_an_unknown_split_is_told_which_there_are(with_json):
    with pytest.raises(ValueError, match=r"no images in split 'x'; its splits are test \(2\), train \(1\)"):
        load(with_json, "x")


def test_no_captions_an_image_cannot_be_asked_for(with_json):
    with pytest.raises(ValueError, match="at least 1"):
        load(with_json, captions_per_image=0)


# ---- real data ----


def test_real_photos_are_whole(real_photos):
    found = load(real_photos, "val")
    assert (len(found), len(found.captions), found.region_dim) == (1000, 5000, 256)
    pair = found.pair(0)
    assert max(pair.image.size) == 224
    assert pair.labels[0] == "whole image"


def test_our_words_are_the_words_that_phrases_are_counted_in(real_photos):
    from itr_explore.data.karpathy_json import read_split

    images, _ = read_split(real_photos / "dataset.json.gz", "val", False)
    sentences = [sentence for image in images for sentence in image.sentences if sentence.tokens]
    assert sentences
    assert all(split_words(sentence.text)[0] == sentence.tokens for sentence in sentences)


def test_proposals_cover_as_many_phrases_as_the_data_says(real_photos):
    """75.7 %, as the data's README has it from boxes whose pixels it counts from 0; from 1 it is 75.8 %."""
    found = load(real_photos)
    covered = []
    for caption, image in enumerate(found.image_of):
        boxes = found.boxes(image)
        mentions = [m for m in found.truth(caption).mentions if len(m.boxes) and m.kind != "whole scene"]
        covered += [bool((iou(m.boxes, boxes) >= 0.5).any()) for m in mentions]
    assert len(covered) == 13063
    assert 100 * np.mean(covered) == pytest.approx(75.7, abs=0.2)


def test_coco_small_has_labelled_objects(real_photos):
    found = load(real_photos.parent / "coco-small")
    assert (len(found), len(found.captions), found.has_truth) == (100, 500, False)
    assert sum(len(found.objects(row)) for row in range(len(found))) == 874
    assert found.regions(0).shape == (13, 256)
