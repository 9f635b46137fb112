"""Regions on disk: a folder of shards, each of them whole or not there, opened without being read.

    manifest.json   version, who made the regions, counts, and for each shard its checksum
    00000/          features.npy float16 [row dim], starts.npy [image + 1], sizes.npy [image 2] (0: unknown),
                    boxes.npy uint16 [row 4] (65535ths), labels.npy [row], scores.npy float16 [row],
                    shard.json: the images' keys, the labels' words, sizes and checksums of the files
    00001/ ...

A shard is written under another name and renamed when it is complete and on the disk, and then the manifest
is replaced as a whole. So whatever interrupts a writer, every image is found once or not at all, and the
next writer goes on from there. One process writes at a time; any number may read meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from itr_explore.data.files import DAMAGE, map_array
from itr_explore.data.ragged import Ragged
from itr_explore.data.shards import Shards
from itr_explore.records import RegionsOf

VERSION = 1
MANIFEST, CARD, LOCK, FEATURES = "manifest.json", "shard.json", "writer.lock", "features.npy"
CHOICES = ("top", "least_score", "overlap", "whole_image", "pool", "crop", "words")  # of regions
FILE = "file"  # the kind of features that somebody's file held, of whose extractor nothing is known
UNFINISHED, DAMAGED = "unfinished-", "damaged-"
IMAGES_A_SHARD = 512  # so much work is lost when a writer is killed, and no more
BYTES_A_SHARD = 1 << 28
LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Shard:
    """What the manifest says of a shard."""

    name: str
    images: int
    regions: int
    sha256: str  # of the shard's card, which holds the checksums of its files


@dataclass(frozen=True)
class Manifest:
    """What a store says of itself."""

    extractor: Mapping[str, Any]
    dim: int
    parts: tuple[str, ...]  # what is known beside features: boxes, labels, scores
    shards: tuple[Shard, ...]


class RegionStore:
    """A store to read: features stay on the disk until they are asked for.

    Args:
        folder: of the store.

    Attributes:
        extractor: what its extractor said of itself.
        keys: of the images, in the order of `regions`.
        damaged: shards that cannot be used, and why; their images are not among the keys.
        regions: features of all images, `Ragged`.
        boxes: `[row 4]` uint16 of 65535ths, or None.
        label_codes: `[row]`, into `label_names`; or None.
        scores: `[row]` float16, or None.
        sizes: `[image 2]` widths and heights in pixels, 0 where unknown.

    Raises:
        FileNotFoundError: there is no store.
        ValueError: its manifest is damaged or of another version.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        told = read_manifest(self.folder)
        if told is None:
            raise FileNotFoundError(
                f"{self.folder} is no region store: it has no {MANIFEST}; wanted a folder made by"
                " `itr-explore extract`, or `itr-explore features convert` for the field's files"
            )
        self.extractor, self.dim, self.parts = dict(told.extractor), told.dim, told.parts
        self.damaged: dict[str, str] = {}
        self._all = told.shards
        cards: list[tuple[Path, dict[str, Any]]] = []
        for shard in told.shards:
            try:
                cards.append((self.folder / shard.name, _read_card(self.folder / shard.name, shard.sha256)))
            except ValueError as error:
                self.damaged[shard.name] = str(error)
        self.shards = [place.name for place, _ in cards]
        self.keys: list[str] = [key for _, card in cards for key in card["keys"]]
        self.row_of = {key: row for row, key in enumerate(self.keys)}
        starts = [map_array(place / "starts.npy") for place, _ in cards]
        lengths = [np.diff(one) for one in starts]
        files, counts = [place / FEATURES for place, _ in cards], [int(one[-1]) for one in starts]
        ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]))
        self.regions = Ragged(Shards(files, counts, self.dim, "float16"), ends)
        self.sizes = _joined([place / "sizes.npy" for place, _ in cards], (0, 2), np.int32)
        self.boxes, self.scores = (
            _joined([place / f"{part}.npy" for place, _ in cards], shape, dtype)
            if part in told.parts
            else None
            for part, shape, dtype in (("boxes", (0, 4), np.uint16), ("scores", (0,), np.float16))
        )
        self.label_names: list[str] = []
        self.label_codes = self._labels(cards) if "labels" in told.parts else None

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: str) -> bool:
        return key in self.row_of

    def __getitem__(self, key: str) -> RegionsOf:
        """The regions of an image.

        Raises:
            KeyError: there is no such image; the message says whether shards are damaged.
        """
        if key not in self.row_of:
            raise KeyError(f"{self.folder} has no regions of image {key!r}{self.loss()}")
        image = np.array([self.row_of[key]])
        rows = self.regions.rows(image)
        width, height = self.sizes[image[0]].tolist()
        return RegionsOf(
            self.regions.gather(image),
            None if self.boxes is None else self.boxes[rows] / np.float32(65535),
            () if self.label_codes is None else tuple(self.label_names[c] for c in self.label_codes[rows]),
            None if self.scores is None else self.scores[rows].astype(np.float32),
            (width, height) if width else None,
        )

    def __repr__(self) -> str:
        damage = f", {len(self.damaged)} damaged" if self.damaged else ""
        return (
            f"<region store {self.folder}: {len(self):,} images, {len(self.regions.values):,} regions of"
            f" {self.dim:,} features, {len(self._all)} shards{damage}, by {extractor_name(self.extractor)}>"
        )

    def loss(self) -> str:
        """The end of a sentence about what is missing: which shards are damaged; nothing if none is."""
        if not self.damaged:
            return ""
        name, why = next(iter(self.damaged.items()))
        return (
            f"; {len(self.damaged)} of its {len(self._all)} shards cannot be used ({name}: {why}). Run the"
            " extraction into this folder again: it makes only what is missing"
        )

    def verify(self) -> dict[str, str]:
        """Read every byte and compare checksums: damaged shards by name, and what is wrong with them."""
        found = dict(self.damaged)
        for shard in self._all:
            if shard.name not in found:
                try:
                    _read_card(self.folder / shard.name, shard.sha256, every_byte=True)
                except ValueError as error:
                    found[shard.name] = str(error)
        return found

    def _labels(self, cards: Sequence[tuple[Path, dict]]) -> np.ndarray:
        """Codes of all rows, into one list of words for all shards."""
        code_of: dict[str, int] = {}
        found = [np.empty(0, np.int32)]
        for place, card in cards:
            codes = np.array([code_of.setdefault(name, len(code_of)) for name in card["labels"]], np.int32)
            found.append(codes[map_array(place / "labels.npy")])
        self.label_names = list(code_of)
        return np.concatenate(found)


