"""Whatever is asked of a model, and wherever it breaks off, the model is as it was."""

import pytest
import torch
from toys import toy_collection

from itr_explore.data.text import build_tokenizer
from itr_explore.evaluation.faithfulness import faithfulness
from itr_explore.explanation.attribution import attribute
from itr_explore.explanation.contrast import contrast
from itr_explore.explanation.edits import CutEdge, RemoveWord
from itr_explore.explanation.intervention import intervene
from itr_explore.explanation.maps import explain
from itr_explore.models.registry import create_model

QUESTIONS = {
    "explain": lambda model, seen: explain(model, seen.pair(0)),
    "attribute": lambda model, seen: attribute(model, seen.pair(0), steps=2),
    "intervene": lambda model, seen: intervene(
        model, seen.pair(0), RemoveWord(1), CutEdge("image_side", 0, 1), gallery=seen, controls=1
    ),
    "contrast": lambda model, seen: contrast(model, seen, 0, method="occlusion"),
    "faithfulness": lambda model, seen: faithfulness(
        model, seen, pairs=2, examined=1, orders=1, steps=2, device="cpu"
    ),
}


def state_of(model):
    modes = [module.training for module in model.modules()]
    hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()]
    asked = [(parameter.requires_grad, parameter.grad) for parameter in model.parameters()]
    return modes, hooks, asked, torch.is_grad_enabled(), torch.get_rng_state().tolist()


@pytest.mark.parametrize(
    ("question", "calls"),
    [
        *((question, 0) for question in QUESTIONS),
        *((question, 2) for question in QUESTIONS if question != "explain"),
    ],
)
def test_a_model_that_breaks_off_is_left_as_it_was(question, calls, monkeypatch):
    seen = toy_collection(3)
    tokenizer = build_tokenizer(seen.captions, min_count=1)
    model = create_model(
        "vsrnpp", region_dim=seen.region_dim, tokenizer=tokenizer, dim=8, word_dim=8, box=False
    )
    model.train()
    next(model.parameters()).requires_grad_(False)
    score, scored = model.score, []

    def breaks(images, captions):
        if len(scored) == calls:
            raise RuntimeError("breaks off")
        scored.append(1)
        return score(images, captions)

    monkeypatch.setattr(model, "score", breaks)
    before = state_of(model)
    with pytest.raises(RuntimeError, match="breaks off"):
        QUESTIONS[question](model, seen)
    assert state_of(model) == before
