"""A training step of VSRN++ at the published sizes: ours and the published formulation, side by side.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/vsrnpp_step.py [--dims 512 1024 2048] [--batch 128]

128 images of 36 regions of 2,048 features, as many captions of about 12 words, 8,500 token ids; the `paper`
preset, without dropout, with reasoning over words (or `--texts plain`, VSRN's own text side). A step is
forward, backward, the clipping of gradients and Adam. The published formulation (KunpengLi1994/VSRN) reasons
by convolutions of width 1 over [image channel region], and its captioner takes 59 steps, in each of which all
regions go through the attention's matrix and a softmax runs over the vocabulary. Both run on the same
weights; how far their gradients are apart is relative to the length of all. No code of the text side is
public: it is ours in both. The caption-generation loss is also timed alone, forward and backward.

`work` counts the multiplications and additions of the matrix products of one forward and backward, in 10^12:
the image side's are the same in both, and grow with the square of the dim, so the larger the dim the less
there is to save. Processor seconds are this process's own, so that other work on the machine counts little;
on a GPU they say nothing. Runs on a GPU where there is one. Writes `results/vsrnpp_step.json`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from common import side_by_side, write
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from itr_explore import create_model
from itr_explore.models.vsrnpp import VSRNpp
from itr_explore.nn.captioner import Captioner
from itr_explore.nn.graph import GraphReasoning
from itr_explore.records import Batch

REGIONS, FEATURES, VOCABULARY, STEPS = 36, 2048, 8_500, 59
WORDS, SPREAD, FEWEST, MOST = 12, 0.36, 4, 40  # as in Flickr8k: mean, deviation of the logarithm, limits


def convolved(linear: nn.Linear, x: Tensor) -> Tensor:
    return nn.functional.conv1d(x, linear.weight.unsqueeze(2), linear.bias)


def published_layer(layer: GraphReasoning, x: Tensor) -> Tensor:
    """One layer of reasoning, [image channel region]."""
    relation = convolved(layer.query, x).mT @ convolved(layer.key, x) / x.shape[2]
    change = convolved(layer.out, (relation @ convolved(layer.value, x).mT).mT.contiguous())
    return nn.functional.batch_norm(change, None, None, layer.norm.weight, layer.norm.bias, True) + x


def published_image_side(model: VSRNpp, features: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors and relation-enhanced regions, as for Flickr30K."""
    x = model.regions.appearance(features).transpose(1, 2)
    for layer in model.image_side.layers:
        x = published_layer(layer, x)
    regions = nn.functional.normalize(x.transpose(1, 2), dim=1)
    memory, norm = model.image_side.memory(regions)[1][0], model.image_side.final_norm
    vectors = nn.functional.batch_norm(memory, None, None, norm.weight, norm.bias, True)
    return nn.functional.normalize(vectors, dim=1), regions


