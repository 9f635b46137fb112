"""How fast every system retrieves: encoding, scoring, and global systems against a per-pair loop.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/speed.py [--models vse scan] [--preset base]

1,000 images of 36 regions of 2,048 features against 5,000 captions of 8 to 16 words, made at random. The
loop is SCAN's as published (Lee et al. 2018): one caption at a time against all images, at the dim of the
preset. What is linear in the number of items is measured on a part of them and multiplied: encoding on
`--part` items, the loop on as many captions, pairwise systems on a block of pairs; the parts stand in the
result. Writes results/speed.json.
"""

from __future__ import annotations

import argparse

import torch
from common import side_by_side, write
from scan_scores import published_loop
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from itr_explore import create_model, list_models
from itr_explore.models.base import RetrievalModel
from itr_explore.nn.pooling import unit
from itr_explore.records import Batch, Encoded

IMAGES, CAPTIONS, REGIONS, FEATURES, VOCABULARY = 1_000, 5_000, 36, 2048, 8_500
SHORTEST, LONGEST = 8, 16
PAIRWISE = ("scan", "chan", "bssan", "racg")  # their score needs both sides' fragments


def fresh(name: str, preset: str) -> RetrievalModel:
    words = ["<pad>", "<start>", "<end>", "<unk>", *(f"word{row}" for row in range(4, VOCABULARY))]
    tokenizer = Tokenizer(WordLevel({word: row for row, word in enumerate(words)}, unk_token="<unk>"))
    torch.manual_seed(0)
    return create_model(name, preset, region_dim=FEATURES, tokenizer=tokenizer).eval()


def batch_of(images: int, captions: int, guide: int | None) -> Batch:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(SHORTEST, LONGEST + 1, (captions,), generator=generator)
    real = torch.arange(LONGEST) < lengths[:, None]
    corners = torch.rand(images, REGIONS, 2, 2, generator=generator).sort(dim=2).values
    return Batch(
        torch.randn(images, REGIONS, FEATURES, generator=generator),
        torch.ones(images, REGIONS, dtype=torch.bool),
        torch.randint(4, VOCABULARY, (captions, LONGEST), generator=generator) * real,
        real,
        torch.zeros(captions, dtype=torch.int64),
        corners.flatten(2),
        **({} if guide is None else {"guide": torch.randn(images, guide, generator=generator)}),
    )


def repeated(encoded: Encoded, count: int) -> Encoded:
    """As many items as wanted, the same ones over and over: scoring costs the same whatever they are."""
    return encoded[torch.arange(count) % len(encoded)]


@torch.no_grad()
def measure(name: str, options) -> dict:
    model = fresh(name, options.preset)
    batch = batch_of(options.part, options.part, getattr(model.config, "guide_dim", None))
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    pairwise = name in PAIRWISE
    block = (options.block, options.block) if pairwise else (IMAGES, CAPTIONS)
    of, among = repeated(images, block[0]), repeated(captions, block[1])
    dim = model.config.dim
    regions = unit(torch.randn(IMAGES, REGIONS, dim))
    lengths = batch.word_mask.sum(dim=1).tolist()
    words = unit(torch.randn(options.part, LONGEST, dim))
    seconds = side_by_side(
        {
            "encode images": lambda: model.encode_images(batch),
            "encode captions": lambda: model.encode_captions(batch),
            "score": lambda: model.score(of, among),
            "loop": lambda: published_loop(regions, words, lengths, "text_to_image", "AVG"),
        },
        options.repeats,
    )
    encode = (seconds["encode images"] * IMAGES + seconds["encode captions"] * CAPTIONS) / options.part
    score = seconds["score"] * IMAGES * CAPTIONS / (block[0] * block[1])
    loop = seconds["loop"] * CAPTIONS / options.part
    return {
        "scoring": "pairwise" if pairwise else "global",
        "dim": dim,
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "ms_an_image": round(1000 * seconds["encode images"] / options.part, 3),
        "ms_a_caption": round(1000 * seconds["encode captions"] / options.part, 3),
        "seconds_a_million_pairs": round(score * 1e6 / (IMAGES * CAPTIONS), 3),
        "loop_seconds_a_million_pairs": round(loop * 1e6 / (IMAGES * CAPTIONS), 2),
        "times_the_loop_scoring_alone": round(loop / score, 1),
        "times_the_loop_with_encoding": round((loop + encode) / (score + encode), 1),
        "block_of_pairs": block,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--preset", default="base")
    parser.add_argument("--part", type=int, default=64, help="items that are encoded, captions of the loop")
    parser.add_argument("--block", type=int, default=64, help="images and captions of a pairwise block")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    found = {}
    for name in options.models:
        found[name] = measure(name, options)
        print(name, found[name], flush=True)
    settings = {"images": IMAGES, "captions": CAPTIONS, "preset": options.preset, "part": options.part}
    write("speed", {**settings, "models": found})


if __name__ == "__main__":
    main()
