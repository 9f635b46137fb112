"""One epoch at Flickr30K's size on a CUDA GPU, `paper` preset: time, peak memory, utilisation, by system.

    python benchmarks/gpu_epoch.py [--models user lgsf] [--steps 100] [--preset paper]

29,000 images of 36 regions of 2,048 features and 145,000 captions, made at random and kept in the GPU's
memory in half precision, so that the model is measured and not a disk. `--steps` measures so many steps
after a warm-up and multiplies (the default, 100, is said in the result); `--steps 0` runs the whole epoch.
The share of the matrix rate compares the floating-point operations of a step, counted by torch, with a
bfloat16 product of 8192 x 8192 measured in the same run. Utilisation is the time that kernels ran, by
torch's profiler, as a share of the wall clock; a system whose GPU stands idle for more than a fifth of the
time is launch-bound. Without a GPU the command says so and ends. Writes results/gpu_epoch.json.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator

import torch
from common import write
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from itr_explore import create_model, list_models
from itr_explore.records import Batch

IMAGES, REGIONS, FEATURES, CAPTIONS_AN_IMAGE = 29_000, 36, 2048, 5
VOCABULARY, SHORTEST, LONGEST = 8_500, 8, 22  # words, with <start> and <end>
BATCH, WARM_UP = 128, 10
LAUNCH_BOUND_BELOW = 0.8  # share of the time that the GPU works
BF16 = torch.bfloat16


def matrix_rate(size: int = 8192, repeats: int = 30) -> float:
    """Floating-point operations a second of a large bfloat16 product on this GPU."""
    left, right = (torch.randn(size, size, device="cuda", dtype=BF16) for _ in range(2))
    for _ in range(5):
        left @ right
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        left @ right
    torch.cuda.synchronize()
    return 2 * size**3 * repeats / (time.perf_counter() - start)


class RandomSet:
    """Features and captions of Flickr30K's size on the GPU."""

    def __init__(self, guide: int | None):
        self.features = torch.empty(IMAGES, REGIONS, FEATURES, device="cuda", dtype=torch.float16).normal_()
        corners = torch.rand(IMAGES, REGIONS, 2, 2, device="cuda").sort(dim=2).values
        self.boxes = corners.flatten(2)
        captions = IMAGES * CAPTIONS_AN_IMAGE
        self.words = torch.randint(4, VOCABULARY, (captions, LONGEST), device="cuda")
        self.lengths = torch.randint(SHORTEST, LONGEST + 1, (captions,), device="cuda")
        self.guide = torch.randn(IMAGES, guide, device="cuda") if guide else None

    def batches(self):
        """One epoch in random order, as `training_batches` makes them."""
        order = torch.randperm(len(self.words), device="cuda")
        for chosen in order.split(BATCH):
            images, image_of = (chosen // CAPTIONS_AN_IMAGE).unique(return_inverse=True)
            known = torch.ones(len(images), REGIONS, dtype=torch.bool, device="cuda")
            real = torch.arange(LONGEST, device="cuda") < self.lengths[chosen, None]
            extra = {} if self.guide is None else {"guide": self.guide[images]}
            yield Batch(
                self.features[images].float(),
                known,
                self.words[chosen] * real,
                real,
                image_of,
                self.boxes[images],
                image_ids=images,
                **extra,
            )


def measure(name: str, preset: str, steps: int, rate: float) -> dict:
    """What an epoch of a system costs on this GPU."""
    torch.manual_seed(0)
    words = ["<pad>", "<start>", "<end>", "<unk>", *(f"word{row}" for row in range(4, VOCABULARY))]
    tokenizer = Tokenizer(WordLevel({word: row for row, word in enumerate(words)}, unk_token="<unk>"))
    model = create_model(name, preset, region_dim=FEATURES, tokenizer=tokenizer).cuda().train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=2e-4, fused=True)
    data = RandomSet(getattr(model.config, "guide_dim", None))

    def step(batch: Batch) -> None:
        with torch.autocast("cuda", BF16):
            loss = sum(model.training_loss(batch).values())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 2.0)
        optimiser.step()

    batches = data.batches()
    for _ in range(WARM_UP):
        step(next(batches))
    with FlopCounterMode(display=False) as counter:
        step(next(batches))
    busy = utilisation(step, batches)
    torch.cuda.reset_peak_memory_stats()
    done, start = 0, time.perf_counter()
    for batch in data.batches():
        step(batch)
        done += 1
        if done == steps:
            break
    torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    flops = counter.get_total_flops()
    whole = -(-IMAGES * CAPTIONS_AN_IMAGE // BATCH)
    return {
        "steps_measured": done,
        "ms_a_step": round(1000 * seconds / done, 2),
        "epoch_seconds": round(seconds / done * whole, 1),
        "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2),
        "of_which_data_gb": round(data.features.nbytes / 1e9, 2),
        "gflop_a_step": round(flops / 1e9, 1),
        "share_of_matrix_rate": round(flops * done / seconds / rate, 4),
        "utilisation": round(busy, 3),
        "launch_bound": busy < LAUNCH_BOUND_BELOW,
        "parameters": sum(p.numel() for p in trained),
    }


def utilisation(step: Callable[[Batch], None], batches: Iterator[Batch], steps: int = 20) -> float:
    """The time that kernels ran in some steps, as a share of the wall clock."""
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        start = time.perf_counter()
        for _ in range(steps):
            step(next(batches))
        torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    return sum(event.self_device_time_total for event in seen.key_averages()) / 1e6 / seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list_models(), default=list_models())
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--steps", type=int, default=100, help="0: the whole epoch")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA GPU here: nothing was measured and no result was written", file=sys.stderr)
        return 1
    rate = matrix_rate()
    found = {}
    for name in options.models:
        try:
            found[name] = measure(name, options.preset, options.steps, rate)
        except torch.OutOfMemoryError as error:
            found[name] = {"out_of_memory": str(error).splitlines()[0]}
        print(name, found[name], flush=True)
        torch.cuda.empty_cache()
    write(
        "gpu_epoch",
        {
            "preset": options.preset,
            "batch": BATCH,
            "bf16_matrix_tflops": round(rate / 1e12, 1),
            "models": found,
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
