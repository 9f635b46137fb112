"""The weights that come with the package: small, and as good as the results say."""

import json
from pathlib import Path

import pytest

from itr_explore import Collection, evaluate
from itr_explore.models.registry import from_pretrained, list_models, list_pretrained
from itr_explore.models.storage import WEIGHTS, ZOO

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "scenes.json"
MODELS = [name for name in list_pretrained() if name.endswith("-tiny-scenes")]
NEAR = 1.0  # per cent of recall that half precision and another processor may change


def test_weights_are_named_after_their_system():
    assert {name.removesuffix("-tiny-scenes") for name in MODELS} == set(list_models())


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_smaller_than_two_megabytes(name):
    assert (ZOO / name / WEIGHTS).stat().st_size < 2e6


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_weights_reach_the_recall_that_the_results_claim(name):
    model = from_pretrained(name)
    runs = json.loads(RESULTS.read_text(encoding="utf-8"))["runs"]
    claimed = next(
        run
        for run in runs
        if (run["model"], run["seed"], run["box"]) == (model.name, 0, True)
        and run["foils"] == run["usual_foils"]
    )
    reached = evaluate(model, Collection.scenes("test"), device="cpu").recall_at(1)
    assert reached == pytest.approx(claimed["test_recall"][0], abs=NEAR)
