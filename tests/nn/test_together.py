import torch

from itr_explore.nn.together import ALONE, Team, current_team, mine, ours, summed, together


def test_the_shares_of_a_team_cover_all_rows_once_and_differ_by_one_at_most():
    for size in (1, 2, 3, 5):
        for rows in (5, 12, 17):
            shares = [list(range(rows))[Team(rank, size).share(rows)] for rank in range(size)]
            assert [row for share in shares for row in share] == list(range(rows))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_process_alone_has_all_rows_as_they_are():
    rows = torch.rand(3, 2)
    assert current_team() is ALONE
    assert mine(rows) is ours(rows, 3) is summed(rows) is rows


def test_who_works_together_is_so_inside_only():
    with together(Team(1, 4)):
        assert current_team().size == 4
        assert mine(torch.arange(8)).tolist() == [2, 3]
    assert current_team() is ALONE
