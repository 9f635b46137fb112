"""The exact index: what it keeps, on disk and in float16, and what damage does not do to it."""

import json

import numpy as np
import pytest
import torch

import itr_explore.search.exact as exact
from itr_explore.search.exact import ExactIndex


def vectors(count, dim=8, seed=0):
    rng = np.random.default_rng(seed)
    found = rng.standard_normal((count, dim)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture
def small(monkeypatch):
    """Segments and chunks of a few rows."""
    monkeypatch.setattr(exact, "ROWS", 64)
    monkeypatch.setattr(exact, "CHUNK", 7)


def test_chunks_and_segments_find_what_one_product_finds(small):
    index, values = ExactIndex(8, dtype="float32"), vectors(300)
    for start in range(0, 300, 11):
        index.add(np.arange(start, min(300, start + 11)), values[start : start + 11])
    index.delete(np.arange(0, 300, 3))
    queries = vectors(5, seed=1)
    scores = queries @ values.T
    scores[:, ::3] = -np.inf
    found = index.search(queries, 12)
    np.testing.assert_array_equal(found.ids, np.argsort(-scores, axis=1)[:, :12])
    assert len(index._segments) < 10


def test_float16_is_exact_for_what_it_keeps_and_takes_half():
    values = vectors(500, 64)
    index, whole = ExactIndex(64), ExactIndex(64, dtype="float32")
    index.add(np.arange(500), values)
    whole.add(np.arange(500), values.astype(np.float16).astype(np.float32))
    queries = vectors(3, 64, seed=1)
    np.testing.assert_array_equal(index.search(queries, 9).ids, whole.search(queries, 9).ids)
    assert index._segments[0].vectors.dtype == torch.float16
    np.testing.assert_allclose(index.vectors_of([7, 3]), values[[7, 3]], atol=1e-3)
    with pytest.raises(ValueError, match="take dtype='float32'"):
        index.add([900], np.full((1, 64), 1e6))


def test_a_saved_index_opens_as_it_was_and_a_second_save_writes_only_what_is_new(small, tmp_path):
    index = ExactIndex(8, {"word": str, "n": int})
    index.add(range(100), vectors(100), {"word": [f"ü{i}" for i in range(100)], "n": range(100)})
    index.save(tmp_path)
    before = {file.name for file in tmp_path.glob("segment-*")}
    again = ExactIndex.open(tmp_path)
    again.add([200], vectors(1, seed=5), {"word": ["new"], "n": [-1]})
    again.save()
    assert before < {file.name for file in tmp_path.glob("segment-*")}
    third = ExactIndex.open(tmp_path)
    assert third.search(vectors(1, seed=5), 1, filter="word == 'new' and n < 0").ids.tolist() == [[200]]
    assert third.search(vectors(100)[42:43], 1, filter="word == 'ü42'").ids.tolist() == [[42]]
    third.delete(range(100))
    third.save()
    assert len(list(tmp_path.glob("segment-*"))) == len(ExactIndex.open(tmp_path)) == 1


def test_two_writers_of_one_folder_lose_nothing(tmp_path):
    index = ExactIndex(8)
    index.add([1], vectors(1))
    index.save(tmp_path)
    one, two = ExactIndex.open(tmp_path), ExactIndex.open(tmp_path)
    one.add([2], vectors(1))
    two.add([3], vectors(1))
    one.save()
    with pytest.raises(FileExistsError, match="saved by another"):
        two.save()
    assert ExactIndex.open(tmp_path).known([1, 2, 3]).tolist() == [True, True, False]
    two.save(tmp_path / "elsewhere")
    assert ExactIndex.open(tmp_path / "elsewhere").known([1, 2, 3]).tolist() == [True, False, True]


def test_a_save_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    index = ExactIndex(8)
    index.add([1], vectors(1))
    index.save(tmp_path)
    index.add([2], vectors(1, seed=1))

    def full(tensors, file):
        file.write_bytes(b"half")
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(exact, "save_file", full)
        with pytest.raises(OSError, match=r"No space left on device.*is as it was"):
            index.save()
    assert ExactIndex.open(tmp_path).known([1, 2]).tolist() == [True, False]
    index.save()
    assert ExactIndex.open(tmp_path).known([1, 2]).tolist() == [True, True]
    assert len(list(tmp_path.glob("segment-*"))) == len(index._segments)


def test_a_flipped_byte_is_noticed_and_what_is_named_in_the_manifest_is_on_the_disk(tmp_path, monkeypatch):
    index, kept = ExactIndex(8, {"word": str, "n": int}), []
    index.add(range(50), vectors(50), {"word": ["ü"] * 50, "n": range(50)})
    with monkeypatch.context() as patched:
        patched.setattr(exact.os, "fsync", lambda number: kept.append(number))
        index.save(tmp_path)
    assert len(kept) == 2
    file = next(tmp_path.glob("segment-*"))
    whole, head = file.read_bytes(), 8 + int.from_bytes(file.read_bytes()[:8], "little")
    places = json.loads(whole[8:head])
    assert ExactIndex.open(tmp_path).verify() == {}
    for name in ("ids", "text.word", "field.n", "vectors"):
        damaged = bytearray(whole)
        damaged[head + places[name]["data_offsets"][0] + 3] ^= 4
        file.write_bytes(damaged)
        if name == "vectors":
            assert "vectors are not what was written" in ExactIndex.open(tmp_path).verify()[file.name]
        else:
            with pytest.raises(ValueError, match=f"{name} are not what was written"):
                ExactIndex.open(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fields": {"word": "date"}},
        {"fields": {"word": []}},
        {"fields": 3},
        {"dim": "8"},
        {"dtype": "float8"},
        {"segments": [{}]},
        {"segments": None},
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_named(wrong, tmp_path):
    ExactIndex(8).save(tmp_path)
    told = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**told, **wrong}))
    with pytest.raises(ValueError, match=r"manifest.json does not describe an index"):
        ExactIndex.open(tmp_path)


def test_a_damaged_folder_names_the_file(tmp_path):
    index = ExactIndex(8)
    index.add(range(50), vectors(50))
    index.save(tmp_path)
    file = next(tmp_path.glob("segment-*"))
    whole = file.read_bytes()
    for damage, said in (
        (lambda: file.write_bytes(whole[:-9]), "cut short"),
        (lambda: file.write_bytes(b"\xff" * len(whole)), "damaged"),
        (file.unlink, "missing"),
        (lambda: (tmp_path / "manifest.json").write_text("{"), "manifest.json cannot be read"),
        (lambda: (tmp_path / "manifest.json").write_text("{}"), "does not describe an index"),
    ):
        damage()
        with pytest.raises(ValueError, match=said):
            ExactIndex.open(tmp_path)
    with pytest.raises(FileNotFoundError, match="no index was saved"):
        ExactIndex.open(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="name a folder"):
        index.__class__(3).save()
