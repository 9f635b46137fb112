"""What each region and each word gave to a pair's score, by Captum (Kokhlikyan et al., 2020).

An attribution compares the pair with a *baseline*, in which regions and words are replaced by something that
says nothing; boxes, <start> and <end> stay as they are. What the parts of the sum leave unexplained of
`score - baseline score` is the *gap*, and is always returned.

| method                 | what it asks                                               | adds up |
| ---------------------- | ---------------------------------------------------------- | ------- |
| `integrated_gradients` | the mean gradient on the way from the baseline, times it   | yes     |
| `input_x_gradient`     | the gradient at the pair, times the input                  | no      |
| `occlusion`            | the score without one region, or without one word          | no      |
| `joint_occlusion`      | likewise, and without both: an interaction for each cell   | no      |
| `shapley_sampling`     | a part's mean change of the score in random orders         | yes     |
| `kernel_shap`          | the same, by a weighted regression on random subsets       | yes     |

Integrated gradients: Sundararajan et al., 2017, arXiv:1703.01365. Shapley sampling: Castro et al., 2009.
Kernel SHAP: Lundberg and Lee, 2017, arXiv:1705.07874. The interaction of word j and region i is
`s - s(without i) - s(without j) + s(without both)`: positive where each needs the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from itr_explore.data.devices import seeded
from itr_explore.data.text import PAD, UNKNOWN
from itr_explore.explanation.scorer import MARKS, Scorer, still
from itr_explore.records import Attribution, Pair

if TYPE_CHECKING:
    from PIL.Image import Image

    from itr_explore.models.base import RetrievalModel

Method = Literal[
    "integrated_gradients",
    "input_x_gradient",
    "occlusion",
    "joint_occlusion",
    "shapley_sampling",
    "kernel_shap",
]
METHODS: tuple[str, ...] = get_args(Method)
RegionBaseline = Literal["mean", "zero"]
WordBaseline = Literal["padding", "unknown", "zero"]
Parts = tuple[Tensor, Tensor]  # of regions [1 region feature], of embeddings [1 piece word_dim]


def attribute(
    model: RetrievalModel,
    pair: Pair,
    method: Method = "integrated_gradients",
    *,
    regions: RegionBaseline | np.ndarray = "mean",
    words: WordBaseline | np.ndarray = "padding",
    steps: int = 64,
    samples: int | None = None,
    at_once: int = 32,
    seed: int = 0,
) -> Attribution:
    """How much each region and each word of a pair gave to its score, against a baseline.

    Args:
        model: is left as it was found, on its device.
        pair: one image and one caption.
        method: see the top of this file.
        regions: what regions are replaced by: the image's `mean` region, `zero`, or features of your own
            [feature] or [region feature] (the mean of a collection, or `blurred_regions`).
        words: what words' embeddings are replaced by: that of `padding` (for BERT, of its mask) or of
            `unknown` words, `zero`, or one of your own [word_dim].
        steps: of integrated gradients.
        samples: orders of Shapley sampling (25 if not given), or subsets of Kernel SHAP (1024).
        at_once: rows that are scored in one forward; bounds the memory (`joint_occlusion` takes one forward
            of all images without a region beside all captions without a word, whatever it is).
        seed: of the random orders and subsets.

    Raises:
        ValueError: an unknown method or baseline, a baseline of another shape, a pair that does not fit the
            model or whose words are all unknown to it, a gradient that is NaN.
    """
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; there is {', '.join(METHODS)}")
    for name, value in {"steps": steps, "samples": samples, "at_once": at_once}.items():
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    with still(model):
        scorer = Scorer.of(model, pair)
        own = scorer.regions, scorer.embeddings
        base = region_baseline(scorer, regions), word_baseline(scorer, words)
        with torch.no_grad():
            score, empty = (float(scorer(*inputs)) for inputs in (own, base))
        for what, its in {"this pair": score, "the baseline": empty}.items():
            if not np.isfinite(its):
                raise ValueError(
                    f"{model.name} gives {what} a score that is NaN or infinite; look at its weights, or"
                    " take another baseline"
                )
        interactions = None
        with seeded(seed, scorer.owner.device):
            if method == "joint_occlusion":
                of_regions, of_words, interactions = _joint_occlusion(scorer, base)
            else:
                found = _by_captum(scorer, base, method, steps, samples, at_once)
                of_regions, of_words = _summed(scorer, found, gradients=method in _BY_GRADIENT)
    if not (np.isfinite(of_regions).all() and np.isfinite(of_words).all()):
        raise ValueError(
            f"the {method} of {model.name} holds NaN or infinite values: its score has no gradient at this"
            " pair or on the way from the baseline; take another baseline, or occlusion, which needs none"
        )
    return Attribution(
        pair,
        model.name,
        method,
        score=score,
        baseline_score=empty,
        regions=of_regions,
        words=of_words,
        gap=score - empty - float(of_regions.sum() + of_words.sum()),
        interactions=interactions,
        baseline=(_named(regions), _named(words)),
    )


def region_baseline(scorer: Scorer, wanted: RegionBaseline | np.ndarray) -> Tensor:
    """[1 region feature] what regions are replaced by (see `attribute`)."""
    own = scorer.regions
    if isinstance(wanted, str):
        if wanted not in get_args(RegionBaseline):
            raise ValueError(
                f"there is no baseline {wanted!r} for regions; there is"
                f" {', '.join(get_args(RegionBaseline))}, or an array [feature] or [region feature], as"
                " itr_explore.blurred_regions makes of a blurred picture"
            )
        return torch.zeros_like(own) if wanted == "zero" else own.mean(dim=1, keepdim=True).expand_as(own)
    given = torch.as_tensor(np.asarray(wanted, dtype=np.float32), device=own.device)
    if tuple(given.shape) not in (tuple(own.shape[1:]), tuple(own.shape[2:])):
        raise ValueError(
            f"a baseline for regions must be [feature] {list(own.shape[2:])} or [region feature]"
            f" {list(own.shape[1:])}, got {list(given.shape)}"
        )
    return given.expand_as(own)


def word_baseline(scorer: Scorer, wanted: WordBaseline | np.ndarray) -> Tensor:
    """[1 piece word_dim] what words' embeddings are replaced by (see `attribute`); marks keep their own."""
    own = scorer.embeddings
    if isinstance(wanted, str):
        if wanted not in get_args(WordBaseline):
            raise ValueError(
                f"there is no baseline {wanted!r} for words; there is {', '.join(get_args(WordBaseline))},"
                " or an array [word_dim]"
            )
        token = {"padding": PAD, "unknown": UNKNOWN}.get(wanted)
        instead = torch.zeros_like(own[0, 0]) if token is None else scorer.embeddings_of(token)
    else:
        instead = torch.as_tensor(np.asarray(wanted, dtype=np.float32), device=own.device)
        if instead.shape != own.shape[2:]:
            raise ValueError(
                f"a baseline for words must be [word_dim] {list(own.shape[2:])}, got {list(instead.shape)}"
            )
    return torch.where((scorer.owner == MARKS).unsqueeze(-1), own, instead)


