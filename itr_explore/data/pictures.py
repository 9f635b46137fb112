"""Opening pictures: upright, RGB, one sentence where they are missing or damaged."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from itr_explore.records.pictures import upright_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

READABLE = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # none of these runs a program to be read
MOST_BYTES = 20 * 2**20
MOST_PIXELS = 50_000_000
_enough: ContextVar[int] = ContextVar("pixels that are enough", default=0)


@contextmanager
def small_enough(side: int) -> Iterator[None]:
    """Inside, a large JPEG is read at a half, a quarter or an eighth of its size, many times as quickly.

    Args:
        side: pixels that are wanted of its shorter side; at least twice as many are read, where it has them,
            so that it can be made smaller without a trace.
    """
    token = _enough.set(side)
    try:
        yield
    finally:
        _enough.reset(token)


def open_picture(path: Path) -> Image:
    """The picture in a file as people see it (`upright_rgb`).

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is damaged or no picture.
    """
    return _opened(path, f"picture {path}")


def decode_picture(data: bytes, name: str) -> Image:
    """The picture that a set holds as bytes, as people see it (`upright_rgb`).

    Args:
        data: of a picture's file.
        name: for messages.

    Raises:
        ValueError: it is damaged or no picture.
    """
    return _opened(io.BytesIO(data), name)


def _opened(file: Path | io.BytesIO, name: str) -> Image:
    from PIL import Image

    try:
        with Image.open(file) as opened:
            if side := _enough.get():
                opened.draft(None, (2 * side, 2 * side))
            return upright_rgb(opened)
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name} cannot be opened ({error}); copy it again or leave it out") from error


class Pictures:
    """The pictures of a folder by row: looked for in `images/` and beside it, opened when asked for.

    Args:
        folder: of the collection.
        names: of the files, one an image; a name may have folders before it.
    """

    def __init__(self, folder: Path, names: Sequence[str]):
        self.folder, self.names = folder, names

    def __call__(self, row: int) -> Image | None:
        """The picture, or None if the collection came without any.

        Raises:
            FileNotFoundError: there is a folder of pictures, but not this one.
        """
        path = self.find(row)
        return None if path is None else open_picture(path)

    def stamp(self, row: int) -> str:
        """The file's name, size and time of change: other pictures have other stamps."""
        path = self.find(row)
        if path is None:
            return ""
        told = path.stat()
        return f"{self.names[row]} {told.st_size} {told.st_mtime_ns}"

    def find(self, row: int) -> Path | None:
        """Where the picture is; None if the collection came without any.

        Raises:
            FileNotFoundError: there is a folder of pictures, but not this one.
        """
        name = self.names[row]
        for path in (
            self.folder / "images" / name,
            self.folder / name,
            self.folder / "images" / Path(name).name,
        ):
            if path.is_file():
                return path
        if not (self.folder / "images").is_dir():
            return None
        raise FileNotFoundError(f"there is no picture {name} in {self.folder / 'images'}; copy it there")


def read_picture(data: bytes, name: str = "the file") -> Image:
    """The picture that some bytes are, judged by what they hold, as people see it (`upright_rgb`).

    Args:
        data: of a file that somebody sent.
        name: for messages.

    Raises:
        ValueError: it is no picture, is damaged, or is too large to be opened safely.
    """
    from PIL import Image

    if len(data) > MOST_BYTES:
        raise ValueError(
            f"{name} has {len(data) / 2**20:.0f} MB; at most {MOST_BYTES // 2**20} MB are read."
            " Make it smaller"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is a lower one
            opened = Image.open(io.BytesIO(data), formats=READABLE)
        pixels = opened.width * opened.height
        if pixels > MOST_PIXELS:
            raise _TooLarge(
                f"{name} has {pixels / 1e6:.0f} megapixels; at most {MOST_PIXELS // 10**6} are opened."
                " Make it smaller"
            )
        return upright_rgb(opened)
    except _TooLarge:
        raise
    except Image.UnidentifiedImageError:
        raise ValueError(
            f"{name} is no picture that can be read (looked at what it holds, not at its name); wanted"
            f" {', '.join(READABLE)}"
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name} cannot be opened as a picture ({error}); save it anew") from error


class _TooLarge(ValueError):
    pass
