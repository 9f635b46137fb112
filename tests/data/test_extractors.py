"""Names of extractors, and the commands that take them."""

import json

import numpy as np
import pytest
from extractor_toys import BOXES, detr, write_detector
from PIL import Image

from itr_explore.cli import main
from itr_explore.data.detector import DetectorExtractor
from itr_explore.data.extractors import open_extractor
from itr_explore.data.grid import GridExtractor
from itr_explore.data.onnx import OnnxDetector
from itr_explore.data.store import RegionStore


@pytest.fixture
def onnx_file(tmp_path):
    pytest.importorskip("onnxruntime")
    return write_detector(tmp_path / "toy.onnx", np.full((1, BOXES, 85), 0.2, np.float32))


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    (folder / "images").mkdir(parents=True)
    for row in range(3):
        Image.new("RGB", (40, 30), (70 * row, 20, 20)).save(folder / "images" / f"{row}.png")
    captions = [f"number {row}" for row in range(3)]
    np.save(folder / "test_ims.npy", np.ones((3, 1, 2), np.float32))
    (folder / "test_caps.txt").write_text("\n".join(captions))
    sentences = [[{"raw": text, "tokens": text.split()}] for text in captions]
    images = [
        {"filename": f"{row}.png", "split": "test", "sentences": told} for row, told in enumerate(sentences)
    ]
    (folder / "dataset.json").write_text(json.dumps({"images": images}))
    return folder


def test_a_name_says_its_kind(onnx_file, tmp_path):
    for part in detr():
        part.save_pretrained(tmp_path / "detr")
    assert isinstance(open_extractor("clip-tiny-scenes", pool=2), GridExtractor)
    assert isinstance(open_extractor(tmp_path / "detr", top=3), DetectorExtractor)
    found = open_extractor(onnx_file, top=3, eyes="clip-tiny-scenes")
    assert isinstance(found, OnnxDetector)
    assert found.describe()["features"]["model"] == "clip-tiny-scenes"


def test_settings_of_another_kind_are_told(onnx_file):
    with pytest.raises(ValueError, match="is no detector and finds no boxes; leave top and eyes out"):
        open_extractor("clip-tiny-scenes", top=3)
    with pytest.raises(ValueError, match="is a detector and has no grid to pool"):
        open_extractor(onnx_file, pool=3)


def test_regions_are_extracted_converted_and_checked_by_command(album, tmp_path, capsys):
    where = ["--collection", str(album), "--out", str(tmp_path / "regions"), "--device", "cpu"]
    assert main(["extract", *where, "--pool", "2"]) == 0
    assert "3 images, 12 regions of 96 features" in capsys.readouterr().out
    assert main(["features", "convert", str(tmp_path / "regions"), str(tmp_path / "f.tsv")]) == 0
    assert len((tmp_path / "f.tsv").read_text().splitlines()) == 3
    assert main(["features", "check", str(tmp_path / "regions")]) == 0
    path = tmp_path / "regions" / "00000" / "features.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    capsys.readouterr()
    assert main(["features", "check", str(tmp_path / "regions"), "--set-aside"]) == 1
    assert "shard 00000 is damaged: features.npy is not what was written" in capsys.readouterr().out
    assert main(["extract", *where, "--pool", "2"]) == 0
    assert len(RegionStore(tmp_path / "regions")) == 3


def test_another_extractor_for_the_same_folder_is_told(album, tmp_path, capsys):
    where = ["--collection", str(album), "--out", str(tmp_path / "regions"), "--device", "cpu"]
    assert main(["extract", *where]) == 0
    assert main(["extract", *where, "--pool", "2"]) == 2
    assert "another extractor's regions: pool is None there, 2 here" in capsys.readouterr().err
