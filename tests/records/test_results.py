import numpy as np

from itr_explore.records import Cascade, RemovalCurves


def test_curves_show_themselves_share_by_share():
    curve = np.array([[1.0, 0.9, 1.1], [0.0, 0.0, 0.0]])
    found = RemovalCurves("scan", "occlusion", "words", np.array([0.0, 1.0]), curve, curve[::-1], curve)
    assert "1.000 (0.900 to 1.100)" in str(found)
    assert found.to_frame().loc[("0%", "deletion"), "low"] == 0.9
    assert "<table>" in found._repr_html_()


def test_a_cascade_names_its_stages():
    stages = (("", "words.reader"), ("words.vectors",))
    found = Cascade("scan", "occlusion", "words", stages, np.ones((2, 3)), np.zeros(3))
    assert [row[0] for row in found.table().rows] == [
        "1: its own weights and 1 more",
        "2: words.vectors",
        "dealt at random",
    ]
    assert found.to_frame().loc[("dealt at random", "rank correlation"), "value"] == 0
