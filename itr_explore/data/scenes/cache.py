"""Where scenes and what is computed from pictures are kept: whole folders that appear all at once.

A folder is written under another name and renamed when it is complete, so whatever interrupts the writing,
no half of it is ever found. Its name holds a digest of everything that the content depends on; when the
generator or the region network changes, say, the name changes and the scenes are made anew.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

ENVIRONMENT = "ITR_EXPLORE_CACHE"
SCENES, FEATURES, CARD = (
    "scenes.arrow",
    "features.arrow",
    "card.json",
)  # a finished folder; the card comes last
UNFINISHED = "unfinished-"  # folders that are being written, or were when somebody pulled the plug
SOURCES_NOT_IN_DATA = ("__init__.py", "cache.py", "foils.py", "load.py", "train_clip.py", "train_features.py")
NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
DAMAGE = (OSError, ValueError, KeyError, TypeError)  # what reading a damaged folder raises


def cache_folder() -> Path:
    """The user's cache folder, or the one that the environment variable ITR_EXPLORE_CACHE names."""
    import platformdirs

    told = os.environ.get(ENVIRONMENT)
    return Path(told).expanduser() if told else Path(platformdirs.user_cache_dir("itr_explore"))


@lru_cache(maxsize=1)
def digest() -> str:
    """Twelve hexadecimal digits that change with the code that makes scenes and with the region network."""
    told = hashlib.sha256()
    for source in sorted(sources()):
        told.update(source)
    for name in ("config.json", "model.safetensors"):
        told.update((files("itr_explore.zoo") / "region-cnn" / name).read_bytes())
    return told.hexdigest()[:12]


def sources(folder: Traversable | None = None) -> Iterator[bytes]:
    """Name and text of every module that scenes are made by."""
    for entry in (folder or files("itr_explore.data.scenes")).iterdir():
        if entry.is_dir():
            yield from sources(entry)
        elif entry.name.endswith(".py") and entry.name not in SOURCES_NOT_IN_DATA:
            yield entry.name.encode() + b"\0" + entry.read_bytes()


def kept(
    name: str,
    write: Callable[[Path], dict],
    read: Callable[[Path], Found],
    wanted_bytes: int,
    *,
    what: str = "scenes",
    version: str | None = None,
) -> Found:
    """What `read` finds in the finished folder of that name, which is written first if there is none.

    Args:
        name: of the folder; the digest is added to it.
        write: fills an empty folder with files and returns what the card shall say.
        read: opens a finished folder; an `OSError`, `ValueError` or `KeyError` means that it is damaged.
        wanted_bytes: about how much `write` will write, to refuse before rather than after.
        what: is kept, in the plural, for messages.
        version: what the content depends on, in place of the digest of the scenes.

    Raises:
        OSError: the folder cannot be written or the disk is full; nothing is left behind.
    """
    root = cache_folder()
    folder = root / f"{name}-{version or digest()}"
    if folder.exists():
        with suppress(*DAMAGE):
            return _read(folder, read)
    with _saying_what_to_do(root, wanted_bytes, what):
        root.mkdir(parents=True, exist_ok=True)
        remove_unfinished(root)
        with _locked(root / f"{folder.name}.lock", what):
            try:
                return _read(folder, read)  # somebody else has made it while we waited
            except FileNotFoundError:
                pass
            except DAMAGE as error:
                warnings.warn(
                    f"the {what} kept in {folder} are damaged, making them anew: {error}", stacklevel=3
                )
            _write(folder, write, wanted_bytes)
    return _read(folder, read)


def read_card(folder: Path) -> dict:
    """What was noted about a finished folder."""
    return json.loads((folder / CARD).read_text(encoding="utf-8"))


def remove_unfinished(root: Path) -> None:
    """Remove what interrupted writers left; one that is still at work holds its lock and keeps its own."""
    from filelock import FileLock, Timeout

    for left in root.glob(f"{UNFINISHED}*"):
        lock = FileLock(root / f"{left.name.removeprefix(UNFINISHED)}.lock")
        try:
            with lock.acquire(timeout=0):
                shutil.rmtree(left, ignore_errors=True)
        except Timeout:
            continue


def _write(folder: Path, write: Callable[[Path], dict], wanted_bytes: int) -> None:
    """Write beside `folder`, then rename. The caller holds the lock."""
    if shutil.disk_usage(folder.parent).free < wanted_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    unfinished = folder.with_name(f"{UNFINISHED}{folder.name}")
    unfinished.mkdir()
    try:
        card = write(unfinished)
        sizes = {file.name: file.stat().st_size for file in unfinished.iterdir()}
        text = json.dumps({**card, "bytes": sizes}, indent=1)
        (unfinished / CARD).write_text(text + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)  # unreadable, or we would not be here
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _read(folder: Path, read: Callable[[Path], Found]) -> Found:
    """Check that the files are as long as the card says, then read them."""
    if not folder.exists():
        raise FileNotFoundError(folder)
    try:
        for name, size in read_card(folder)["bytes"].items():
            found = (folder / name).stat().st_size
            if found != size:
                raise ValueError(f"{name} has {found} bytes, {size} were written")
        return read(folder)
    except FileNotFoundError as error:
        raise ValueError(f"{Path(error.filename).name} is missing") from error


@contextmanager
def _locked(file: Path, what: str) -> Iterator[None]:
    """Hold a lock that goes when the process goes, however it goes; say so if somebody else has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(file)
    try:
        lock.acquire(timeout=2)
    except Timeout:
        logging.getLogger("itr_explore").warning(f"another process is making the same {what}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _saying_what_to_do(root: Path, wanted_bytes: int, what: str) -> Iterator[None]:
    """Turn a full disk or a forbidden folder into one sentence that helps."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_PLACE:
            raise
        raise OSError(
            error.errno,
            f"cannot keep {what} in {root}: {os.strerror(error.errno)}. About {wanted_bytes / 1e6:.0f} MB "
            f"are wanted there; make room, or name another folder with the variable {ENVIRONMENT}",
        ) from error
