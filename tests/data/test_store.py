"""Region stores: what is written is read, whatever happens in between."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from itr_explore.data import shards, store
from itr_explore.data.store import RegionStore, RegionWriter, set_aside_damaged
from itr_explore.records import RegionsOf

BY = {"kind": "toy", "model": "by hand"}


def regions(image: int, count: int | None = None) -> RegionsOf:
    count = 1 + image % 3 if count is None else count
    boxes = np.tile(np.array([0.25, 0.5, 0.75, 1], np.float32), (count, 1))
    labels = tuple(f"thing {image % 4}" for _ in range(count))
    return RegionsOf(np.full((count, 5), image, np.float32), boxes, labels, np.full(count, 0.5), (40, 30))


def fill(folder, images=range(10), **options):
    with RegionWriter(folder, BY, **{"images_a_shard": 4, **options}) as writer:
        for image in images:
            if f"image {image}" not in writer:
                writer.add(f"image {image}", regions(image))
    return RegionStore(folder)


def spoil(path):
    """Change a byte, not the length."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 255
    path.write_bytes(bytes(data))


def test_what_was_written_is_read(tmp_path):
    found = fill(tmp_path)
    assert (len(found), found.shards, found.dim) == (10, ["00000", "00001", "00002"], 5)
    for image in range(10):
        there, wanted = found[f"image {image}"], regions(image)
        np.testing.assert_array_equal(there.features, wanted.features)
        np.testing.assert_allclose(there.boxes, wanted.boxes, atol=1e-5)
        assert (there.labels, there.size) == (wanted.labels, wanted.size)
        np.testing.assert_array_equal(there.scores, wanted.scores)


def test_the_files_are_plain_arrays(tmp_path):
    fill(tmp_path)
    features, boxes = (np.load(tmp_path / "00000" / f"{name}.npy") for name in ("features", "boxes"))
    assert (features.dtype, boxes.dtype) == (np.float16, np.uint16)
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert (told["version"], told["images"], told["extractor"]) == (1, 10, BY)


def test_rows_of_any_images_are_gathered_from_several_files(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "RELEASE", 1)  # let the files go after every read
    monkeypatch.setattr(shards, "MOST_OPEN", 2)
    found = fill(tmp_path, range(30))
    for some in np.random.default_rng(0).permutation(30).reshape(3, 10):
        values, wanted = found.regions.gather(some), [regions(int(image)).features for image in some]
        np.testing.assert_array_equal(values, np.concatenate(wanted))
    assert len(found.regions.values._open) <= 2


def test_no_images_have_no_rows(tmp_path):
    assert fill(tmp_path).regions.gather(np.array([], dtype=int)).shape == (0, 5)


def test_a_writer_goes_on_where_the_last_one_stopped(tmp_path):
    fill(tmp_path, range(5))
    assert fill(tmp_path, range(12)).keys == [f"image {image}" for image in range(12)]


def test_an_image_is_written_once(tmp_path):
    with RegionWriter(tmp_path, BY) as writer:
        writer.add("one", regions(1))
        with pytest.raises(ValueError, match="'one' is already in"):
            writer.add("one", regions(1))


def test_what_waits_is_written_when_the_work_is_interrupted(tmp_path):
    def interrupted():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path, interrupted())
    assert RegionStore(tmp_path).keys == ["image 1"]


def test_after_a_kill_no_image_is_lost_or_there_twice(tmp_path):
    script = (
        "import sys, numpy as np\n"
        "from itr_explore.data.store import RegionWriter\n"
        "from itr_explore.records import RegionsOf\n"
        "with RegionWriter(sys.argv[1], {'kind': 'toy'}, images_a_shard=3) as writer:\n"
        "    for image in range(100_000):\n"
        "        if f'image {image}' not in writer:\n"
        "            writer.add(f'image {image}', RegionsOf(np.full((2, 5), image)))\n"
    )
    keys: list[str] = []
    for _ in range(2):
        before = len(keys)
        run = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
        while len(list(tmp_path.glob("0*"))) * 3 <= before + 12 and run.poll() is None:
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
        with RegionWriter(tmp_path, {"kind": "toy"}):
            pass
        keys = RegionStore(tmp_path).keys
        assert len(keys) > before
        assert keys == [f"image {image}" for image in range(len(keys))]
    found = RegionStore(tmp_path)
    assert not found.verify()
    np.testing.assert_array_equal(found["image 10"].features, np.full((2, 5), 10))


def test_a_shard_that_the_manifest_does_not_know_yet_is_taken_in(tmp_path):
    fill(tmp_path, range(4))
    before = (tmp_path / "manifest.json").read_text()
    fill(tmp_path, range(8))
    (tmp_path / "manifest.json").write_text(before)  # killed between the two
    assert len(RegionStore(tmp_path)) == 4
    assert fill(tmp_path, []).keys == [f"image {image}" for image in range(8)]


def test_a_second_writer_is_told_to_wait(tmp_path):
    with RegionWriter(tmp_path, BY), pytest.raises(OSError, match="another process is writing regions to"):
        RegionWriter(tmp_path, BY).__enter__()
    fill(tmp_path)


