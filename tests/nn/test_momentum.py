import pytest
import torch
from torch import nn

from itr_explore.nn.momentum import NOBODY, NegativeQueue, follow, key_info_nce, teacher_of


def test_a_teacher_starts_as_its_student_and_no_gradient_reaches_it():
    student = nn.Linear(3, 2)
    teacher = teacher_of(student)
    assert torch.equal(teacher.weight, student.weight)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert all(parameter.requires_grad for parameter in student.parameters())


def test_a_teacher_moves_its_share_towards_the_student_and_keeps_its_own_statistics():
    student = nn.BatchNorm1d(2)
    teacher = teacher_of(student)
    nn.init.constant_(student.weight, 11.0)
    student.running_mean.fill_(5.0)
    follow(teacher, student, 0.9)
    assert teacher.weight.tolist() == pytest.approx([2.0, 2.0])
    assert teacher.running_mean.tolist() == [0, 0]
    assert student.weight.tolist() == [11, 11]


def numbered(first, count):
    """Keys [n n] of images n, n = first ..."""
    ids = torch.arange(first, first + count)
    return ids.float().unsqueeze(1).expand(-1, 2), ids


def test_new_keys_take_the_place_of_the_oldest_round_and_round():
    queue = NegativeQueue(5, 2)
    queue.put(*numbered(0, 3))
    queue.put(*numbered(3, 3))
    assert queue.image_ids.tolist() == [5, 1, 2, 3, 4]
    assert queue.keys[:, 0].tolist() == [5, 1, 2, 3, 4]
    queue.put(*numbered(6, 2))
    assert queue.image_ids.tolist() == [5, 6, 7, 3, 4]


@pytest.mark.parametrize("count", [5, 7, 12])
def test_of_more_keys_than_it_holds_the_last_stay(count):
    queue = NegativeQueue(5, 2)
    queue.put(*numbered(0, 3))
    queue.put(*numbered(100, count))
    assert sorted(queue.image_ids.tolist()) == list(range(100 + count - 5, 100 + count))
    queue.put(*numbered(200, 1))
    assert min(queue.image_ids.tolist()) == 100 + count - 4  # the oldest has gone


def test_a_fresh_queue_holds_random_directions_of_nobody():
    queue = NegativeQueue(2000, 16)
    torch.testing.assert_close(queue.keys.norm(dim=1), torch.ones(2000))
    assert queue.keys.mean(dim=0).norm() < 0.1
    assert queue.of_others(torch.tensor([NOBODY, 3])).all()


def test_keys_of_the_same_image_are_known():
    queue = NegativeQueue(4, 2)
    queue.put(*numbered(0, 3))
    assert queue.of_others(torch.tensor([1]))[0].tolist() == [True, False, True, True]


def test_the_nearest_keys_are_named_by_their_images():
    queue = NegativeQueue(3, 2)
    queue.put(*numbered(5, 3))
    scores, images = queue.nearest(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), 2)
    assert images.tolist() == [[7, 6], [5, 6]]
    assert scores.tolist() == [[7, 6], [-5, -6]]


def test_keys_put_in_later_do_not_disturb_the_gradient():
    queue = NegativeQueue(3, 2)
    before, query = queue.keys.clone(), torch.randn(1, 2, requires_grad=True)
    scores = queue(query)
    queue.put(*numbered(0, 3))
    scores.sum().backward()
    torch.testing.assert_close(query.grad[0], before.sum(dim=0))


def test_a_saved_queue_goes_on_where_it_stood():
    queue, other = NegativeQueue(4, 2), NegativeQueue(4, 2)
    queue.put(*numbered(0, 3))
    other.load_state_dict(queue.state_dict())
    for one in (queue, other):
        one.put(*numbered(3, 2))
    assert torch.equal(other.keys, queue.keys)
    assert torch.equal(other.image_ids, queue.image_ids)


def test_info_nce_of_keys_is_the_cross_entropy_against_the_negatives():
    positive, scores = torch.randn(3), torch.randn(3, 4)
    negative = torch.tensor([[True, True, False, True]] * 3)
    logits = torch.cat([positive[:, None], scores[:, [0, 1, 3]]], dim=1) / 0.1
    wanted = nn.functional.cross_entropy(logits, torch.zeros(3, dtype=torch.long))
    torch.testing.assert_close(key_info_nce(positive, scores, negative, 0.1), wanted)
