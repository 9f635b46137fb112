"""Tables of what benchmarks wrote, from results made by hand."""

from itr_explore.evaluation.tables import (
    agreement_table,
    edges_table,
    mistakes_table,
    photo_table,
    relevance_table,
    speed_table,
    switches_table,
    truth_table,
)


def test_photos_are_tabled_as_means_over_seeds_beside_the_linear_row():
    def photos(seed, recall, pointing):
        rows = ("random weights", "random region", "centre region", "largest region", "ceiling")
        found = dict(zip(("chan", *rows), (pointing, 1, 2, 3, 4, 5), strict=True))
        recalls = [(recall, 10.0), (40.0, 30.0), (60.0, 50.0)]
        return {"model": "chan", "seed": seed, "test_recall": recalls, "map": "attention", "pointing": found}

    linear = [(15.7, 12.0), (38.3, 33.3), (52.8, 45.4)]
    table = photo_table({"linear_cca": linear, "runs": [photos(0, 20.0, 30.0), photos(1, 22.0, 40.0)]})
    assert table.rows[0][:3] == ("linear CCA", "15.7 / 38.3 / 52.8", "12.0 / 33.3 / 45.4")
    assert table.rows[1][:5] == ("chan", "21.0 / 40.0 / 60.0", "10.0 / 30.0 / 50.0", "attention", 35.0)
    assert table.rows[1][-1] == 2


def test_speed_is_tabled_to_three_digits():
    found = {
        "scoring": "global",
        "ms_an_image": 1.5,
        "ms_a_caption": 2.43210,
        "seconds_a_million_pairs": 0.0123,
        "loop_seconds_a_million_pairs": 80.0,
        "times_the_loop_scoring_alone": 6500.0,
        "times_the_loop_with_encoding": 25.0,
    }
    results = {"images": 1000, "captions": 5000, "preset": "base", "models": {"vse": found}}
    (row,) = speed_table(results).rows
    assert row == ("vse", "global", "1.5", "2.43", "0.0123", "80", "6,500", "25")


def a_truth(model="scan", seed=0, right=80.0):
    measures = {"regions: deletion gain": {"value": [0.4, 0.3, 0.5]}}
    measures["regions: after random weights"] = {"value": [0.1, -0.1, 0.2]}
    rows = {model: [right, 70.0, 90.0], "random weights": [10.0, 5.0, 15.0], "blind": [20.0, None, None]}
    return {
        "model": model,
        "seed": seed,
        "pointing": {
            "native": {**rows, "origin": "attention"},
            "joint_occlusion": {model: [50.0, 40.0, 60.0]},
        },
        "attention": {"refused": "no map"},
        "integrated_gradients": measures,
    }


def test_truth_has_its_interval_and_of_several_seeds_their_spread():
    table = truth_table({"runs": [a_truth(), a_truth(seed=1, right=84.0), a_truth("chan")]})
    several, one = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    assert several["right: own map"] == "82.0 ± 2.8 (70.0 to 90.0)"
    assert several["random weights"] == "10.0 ± 0.0"
    assert one["right: own map"] == "80.0 (70.0 to 90.0)"
    assert one["blind"] == "20.0"
    assert one["faithful: own map"] == ""
    assert one["faithful: int. gradients"] == "0.40 (0.30 to 0.50)"
    assert (several["seeds"], one["seeds"]) == (2, 1)


def test_mistakes_are_tabled_by_class_beside_both_recalls():
    classes = {name: [10.0, 5.0, 15.0] for name in ("thing", "attribute", "relation", "count", "setting")}
    recall = {"image to text precision at 1": [80.0, 70.0, 90.0]}
    run = {
        "collection": "scenes",
        "model": "scan",
        "errors": {"scan: ranked first (12)": {**classes, "nothing": [50.0, 40.0, 60.0]}, "random": {}},
        "relevance": {
            "scan": {"image to text precision at 1": [85.0, 0, 0]},
            "scan, written pairs only": recall,
        },
    }
    (row,) = mistakes_table({"runs": [run, {"collection": "photos"}]}).rows
    assert row == ("scan", 12, 10.0, 10.0, 10.0, 10.0, 10.0, 50.0, 80.0, 85.0)


