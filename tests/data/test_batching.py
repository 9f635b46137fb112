import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itr_explore.data.batching import caption_batches, collate, image_batches, training_batches
from itr_explore.data.collection import Collection
from itr_explore.data.ragged import Ragged
from itr_explore.data.text import build_tokenizer, encode


@pytest.fixture
def tokenizer(small):
    return build_tokenizer(small.captions, min_count=1)


@st.composite
def ragged_collections(draw):
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=8))
    rows, images = sum(lengths), len(lengths)
    image_of = draw(st.lists(st.integers(0, images - 1), min_size=1, max_size=12))
    words = draw(st.lists(st.integers(1, 9), min_size=len(image_of), max_size=len(image_of)))
    return Collection(
        name="drawn",
        split="test",
        captions=[" ".join(["dog", "cat", "runs"][k % 3] for k in range(n)) for n in words],
        image_of=np.array(image_of),
        image_ids=[f"image {i}" for i in range(images)],
        regions=Ragged(1 + np.arange(rows * 3, dtype=np.float32).reshape(rows, 3), np.cumsum([0, *lengths])),
        boxes=np.tile(np.array([[0.1, 0.2, 0.3, 0.4]], np.float32), (rows, 1)),
    )


@given(collection=ragged_collections(), data=st.data())
def test_a_batch_holds_what_its_items_hold_and_nothing_but_padding_besides(collection, data):
    tokenizer = build_tokenizer(["dog cat runs"], min_count=1)
    images = data.draw(st.permutations(range(len(collection))))
    rows = st.integers(0, len(collection.captions) - 1)
    captions = data.draw(st.lists(rows, max_size=6))
    batch = collate(collection, images, captions, tokenizer)
    for place, image in enumerate(images):
        real = batch.region_mask[place].numpy()
        count = len(collection.regions(image))
        assert real.tolist() == [k < count for k in range(len(real))]
        np.testing.assert_array_equal(batch.regions[place].numpy()[real], collection.regions(image))
        np.testing.assert_array_equal(batch.boxes[place].numpy()[real], collection.boxes(image))
        assert not batch.regions[place].numpy()[~real].any()
        assert not batch.boxes[place].numpy()[~real].any()
    for place, caption in enumerate(captions):
        ids, _ = encode(tokenizer, [collection.captions[caption]])
        assert batch.words[place][batch.word_mask[place]].tolist() == ids[0].tolist()
        assert not batch.words[place][~batch.word_mask[place]].any()
        assert images[batch.image_of[place]] == collection.image_of[caption]


@given(collection=ragged_collections(), size=st.integers(1, 5), seed=st.integers(0, 9))
def test_an_epoch_shows_every_caption_once_with_its_own_image(collection, size, seed):
    tokenizer = build_tokenizer(["dog cat runs"], min_count=1)
    seen = []
    for batch in training_batches(collection, tokenizer, size, np.random.default_rng(seed)):
        assert len(batch.words) <= size
        assert len(np.unique(batch.regions[:, 0, 0])) == len(batch.regions)  # each image once
        lengths = batch.word_mask.sum(1) - 2
        first = batch.regions[batch.image_of, 0, 0]  # the first feature of its first region names an image
        seen += zip(first.tolist(), lengths.tolist(), strict=True)
    wanted = [
        (float(collection.regions(image)[0, 0]), len(caption.split()))
        for image, caption in zip(collection.image_of, collection.captions, strict=True)
    ]
    assert sorted(seen) == sorted(wanted)


def test_the_order_of_an_epoch_comes_from_the_generator_alone(small, tokenizer):
    one, two = (
        [b.words.tolist() for b in training_batches(small, tokenizer, 2, np.random.default_rng(5))]
        for _ in range(2)
    )
    assert one == two


def test_image_batches_hold_every_image_in_order_and_no_captions(small):
    batches = list(image_batches(small, None, 2))
    assert [b.region_mask.sum(1).tolist() for b in batches] == [[2, 3], [1]]
    assert all(b.words.shape == (0, 0) and b.image_of.shape == (0,) for b in batches)


def test_a_batch_says_which_of_the_collection_s_images_it_holds(small, tokenizer):
    assert collate(small, [2, 0], [3, 0], tokenizer).image_ids.tolist() == [2, 0]
    assert collate(small, [], [3], tokenizer).image_ids.tolist() == []


def test_caption_batches_hold_every_caption_in_order_and_no_images(small, tokenizer):
    batches = list(caption_batches(small, tokenizer, 3))
    assert [len(b.words) for b in batches] == [3, 2]
    assert [b.image_of.tolist() for b in batches] == [[0, 1, 0], [2, 1]]
    assert batches[0].regions.shape == (0, 0, 4)


