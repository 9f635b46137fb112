"""Views in a real notebook, in JupyterLab and in Notebook 7."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MADE = "from conftest import _make_explanation as make_explanation\nfrom itr_explore import PairView"


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_view_is_live_in_both_of_jupyters_applications(in_lab, app):
    page = in_lab([MADE, "PairView(make_explanation())"], app=app)
    page.locator('[data-word="2"]').hover()
    assert page.locator("[data-region].lit").count() == 1
