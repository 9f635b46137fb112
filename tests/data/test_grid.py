"""Patches of small vision models with random weights, read as real checkpoints are."""

import numpy as np
import pytest
import torch
from extractor_toys import saver
from PIL import Image

from itr_explore.data.grid import GridExtractor, grid_boxes

SIZE = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
PATCHES = {**SIZE, "image_size": 32, "patch_size": 8}
TEXT = {**SIZE, "vocab_size": 9, "max_position_embeddings": 8}


def vit():
    from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

    return ViTModel(ViTConfig(**PATCHES), add_pooling_layer=False), ViTImageProcessorPil(
        size={"height": 32, "width": 32}
    )


def clip():
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    model = CLIPModel(CLIPConfig(vision_config=PATCHES, text_config={**TEXT, "eos_token_id": 8}))
    return model, CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def siglip():
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    model = SiglipModel(SiglipConfig(vision_config=PATCHES, text_config=TEXT))
    return model, SiglipImageProcessorPil(size={"height": 32, "width": 32})


def dino():
    from transformers import BitImageProcessorPil, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**PATCHES, num_register_tokens=3))
    return model, BitImageProcessorPil(
        size={"shortest_edge": 40}, do_center_crop=True, crop_size={"height": 32, "width": 32}
    )


def convolutional():
    from transformers import ConvNextConfig, ConvNextImageProcessorPil, ConvNextModel

    config = ConvNextConfig(num_stages=2, hidden_sizes=[8, 16], depths=[1, 1])
    return ConvNextModel(config), ConvNextImageProcessorPil(size={"shortest_edge": 32}, crop_pct=1.0)


MODELS = {maker.__name__: maker for maker in (vit, clip, siglip, dino, convolutional)}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return saver(tmp_path_factory, MODELS)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))


def half_and_half(size=(48, 32)):
    """A picture whose left half is black and whose right half is white."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, size[0] // 2 :] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("name", MODELS)
def test_every_patch_is_a_region_with_its_place(saved, name):
    (found,) = GridExtractor(saved(name), device="cpu")([half_and_half()])
    side = 4
    assert found.features.shape == (side**2, 16)
    assert found.size == (48, 32)
    np.testing.assert_allclose(found.boxes[1], [0.25, 0, 0.5, 0.25])
    np.testing.assert_allclose(found.boxes[side], [0, 0.25, 0.25, 0.5])


def test_patches_are_the_models_own_states_without_cls(saved):
    from transformers import ViTImageProcessorPil, ViTModel

    picture, folder = half_and_half((32, 32)), saved("vit")
    model, prepare = ViTModel.from_pretrained(folder, add_pooling_layer=False), ViTImageProcessorPil()
    pixels = prepare(picture, size={"height": 32, "width": 32}, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        wanted = model(pixels).last_hidden_state[0, 1:].numpy()
    (found,) = GridExtractor(folder, device="cpu")([picture])
    np.testing.assert_allclose(found.features, wanted, atol=1e-5)


def test_a_patch_answers_for_what_is_in_its_box():
    """What changes in one corner of a picture changes the patch there most: places and states agree."""
    plain, marked = Image.new("RGB", (96, 64), "grey"), Image.new("RGB", (96, 64), "grey")
    marked.paste("red", (72, 48, 84, 56))
    extractor = GridExtractor(device="cpu")
    one, other = extractor([plain, marked])
    changed = np.linalg.norm(one.features - other.features, axis=1)
    x1, y1, x2, y2 = one.boxes[changed.argmax()]
    assert x1 <= 78 / 96 <= x2
    assert y1 <= 52 / 64 <= y2


def test_pooled_regions_are_means_of_patches(saved):
    picture = half_and_half()
    (fine,), (coarse,) = (
        GridExtractor(saved("vit"), pool=pool, device="cpu")([picture]) for pool in (None, 2)
    )
    wanted = fine.features.reshape(2, 2, 2, 2, 16).mean((1, 3)).reshape(4, 16)
    np.testing.assert_allclose(coarse.features, wanted, atol=1e-5)
    np.testing.assert_allclose(coarse.boxes[3], [0.5, 0.5, 1, 1])


def test_boxes_of_uneven_pools_cover_what_was_averaged():
    boxes = grid_boxes(3, 3, pool=2)
    np.testing.assert_allclose(boxes[0], [0, 0, 2 / 3, 2 / 3])
    np.testing.assert_allclose(boxes[3], [1 / 3, 1 / 3, 1, 1], atol=1e-6)


def test_with_crop_the_middle_square_is_looked_at_and_boxes_say_so(saved):
    wide = half_and_half((64, 32))
    (found,) = GridExtractor(saved("clip"), crop=True, device="cpu")([wide])
    assert found.boxes.min(0).tolist() == [0.25, 0, 0.375, 0.25]
    assert found.boxes.max(0).tolist() == [0.625, 0.75, 0.75, 1]
    (alone,) = GridExtractor(saved("clip"), device="cpu")([wide.crop((16, 0, 48, 32))])
    np.testing.assert_allclose(found.features, alone.features, atol=1e-5)


def test_pictures_of_a_batch_do_not_meddle(saved):
    extractor = GridExtractor(saved("dino"), device="cpu")
    pictures = [half_and_half(), half_and_half((20, 70))]
    for together, picture in zip(extractor(pictures), pictures, strict=True):
        np.testing.assert_allclose(together.features, extractor([picture])[0].features, atol=1e-5)


def test_the_description_tells_checkpoints_and_settings_apart_and_not_places(saved, tmp_path):
    folder = saved("vit")
    moved = tmp_path / folder.name
    moved.mkdir()
    for file in folder.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    told = GridExtractor(folder).describe()
    assert GridExtractor(moved).describe() == told
    assert GridExtractor(folder, pool=2).describe() != told
    assert str(folder.parent) not in str(told)


def test_scenes_get_patches_without_a_network(monkeypatch, tmp_path, ten_scenes):
    found = ten_scenes.with_regions(GridExtractor(pool=4, device="cpu"), cache=tmp_path, progress=False)
    assert (found.region_dim, found.region_counts.tolist()) == (96, [16] * 10)
    assert found.truth(0).word_regions.shape[1] == 16


def test_what_cannot_be_had_or_used_is_told(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder 'vit-large'; wanted a folder with a vision model"):
        GridExtractor("vit-large")
    with pytest.raises(ValueError, match="holds no vision model that transformers can read"):
        GridExtractor(tmp_path)
    with pytest.raises(ValueError, match="pool must be at least 1"):
        GridExtractor(saved("vit"), pool=0)
