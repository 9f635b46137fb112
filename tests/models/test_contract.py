"""What every model promises, whatever its paper."""

from dataclasses import replace

import pytest
import torch

from itr_explore.explanation.parts import NotAdditive, score_parts
from itr_explore.models.registry import from_pretrained, list_models, model_class
from itr_explore.nn.tap import capture, edit
from itr_explore.records import Batch

SETTINGS = [
    *((name, {}) for name in list_models()),
    ("bssan", {"bidirectional": False, "image_conditioned": True}),
    ("bssan", {"form": "faithful"}),
    ("bssan", {"form": "faithful", "bidirectional": False, "image_conditioned": True}),
    ("bssan", {"form": "faithful", "second_reader": "mean"}),
    ("chan", {"pooling": "LSE"}),
    ("chan", {"region_attention": True, "pooling": "LSE", "scaled_back": False}),
    ("lgsf", {"graph": "attention", "final_norm": True}),
    ("lgsf", {"cross_instance": "fusion", "constraint": "triangle_intra"}),
    ("lgsf", {"loss": "info_nce", "angular_form": "hinge", "layers": 2}),
    *((name, {"reader": reader}) for name in ("scan", "vse", "vsrnpp") for reader in ("lstm", "bert")),
    *((name, {"reader": "bert"}) for name in ("user", "vse_infty")),
    ("racg", {"hard_pairs": None, "memory_budget": 1}),
    ("racg", {"hard_pairs": 2, "loss": "hardest_negative"}),
    ("scan", {"pooling": "LSE"}),
    ("scan", {"direction": "image_to_text"}),
    ("scan", {"direction": "image_to_text", "pooling": "LSE"}),
    ("user", {"guide_dim": 5}),
    ("user", {"uto": False, "queue_size": 7, "loss": "info_nce"}),
    ("user", {"queue_size": None}),
    ("vsrnpp", {"norm_axis": "regions", "final_norm": True, "norm_after_linear": True}),
    ("vsrnpp", {"region_order": "reversed"}),
    ("vsrnpp", {"region_order": "degree"}),
    ("vsrnpp", {"region_order": "random", "generation_weight": 0.5}),
    ("vsrnpp", {"text": "plain", "generation_weight": 1.0, "padding_target": True}),
    ("vse", {"text_pooling": "mean"}),
    ("vse_infty", {"count_padding": True, "region_dropout": 0.3}),
]
NO_SUM = {  # settings with which a score is no sum of what words and regions gave
    "bssan": [settings for name, settings in SETTINGS if name == "bssan" and "form" in settings],
    "chan": [settings for name, settings in SETTINGS if name == "chan" and "pooling" in settings],
    "scan": [settings for name, settings in SETTINGS if name == "scan" and "pooling" in settings],
    "vse": [{"reader": "lstm"}, {"reader": "bert"}],
}
every_model = pytest.mark.parametrize(
    ("name", "settings"), SETTINGS, ids=lambda value: value if isinstance(value, str) else str(value)
)


@pytest.fixture
def model(name, settings, make_model):
    """A model as after some training: no weight is at a special value any more."""
    model = make_model(name, **settings)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        for key, buffer in model.named_buffers():
            if key.endswith("running_mean"):
                buffer.normal_(std=0.1)
    return model


def same(left, right):
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-5)


@every_model
def test_scores_are_image_by_caption(model, batch):
    assert model(batch).shape == (4, 6)


@every_model
def test_padding_changes_nothing(model, batch):
    images, captions = len(batch.regions), len(batch.words)
    more = replace(
        batch,
        regions=torch.cat([batch.regions, 9 * torch.randn(images, 3, batch.regions.shape[2])], dim=1),
        region_mask=torch.cat([batch.region_mask, torch.zeros(images, 3, dtype=torch.bool)], dim=1),
        words=torch.cat([batch.words, torch.randint(4, 20, (captions, 5))], dim=1),
        word_mask=torch.cat([batch.word_mask, torch.zeros(captions, 5, dtype=torch.bool)], dim=1),
        boxes=torch.cat([batch.boxes, torch.rand(images, 3, 4)], dim=1),
    )
    same(model(more), model(batch))
    same(model.encode_images(more).vectors, model.encode_images(batch).vectors)
    same(model.encode_captions(more).vectors, model.encode_captions(batch).vectors)


