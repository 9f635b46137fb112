"""Small detectors with random weights, read as real checkpoints are."""

import numpy as np
import pytest
import torch
from extractor_toys import BACKBONE, detr, saver
from PIL import Image

from itr_explore.data.boxes import iou, suppress
from itr_explore.data.detections import Choice, CropEncoder, crop
from itr_explore.data.detector import DetectorExtractor


def rt_detr():
    from transformers import (
        RTDetrConfig,
        RTDetrForObjectDetection,
        RTDetrImageProcessorPil,
        RTDetrResNetConfig,
    )

    config = RTDetrConfig(
        backbone_config=RTDetrResNetConfig(**BACKBONE, out_features=["stage2", "stage3", "stage4"]),
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 8, 8],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=1,
        decoder_attention_heads=2,
        num_queries=12,
        num_denoising=0,
        id2label={0: "cat", 1: "dog", 2: "boat"},
    )
    return RTDetrForObjectDetection(config), RTDetrImageProcessorPil(size={"height": 64, "width": 64})


def grounding_dino():
    from transformers import (
        BertTokenizerFast,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessorPil,
        SwinConfig,
    )

    config = GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=64,
            embed_dim=8,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 1, 1],
            window_size=2,
            out_features=["stage2", "stage3", "stage4"],
        ),
        text_config={
            "model_type": "bert",
            "vocab_size": 12,
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 16,
        },
        d_model=32,  # divisible by the 32 groups of its norms
        num_queries=12,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_feature_levels=4,
    )
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "cat", "hot", "dog", "boat", "##s", "?"]
    tokenizer = BertTokenizerFast(vocab={word: code for code, word in enumerate(words)})
    processor = GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    return GroundingDinoForObjectDetection(config), processor, tokenizer


MODELS = {maker.__name__: maker for maker in (detr, rt_detr, grounding_dino)}
WORDS = {"grounding_dino": {"words": ["cat", "Hot dogs", "boat."]}}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return saver(tmp_path_factory, MODELS)


@pytest.fixture
def detector(saved):
    def make(name, **options):
        return DetectorExtractor(saved(name), device="cpu", **{**WORDS.get(name, {}), **options})

    return make


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))


