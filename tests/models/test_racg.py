from dataclasses import replace

import pytest
import torch

from itr_explore.models.racg import RACG
from itr_explore.nn import chunks
from itr_explore.nn.tap import capture
from itr_explore.records import Batch


def loss_and_gradients(model, batch):
    model.zero_grad()
    terms = model.training_loss(batch)
    torch.stack(list(terms.values())).sum().backward()
    return [*terms.values(), *(parameter.grad for parameter in model.parameters())]


@pytest.fixture
def with_foil(make_batch) -> Batch:
    """Six captions of four images, and foils of the second and the fifth."""
    return make_batch(words=(4, 3, 6, 5, 3, 7, 3, 5), image_of=(0, 1, 2, 3, 0, 1, ~1, ~4))


@pytest.mark.parametrize("columns", [3, 16])
@pytest.mark.parametrize("pairs", [1, 40])
def test_scores_do_not_depend_on_how_they_are_cut(make_model, batch, monkeypatch, columns, pairs):
    model = make_model("racg")
    whole = model(batch)
    for name, value in {"FEW": 1, "COLUMNS": columns, "PAIRS": pairs}.items():
        monkeypatch.setattr(chunks, name, value)
    torch.testing.assert_close(model(batch), whole)


def test_a_small_memory_changes_neither_loss_nor_gradients(make_model, with_foil):
    large = make_model("racg", hard_pairs=None)
    small = make_model("racg", hard_pairs=None, memory_budget=1)
    small.load_state_dict(large.state_dict())
    for one, other in zip(*(loss_and_gradients(m, with_foil) for m in (large, small)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_with_enough_hard_pairs_loss_and_gradients_are_those_of_all(make_model, with_foil):
    every, listed = make_model("racg", hard_pairs=None), make_model("racg", hard_pairs=100)
    listed.load_state_dict(every.state_dict())
    for one, other in zip(*(loss_and_gradients(m, with_foil) for m in (every, listed)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_only_true_pairs_are_reconstructed(make_model, with_foil):
    model = make_model("racg")
    true = Batch(
        with_foil.regions, with_foil.region_mask, with_foil.words[:6], with_foil.word_mask[:6],
        with_foil.image_of[:6], with_foil.boxes,
    )  # fmt: skip
    found, wanted = (model.training_loss(batch)["reconstruction"] for batch in (with_foil, true))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(("loss", "divisor"), [("hardest_negative", 1), ("info_nce", 6)])
def test_reconstruction_sums_or_averages_pairs_as_the_matching_loss_does(make_model, batch, loss, divisor):
    model = make_model("racg", reconstruction_weight=1.0, loss=loss)
    with capture(model) as seen:
        model(batch)
    caption = torch.arange(6)
    wanted = 0.0
    for name, mask in (("region", batch.region_mask[batch.image_of]), ("word", batch.word_mask)):
        errors = seen[f"{name}_side.reconstruction"].value[batch.image_of, caption]
        wanted += (errors.sum(dim=1) / mask.sum(dim=1)).sum()
    torch.testing.assert_close(model.training_loss(batch)["reconstruction"], wanted / divisor)


def test_as_published_geometry_alone_tells_where_regions_are(make_model, batch):
    model = make_model("racg", box=False, geometry=True)
    moved = replace(batch, boxes=batch.boxes.flip(-1))
    assert not torch.allclose(model(moved), model(batch))


def test_as_published_a_batch_without_boxes_has_no_geometry(make_model, batch):
    assert make_model("racg", box=False, geometry=True)(replace(batch, boxes=None)).isfinite().all()


def test_heads_that_do_not_divide_what_is_compared_are_refused(make_model):
    with pytest.raises(ValueError, match=r"heads must divide match_dim.* got 3 heads, match_dim 32"):
        make_model("racg", heads=3)
    with pytest.raises(ValueError, match=r"their size relation_dim.* relation_dim 12"):
        make_model("racg", relation_dim=12)


KINDS = 6  # of things; a token each, after the specials and the two words "left of" and "right of"


def scenes(count: int, generator: torch.Generator) -> Batch:
    """Three things on a plane and "this left of that"; half of the captions say it the wrong way round."""
    kinds = torch.rand(count, KINDS, generator=generator).argsort(dim=1)[:, :3]
    centre = 0.1 + 0.8 * torch.rand(count, 3, 2, generator=generator)
    boxes = torch.cat([centre - 0.05, centre + 0.05], dim=-1)
    word = torch.randint(0, 2, (count,), generator=generator)  # left of, right of
    first_is_subject = (centre[:, 0, 0] < centre[:, 1, 0]) == (word == 0)
    one = torch.where(first_is_subject, kinds[:, 0], kinds[:, 1])
    other = torch.where(first_is_subject, kinds[:, 1], kinds[:, 0])
    start, end = torch.full((2, count), 1).unbind()
    captions = [
        torch.stack([start, 6 + a, 4 + word, 6 + b, 1 + end], dim=1) for a, b in ((one, other), (other, one))
    ]
    return Batch(
        torch.nn.functional.one_hot(kinds, KINDS).float(),
        torch.ones(count, 3, dtype=torch.bool),
        torch.cat(captions),
        torch.ones(2 * count, 5, dtype=torch.bool),
        torch.cat([torch.arange(count), ~torch.arange(count)]),
        boxes,
    )  # fmt: skip


def test_it_learns_who_is_left_of_whom():
    sizes = {"region_dim": KINDS, "vocabulary_size": KINDS + 6, "dim": 32, "word_dim": 16, "foil_weight": 8.0}
    model = RACG(RACG.make_config({**RACG.presets["tiny"], **sizes}))
    torch.nn.init.normal_(model.words.vectors.weight)
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(150):
        terms = model.training_loss(scenes(24, generator), warming_up=True)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
    unseen = scenes(200, generator)
    with torch.no_grad():
        scores = model.eval()(unseen)
    assert (scores[:, :200].diagonal() > scores[:, 200:].diagonal()).float().mean() > 0.8
