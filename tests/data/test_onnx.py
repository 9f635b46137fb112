"""An ONNX detector whose answer is known, written here byte by byte; and a real one where it is at hand."""

import sys

import numpy as np
import pytest
from extractor_toys import BOXES, write_detector
from PIL import Image

from itr_explore.data.boxes import iou
from itr_explore.data.collection import Collection
from itr_explore.data.detections import CropEncoder
from itr_explore.data.onnx import OnnxDetector

pytest.importorskip("onnxruntime")


@pytest.fixture
def answer():
    """Two classes: a box from cell (1, 2) of the finest grid, another from the coarsest, no others."""
    told = np.zeros((1, BOXES, 7), np.float32)
    told[0, 2 * 4 + 1] = [0.5, 0.5, np.log(2), np.log(1), 0.9, 0.1, 0.8]  # 16 x 8 pixels around (12, 20)
    told[0, -1] = [0.5, 0.25, np.log(0.5), np.log(0.25), 0.5, 1.0, 0.2]  # 16 x 8 around (16, 8)
    return told


@pytest.fixture
def detector(tmp_path, answer):
    return OnnxDetector(
        write_detector(tmp_path / "toy.onnx", answer), names=["cat", "dog"], least_score=0.01, threads=1
    )


def test_boxes_scores_and_labels_are_decoded(detector):
    (found,) = detector([Image.new("RGB", (64, 64))])  # half as large for the network
    assert found.labels == ("whole image", "dog", "cat")
    np.testing.assert_allclose(found.scores, [1, 0.72, 0.5], atol=1e-6)
    np.testing.assert_allclose(found.boxes[1:] * 32, [[4, 16, 20, 24], [8, 4, 24, 12]], atol=1e-4)


def test_boxes_are_fractions_of_a_picture_of_any_shape(detector):
    (found,) = detector([Image.new("RGB", (32, 24))])  # the rest of the network's square is padding
    np.testing.assert_allclose(found.boxes[1] * [32, 24, 32, 24], [4, 16, 20, 24], atol=1e-4)


def test_features_are_scores_and_colours(detector):
    picture = Image.new("RGB", (32, 32), "red")
    picture.paste("blue", (0, 16, 32, 32))
    (found,) = detector([picture])
    assert found.features.shape == (3, 2 + 48)
    np.testing.assert_allclose(found.features[1, :2] ** 2, [0.09, 0.72], atol=1e-6)
    np.testing.assert_allclose(found.features[1, 2:].reshape(16, 3).mean(0), [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(found.features[0, :2] ** 2, [0.5, 0.72], atol=1e-6)
    np.testing.assert_allclose(found.features[0, 2:].reshape(4, 4, 3)[0], [[1, 0, 0]] * 4, atol=1e-6)


def test_the_network_is_given_blue_first_and_grey_beside_the_picture(detector):
    given = []

    class Session:
        def run(self, _, inputs):
            given.append(inputs["images"])
            return [np.zeros((1, BOXES, 7), np.float32)]

    detector._session = Session()
    detector.detect(Image.new("RGB", (32, 16), (200, 100, 50)))
    np.testing.assert_array_equal(given[0][0, :, 0, 0], [50, 100, 200])
    np.testing.assert_array_equal(given[0][0, :, 20, 0], [114] * 3)


def test_other_eyes_see_the_crops(tmp_path, answer):
    eyes = CropEncoder(device="cpu")
    path = write_detector(tmp_path / "toy.onnx", answer)
    (found,) = OnnxDetector(path, least_score=0.01, eyes=eyes)([Image.new("RGB", (64, 64), "red")])
    assert found.features.shape == (3, 64)
    assert found.labels == ("whole image", "class 1", "class 0")


def test_the_description_tells_files_and_settings_apart(detector, tmp_path, answer):
    other = OnnxDetector(write_detector(tmp_path / "other.onnx", answer + 0.1), names=["cat", "dog"])
    told = [detector.describe(), other.describe(), OnnxDetector(detector.path, top=3).describe()]
    assert len({str(one) for one in told}) == 3
    assert str(tmp_path) not in str(told)


def test_files_that_are_no_such_detector_are_told(tmp_path, answer, detector):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.onnx"):
        OnnxDetector(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ValueError, match="is no ONNX file that onnxruntime can read"):
        OnnxDetector(tmp_path / "text.onnx")
    with pytest.raises(
        ValueError, match=r"gives output \[1, 20, 7\], and 21 boxes were expected; wanted YOLOX"
    ):
        OnnxDetector(write_detector(tmp_path / "few.onnx", answer[:, 1:]))
    with pytest.raises(ValueError, match="has 2 classes, got 3 names"):
        OnnxDetector(detector.path, names=["a", "b", "c"])


def test_without_onnxruntime_it_is_said_what_to_install(detector, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"pip install 'itr-explore\[onnx\]'"):
        OnnxDetector(detector.path)


def test_the_boxes_of_real_photos_are_found_again(real_photos):
    path = real_photos.parent / "weights" / "yolox_nano.onnx"
    if not path.exists():
        pytest.skip("needs ../shared/data/weights")
    photos, found, wanted = Collection.from_karpathy(real_photos, "test"), 0, 0
    told = np.load(real_photos / "regions-test.npz")
    extractor = OnnxDetector(path, threads=1)
    for row in range(40):
        sure = np.flatnonzero(told["scores"][row] >= 0.3)[1:]  # the first is the whole photo
        (regions,) = extractor([photos.image(row)])
        if len(sure):
            found += int((iou(photos.boxes(row)[sure], regions.boxes[1:]).max(1) >= 0.7).sum())
            wanted += len(sure)
    assert wanted > 60
    assert found / wanted >= 0.9  # over all 1,000 photos: benchmarks/extraction.py