def test_one_region_and_one_caption_make_a_batch(small, tokenizer):
    batch = collate(small, [2], [3], tokenizer)
    assert batch.regions.shape == (1, 1, 4)
    assert batch.image_of.tolist() == [0]


def test_guide_vectors_stand_in_the_order_of_the_batch(small, tokenizer):
    guided = small.with_guide(np.array([[0.0], [1.0], [2.0]])).subset([2, 1, 0])
    batch = collate(guided, [2, 0], [0], tokenizer)
    assert batch.guide.tolist() == [[0.0], [2.0]]
    assert batch.guide.dtype == batch.regions.dtype
    assert collate(guided, [], [0], tokenizer).guide.shape == (0, 1)
    assert collate(small, [0], [], None).guide is None


def test_a_caption_whose_image_is_missing_is_refused_by_name(small, tokenizer):
    with pytest.raises(ValueError, match="'second', which is not among"):
        collate(small, [0, 2], [0, 1], tokenizer)


def test_captions_without_a_tokenizer_are_refused(small):
    with pytest.raises(ValueError, match="need a tokenizer"):
        collate(small, [0], [0], None)


def test_rows_that_do_not_exist_are_refused(small, tokenizer):
    with pytest.raises(IndexError, match="image rows must lie in 0 to 2"):
        collate(small, [3], [], tokenizer)
    with pytest.raises(IndexError, match="caption rows"):
        collate(small, [], [-1], tokenizer)


def test_an_empty_batch_size_is_refused(small, tokenizer):
    with pytest.raises(ValueError, match="at least 1"):
        next(training_batches(small, tokenizer, 0, np.random.default_rng(0)))


def test_a_bad_feature_is_found_when_its_batch_is_read(parts, tokenizer):
    values = np.ones((6, 4), np.float32)
    values[3, 2] = np.nan
    collection = Collection(**{**parts, "regions": Ragged(values, np.array([0, 2, 5, 6]))})
    collate(collection, [0, 2], [], tokenizer)
    with pytest.raises(ValueError, match="image 'second' of small has NaN"):
        collate(collection, [2, 1], [], tokenizer)


def test_large_but_finite_features_are_no_error(parts, tokenizer):
    values = np.full((6, 4), 3e38, np.float32)
    collection = Collection(**{**parts, "regions": Ragged(values, np.array([0, 2, 5, 6]))})
    assert collate(collection, [0, 1], [], tokenizer).regions.max() > 1e38


def test_a_caption_of_punctuation_alone_is_refused_with_its_image(parts, tokenizer):
    collection = Collection(**{**parts, "captions": ["a dog", "?!", "b", "c", "d"]})
    with pytest.raises(ValueError, match="small, test: a caption of image 'second' has no words: '\\?!'"):
        collate(collection, [], [0], tokenizer)


def with_foils(small):
    """Captions 0 and 3 have foils: two and one."""
    foils = {0: ("a wrong one", "a very wrong one indeed"), 3: ("wrong too",)}
    small._foils_of = lambda row: foils.get(row, ())
    return small


def test_each_caption_that_has_foils_brings_one_after_all_captions(small, tokenizer):
    with_foils(small)
    (batch,) = training_batches(small, tokenizer, 1000, np.random.default_rng(0), foils=True)
    captions = len(small.captions)
    assert (batch.image_of[:captions] >= 0).all()

    def told(row):
        return batch.words[row][batch.word_mask[row]].tolist()

    owners = [~image for image in batch.image_of[captions:].tolist()]
    assert [told(row) for row in sorted(owners)] == [
        told(row)
        for row in range(captions)
        if told(row) in [tokenizer.encode(small.captions[c]).ids for c in (0, 3)]
    ]
    known = {tuple(tokenizer.encode(t).ids) for c in (0, 3) for t in small.foils(c)}
    rows = {
        tuple(row[m].tolist())
        for row, m in zip(batch.words[captions:], batch.word_mask[captions:], strict=True)
    }
    assert rows <= known


def test_over_many_epochs_every_foil_is_met(small, tokenizer):
    with_foils(small)
    met = {
        tuple(row.tolist())
        for seed in range(20)
        for batch in training_batches(small, tokenizer, 2, np.random.default_rng(seed), foils=True)
        for row, image in zip(batch.words, batch.image_of, strict=True)
        if image < 0
    }
    assert len({tuple(i for i in row if i) for row in met}) == 3
