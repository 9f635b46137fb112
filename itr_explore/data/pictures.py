"""Opening pictures: upright, RGB, one sentence where they are missing or damaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def open_picture(path: Path) -> Image:
    """The picture in a file: RGB, turned as its camera says.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is damaged or no picture.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            return ImageOps.exif_transpose(opened).convert("RGB")
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"picture {path} cannot be opened ({error}); copy it again or leave it out"
        ) from error


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
        path = self._find(row)
        return None if path is None else open_picture(path)

    def stamp(self, row: int) -> str:
        """The file's name, size and time of change: other pictures have other stamps."""
        path = self._find(row)
        if path is None:
            return ""
        told = path.stat()
        return f"{self.names[row]} {told.st_size} {told.st_mtime_ns}"

    def _find(self, row: int) -> Path | None:
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
