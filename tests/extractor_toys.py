"""Detectors small enough to be made in a test: a DETR with random weights, an ONNX file written byte by byte."""

import numpy as np
import torch

BACKBONE = {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "embedding_size": 8, "layer_type": "basic"}


def detr():
    from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessorPil, ResNetConfig

    config = DetrConfig(
        use_timm_backbone=False,
        backbone_config=ResNetConfig(**BACKBONE, out_features=["stage4"]),
        use_pretrained_backbone=False,
        backbone=None,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_queries=12,
        id2label={0: "cat", 1: "dog", 2: "boat"},
    )
    return DetrForObjectDetection(config), DetrImageProcessorPil(
        size={"shortest_edge": 64, "longest_edge": 96}
    )


BOXES = 16 + 4 + 1  # of a picture of 32 x 32: strides 8, 16 and 32


def varint(number: int) -> bytes:
    return (b"" if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)) or bytes([number])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    whole = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(whole)) + whole


def value_info(field: int, name: str, shape) -> bytes:
    dims = [message(1, number(1, size)) for size in shape]
    return message(field, message(1, name.encode()), message(2, message(1, number(1, 1), message(2, *dims))))


def write_detector(path, answer: np.ndarray, side=32):
    """A network that gives this answer to every picture."""
    tensor = [number(1, size) for size in answer.shape]
    tensor += [number(2, 1), message(8, b"told"), message(9, answer.astype("<f4").tobytes())]
    node = [message(1, b"told"), message(2, b"output"), message(4, b"Identity")]
    graph = [message(1, *node), message(2, b"graph"), message(5, *tensor)]
    graph += [value_info(11, "images", (1, 3, side, side)), value_info(12, "output", answer.shape)]
    path.write_bytes(number(1, 8) + message(8, message(1, b""), number(2, 13)) + message(7, *graph))
    return path


def saver(tmp_path_factory, models):
    """Folders of checkpoints by the names of what makes their parts, each made when asked for."""
    folders = {}

    def save(name):
        if name not in folders:
            torch.manual_seed(0)
            folders[name] = tmp_path_factory.mktemp(name)
            for part in models[name]():
                part.save_pretrained(folders[name])
        return folders[name]

    return save
