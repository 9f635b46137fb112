"""Sets in the shapes that are in use, each written small; nothing asks a network."""

import errno
import io
from types import SimpleNamespace

import numpy as np
import pytest
from datasets import Dataset, DatasetDict, Features, Image, List, Value
from datasets.exceptions import DatasetNotFoundError
from PIL import Image as Pillow
from toys import toy_model

from itr_explore.data import hub_tables
from itr_explore.data.collection import Collection
from itr_explore.evaluation.ranking import evaluate
from itr_explore.records import RegionsOf

TEXT = Value("string")
PICTURES = [Pillow.new("RGB", (30 + row, 20), (40 * row, 0, 90)) for row in range(4)]
FIVE = [[f"thing {row} said {k}" for k in range(5)] for row in range(4)]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))


def table(columns: dict, features: dict) -> Dataset:
    return Dataset.from_dict(columns, features=Features(features))


def flickr(rows=range(4), **more) -> Dataset:
    """As Flickr30K is published: a list of captions an image, all in one split, and Karpathy's in a column."""
    rows = list(rows)
    return table(
        {
            "image": [PICTURES[row] for row in rows],
            "caption": [FIVE[row] for row in rows],
            "sentids": [[str(5 * row + k) for k in range(5)] for row in rows],
            "split": [("train", "val", "test", "restval")[row] for row in rows],
            "filename": [f"{row}.jpg" for row in rows],
            **{name: values for name, (_, values) in more.items()},
        },
        {
            "image": Image(),
            "caption": List(TEXT),
            "sentids": List(TEXT),
            "split": TEXT,
            "filename": TEXT,
            **{name: kind for name, (kind, _) in more.items()},
        },
    )


@pytest.fixture
def read(tmp_path):
    """Writes a table as parquet and reads it as a collection; the cache is the test's own."""

    def write_and_read(rows: Dataset | DatasetDict, split="test", **options) -> Collection:
        parts = rows if isinstance(rows, dict) else {"test": rows}
        for name, part in parts.items():
            part.to_parquet(tmp_path / "set" / "data" / f"{name}-00000-of-00001.parquet")
        return Collection.from_hub(tmp_path / "set", split, cache=tmp_path / "cache", **options)

    return write_and_read


def test_a_list_of_captions_an_image_with_karpathy_s_splits_in_a_column(read):
    found = read(flickr())
    assert (found.image_ids, found.captions, found.split) == (["2.jpg"], FIVE[2], "test")
    assert found.caption_ids == [f"{10 + k}" for k in range(5)]
    assert found.image(0).size == (32, 20)
    assert repr(found) == (
        "<set, test: 1 images, 5 captions, no regions yet (captions from 'caption', pictures from 'image',"
        " names from 'filename', splits from 'split')>"
    )


def test_a_split_that_only_the_column_knows_is_found_by_any_of_its_names(read):
    assert read(flickr(), "dev").image_ids == ["1.jpg"]
    assert read(flickr(), "train").image_ids == ["0.jpg"]
    assert read(flickr(), "train", restval=True).image_ids == ["0.jpg", "3.jpg"]


def test_a_split_that_nobody_knows_is_refused_with_those_there_are(read):
    with pytest.raises(ValueError, match="no row's 'split' says so; it says restval, test, train, val"):
        read(flickr(), "holdout")
    with pytest.raises(ValueError, match="has no split 'holdout'; its splits are test"):
        read(flickr().remove_columns("split"), "holdout")


def test_splits_of_their_own_restval_among_them(read):
    bare = flickr().remove_columns("split")
    parts = {name: bare.select([row]) for row, name in enumerate(("train", "validation", "test", "restval"))}
    assert read(parts, "val").image_ids == ["1.jpg"]
    assert read(parts, "train", restval=True).image_ids == ["0.jpg", "3.jpg"]


def test_one_caption_an_image(read):
    found = read(table({"image": PICTURES, "text": list("abcd")}, {"image": Image(), "text": TEXT}))
    assert (len(found), found.captions, found.image_ids[:2]) == (4, list("abcd"), ["000000", "000001"])


def test_columns_of_captions_are_taken_in_the_order_of_their_numbers(read):
    names = [f"caption_{k}" for k in (1, 0, 10)]
    columns = {name: [f"{name} of {row}" for row in range(4)] for name in names}
    found = read(table({"image": PICTURES, **columns}, {"image": Image(), **dict.fromkeys(names, TEXT)}))
    assert found.captions[:3] == ["caption_0 of 0", "caption_1 of 0", "caption_10 of 0"]
    assert found.image_of.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


