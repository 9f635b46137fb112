"""USER: what an image is about raises the regions that fit it, and slow copies of both encoders fill two
queues with more negatives than a batch has, which the same objective weighs.

Zhang, Ji, Wang, Pang, Li: Unified Semantic Enhancement with Momentum Contrast for Image-Text Retrieval, TIP
2024 (arXiv 2301.06844). *Exact* means: as in the code of the paper, zhangy0822/USER. CLIP's guidance (CGE) is
not in it and follows zhangy0822/HiCer, with sizes of ours.

| paper         | name here                                      | shape                  |                |
| ------------- | ---------------------------------------------- | ---------------------- | -------------- |
| SGE: a        | tap `image_side.guide.attention`               | [image region]         | exact          |
|               | `region_count=None`: a layer norm in it        |                        | ours           |
| SGE: global g | `image_side.guide(...)`, of norm 1             | [image feature]        | exact          |
| CGE: P1 u     | `image_side.to_guide` of u, the `batch.guide`; | [image feature]        | reconstruction |
|               | brought to norm 1 it is g                      |                        |                |
| CGE: P2 u     | `image_side.to_rest`, added to the vector,     | [image dim]            | reconstruction |
|               | which is brought to norm 1 again               |                        |                |
| beta          | tap `image_side.affinity`                      | [image region]         | exact          |
| f + beta g    | what `image_side.encoder` is given             | [image region feature] | exact          |
| regions       | `images.parts`: a linear map plus a network    | [image region dim]     | exact          |
| words         | `captions.parts`: BERT, the mean over a word's | [caption word dim]     | ours           |
|               | pieces (the code pools them one by one)        |                        |                |
|               | or a GRU both ways                             | [caption word dim]     | ours           |
| GPO           | `image_side.encoder.pool`, `caption_side.pool` | [item dim]             | exact          |
| key encoders  | `image_teacher`, `caption_teacher`             |                        | exact          |
| Q_v, Q_t      | `image_queue`, `caption_queue`                 | [key dim]              | exact          |
| L_e, L_d      | the terms `matching` and `queue`, see `nn.uto` |                        | exact          |
|               | an image's captions are no negatives in L_e    |                        | ours           |
|               | `uto=False`: the config's loss, and InfoNCE    |                        | ours           |
|               | the box, added, also in the network (`box`)    |                        | ours           |

A guide has norm 1, whatever that of the regions: those of the scenes, whose norm is 15, it hardly moves
(`guide_length` changes that). The two `share`s say how much of its vector each fragment gave; `image_parts`
and `caption_parts` split a score exactly into what each region or word gave, and CLIP as the rest.

In a step the teachers follow, make keys, the loss is taken against the queues as they were, then the keys go
in. Teachers have dropout and running statistics of their own. Quirks of the code are settings, in `paper` as
published: `region_count=36` (a batch norm with a channel for each region's place; None is a layer norm) and
`mask_same_image=False` (an image's other captions in a queue are its negatives). Not kept: queues that begin
with vectors of cosine 0.75 to each other, need a size that the batch's divides and are lost on resuming. Left
out: CLIP's vector of a caption; and of the fifth of the words that the code masks, changes or drops, all are
masked here (`word_dropout`; <unk> for a GRU). With UTO a foil is one more negative of its pair, and has no
weight.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from itr_explore.models.base import RetrievalModel, my_captions
from itr_explore.models.vse_infty import CaptionSide, ImageSide, VSEInfinityConfig
from itr_explore.nn.encoders import want_features
from itr_explore.nn.guidance import SelfGuide, guide_affinity
from itr_explore.nn.momentum import NOBODY, NegativeQueue, follow, key_info_nce, teacher_of
from itr_explore.nn.pooling import unit
from itr_explore.nn.tap import Tap
from itr_explore.nn.together import mine, ours
from itr_explore.nn.uto import reward, soft_threshold, uto_loss
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class USERConfig(VSEInfinityConfig):
    """Settings of USER, beside those of VSE-infinity, whose encoders it has."""

    guide_dim: int | None = None  # length of CLIP's vector of an image (CGE); None: the image guides itself
    guide_sharpness: float = 1.0  # lambda of beta
    guide_length: float = 1.0  # norm of g where it is added; the paper's is 1, whatever the regions'
    guide_dropout: float = 0.4  # in the attention of the image's own guide
    region_count: int | None = None  # that every image has (the paper's batch norm); None: any number
    uto: bool = True  # the paper's objective; else `loss`, and InfoNCE on the queues
    uto_sharpness: float = 90.0  # mu
    uto_threshold: float = 0.5  # gamma
    batch_weight: float = 20.0  # lambda: of the batch's loss beside the queues'
    queue_size: int | None = 512  # keys a side; None: neither queues nor teachers
    momentum: float = 0.999  # how much of a teacher stays at each step
    mask_same_image: bool = True  # an image's other captions in the queue are no negatives


class GuidedImageSide(nn.Module):
    """Regions that a guide has raised, encoded and pooled; CLIP's vector is also added to the image's."""

    def __init__(self, config: USERConfig):
        super().__init__()
        self.guide_dim = config.guide_dim
        self.sharpness, self.length = config.guide_sharpness, config.guide_length
        if config.guide_dim is None:
            self.guide = SelfGuide(config.region_dim, config.region_count, config.guide_dropout)
        else:
            self.to_guide = nn.Linear(config.guide_dim, config.region_dim)
            self.to_rest = nn.Linear(config.guide_dim, config.dim)
        self.affinity = Tap("per_region", "unit")
        self.encoder = ImageSide(config)

    def forward(self, batch: Batch) -> Encoded:
        """The image's vector, and its regions before pooling."""
        found = self.encoder(self._raised(batch), batch.region_mask, batch.boxes)
        if self.guide_dim is not None:
            found = replace(found, vectors=unit(found.vectors + self._rest(batch)))
        return found

    def parts_of_vector(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What each region gave to its image's vector [image region dim], and what CLIP gave [image dim]."""
        parts = self.encoder.parts_of_vector(self._raised(batch), batch.region_mask, batch.boxes)
        rest = torch.zeros_like(parts[:, 0]) if self.guide_dim is None else self._rest(batch)
        length = (parts.sum(dim=1) + rest).norm(dim=-1, keepdim=True).clamp(min=1e-8)
        return parts / length.unsqueeze(1), rest / length

    def _raised(self, batch: Batch) -> Tensor:
        """[image region feature] regions, each with its share of the guide added."""
        regions, mask = batch.regions, batch.region_mask
        want_features(regions, self.encoder.regions.appearance.in_features)
        own = self.guide_dim is None
        guide = self.guide(regions, mask) if own else unit(self.to_guide(self._clip(batch)))
        affinity = self.affinity(guide_affinity(regions, guide, mask, self.sharpness))
        return regions + self.length * affinity.unsqueeze(-1) * guide.unsqueeze(1)

    def _rest(self, batch: Batch) -> Tensor:
        return self.to_rest(self._clip(batch))

    def _clip(self, batch: Batch) -> Tensor:
        wanted = f"this model is guided by vectors of length {self.guide_dim}, one an image"
        if batch.guide is None:
            raise ValueError(
                f"{wanted}, and the batch has none; take a collection that has a guide, or create the model"
                " with guide_dim=None"
            )
        if batch.guide.shape[1] != self.guide_dim:
            raise ValueError(
                f"{wanted}, the batch has some of length {batch.guide.shape[1]}; make them by the CLIP that"
                " the model was trained with, or create the model with their length as guide_dim"
            )
        return batch.guide


class USER(RetrievalModel):
    """Unified semantic enhancement with momentum contrast; see the top of this file."""

    name = "user"
    Config = USERConfig
    config: USERConfig
    presets: ClassVar = {
        "tiny": {"dim": 128, "word_dim": 64, "guide_dropout": 0.1, "momentum": 0.99},
        "base": {
            "dim": 256,
            "word_dim": 300,
            "hidden_dim": 256,
            "dropout": 0.1,
            "word_dropout": 0.1,
            "uto": False,
            "loss": "info_nce",
            "batch_weight": 1.0,
            "queue_size": 1024,
            "momentum": 0.99,
        },
        "paper": {
            "dim": 1024,
            "word_dim": 300,
            "hidden_dim": 512,
            "box": False,
            "word_dropout": 0.2,
            "region_count": 36,
            "queue_size": 2048,
            "mask_same_image": False,
        },
    }

    def __init__(self, config: USERConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        self.image_side, self.caption_side = GuidedImageSide(config), CaptionSide(config)
        if config.queue_size is not None:
            self.image_teacher, self.caption_teacher = map(teacher_of, (self.image_side, self.caption_side))
            self.image_queue = NegativeQueue(config.queue_size, config.dim)
            self.caption_queue = NegativeQueue(config.queue_size, config.dim)

    def encode_images(self, batch: Batch) -> Encoded:
        """The pooled regions, of unit length."""
        return self.image_side(batch)

    def encode_captions(self, batch: Batch) -> Encoded:
        """The pooled words, of unit length."""
        return self.caption_side(batch.words, batch.word_mask)

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption] cosines."""
        return images.vectors @ captions.vectors.T

    def image_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The exact additive parts of image vectors: each region's [image region dim], the rest [image dim].

        With a caption's vector t, `parts @ t` are the regions' shares of the score, `rest @ t` is CLIP's.
        """
        return self.image_side.parts_of_vector(batch)

    def caption_parts(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The same for captions: each word's part [caption word dim], and the rest [caption dim], zero."""
        parts = self.caption_side.parts_of_vector(batch.words, batch.word_mask)
        return parts, torch.zeros_like(parts[:, 0])

    def training_loss(self, batch: Batch, warming_up: bool = False) -> dict[str, Tensor]:
        """`matching`, of the batch, and `queue`; in training the teachers and queues move on.

        Raises:
            ValueError: `mask_same_image` and the batch has no `image_ids`.
        """
        images = ours(self.encode_images(batch).vectors, batch.image_count)
        captions = ours(self.encode_captions(my_captions(batch)).vectors, len(batch.words))
        keys = None if self.config.queue_size is None else self._keys(batch)
        with torch.autocast(images.device.type, enabled=False):  # so sharp an objective needs all digits
            images, captions = images.float(), captions.float()
            loss = self.matching_loss(images @ captions.T, batch.image_of, warming_up)
            terms = {"matching": self.config.batch_weight * loss}
            if keys is not None:
                terms["queue"] = self._queue_loss(batch, images, captions, *keys)
        return terms

    def matching_loss(self, scores: Tensor, image_of: Tensor, warming_up: bool = False) -> Tensor:
        """The objective of scores [image caption] whose captions [caption] describe these images."""
        if not self.config.uto:
            return super().matching_loss(scores, image_of, warming_up)
        return uto_loss(scores, image_of, self.config.uto_sharpness, self.config.uto_threshold)

    def _keys(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The teachers' vectors of all images and of all captions but foils, which may be true elsewhere."""
        if self._learning:
            follow(self.image_teacher, self.image_side, self.config.momentum)
            follow(self.caption_teacher, self.caption_side, self.config.momentum)
        told = batch.image_of >= 0
        words, mask = batch.words[told], batch.word_mask[told]
        with torch.no_grad():
            captions = ours(self.caption_teacher(mine(words), mine(mask)).vectors, len(words))
            images = ours(self.image_teacher(batch).vectors, batch.image_count)
            return images.float(), captions.float()

    def _queue_loss(
        self, batch: Batch, images: Tensor, captions: Tensor, image_keys: Tensor, caption_keys: Tensor
    ) -> Tensor:
        """Each pair's image against the keys of captions, and its caption against the keys of images."""
        told, ids = batch.image_of >= 0, self._image_ids(batch)
        image = batch.image_of[told]
        to_text = self._one_way(images[image], caption_keys, self.caption_queue, ids[image])
        to_image = self._one_way(captions[told], image_keys[image], self.image_queue, ids[image])
        if self._learning:
            self.image_queue.put(image_keys, ids)
            self.caption_queue.put(caption_keys, ids[image])
        return to_text + to_image

    def _one_way(self, query: Tensor, key: Tensor, queue: NegativeQueue, ids: Tensor) -> Tensor:
        """The loss of queries [pair dim] with their own keys [pair dim] against those of a queue."""
        config = self.config
        positive, scores = (query * key).sum(dim=-1), queue(query)
        negative = queue.of_others(ids) if config.mask_same_image else torch.ones_like(scores).bool()
        if not config.uto:
            return key_info_nce(positive, scores, negative, config.temperature)
        pushed = soft_threshold(scores, negative, config.uto_sharpness, config.uto_threshold)
        return (pushed - reward(positive)).mean()

    @property
    def _learning(self) -> bool:
        return self.training and torch.is_grad_enabled()

    def _image_ids(self, batch: Batch) -> Tensor:
        if batch.image_ids is None and self.config.mask_same_image:
            raise ValueError(
                "the queues have to know whose keys they hold, and the batch has no image_ids; make it with"
                " data.batching.collate, or create the model with mask_same_image=False"
            )
        unknown = torch.full((len(batch.regions),), NOBODY, device=batch.regions.device)
        return ours(unknown if batch.image_ids is None else batch.image_ids, batch.image_count)
