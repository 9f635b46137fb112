import base64
import hashlib
import re

import pytest

from itr_explore.records import Table
from itr_explore.viz import theme
from itr_explore.widgets.assets import VIEWS, view_script
from itr_explore.widgets.page import embedded, page, safe_json
from itr_explore.widgets.pair_view import PairView

ATTACKS = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- <script> --> a",
    "a \u2028 b \u2029 c",
    "&lt;script&gt; &amp;",
    "'\"><svg onload=alert(1)>",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_json_in_a_page_cannot_end_its_script_element(text):
    import json

    embedded = safe_json({"caption": text})
    assert not re.search("[<>&\u2028\u2029]", embedded)
    assert json.loads(embedded) == {"caption": text}


@pytest.mark.parametrize("text", ATTACKS)
def test_no_text_from_outside_becomes_markup_in_a_notebooks_output(text, make_explanation):
    found = embedded(PairView(make_explanation(text + " some words here", truth=False)))
    plain = embedded(PairView(make_explanation("some words here", truth=False)))
    assert found.count("<") == plain.count("<")


@pytest.mark.parametrize("text", ATTACKS)
def test_no_text_from_outside_becomes_markup(text, make_explanation):
    view = PairView(make_explanation(text + " some words here", truth=False))
    plain = page(title="t", views=[PairView(make_explanation("some words here", truth=False))])
    found = page(title=text, text=[text], tables=[Table((text,), ((text,),), title=text)], views=[view])
    for mark in ("<script", "<img", "<svg", "onerror=alert(1)>", "onload=alert(1)>"):
        assert found.count(mark) == plain.count(mark)


def test_the_policy_of_a_page_allows_its_own_script_and_nothing_from_outside(make_explanation):
    found = page(title="t", views=[PairView(make_explanation())])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', found).group(1)
    script = re.search(r'<script type="module">(.*?)</script>', found, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )


def test_the_script_is_carried_once_however_many_views(make_explanation):
    found = page(title="t", views=[PairView(make_explanation()) for _ in range(3)])
    assert found.count("function mountPairView(") == 1
    assert found.count('<div data-view="pair_view">') == 3


def test_a_page_names_no_other_place(make_explanation):
    found = page(title="t", views=[PairView(make_explanation())])
    places = set(re.findall(r"https?://[^\"'`\s]*", found))
    assert places == {"http://www.w3.org/2000/svg"}  # the name of SVG, not an address


def test_the_front_end_names_no_colour_of_its_own():
    from importlib.resources import files

    static = files("itr_explore.widgets") / "static"
    for name in {name for parts in VIEWS.values() for name in (*parts.scripts, *parts.styles)}:
        assert not re.findall(r"#[0-9a-f]{3,8}\b", (static / name).read_text()), name
    assert theme.HIT in view_script("pair_view")