class RegionWriter:
    """A store to write, as a context; what was added is on the disk at its end, whatever ended it.

    Args:
        folder: of the store; made if it is not there, gone on with if it is.
        extractor: what makes the regions, as JSON can say it; one store holds the work of one.
        images_a_shard: a shard is written when it has so many images, or 256 MiB of features.
        verify: read every byte of what is there and compare checksums, before going on.

    Raises:
        OSError: somebody else is writing, or the folder cannot be written.
        ValueError: the folder holds another extractor's regions.
    """

    def __init__(
        self,
        folder: str | Path,
        extractor: Mapping[str, Any],
        *,
        images_a_shard: int = IMAGES_A_SHARD,
        verify: bool = False,
    ):
        self.folder, self.extractor = Path(folder), json.loads(json.dumps(extractor))
        self.images_a_shard, self.verify = images_a_shard, verify
        self.damaged: dict[str, str] = {}  # shards that were set aside, and why
        self.keys: set[str] = set()
        self._manifest: Manifest | None = None
        self._unlisted = False  # a whole shard is in its place that the manifest on the disk lacks
        self._waiting: list[tuple[str, RegionsOf]] = []
        self._bytes = 0

    def __enter__(self) -> RegionWriter:
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self.folder / LOCK)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise OSError(
                f"another process is writing regions to {self.folder}; wait until it has ended, or name"
                " another folder"
            ) from error
        except OSError as error:
            raise self._cannot_write(error) from error
        try:
            self._go_on()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self.flush()
                if self._manifest is None:
                    self._replace_manifest(Manifest(self.extractor, 0, (), ()))
            else:
                with suppress(OSError):  # the first error is the one to tell
                    self.flush()
        finally:
            self._lock.release()

    def __contains__(self, key: str) -> bool:
        return key in self.keys

    def add(self, key: str, regions: RegionsOf) -> None:
        """Add an image; it is on the disk after the next `flush`.

        Raises:
            ValueError: it is there already, or its regions are unlike the others'.
            OSError: the disk is full; all shards before are whole, and what waits is written when there is
                room and `flush` is called.
        """
        if key in self.keys:
            raise ValueError(f"image {key!r} is already in {self.folder}")
        dim, parts = regions.features.shape[1], _parts(regions)
        first = self._waiting[0][1] if self._waiting else None
        if self._manifest is not None and self._manifest.shards:
            wanted: tuple[int, tuple[str, ...]] | None = (self._manifest.dim, self._manifest.parts)
        else:
            wanted = None if first is None else (first.features.shape[1], _parts(first))
        if wanted is not None and (dim, parts) != wanted:
            raise ValueError(
                f"image {key!r} has {dim} features with {_listed(parts)}, the others in {self.folder} have"
                f" {wanted[0]} with {_listed(wanted[1])}; one store holds one kind"
            )
        most = float(np.abs(regions.features).max())
        if most > LARGEST:
            raise ValueError(
                f"image {key!r} has features up to {most:.3g}, beyond float16's {LARGEST:.0f}; divide them"
                " all by one number, or normalise them"
            )
        self.keys.add(key)
        self._waiting.append((key, regions))
        self._bytes += 2 * regions.features.size
        if len(self._waiting) >= self.images_a_shard or self._bytes >= BYTES_A_SHARD:
            self.flush()

    def flush(self) -> None:
        """Write what waits as a shard.

        Raises:
            OSError: the disk is full, say; what waits goes on waiting, and `flush` can be called again.
        """
        if self._unlisted and self._manifest is not None:
            try:
                self._replace_manifest(self._manifest)
            except OSError as error:
                raise self._cannot_write(error) from error
        if not self._waiting:
            return
        shards = () if self._manifest is None else self._manifest.shards
        name = f"{max((int(shard.name) for shard in shards), default=-1) + 1:05}"
        unfinished = self.folder / f"{UNFINISHED}{name}"
        first = self._waiting[0][1]
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            shard = _write_shard(unfinished, name, self._waiting)
            unfinished.rename(self.folder / name)
            self._manifest = Manifest(
                self.extractor, first.features.shape[1], _parts(first), (*shards, shard)
            )
            self._waiting, self._bytes, self._unlisted = [], 0, True
            self._replace_manifest(self._manifest)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise self._cannot_write(error) from error

    def _go_on(self) -> None:
        """From what is there: take in whole shards that the manifest lacks, set damaged ones aside."""
        self._manifest = there = read_manifest(self.folder)
        if there is not None:
            self._refuse_another(there.extractor)
        for left in self.folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        listed = {shard.name: shard for shard in (() if there is None else there.shards)}
        shards, dim, parts = [], 0 if there is None else there.dim, () if there is None else there.parts
        for name in sorted({*listed, *(path.parent.name for path in self.folder.glob(f"*/{CARD}"))}):
            if not name.isdecimal():
                continue
            place = self.folder / name
            try:
                if name in listed:
                    card, shard = _read_card(place, listed[name].sha256, self.verify), listed[name]
                else:
                    card = _read_card(place, every_byte=True)
                    counts = (len(card["keys"]), card["files"][FEATURES]["rows"])
                    shard = Shard(name, *counts, _digest(place / CARD))
            except ValueError as error:
                self._set_aside(name, str(error))
                continue
            if not self.keys.isdisjoint(card["keys"]):
                self._set_aside(name, "its images are in another shard, too")
                continue
            shards.append(shard)
            self.keys.update(card["keys"])
            dim, parts = card["dim"], tuple(card["parts"])
        if there is None and not shards:
            return
        found = Manifest(self.extractor, dim, parts, tuple(shards))
        if found != there:
            self._replace_manifest(found)

    def _set_aside(self, name: str, why: str) -> None:
        place, aside = self.folder / name, self.folder / f"{DAMAGED}{name}"
        self.damaged[name] = why
        warnings.warn(
            f"shard {name} of {self.folder} is damaged ({why}); its images are made again, and what is left"
            f" of it stays in {aside.name}",
            stacklevel=5,
        )
        if place.exists():
            shutil.rmtree(aside, ignore_errors=True)
            place.rename(aside)

    def _refuse_another(self, there: Mapping[str, Any]) -> None:
        differences = [
            f"{name} is {there.get(name)!r} there, {self.extractor.get(name)!r} here"
            for name in {**self.extractor, **there}
            if there.get(name) != self.extractor.get(name)
        ]
        if differences:
            same = ""
            if there.get("kind") == self.extractor.get("kind") == FILE:
                same = f". If one extractor made both, name it: extractor={there.get('model')!r}"
            raise ValueError(
                f"{self.folder} holds another extractor's regions: {'; '.join(differences)}. Name another"
                f" folder: features of two extractors cannot be compared{same}"
            )

    def _replace_manifest(self, manifest: Manifest) -> None:
        described = {
            "version": VERSION,
            "extractor": dict(manifest.extractor),
            "dim": manifest.dim,
            "parts": list(manifest.parts),
            "images": sum(shard.images for shard in manifest.shards),
            "regions": sum(shard.regions for shard in manifest.shards),
            "shards": [asdict(shard) for shard in manifest.shards],
        }
        _replace(self.folder / MANIFEST, json.dumps(described, indent=1) + "\n")
        self._manifest, self._unlisted = manifest, False

    def _cannot_write(self, error: OSError) -> OSError:
        shards = () if self._manifest is None else self._manifest.shards
        return OSError(
            error.errno,
            f"cannot write regions to {self.folder}: {error.strerror or error}. All that was written before"
            f" is whole ({sum(shard.images for shard in shards):,} images); make room or name another folder,"
            " and run the same again: it goes on from there",
        )


