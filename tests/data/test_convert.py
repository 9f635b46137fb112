"""Features from each of the field's forms to each other: what goes in comes out."""

import base64

import numpy as np
import pytest

from itr_explore.data.collection import Collection
from itr_explore.data.convert import convert_features
from itr_explore.data.store import RegionStore, RegionWriter
from itr_explore.records import RegionsOf

FORMS = ["store", "f.tsv", "f.npz", "f_ims.npy"]


def regions(image: int, count: int = 2) -> RegionsOf:
    features = np.random.default_rng(image).normal(size=(count, 6)).astype(np.float16)
    corners = np.random.default_rng(image).uniform(0, 0.5, (count, 2))
    boxes = np.concatenate([corners, corners + 0.3], 1).astype(np.float32)
    scores = np.linspace(0.5, 0.25, count, dtype=np.float32)
    return RegionsOf(features, boxes, ("cat", "dog")[:count], scores, (640, 480))


@pytest.fixture
def store(tmp_path):
    with RegionWriter(tmp_path / "made", {"kind": "toy"}, images_a_shard=2) as writer:
        for image in range(5):
            writer.add(str(100 + image), regions(image))
    return tmp_path / "made"


def convert(*places, **options):
    return convert_features(*places, progress=False, **options)


@pytest.mark.parametrize("second", FORMS)
@pytest.mark.parametrize("first", FORMS)
def test_from_any_form_to_any_other_nothing_is_lost(store, tmp_path, first, second):
    one, other = tmp_path / "one" / first, tmp_path / "other" / second
    convert(convert(store, one), other)
    found = RegionStore(convert(other, tmp_path / "back"))
    assert found.keys == [str(100 + image) for image in range(5)]
    for image in range(5):
        there, wanted = found[str(100 + image)], regions(image)
        np.testing.assert_array_equal(there.features, wanted.features)
        np.testing.assert_allclose(there.boxes, wanted.boxes, atol=2e-5)
        assert there.size == wanted.size
        if {first, second} <= {"store", "f.npz"}:  # the others have no place for them
            assert there.labels == wanted.labels
            np.testing.assert_array_equal(there.scores, wanted.scores)


def test_a_store_turned_into_the_fields_layout_is_a_collection(store, tmp_path):
    convert(store, tmp_path / "field" / "test_ims.npy")
    (tmp_path / "field" / "test_caps.txt").write_text("\n".join(f"thing {n}" for n in range(5)))
    found = Collection.from_karpathy(tmp_path / "field", "test")
    assert found.image_ids == [str(100 + image) for image in range(5)]
    np.testing.assert_allclose(found.regions(3), regions(3).features, atol=1e-6)
    np.testing.assert_allclose(found.boxes(3), regions(3).boxes, atol=2e-5)
    again = found.with_regions(store)
    np.testing.assert_array_equal(again.regions(3), regions(3).features)


def test_any_number_of_regions_an_image_goes_into_an_archive_and_no_array(tmp_path):
    with RegionWriter(tmp_path / "made", {"kind": "toy"}) as writer:
        writer.add("one", regions(0, 1))
        writer.add("two", regions(1, 2))
    convert(convert(tmp_path / "made", tmp_path / "f.npz"), tmp_path / "back")
    assert RegionStore(tmp_path / "back")["two"].labels == ("cat", "dog")
    with pytest.raises(ValueError, match="'two' has 2 regions, those before it 1; an array holds the same"):
        convert(tmp_path / "made", tmp_path / "f_ims.npy")
    assert not (tmp_path / "f_ims.npy").exists()


def code(values) -> str:
    return base64.b64encode(np.asarray(values, np.float32).tobytes()).decode()


def line(key="7", size=(640, 480), count=1, boxes=((64, 48, 320, 240),), features=((1, 2, 3),)):
    return "\t".join([key, *map(str, size), str(count), code(boxes), code(features)])


def test_boxes_of_a_tsv_are_pixels(tmp_path):
    (tmp_path / "f.tsv").write_text(line() + "\n")
    found = RegionStore(convert(tmp_path / "f.tsv", tmp_path / "to"))["7"]
    np.testing.assert_allclose(found.boxes, [[0.1, 0.1, 0.5, 0.5]], atol=1e-4)
    assert found.size == (640, 480)
    assert found.features.tolist() == [[1, 2, 3]]