@every_model
def test_what_stands_in_padded_places_changes_nothing(model, batch):
    rubbish = replace(
        batch,
        regions=torch.where(batch.region_mask[..., None], batch.regions, 1e3),
        words=torch.where(batch.word_mask, batch.words, 5),
        boxes=torch.where(batch.region_mask[..., None], batch.boxes, 0.0),
    )
    same(model(rubbish), model(batch))


@every_model
def test_the_order_of_a_batch_changes_nothing(model, batch):
    images, captions = torch.tensor([2, 0, 3, 1]), torch.tensor([5, 1, 0, 4, 2, 3])
    turned = Batch(
        batch.regions[images],
        batch.region_mask[images],
        batch.words[captions],
        batch.word_mask[captions],
        images.argsort()[batch.image_of[captions]],
        batch.boxes[images],
        batch.guide[images],
    )
    same(model(turned), model(batch)[images][:, captions])


@every_model
def test_batch_mates_change_nothing(model, batch):
    alone = Batch(
        batch.regions[1:2], batch.region_mask[1:2], batch.words[5:], batch.word_mask[5:], torch.tensor([0]),
        batch.boxes[1:2], batch.guide[1:2],
    )  # fmt: skip
    same(model(alone), model(batch)[1:2, 5:])


@every_model
def test_gradients_reach_every_trainable_parameter(model, batch):
    terms = [(model(batch) * torch.randn(4, 6)).sum(), *model.training_loss(batch).values()]
    torch.stack(terms).sum().backward()
    unreached = [
        key for key, p in model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
    ]
    assert unreached == []


@every_model
def test_state_dict_round_trips_exactly(model, name, settings, make_model, batch):
    other = make_model(name, **settings)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(batch), model(batch))


@every_model
def test_saving_and_loading_round_trips_exactly(model, batch, tmp_path):
    model.save_pretrained(tmp_path / "saved")
    loaded = from_pretrained(tmp_path / "saved")
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    assert loaded.tokenizer.get_vocab() == model.tokenizer.get_vocab()
    assert torch.equal(loaded(batch), model(batch))


