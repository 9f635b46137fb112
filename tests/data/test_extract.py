"""Regions from pictures by a small extractor made here: looked at once, kept by what the pictures hold."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from itr_explore.data.collection import Collection
from itr_explore.data.extract import NAMES, content_key, default_folder, extract_regions
from itr_explore.data.pictures import Pictures
from itr_explore.data.ragged import Ragged
from itr_explore.data.scenes import cache
from itr_explore.data.store import RegionStore, RegionWriter
from itr_explore.records import RegionsOf

PHOTOS = 7


class Halves:
    """The mean colours of a picture's left and right half."""

    def __init__(self, **described):
        self.seen: list[int] = []
        self.described = described

    def describe(self):
        return {"kind": "halves", **self.described}

    def __call__(self, pictures):
        self.seen.append(len(pictures))
        return [self.look(picture) for picture in pictures]

    def look(self, picture):
        pixels = np.asarray(picture, np.float32) / 255
        halves = [half.mean((0, 1)) for half in np.array_split(pixels, 2, axis=1)]
        boxes = np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1]])
        return RegionsOf(np.array(halves), boxes, ("left", "right"), np.array([1, 0.5]))


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "kept"))
    return tmp_path / "kept"


def write_photos(folder, count=PHOTOS):
    (folder / "images").mkdir(parents=True)
    for row in range(count):
        pixels = np.full((12, 16, 3), (9 * row, 250 - row, 30), np.uint8)
        pixels[:, 8:, 2] = row
        Image.fromarray(pixels).save(folder / "images" / f"{row}.png")


def photos(folder, count=PHOTOS, **parts):
    if not folder.exists():
        write_photos(folder, count)
    names = [f"{row}.png" for row in range(count)]
    opened = Pictures(folder, names)
    told = {
        "name": folder.name,
        "split": "test",
        "captions": ["a thing"] * count,
        "image_of": np.arange(count),
        "image_ids": names,
        "open_image": opened,
        "stamp_of": opened.stamp,
    }
    return Collection(**{**told, **parts})


def test_a_collection_without_regions_gets_them(tmp_path):
    plain = photos(tmp_path / "album")
    found = plain.with_regions(Halves())
    assert (plain.has_regions, found.region_dim, found.region_counts.tolist()) == (False, 3, [2] * PHOTOS)
    np.testing.assert_allclose(found.regions(3), Halves().look(plain.image(3)).features, atol=1e-3)
    np.testing.assert_allclose(found.boxes(3), [[0, 0, 0.5, 1], [0.5, 0, 1, 1]], atol=1e-4)
    assert found.labels(3) == ("left", "right")
    assert found.regions_from.startswith("halves")


def test_regions_follow_a_subset(tmp_path):
    found = photos(tmp_path / "album").with_regions(Halves())
    np.testing.assert_array_equal(found.subset([5, 2]).regions(1), found.regions(2))
    part = photos(tmp_path / "album").subset([5, 2]).with_regions(Halves())
    np.testing.assert_array_equal(part.regions(0), found.regions(5))


def test_pictures_are_looked_at_once_and_not_opened_again(tmp_path, monkeypatch):
    photos(tmp_path / "album").with_regions(Halves())
    monkeypatch.setattr(
        "itr_explore.data.pictures.open_picture", lambda _: pytest.fail("a picture was opened again")
    )
    again = Halves()
    photos(tmp_path / "album").with_regions(again)
    assert again.seen == []


def test_copies_of_pictures_cost_nothing(tmp_path):
    photos(tmp_path / "album").with_regions(Halves())
    again = Halves()
    found = photos(tmp_path / "copy").with_regions(again)
    assert again.seen == []
    np.testing.assert_allclose(found.regions(6), Halves().look(found.image(6)).features, atol=1e-3)


def test_a_picture_that_changed_is_looked_at_again(tmp_path):
    photos(tmp_path / "album").with_regions(Halves())
    Image.new("RGB", (16, 12), "white").save(tmp_path / "album" / "images" / "4.png")
    again = Halves()
    found = photos(tmp_path / "album").with_regions(again)
    assert again.seen == [1]
    np.testing.assert_allclose(found.regions(4), 1, atol=1e-3)


