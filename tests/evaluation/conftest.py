import pytest
from toys import toy_collection, toy_model


@pytest.fixture
def toy():
    """Makes a toy collection of so many images, and a toy model for it."""

    def make(images: int):
        collection = toy_collection(images)
        return collection, toy_model(collection)

    return make
