import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itr_explore.data.text import SPECIALS, build_tokenizer, encode, split_words

DOGS = ["A dog runs.", "A dog barks.", "a dog sleeps", "The dog runs", "the cat"]


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A man's well-worn T-shirt, (red) .", ("a", "man's", "well-worn", "t-shirt", "red")),
        ("'quoted' - and--dashed-", ("quoted", "and", "dashed")),
        ("I ❤️ dogs 👩🏽‍🚀!", ("i", "❤️", "dogs", "👩🏽‍🚀")),
        ("כלב רץ על החוף.", ("כלב", "רץ", "על", "החוף")),
        ("कुत्ता दौड़ता है", ("कुत्ता", "दौड़ता", "है")),
        ("İki köpek", ("i̇ki", "köpek")),
        (" .,!? ", ()),
        ("<start> dog <unk>", ("start", "dog", "unk")),
    ],
)
def test_words_are_what_a_reader_calls_words(caption, words):
    assert split_words(caption)[0] == words


def test_offsets_point_into_the_caption_as_it_was_written():
    caption = "The ❤️ DOG's İki ball"
    _, offsets = split_words(caption)
    assert [caption[a:b] for a, b in offsets] == ["The", "❤️", "DOG's", "İki", "ball"]


@given(st.text(max_size=60))
def test_the_tokenizer_splits_just_as_split_words_does(caption):
    tokenizer = build_tokenizer([caption], min_count=1)
    words, offsets = split_words(caption)
    encoding = tokenizer.encode(caption)
    assert tuple(encoding.tokens) == ("<start>", *words, "<end>")
    assert tuple(encoding.offsets[1:-1]) == offsets


def test_a_vocabulary_is_ordered_by_frequency_then_alphabet():
    tokenizer = build_tokenizer(DOGS, min_count=2)
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    assert words == [*SPECIALS, "dog", "a", "runs", "the"]


def test_rare_words_are_unknown():
    tokenizer = build_tokenizer(DOGS)  # only "dog" occurs four times
    ids, mask = encode(tokenizer, ["the dog"])
    assert ids.tolist() == [[1, 3, 4, 2]]
    assert mask.all()


def test_a_caption_of_unknown_words_is_a_row_of_unk():
    ids, _ = encode(build_tokenizer(DOGS), ["zebra 🦓 zygote"])
    assert ids.tolist() == [[1, 3, 3, 3, 2]]


def test_captions_are_padded_and_masked():
    ids, mask = encode(build_tokenizer(DOGS, min_count=1), ["dog", "a dog runs"])
    assert ids.dtype == torch.int64
    assert mask.tolist() == [[True] * 3 + [False] * 2, [True] * 5]
    assert ids[0, 3:].tolist() == [0, 0]


def test_the_name_of_a_special_token_in_a_caption_is_an_ordinary_word():
    ids, _ = encode(build_tokenizer(DOGS), ["<pad> dog <start>"])
    assert ids.tolist() == [[1, 3, 4, 3, 2]]


@pytest.mark.parametrize("blank", ["", "   ", "?!"])
def test_a_caption_without_words_is_refused_by_name(blank):
    with pytest.raises(ValueError, match="caption 1 has no words"):
        encode(build_tokenizer(DOGS), ["a dog", blank])


def test_one_string_is_not_many_captions():
    with pytest.raises(ValueError, match="put it in a list"):
        encode(build_tokenizer(DOGS), "a dog")
    with pytest.raises(ValueError, match="put it in a list"):
        build_tokenizer("a dog")


def test_a_caption_of_two_hundred_words_is_whole():
    ids, _ = encode(build_tokenizer(DOGS), ["dog " * 200])
    assert ids.shape == (1, 202)


def test_no_captions_give_empty_tensors():
    ids, mask = encode(build_tokenizer(DOGS), [])
    assert ids.shape == mask.shape == (0, 0)


def test_a_tokenizer_survives_being_saved(tmp_path):
    from tokenizers import Tokenizer

    tokenizer = build_tokenizer(DOGS)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert encode(again, DOGS)[0].equal(encode(tokenizer, DOGS)[0])
