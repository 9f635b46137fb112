"""Tables over seeds, from a file like the one that the benchmark writes."""

import json

import pytest

from itr_explore.evaluation.runs import (
    Runs,
    recall_at_1,
    shown,
    swap_halves,
)


def run(model="scan", seed=0, box=True, foils=True, recall=(80.0, 70.0), relation=60.0):
    return {
        "model": model,
        "seed": seed,
        "box": box,
        "foils": foils,
        "usual_foils": True,
        "parameters": 200_000,
        "train_cpu_seconds": 100.0,
        "test_recall": [recall, (95.0, 94.0), (99.0, 98.0)],
        "compose_recall_at_1": (75.0, 65.0),
        "swap": {model: {"all": 70.0, "relation": relation, "attribute": 80.0}, "text only": {"relation": 50.0, "attribute": 50.0}},
    }  # fmt: skip


@pytest.fixture
def file(tmp_path):
    def write(*runs):
        path = tmp_path / "scenes.json"
        told = {"runs": runs, "ambiguity_ceiling_recall_at_1": {"test": [90.1, 94.3]}}
        path.write_text(json.dumps(told))
        return path

    return write


def test_a_system_is_told_by_mean_and_standard_deviation_of_its_seeds(file):
    runs = Runs.read(file(run(seed=0, recall=(80.0, 70.0)), run(seed=1, recall=(82.0, 70.0))))
    middle, spread = runs.spread(recall_at_1)["scan"][0]
    assert (middle, spread) == (81.0, pytest.approx(2**0.5))
    assert "81.0 ± 1.4" in str(runs.recall_table())


def test_runs_without_foils_or_without_boxes_are_rows_of_their_own(file):
    runs = Runs.read(file(run(box=False), run(), run(foils=False), run(foils=False, box=False)))
    names = ["scan", "scan, no boxes", "scan, no foils", "scan, no foils, no boxes"]
    assert list(runs.spread(swap_halves)) == names


def test_a_system_whose_recipe_has_no_foils_is_as_its_recipe_has_it_without(file):
    plain = {**run(foils=False), "usual_foils": False}
    names = list(Runs.read(file(plain, {**run(), "usual_foils": False})).spread(swap_halves))
    assert names == ["scan", "scan, foils"]


def test_the_blind_row_stands_in_the_swap_table(file):
    assert str(Runs.read(file(run())).swap_table()).splitlines()[-2].split() == [
        "text",
        "only",
        "50.0",
        "50.0",
    ]


def test_what_only_boxes_tell_is_tabled_for_the_runs_that_were_asked(file):
    asked = {**run(), "swap_by_what": {"left of": 90.0, "right of": 80.0, "on": 10.0}}
    table = Runs.read(file(asked, run(seed=1))).swap_table()
    assert table.rows[0] == ("scan", "60.0 ± 0.0", "85.0", "80.0 ± 0.0")
    assert table.rows[1] == ("text only", "50.0", "", "50.0")


def test_pointing_is_tabled_for_the_runs_that_measured_it(file):
    rows = ("scan", "random weights", "random region", "centre region", "largest region", "ceiling")
    measured = {**run(), "map": "attention", "pointing": dict(zip(rows, range(60, 66), strict=True))}
    (row,) = Runs.read(file(measured, run(seed=1))).pointing_table().rows
    assert row == ("scan", "attention", 60, 61, 62, 63, 64, 65)


def test_one_seed_shows_no_spread():
    assert shown(80.04, float("nan")) == "80.0"


def test_a_missing_file_names_the_command_that_writes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"benchmarks/scenes\.py"):
        Runs.read(tmp_path / "none.json")


def test_another_file_is_refused(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="holds no results"):
        Runs.read(tmp_path / "other.json")
