"""Where numbers are worked out: a device by its name."""

from __future__ import annotations

import torch


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto" is a GPU where there is one, else the CPU.

    Raises:
        ValueError: there is no such device, or no GPU of that number.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f'{name!r} is no device; wanted "auto", "cpu", "cuda" or "cuda:N"') from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device {name!r} was asked for, but torch {torch.__version__} sees"
            f' {torch.cuda.device_count()} GPUs; use "auto"'
        )
    return device
