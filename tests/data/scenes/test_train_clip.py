"""The CLIP of the scenes: what it is taught by, and what the one that ships knows."""

import numpy as np
import pytest
import torch
from PIL import Image

from itr_explore.data.collection import Collection
from itr_explore.data.guide import guide_vectors
from itr_explore.data.ragged import Ragged
from itr_explore.data.scenes.train_clip import (
    PATCHES,
    Lessons,
    caption_loss,
    covered,
    make_clip,
    make_processor,
    make_tokenizer,
    pixel_values,
    read_pixels,
    recall,
    save,
    shifted,
    train,
)
from itr_explore.models.registry import list_pretrained

COLOURS = ("red", "green", "blue", "black", "white", "yellow")


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))


@pytest.fixture(scope="module")
def squares() -> Collection:
    """Pictures of one colour, with a region that a detector names and two captions."""
    count = len(COLOURS)
    return Collection(
        name="squares",
        split="train",
        captions=[text for colour in COLOURS for text in (f"a {colour} square", f"{colour} all over")],
        image_of=np.repeat(np.arange(count), 2),
        image_ids=COLOURS,
        regions=Ragged(np.zeros((count, 1), np.float32), np.arange(count + 1)),
        boxes=np.tile(np.array([[0.2, 0.2, 0.8, 0.8]], np.float32), (count, 1)),
        label_codes=np.arange(count),
        label_names=COLOURS,
        open_image=lambda row: Image.new("RGB", (120, 90), COLOURS[row]),
    )


@pytest.fixture(scope="module")
def tokenizer(squares):
    return make_tokenizer(squares.captions * 4)


def test_end_is_the_last_word_and_unknown_words_are_said_to_be(tokenizer):
    ids = tokenizer("A RED, red zebra.")["input_ids"]
    words = ["<start>", "a", "red", "red", "<unk>", "<end>"]
    assert tokenizer.convert_ids_to_tokens(ids) == words
    assert ids[-1] == tokenizer.eos_token_id == len(tokenizer) - 1
    assert tokenizer.pad_token_id == 0


def test_pixels_are_those_that_the_processor_hands_on(squares):
    wanted = make_processor()(squares.image(3), return_tensors="pt")["pixel_values"][0]
    torch.testing.assert_close(pixel_values(read_pixels(squares)[3]), wanted, atol=1e-6, rtol=0)


def test_a_box_covers_patches_by_its_share_of_them():
    side = 1 / PATCHES
    whole, part = covered(torch.tensor([[0, 0, 2 * side, side], [0.5 * side, 0, 2 * side, side]]))
    assert whole.tolist() == [0.5, 0.5] + [0.0] * (PATCHES**2 - 2)
    torch.testing.assert_close(part[:2], torch.tensor([1 / 3, 2 / 3]))
    assert covered(torch.zeros(1, 4)).sum() == 0  # where an image has no further region


def test_a_picture_and_its_boxes_are_moved_together():
    pixels = torch.zeros(1, 3, 96, 96, dtype=torch.uint8)
    pixels[:, :, 30:60, 24:48] = 255
    box = torch.tensor([[[24, 30, 48, 60]]]) / 96
    for _ in range(5):
        moved, boxes = shifted(pixels, box)
        rows, columns = moved[0, 0].nonzero().unbind(1)
        edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        torch.testing.assert_close(boxes[0, 0] * 96, torch.stack(edges).float())


def test_the_loss_of_captions_is_that_of_a_loop():
    logits, image_of = torch.randn(3, 5), torch.tensor([0, 0, 1, 2, 2])
    to_image = [-logits[:, c].log_softmax(0)[image_of[c]] for c in range(5)]
    to_text = [-logits[image_of[c]].log_softmax(0)[c] for c in range(5)]
    wanted = (sum(to_image) / 5 + sum(to_text) / 5) / 2
    torch.testing.assert_close(caption_loss(logits, image_of), wanted)


def test_a_taught_clip_tells_colours_apart_and_is_read_back_from_its_folder(squares, tokenizer, tmp_path):
    from transformers import AutoModel, AutoProcessor

    model = make_clip(tokenizer, hidden_size=16, intermediate_size=16)
    train(model, Lessons.of(squares, tokenizer), epochs=30, batch=6, peak=1e-2)
    known = recall(model, tokenizer, squares)
    assert min(known.values()) > 80

    pictures = [squares.image(row) for row in range(len(squares))]
    seen = model.get_image_features(**make_processor()(pictures, return_tensors="pt")).pooler_output
    save(model, tokenizer, tmp_path)
    again, processor = AutoModel.from_pretrained(tmp_path).float(), AutoProcessor.from_pretrained(tmp_path)
    inputs = processor(
        text=squares.captions, images=pictures, padding=True, truncation=True, return_tensors="pt"
    )
    found = again(**inputs)
    torch.testing.assert_close(
        found.image_embeds, torch.nn.functional.normalize(seen, dim=-1), atol=2e-2, rtol=0
    )
    assert (found.logits_per_text.argmax(1) == torch.from_numpy(squares.image_of)).float().mean() > 0.8


def test_the_clip_that_ships_is_no_retrieval_model_of_ours():
    assert "clip-tiny-scenes" not in list_pretrained()


def test_the_clip_that_ships_finds_the_captions_of_scenes_without_a_network(no_network):
    from transformers import AutoModel, AutoProcessor

    from itr_explore.data.checkpoints import find_checkpoint

    scenes = Collection.scenes("val", size=40)
    vectors = guide_vectors(scenes, "clip-tiny-scenes", device="cpu")
    place, _ = find_checkpoint("clip-tiny-scenes", "a CLIP")
    model, processor = AutoModel.from_pretrained(place).float(), AutoProcessor.from_pretrained(place)
    words = processor(text=scenes.captions, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        texts = torch.nn.functional.normalize(model.get_text_features(**words).pooler_output, dim=-1)
    best = vectors @ texts.numpy().T

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (best.argmax(axis=0) == scenes.image_of).mean() > 0.4  # of 40 images
    assert (scenes.image_of[best.argmax(axis=1)] == np.arange(40)).mean() > 0.4
    assert min(model.config.measured["val"].values()) > 20  # of 500, as the training measured it
