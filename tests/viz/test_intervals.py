import numpy as np
import plotly.graph_objects as go
import pytest

from itr_explore.records import Measured
from itr_explore.viz.intervals import interval_dots


@pytest.fixture
def found():
    values = np.array([[[50.0, 40.0, 65.0], [1.0, np.nan, np.nan]], [[30.0, 29.0, 31.0], [2.0, 1.0, 3.0]]])
    return Measured("per cent", ("a <b>model</b>", "random"), ("one", "two"), values, "<i>Title</i>")


def test_each_column_has_a_panel_and_each_row_a_dot_with_the_length_of_its_interval(found):
    one, two = interval_dots(found).data
    assert list(one.x) == [50, 30]
    assert (list(one.error_x.array), list(one.error_x.arrayminus)) == ([15, 1], [10, 1])
    assert two.xaxis == "x2"


def test_many_columns_wrap():
    found = Measured("per cent", ("a",), tuple("abcdefg"), np.zeros((1, 7, 3)))
    figure = interval_dots(found, dark=True)
    assert type(figure) is go.Figure
    assert [trace.xaxis for trace in figure.data] == ["x", *(f"x{place}" for place in range(2, 8))]


def test_names_are_text_to_plotly_never_markup(found):
    told = interval_dots(found).to_json()
    assert "\\u003cb\\u003e" not in told
    assert "\\u003ci\\u003e" not in told