def test_the_parts_of_a_release_go_into_one_store(tmp_path):
    for part in range(2):
        (tmp_path / f"f.tsv.{part}").write_text(line(str(part)) + "\n")
        convert(tmp_path / f"f.tsv.{part}", tmp_path / "to")
    assert RegionStore(tmp_path / "to").keys == ["0", "1"]


def test_files_of_one_extractor_go_into_one_store_when_it_is_named(tmp_path):
    for name in ("train", "val"):
        (tmp_path / f"{name}.tsv").write_text(line(name) + "\n")
    convert(tmp_path / "train.tsv", tmp_path / "to")
    with pytest.raises(ValueError, match=r"another extractor's .*both, name it: extractor='train\.tsv'"):
        convert(tmp_path / "val.tsv", tmp_path / "to")
    convert(tmp_path / "val.tsv", tmp_path / "to", extractor="train.tsv")
    assert RegionStore(tmp_path / "to").keys == ["train", "val"]
    with pytest.raises(ValueError, match="leave extractor out"):
        convert(tmp_path / "to", tmp_path / "other", extractor="bottom-up")


def test_a_store_without_images_is_told(tmp_path):
    with RegionWriter(tmp_path / "none", {"kind": "toy"}):
        pass
    for name in ("f.npz", "f_ims.npy"):
        with pytest.raises(ValueError, match="none has no images"):
            convert(tmp_path / "none", tmp_path / name)


def test_lxmerts_columns_are_read(tmp_path):
    ids = base64.b64encode(np.array([4]).tobytes()).decode()
    fields = [
        "x",
        "480",
        "640",
        ids,
        code([0.5]),
        ids,
        code([0.25]),
        "1",
        code([[64, 48, 320, 240]]),
        code([[1, 2]]),
    ]
    (tmp_path / "f.tsv").write_text("\t".join(fields) + "\n")
    found = RegionStore(convert(tmp_path / "f.tsv", tmp_path / "to"))["x"]
    np.testing.assert_allclose(found.boxes, [[0.1, 0.1, 0.5, 0.5]], atol=1e-4)
    assert (found.size, found.labels, found.scores.tolist()) == ((640, 480), ("4",), [0.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line() + "\n" + line("8")[:-30].rsplit("\t", 1)[0], "line 2 has 4 columns; wanted the 6"),
        (line() + "\n" + line("8")[:-7], "line 2, image '8': .*cut short"),
        (line(count=2), "12 bytes of features are no float32 numbers of 2 regions"),
        (line(boxes=((0, 0, 900, 10),)), "line 1, image '7': region 0 is no box inside its image"),
        (line(size=(0, 480)), "got .* and 0 x 480"),
        (line(features=((1, np.nan),)), "NaN or infinite"),
        (line(features=((1, 1e6),)), "beyond float16's"),
    ],
)
def test_what_is_wrong_with_a_tsv_is_told_and_what_came_before_is_kept(tmp_path, text, message):
    (tmp_path / "f.tsv").write_text(text)
    with pytest.raises(ValueError, match=message):
        convert(tmp_path / "f.tsv", tmp_path / "to")
    if "\n" in text:
        assert RegionStore(tmp_path / "to").keys == ["7"]


def test_a_conversion_goes_on_where_it_stopped(tmp_path):
    (tmp_path / "f.tsv").write_text(line() + "\n" + "8\tcut")
    with pytest.raises(ValueError, match="line 2"):
        convert(tmp_path / "f.tsv", tmp_path / "to")
    (tmp_path / "f.tsv").write_text(line() + "\n" + line("8"))
    assert RegionStore(convert(tmp_path / "f.tsv", tmp_path / "to")).keys == ["7", "8"]


def test_what_cannot_be_converted_is_told(store, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no .*none\.tsv"):
        convert(tmp_path / "none.tsv", tmp_path / "to")
    with pytest.raises(
        ValueError, match=r"f\.h5 is of no form that is known; wanted a store's folder, a \.tsv"
    ):
        convert(store, tmp_path / "f.h5")
    with RegionWriter(tmp_path / "placeless", {"kind": "toy"}) as writer:
        writer.add("one", RegionsOf(np.ones((1, 3))))
    with pytest.raises(ValueError, match="'one' has no boxes, which a TSV needs"):
        convert(tmp_path / "placeless", tmp_path / "f.tsv")
    (store / "00001" / "features.npy").write_bytes(b"")
    with pytest.raises(ValueError, match="is not whole; 1 of its 3 shards cannot be used"):
        convert(store, tmp_path / "f.npz")
