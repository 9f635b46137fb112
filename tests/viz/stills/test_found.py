from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from itr_explore.records import Found
from itr_explore.viz.stills.found import Result, found_still


def found(side="images", results=3, query="two boats", right=(1,), of=120):
    rows = np.arange(results)
    scores = 0.9 - 0.1 * rows
    return Found(
        *(
            query,
            side,
            "toy",
            "scenes, test",
            rows,
            rows,
            scores,
            np.append(np.full(results - 1, 0.1), np.nan),
        ),
        *(np.isin(rows, right), tuple(f"item {row}" for row in rows), np.array(right, dtype=int)),
        *(np.array(right, dtype=int), of, of, (0.0, 0.4, 0.9), {"score": 0.01}),
    )


def shown(results=3, state="wrong", says="thing 'boat'", **look):
    picture = look.pop("picture", Image.new("RGB", (40, 30), "teal"))
    return [Result(look.get("caption", "a red boat"), state, says, picture)] * results


def test_scores_margins_and_the_rank_of_the_right_answer_are_written(texts):
    said = texts(found_still(found(), shown()))
    assert {"0.900", "margin 0.100", "0.700", "2 of 120"} <= set(said)
    assert any("wrong: thing" in text for text in said)


def test_captions_stand_beside_the_image_that_was_asked(whole, texts):
    drawing = found_still(found("captions"), shown(), asked=Image.new("RGB", (64, 48), "teal"))
    whole(drawing)
    assert texts(drawing).count("a red boat") == 3


def test_right_and_wrong_are_told_by_words_too(texts):
    assert texts(found_still(found(), shown(state="right", says=""))).count("right") == 3


def test_no_known_answer_and_no_result_are_said(texts):
    said = texts(found_still(found(right=()), []))
    assert {"No right answer is known.", "Nothing passes the filters."} <= set(said)


def test_a_right_answer_that_was_not_brought_is_told(texts):
    answer = replace(found(right=()), beyond=(7,))
    assert "The right answer is none of these." in texts(found_still(answer, shown()))


@pytest.mark.parametrize("width", [360, 820])
@pytest.mark.parametrize("side", ["images", "captions"])
@pytest.mark.parametrize(
    "odd",
    [
        {"picture": None, "state": "unknown", "says": "picture x.jpg cannot be opened (a long reason)"},
        {"picture": Image.new("RGB", (1, 900))},
        {"caption": "\u0643\u0644\u0628 " * 30},
        {"caption": "<b>" + "a" * 400, "says": "b" * 300},
    ],
    ids=lambda odd: next(iter(odd)) + str(len(odd)),
)
def test_odd_results_are_drawn_and_nothing_sticks_out(whole, side, width, odd):
    query = odd.get("caption", "two boats")
    asked = odd.get("picture") if side == "captions" else None
    whole(found_still(found(side, query=query), shown(**odd), asked=asked, width=width, note="3 pass."))
