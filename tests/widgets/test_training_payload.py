import numpy as np

from itr_explore.records import Progress, Ranking
from itr_explore.widgets.training_payload import Curve, Curves, probe_map, probe_payload


def test_a_short_curve_has_a_point_for_each_step():
    curve = Curve(most=4)
    for step in range(4):
        curve.add(step, 10 * step)
    assert curve.sent() == {"x": [0, 1, 2, 3], "y": [0, 10, 20, 30], "stretch": 1}


def test_a_long_curve_has_means_over_stretches_of_one_length():
    curve = Curve(most=4)
    for step in range(16):
        curve.add(step, 10 * step)
    assert curve.sent() == {"x": [1.5, 5.5, 9.5, 13.5], "y": [15, 55, 95, 135], "stretch": 4}


def test_a_very_long_curve_stays_small():
    curve = Curve(most=400)
    for step in range(10_001):
        curve.add(step, 1.0)
    assert 200 <= len(curve.sent()["x"]) <= 400
    assert set(curve.sent()["y"]) == {1.0}


def test_curves_hold_each_term_the_rate_and_both_directions_of_each_validation():
    curves = Curves()
    curves.add(Progress(1, 0.5, {"matching": 2.0}, 0.1))
    ranking = Ranking(np.array([0.0, 6.0]), np.array([0.0, 0.0]))
    curves.add(Progress(2, 1.0, {"matching": 1.0, "late": 3.0}, 0.05, ranking, best=True))
    sent = curves.sent()
    assert [(one["name"], one["x"], one["y"]) for one in sent["losses"]] == [
        ("matching", [0.5, 1], [2, 1]),
        ("late", [1], [3]),
    ]
    assert sent["rates"]["y"] == [0.1, 0.05]
    assert sent["validations"] == [
        {"epoch": 1, "best": True, "rsum": 500, "recalls": [[50, 50, 100], [100, 100, 100]]}
    ]


def test_a_loss_that_is_no_number_can_be_sent():
    curve = Curve()
    curve.add(0, float("nan"))
    assert curve.sent()["y"] == [0]


def test_the_map_of_an_epoch_is_one_map_without_the_picture(make_explanation):
    sent = probe_map(make_explanation(), 3.0)
    assert (sent["epoch"], sent["score"], sent["map"]["name"]) == (3, 0.75, "to_regions")
    assert len(str(sent)) < 1000


def test_the_probe_is_sent_once_with_its_picture_and_without_maps(make_explanation):
    sent = probe_payload(make_explanation())
    assert sent["image"]["src"].startswith("data:image/jpeg")
    assert "maps" not in sent
