"""Shapes are enforced under test only; the seed is fixed; real data is found or its tests skip."""

import sys
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

install_import_hook("itr_explore.nn", "beartype.beartype")
sys.path.insert(0, str(Path(__file__).resolve().parent))  # where `toys` is

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def seed():
    import torch

    torch.manual_seed(0)


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    """The folder of a tiny BERT: it knows `word`, each digit as a piece of a word, and no other word."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*specials, "word", *(f"##{digit}" for digit in range(10))]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    with torch.random.fork_rng():  # the same weights whichever test asks first
        torch.manual_seed(0)
        BertModel(BertConfig(vocab_size=len(vocabulary), initializer_range=0.2, **size)).save_pretrained(
            folder
        )
    return folder


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """The folder of real photos for development; tests that ask for it skip where it is absent."""
    folder = SHARED / "data" / "real-photos"
    if not folder.exists():
        pytest.skip("needs ../shared/data/real-photos")
    return folder


@pytest.fixture(scope="session")
def two_systems():
    from itr_explore.models.registry import from_pretrained

    return {name: from_pretrained(f"{name}-tiny-scenes") for name in ("vse", "scan")}


@pytest.fixture(scope="session")
def ten_scenes():
    from itr_explore.data.collection import Collection

    return Collection.scenes("val", size=40).subset(range(10))


@pytest.fixture(scope="session")
def _two_scores(two_systems, ten_scenes):
    from itr_explore.evaluation.encoding import score_matrix

    return {name: score_matrix(model, ten_scenes) for name, model in two_systems.items()}


@pytest.fixture
def comparison(two_systems, ten_scenes, _two_scores):
    """The two systems beside each other on the ten scenes."""
    from itr_explore.widgets.model_compare import compare

    return compare(two_systems, ten_scenes, scores=_two_scores)


@pytest.fixture(scope="session")
def make_explanation():
    """Builds an explanation by hand: known numbers, a drawn picture, no model."""
    return _make_explanation


def _make_explanation(
    caption: str = "A red dog near two boats",
    regions: int = 5,
    picture: tuple[int, int] | None = (320, 240),
    boxes: bool = True,
    truth: bool = True,
    relations: bool = True,
    labels: tuple[str, ...] = (),
):
    import numpy as np
    from PIL import Image, ImageDraw

    from itr_explore.data.text import split_words
    from itr_explore.records import Explanation, Map, Mention, Pair, Truth

    random = np.random.default_rng(0)
    words, offsets = split_words(caption)
    corners = random.uniform(0, 0.6, (regions, 2))
    places = np.concatenate([corners, corners + random.uniform(0.1, 0.4, (regions, 2))], axis=1)
    image = None
    if picture is not None:
        image = Image.new("RGB", picture, "seagreen")
        width, height = picture
        for left, top, right, bottom in places:
            colour = tuple(int(v) for v in random.integers(60, 255, 3))
            box = [left * width, top * height, right * width, bottom * height]
            ImageDraw.Draw(image).rectangle(box, fill=colour)
    # the third word's strongest region is its right one, the last word's is not, the second's nobody covers
    weights = random.uniform(0.01, 0.05, (len(words), regions))
    right = np.zeros((len(words), regions), dtype=bool)
    mentions = []
    if truth:
        known = {1: None, 2: 1, len(words) - 1: 3}
        for word, region in known.items():
            box = places[[region]] if region is not None else np.array([[0.9, 0.9, 1.0, 1.0]])
            mentions.append(Mention((word,), box))
            if region is not None:
                right[word, region] = True
        weights[1, 0], weights[2, 1], weights[len(words) - 1, 2] = 0.3, 0.6, 0.6
    maps = [
        Map("to_regions", "word_to_region", weights, "attention", "unit"),
        Map(
            "cosine", "word_to_region", random.uniform(-1, 1, weights.shape), "derived", "cosine", exact=False
        ),
    ]
    if relations:
        edges = random.normal(size=(regions, regions))
        maps.append(Map("layers.0.affinity", "region_to_region", edges, "attention", "signed", layer=0))
    pair = Pair(
        "toy",
        image,
        np.zeros((regions, 4), dtype=np.float32),
        places.astype(np.float32) if boxes else None,
        caption,
        words,
        offsets,
        Truth(tuple(mentions), right) if truth else None,
        labels,
    )
    return Explanation(pair, "toy", 0.75, tuple(maps), unknown=(0,))
