"""A small collection made by hand: three images with two, three and one regions."""

import numpy as np
import pytest
from PIL import Image

from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged

CAPTIONS = ["A red dog.", "the cat sleeps", "two dogs run", "a dog", "One <b>bold</b> cat & a dog"]


def small_parts() -> dict:
    """What the constructor wants; a test spoils one part."""
    return {
        "name": "small",
        "split": "test",
        "captions": list(CAPTIONS),
        "image_of": np.array([0, 1, 0, 2, 1]),
        "image_ids": ["first", "second", "third"],
        "regions": Ragged(np.arange(24, dtype=np.float32).reshape(6, 4), np.array([0, 2, 5, 6])),
        "boxes": np.linspace(0, 1, 7)[:6, None] * np.array([0, 0, 1, 1], np.float32),
        "open_image": lambda row: Image.new("RGB", (400, 300), (row * 60, 0, 0)),
    }


@pytest.fixture
def parts() -> dict:
    return small_parts()


@pytest.fixture
def small(parts) -> Collection:
    return Collection(**parts)
