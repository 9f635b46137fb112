import base64
import hashlib
import re

import pytest

from itr_explore.cli import main
from itr_explore.data.collection import Collection
from itr_explore.models.registry import from_pretrained
from itr_explore.widgets.report import save_report


@pytest.fixture(scope="module")
def model():
    return from_pretrained("vse-tiny-scenes")


@pytest.fixture(scope="module")
def few():
    return Collection.scenes("test", 12)


@pytest.fixture(scope="module")
def written(model, few, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "new" / "report.html"
    return save_report(model, few, path, pairs=2, worst=3, views_of_worst=1, device="cpu").read_text()


def test_a_report_has_its_tables_pairs_and_worst_queries(written):
    headings = re.findall("<h2>(.*?)</h2>", written)
    assert headings[:4] == ["What it finds", "What it looks at", "Some pairs", "Where it fails"]
    assert headings[4].startswith("Rank ")
    assert written.count('<div data-view="pair_view">') == 3
    assert "image to text" in written


def test_a_report_carries_plotly_once_and_allows_its_own_scripts_only(written):
    assert written.count("plotly.js v") == 1
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', written).group(1)
    body = re.sub(r'<script type="application/json">.*?</script>', "", written, flags=re.DOTALL)
    scripts = re.findall(r"<script(?: type=\"module\")?>(.*?)</script>", body, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert len(scripts) == 3
    assert policy.endswith("script-src " + " ".join(f"'sha256-{digest}'" for digest in digests))


def test_a_collection_without_truth_has_a_report_without_grounding(model, few, tmp_path):
    from copy import copy

    bare = copy(few)
    bare._truth_of = None
    written = save_report(model, bare, tmp_path / "r.html", pairs=0, worst=0, device="cpu").read_text()
    assert re.findall("<h2>(.*?)</h2>", written) == ["What it finds"]


def test_numbers_below_zero_are_refused_before_anything_is_measured(model, few, tmp_path):
    with pytest.raises(ValueError, match="worst must be 0 or more, got -1"):
        save_report(model, few, tmp_path / "r.html", worst=-1)
    with pytest.raises(ValueError, match="pairs must be 0 or more, got -2"):
        save_report(model, few, tmp_path / "r.html", pairs=-2)


def test_the_command_line_writes_a_report(tmp_path, capsys):
    out = tmp_path / "report.html"
    assert (
        main(["report", "--model", "vse-tiny-scenes", "--images", "6", "--out", str(out), "--device", "cpu"])
        == 0
    )
    assert capsys.readouterr().out.strip() == str(out)
    assert "6 images" in out.read_text()