def published_generation_loss(captioner: Captioner, regions: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    """The negative log-likelihood of captions that all have 59 steps."""
    labels = nn.functional.pad(words, (0, STEPS + 1 - words.shape[1]))
    counted = nn.functional.pad(mask, (0, STEPS - words.shape[1]))  # of the next word, or the first <pad>
    seen, state = captioner.reader(captioner.regions(regions))
    state, vectors, spoken = state[0], captioner.vectors(labels), []
    for step in range(STEPS):
        both = torch.cat([seen, state.unsqueeze(1).repeat(1, seen.shape[1], 1)], dim=2)
        weights = captioner.fit(captioner.look(both).tanh()).squeeze(2).softmax(dim=1)
        context = torch.bmm(weights.unsqueeze(1), seen).squeeze(1)
        state = captioner.writer(torch.cat([vectors[:, step], context], dim=1), state)
        spoken.append(captioner.words(state).log_softmax(dim=1).unsqueeze(1))
    log_likelihood = torch.cat(spoken, dim=1).gather(2, labels[:, 1:].unsqueeze(2)).squeeze(2)
    return -(log_likelihood * counted).sum() / len(words)


def published_loss(model: VSRNpp, batch: Batch) -> Tensor:
    images, regions = published_image_side(model, batch.regions)
    scores = images @ model.encode_captions(batch).vectors.T
    own = scores.diagonal()
    costs = [(model.config.margin + scores - positive).relu() for positive in (own.unsqueeze(1), own)]
    same = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    to_text, to_image = (cost.masked_fill(same, 0) for cost in costs)
    matching = to_text.amax(dim=1).sum() + to_image.amax(dim=0).sum()
    return matching + published_generation_loss(model.captioner, regions, batch.words, batch.word_mask)


def our_loss(model: VSRNpp, batch: Batch) -> Tensor:
    return torch.stack(list(model.training_loss(batch).values())).sum()


def batch_of(size: int, device: str) -> Batch:
    generator = torch.Generator().manual_seed(0)
    drawn = WORDS * torch.exp(SPREAD * torch.randn(size, generator=generator) - SPREAD**2 / 2)
    lengths = drawn.round().clamp(FEWEST, MOST).long() + 2  # <start> and <end>
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    words = torch.randint(4, VOCABULARY, mask.shape, generator=generator)
    words[:, 0] = 1
    words[torch.arange(size), lengths - 1] = 2
    return Batch(
        torch.randn(size, REGIONS, FEATURES, generator=generator),
        torch.ones(size, REGIONS, dtype=torch.bool),
        words * mask,
        mask,
        torch.arange(size),
    ).to(device)


def model_of(dim: int, text: str, device: torch.device) -> VSRNpp:
    """The `paper` preset at some dim, without dropout, its layers of reasoning no longer inert."""
    words = ["<pad>", "<start>", "<end>", "<unk>", *(f"word{row}" for row in range(4, VOCABULARY))]
    tokenizer = Tokenizer(WordLevel({word: row for row, word in enumerate(words)}, unk_token="<unk>"))
    torch.manual_seed(0)
    settings = {"region_dim": FEATURES, "dim": dim, "text": text, "decoder_dropout": 0.0}
    model = create_model("vsrnpp", "paper", tokenizer=tokenizer, **settings)
    for module in model.modules():
        if isinstance(module, GraphReasoning):
            nn.init.constant_(module.norm.weight, 0.5)
    return model.to(device).train()


def compared(
    losses: dict[str, Callable[[], Tensor]], inputs: list[Tensor], update: Callable[[], Any], repeats: int
) -> dict[str, Any]:
    """The losses' work and how far their gradients are apart, then the times of backward and `update`."""

    def forward_and_backward(loss: Callable[[], Tensor]) -> None:
        for tensor in inputs:
            tensor.grad = None
        loss().backward()

    def step(loss: Callable[[], Tensor]) -> None:
        forward_and_backward(loss)
        update()

    gradients, work = [], {}
    for name, loss in losses.items():
        with FlopCounterMode(display=False) as counter:
            forward_and_backward(loss)
        gradients.append([tensor.grad for tensor in inputs])
        work[name] = counter.get_total_flops() / 1e12
    size = sum(theirs.square().sum() for theirs in gradients[1])
    apart = sum((ours - theirs).square().sum() for ours, theirs in zip(*gradients, strict=True))
    gradients.clear()
    processor: dict[str, list[float]] = {name: [] for name in losses}

    def timed(name: str) -> None:
        start = time.process_time()
        step(losses[name])
        processor[name].append(time.process_time() - start)

    seconds = side_by_side({name: lambda name=name: timed(name) for name in losses}, repeats)
    busy = {name: median(times) for name, times in processor.items()}
    return {
        "median_seconds": seconds,
        "published_over_ours": seconds["published"] / seconds["ours"],
        "median_processor_seconds": busy,
        "processor_published_over_ours": busy["published"] / busy["ours"],
        "work": work,
        "work_published_over_ours": work["published"] / work["ours"],
        "gradients_apart": float((apart / size).sqrt()),
    }


def whole_step(dim: int, text: str, batch: Batch, repeats: int) -> dict[str, Any]:
    model = model_of(dim, text, batch.regions.device)
    parameters = [*model.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=2e-4, fused=True)

    def update() -> None:
        nn.utils.clip_grad_norm_(parameters, 2.0)
        optimiser.step()

    losses = {"ours": lambda: our_loss(model, batch), "published": lambda: published_loss(model, batch)}
    count = sum(parameter.numel() for parameter in parameters)
    found = compared(losses, parameters, update, repeats)
    return {"what": "whole step", "dim": dim, "text": text, "parameters": count, **found}


def caption_loss(dim: int, batch: Batch, repeats: int) -> dict[str, Any]:
    captioner = model_of(dim, "plain", batch.regions.device).captioner
    regions = torch.randn(*batch.regions.shape[:2], dim, device=batch.regions.device, requires_grad=True)
    told = batch.words, batch.word_mask
    losses = {
        "ours": lambda: captioner.loss(regions, batch.region_mask, *told, batch.image_of, True),
        "published": lambda: published_generation_loss(captioner, regions, *told),
    }
    found = compared(losses, [regions, *captioner.parameters()], lambda: None, repeats)
    return {"what": "caption-generation loss alone", "dim": dim, **found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dims", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--texts", nargs="+", choices=["plain", "reasoning"], default=["reasoning"])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is written")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    dims, size, repeats = ([64], 16, 1) if given.quick else (given.dims, given.batch, given.repeats)
    batch = batch_of(size, given.device)
    rows = []
    for dim in dims:
        for text in given.texts:
            rows.append(whole_step(dim, text, batch, repeats))
            print(rows[-1], flush=True)
    rows.append(caption_loss(dims[-1], batch, repeats))
    print(rows[-1], flush=True)
    if not given.quick:
        setting = {
            "device": given.device,
            "batch": size,
            "regions": REGIONS,
            "features": FEATURES,
            "vocabulary": VOCABULARY,
            "tokens": int(batch.word_mask.sum()),
            "longest_caption": batch.words.shape[1],
            "repeats": repeats,
        }
        write("vsrnpp_step", {"setting": setting, "rows": rows})


if __name__ == "__main__":
    main()
