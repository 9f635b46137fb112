"""Train the CLIP of the scenes: `python -m itr_explore.data.scenes.train_clip`.

A CLIP (Radford et al., 2021, arXiv:2103.00020) that one core trains in minutes: two transformers learn which
picture and which caption belong together. The pictures of the training split are few for that, so regions
learn besides which of the names that a detector gives is theirs, as in RegionCLIP (Zhong et al., 2022,
arXiv:2112.09106). Written to `zoo/clip-tiny-scenes` as `transformers` saves any CLIP.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from tokenizers import Tokenizer, models, processors
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, pad
from tqdm.auto import tqdm

from itr_explore.data.collection import Collection
from itr_explore.data.text import PAD, SPECIALS, build_tokenizer

if TYPE_CHECKING:
    from PIL.Image import Image
    from transformers import CLIPImageProcessorPil, CLIPModel, PreTrainedTokenizerFast

PATCHES, PATCH = 8, 12  # patches a side, and pixels a side of a patch; pictures are squeezed into a square
SHIFT = 4  # pixels that a picture is moved by at most, while training
LONGEST = 64  # tokens of a caption, at most
TOWER = {"hidden_size": 96, "intermediate_size": 192, "num_attention_heads": 4}
LAYERS = {"vision": 4, "text": 2}
DIM = 64  # of the space that pictures and captions share
PADDING, START, END, UNKNOWN = SPECIALS


def make_tokenizer(captions: Iterable[str]) -> PreTrainedTokenizerFast:
    """The words of the captions, as `build_tokenizer` splits them; `<end>` is the last id, as in CLIP."""
    from transformers import PreTrainedTokenizerFast

    words = build_tokenizer(captions)
    known = sorted(words.get_vocab(), key=lambda word: (word == END, words.token_to_id(word)))
    ids = {word: row for row, word in enumerate(known)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    tokenizer.normalizer, tokenizer.pre_tokenizer = words.normalizer, words.pre_tokenizer
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, ids[START]), (END, ids[END])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PADDING,
        bos_token=START,
        eos_token=END,
        unk_token=UNKNOWN,
        model_max_length=LONGEST,
    )


def make_processor() -> CLIPImageProcessorPil:
    """What makes a picture of any size into the pixels that the CLIP reads; nothing is cut off."""
    from transformers import CLIPImageProcessorPil

    side = PATCHES * PATCH
    size = {"height": side, "width": side}
    return CLIPImageProcessorPil(size=size, do_center_crop=False, image_mean=[0.5] * 3, image_std=[0.5] * 3)


def make_clip(tokenizer: PreTrainedTokenizerFast, **tower: int) -> CLIPModel:
    """A CLIP with random weights for these words; `tower` overrides sizes of both transformers."""
    from transformers import CLIPConfig, CLIPModel

    sizes = {**TOWER, **tower}
    vision = {"image_size": PATCHES * PATCH, "patch_size": PATCH, "num_hidden_layers": LAYERS["vision"]}
    text = {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": LONGEST,
        "num_hidden_layers": LAYERS["text"],
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    return CLIPModel(
        CLIPConfig(vision_config={**sizes, **vision}, text_config={**sizes, **text}, projection_dim=DIM)
    )


@dataclass(frozen=True)
class Lessons:
    """What a collection shows and says, as tensors."""

    pixels: Tensor  # [image 3 side side]  uint8
    captions: Tensor  # [caption token]  token ids, padded
    of_image: Tensor  # [image caption]  rows of captions
    boxes: Tensor  # [image region 4]
    labels: Tensor  # [image region]  rows of names; -1: no region
    names: Tensor  # [name token]  what a detector called a region, once each, padded

    @classmethod
    def of(cls, collection: Collection, tokenizer: PreTrainedTokenizerFast) -> Lessons:
        """Everything about a collection whose images have equally many captions."""
        images = range(len(collection))
        names = sorted({name for image in images for name in collection.labels(image)})
        row_of = {name: row for row, name in enumerate(names)}
        boxes = [torch.from_numpy(collection.boxes_of(np.array([image]))) for image in images]
        labels = [torch.tensor([row_of[name] for name in collection.labels(image)]) for image in images]
        return cls(
            read_pixels(collection),
            read_words(tokenizer, collection.captions),
            torch.from_numpy(np.stack([collection.captions_of(image) for image in images])),
            torch.nn.utils.rnn.pad_sequence(boxes, batch_first=True),
            torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-1),
            read_words(tokenizer, names),
        )


def read_pixels(collection: Collection) -> Tensor:
    """All pictures at the size that the CLIP reads, [image 3 side side] uint8."""
    processor = make_processor()
    rows = tqdm(range(len(collection)), desc=f"reading {collection.split} pictures", delay=2)
    small = [
        processor(cast("Image", collection.image(row)), do_rescale=False, do_normalize=False) for row in rows
    ]
    return torch.from_numpy(np.stack([one["pixel_values"][0] for one in small]).astype(np.uint8))


def read_words(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> Tensor:
    """Texts as token ids [text token], padded."""
    return tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")["input_ids"]


def pixel_values(pixels: Tensor) -> Tensor:
    """Bytes as the processor hands them on: from -1 to 1."""
    return pixels.float() / 127.5 - 1.0


def text_vectors(model: CLIPModel, words: Tensor) -> Tensor:
    """Unit vectors [text dim] of padded token ids [text token]."""
    real = words != PAD
    longest = int(real.sum(dim=1).max())
    told = model.get_text_features(input_ids=words[:, :longest], attention_mask=real[:, :longest])
    return normalize(told.pooler_output, dim=-1)


def look(model: CLIPModel, pixels: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors of pictures [image dim] and of places in them [image region dim].

    A place's vector is the mean of the patches it covers, each by its share, read out as a picture's is.
    """
    seen = model.vision_model(pixel_values=pixel_values(pixels))
    places = covered(boxes) @ seen.last_hidden_state[:, 1:]
    places = model.visual_projection(model.vision_model.post_layernorm(places))
    return normalize(model.visual_projection(seen.pooler_output), dim=-1), normalize(places, dim=-1)