def noise(size, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("name", MODELS)
def test_boxes_labels_scores_and_states_belong_together(detector, name):
    found = detector(name, top=5, overlap=1.0)([noise((96, 64)), noise((40, 80), 1)])
    assert [one.size for one in found] == [(96, 64), (40, 80)]
    for one in found:
        assert one.features.shape == (6, 32 if name == "grounding_dino" else 16)
        assert one.labels[0] == "whole image"
        assert set(one.labels[1:]) <= {"cat", "dog", "boat", "Hot dogs", "boat."}
        np.testing.assert_array_equal(one.boxes[0], [0, 0, 1, 1])
        assert (np.diff(one.scores) <= 0).all()


@pytest.mark.parametrize("name", MODELS)
def test_boxes_and_scores_are_those_of_the_librarys_own_decoding(detector, saved, name):
    extractor, picture = detector(name, top=12, overlap=1.0, whole_image=False), noise((96, 64))
    (found,) = extractor([picture])
    inputs = extractor._processor(images=[picture], return_tensors="pt")
    if name == "grounding_dino":
        from transformers import AutoTokenizer

        asked = AutoTokenizer.from_pretrained(saved(name))("cat. hot dogs. boat.", return_tensors="pt")
        inputs |= dict(asked)
    with torch.no_grad():
        told = extractor._model(**inputs)
    if name == "grounding_dino":
        from transformers.image_transforms import center_to_corners_format

        scores, boxes = told.logits.sigmoid()[0].amax(-1), center_to_corners_format(told.pred_boxes[0])
        row_of = {"cat": [1], "Hot dogs": [3, 4, 5], "boat.": [7]}
        by_word = torch.stack([told.logits.sigmoid()[0][:, rows].amax(-1) for rows in row_of.values()], -1)
        scores, order = by_word.amax(-1).sort(descending=True)
        assert list(found.labels) == [list(row_of)[by_word[row].argmax()] for row in order]
        boxes = boxes[order]
    else:
        (own,) = extractor._processor.post_process_object_detection(told, threshold=0.0)
        order = own["scores"].argsort(descending=True)
        scores, boxes = own["scores"][order], own["boxes"][order]
    if name == "rt_detr":  # it lists a box once for each class, we for its best
        matches = iou(boxes.clamp(0, 1).numpy(), found.boxes).max(1)
        assert (matches > 0.999).all()
        assert found.scores[0] == pytest.approx(float(scores[0]), abs=1e-5)
    else:
        np.testing.assert_allclose(found.scores, scores.numpy(), atol=1e-5)
        np.testing.assert_allclose(found.boxes, boxes.clamp(0, 1).numpy(), atol=1e-4)


def test_pictures_of_different_shapes_do_not_meddle(detector):
    extractor, pictures = detector("detr"), [noise((96, 64)), noise((50, 90), 1)]
    for together, picture in zip(extractor(pictures), pictures, strict=True):
        np.testing.assert_allclose(together.boxes[0], extractor([picture])[0].boxes[0], atol=1e-4)


def test_the_whole_image_is_the_mean_of_the_queries_by_their_scores(detector):
    (found,) = detector("detr", top=12, overlap=1.0)([noise((96, 64))])
    wanted = (found.scores[1:, None] * found.features[1:]).sum(0) / found.scores[1:].sum()
    np.testing.assert_allclose(found.features[0], wanted, atol=1e-4)


def test_other_eyes_see_the_crops(detector):
    eyes = CropEncoder(device="cpu")
    extractor = detector("detr", top=3, overlap=1.0, eyes=eyes, context=0.0)
    picture = noise((96, 64))
    (found,) = extractor([picture])
    assert found.features.shape == (4, 64)
    np.testing.assert_allclose(found.features[0], eyes([picture])[0], atol=1e-5)
    assert extractor.describe()["features"]["model"] == "clip-tiny-scenes"


def test_the_description_tells_settings_apart(detector):
    told = [detector("detr", **options).describe() for options in ({}, {"top": 5}, {"least_score": 0.2})] + [
        detector("grounding_dino").describe(),
        detector("grounding_dino", words=["cat"]).describe(),
    ]
    assert len({str(one) for one in told}) == 5


def test_suppression_is_that_of_its_definition():
    random = np.random.default_rng(0)
    corners = random.uniform(0, 0.6, (60, 2))
    boxes, scores = np.concatenate([corners, corners + 0.3], 1), random.random(60)
    kept: list[int] = []
    for row in np.argsort(-scores):
        if all(iou(boxes[[row]], boxes[[other]])[0, 0] <= 0.4 for other in kept):
            kept.append(row)
    assert suppress(boxes, scores, 0.4, 99).tolist() == kept
    assert suppress(boxes, scores, 0.4, 5).tolist() == kept[:5]


def test_every_picture_has_a_region():
    boxes, scores = np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]), np.array([0.1, 0.2])
    assert Choice(least_score=0.5).rows(boxes, scores).tolist() == []  # the whole image is one
    assert Choice(least_score=0.5, whole_image=False).rows(boxes, scores).tolist() == [1]


def test_a_crop_has_some_of_what_is_around_it_and_a_pixel_at_least():
    picture = noise((100, 50))
    assert crop(picture, np.array([0.2, 0.2, 0.4, 0.6]), 0.1).size == (24, 24)
    assert crop(picture, np.array([1.0, 1.0, 1.0, 1.0]), 0.1).size == (1, 1)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("detr", {"words": ["cat"]}, "has classes of its own and reads no words"),
        ("detr", {"top": 0}, "wanted top >= 1"),
        ("grounding_dino", {"words": ["cat", " "]}, "none of them empty"),
        ("grounding_dino", {"words": ["hot dogs"] * 90}, "90 words are 362 tokens, this detector reads 256"),
    ],
)
def test_settings_that_make_no_sense_are_told(detector, name, options, message):
    with pytest.raises(ValueError, match=message):
        detector(name, **options)


def test_what_is_no_detector_is_told(tmp_path):
    with pytest.raises(ValueError, match="holds no detector that transformers can read"):
        DetectorExtractor("clip-tiny-scenes")
    with pytest.raises(FileNotFoundError, match="no folder 'detr'; wanted a folder with a detector"):
        DetectorExtractor("detr")
