"""SCAN's scores of all pairs: ours, the published loop over captions, the bare matrix product, side by side.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/scan_scores.py [--quick]

36 regions, dim 1024, captions of 8 to 16 tokens (<start> and <end> among them). The bare product is that of
all regions with all real tokens, padding left out, as torch's `@` computes it. Passive waiting keeps threads
from fighting over a core that something else is using. Writes `results/scan_scores.json`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from common import side_by_side, write
from torch import Tensor

from itr_explore.nn.all_pairs import scores_of_all_pairs
from itr_explore.nn.pooling import unit

REGIONS, DIM, SHORTEST, LONGEST = 36, 1024, 8, 16
SHARPNESS = {"text_to_image": 9.0, "image_to_text": 4.0}
POOL_SHARPNESS = {"text_to_image": 6.0, "image_to_text": 5.0}


def published_loop(images: Tensor, words: Tensor, lengths: list[int], direction: str, pooling: str) -> Tensor:
    """One caption at a time, repeated for all images, the attended context formed (Lee et al. 2018)."""
    columns = []
    for caption, length in enumerate(lengths):
        said = words[caption, :length].repeat(len(images), 1, 1)  # [image word dim]
        query, context = (said, images) if direction == "text_to_image" else (images, said)
        raised = torch.nn.functional.leaky_relu(context @ query.mT, 0.1)  # [image context query]
        raised = raised / (raised.square().sum(dim=2, keepdim=True).sqrt() + 1e-8)
        weights = (SHARPNESS[direction] * raised.mT).softmax(dim=2)  # [image query context]
        attended = weights @ context  # [image query dim]
        lengths_of_both = query.norm(dim=2) * attended.norm(dim=2)
        cosines = (query * attended).sum(dim=2) / lengths_of_both.clamp(min=1e-8)  # [image query]
        if pooling == "AVG":
            columns.append(cosines.mean(dim=1))
        else:
            columns.append((POOL_SHARPNESS[direction] * cosines).logsumexp(dim=1) / POOL_SHARPNESS[direction])
    return torch.stack(columns, dim=1)


def ours(images: Tensor, words: Tensor, mask: Tensor, direction: str, pooling: str) -> Tensor:
    regions = images, torch.ones(images.shape[:2], dtype=torch.bool)
    query, context = ((words, mask), regions) if direction == "text_to_image" else (regions, (words, mask))
    scores = scores_of_all_pairs(*query, *context, SHARPNESS[direction], pooling, POOL_SHARPNESS[direction])
    return scores if direction == "text_to_image" else scores.T


def fragments(images: int, captions: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, list[int]]:
    """Random unit vectors: regions, words (zero where padded), the words' mask, the captions' lengths."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(SHORTEST, LONGEST + 1, (captions,), generator=generator)
    mask = torch.arange(LONGEST) < lengths[:, None]
    regions = unit(torch.randn(images, REGIONS, DIM, generator=generator))
    words = unit(torch.randn(captions, LONGEST, DIM, generator=generator)) * mask[:, :, None]
    return regions, words, mask, lengths.tolist()


def training(direction: str, pooling: str, items: int, repeats: int) -> dict[str, Any]:
    """Forward and backward of one batch."""
    regions, words, mask, lengths = fragments(items, items)
    slope = torch.randn(items, items, generator=torch.Generator().manual_seed(1)) / items
    real = words[mask]  # [token dim]
    product_slope = torch.ones(items * REGIONS, len(real)) / len(real)
    for tensor in (regions, words, real):
        tensor.requires_grad_()

    def fast(r: Tensor, w: Tensor) -> Tensor:
        return ours(r, w, mask, direction, pooling)

    def loop(r: Tensor, w: Tensor) -> Tensor:
        return published_loop(r, w, lengths, direction, pooling)

    def bare(r: Tensor, w: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(r.flatten(0, 1) @ w.T, (r, w), product_slope)

    def differentiated(score: Callable[..., Tensor], normalise: bool = False) -> tuple[Tensor, ...]:
        """Scores and gradients. Before `unit`, gradients along a vector do not count, as in a model."""
        scores = score(unit(regions), unit(words)) if normalise else score(regions, words)
        return scores.detach(), *torch.autograd.grad((scores * slope).sum(), (regions, words))

    apart = [
        (a - b).abs().max().item()
        for a, b in zip(differentiated(fast, True), differentiated(loop, True), strict=True)
    ]
    differentiated(fast), bare(regions, real)
    seconds = side_by_side(
        {
            "ours": lambda: differentiated(fast),
            "bare product": lambda: bare(regions, real),
            "loop": lambda: differentiated(loop),
        },
        repeats,
    )
    differences = dict(zip(("scores", "region gradient", "word gradient"), apart, strict=True))
    return row(f"training batch {items} x {items}", direction, pooling, seconds, differences, repeats)


@torch.no_grad()
def inference(direction: str, pooling: str, images: int, captions: int, repeats: int) -> dict[str, Any]:
    """Scores only."""
    regions, words, mask, lengths = fragments(images, captions)
    real = words[mask]

    def fast() -> Tensor:
        return ours(regions, words, mask, direction, pooling)

    def bare() -> Tensor:
        return regions.flatten(0, 1) @ real.T

    def loop() -> Tensor:
        return published_loop(regions, words, lengths, direction, pooling)

    apart = (fast() - loop()).abs().max().item()
    bare()
    seconds = side_by_side({"ours": fast, "bare product": bare, "loop": loop}, repeats)
    return row(f"inference {images} x {captions}", direction, pooling, seconds, {"scores": apart}, repeats)


def row(
    what: str, direction: str, pooling: str, seconds: dict[str, float], apart: dict[str, float], repeats: int
) -> dict[str, Any]:
    found = {
        "what": what,
        "direction": direction,
        "pooling": pooling,
        "repeats": repeats,
        "median_seconds": seconds,
        "loop_over_ours": seconds["loop"] / seconds["ours"],
        "ours_over_bare_product": seconds["ours"] / seconds["bare product"],
        "largest_difference": apart,
    }
    print(
        {
            key: found[key]
            for key in ("what", "direction", "pooling", "loop_over_ours", "ours_over_bare_product")
        }
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is written")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    batch, images, captions = (32, 100, 50) if given.quick else (128, 1000, 500)
    rows = []
    for direction in SHARPNESS:
        rows += [training(direction, pooling, batch, 5) for pooling in ("AVG", "LSE")]
        rows.append(inference(direction, "LSE", images, captions, 3))
    if not given.quick:
        setting = {"regions": REGIONS, "dim": DIM, "tokens": [SHORTEST, LONGEST]}
        write("scan_scores", {"setting": setting, "rows": rows})


if __name__ == "__main__":
    main()