def blurred_regions(
    pair: Pair, describe: Callable[[Image, np.ndarray], np.ndarray], radius: float = 16.0
) -> np.ndarray:
    """[region feature] what the pair's regions look like in a blurred picture: a baseline for `attribute`.

    Args:
        pair: one that has its picture and boxes.
        describe: features [region feature] of a picture and boxes [region 4], as the pair's were made; for
            the scenes, `lambda image, boxes: data.scenes.features.describe([image], [boxes])[0]`.
        radius: of the Gaussian, in pixels.
    """
    from PIL.ImageFilter import GaussianBlur

    if pair.image is None or pair.boxes is None:
        raise ValueError(
            f"image {pair.image_id!r} has no {'picture' if pair.image is None else 'boxes'}, so its regions"
            ' cannot be looked at through a blur; take regions="mean"'
        )
    return np.asarray(describe(pair.image.filter(GaussianBlur(radius)), pair.boxes), dtype=np.float32)


def _named(baseline: str | np.ndarray) -> str:
    return baseline if isinstance(baseline, str) else "given"


_BY_GRADIENT = ("integrated_gradients", "input_x_gradient")


def _by_captum(
    scorer: Scorer, base: Parts, method: str, steps: int, samples: int | None, at_once: int
) -> Parts:
    """Captum's attributions, each of its input's shape."""
    from captum import attr

    inputs, rows = (scorer.regions, scorer.embeddings), {"perturbations_per_eval": at_once}
    if method == "integrated_gradients":
        # equal steps: where a score has kinks (a maximum, a sort), Gauss and Legendre's leave a wider gap
        return attr.IntegratedGradients(scorer).attribute(
            inputs, base, n_steps=steps, method="riemann_middle", internal_batch_size=at_once
        )
    if method == "input_x_gradient":
        return attr.InputXGradient(scorer).attribute(tuple(part.detach().requires_grad_() for part in inputs))
    asked: dict[str, Any] = {"baselines": base, "feature_mask": _players(scorer), **rows}
    with torch.no_grad():
        if method == "occlusion":
            return attr.FeatureAblation(scorer).attribute(inputs, **asked)
        if method == "shapley_sampling":
            return attr.ShapleyValueSampling(scorer).attribute(inputs, **asked, n_samples=samples or 25)
        shap = attr.KernelShap(scorer)
        shap.interpretable_model = _LeastSquares()
        return shap.attribute(inputs, **asked, n_samples=samples or 1024)


