import numpy as np
import pytest
import torch

from itr_explore.exercises import check


def test_an_exercise_without_an_answer_invites_one_and_does_not_stop_run_all():
    assert not check(..., 3)
    assert "Write your answer" in repr(check(None, 3))


def test_a_number_within_the_tolerance_is_right():
    assert check(0.3334, 1 / 3)


def test_an_array_of_another_shape_is_not_right_though_its_values_fit():
    assert not check(np.ones((2, 2)), np.ones(2))


def test_a_likely_mistake_gets_its_own_hint():
    hints = {2: "you counted from one", "else": "count again"}
    assert "counted from one" in repr(check(2, 1, hints))
    assert "count again" in repr(check(7, 1, hints))


def test_a_hint_is_escaped_where_it_becomes_html():
    assert "<script>" not in check("x", "y", "<script>alert(1)</script>")._repr_html_()


@pytest.mark.parametrize(
    "answer",
    [
        np.array([1, 2]),
        np.array(["a", "b", "c"]),
        "one",
        {"a": 1},
        torch.ones(2, requires_grad=True),
        [[1], [2, 3]],
    ],
    ids=["another shape", "strings", "a string", "a dict", "a tensor with gradient", "ragged"],
)
def test_whatever_a_reader_types_is_answered_and_not_an_error(answer):
    assert not check(answer, np.array([1, 2, 3]), {1.0: "one", "else": "look again"})


def test_a_tensor_is_compared_by_its_numbers():
    assert check(torch.tensor([1.0, 2.0], requires_grad=True), [1, 2])