def test_relevance_is_tabled_both_ways_beside_single_false_claims():
    measures = {
        f"{way} {what}": [50.0, 40.0, 60.0]
        for way in ("image to text", "text to image")
        for what in ("mAP@R", "R-precision")
    }
    above = {"scan": {"all (9)": [90.0, 80, 99], "relation (4)": [75.0, 60, 90]}, "text only": {}}
    run = {"collection": "scenes", "model": "scan", "relevance": {"scan": measures}, "above_negatives": above}
    (row,) = relevance_table({"runs": [run, {"collection": "photos"}]}).rows
    assert row == ("scan", 50.0, 50.0, 50.0, 50.0, None, None, 75.0, None, None)


def test_agreement_is_tabled_with_its_controls_once_and_last():
    def run(name, rho):
        controls = {
            row: {"rho": [0.5, 0.4, 0.6], "tau": [0.4, 0.3, 0.5]}
            for row in ("one expert", "text only", "random order")
        }
        above = {name: {"all (63)": [80.0, 70.0, 90.0]}, "text only": {"all (63)": [50.0, 40.0, 60.0]}}
        return {
            "collection": "photos",
            "agreement": {name: {"rho": [rho, 0, 1], "tau": [0.5, 0, 1]}, **controls},
            "above_negatives": above,
        }

    rows = agreement_table({"runs": [run("scan", 0.6), run("vse", 0.25), {"collection": "scenes"}]}).rows
    assert [row[0] for row in rows] == ["scan", "vse", "one expert", "text only", "random order"]
    assert rows[0] == ("scan", "0.60", "0.50", 80.0)
    assert rows[2] == ("one expert", "0.50", "0.40", None)


def test_switches_are_tabled_beside_the_recipe_as_it_stands():
    switched = {
        "model": "lgsf",
        "collection": "photos",
        "changed": '{"constraint_weight": 1.0}',
        "train_cpu_seconds": 9,
    }
    switched |= {"validation_recall_at_1": [21.0, 17.0], "test_recall_at_1": [20.0, 16.0]}
    scenes = {
        "model": "vsrnpp",
        "collection": "scenes",
        "changed": '{"generation_weight": 1.0}',
        "train_cpu_seconds": 9,
    }
    scenes |= {"validation_recall_at_1": [81.0, 71.0], "test_recall_at_1": [80.0, 70.0]}
    photos = {"model": "lgsf", "seed": 0, "validation_recall": [[25.0, 18.0]], "test_recall": [[22.0, 17.0]]}
    usual = {
        "model": "vsrnpp",
        "seed": 0,
        "box": True,
        "foils": True,
        "usual_foils": True,
        "test_recall": [[89.0, 72.0]],
    }
    first, second = switches_table({"runs": [switched, scenes]}, {"runs": [usual]}, {"runs": [photos]}).rows
    assert first == (
        "lgsf",
        "photos",
        "constraint_weight = 1.0",
        "21.0 / 17.0",
        "25.0 / 18.0",
        "20.0 / 16.0",
        "22.0 / 17.0",
    )
    assert second[3:] == ("81.0 / 71.0", "", "80.0 / 70.0", "89.0 / 72.0")


def test_edges_are_tabled_by_what_exceeds_their_controls():
    change = {"margin": {"excess": [0.001, -0.002, 0.003]}}
    found = {"right_per_cent": [60.0, 55.0, 65.0], "margin": [0.01, 0.0, 0.02]}
    results = {"systems": {"racg: graph": {**found, **dict.fromkeys(("cut", "reversed", "mean"), change)}}}
    (row,) = edges_table(results).rows
    assert row[:3] == ("racg: graph", "60.0 (55.0 to 65.0)", "10.00 (0.00 to 20.00)")
    assert set(row[3:]) == {"1.00 (-2.00 to 3.00)"}