def covered(boxes: Tensor) -> Tensor:
    """How much of a box lies in each patch: boxes [... 4] as fractions -> [... patch], sums of 1."""
    edges = torch.arange(PATCHES + 1) / PATCHES
    left, top, right, bottom = boxes.unsqueeze(-1).unbind(-2)
    across = (torch.minimum(right, edges[1:]) - torch.maximum(left, edges[:-1])).clamp(min=0)
    down = (torch.minimum(bottom, edges[1:]) - torch.maximum(top, edges[:-1])).clamp(min=0)
    shares = (down.unsqueeze(-1) * across.unsqueeze(-2)).flatten(-2)
    return shares / shares.sum(dim=-1, keepdim=True).clamp(min=1e-6)


def caption_loss(logits: Tensor, image_of: Tensor) -> Tensor:
    """Cross entropy both ways of logits [image caption]; an image's own captions share its probability."""
    own = image_of == torch.arange(len(logits))[:, None]
    return (cross_entropy(logits.T, image_of) - logits.log_softmax(dim=1)[own].mean()) / 2


def losses(model: CLIPModel, lessons: Lessons, rows: Tensor, captions: int) -> dict[str, Tensor]:
    """What there is to minimise for a batch of images, each with that many of its captions by chance."""
    pixels, boxes = shifted(lessons.pixels[rows], lessons.boxes[rows])
    images, places = look(model, pixels, boxes)
    chosen = torch.rand(len(rows), lessons.of_image.shape[1]).argsort(dim=1)[:, :captions]
    told = text_vectors(model, lessons.captions[lessons.of_image[rows].gather(1, chosen).flatten()])
    image_of = torch.arange(len(rows)).repeat_interleave(captions)
    real = lessons.labels[rows] >= 0
    used, which = lessons.labels[rows][real].unique(return_inverse=True)
    names = text_vectors(model, lessons.names[used])
    sharpness = model.logit_scale.exp()
    return {
        "captions": caption_loss(sharpness * images @ told.T, image_of),
        "regions": cross_entropy(sharpness * places[real] @ names.T, which),
    }