def read_manifest(folder: Path) -> Manifest | None:
    """What the store in a folder says of itself; None where there is no manifest.

    Raises:
        ValueError: it is damaged, or another version's.
    """
    path = folder / MANIFEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        version = told["version"]
        if version != VERSION:
            raise ValueError(f"it has version {version}, this package reads {VERSION}")
        shards = tuple(Shard(**shard) for shard in told["shards"])
        return Manifest(told["extractor"], told["dim"], tuple(told["parts"]), shards)
    except FileNotFoundError:
        return None
    except (*DAMAGE, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} cannot be read ({error}); take it away, and the next extraction into this folder takes"
            " in all shards that are whole"
        ) from error


def set_aside_damaged(folder: str | Path) -> dict[str, str]:
    """Take shards whose checksums are wrong out of a store, so that an extraction makes them again.

    Their folders are renamed, not removed. Returns which they were, and what was wrong with them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they would say is returned
        with RegionWriter(folder, RegionStore(folder).extractor, verify=True) as writer:
            return writer.damaged


def extractor_name(extractor: Mapping[str, Any]) -> str:
    """Whose features they are, in a few words: an extractor's kind, its model, and a digest of the rest.

    Which regions are chosen (how many, say) changes none of their features, nor does a folder's name.
    """
    beside = {*CHOICES, *(["model"] if "checkpoint" in extractor else [])}
    told = {key: value for key, value in extractor.items() if key not in beside}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]
    model = Path(str(extractor.get("model", ""))).name
    return " ".join(word for word in (str(extractor.get("kind", "unknown")), model, digest) if word)


def _write_shard(folder: Path, name: str, images: Sequence[tuple[str, RegionsOf]]) -> Shard:
    keys, found = zip(*images, strict=True)
    parts = _parts(found[0])
    lengths = [len(one) for one in found]
    files = {
        "features": np.concatenate([np.asarray(one.features, np.float16) for one in found]),
        "starts": np.cumsum([0, *lengths], dtype=np.int64),
        "sizes": np.array([one.size or (0, 0) for one in found], np.int32),
    }
    labels: dict[str, int] = {}
    if "boxes" in parts:
        boxes = np.concatenate([one.boxes for one in found])
        files["boxes"] = np.rint(np.asarray(boxes, np.float64) * 65535).astype(np.uint16)
    if "labels" in parts:
        flat = [label for one in found for label in one.labels]
        files["labels"] = np.array([labels.setdefault(label, len(labels)) for label in flat], np.int32)
    if "scores" in parts:
        files["scores"] = np.concatenate([one.scores for one in found]).astype(np.float16)
    card = {
        "keys": list(keys),
        "labels": list(labels),
        "dim": files["features"].shape[1],
        "parts": list(parts),
        "files": {f"{file}.npy": _save(folder / f"{file}.npy", array) for file, array in files.items()},
    }
    _replace(folder / CARD, json.dumps(card))
    return Shard(name, len(keys), sum(lengths), _digest(folder / CARD))


class _Digesting:
    """A file to write to that adds up what was written; no real file, so that errors keep their number."""

    def __init__(self, file: Any):
        self.file, self.told, self.bytes = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.told.update(data)
        self.bytes += len(data)
        return self.file.write(data)


def _save(path: Path, array: np.ndarray) -> dict[str, Any]:
    """Write an array to the disk, and say what was written."""
    with path.open("wb") as file:
        digesting = _Digesting(file)
        np.lib.format.write_array(digesting, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": digesting.bytes, "sha256": digesting.told.hexdigest(), "rows": len(array)}


def _replace(path: Path, text: str) -> None:
    """Write a text file that appears all at once."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _read_card(place: Path, sha256: str | None = None, every_byte: bool = False) -> dict[str, Any]:
    """A shard's card, checked, and its files, of features only how long; `ValueError` says what is wrong."""
    try:
        text = (place / CARD).read_bytes()
        if sha256 is not None and hashlib.sha256(text).hexdigest() != sha256:
            raise ValueError(f"{CARD} is not what was written")
        card = json.loads(text)
        for name, told in card["files"].items():
            there = (place / name).stat().st_size
            if there != told["bytes"]:
                raise ValueError(f"{name} has {there:,} bytes, {told['bytes']:,} were written")
            if (every_byte or name != FEATURES) and _digest(place / name) != told["sha256"]:
                raise ValueError(f"{name} is not what was written: its checksum differs")
        return card
    except FileNotFoundError as error:
        raise ValueError(f"{Path(error.filename).name} is missing") from error
    except (OSError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"it cannot be read: {error}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _joined(files: Sequence[Path], empty: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.concatenate([np.empty(empty, dtype), *(map_array(file) for file in files)])


def _parts(regions: RegionsOf) -> tuple[str, ...]:
    known = {
        "boxes": regions.boxes is not None,
        "labels": bool(regions.labels),
        "scores": regions.scores is not None,
    }
    return tuple(part for part, there in known.items() if there)


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts) or "nothing beside"
