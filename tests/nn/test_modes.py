import pytest
from torch import nn

from itr_explore.nn.modes import evaluating


def test_every_module_has_its_own_mode_again_also_after_an_error():
    model = nn.Sequential(nn.Linear(1, 1), nn.Dropout())
    model.train()
    model[1].eval()
    seen = []

    def look():
        with evaluating(model):
            seen.extend(module.training for module in model.modules())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        look()
    assert seen == [False, False, False]
    assert [module.training for module in model.modules()] == [True, True, False]
