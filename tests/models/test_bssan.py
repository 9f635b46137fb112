import pytest
import torch

from itr_explore.nn import chunks
from itr_explore.nn.tap import capture

FORMS = [
    {"form": "fast"},
    {"form": "faithful"},
    {"form": "faithful", "bidirectional": False, "image_conditioned": True},
]
every_form = pytest.mark.parametrize("settings", FORMS, ids=["fast", "faithful", "image_conditioned"])


def sides(model, batch):
    return model.encode_images(batch), model.encode_captions(batch)


def test_both_directions_their_agreement_and_their_fits_can_be_seen(make_model, batch):
    model = make_model("bssan")
    with capture(model) as seen:
        model(batch)
    shapes = {name: tuple(found.value.shape) for name, found in seen.items()}
    assert shapes == {
        "word_to_region": (4, 6, 7, 5),
        "region_to_word": (4, 6, 5, 7),
        "agreement": (4, 6, 7, 5),
        "word_fit": (4, 6, 7),
        "region_fit": (4, 6, 5),
    }
    agreement, both = seen["agreement"], seen["region_to_word"].value.mT
    torch.testing.assert_close(agreement.value, seen["word_to_region"].value * both)
    assert agreement.tap.derived
    assert not agreement.tap.exact


def test_the_fast_score_is_the_mean_fit_of_words_and_of_regions_in_a_learned_proportion(make_model, batch):
    model = make_model("bssan")
    torch.nn.init.constant_(model.balance, 1.0)
    with capture(model) as seen:
        scores = model(batch)
    of_words = seen["word_fit"].value[2, 1, :3].mean()  # three words
    of_regions = seen["region_fit"].value[2, 1, :2].mean()  # two regions
    share = torch.tensor(1.0).sigmoid()
    torch.testing.assert_close(scores[2, 1], share * of_words + (1 - share) * of_regions)


def test_the_taps_of_the_faithful_form_say_what_its_score_does_not_come_from(make_model, batch):
    model = make_model("bssan", form="faithful")
    with capture(model) as seen:
        model(batch)
    derived = {name for name, found in seen.items() if found.tap.derived}
    assert derived == {"agreement", "word_fit", "region_fit"}
    assert seen["region_weights"].value.shape == (4, 6, 5)


@every_form
def test_blocks_change_nothing(make_model, make_batch, monkeypatch, settings):
    batch = make_batch(regions=(3, 9, 1, 4, 9), words=(4, 3, 11, 5, 1, 11))
    model = make_model("bssan", **settings)
    with capture(model):
        whole = model(batch)  # all at once
    monkeypatch.setattr(chunks, "FEW", 1)
    monkeypatch.setattr(chunks, "COLUMNS", 7)
    in_blocks = make_model("bssan", memory_budget=10_000, **settings)
    in_blocks.load_state_dict(model.state_dict())
    torch.testing.assert_close(in_blocks(batch), whole)


@every_form
def test_sides_can_be_encoded_apart_and_scored_in_pieces(make_model, batch, settings):
    model = make_model("bssan", **settings)
    images, captions = sides(model, batch)
    pieces = [model.score(images[rows], captions) for rows in ([0, 1], [2, 3])]
    torch.testing.assert_close(torch.cat(pieces), model(batch))


@every_form
def test_scores_can_be_differentiated_by_both_attentions(make_model, batch, settings):
    model = make_model("bssan", **settings)
    with capture(model) as seen:
        scores = model(batch)
    weights = [seen[name].value for name in ("word_to_region", "region_to_word")]
    assert all(gradient.any() for gradient in torch.autograd.grad(scores.sum(), weights))


def test_without_its_sights_the_image_conditioned_form_scores_as_the_other(make_model, batch):
    alone = make_model("bssan", "paper", rank=8)
    beside = make_model("bssan", "paper", rank=8, image_conditioned=True)
    beside.load_state_dict({**alone.state_dict(), "from_sight.weight": torch.zeros(64, 16)})
    torch.testing.assert_close(beside(batch), alone(batch))


def test_too_many_pairs_for_the_image_conditioned_form_are_refused_with_advice(make_model, batch):
    model = make_model("bssan", bidirectional=False, image_conditioned=True, most_pairs=23)
    with pytest.raises(ValueError, match=r"4 images x 6 captions are 24 runs .* allows 23"):
        model(batch)
    images, captions = sides(model, batch)
    assert model.score(images[:1], captions).shape == (1, 6)


@pytest.mark.parametrize("settings", [{"reader": "gru"}, {"bidirectional": True}])
def test_the_image_conditioned_form_wants_an_lstm_that_reads_one_way(make_model, settings):
    with pytest.raises(ValueError, match="wanted reader='lstm' and bidirectional=False"):
        make_model("bssan", **{"bidirectional": False, "image_conditioned": True, **settings})
