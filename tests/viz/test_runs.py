"""Bars of several systems with their spread."""

import math

import pytest

from itr_explore.viz.runs import spread_bars

SPREADS = {"scan": [(80.0, 1.0), (70.0, 2.0)], "vse": [(60.0, math.nan), (50.0, math.nan)]}


def test_there_is_a_bar_for_each_number_of_each_system():
    figure = spread_bars(SPREADS, ("there", "back"), title="R@1")
    assert [(bar.name, list(bar.y), list(bar.x)) for bar in figure.data] == [
        ("there", ["scan", "vse"], [80.0, 60.0]),
        ("back", ["scan", "vse"], [70.0, 50.0]),
    ]


def test_one_seed_has_no_whisker():
    assert list(spread_bars(SPREADS, ("there", "back"), title="").data[0].error_x.array) == [1.0, None]


def test_level_lines_are_drawn_and_named_in_the_legend():
    figure = spread_bars(SPREADS, ("there", "back"), title="", lines={"chance": 50.0, "ceiling": 90.0})
    assert [(line.name, line.x0, line.showlegend) for line in figure.layout.shapes] == [
        ("chance", 50.0, True),
        ("ceiling", 90.0, True),
    ]


def test_another_number_of_names_is_refused():
    with pytest.raises(ValueError, match=r"wanted 1 numbers a system \(there\)"):
        spread_bars(SPREADS, ("there",), title="")


def test_no_system_is_refused():
    with pytest.raises(ValueError, match="at least one system"):
        spread_bars({}, ("there",), title="")
