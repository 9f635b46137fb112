import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from toys import toy_collection

from itr_explore.data.text import build_tokenizer
from itr_explore.evaluation.cascade import ANOTHER, fresh, randomised, rank_correlation, stages
from itr_explore.explanation.maps import batch_of
from itr_explore.models.registry import create_model, list_models


def ready(name, **settings):
    collection = toy_collection(4)
    tokenizer = build_tokenizer(collection.captions, min_count=1)
    model = create_model(
        name,
        region_dim=collection.region_dim,
        tokenizer=tokenizer,
        **{"dim": 8, "word_dim": 8, "box": False, **settings},
    ).eval()
    with torch.no_grad():  # as after some training
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model, batch_of(model, [collection.pair(0), collection.pair(1)])


def test_stages_go_from_the_output_to_the_input():
    model, batch = ready("scan")
    assert stages(model, batch, 2) == [("words.reader",), ("regions.appearance", "words.vectors")]


def test_what_only_the_score_calls_comes_first():
    model, batch = ready("bssan")
    first, last = stages(model, batch)[0], stages(model, batch)[-1]
    assert "" in first  # the balance, which is the model's own
    assert {name for name in first if name} == {
        "words_look.context_key",
        "words_look.query_key",
        "regions_look.context_key",
        "regions_look.query_key",
    }
    assert "words.vectors" in last


@pytest.mark.parametrize("name", list_models())
def test_at_the_end_nothing_learned_is_left_and_the_model_is_untouched(name):
    model, batch = ready(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    scores = []
    for _, forgetting in randomised(model, batch, seed=1):
        with torch.no_grad():
            scores.append(forgetting(batch))
    with torch.no_grad():
        torch.testing.assert_close(scores[-1], fresh(model, 1 + ANOTHER)(batch))
        assert not torch.allclose(scores[-1], model(batch))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("name", list_models())
def test_each_stage_changes_what_the_model_says(name):
    model, batch = ready(name)
    with torch.no_grad():
        said = [model(batch), *(forgetting(batch) for _, forgetting in randomised(model, batch, seed=1))]
    assert all(not torch.allclose(one, other) for one, other in pairwise(said))


def test_modules_of_a_stage_before_are_as_learned():
    model, batch = ready("scan")
    _, forgetting = next(randomised(model, batch))
    assert torch.equal(forgetting.words.vectors.weight, model.words.vectors.weight)
    assert not torch.equal(forgetting.words.reader.weight_ih_l0, model.words.reader.weight_ih_l0)


def test_words_read_by_bert_keep_their_pieces():
    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    told = {"model_type": "bert", "vocab_size": 40, "pieces_a_word": 1, **size}
    model, batch = ready("scan", reader="bert", bert_config=json.dumps(told))
    pieces = model.words.pieces
    pieces.copy_(torch.arange(len(pieces)).unsqueeze(1))
    found = list(stages(model, batch))
    *_, (_, forgetting) = randomised(model, batch)
    assert found[-1][0] == "regions.appearance"
    assert "words.transformer.embeddings.word_embeddings" in found[-1]
    assert torch.equal(forgetting.words.pieces, pieces)
    assert torch.isfinite(forgetting(batch)).all()


def test_rank_correlation_is_spearmans():
    one, other = np.array([1.0, 3.0, 3.0, 0.0, 9.0]), np.array([2.0, 2.0, 5.0, 1.0, 4.0])
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_a_map_that_ranks_nothing_is_told_from_one_that_no_longer_does():
    assert np.isnan(rank_correlation(np.ones(3), np.arange(3.0)))
    assert rank_correlation(np.arange(3.0), np.ones(3)) == 0
