import re

import numpy as np
import pytest
from PIL import Image

from itr_explore.data.batching import collate
from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged
from itr_explore.data.text import build_tokenizer
from itr_explore.records import Mention, Truth


def test_a_collection_counts_images_and_says_what_it_has(small):
    assert len(small) == 3
    assert (small.region_dim, small.has_boxes, small.has_truth) == (4, True, False)
    assert repr(small) == "<small, test: 3 images, 5 captions, 1 to 3 regions an image of 4 features, boxes>"


def test_captions_of_an_image_keep_their_order(small):
    assert [small.captions_of(i).tolist() for i in range(3)] == [[0, 2], [1, 4], [3]]


def test_regions_are_those_of_the_image(small):
    np.testing.assert_array_equal(small.regions(1), np.arange(8, 20).reshape(3, 4))
    assert small.regions(1).dtype == np.float32
    np.testing.assert_array_equal(small.regions(-1), small.regions(2))


def test_stored_codes_are_scaled_and_stored_fractions_are_undone(parts):
    codes = Ragged(np.array([[2, -4]] * 6, np.int8), np.array([0, 2, 5, 6]), scale=np.array([0.5, 0.25]))
    boxes = np.full((6, 4), 65535, np.uint16)
    collection = Collection(**{**parts, "regions": codes, "boxes": boxes})
    assert collection.regions(2).tolist() == [[1.0, -1.0]]
    assert collection.boxes(2).tolist() == [[1.0] * 4]


def test_a_pair_is_an_image_and_one_of_its_captions(small):
    pair = small.pair(1, caption=1)
    assert pair.image_id == "second"
    assert pair.words == ("one", "b", "bold", "b", "cat", "a", "dog")
    assert pair.caption[slice(*pair.offsets[4])] == "cat"
    assert pair.image.size == (400, 300)
    assert pair.truth is None


def test_an_example_holds_all_captions_of_its_image(small):
    assert small.example(0).captions == ("A red dog.", "two dogs run")


def test_a_caption_that_an_image_does_not_have_is_refused(small):
    with pytest.raises(IndexError, match="'third' has 1 captions; wanted number 1"):
        small.pair(2, caption=1)
    with pytest.raises(IndexError, match="has 3 images; wanted number 3"):
        small.regions(3)


def test_a_pair_can_be_had_without_opening_its_picture(parts):
    parts["open_image"] = lambda row: pytest.fail("a picture was opened")
    pair = Collection(**parts).pair(1, caption=1, picture=False)
    assert (pair.image, pair.caption) == (None, "One <b>bold</b> cat & a dog")


GUIDE = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float16)


def test_a_collection_carries_one_guide_vector_an_image(small):
    guided = small.with_guide(GUIDE)
    assert (small.guide_dim, guided.guide_dim) == (None, 2)
    assert repr(guided).endswith("guide vectors of 2>")
    np.testing.assert_array_equal(guided.guide_of(np.array([2, 0])), GUIDE[[2, 0]].astype(np.float32))
    assert small.guide_of(np.array([0])) is None  # the one that was asked stays as it was


def test_guide_vectors_follow_their_images_through_subsets_and_pairs(small):
    chosen = small.with_guide(GUIDE).subset([2, 0]).subset([1])
    assert chosen.image_ids == ["first"]
    assert chosen.pair(0).guide.tolist() == [1.0, 0.0]
    assert small.pair(0).guide is None


def test_guide_vectors_are_read_from_a_file(small, tmp_path):
    np.save(tmp_path / "guide.npy", GUIDE)
    assert small.with_guide(tmp_path / "guide.npy").pair(1).guide.tolist() == [0.0, 1.0]
    np.save(tmp_path / "guide.npy", GUIDE[:2])
    with pytest.raises(ValueError, match=r"got float16 \[2, 2\] in .*guide.npy"):
        small.with_guide(tmp_path / "guide.npy")


@pytest.mark.parametrize(
    ("guide", "message"),
    [
        (GUIDE[:2], r"one for each of its 3 images in their order; got float16 \[2, 2\]"),
        (GUIDE[0], r"got float16 \[2\]"),
        (GUIDE[:, :0], r"got float16 \[3, 0\]"),
        (GUIDE.astype(int), r"floats, .*got int64 \[3, 2\]"),
        (np.array([[1, 0], [np.nan, 1], [0, 1]]), "guide vector of image 'second' has NaN"),
    ],
)
def test_guide_vectors_that_are_not_one_finite_vector_an_image_are_refused(small, guide, message):
    with pytest.raises(ValueError, match=f"small, test: .*{message}"):
        small.with_guide(guide)