def test_a_row_for_each_caption_is_one_image_by_its_name(read):
    rows = [0, 1, 0, 1, 0]
    found = read(
        table(
            {
                "image": [PICTURES[row] for row in rows],
                "caption": [f"{k}" for k in range(5)],
                "image_id": rows,
            },
            {"image": Image(), "caption": TEXT, "image_id": Value("int64")},
        )
    )
    assert (found.image_ids, found.image_of.tolist()) == (["0", "1"], rows)
    assert found.captions_of(0).tolist() == [0, 2, 4]


def test_a_row_for_each_caption_without_a_name_is_one_image_by_its_picture(read):
    rows = [2, 0, 2]
    found = read(
        table(
            {"image": [PICTURES[row] for row in rows], "caption": list("xyz")},
            {"image": Image(), "caption": TEXT},
        )
    )
    assert (len(found), found.image_of.tolist()) == (2, [0, 1, 0])
    assert [found.image(row).width for row in range(2)] == [32, 30]


def test_records_of_sentences_as_in_coco_s_json(read):
    record = {"raw": TEXT, "sentid": Value("int64"), "tokens": List(TEXT)}
    nested = [
        [{"raw": text, "sentid": 7 * row, "tokens": ["x"]} for text in FIVE[row][:1]] for row in range(4)
    ]
    found = read(
        table(
            {"image": PICTURES, "sentences": nested, "cocoid": range(4)},
            {"image": Image(), "sentences": List(record), "cocoid": Value("int64")},
        )
    )
    assert (found.captions[1], found.caption_ids) == ("thing 1 said 0", [0, 7, 14, 21])


def test_one_record_a_row_as_coco_is_published(read):
    record = {"raw": TEXT, "sentid": Value("int64")}
    found = read(
        table(
            {
                "image": [PICTURES[0]] * 2,
                "filename": ["a.jpg"] * 2,
                "sentids": [[4, 9]] * 2,
                "sentences": [{"raw": "one", "sentid": 4}, {"raw": "two", "sentid": 9}],
            },
            {"image": Image(), "filename": TEXT, "sentids": List(Value("int64")), "sentences": record},
        )
    )
    assert (found.image_ids, found.captions, found.caption_ids) == (["a.jpg"], ["one", "two"], [4, 9])


def test_each_column_can_be_said_instead(read):
    rows = flickr(alt=(TEXT, list("pqrs")), thumb=(Image(), PICTURES[::-1]))
    found = read(rows, caption="alt", image="thumb", image_id="alt")
    assert (found.captions, found.image_ids, found.image(0).width) == (["r"], ["r"], 31)
    with pytest.raises(ValueError, match="has no column 'alto'; its columns are image, caption, sentids"):
        read(rows, caption="alto")


def test_a_set_without_captions_is_refused_or_taken_as_such(read):
    rows = table({"image": PICTURES, "label": range(4)}, {"image": Image(), "label": Value("int64")})
    with pytest.raises(
        ValueError, match=r"no column that looks like captions.*label \(other\).*caption=\(\)"
    ):
        read(rows)
    found = read(rows, caption=())
    assert (len(found), found.captions) == (4, [])
    with pytest.raises(ValueError, match="no row has a caption in caption"):
        read(flickr().remove_columns("split").map(lambda _: {"caption": []}))


def test_captions_without_words_are_left_out_and_named(read):
    rows = table({"image": PICTURES, "text": ["a", " ", None, "d"]}, {"image": Image(), "text": TEXT})
    with pytest.warns(UserWarning, match="left out 1 .*000001: a caption without words"):
        found = read(rows)
    assert (found.captions, found.image_of.tolist(), len(found.skipped)) == (["a", "d"], [0, 3], 1)


def test_captions_and_images_can_be_limited(read):
    found = read(flickr().remove_columns("split"), limit=2, captions_per_image=3)
    assert (found.image_ids, len(found.captions)) == (["0.jpg", "1.jpg"], 6)
    with pytest.raises(ValueError, match="limit must be at least 1"):
        read(flickr(), limit=0)


def test_pictures_are_opened_when_asked_for_upright_and_a_damaged_one_is_named(tmp_path, read):
    turned = io.BytesIO()
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.new("L", (30, 10)).save(turned, "JPEG", exif=exif)
    rows = table(
        {"image": [{"bytes": b, "path": None} for b in (turned.getvalue(), b"no")], "text": ["a", "b"]},
        {"image": Image(), "text": TEXT},
    )
    found = read(rows)
    assert (found.image(0).size, found.image(0).mode) == ((10, 30), "RGB")
    with pytest.raises(ValueError, match="the picture of '000001' cannot be opened"):
        found.image(1)
    assert found.stamp(0) != found.stamp(1)


