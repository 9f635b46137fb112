"""Pictures that people send to a view: put together from pieces, given their regions, the latest kept."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.data.pictures import MOST_BYTES, read_picture
from itr_explore.records import Example
from itr_explore.records.pictures import upright_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

Regions = Callable[["Image"], tuple[np.ndarray, np.ndarray | None]]

KEPT = 8


class Uploads:
    """The last few pictures that were sent, by number.

    Args:
        regions_of: from an RGB image to features [region feature] and boxes [region 4] (fractions).
    """

    def __init__(self, regions_of: Regions):
        self.regions_of = regions_of
        self._kept: OrderedDict[int, Example] = OrderedDict()
        self._key, self._pieces = "", list[str]()  # of the one that arrives now

    def __getitem__(self, number: int) -> Example:
        if number not in self._kept:
            raise ValueError("this picture is no longer kept; upload it again")
        return self._kept[number]

    def receive(self, key: str, name: str, part: int, parts: int, data: str) -> int | None:
        """Take a piece of a file, in base64; returns the picture's number when that was the last one.

        A new file takes the place of one that has not arrived whole.

        Args:
            key: of this upload, and of no other.

        Raises:
            ValueError: the file is too large, does not arrive whole, or is no picture.
        """
        if part == 0:
            self._key, self._pieces = key, []
        if key != self._key or part != len(self._pieces):
            raise ValueError(f"{name} was stopped, as another picture was sent meanwhile; send it again")
        self._pieces.append(data)
        if sum(map(len, self._pieces)) > MOST_BYTES * 4 / 3 + 4 * parts:
            self._forget()
            raise ValueError(f"{name} is larger than {MOST_BYTES // 2**20} MB; make it smaller")
        if part + 1 < parts:
            return None
        pieces = self._forget()
        try:
            file = b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
        except binascii.Error as error:
            raise ValueError(f"{name} did not arrive whole ({error}); send it again") from error
        return self.take(file, name)

    def take(self, file: bytes | Image, name: str) -> int:
        """Keep a picture with its regions; returns its number.

        Raises:
            ValueError: it is no picture.
        """
        image = read_picture(file, name) if isinstance(file, bytes) else upright_rgb(file)
        features, boxes = self.regions_of(image)
        features = np.asarray(features, dtype=np.float32)
        boxes = None if boxes is None else np.asarray(boxes, dtype=np.float32)
        number = max(self._kept, default=0) + 1
        self._kept[number] = Example(name, image, features, boxes, ())
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return number

    def _forget(self) -> list[str]:
        pieces, self._key, self._pieces = self._pieces, "", []
        return pieces