def test_equal_pictures_of_one_batch_are_looked_at_once(tmp_path):
    extractor = Halves()
    same = photos(tmp_path / "album", open_image=lambda _: Image.new("RGB", (8, 8)), stamp_of=None)
    assert same.with_regions(extractor).region_counts.tolist() == [2] * PHOTOS
    assert extractor.seen == [1]


def test_another_extractor_has_a_folder_of_its_own(tmp_path):
    one, other = Halves(bins=2), Halves(bins=3)
    photos(tmp_path / "album").with_regions(one)
    photos(tmp_path / "album").with_regions(other)
    assert sum(other.seen) == PHOTOS
    assert default_folder(one.describe()) != default_folder(other.describe())


def test_regions_are_read_from_a_folder(tmp_path):
    plain = photos(tmp_path / "album")
    store = extract_regions(plain, Halves(), tmp_path / "regions", batch_size=3, progress=False)
    assert store.sizes.tolist() == [[16, 12]] * PHOTOS
    found = plain.with_regions(tmp_path / "regions")
    np.testing.assert_array_equal(found.regions(5), store[content_key(plain.image(5))].features)


def test_a_folder_serves_where_the_pictures_are_not(tmp_path):
    plain = photos(tmp_path / "album")
    extract_regions(plain, Halves(), tmp_path / "regions", progress=False)
    blind = photos(tmp_path / "album", open_image=None, stamp_of=None, name="elsewhere")
    found = blind.with_regions(tmp_path / "regions")
    np.testing.assert_array_equal(found.regions(2), plain.with_regions(tmp_path / "regions").regions(2))


def test_a_folder_serves_by_image_id_where_it_has_these(tmp_path):
    with RegionWriter(tmp_path / "regions", {"kind": "file"}) as writer:
        for row in reversed(range(PHOTOS)):
            writer.add(f"{row}.png", RegionsOf(np.full((1, 3), row)))
    found = photos(tmp_path / "album").with_regions(tmp_path / "regions")
    assert [found.regions(row)[0, 0] for row in range(PHOTOS)] == list(range(PHOTOS))
    assert not found.has_boxes


def test_images_that_a_store_lacks_are_named(tmp_path):
    plain = photos(tmp_path / "album")
    extract_regions(plain.subset(range(4)), Halves(), tmp_path / "regions", progress=False)
    with pytest.raises(
        ValueError, match=r"lacks the regions of 3 of 7 images of album, test, such as '4\.png'"
    ):
        plain.with_regions(tmp_path / "regions")
    (tmp_path / "regions" / "00000" / "features.npy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"lacks the regions of 7 of 7 .* 1 of its 1 shards cannot be used"):
        plain.with_regions(tmp_path / "regions")


class Slow(Halves):
    """Writes down what it looks at."""

    def __init__(self, log):
        super().__init__()
        self.log = log

    def __call__(self, pictures):
        with open(self.log, "a") as file:
            file.writelines(f"{content_key(picture)}\n" for picture in pictures)
        time.sleep(0.02)
        return super().__call__(pictures)


def test_after_a_kill_no_photo_is_lost_or_done_twice(tmp_path):
    count, folder, log = 60, tmp_path / "regions", tmp_path / "log"
    album = photos(tmp_path / "album", count)
    script = (
        "import sys, test_extract as t, itr_explore.data.store as s; from pathlib import Path\n"
        "s.RegionWriter.__init__.__kwdefaults__['images_a_shard'] = 8\n"
        "album = t.photos(Path(sys.argv[1]), 60)\n"
        "t.extract_regions(album, t.Slow(sys.argv[3]), sys.argv[2], batch_size=3, progress=False)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "album"), str(folder), str(log)],
        env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)},
    )
    while len(list(folder.glob("0*"))) < 2 and run.poll() is None:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    before = log.read_text().split()
    found = extract_regions(album, Slow(log), folder, progress=False)
    after = log.read_text().split()[len(before) :]
    assert 16 <= len(before) < count
    assert sorted(found.keys) == sorted(content_key(album.image(row)) for row in range(count))
    assert len(after) <= count - 16  # what was in a shard was not looked at again
    assert not found.verify()