def test_pictures_that_a_set_only_names_are_found_in_a_folder(tmp_path, read):
    rows = table(
        {"filename": ["a.png", "b.png"], "captions": [["x"], ["y"]]},
        {"filename": TEXT, "captions": List(TEXT)},
    )
    (tmp_path / "photos").mkdir()
    PICTURES[3].save(tmp_path / "photos" / "b.png")
    assert read(rows).image(0) is None
    found = read(rows, pictures=tmp_path / "photos")
    assert found.image(1).width == 33
    with pytest.raises(FileNotFoundError, match=r"no picture a\.png in .*photos; copy it there"):
        found.image(0)


def test_paths_that_lead_nowhere_ask_for_the_folder(read):
    rows = table({"image": ["photos/a.jpg"], "text": ["x"]}, {"image": TEXT, "text": TEXT})
    with pytest.raises(FileNotFoundError, match=r"no picture photos/a\.jpg, .*pictures=folder"):
        read(rows).image(0)


def test_an_address_is_never_fetched(read):
    rows = table({"image": ["https://x.org/a.jpg"], "text": ["x"]}, {"image": TEXT, "text": TEXT})
    with pytest.raises(ValueError, match=r"only the address is known .*pictures=folder"):
        read(rows).image(0)


def test_what_save_to_disk_wrote_is_read_whole_or_by_its_splits(tmp_path):
    rows = flickr()
    rows.save_to_disk(tmp_path / "one")
    assert Collection.from_hub(tmp_path / "one", "val").image_ids == ["1.jpg"]
    bare = rows.remove_columns("split")
    DatasetDict(train=bare.select([0]), test=bare.select([1, 2])).save_to_disk(tmp_path / "both")
    assert Collection.from_hub(tmp_path / "both").image_ids == ["1.jpg", "2.jpg"]
    with pytest.raises(ValueError, match="has no split 'val'; its splits are train, test"):
        Collection.from_hub(tmp_path / "both", "val")


def test_a_parquet_file_is_the_split_that_one_asks_for(tmp_path):
    flickr().remove_columns("split").to_parquet(tmp_path / "few.parquet")
    found = Collection.from_hub(tmp_path / "few.parquet", "val", cache=tmp_path / "cache")
    assert (found.name, found.split, len(found)) == ("few", "val", 4)


def test_a_damaged_file_is_named_and_the_others_can_be_used(tmp_path, read):
    bare = flickr().remove_columns("split")
    for row in range(3):
        bare.select([row]).to_parquet(tmp_path / "set" / "data" / f"test-0000{row}-of-00003.parquet")
    path = tmp_path / "set" / "data" / "test-00001-of-00003.parquet"
    path.write_bytes(path.read_bytes()[:200])

    def again(**options):
        return Collection.from_hub(tmp_path / "set", cache=tmp_path / "cache", **options)

    with pytest.raises(ValueError, match=r"test-00001-of-00003\.parquet is damaged .*skip_damaged=True"):
        again()
    with pytest.warns(UserWarning, match=r"left out 1 .*test-00001"):
        found = again(skip_damaged=True)
    assert found.image_ids == ["0.jpg", "2.jpg"]
    assert "damaged" in found.skipped[0][1]


def test_a_damaged_file_of_save_to_disk_is_named_too(tmp_path):
    flickr().remove_columns("split").save_to_disk(tmp_path / "saved", num_shards=2)
    path = tmp_path / "saved" / "data-00001-of-00002.arrow"
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match=r"data-00001-of-00002\.arrow is damaged"):
        Collection.from_hub(tmp_path / "saved")
    with pytest.warns(UserWarning, match="left out 1"):
        assert len(Collection.from_hub(tmp_path / "saved", skip_damaged=True)) == 2


def test_of_a_stream_only_the_first_images_are_read_and_kept(tmp_path, read):
    rows = [0, 0, 1, 1, 2]
    part = table(
        {"image": [PICTURES[row] for row in rows], "caption": list("abcde"), "image_id": rows},
        {"image": Image(), "caption": TEXT, "image_id": Value("int64")},
    )
    first = read(part, streaming=True, limit=2)
    assert (first.captions, first.image_of.tolist(), first.image(1).width) == (list("abcd"), [0, 0, 1, 1], 31)
    written = sorted((tmp_path / "cache" / "generator").rglob("*.arrow"))
    again = Collection.from_hub(tmp_path / "set", cache=tmp_path / "cache", streaming=True, limit=2)
    assert again.captions == list("abcd")
    assert sorted((tmp_path / "cache" / "generator").rglob("*.arrow")) == written
    assert len(written) == 1
    with pytest.raises(ValueError, match="streaming needs a limit"):
        read(part, streaming=True)


