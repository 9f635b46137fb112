import pytest
import torch
from torch.nn.functional import cosine_similarity

from itr_explore.nn.cross_graph import (
    EACH_WITH_EACH,
    IN_STEP,
    CrossGraph,
    Nodes,
    head_cosines,
    look,
    pack,
    similarities,
    transferred,
    unpack,
)
from itr_explore.nn.matching import attention_weights
from itr_explore.nn.pooling import unit
from itr_explore.nn.tap import capture

DIM, MATCH, RELATION = 6, 4, 2


def side(*lengths) -> Nodes:
    """Nodes of so many items, at random; zero where padded."""
    width = max(lengths)
    mask = torch.arange(width) < torch.tensor(lengths)[:, None]
    square = mask[:, :, None] & mask[:, None, :]
    sizes = (DIM, DIM, MATCH, RELATION, 2)
    given, nodes, matched, stated, gates = (
        torch.randn(*mask.shape, size) * mask[..., None] for size in sizes
    )
    edges = torch.rand(*square.shape) * square
    edges = edges / edges.sum(-1, keepdim=True).clamp(min=1e-8)
    relations = torch.randn(*square.shape, RELATION) * square[..., None]
    return Nodes(mask, given, unit(nodes), matched, stated, gates, edges, relations)


@pytest.fixture
def images():
    return side(3, 5, 2)


@pytest.fixture
def captions():
    return side(4, 2)


@pytest.fixture
def encoder():
    return CrossGraph(DIM, "region", heads=3, sharpness=9.0, transfer=0.4)


def test_what_was_packed_is_unpacked_also_after_padding_was_cut_off(images):
    for packed, width in ((pack(images), 5), (pack(images)[:, :3], 3)):
        found = unpack(packed, images.mask[:, :width], DIM, MATCH, RELATION)
        wanted = images.pick(torch.arange(3), width)
        assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))


def test_looking_is_scans_attention(images, captions):
    cosines = similarities(images, captions, EACH_WITH_EACH)
    found = look(images, captions, cosines, 9.0, EACH_WITH_EACH)
    wanted = attention_weights(cosines, images.mask, captions.mask, 9.0)
    torch.testing.assert_close(found, wanted * images.mask[None, :, :, None])


def test_an_edge_is_strengthened_where_the_nodes_it_looks_at_are_related():
    own = torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    other = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    found = transferred(own, other, torch.eye(2), share=0.5)
    torch.testing.assert_close(found, torch.tensor([[0.25, 0.75], [0.75, 0.25]]))


def test_head_cosines_are_cosines_of_blocks_and_zero_for_nothing():
    one, other = torch.randn(5, 6), torch.randn(5, 6)
    found = head_cosines(one, other, 2)
    torch.testing.assert_close(found[:, 1], cosine_similarity(one[:, 3:], other[:, 3:]))
    assert not head_cosines(torch.zeros(5, 6), other, 2).any()


def test_the_score_is_its_equations_node_by_node(encoder, images, captions):
    found = encoder(images, captions)
    cut = [
        [Nodes(*(x[n, : int(s.mask[n].sum())] for x in s)) for n in range(len(s.mask))]
        for s in (images, captions)
    ]
    for i, own in enumerate(cut[0]):
        for c, other in enumerate(cut[1]):
            r = len(own.nodes)
            edges = own.edges[:, :r]
            cosines = own.nodes @ other.nodes.T
            raised = torch.nn.functional.leaky_relu(cosines, 0.1)
            w = (9.0 * raised / raised.norm(dim=0)).softmax(dim=1)
            context, said = w @ other.matched, w @ other.stated
            u = own.gates[:, 0] + (w * (other.gates[:, 1] + encoder.agreement * cosines)).sum(1)
            seen = w @ other.edges[:, : len(other.nodes)] @ w.T
            edges = 0.6 * edges + 0.4 * seen / seen.sum(1, keepdim=True)
            nodes = []
            for n in range(r):
                enriched, related = own.matched[n].clone(), torch.zeros(RELATION)
                for k in range(r):
                    around = own.matched[k] + u[k].sigmoid() * context[k]
                    enriched += encoder.around * edges[n, k] * around
                    related += edges[n, k] * own.relations[n, k]
                blocks = [
                    (enriched[:2], context[n, :2]), (enriched[2:], context[n, 2:]), (related, said[n])
                ]  # fmt: skip
                m = torch.stack([cosine_similarity(a, b, dim=0) for a, b in blocks])
                nodes.append(encoder.compare(m).squeeze() + m.mean())
            torch.testing.assert_close(found[c, i], torch.stack(nodes).mean())


def test_pairs_in_step_have_the_scores_of_the_whole_matrix(encoder, images, captions):
    image, caption = torch.tensor([2, 0, 1, 2]), torch.tensor([1, 1, 0, 0])
    listed = encoder(images.pick(image, 5), captions.pick(caption, 4), IN_STEP)
    torch.testing.assert_close(listed, encoder(images, captions)[caption, image])


def test_reconstruction_errors_are_those_of_each_node_from_its_context(encoder, images, captions):
    found = encoder.reconstruction_errors(images, captions, EACH_WITH_EACH)
    weights = look(images, captions, similarities(images, captions, EACH_WITH_EACH), 9.0, EACH_WITH_EACH)
    context = weights[1, 2, 0] @ captions.nodes[1]
    torch.testing.assert_close(found[1, 2, 0], (images.given[2, 0] - encoder.decoder(context)).square().sum())
    assert not found[1, 2, 2:].any()


def test_taps_begin_with_the_image_and_node_scores_add_up_to_the_score(encoder, images, captions):
    with capture(encoder) as seen:
        scores = encoder(images, captions)
    assert {name: tuple(found.value.shape) for name, found in seen.items()} == {
        "attention": (3, 2, 5, 4),
        "edges": (3, 2, 5, 5),
        "heads.0": (3, 2, 5),
        "heads.1": (3, 2, 5),
        "heads.2": (3, 2, 5),
        "node_scores": (3, 2, 5),
        "reconstruction": (3, 2, 5),
    }
    nodes = seen["node_scores"].value.sum(dim=-1) / images.mask.sum(dim=1, keepdim=True)
    torch.testing.assert_close(nodes.T, scores)


def test_scores_can_be_differentiated_by_the_attention(encoder, images, captions):
    with capture(encoder) as seen:
        scores = encoder(images._replace(nodes=images.nodes.requires_grad_()), captions)
    assert torch.autograd.grad(scores.sum(), seen["attention"].value)[0].any()


def test_gradients_are_right_in_double_precision():
    torch.manual_seed(1)
    encoder = CrossGraph(DIM, "word", heads=3, sharpness=9.0, transfer=0.4).double()
    own, other = (Nodes(s.mask, *(x.double() for x in s[1:])) for s in (side(2, 3), side(2)))
    inputs = [own.nodes, own.relations, other.nodes, other.matched, other.stated]

    def score(nodes, relations, other_nodes, matched, stated):
        left = own._replace(nodes=nodes, relations=relations)
        return encoder(left, other._replace(nodes=other_nodes, matched=matched, stated=stated))

    torch.autograd.gradcheck(score, [x.requires_grad_() for x in inputs])
