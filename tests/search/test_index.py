"""One interface, several back ends: the same operations give the same answers, and the same errors."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from itr_explore.search.exact import ExactIndex
from itr_explore.search.index import open_index

FIELDS = {"word": str, "number": int, "share": float, "yes": bool}
WORDS = ["red", "a \"b\" 'c' \\ d", "été 🐕", ""]
FILTERS = [
    "number >= 3 and number < 6",
    "not (number < 4) or yes",
    'word == "red"',
    f"word != {WORDS[1]!r} and share <= 0.5",
    f"word in [{WORDS[1]!r}, {WORDS[2]!r}]",
    "word not in ['red']",
    "id in [1, 2, 3, 99]",
    "yes == False",
    "share > -1.5 and number == -1",
    "word > 'a'",
    "number in []",
    "share >= 1",
    "not yes",
    'word != "a\\n\\t\\r"',
    "number >= -9223372036854775808 and share < 1e308",
]


def item(seed):
    rng = np.random.default_rng(seed)
    facts = {
        "word": WORDS[seed % 4],
        "number": seed % 9 - 1,
        "share": (seed % 5) / 2 - 1,
        "yes": seed % 3 == 0,
    }
    return rng.standard_normal(6).astype(np.float32), facts


def columns(seeds):
    made = [item(seed) for seed in seeds]
    return np.stack([vector for vector, _ in made]), {
        name: [facts[name] for _, facts in made] for name in FIELDS
    }


def filled(new_index, count=20):
    index = new_index(6, FIELDS)
    index.add(np.arange(count), *columns(range(count)))
    return index


ids = st.lists(st.integers(0, 12), min_size=1, max_size=5, unique=True)
step = st.one_of(
    st.tuples(st.just("upsert"), ids, st.integers(0, 999)),
    st.tuples(st.just("delete"), ids, st.just(0)),
    st.tuples(st.just("save"), st.just([]), st.just(0)),
)


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(step, min_size=3, max_size=8))
def test_any_order_of_operations_leaves_what_a_dictionary_would_hold(new_index, steps):
    index, held = new_index(6, FIELDS), {}
    for kind, names, seed in steps:
        if kind == "upsert":
            seeds = [seed + place for place in range(len(names))]
            index.upsert(names, *columns(seeds))
            held |= dict(zip(names, seeds, strict=True))
        elif kind == "delete":
            names = [name for name in names if name in held]
            index.delete(names)
            held = {name: seed for name, seed in held.items() if name not in names}
        else:
            index.save()
            if index.reopens:
                index = ExactIndex.open(index.folder)
                index.reopens = True
    assert len(index) == len(held)
    assert index.known(range(13)).tolist() == [name in held for name in range(13)]
    query = np.random.default_rng(0).standard_normal((2, 6)).astype(np.float32)
    found = index.search(query, 13)
    for row, asked in enumerate(query):
        wanted = sorted(((float(asked @ item(seed)[0]), name) for name, seed in held.items()), reverse=True)
        assert found.ids[row, : len(held)].tolist() == [name for _, name in wanted]
        np.testing.assert_allclose(found.scores[row, : len(held)], [score for score, _ in wanted], rtol=1e-4)
        assert (found.ids[row, len(held) :] == -1).all()


def test_filters_say_the_same_everywhere(new_index):
    index, query = filled(new_index), item(500)[0]
    passes = {
        FILTERS[0]: lambda f, i: 3 <= f["number"] < 6,
        FILTERS[1]: lambda f, i: not f["number"] < 4 or f["yes"],
        FILTERS[2]: lambda f, i: f["word"] == "red",
        FILTERS[3]: lambda f, i: f["word"] != WORDS[1] and f["share"] <= 0.5,
        FILTERS[4]: lambda f, i: f["word"] in WORDS[1:3],
        FILTERS[5]: lambda f, i: f["word"] != "red",
        FILTERS[6]: lambda f, i: i in (1, 2, 3),
        FILTERS[7]: lambda f, i: not f["yes"],
        FILTERS[8]: lambda f, i: f["share"] > -1.5 and f["number"] == -1,
        FILTERS[9]: lambda f, i: f["word"] > "a",
        FILTERS[10]: lambda f, i: False,
        FILTERS[11]: lambda f, i: f["share"] >= 1,
        FILTERS[12]: lambda f, i: not f["yes"],
        FILTERS[13]: lambda f, i: True,
        FILTERS[14]: lambda f, i: True,
    }
    for text, passed in passes.items():
        found = index.search(query, 20, filter=text).ids[0]
        assert set(found[found >= 0]) == {i for i in range(20) if passed(item(i)[1], i)}, text


def test_only_listed_ids_may_be_asked_for(new_index):
    index = filled(new_index)
    found = index.search(item(1)[0], 20, filter=np.array([4, 7, 99])).ids[0]
    assert set(found[found >= 0]) == {4, 7}
    assert (index.search(item(1)[0], 3, filter=np.array([], dtype=np.int64)).ids == -1).all()


def test_a_bad_filter_is_refused_in_the_same_words(new_index):
    index = filled(new_index, 2)
    for text, said in (
        ("number >", "cannot be read"),
        ("number > 3)", "cannot be read at character 11"),
        ("colour == 'red'", "no field 'colour'; there are id, number, share, word, yes"),
        ("number == 'red'", "number is int, it cannot be compared with 'red'"),
        ("word == 3", "word is str"),
        ("number", "neither yes nor no"),
        ("1 < number < 3", "compares twice"),
        ("__import__('os').system('true')", "is no comparison"),
        ("word like 'r%'", "cannot be read"),
        ("yes > False", "take == or !="),
        ("number in 3", "after in stands a list"),
        ("3 == number", "the field stands first"),
        ("", "cannot be read"),
        ("share == 1e400", "floats end at 1.8e308"),
        ("share in [0.5, -1e999]", "floats end at 1.8e308"),
        ("number < 99999999999999999999", "64 bits at most"),
        ("share < 9223372036854775807", "write 9.2233720368547"),
        ('word == "x\\u0000y"', r"holds the character '\x00'"),
        ('word == "\\ud800"', "no filter can ask for"),
    ):
        with pytest.raises(ValueError, match="filter") as caught:
            index.search(item(0)[0], 1, filter=text)
        assert said in str(caught.value)


def test_what_does_not_fit_is_refused_and_changes_nothing(new_index):
    index = filled(new_index, 4)
    vectors, facts = columns(range(2))
    bad = vectors.copy()
    bad[1, 2] = np.nan
    for ids, values, given_facts, said in (
        ([9, 3], vectors, facts, "id 3 is in the index already; nothing was added"),
        ([9, 9], vectors, facts, "id 9 occur"),
        ([9], vectors, facts, r"wanted vectors \[1 6\]"),
        ([9, 8], vectors[:, :5], facts, r"wanted vectors \[2 6\].*got \[2, 5\]"),
        ([9, 8], bad, facts, "NaN"),
        ([9, 8], vectors, {"word": ["a", "b"]}, "wanted the fields"),
        ([9, 8], vectors, {**facts, "number": ["a", "b"]}, "'number' wants 2 values of int"),
        ([9, 8], vectors, {**facts, "word": ["a", 3]}, "'word' wants 2 values of str"),
        ([0.5, 8], vectors, facts, "whole numbers"),
        ([-5, 8], vectors, facts, "ids run from 0 to"),
    ):
        with pytest.raises(ValueError, match=said):
            index.add(ids, values, given_facts)
    with pytest.raises(KeyError, match=r"ids 77, 99 are not in the index, which has 4 items; nothing was"):
        index.delete([1, 77, 99])
    for queries, k, said in ((np.ones(5), 1, r"\[query 6\], got \[1, 5\]"), (np.ones(6), 0, "k=0")):
        with pytest.raises(ValueError, match=said):
            index.search(queries, k)
    assert len(index) == 4
    assert index.known([0, 1, 2, 3, 8, 9]).tolist() == [True] * 4 + [False] * 2


def test_where_it_lives_says_what_it_is(tmp_path):
    with open_index(tmp_path / "folder", "a", 3) as one:
        assert one.exact
        one.add([5], np.ones((1, 3)))
        one.save()
    with open_index(tmp_path / "folder", "a") as again:
        assert (again.dim, len(again)) == (3, 1)
    with pytest.raises(ValueError, match=r"holds vectors of 3 numbers, wanted 4"):
        open_index(tmp_path / "folder", "a", 4)
    with pytest.raises(ValueError, match=r"has the fields {}, wanted {'a': 'int'}"):
        open_index(tmp_path / "folder", "a", 3, {"a": int})
    with pytest.raises(FileNotFoundError, match="say dim="):
        open_index(tmp_path / "folder", "b")
    with pytest.raises(ValueError, match="no Milvus URI"):
        open_index("ftp://host/x", "b", 3)


@pytest.mark.parametrize("fields", [{"id": int}, {"a b": int}, {"a": list}, {"in": int}, {"LIKE": str}])
def test_fields_that_no_filter_could_name_are_refused(fields):
    with pytest.raises(ValueError, match="field"):
        ExactIndex(3, fields)