@pytest.fixture
def bare(parts):
    """The small collection before anybody has made its regions."""
    return Collection(**{**parts, "regions": None, "boxes": None})


def test_a_collection_may_have_no_regions_yet(bare):
    assert (bare.has_regions, bare.has_boxes, bare.labels(0)) == (False, False, ())
    assert repr(bare) == "<small, test: 3 images, 5 captions, no regions yet>"
    assert bare._repr_html_().count("data:image/jpeg") == 3


def test_pictures_and_captions_can_be_looked_at_before_there_are_regions(bare):
    chosen = bare.with_guide(GUIDE).subset([2, 1])
    pair, example = chosen.pair(1, caption=1), chosen.example(0)
    assert (pair.image.size, pair.words[-1], pair.guide.tolist()) == ((400, 300), "dog", [0, 1])
    assert (pair.regions.shape, pair.boxes, example.regions.shape) == ((0, 0), None, (0, 0))


def test_what_needs_regions_says_how_to_make_them(bare):
    for needs in (
        lambda: bare.regions(0),
        lambda: bare.region_dim,
        lambda: bare.region_counts,
        lambda: collate(bare, [0], [], None),
    ):
        with pytest.raises(ValueError, match=r"small, test has no regions yet.*with_regions\(extractor\)"):
            needs()


def test_captions_can_be_encoded_before_there_are_regions(bare):
    batch = collate(bare, [], [0, 1], build_tokenizer(bare.captions, min_count=1))
    assert (batch.regions.shape, batch.words.shape) == ((0, 0, 0), (2, 5))


def test_boxes_without_regions_are_refused(parts):
    with pytest.raises(ValueError, match="boxes or labels, but no regions"):
        Collection(**{**parts, "regions": None})


def test_drawn_boxes_are_told_before_there_are_regions(parts):
    def truth_of(row, words, offsets, boxes):
        return Truth((Mention((0,), np.ones((1, 4))),), np.zeros((len(words), len(boxes)), bool))

    collection = Collection(**{**parts, "regions": None, "boxes": None}, truth_of=truth_of)
    truth = collection.pair(0).truth
    assert (len(truth.mentions), truth.word_regions.shape) == (1, (3, 0))


def test_labels_are_names(parts):
    collection = Collection(
        **parts, label_codes=np.array([0, 1, 1, 0, 9, 1]), label_names={0: "dog", 1: "cat", 9: "all"}
    )
    assert collection.labels(1) == ("cat", "dog", "all")
    assert collection.pair(0).labels == ("dog", "cat")


@pytest.mark.parametrize("names", [{0: "dog"}, ("dog",)])
def test_a_label_without_a_name_is_its_code(parts, names):
    collection = Collection(**parts, label_codes=np.array([0, -1, 1, 0, 9, 1]), label_names=names)
    assert collection.pair(0).labels == ("dog", "-1")


def truth_that_remembers(asked):
    def truth_of(row, words, offsets, boxes):
        asked.append(row)
        return Truth((Mention((0,), boxes[:1]),), np.zeros((len(words), len(boxes)), bool))

    return truth_of


def test_truth_is_asked_for_one_caption_when_its_pair_is_made(parts):
    asked = []
    collection = Collection(**parts, truth_of=truth_that_remembers(asked))
    assert asked == []
    assert collection.pair(0, caption=1).truth.mentions[0].words == (0,)
    assert asked == [2]


def test_truth_can_be_had_without_opening_the_picture(parts):
    parts["open_image"] = lambda row: pytest.fail("a picture was opened")
    asked = []
    assert len(Collection(**parts, truth_of=truth_that_remembers(asked)).truth(3).mentions) == 1
    assert asked == [3]


def test_a_subset_keeps_images_with_their_captions_and_shares_features(small):
    chosen = small.subset([2, 0])
    assert chosen.image_ids == ["third", "first"]
    assert chosen.captions == ["a dog", "A red dog.", "two dogs run"]
    assert chosen.image_of.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(chosen.regions(0), small.regions(2))
    np.testing.assert_array_equal(chosen.boxes(1), small.boxes(0))
    assert chosen._regions.values is small._regions.values