def test_a_stream_of_a_file_that_was_written_anew_has_the_new_rows(tmp_path):
    path, here = tmp_path / "few.parquet", tmp_path / "cache"
    for text in "xyz":
        table({"filename": ["a.png"], "caption": [text]}, {"filename": TEXT, "caption": TEXT}).to_parquet(
            path
        )
        found = Collection.from_hub(path, streaming=True, limit=1, cache=here)
        assert found.captions == [text]


def test_a_stream_of_another_commit_has_that_commit_s_rows(monkeypatch, tmp_path):
    place = hub_tables.Place("owner/name", splits=("test",))
    kept = []
    for commit in ("one", "one", "two"):
        files = {"test": [f"hf://datasets/owner/name@{commit}/test.parquet"], "train": ["x"]}
        builder = SimpleNamespace(hash="same", config=SimpleNamespace(data_files=files))
        monkeypatch.setattr(hub_tables.Place, "builder", lambda self, files=None, made=builder: made)
        kept.append(place._stamps(["test"]))
    assert kept[0] == kept[1] != kept[2]


def raises(monkeypatch, error):
    def builder(*_, **__):
        raise error

    monkeypatch.setattr("datasets.load_dataset_builder", builder)


def test_a_gated_set_says_how_to_be_let_in(monkeypatch):
    raises(monkeypatch, DatasetNotFoundError("Dataset 'a/b' is a gated dataset on the Hub."))
    with pytest.raises(PermissionError, match=r"a/b is gated.*huggingface\.co/datasets/a/b, then log in"):
        Collection.from_hub("a/b")


def test_a_set_that_is_not_there_may_have_been_renamed(monkeypatch):
    raises(monkeypatch, DatasetNotFoundError("Dataset 'a/b' doesn't exist on the Hub"))
    with pytest.raises(
        FileNotFoundError, match=r"no set 'a/b' on the Hugging Face hub.*may have been renamed"
    ):
        Collection.from_hub("a/b")
    with pytest.raises(FileNotFoundError, match="no file or folder /nowhere/b"):
        Collection.from_hub("/nowhere/b")


def test_without_a_network_it_is_said_what_to_do(monkeypatch):
    raises(monkeypatch, ConnectionError("Couldn't reach 'a/b' on the Hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(ConnectionError, match=r"the hub cannot be reached.*save_to_disk"):
        Collection.from_hub("a/b")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConnectionError, match="HF_HUB_OFFLINE forbids to ask the hub"):
        Collection.from_hub("a/b")


def test_a_set_made_by_a_program_is_not_run(monkeypatch):
    raises(monkeypatch, RuntimeError("Dataset scripts are no longer supported, but found b.py"))
    with pytest.raises(ValueError, match=r"which is not run.*revision='refs/convert/parquet'"):
        Collection.from_hub("a/b")


def test_a_full_disk_is_said(monkeypatch):
    raises(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match=r"the disk is full while a/b was being prepared.*cache="):
        Collection.from_hub("a/b")


def test_markup_in_a_set_is_shown_as_text(read):
    rows = table(
        {"image": PICTURES[:1], "text": ["<img src=x onerror=alert(1)>"]}, {"image": Image(), "text": TEXT}
    )
    assert "<img src=x" not in read(rows)._repr_html_()


def test_subsets_keep_the_captions_own_numbers(read):
    found = read(flickr().remove_columns("split")).subset([2, 0])
    assert found.caption_ids[:1] == ["10"]
    assert found.image(0).width == 32
    np.testing.assert_array_equal(found.source_rows[0], [2, 0])


class Corners:
    """Four quarters of a picture, each told by its mean colour."""

    def describe(self) -> dict:
        return {"kind": "corners"}

    def __call__(self, pictures):
        return [self._of(np.asarray(picture, np.float32) / 255) for picture in pictures]

    def _of(self, pixels):
        parts = [half for side in np.array_split(pixels, 2) for half in np.array_split(side, 2, axis=1)]
        boxes = [(x, y, x + 0.5, y + 0.5) for y in (0, 0.5) for x in (0, 0.5)]
        size = pixels.shape[1], pixels.shape[0]
        features = np.array([part.mean((0, 1)) for part in parts], np.float32)
        return RegionsOf(features, np.array(boxes, np.float32), size=size)


def test_from_a_set_to_regions_recall_and_a_pair(read, tmp_path):
    found = read(flickr().remove_columns("split")).with_regions(Corners(), cache=tmp_path / "regions")
    model = toy_model(found)
    assert (found.region_dim, found.has_boxes) == (3, True)
    assert evaluate(model, found, device="cpu").rsum > 0
    assert found.subset([2]).pair(0).regions.shape == (4, 3)
