"""Guide vectors from small CLIPs with random weights, and from the one that comes with the package."""

import numpy as np
import pytest
import torch
from PIL import Image

from itr_explore.data import guide
from itr_explore.data.collection import Collection
from itr_explore.data.guide import guide_vectors
from itr_explore.data.pictures import Pictures
from itr_explore.data.scenes import cache

TOWER = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def save_clip(folder, seed=0):
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    torch.manual_seed(seed)
    config = CLIPConfig(
        vision_config={**TOWER, "image_size": 32, "patch_size": 16},
        text_config={**TOWER, "vocab_size": 9, "max_position_embeddings": 8, "eos_token_id": 8},
        projection_dim=12,
    )
    CLIPModel(config).half().save_pretrained(folder)
    CLIPImageProcessorPil(size={"height": 32, "width": 32}, do_center_crop=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))


def with_pictures(parts, folder, names=("a.png", "b.png", "c.png")) -> Collection:
    (folder / "images").mkdir(parents=True)
    for row, name in enumerate(names):
        shade = np.full((24, 40, 3), 60 * row, np.uint8)
        shade[:, : 10 * row + 5] = (250, 30, 90)
        Image.fromarray(shade).save(folder / "images" / name)
    pictures = Pictures(folder, names)
    return Collection(**{**parts, "open_image": pictures, "stamp_of": pictures.stamp})


def never(*_):
    pytest.fail("the pictures were looked at again")


def test_vectors_are_what_the_clip_gives_each_picture_alone_at_length_one(small, clip, no_network):
    from transformers import CLIPImageProcessorPil, CLIPModel

    model, processor = (kind.from_pretrained(clip) for kind in (CLIPModel, CLIPImageProcessorPil))
    found = guide_vectors(small, clip, batch_size=2, device="cpu")
    for row in range(3):
        pixels = processor(small.image(row), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            alone = model.float().get_image_features(pixels).pooler_output[0].numpy()
        np.testing.assert_allclose(found[row], alone / np.linalg.norm(alone), atol=1e-5)
    assert (found.shape, found.dtype) == ((3, 12), np.float32)


def test_pictures_are_looked_at_once(parts, clip, tmp_path, monkeypatch):
    collection = with_pictures(parts, tmp_path)
    first = guide_vectors(collection, clip, device="cpu")
    monkeypatch.setattr(guide, "_look", never)
    monkeypatch.setattr("itr_explore.data.pictures.open_picture", never)
    np.testing.assert_array_equal(guide_vectors(collection, clip, device="cpu"), first)


def test_vectors_follow_a_subset_of_the_pictures(parts, clip, tmp_path):
    collection = with_pictures(parts, tmp_path)
    whole = guide_vectors(collection, clip, device="cpu")
    np.testing.assert_allclose(
        guide_vectors(collection.subset([2, 0]), clip, device="cpu"), whole[[2, 0]], atol=1e-6
    )


def test_another_picture_in_the_same_file_is_another_vector(parts, clip, tmp_path):
    collection = with_pictures(parts, tmp_path)
    before = guide_vectors(collection, clip, device="cpu")
    Image.new("RGB", (40, 24), "yellow").save(tmp_path / "images" / "b.png")
    changed = np.abs(guide_vectors(collection, clip, device="cpu") - before).max(axis=1)
    assert changed[1] > 1e-3
    assert changed[0] == changed[2] == 0


def test_a_source_without_stamps_is_told_by_its_pixels(parts, clip):
    reds, blues = (
        Collection(**{**parts, "open_image": lambda row, c=c: Image.new("RGB", (40, 30), c)})
        for c in ("red", "blue")
    )
    red, blue = (guide_vectors(one, clip, device="cpu") for one in (reds, blues))
    assert np.abs(red - blue).max() > 1e-3


def test_another_checkpoint_gives_other_vectors(small, tmp_path):
    one, other = (guide_vectors(small, save_clip(tmp_path / "clip", seed), device="cpu") for seed in (0, 1))
    assert np.abs(one - other).max() > 1e-3


def test_a_collection_without_pictures_is_refused(parts, clip, root):
    with pytest.raises(ValueError, match="small, test has no picture of image 'first', so no CLIP can look"):
        guide_vectors(Collection(**{**parts, "open_image": None}), clip)
    with pytest.raises(ValueError, match="small, test has no picture of image 'second'"):
        guide_vectors(
            Collection(**{**parts, "open_image": lambda row: None if row else Image.new("RGB", (9, 9))}), clip
        )
    assert not list(root.glob("guide-*/"))


def test_a_missing_picture_is_named(parts, clip, tmp_path):
    collection = with_pictures(parts, tmp_path)
    (tmp_path / "images" / "b.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"no picture b\.png in .*images; copy it there"):
        guide_vectors(collection, clip, device="cpu")


def test_a_damaged_picture_is_named_and_leaves_nothing(parts, clip, tmp_path, root):
    collection = with_pictures(parts, tmp_path)
    (tmp_path / "images" / "c.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"c\.png cannot be opened"):
        guide_vectors(collection, clip, device="cpu")
    assert [entry.name for entry in root.iterdir() if entry.is_dir()] == []


def test_an_unknown_clip_is_refused_without_asking_the_network(small, no_network):
    with pytest.raises(FileNotFoundError, match=r"no folder 'clip-tiny'; wanted a folder .*clip-tiny-scenes"):
        guide_vectors(small, "clip-tiny")


def test_a_clip_that_the_hub_does_not_give_is_one_sentence(small, monkeypatch):
    from huggingface_hub.errors import LocalEntryNotFoundError

    def offline(*_):
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", offline)
    with pytest.raises(FileNotFoundError, match=r"'owner/clip' is no folder here and could not .*: no conn"):
        guide_vectors(small, "owner/clip")


def test_a_model_that_is_no_clip_is_refused(small, clip, tmp_path):
    from transformers import CLIPTextConfig, CLIPTextModel

    with pytest.raises(ValueError, match="scan-tiny-scenes holds no CLIP that transformers can read"):
        guide_vectors(small, "scan-tiny-scenes", device="cpu")
    CLIPTextModel(CLIPTextConfig(**TOWER, vocab_size=9)).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text((clip / "preprocessor_config.json").read_text())
    with pytest.raises(ValueError, match="holds a CLIPTextModel; wanted a CLIP"):
        guide_vectors(small, tmp_path, device="cpu")


def test_a_checkpoint_without_some_of_its_weights_is_refused(small, tmp_path):
    from safetensors.torch import load_file, save_file

    save_clip(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"a CLIPModel without visual_projection\.weight; wanted a CLIP"):
        guide_vectors(small, tmp_path, device="cpu")


def test_an_empty_batch_size_and_an_unknown_device_are_refused(small, clip):
    with pytest.raises(ValueError, match="at least 1, got 0"):
        guide_vectors(small, clip, batch_size=0)
    with pytest.raises(ValueError, match="'gpu' is no device"):
        guide_vectors(small, clip, device="gpu")
