"""Small systems without dropout, whose training is one course, and what is remembered of it."""

import torch

from itr_explore.data.text import build_tokenizer
from itr_explore.models.registry import create_model
from itr_explore.training.fit import fit

SETTINGS = {"epochs": 3, "batch_size": 17, "learning_rate": 0.003, "device": "cpu"}  # 120 captions: 1 remains
SMALL = {
    "vse": {},
    "vse_infty": {"hidden_dim": 8},
    "scan": {},
    "user": {"guide_dropout": 0.0, "hidden_dim": 8, "queue_size": 48, "momentum": 0.9},
    "lgsf": {},
    "racg": {"match_dim": 16, "hard_pairs": None},
    "vsrnpp": {"generation_weight": 1.0, "decoder_dropout": 0.0, "decoder_dim": 8, "decoder_word_dim": 8},
}


def system(name, training, seed=0):
    torch.manual_seed(seed)
    return create_model(
        name,
        region_dim=training.region_dim,
        tokenizer=build_tokenizer(training.captions, min_count=1),
        **{"preset": "tiny", "dim": 16, "word_dim": 8, "box": False, **SMALL[name]},
    )


def curve(model, training, validation):
    """The losses of all steps and the ranks of all validations."""
    news = list(fit(model, training, validation, **SETTINGS))
    ranks = [[*p.validation.image_to_text, *p.validation.text_to_image] for p in news if p.validation]
    return {"losses": [sum(p.losses.values()) for p in news], "ranks": ranks}
