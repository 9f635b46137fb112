from dataclasses import replace

import pytest
import torch
from torch import nn
from toys import toy_collection

from itr_explore.data.text import build_tokenizer
from itr_explore.models.registry import create_model, model_class
from itr_explore.nn.guidance import guide_affinity
from itr_explore.nn.tap import capture
from itr_explore.nn.uto import uto_loss
from itr_explore.training.fit import fit
from itr_explore.training.recipes import load_recipe


def states(model) -> dict:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(before, model) -> set[str]:
    return {name for name, value in model.state_dict().items() if not torch.equal(before[name], value)}


def test_regions_are_raised_by_the_image_s_own_guide(make_model, make_batch):
    model = make_model("user", region_count=3)
    batch, side = make_batch(regions=(3, 3)), model.image_side
    guide = side.guide(batch.regions, batch.region_mask)
    affinity = guide_affinity(batch.regions, guide, batch.region_mask)
    raised = batch.regions + affinity[..., None] * guide[:, None]
    wanted, _ = side.encoder.regions(raised, batch.region_mask, batch.boxes)
    torch.testing.assert_close(model.encode_images(batch).parts, wanted)


def test_the_published_number_of_regions_is_wanted(make_model, batch):
    with pytest.raises(ValueError, match="wants 36 regions in every image, got 2 to 5"):
        make_model("user", "paper")(batch)


def test_clip_guides_and_is_added_to_the_vector(make_model, batch):
    model = make_model("user", guide_dim=5)
    side, found = model.image_side, model.encode_images(batch)
    guide = nn.functional.normalize(side.to_guide(batch.guide))
    affinity = guide_affinity(batch.regions, guide, batch.region_mask)
    raised = batch.regions + affinity[..., None] * guide[:, None]
    torch.testing.assert_close(found.parts, side.encoder.regions(raised, batch.region_mask, batch.boxes)[0])
    pooled = nn.functional.normalize(side.encoder.pool(found.parts, found.mask))
    torch.testing.assert_close(found.vectors, nn.functional.normalize(pooled + side.to_rest(batch.guide)))
    assert not torch.allclose(model(replace(batch, guide=batch.guide.flip(1))), model(batch), atol=1e-3)


def test_a_missing_or_foreign_guide_is_refused(make_model, batch):
    with pytest.raises(
        ValueError, match="guided by vectors of length 5, one an image, and the batch has none"
    ):
        make_model("user", guide_dim=5)(replace(batch, guide=None))
    with pytest.raises(ValueError, match="of length 7, one an image, the batch has some of length 5"):
        make_model("user", guide_dim=7)(batch)


@pytest.mark.parametrize("guide_dim", [None, 5])
def test_the_shares_of_regions_words_and_clip_add_up_to_the_score(make_model, batch, guide_dim):
    model = make_model("user", guide_dim=guide_dim)
    images, captions = model.encode_images(batch).vectors, model.encode_captions(batch).vectors
    regions, clip = model.image_parts(batch)
    words, _ = model.caption_parts(batch)
    shares = torch.einsum("ird,cd->irc", regions, captions).sum(dim=1)
    torch.testing.assert_close(shares + clip @ captions.T, model(batch))
    assert bool(clip.any()) == (guide_dim is not None)
    torch.testing.assert_close(torch.einsum("cwd,id->ciw", words, images).sum(dim=2), model(batch).T)


def test_attention_affinity_and_both_shares_can_be_seen(make_model, batch):
    model = make_model("user")
    with capture(model) as seen:
        model(batch)
    assert {name: tuple(found.value.shape) for name, found in seen.items()} == {
        "image_side.guide.attention": (4, 5),
        "image_side.affinity": (4, 5),
        "image_side.encoder.pool.share": (4, 5),
        "caption_side.pool.share": (6, 7),
    }


