import pytest
import torch

from itr_explore.nn.product import matrix_product


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("turned", [False, True])
def test_it_is_torchs_product(dtype, turned):
    left, right = torch.randn(5, 7, dtype=dtype), torch.randn(7, 3, dtype=dtype)
    if turned:  # the same numbers in another order in memory
        left, right = left.T.contiguous().T, right.T.contiguous().T
    found = matrix_product(left, right)
    assert found.dtype == dtype
    torch.testing.assert_close(found, left @ right)


def test_a_faster_type_gives_rougher_numbers_of_the_same_type():
    left, right = torch.randn(5, 7), torch.randn(7, 3)
    found = matrix_product(left, right, torch.bfloat16)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, left @ right, rtol=0, atol=0.1)
