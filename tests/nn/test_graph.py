import numpy as np
import pytest
import torch
from torch import nn

from itr_explore.nn.graph import GraphReasoning, MaskedBatchNorm, affinity, degree, relation_strength
from itr_explore.nn.tap import capture

MASK = torch.tensor([[True, True, True], [True, True, False]])


@pytest.fixture
def nodes():
    return torch.randn(2, 3, 4) * MASK[..., None]


@pytest.mark.parametrize("training", [True, False])
def test_a_new_layer_is_the_identity(nodes, training):
    torch.testing.assert_close(GraphReasoning(4).train(training)(nodes, MASK), nodes)


def test_affinity_is_that_of_numpy(nodes):
    key = torch.randn(2, 3, 4)
    wanted = np.einsum("bid,bjd->bij", nodes.numpy(), key.numpy()) / np.array([3, 2])[:, None, None]
    wanted[1, 2], wanted[1, :, 2] = 0, 0
    np.testing.assert_allclose(affinity(nodes, key, MASK).numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_affinity_can_be_divided_by_the_papers_number(nodes):
    torch.testing.assert_close(affinity(nodes, nodes, MASK, 36)[0] * 36, affinity(nodes, nodes, MASK)[0] * 3)


def test_a_layer_is_the_papers_equation_step_by_step():
    layer = GraphReasoning(4).eval()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    v = torch.randn(1, 3, 4)
    x = v[0]
    r = layer.query(x) @ layer.key(x).T / 3
    change = nn.functional.batch_norm(
        layer.out(r @ layer.value(x)), torch.zeros(4), torch.ones(4), layer.norm.weight, layer.norm.bias
    )
    torch.testing.assert_close(layer(v, torch.ones(1, 3, dtype=torch.bool))[0], change + x)


def test_relation_strength_is_zero_while_the_norm_is_inert(nodes):
    layer = GraphReasoning(4).eval()
    with capture(layer) as seen:
        layer(nodes, MASK)
    assert not seen["strength"].value.any()
    with torch.no_grad():
        layer.norm.weight.fill_(1.0)
    with capture(layer) as seen:
        layer(nodes, MASK)
    assert (seen["strength"].value[MASK] > 0).all()


def test_relation_strength_is_a_ratio_of_lengths():
    assert relation_strength(torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[0.0, 2.0]]])).item() == 2.5


def test_degree_is_what_runs_along_a_nodes_edges_but_for_that_to_itself():
    edges = torch.tensor([[[9.0, 1.0, -2.0], [0.0, 9.0, 4.0], [0.5, 0.0, 9.0]]])
    assert degree(edges).tolist() == [[1 + 2 + 0.5, 1 + 4, 2 + 4 + 0.5]]


def test_masked_batch_norm_is_torchs_on_the_real_nodes_alone(nodes):
    ours, theirs = MaskedBatchNorm(4), nn.BatchNorm1d(4)
    for _ in range(3):
        rubbish = torch.where(MASK[..., None], nodes + torch.randn(1, 1, 4), 100.0)
        torch.testing.assert_close(ours(rubbish, MASK)[MASK], theirs(rubbish[MASK]))
        assert not ours(rubbish, MASK)[~MASK].any()
        theirs(rubbish[MASK])  # ours went twice too
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.eval()(nodes, MASK)[MASK], theirs.eval()(nodes[MASK]))


def test_masked_batch_norm_takes_a_single_node():
    assert MaskedBatchNorm(4)(torch.randn(1, 1, 4), torch.ones(1, 1, dtype=torch.bool)).isfinite().all()