@pytest.mark.parametrize("mask_same_image", [True, False])
def test_the_loss_is_that_of_the_batch_and_of_the_queues_as_they_were(make_model, batch, mask_same_image):
    model = make_model("user", queue_size=9, momentum=0.5, mask_same_image=mask_same_image, guide_dropout=0.0)
    model.train().training_loss(batch)  # fills the queues
    for parameter in model.image_side.parameters():
        parameter.data.add_(0.01)
    before = states(model)
    images, captions = model.encode_images(batch).vectors, model.encode_captions(batch).vectors
    terms = model.training_loss(batch)
    torch.testing.assert_close(terms["matching"], 20 * uto_loss(images @ captions.T, batch.image_of))

    for name, parameter in model.image_teacher.named_parameters():
        teacher, student = before[f"image_teacher.{name}"], before[f"image_side.{name}"]
        torch.testing.assert_close(parameter, (teacher + student) / 2)
    image_keys, caption_keys = (
        model.image_teacher(batch).vectors,
        model.caption_teacher(batch.words, batch.word_mask).vectors,
    )
    total = 0.0
    for query, key, queue in (
        (images[batch.image_of], caption_keys, "caption_queue"),
        (captions, image_keys[batch.image_of], "image_queue"),
    ):
        for pair, image in enumerate(batch.image_of.tolist()):
            scores = (before[f"{queue}.keys"] @ query[pair]).double()
            if mask_same_image:
                scores = scores[before[f"{queue}.image_ids"] != image]
            pushed = (1 + (90 * (scores - 0.5)).exp().sum()).log() / 90
            total += (pushed - (1 + (query[pair] @ key[pair]).relu()).log()) / len(key)
    torch.testing.assert_close(terms["queue"].double(), total)
    assert model.caption_queue.image_ids.tolist().count(2) > 0
    assert torch.equal(model.image_queue.keys[4:8], image_keys)


def test_foils_are_neither_keys_nor_queries(make_model, make_batch):
    model = make_model("user", queue_size=9, guide_dropout=0.0).train()
    told = make_batch(words=(4, 3, 6), image_of=(0, 1, 3))
    foiled = replace(
        told,
        words=torch.cat([told.words, told.words[:1]]),
        word_mask=torch.cat([told.word_mask, told.word_mask[:1]]),
        image_of=torch.tensor([0, 1, 3, ~0]),
    )
    with torch.no_grad():
        torch.testing.assert_close(model.training_loss(foiled)["queue"], model.training_loss(told)["queue"])
    model.training_loss(foiled)
    assert model.caption_queue.image_ids.tolist() == [0, 1, 3, -1, -1, -1, -1, -1, -1]


@pytest.mark.parametrize("why", ["eval", "no_grad"])
def test_only_training_moves_teachers_and_queues(make_model, batch, why):
    model = make_model("user").train(why != "eval")
    before = states(model)
    with torch.set_grad_enabled(why != "no_grad"):
        model.training_loss(batch)
    assert not {name for name in changed(before, model) if "queue" in name or "weight" in name}


def test_a_batch_of_no_known_images_is_refused_where_they_must_be_known(make_model, batch):
    anonymous = replace(batch, image_ids=None)
    with pytest.raises(ValueError, match="has no image_ids"):
        make_model("user").training_loss(anonymous)
    make_model("user", mask_same_image=False).train().training_loss(anonymous)


def test_a_resumed_run_keeps_its_teachers_and_queues(tmp_path):
    training, validation = toy_collection(20), toy_collection(8, split="val", seed=1)
    tokenizer = build_tokenizer(training.captions, min_count=1)

    def run(folder, stop=None):
        torch.manual_seed(3)
        small = {"dim": 8, "word_dim": 8, "box": False, "queue_size": 7, "momentum": 0.9}
        model = create_model("user", region_dim=training.region_dim, tokenizer=tokenizer, **small)
        settings = {"epochs": 2, "batch_size": 16, "learning_rate": 0.01, "checkpoint_every": 1}
        for progress in fit(model, training, validation, **settings, device="cpu", folder=folder):
            if progress.step == stop:
                return None
        return states(model)

    run(tmp_path / "in two", stop=5)
    whole, resumed = run(tmp_path / "at once"), run(tmp_path / "in two")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert whole["caption_queue.image_ids"].min() >= 0


def test_the_tiny_model_fits_the_zoo():
    tokenizer = build_tokenizer([f"word{number}" for number in range(500)], min_count=1)
    model = create_model("user", region_dim=64, tokenizer=tokenizer)
    assert 2 * sum(value.numel() for value in model.state_dict().values()) < 2e6


def test_the_recipes_have_the_published_queues_and_weights_of_each_collection():
    paper = model_class("user").presets["paper"]
    for name, queue_size, batch_weight in (("user-f30k", 2048, 20.0), ("user-coco", 4096, 1.0)):
        given = {key: value for key, value in load_recipe(name).model.items() if key != "bert"}
        config = model_class("user").make_config({**paper, **given, "region_dim": 2048, "vocabulary_size": 9})
        assert (config.queue_size, config.batch_weight, config.momentum) == (queue_size, batch_weight, 0.999)
        assert (config.uto_sharpness, config.uto_threshold, config.guide_sharpness) == (90, 0.5, 1)


def test_without_a_queue_there_is_no_teacher(make_model, batch):
    model = make_model("user", queue_size=None)
    assert list(model.training_loss(batch)) == ["matching"]
    assert not any("teacher" in name for name in model.state_dict())
