"""`itr-explore search`: from the command line to the first results."""

import pytest

import itr_explore.cli as cli
from itr_explore.cli import main
from itr_explore.data.collection import Collection

ASK = ["search", "--model", "vse-tiny-scenes", "--results", "3", "--device", "cpu"]
TEXT = ["--text", "a red kite above a house"]


@pytest.fixture(autouse=True)
def few_scenes(monkeypatch):
    monkeypatch.setattr(
        cli, "open_collection", lambda name, split: Collection.scenes(split).subset(range(30))
    )


def test_a_second_search_finds_the_same_in_the_index_that_the_first_left(tmp_path, capsys):
    assert main([*ASK, *TEXT, "--index", str(tmp_path / "index")]) == 0
    first = capsys.readouterr().out
    assert main([*ASK, *TEXT, "--index", str(tmp_path / "index")]) == 0
    second = capsys.readouterr().out
    assert "the first 4 of 30 images by an index" in first
    assert first.splitlines()[:5] == second.splitlines()[:5]
    assert main([*ASK, "--image", "2", "--filter", "words > 3"]) == 0
    assert "all 150 captions scored" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--filter", "colour == 1"], "no field 'colour'"),
        (["--index", "ftp://somewhere"], "no Milvus URI"),
        (["--results", "0"], "one result at least"),
    ],
)
def test_what_cannot_be_searched_is_said_in_words(more, said, capsys):
    assert main([*ASK, *TEXT, *more]) == 2
    assert said in capsys.readouterr().err
