import gzip

import numpy as np
import pytest
import torch

from itr_explore.models.word_vectors import load_word_vectors

LINES = "word1 1 2\nword2 3 4\nstranger 5 6\n"


@pytest.fixture
def model(make_model):
    return make_model("scan", word_dim=2)


def write(folder, text, name="vectors.txt"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_words_of_the_vocabulary_get_their_vectors_and_others_keep_theirs(model, tokenizer, tmp_path):
    before = model.words.vectors.weight.clone()
    assert load_word_vectors(model, write(tmp_path, LINES)) == 2
    after = model.words.vectors.weight
    one, two = tokenizer.token_to_id("word1"), tokenizer.token_to_id("word2")
    assert after[[one, two]].tolist() == [[1, 2], [3, 4]]
    others = [row for row in range(len(after)) if row not in (one, two)]
    assert torch.equal(after[others], before[others])
    assert after.requires_grad


def test_headers_spaces_in_words_and_zipped_files_are_understood(model, tokenizer, tmp_path):
    text = f"3 2\n. . . 7 8\n{LINES}"
    with gzip.open(tmp_path / "vectors.vec.gz", "wt", encoding="utf-8") as file:
        file.write(text)
    assert load_word_vectors(model, tmp_path / "vectors.vec.gz") == 2
    assert model.words.vectors.weight[tokenizer.token_to_id("word2")].tolist() == [3, 4]


def test_arrays_of_words_and_vectors_are_understood(model, tokenizer, tmp_path):
    np.savez(tmp_path / "v.npz", words=np.array(["word3", "x"]), vectors=np.ones((2, 2), np.float16))
    assert load_word_vectors(model, tmp_path / "v.npz") == 1
    assert model.words.vectors.weight[tokenizer.token_to_id("word3")].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("word1 1 2 3\n", r"has vectors of 3 numbers, this model's words have 2; create .* word_dim=3"),
        ("10 3\nword1 1 2 3\n", r"has vectors of 3 numbers"),
        ("word1 1 2\nword2 3\n", r"line 2: wanted a word and 2 numbers, got 1"),
        ("word1 1 2\nword2 3 x\n", r"line 2: could not convert string to float"),
        ("word1 1 nan\n", r"line 1: a number is NaN or infinite"),
        ("other 1 2\n", r"has none of the 30 words of this model"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_nothing_is_changed(model, tmp_path, text, message):
    before = model.words.vectors.weight.clone()
    with pytest.raises(ValueError, match=message):
        load_word_vectors(model, write(tmp_path, text))
    assert torch.equal(model.words.vectors.weight, before)


def test_a_missing_file_a_damaged_one_and_a_model_without_vectors_are_named(model, make_model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere"):
        load_word_vectors(model, tmp_path / "nowhere.txt")
    with pytest.raises(ValueError, match="cannot be read"):
        load_word_vectors(model, write(tmp_path, LINES, "vectors.gz"))
    with pytest.raises(ValueError, match="has no word vectors, as its reader is 'bert'"):
        load_word_vectors(make_model("scan", reader="bert"), write(tmp_path, LINES))
