"""Shapes are enforced under test only; the seed is fixed; real data is found or its tests skip."""

from pathlib import Path

import pytest
from jaxtyping import install_import_hook

install_import_hook("itr_explore.nn", "beartype.beartype")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def seed():
    import torch

    torch.manual_seed(0)


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """The folder of real photos for development; tests that ask for it skip where it is absent."""
    folder = SHARED / "data" / "real-photos"
    if not folder.exists():
        pytest.skip("needs ../shared/data/real-photos")
    return folder