def test_a_subset_of_a_subset_still_asks_for_the_right_picture_and_truth(parts):
    asked = []
    collection = Collection(**parts, truth_of=truth_that_remembers(asked))
    pair = collection.subset([2, 0]).subset([1]).pair(0, caption=1)
    assert asked == [2]
    assert pair.image.getpixel((0, 0)) == (0, 0, 0)


def test_a_subset_takes_an_image_once(small):
    with pytest.raises(ValueError, match="each image once"):
        small.subset([0, 0])


def test_an_empty_subset_is_an_empty_collection(small):
    assert "0 images, 0 captions" in repr(small.subset([]))


def test_token_ids_are_made_once_for_a_tokenizer(small):
    tokenizer = build_tokenizer(small.captions, min_count=1)
    assert small.token_ids(tokenizer)[0] is small.token_ids(tokenizer)[0]
    other = build_tokenizer(small.captions, min_count=9)
    assert set(small.token_ids(other)[0].tolist()) == {1, 2, 3}


def test_html_shows_thumbnails_and_escapes_captions(small):
    html = small._repr_html_()
    assert html.count("data:image/jpeg;base64,") == 3
    assert "3 images, 5 captions" in html


def test_captions_and_names_are_escaped_in_html(parts):
    spoiled = {
        **parts,
        "captions": ["<script>x</script> dog"] * 5,
        "name": "<i>",
        "image_ids": ['"><b>', "2", "3"],
    }
    html = Collection(**spoiled)._repr_html_()
    assert not re.search(r"<script|<i>|<b>", html)


def test_a_picture_that_cannot_be_opened_does_not_hide_the_others(parts):
    def open_image(row):
        if row == 1:
            raise ValueError("image <2> is damaged")
        return Image.new("RGB", (10, 10)) if row else None

    html = Collection(**{**parts, "open_image": open_image})._repr_html_()
    assert html.count("data:image/jpeg") == 1
    assert "image &lt;2&gt; is damaged" in html


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        ({"image_ids": ["first", "second", "first"]}, "'first' occurs twice"),
        ({"image_ids": ["first", "second"]}, "2 image ids but regions of 3 images"),
        ({"image_of": np.array([0, 1])}, "5 captions but image_of is"),
        ({"image_of": np.array([0, 1, 2, 3, 0])}, "an image outside the 3"),
        (
            {"captions": ["a", "b", "  ", "d", "e"]},
            "small, test: a caption of image 'first' has no words: '  '",
        ),
        ({"captions": ["a", "b", b"c", "d", "e"]}, "caption 2 is bytes, wanted text"),
        ({"boxes": np.zeros((5, 4))}, "6 regions but boxes"),
        ({"label_codes": np.zeros(5, int)}, "6 regions but labels"),
        (
            {"regions": Ragged(np.zeros((6, 4), np.float32), np.array([0, 2, 2, 6]))},
            "'second' has no regions",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_one_sentence(parts, spoiled, message):
    with pytest.raises(ValueError, match=message):
        Collection(**{**parts, **spoiled})


@pytest.mark.parametrize(
    ("values", "starts", "scale"),
    [
        (np.zeros((4, 2), np.complex64), [0, 4], None),
        (np.zeros((4, 2, 2), np.float32), [0, 4], None),
        (np.zeros((4, 2), np.float32), [0, 3], None),
        (np.zeros((4, 2), np.int8), [0, 4], np.ones(3)),
    ],
)
def test_features_of_a_wrong_kind_are_refused(values, starts, scale):
    with pytest.raises(ValueError, match=r"wanted values|starts must|scale has"):
        Ragged(values, np.array(starts), scale)


def test_rows_read_from_a_mapped_file_are_those_that_were_written(tmp_path, monkeypatch):
    monkeypatch.setattr("itr_explore.data.ragged.RELEASE", 1)  # hand pages back after every read
    written = np.random.default_rng(0).normal(size=(50, 3, 7)).astype(np.float16)
    np.save(tmp_path / "x.npy", written)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    ragged = Ragged(mapped.reshape(-1, 7), np.arange(0, 151, 3))
    for _ in range(2):
        np.testing.assert_array_equal(ragged.gather(np.array([49, 3])), written[[49, 3]].reshape(-1, 7))
    assert ragged._place == mapped.offset  # what is announced is what will be read