@every_model
@pytest.mark.parametrize("warming_up", [True, False])
def test_a_few_steps_lower_the_loss(name, settings, make_model, batch, warming_up):
    model = make_model(name, **settings).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        loss = torch.stack(list(model.training_loss(batch, warming_up=warming_up).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@every_model
def test_taps_hold_what_their_scale_says(model, batch):
    with capture(model) as seen:
        model(batch)
    assert seen, "a model without anything to look at"
    masks = {"region": batch.region_mask, "word": batch.word_mask}
    for path, found in seen.items():
        axes = found.tap.kind.removeprefix("per_").split("_to_")
        value, real = found.value, [masks[axis] for axis in axes]
        if value.ndim == len(axes) + 2:  # of pairs: [image caption row column] or [image caption part]
            real = [
                mask[:, None] if axis == "region" else mask[None]
                for axis, mask in zip(axes, real, strict=True)
            ]
        column = real[-1] if len(axes) == 1 else real[-1].unsqueeze(-2)
        assert not value.masked_select(~column.expand_as(value)).any(), f"{path} looks at padding"
        if found.tap.scale in ("softmax", "row_sum"):
            sums = value.sum(dim=-1)
            rows = real[0].expand_as(sums) if len(axes) == 2 else torch.ones_like(sums, dtype=torch.bool)
            same(sums[rows], torch.ones_like(sums[rows]))
            assert (value >= 0).all()


@every_model
def test_looking_does_not_change_scores(model, batch):
    unseen = model(batch)
    with capture(model):
        same(model(batch), unseen)


@every_model
def test_scores_are_computed_from_all_taps_that_are_not_derived(model, batch):
    with capture(model) as seen:
        unedited = model(batch)
    for path, found in seen.items():
        if not found.tap.derived:
            with edit(model, {path: lambda value: value * (0.5 + torch.rand_like(value))}):
                assert not torch.allclose(model(batch), unedited), path


@pytest.mark.parametrize(
    ("name", "settings"),
    [found for found in SETTINGS if hasattr(model_class(found[0]), "image_parts")],
    ids=str,
)
def test_the_parts_of_vectors_add_up_to_the_score(model, name, settings, batch):
    images, captions = model.encode_images(batch).vectors, model.encode_captions(batch).vectors
    parts, rest = model.image_parts(batch)
    same(torch.einsum("ird,cd->ic", parts, captions) + rest @ captions.T, model(batch))
    assert not parts[~batch.region_mask].any()
    if name == "vse" and "reader" in settings:
        with pytest.raises(ValueError, match="known for a GRU only"):
            model.caption_parts(batch)
        return
    parts, rest = model.caption_parts(batch)
    same(torch.einsum("cwd,id->ic", parts, images) + images @ rest.T, model(batch))
    assert not parts[~batch.word_mask].any()


@every_model
def test_where_a_score_is_a_sum_its_parts_add_up_to_it(model, name, settings, batch):
    if settings in NO_SUM.get(name, []):
        with pytest.raises(NotAdditive, match=name):
            score_parts(model, batch)
        return
    with torch.no_grad():
        parts, scores = score_parts(model, batch), model(batch)
    assert parts.shape == (4, 6, batch.words.shape[1] + 1, batch.regions.shape[1] + 1)
    torch.testing.assert_close(parts.sum(dim=(2, 3)), scores, rtol=0, atol=1e-4)
    assert not parts[:, :, :-1].masked_select(~batch.word_mask[None, :, :, None]).any()
    assert not parts[..., :-1].masked_select(~batch.region_mask[:, None, None, :]).any()


@every_model
@pytest.mark.parametrize(
    ("regions", "words", "image_of"),
    [((1,), (1,), (0,)), ((1, 40, 2), (60, 1), (2, 2)), ((3, 4), (2, 9, 5, 4, 3), (1, 1, 1, 0, 1))],
    ids=["one of each", "1 to 40 regions, 1 to 60 words", "any captions an image"],
)
def test_any_number_of_regions_words_and_captions(model, make_batch, regions, words, image_of):
    scores = model.train()(make_batch(regions, words, image_of))
    assert scores.isfinite().all()
    loss = sum(model.training_loss(make_batch(regions, words, image_of)).values())
    loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.requires_grad)


@every_model
def test_features_of_another_size_are_refused(model, batch):
    with pytest.raises(ValueError, match="features of length 6, not 5"):
        model.encode_images(replace(batch, regions=batch.regions[..., :5]))


@every_model
def test_a_batch_without_boxes_is_refused_where_they_are_wanted(model, batch):
    with pytest.raises(ValueError, match="batch has no boxes"):
        model.encode_images(replace(batch, boxes=None))


@pytest.mark.parametrize("name", list_models())
def test_without_box_a_model_cannot_tell_where_regions_are(name, make_model, batch):
    model = make_model(name, box=False)
    moved = replace(batch, boxes=batch.boxes.flip(-1))
    assert torch.equal(model(moved), model(batch))


@pytest.mark.parametrize("name", list_models())
def test_every_preset_makes_a_model_that_scores(name, make_model, make_batch, batch):
    for preset in ("tiny", "base", "paper"):
        model = make_model(name, preset)
        count = getattr(model.config, "region_count", None)  # that every image must have
        fits = batch if count is None else make_batch(regions=(count,) * 4)
        assert model(fits).isfinite().all()
