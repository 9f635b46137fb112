import numpy as np
import pytest

from itr_explore.evaluation.report import Grounding, recall_table
from itr_explore.records import Ranking, Table


def test_a_recall_table_holds_measured_and_known_rows_and_their_sum():
    ranking = Ranking(np.zeros(4), np.array([0.0, 7.0]))
    table = recall_table({"scan": ranking, "linear CCA": (15.7, 38.3, 52.8, 12.0, 33.3, 45.4)})
    assert table.rows[0] == ("scan", 100, 100, 100, 50, 50, 100, 500)
    assert table.rows[1][-1] == pytest.approx(197.5)


def test_a_table_is_aligned_text():
    text = str(Table(("name", "value"), (("a", 1.0), ("longer", 22.25)), "Title", "a note"))
    assert text.splitlines() == [
        "Title",
        "name    value",
        "-------------",
        "a         1.0",
        "longer   22.2",
        "a note",
    ]


def test_a_table_escapes_what_it_shows_in_a_notebook():
    html = Table(("<b>", "x"), (("<script>", 1.0),), note="<i>")._repr_html_()
    assert "<script>" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;" in html


def test_a_row_with_too_few_cells_is_refused():
    with pytest.raises(ValueError, match="a row of 2 cells is wanted"):
        Table(("a", "b"), (("only one",),))


def test_grounding_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\[row kind measure\] \[1, 1, 5\], got \[1, 1, 3\]"):
        Grounding("scan", "attention", ("scan",), ("all",), (3,), np.zeros((1, 1, 3)))
