"""Regions by a detector of `transformers`: DETR and its relatives, RT-DETR, Grounding DINO."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from itr_explore.data.boxes import centred_to_corners
from itr_explore.data.checkpoints import checkpoint_name, find_checkpoint, load_vision
from itr_explore.data.coco_names import COCO_NAMES
from itr_explore.data.detections import Choice, Detections, Eyes, regions_from
from itr_explore.data.devices import choose_device
from itr_explore.records import RegionsOf

if TYPE_CHECKING:
    from PIL.Image import Image


class DetectorExtractor:
    """Boxes, labels and scores of a pretrained detector, and what it had in mind when it drew them.

    A region's feature is the detector's last decoder state of the query that drew the box: what it gathered
    from all over the picture to decide on this box. It is no crop, and unlike the features of a Faster R-CNN
    it knows of its surroundings. The picture as a whole, region 0, is the mean of all queries' states,
    weighted by their scores. Give `eyes` to have the crops looked at by another model instead.

    Args:
        model: a folder or `owner/name` on the hub, such as "PekingU/rtdetr_r50vd",
            "IDEA-Research/grounding-dino-tiny" or "facebook/detr-resnet-50" (which needs the package timm).
        words: what a detector that reads (Grounding DINO) shall look for; by default MS COCO's 80 classes.
        top: boxes at most, best scores first.
        least_score: boxes below it go; with 0 every picture has about as many regions.
        overlap: a box goes where a better one, of whatever class, overlaps it by more (IoU).
        whole_image: region 0 is the picture itself.
        eyes: what looks at the boxes in place of the detector: a `CropEncoder`, or a class of yours.
        context: share of a box's sides that eyes see around it on each side.
        device: "auto" is a GPU where there is one.

    Raises:
        FileNotFoundError: the model is neither here nor to be had.
        ValueError: it is no detector whose queries can be read.
    """

    def __init__(
        self,
        model: str | os.PathLike,
        *,
        words: Sequence[str] | None = None,
        top: int = 36,
        least_score: float = 0.0,
        overlap: float = 0.5,
        whole_image: bool = True,
        eyes: Eyes | None = None,
        context: float = 0.1,
        device: str = "auto",
    ):
        from transformers import AutoModelForObjectDetection, AutoModelForZeroShotObjectDetection

        self.choice = Choice(top, least_score, overlap, whole_image)
        place, self._checkpoint = find_checkpoint(model, "a detector")
        self._reads = _reads_words(place)
        auto = AutoModelForZeroShotObjectDetection if self._reads else AutoModelForObjectDetection
        self._model, self._processor = load_vision(place, "detector", auto)
        self._device = choose_device(device)
        self._model.to(self._device)
        self._name, self.eyes, self.context = checkpoint_name(model), eyes, context
        self.words: tuple[str, ...] | None = None
        if self._reads:
            self.words = COCO_NAMES if words is None else tuple(words)
            self._question, self._spans = _question(place, self.words)
            self._names = dict(enumerate(self.words))
        elif words is not None:
            raise ValueError(f"{self._name} has classes of its own and reads no words; leave words out")
        else:
            self._names = {int(code): name for code, name in self._model.config.id2label.items()}

    def describe(self) -> dict[str, Any]:
        """What the regions depend on."""
        return {
            "kind": "detector",
            "model": self._name,
            "checkpoint": self._checkpoint,
            "words": None if self.words is None else list(self.words),
            **vars(self.choice),
            "features": "decoder states" if self.eyes is None else self.eyes.describe(),
            **({} if self.eyes is None else {"context": self.context}),
        }

    def __call__(self, pictures: list[Image]) -> list[RegionsOf]:
        """Regions of each picture: itself if wanted, then boxes, best scores first."""
        inputs = self._processor(images=pictures, return_tensors="pt").to(self._device)
        if self._reads:
            inputs |= {
                name: told.expand(len(pictures), -1).to(self._device) for name, told in self._question.items()
            }
        with torch.inference_mode():
            found = self._model(**inputs)
        scores, codes = self._scores(found.logits)  # [picture query]
        boxes = np.clip(centred_to_corners(found.pred_boxes.float().cpu().numpy()), 0, 1)
        states = self._states(found) if self.eyes is None else None  # [picture query dim]
        weights = scores / scores.sum(1, keepdim=True).clamp_min(1e-9)
        whole = None if states is None else torch.einsum("pq,pqd->pd", weights, states).cpu().numpy()
        regions = []
        for row, picture in enumerate(pictures):
            told = Detections(
                boxes[row],
                scores[row].cpu().numpy(),
                codes[row].cpu().numpy(),
                None if states is None else states[row].cpu().numpy(),
                None if whole is None else whole[row],
            )
            regions.append(regions_from(told, picture, self._names, self.choice, self.eyes, self.context))
        return regions

    def _states(self, found: Any) -> Tensor:
        """The last decoder state of each query `[picture query dim]`."""
        states = getattr(found, "last_hidden_state", None)
        if states is None or states.shape[:2] != found.pred_boxes.shape[:2]:
            raise ValueError(
                f"{self._name} is a {type(self._model).__name__}, which keeps no state for each box; wanted a"
                " detector with queries (DETR, RT-DETR, Grounding DINO), or eyes=CropEncoder(...) to look at"
                " the boxes"
            )
        return states.float()

    def _scores(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """How sure the detector is of each box `[picture query]`, and of which label."""
        logits = logits.float()
        if self._reads:
            found = torch.stack([logits[..., span].sigmoid().amax(-1) for span in self._spans], dim=-1)
        elif logits.shape[-1] == len(self._names) + 1:  # the last class is "no object"
            found = logits.softmax(-1)[..., :-1]
        else:
            found = logits.sigmoid()
        best = found.max(-1)
        return best.values, best.indices


def is_detector(place: str) -> bool:
    """Whether a checkpoint is one that this file reads: it draws boxes."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES

    return _model_type(place) in MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES or _reads_words(place)


def _reads_words(place: str) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING_NAMES

    return _model_type(place) in MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING_NAMES


def _model_type(place: str) -> str:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(place).model_type
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{place} holds no model that transformers can read: {error}") from error


def _question(place: str, words: Sequence[str]) -> tuple[dict[str, Tensor], list[list[int]]]:
    """A detector's text input, "a cat. a dog.", and at which tokens each of the words stands."""
    from transformers import AutoTokenizer

    if not words or not all(isinstance(word, str) and word.strip(" .") for word in words):
        raise ValueError(f"words to look for must be some texts, none of them empty, got {list(words)!r}")
    clean = [word.strip(" .").lower() for word in words]
    ends = np.cumsum([len(word) + 2 for word in clean])
    tokenizer = AutoTokenizer.from_pretrained(place)
    told = tokenizer(" ".join(f"{word}." for word in clean), return_tensors="pt", return_offsets_mapping=True)
    offsets = told.pop("offset_mapping")[0].tolist()
    limit = tokenizer.model_max_length
    if len(offsets) > min(limit, 256):
        raise ValueError(
            f"{len(words)} words are {len(offsets)} tokens, this detector reads {min(limit, 256)}"
        )
    spans = [
        [at for at, (left, right) in enumerate(offsets) if end - len(word) - 2 <= left < right <= end - 2]
        for word, end in zip(clean, ends.tolist(), strict=True)
    ]
    return dict(told), spans
