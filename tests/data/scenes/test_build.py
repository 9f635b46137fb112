import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from itr_explore.data.scenes import build, cache, load
from itr_explore.data.scenes.features import describe
from itr_explore.data.scenes.load import load_scenes, open_dataset
from itr_explore.data.scenes.probes import swap_item
from itr_explore.data.scenes.splits import SIZES

SIZE = 40


@pytest.fixture(scope="module", autouse=True)
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("scenes")
        patch.setenv(cache.ENVIRONMENT, str(folder))
        yield folder


@pytest.fixture(scope="module")
def scenes(root):
    return load_scenes("val", SIZE)


def checksum(scenes):
    """One of everything that must not depend on the machine, for three scenes."""
    told = hashlib.sha256()
    for row in range(3):
        told.update(json.dumps([scenes.captions[c] for c in scenes.captions_of(row)]).encode())
        told.update(np.round(scenes.boxes(row), 4).astype("<f4").tobytes())
        told.update(scenes.image(row).tobytes())
    return told.hexdigest()


def test_a_split_comes_back_as_a_collection(scenes):
    assert len(scenes) == SIZE
    assert len(scenes.captions) == 5 * SIZE
    assert scenes.has_truth
    assert scenes.has_boxes
    assert scenes.image(0).size == (320, 240)


def test_features_are_a_view_of_the_file(scenes):
    values = scenes._regions.values
    assert values.dtype == np.float16
    assert not values.flags.owndata
    assert not values.flags.writeable


def test_features_come_from_the_pixels_that_are_kept(scenes):
    features, labels, _ = describe([scenes.image(5)], [scenes.boxes(5)])
    np.testing.assert_allclose(scenes.regions(5), features, atol=2e-3, rtol=2e-3)
    assert scenes.labels(5) == tuple(labels)


def test_the_second_time_nothing_is_made(scenes, monkeypatch):
    monkeypatch.setattr(build, "write_split", None)
    again = load_scenes("val", SIZE)
    assert again.captions == scenes.captions


def test_a_smaller_split_begins_the_larger_one(scenes):
    few = load_scenes("val", 3)
    assert few.captions == scenes.captions[:15]
    np.testing.assert_array_equal(few.boxes(2), scenes.boxes(2))


def test_another_seed_and_another_split_have_other_scenes(scenes):
    assert load_scenes("val", 3, seed=1).captions != scenes.captions[:15]
    assert load_scenes("test", 3).captions != scenes.captions[:15]


def test_the_seed_alone_decides_what_is_made(scenes, tmp_path):
    program = (
        "from itr_explore.data.scenes.load import load_scenes\n"
        "from test_build import checksum\n"
        "print(checksum(load_scenes('val', 3)))"
    )
    paths = [str(Path(__file__).parent), str(Path(build.__file__).parents[3])]
    told = {cache.ENVIRONMENT: str(tmp_path), "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == checksum(scenes)


def test_several_processes_make_what_one_makes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, processes in [(one, 1), (two, 2)]:
        folder.mkdir()
        build.write_split(folder, "val", build.CHUNK + 8, 0, processes)
    assert (one / cache.SCENES).read_bytes() == (two / cache.SCENES).read_bytes()
    features = [
        load._table(folder / cache.FEATURES).column(0).chunk(0).values.to_numpy() for folder in (one, two)
    ]
    np.testing.assert_allclose(features[0], features[1], atol=2e-3, rtol=2e-3)


def test_the_work_of_a_process_that_dies_is_done_here(tmp_path, monkeypatch):
    class Dying(build.Worker):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.process.kill()

    monkeypatch.setattr(build, "Worker", Dying)
    assert build.write_split(tmp_path, "val", 3, 0, processes=2)["size"] == 3


def test_truth_reaches_the_right_scene_in_a_subset(scenes):
    row = SIZE - 1
    alone = scenes.subset([row]).pair(0, caption=4)
    direct = scenes.pair(row, caption=4)
    assert alone.caption == direct.caption
    np.testing.assert_array_equal(alone.truth.word_regions, direct.truth.word_regions)


def test_the_kept_file_is_a_dataset(scenes):
    dataset = open_dataset("val", SIZE)
    assert dataset[7]["captions"] == [scenes.captions[row] for row in scenes.captions_of(7)]
    assert dataset[7]["image"].tobytes() == scenes.image(7).tobytes()


@pytest.mark.parametrize("damaged", [cache.SCENES, cache.FEATURES])
def test_a_truncated_file_is_reported_and_made_anew(damaged, root):
    load_scenes("train", 2)
    (folder,) = root.glob("scenes-train-2-0-*[0-9a-f]")
    data = (folder / damaged).read_bytes()
    (folder / damaged).write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match="damaged, making them anew"):
        assert len(load_scenes("train", 2)) == 2


@pytest.mark.parametrize(
    ("split", "size", "seed"), [("nowhere", 5, 0), ("val", 0, 0), ("val", 5, -1), ("swap", 3, 0)]
)
def test_what_cannot_be_made_is_refused_in_words(split, size, seed):
    with pytest.raises(ValueError, match="wanted"):
        load_scenes(split, size, seed)


def test_the_captions_of_a_pair_in_swap_are_each_others_wrong_ones():
    scenes = load_scenes("swap", 4)
    for row, caption in enumerate(scenes.captions):
        assert caption == swap_item(0, row).right.text
        assert scenes.captions[row ^ 1] == swap_item(0, row).wrong.text


@pytest.mark.parametrize("split", list(SIZES))
def test_every_split_can_be_made(split):
    assert len(load_scenes(split, 2)) == 2