def shifted(pixels: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures and boxes, all moved by the same few pixels; the rim is repeated."""
    side = pixels.shape[-1]
    right, down = torch.randint(0, 2 * SHIFT + 1, (2,)).tolist()
    wide = pad(pixels.float(), [SHIFT] * 4, mode="replicate").to(torch.uint8)
    moved = torch.tensor([SHIFT - right, SHIFT - down] * 2) / side
    return wide[:, :, down : down + side, right : right + side], (boxes + moved).clamp(0, 1)


def train(
    model: CLIPModel,
    lessons: Lessons,
    epochs: int,
    batch: int = 64,
    captions: int = 2,
    peak: float = 2e-3,
    weight_decay: float = 0.1,
) -> None:
    """Teach a CLIP; it is left in evaluation mode."""
    model.train()
    weights = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": weights}, {"params": rest, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=weight_decay)
    steps = epochs * (len(lessons.pixels) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, total_steps=steps, pct_start=0.1)
    with tqdm(total=steps, desc="training", mininterval=1) as bar:
        for _ in range(epochs):
            order = torch.randperm(len(lessons.pixels))
            for rows in order[: len(order) // batch * batch].split(batch):
                found = losses(model, lessons, rows, captions)
                optimiser.zero_grad(set_to_none=True)
                torch.stack(list(found.values())).sum().backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                bar.set_postfix({name: f"{loss.item():.2f}" for name, loss in found.items()}, refresh=False)
                bar.update()
    model.eval()


@torch.inference_mode()
def recall(model: CLIPModel, tokenizer: PreTrainedTokenizerFast, collection: Collection) -> dict[str, float]:
    """Per cent of images whose best caption is theirs, and of captions whose best image is."""
    pixels, words = read_pixels(collection), read_words(tokenizer, collection.captions)
    images = torch.cat(
        [model.get_image_features(pixel_values(some)).pooler_output for some in pixels.split(256)]
    )
    scores = normalize(images, dim=-1) @ torch.cat([text_vectors(model, some) for some in words.split(256)]).T
    image_of = torch.from_numpy(collection.image_of)
    right = {
        "image_to_text": image_of[scores.argmax(dim=1)] == torch.arange(len(collection)),
        "text_to_image": scores.argmax(dim=0) == image_of,
    }
    return {way: round(100 * hits.float().mean().item(), 1) for way, hits in right.items()}


def save(model: CLIPModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the model (float16), its words and what prepares its pictures, for any `from_pretrained`."""
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    make_processor().save_pretrained(folder)


def main(arguments: Iterable[str] | None = None) -> None:
    """Read, train, measure on the other splits, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--folder", type=Path, default=Path(str(files("itr_explore.zoo") / "clip-tiny-scenes"))
    )
    told = parser.parse_args(list(arguments) if arguments is not None else None)
    torch.set_num_threads(1)  # the same sums in the same order on every machine, and quick enough
    torch.manual_seed(told.seed)

    scenes = Collection.scenes("train")
    tokenizer = make_tokenizer(scenes.captions)
    model = make_clip(tokenizer)
    train(model, Lessons.of(scenes, tokenizer), told.epochs)
    splits = ("val", "test")
    model.config.measured = {split: recall(model, tokenizer, Collection.scenes(split)) for split in splits}
    save(model, tokenizer, told.folder)
    print(f"R@1 of {sum(p.numel() for p in model.parameters()):,} parameters: {model.config.measured}")


if __name__ == "__main__":
    main()
