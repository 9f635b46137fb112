"""Matching losses on a score matrix [image caption], for any number of captions an image.

Each caption and its image make one pair. All other captions of that image are positives too, so they are
never taken as negatives; the codes of VSE++, SCAN, VSRN and USER do take them, HREM's does not. A *foil*,
nearly a caption and false of its image, has `~row` of that caption in `image_of`, a negative number: it is a
negative for that pair alone. The hinges are sums over the pairs, `info_nce` is a mean, each as published;
foils are ours.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

UNSCORED = -1e4  # of a pair that takes no part: below any score, and finite, so that all gradients are


def hardest_negative_loss(
    scores: Float[Tensor, "image caption"],
    image_of: Int[Tensor, "caption"],
    margin: float = 0.2,
    foil_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """Hinge against the hardest negative of each pair, both ways (VSE++, Faghri et al. 2018, equation 6).

    Each caption c with its image i adds `[margin + max_c' s(i, c') - s(i, c)]+` over captions c' of others
    and `[margin + max_i' s(i', c) - s(i, c)]+` over other images i'. Without a negative it adds 0. A foil f
    of c adds `foil_weight [margin + s(i, f) - s(i, c)]+`.
    """
    positive, negative, image, caption = _split(scores, image_of)
    other_caption = negative.amax(dim=1)[image]  # [pair]  the hardest for its image
    other_image = negative.amax(dim=0)[caption]  # [pair]
    to_text, to_image = (margin + other_caption - positive).relu(), (margin + other_image - positive).relu()
    return (to_text + to_image).sum() + foil_weight * _foil_hinge(scores, image_of, margin)


def sum_hinge_loss(
    scores: Float[Tensor, "image caption"],
    image_of: Int[Tensor, "caption"],
    margin: float = 0.2,
    foil_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """Hinge against every negative of each pair, both ways (VSE0): a gentle start before the hardest."""
    positive, negative, image, caption = _split(scores, image_of)
    to_text = (margin + negative[image] - positive.unsqueeze(1)).relu()  # [pair caption]
    to_image = (margin + negative[:, caption] - positive).relu()  # [image pair]
    return to_text.sum() + to_image.sum() + foil_weight * _foil_hinge(scores, image_of, margin)


def info_nce(
    scores: Float[Tensor, "image caption"],
    image_of: Int[Tensor, "caption"],
    temperature: float = 0.05,
    foil_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """Cross-entropy of each pair against all its negatives, both ways, the mean over pairs and ways.

    Each caption c with its image i adds `-log softmax(s(i, c) / temperature)` among itself and the captions
    of other images, and the same among itself and the other images (van den Oord et al. 2018, equation 4; in
    both directions as in CLIP, Radford et al. 2021). Every negative pulls by its share, so a model that
    starts with nearly equal scores, where only a hinge's hardest negative would speak, learns at once. A
    foil f of c adds `-foil_weight log softmax(s(i, c) / temperature)` among c and f.
    """
    positive, negative, image, caption = _split(scores / temperature, image_of)
    to_text = negative.logsumexp(dim=1)[image] - positive  # [pair]
    to_image = negative.logsumexp(dim=0)[caption] - positive
    pair, foil = _foils(scores / temperature, image_of)
    to_foil = foil - scores[image_of[pair], pair] / temperature  # [foil]
    terms = nn.functional.softplus(to_text).sum() + nn.functional.softplus(to_image).sum()
    return (terms + foil_weight * nn.functional.softplus(to_foil).sum()) / (2 * len(caption))


def collapse_value(images: int, image_of: Int[Tensor, "caption"], margin: float = 0.2) -> float:
    """`hardest_negative_loss` of equal scores: 2 x captions x margin, if all captions have negatives.

    A training loss that stays at this value has collapsed (fartashf/vsepp#27).
    """
    equal = torch.zeros(images, len(image_of), device=image_of.device)
    return float(hardest_negative_loss(equal, image_of, margin))


def hard_pairs(
    scores: Float[Tensor, "image caption"],
    image_of: Int[Tensor, "caption"],
    hardest: int,
    by_chance: int = 0,
) -> tuple[Int[Tensor, "pair"], Int[Tensor, "pair"]]:
    """Image and caption of the pairs that a loss needs most, by scores that are cheap to have.

    All true pairs, all foils with the image of their caption, and for each image and each caption the
    `hardest` negatives and some `by_chance`. All other pairs can be left `UNSCORED`. Hard negatives are much
    like the true pair, so a model that sees no others does not learn that the easy ones are wrong.
    """
    told = image_of >= 0
    about = torch.where(told, image_of, image_of[torch.where(told, 0, ~image_of)])
    chosen = same_image(len(scores), about)
    for order, count in ((scores, hardest), (torch.rand_like(scores), by_chance)):
        negative = order.masked_fill(same_image(len(scores), about) | ~told, float("-inf"))
        for dim in (0, 1):
            found = negative.topk(min(count, scores.shape[dim]), dim=dim)
            kept = found.values.isfinite() | chosen.gather(dim, found.indices)
            chosen = chosen.scatter(dim, found.indices, kept)
    image, caption = chosen.nonzero(as_tuple=True)
    return image, caption


def same_image(images: int, image_of: Int[Tensor, "caption"]) -> Bool[Tensor, "image caption"]:
    """True where the caption describes the image."""
    return torch.arange(images, device=image_of.device).unsqueeze(1) == image_of


def _split(scores: Tensor, image_of: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Each pair's score [pair]; all scores, -inf where not negative; each pair's image and caption [pair]."""
    told = image_of >= 0
    caption = told.nonzero().squeeze(1)
    image = image_of[caption]
    negative = scores.masked_fill(same_image(len(scores), image_of) | ~told, float("-inf"))
    return scores[image, caption], negative, image, caption


def _foils(scores: Tensor, image_of: Tensor) -> tuple[Tensor, Tensor]:
    """For each foil [foil] the caption that it is a foil of, and its score with that caption's image."""
    foil = (image_of < 0).nonzero().squeeze(1)
    pair = ~image_of[foil]
    return pair, scores[image_of[pair], foil]


def _foil_hinge(scores: Tensor, image_of: Tensor, margin: float) -> Tensor:
    pair, foil = _foils(scores, image_of)
    return (margin + foil - scores[image_of[pair], pair]).relu().sum()
