import numpy as np
import pytest

from itr_explore.records import Measured


def a_measure():
    values = np.array([[[50.0, 40.0, 60.0], [1.0, np.nan, np.nan]]])
    return Measured("per cent", ("<b>",), ("one", "two"), values, "Title")


def test_numbers_stand_with_their_intervals():
    assert "50.0 (40.0 to 60.0)" in str(a_measure())
    assert "<b>" not in a_measure()._repr_html_()
    assert a_measure().to_frame().loc[("<b>", "one"), "low"] == 40


def test_a_number_is_found_by_name():
    assert a_measure().value("<b>", "one") == (50, 40, 60)
    with pytest.raises(KeyError, match="there is one, two"):
        a_measure().value("<b>", "three")


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\[row column 3\]"):
        Measured("", ("a",), ("b",), np.zeros((1, 3)))