@pytest.mark.parametrize("file", ["features.npy", "boxes.npy", "shard.json", "starts.npy"])
def test_a_full_disk_is_told_and_costs_nothing_that_was_written(tmp_path, monkeypatch, file):
    fill(tmp_path, range(4))
    replace, save = store._replace, store._save

    def full(path, *rest):
        if path.name == file:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return (replace if path.suffix == ".json" else save)(path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(store, "_replace", full)
        patch.setattr(store, "_save", full)
        with pytest.raises(OSError, match=r"No space left.*whole \(4 images\); make room") as told:
            fill(tmp_path, range(8))
    assert told.value.errno == errno.ENOSPC
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000", "manifest.json", "writer.lock"]
    assert len(fill(tmp_path, range(8))) == 8


def test_a_writer_whose_manifest_could_not_be_written_goes_on(tmp_path, monkeypatch):
    def full(path, text):
        if path.name == "manifest.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(path, text)

    replace = store._replace
    with RegionWriter(tmp_path, BY) as writer:
        for image in range(2):
            writer.add(f"image {image}", regions(image))
            with monkeypatch.context() as patch:
                patch.setattr(store, "_replace", full)
                for _ in range(2):
                    with pytest.raises(OSError, match="No space left"):
                        writer.flush()
            writer.flush()
            assert RegionStore(tmp_path).shards == [f"0000{shard}" for shard in range(image + 1)]


def test_a_damaged_shard_is_named_and_the_others_are_of_use(tmp_path):
    fill(tmp_path)
    (tmp_path / "00001" / "features.npy").write_bytes(b"cut")
    found = RegionStore(tmp_path)
    assert found.damaged == {"00001": "features.npy has 3 bytes, 208 were written"}
    np.testing.assert_array_equal(found["image 9"].features, regions(9).features)
    with pytest.raises(KeyError, match=r"no regions of image 'image 5'; 1 of its 3 shards cannot.*00001"):
        found["image 5"]


@pytest.mark.parametrize("name", ["boxes.npy", "starts.npy", "labels.npy", "shard.json"])
def test_all_but_features_are_checked_when_a_store_is_opened(tmp_path, name):
    fill(tmp_path)
    spoil(tmp_path / "00000" / name)
    assert list(RegionStore(tmp_path).damaged) == ["00000"]


def test_checksums_of_features_are_compared_on_demand_and_their_shard_made_again(tmp_path):
    spoil(fill(tmp_path).folder / "00002" / "features.npy")
    assert not RegionStore(tmp_path).damaged
    assert RegionStore(tmp_path).verify() == {
        "00002": "features.npy is not what was written: its checksum differs"
    }
    assert list(set_aside_damaged(tmp_path)) == ["00002"]
    assert (tmp_path / "damaged-00002" / "features.npy").exists()
    found = fill(tmp_path)
    assert len(found) == 10
    assert not found.verify()


def test_a_writer_makes_a_damaged_shard_again_and_says_so(tmp_path):
    fill(tmp_path)
    (tmp_path / "00000" / "boxes.npy").unlink()
    with pytest.warns(UserWarning, match=r"shard 00000 of .* is damaged \(boxes\.npy is missing\)"):
        found = fill(tmp_path)
    assert sorted(found.keys) == sorted(f"image {image}" for image in range(10))


def test_another_extractors_regions_are_not_mixed_in(tmp_path):
    fill(tmp_path)
    with pytest.raises(ValueError, match=r"another extractor's regions: model is 'by hand' there, 'x' here"):
        RegionWriter(tmp_path, {**BY, "model": "x"}).__enter__()
    fill(tmp_path)  # the lock is free again


@pytest.mark.parametrize(
    ("unlike", "message"),
    [
        (
            RegionsOf(np.zeros((1, 6))),
            "has 6 features with nothing beside, the others in .* have 5 with boxes",
        ),
        (RegionsOf(np.full((1, 5), 7e4)), "up to 7e.04, beyond float16's 65504"),
    ],
)
def test_regions_unlike_the_others_are_refused(tmp_path, unlike, message):
    if unlike.features.max() > 0:
        with RegionWriter(tmp_path, BY) as writer, pytest.raises(ValueError, match=message):
            writer.add("other", unlike)
    else:
        fill(tmp_path, range(1))
        with RegionWriter(tmp_path, BY) as writer, pytest.raises(ValueError, match=message):
            writer.add("other", unlike)


def test_a_folder_without_a_manifest_is_no_store(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is no region store: it has no manifest\.json"):
        RegionStore(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2}', "[1]"])
def test_a_damaged_manifest_can_be_taken_away(tmp_path, text):
    fill(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json cannot be read .*; take it away"):
        RegionStore(tmp_path)
    (tmp_path / "manifest.json").unlink()
    assert len(fill(tmp_path, [])) == 10


def test_a_store_says_what_it_is(tmp_path):
    assert "10 images, 19 regions of 5 features, 3 shards, by toy by hand" in repr(fill(tmp_path))


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"features": np.zeros((0, 5))}, "one region at least"),
        ({"features": np.full((1, 5), np.nan)}, "NaN or infinite"),
        ({"boxes": np.array([[0, 0, 2, 1.0]])}, "between 0 and 1"),
        ({"boxes": np.array([[0.5, 0, 0.2, 1.0]])}, "x1 <= x2"),
        ({"scores": np.zeros(2)}, "scores must be"),
        ({"labels": ("a", "b")}, "1 regions but 2 labels"),
    ],
)
def test_regions_check_themselves(spoilt, message):
    with pytest.raises(ValueError, match=message):
        RegionsOf(**{"features": np.zeros((1, 5)), **spoilt})
