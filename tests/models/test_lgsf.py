import pytest
import torch

from itr_explore.nn.tap import capture


def trained(model, batch, steps=10):
    """After some steps of training, in evaluation mode."""
    optimiser = torch.optim.Adam(model.train().parameters(), lr=1e-2)
    for _ in range(steps):
        loss = torch.stack(list(model.training_loss(batch).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


@pytest.mark.parametrize("cross_instance", ["intra", "fusion"])
def test_scores_after_training_across_samples_do_not_depend_on_batch_mates(
    make_model, make_batch, batch, cross_instance
):
    model = trained(make_model("lgsf", cross_instance=cross_instance), batch)
    together = model(batch)
    for image, regions in enumerate((3, 5, 2, 4)):
        alone = make_batch((regions,), (1,), (0,))
        alone.regions[0], alone.boxes[0] = batch.regions[image, :regions], batch.boxes[image, :regions]
        score = model.score(model.encode_images(alone), model.encode_captions(batch))
        torch.testing.assert_close(score[0], together[image], rtol=1e-6, atol=1e-6)


def test_across_samples_at_inference_is_an_experiment_that_batch_mates_do_change(make_model, batch):
    model = make_model("lgsf", cross_at_inference=True)
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    model.config.__dict__["cross_at_inference"] = False
    plain = model.encode_images(batch), model.encode_captions(batch)
    for side, other in zip((images, captions), plain, strict=True):
        assert not torch.allclose(side.vectors, other.vectors, atol=1e-3)
        torch.testing.assert_close(side.vectors.norm(dim=1), torch.ones(len(side)))
    with pytest.raises(ValueError, match="cross_at_inference needs cross_instance='intra', got 'fusion'"):
        make_model("lgsf", cross_at_inference=True, cross_instance="fusion")


@pytest.mark.parametrize(
    ("cross_instance", "kinds"),
    [("intra", ["image_to_image", "caption_to_caption"]), ("fusion", ["sample_to_sample"])],
)
def test_who_influenced_whom_is_seen_in_training_only(make_model, batch, cross_instance, kinds):
    model = make_model("lgsf", cross_instance=cross_instance)
    with capture(model) as seen:
        model.training_loss(batch)
    across = {name: found for name, found in seen.items() if name.startswith("across")}
    assert list(dict.fromkeys(found.tap.kind for found in across.values())) == kinds
    with capture(model) as seen:
        model(batch)
    assert not set(across) & set(seen)


def test_captions_of_one_image_are_hidden_from_each_other_unless_shown(make_model, make_batch):
    batch = make_batch(image_of=(0, 1, 0, 2, 3, ~1))
    for hide in (True, False):
        model = make_model("lgsf", hide_same_image=hide)
        with capture(model) as seen:
            model.training_loss(batch)
        weights = seen["across_captions.layer.edges.mean"].value
        assert (weights[[0, 1], [2, 5]] == 0).tolist() == [hide, hide]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, {"matching", "angular", "across"}),
        ({"cross_instance": "none", "constraint": "none"}, {"matching"}),
        ({"cross_instance": "fusion", "constraint": "triangle_intra"}, {"matching", "triangle_intra", "across", "relation"}),
    ],
)  # fmt: skip
def test_the_terms_of_the_loss_are_those_of_the_settings(make_model, batch, settings, names):
    model = make_model("lgsf", **settings)
    assert set(model.training_loss(batch)) == names
    assert set(model.training_loss(batch, warming_up=True)) == names - {"across", "relation"}


def test_across_is_the_matching_loss_of_the_other_three_pairings(make_model, batch):
    model = make_model("lgsf")
    x, y = model.encode_images(batch).vectors, model.encode_captions(batch).vectors
    more_x = model.across_images(x)
    more_y = model.across_captions(y, torch.zeros(6, 6, dtype=torch.bool))
    model.config.__dict__["hide_same_image"] = False
    wanted = sum(
        model.matching_loss(a @ b.T, batch.image_of) for a, b in ((x, more_y), (more_x, y), (more_x, more_y))
    )
    torch.testing.assert_close(model.training_loss(batch)["across"], wanted)


@pytest.mark.parametrize("graph", ["gat", "attention"])
def test_the_shares_of_regions_and_words_add_up_to_the_score(make_model, batch, graph):
    model = trained(make_model("lgsf", graph=graph), batch)
    images, captions = model.encode_images(batch).vectors, model.encode_captions(batch).vectors
    parts, rest = model.image_parts(batch)
    torch.testing.assert_close(torch.einsum("ird,cd->ic", parts, captions) + rest @ captions.T, model(batch))
    parts, rest = model.caption_parts(batch)
    torch.testing.assert_close(torch.einsum("cwd,id->ic", parts, images) + images @ rest.T, model(batch))


def test_the_edges_of_every_head_of_both_graphs_can_be_seen(make_model, batch):
    model = make_model("lgsf", heads=2, text_layers=2)
    with capture(model) as seen:
        model(batch)
    edges = ("edges.mean", "edges.heads.0", "edges.heads.1")
    assert {name: tuple(found.value.shape) for name, found in seen.items()} == {
        **{f"image_side.layers.0.{name}": (4, 5, 5) for name in edges},
        **{f"caption_side.layers.{layer}.{name}": (6, 7, 7) for layer in range(2) for name in edges},
    }


def test_settings_that_do_not_fit_each_other_are_refused(make_model):
    with pytest.raises(
        ValueError, match="dim must be a multiple of cross_heads, got dim=16 and cross_heads=3"
    ):
        make_model("lgsf", cross_heads=3)
    with pytest.raises(ValueError, match="angle must be above 0 and below 90 degrees, got 90"):
        make_model("lgsf", angle=90)