def _players(scorer: Scorer) -> tuple[Tensor, Tensor]:
    """Which numbers are replaced together: those of a region, and those of a word.

    The marks go with the first word, as nothing replaces them.
    """
    count = scorer.regions.shape[1]
    regions = torch.arange(count, device=scorer.owner.device)
    return regions.view(1, -1, 1), (count + scorer.owner.clamp(min=0)).view(1, -1, 1)


def _summed(scorer: Scorer, found: Parts, gradients: bool) -> tuple[np.ndarray, np.ndarray]:
    """[region] and [word]: gradients are summed over numbers and pieces, others say the same for each."""
    regions, pieces = (part.detach()[0].double() for part in found)
    inside = scorer.owner != MARKS
    of_words = torch.zeros(len(scorer.pair.words), dtype=torch.float64, device=pieces.device)
    if gradients:
        of_words.index_add_(0, scorer.owner[inside], pieces.sum(dim=1)[inside])
        return regions.sum(dim=1).cpu().numpy(), of_words.cpu().numpy()
    of_words[scorer.owner[inside]] = pieces[inside, 0]
    return regions[:, 0].cpu().numpy(), of_words.cpu().numpy()


@torch.no_grad()
def _joint_occlusion(scorer: Scorer, base: Parts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[region], [word] and [word region], in one forward of `region + 1` images and `word + 1` captions."""
    regions, words = scorer.regions.shape[1], len(scorer.pair.words)
    device = scorer.owner.device
    without = torch.eye(regions + 1, dtype=torch.bool, device=device)[:, :regions]  # the last is whole
    images = torch.where(without.unsqueeze(-1), base[0], scorer.regions)
    without = torch.arange(words + 1, device=device).unsqueeze(1) == scorer.owner
    captions = torch.where(without.unsqueeze(-1), base[1], scorer.embeddings)
    scores = scorer.crossed(images, captions).double().cpu().numpy()
    whole, no_region, no_word = scores[-1, -1], scores[:-1, -1], scores[-1, :-1]
    interactions = whole - no_region[None, :] - no_word[:, None] + scores[:-1, :-1].T
    return whole - no_region, whole - no_word, interactions


class _LeastSquares:
    """Weighted least squares, where Captum would ask for a model of scikit-learn."""

    def fit(self, train_data, **_: Any) -> None:
        """Solve for the weights of the subsets that Captum drew."""
        rows = [tuple(part.double().cpu() for part in batch) for batch in train_data]
        chosen, scores, weights = (torch.cat(parts) for parts in zip(*rows, strict=True))
        heavy = weights.flatten().sqrt().unsqueeze(1)
        with_constant = torch.cat([chosen, torch.ones(len(chosen), 1, dtype=torch.float64)], dim=1)
        solved = torch.linalg.lstsq(
            with_constant * heavy, scores.view(-1, 1) * heavy, driver="gelsd"
        ).solution
        self.solution = solved[:-1].T.float()

    def representation(self) -> Tensor:
        """[1 player]"""
        return self.solution
