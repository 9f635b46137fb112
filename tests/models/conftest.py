"""A toy vocabulary, and batches of any shape with rubbish where they are padded."""

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from itr_explore.models.registry import create_model
from itr_explore.records import Batch

FEATURE = 6
GUIDE = 5
WORDS = 30


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    words = ["<pad>", "<start>", "<end>", "<unk>", *(f"word{i}" for i in range(WORDS))]
    return Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))


@pytest.fixture
def make_model(tokenizer, request):
    def make(name, preset="tiny", **overrides):
        small = {"dim": 16, "word_dim": 8}
        if overrides.get("reader") == "bert":
            overrides["bert"] = request.getfixturevalue("bert")
        return create_model(
            name, preset, region_dim=FEATURE, tokenizer=tokenizer, **{**small, **overrides}
        ).eval()

    return make


@pytest.fixture
def make_batch():
    def make(regions=(3, 5, 2, 4), words=(4, 3, 6, 5, 3, 7), image_of=None, seed=0) -> Batch:
        """Images with so many regions, captions with so many words."""
        generator = torch.Generator().manual_seed(seed)
        images, captions = len(regions), len(words)
        region_mask = torch.arange(max(regions)) < torch.tensor(regions)[:, None]
        word_mask = torch.arange(max(words)) < torch.tensor(words)[:, None]
        corners = torch.rand(images, max(regions), 2, 2, generator=generator).sort(dim=2).values
        return Batch(
            torch.randn(images, max(regions), FEATURE, generator=generator),
            region_mask,
            torch.randint(4, WORDS, (captions, max(words)), generator=generator),
            word_mask,
            torch.arange(captions) % images if image_of is None else torch.tensor(image_of),
            corners.flatten(2),
            torch.randn(images, GUIDE, generator=generator),
            torch.arange(images),
        )

    return make


@pytest.fixture
def batch(make_batch) -> Batch:
    return make_batch()