def test_a_line_that_a_kill_cut_short_is_passed_over(tmp_path):
    plain, folder = photos(tmp_path / "album"), tmp_path / "regions"
    extract_regions(plain, Halves(), folder, progress=False)
    text = (folder / NAMES).read_text()
    (folder / NAMES).write_text(text[: len(text) // 2])
    again = Halves()
    extract_regions(plain, again, folder, progress=False)
    assert again.seen == []
    assert len([line for line in (folder / NAMES).read_text().splitlines() if line.endswith("}")]) >= PHOTOS


def test_a_damaged_picture_is_named_and_the_others_are_kept(tmp_path):
    plain = photos(tmp_path / "album")
    (tmp_path / "album" / "images" / "5.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"5\.png cannot be opened"):
        extract_regions(plain, Halves(), tmp_path / "regions", batch_size=2, progress=False)
    assert len(RegionStore(tmp_path / "regions")) == 4


class TooLarge(Halves):
    def __call__(self, pictures):
        if len(pictures) > 2:
            raise torch.OutOfMemoryError("no room")
        return super().__call__(pictures)


def test_batches_are_halved_where_memory_does_not_suffice(tmp_path):
    extractor = TooLarge()
    assert photos(tmp_path / "album").with_regions(extractor).has_regions
    assert max(extractor.seen) <= 2


class Wrong(Halves):
    def __call__(self, pictures):
        return super().__call__(pictures)[1:]


class Unspeakable(Halves):
    def describe(self):
        return {"kind": object()}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Wrong(), "was given 7 pictures and returned 6 answers; wanted one RegionsOf for each"),
        (Unspeakable(), "must give what JSON can say"),
        (5, "wanted an extractor, such as GridExtractor.*; got int"),
    ],
)
def test_what_is_no_extractor_is_told(tmp_path, source, message):
    with pytest.raises(ValueError, match=message):
        photos(tmp_path / "album").with_regions(source)


def test_a_model_s_name_is_no_store_and_the_way_to_use_it_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"with_regions\(GridExtractor\('openai/clip'\)\)"):
        photos(tmp_path / "album").with_regions("openai/clip")
    with pytest.raises(FileNotFoundError, match="is no region store") as told:
        photos(tmp_path / "album").with_regions(tmp_path)
    assert "GridExtractor" not in str(told.value)


def test_a_collection_without_pictures_is_told(tmp_path):
    with pytest.raises(
        ValueError, match=r"album, test has no picture of image '0\.png', so no extractor can"
    ):
        photos(tmp_path / "album", open_image=None, stamp_of=None).with_regions(Halves())


def test_a_folder_takes_no_cache(tmp_path):
    with pytest.raises(ValueError, match="needs no cache; leave it out"):
        photos(tmp_path / "album").with_regions(tmp_path, cache=tmp_path)


def test_regions_can_be_made_again_by_others(tmp_path):
    old = photos(tmp_path / "album", regions=Ragged(np.zeros((PHOTOS, 9)), np.arange(PHOTOS + 1)))
    assert old.with_regions(Halves(), cache=tmp_path / "here").region_dim == 3
    assert json.loads((tmp_path / "here" / "manifest.json").read_text())["images"] == PHOTOS


def test_a_model_refuses_features_of_another_extractor_than_it_was_trained_on(tmp_path):
    from itr_explore.data.text import build_tokenizer
    from itr_explore.evaluation.ranking import evaluate
    from itr_explore.explanation.maps import explain
    from itr_explore.models.registry import create_model, from_pretrained
    from itr_explore.training.fit import fit

    album = photos(tmp_path / "album", split="val")
    known, other = album.with_regions(Halves()), album.with_regions(Halves(trained="anew"))
    model = create_model("vse", region_dim=3, tokenizer=build_tokenizer(album.captions, min_count=1))
    list(fit(model, known, known, epochs=1, batch_size=4, device="cpu"))
    again = from_pretrained(model.save_pretrained(tmp_path / "model"))
    assert again.config.regions_from == known.regions_from
    assert evaluate(again, known, device="cpu").recall_at(10) == (100, 100)
    with pytest.raises(
        ValueError, match=r"made by 'halves .*', and the model was trained on those of 'halves"
    ):
        evaluate(again, other, device="cpu")
    explain(again, known.pair(0))
    with pytest.raises(ValueError, match="features of two extractors cannot be compared"):
        explain(again, other.pair(0))
    with pytest.raises(ValueError, match="features of two extractors cannot be compared"):
        fit(again, other, other, epochs=1)
    with pytest.raises(ValueError, match="features of two extractors cannot be compared"):
        fit(create_model("vse", region_dim=3, tokenizer=model.tokenizer), known, other, epochs=1)
