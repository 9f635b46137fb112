import pytest
import torch
from torch import nn

from itr_explore.nn.graph_attention import AttentionBlock, GraphAttention, additive_logits
from itr_explore.nn.tap import capture

MASK = torch.tensor([[True, True, True], [True, True, False]])


@pytest.fixture
def nodes():
    return torch.randn(2, 3, 8) * MASK[..., None]


def test_additive_logits_are_those_of_the_concatenated_form():
    x, weight, a = (torch.randn(*shape, dtype=torch.float64) for shape in ((5, 6), (6, 6), (12,)))
    w = x @ weight.T
    pairs = torch.cat([w[:, None].expand(5, 5, 6), w[None].expand(5, 5, 6)], dim=-1)
    wanted = nn.functional.leaky_relu(pairs @ a, 0.2)
    row, column = ((w @ half)[None, :, None] for half in a.split(6))
    torch.testing.assert_close(additive_logits(row, column)[0, 0], wanted)


def slowly(layer, nodes, mask):
    """The layer of Velickovic et al. node by node and head by head, each logit from a concatenation."""
    heads, width = layer.row.shape
    found = torch.zeros_like(nodes)
    for item, x in enumerate(nodes):
        values = layer.value(x).view(-1, heads, width)
        real = torch.nonzero(mask[item]).flatten().tolist()
        for i in real:
            messages = []
            for head in range(heads):
                a = torch.cat([layer.row[head], layer.column[head]])
                ends = [torch.cat([values[i, head], values[j, head]]) for j in real]
                weights = nn.functional.leaky_relu(torch.stack([a @ end for end in ends]), 0.2).softmax(0)
                messages.append(nn.functional.elu(weights @ values[real, head]))
            found[item, i] = layer.norm(x[i] + layer.out(torch.cat(messages)))
    return found


def test_graph_attention_is_the_published_layer_node_by_node(nodes):
    layer, nodes = GraphAttention(8, 2, "region_to_region").double(), nodes.double()
    torch.testing.assert_close(layer(nodes, MASK), slowly(layer, nodes, MASK))


def test_gradients_of_graph_attention_are_right(nodes):
    layer = GraphAttention(8, 2, "region_to_region").double()
    assert torch.autograd.gradcheck(lambda x: layer(x, MASK), nodes.double().requires_grad_())


def test_all_nodes_rank_their_neighbours_alike_in_additive_attention():
    row, column = torch.rand(1, 4, 1), torch.rand(1, 4, 1)  # positive, so that the leaky ReLU is straight
    weights = additive_logits(row, column).softmax(dim=-1)[0, 0]
    torch.testing.assert_close(weights, weights[:1].expand(4, 4))


def test_with_layer_norm_a_block_is_torchs_transformer_encoder_layer(nodes):
    theirs = nn.TransformerEncoderLayer(8, 2, 8, dropout=0.0, batch_first=True)
    ours = AttentionBlock(8, 2, "region_to_region", norm="layer")
    copied = (
        (ours.query_key_value.weight, theirs.self_attn.in_proj_weight),
        (ours.query_key_value.bias, theirs.self_attn.in_proj_bias),
        (ours.out, theirs.self_attn.out_proj),
        (ours.feed_forward[0], theirs.linear1),
        (ours.feed_forward[3], theirs.linear2),
        (ours.first_norm, theirs.norm1),
        (ours.last_norm, theirs.norm2),
    )
    for mine, given in copied:
        if isinstance(mine, nn.Module):
            mine.load_state_dict(given.state_dict())
        else:
            mine.data.copy_(given.data)
    wanted = theirs(nodes, src_key_padding_mask=~MASK)
    torch.testing.assert_close(ours(nodes, MASK)[MASK], wanted[MASK])
    bias = torch.randn(3, 3)
    torch.testing.assert_close(
        ours(nodes, MASK, bias.expand(2, 3, 3))[0], theirs(nodes[:1], src_mask=bias)[0]
    )


@pytest.mark.parametrize("layer", [GraphAttention, AttentionBlock])
def test_padding_stays_zero_and_is_never_looked_at(nodes, layer):
    layer = layer(8, 2, "region_to_region").eval()
    rubbish = torch.where(MASK[..., None], nodes, 100.0)
    torch.testing.assert_close(layer(rubbish, MASK), layer(nodes, MASK))
    assert not layer(rubbish, MASK)[~MASK].any()


@pytest.mark.parametrize("layer", [GraphAttention, AttentionBlock])
def test_each_head_and_their_mean_can_be_seen(nodes, layer):
    layer = layer(8, 2, "region_to_region")
    with capture(layer) as seen:
        layer(nodes, MASK)
    heads = [seen[f"edges.heads.{head}"].value for head in range(2)]
    assert list(seen) == ["edges.mean", "edges.heads.0", "edges.heads.1"]
    torch.testing.assert_close(seen["edges.mean"].value, (heads[0] + heads[1]) / 2)
    torch.testing.assert_close(heads[0].sum(dim=-1), torch.ones(2, 3))


@pytest.mark.parametrize("layer", [GraphAttention, AttentionBlock])
def test_what_a_tap_changes_the_layer_goes_on_with(nodes, layer):
    layer = layer(8, 2, "region_to_region").eval()
    before = layer(nodes, MASK)
    layer.edges.heads[0].register_forward_hook(lambda _tap, _inputs, weights: torch.zeros_like(weights))
    assert not torch.allclose(layer(nodes, MASK), before, atol=1e-3)
