"""`MilvusIndex`: vectors in Milvus; embedded by the name of a file, or on a server or cluster by its URI.

Nothing but the place changes from one to the other. Items are always written so that writing them again
changes nothing, because an answer may be lost after the work was done. So a request is tried again, over a
new connection, for as long as `patience` says, and then the error tells what is safe. Milvus Lite serves one
process at a time.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itr_explore.records import Nearest
from itr_explore.search.filters import Filter
from itr_explore.search.index import LITE, VectorIndex, same_shape
from itr_explore.search.sizes import IndexPlan, plan_index, search_of

if TYPE_CHECKING:
    from pymilvus import MilvusClient

MOST_FOUND = 16_384  # results a query that Milvus gives
BYTES_AT_ONCE, ROWS_AT_ONCE = 8_000_000, 4096  # a message; a server takes 64 MB by default
PATIENCE, PATIENCE_LITE = 60.0, 600.0  # seconds
NEVER = 2**31 - 1  # milliseconds
LONGEST_PAUSE = 5.0  # seconds between two trials
LONGEST_TEXT = 65_535  # bytes of a text field
INSTALL = "install it with pip install 'itr-explore[milvus]'"

_writing: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # Milvus Lite takes one writer
_opened: Counter[str] = Counter()  # how many indexes of this process use a file


class MilvusIndex(VectorIndex):
    """An index that Milvus holds, made new where there is none of this name.

    Args:
        uri: `FILE.db` for Milvus Lite, or `http://HOST:19530` for a server or cluster.
        name: of the collection in Milvus; letters, digits and _.
        dim, fields: of a new index; of one that is there they are checked, where they are given.
        expected: how many vectors there will be; decides on the kind of index (`search.sizes`).
        plan: the index itself, where another is wanted; of one that is there, how it is searched. Without,
            it is searched as its kind is in `search.sizes`.
        patience: seconds that one request is tried for, again and again where the server does not answer; by
            default 60, and 600 for a file, whose engine works in this process and may be busy.
        token: "user:password" or an API key, where the server asks for it.

    Raises:
        ImportError: pymilvus, or for a file milvus-lite, is not installed.
        ConnectionError: no server answers, or another process holds the file.
        FileNotFoundError: there is no such index, and no dim to make one by.
        ValueError: the one that is there has another dim, other fields, or is of another kind than the plan.
    """

    def __init__(
        self,
        uri: str | os.PathLike,
        name: str = "vectors",
        dim: int | None = None,
        fields: Mapping[str, type] | None = None,
        *,
        expected: int = 1_000_000,
        plan: IndexPlan | None = None,
        patience: float | None = None,
        token: str = "",
    ):
        if not name.isidentifier() or not name.isascii():
            raise ValueError(f"an index is named by letters, digits and _, got {name!r}")
        self.uri, self.name, self._token = os.fspath(uri), name, token
        self.lite = self.uri.endswith(LITE)
        self.patience = patience if patience is not None else PATIENCE_LITE if self.lite else PATIENCE
        self._key = str(Path(self.uri).resolve()) if self.lite else self.uri
        self._client: MilvusClient | None = _connect(self.uri, self.lite, self.patience, token)
        _opened[self._key] += 1
        try:
            if self._call("say what it holds", "has_collection"):
                self._open(dim, fields, plan)
            elif dim is None:
                raise FileNotFoundError(f"{self.uri} has no index {name!r}; say dim= to make a new one")
            else:
                super().__init__(dim, fields)
                self.plan = plan or plan_index(expected, dim)
                self._call(f"make the index {name!r}", "create_collection", **self._layout())
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        found = self._call("count", "query", filter="", output_fields=["count(*)"])
        return int(found[0]["count(*)"])

    @property
    def kind(self) -> str:
        """Which index of Milvus."""
        return f"Milvus {self.plan.kind}"

    def describe(self) -> str:
        """Kind, size and place."""
        return f"{self.kind}, {len(self):,} vectors of {self.dim} at {self.uri}"

    def known(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """[id] bool, whether the index has them."""
        asked = np.asarray(ids, dtype=np.int64)
        found: list[int] = []
        for start in range(0, len(asked), ROWS_AT_ONCE):
            written = _among(asked[start : start + ROWS_AT_ONCE])
            rows = self._call("look up ids", "query", filter=written, output_fields=["id"])
            found += [row["id"] for row in rows]
        return np.isin(asked, np.array(found, dtype=np.int64))

    def save(self) -> None:
        """Have Milvus write what it still holds in memory; its log has kept that safe before, too."""
        self._call("flush", "flush")

    def rest(self) -> None:
        """Let go of the index while much is written: it is built once, when something is asked again."""
        self._call("let go of the index", "release_collection")

    def wait(self, seconds: float = 600.0) -> int:
        """Wait until all that was saved is in the index; before, Milvus compares it vector by vector.

        Returns:
            how many vectors are not in it yet, where the time was not enough.
        """
        until = time.monotonic() + seconds
        if self.lite:  # it does not say how far it is, but loading waits until all is built
            self.rest()
            self._call("build the index", "load_collection", timeout=seconds)
            return 0
        while True:
            told = self._call("describe the index", "describe_index", "vector") or {}
            pending = int(told.get("pending_index_rows") or 0)
            if not pending or time.monotonic() > until:
                return pending
            time.sleep(min(1.0, seconds))

    def drop(self) -> None:
        """Delete this index and all that is in it from Milvus."""
        self._call("drop the index", "drop_collection")

    def close(self) -> None:
        """End the connection; a file may then be opened by another process. Nothing is deleted."""
        client, self._client = self._client, None
        if client is None:
            return
        client.close()
        _opened[self._key] -= 1
        if self.lite and not _opened[self._key]:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(self.uri)

    def _put(
        self, ids: np.ndarray, vectors: np.ndarray, columns: dict[str, np.ndarray], *, new: bool
    ) -> None:
        for name, column in columns.items():
            longest = max((len(text.encode()) for text in column), default=0) if column.dtype == object else 0
            if longest > LONGEST_TEXT:
                raise ValueError(
                    f"field {name!r} holds a text of {longest:,} bytes; Milvus takes {LONGEST_TEXT:,}"
                )
        at_once = max(1, min(ROWS_AT_ONCE, BYTES_AT_ONCE // (4 * self.dim)))
        for start in range(0, len(ids), at_once):
            at = slice(start, start + at_once)
            values = [ids[at].tolist(), vectors[at], *(columns[name][at].tolist() for name in self.fields)]
            rows = [
                dict(zip(("id", "vector", *self.fields), row, strict=True))
                for row in zip(*values, strict=True)
            ]
            with self._alone():
                self._call(
                    "write",
                    "upsert",
                    rows,
                    safe=f"{start:,} of {len(ids):,} items are written and kept; upsert all of them again"
                    " when it is back, which writes none twice",
                )

    def _delete(self, ids: np.ndarray) -> None:
        for start in range(0, len(ids), ROWS_AT_ONCE):
            some = ids[start : start + ROWS_AT_ONCE].tolist()
            with self._alone():
                self._call(
                    "delete",
                    "delete",
                    ids=some,
                    safe=f"{start:,} of {len(ids):,} items are deleted; ask index.known(ids) which are left",
                )

    def _search(self, queries: np.ndarray, k: int, filter: Filter | np.ndarray | None) -> Nearest:
        if k > MOST_FOUND:
            raise ValueError(f"Milvus gives at most {MOST_FOUND:,} results a query, asked for {k:,}")
        ids, scores = np.full((len(queries), k), -1), np.full((len(queries), k), np.nan)
        nothing = isinstance(filter, np.ndarray) and not len(filter)
        written = filter.milvus() if isinstance(filter, Filter) else "" if filter is None else _among(filter)
        at_once = max(1, MOST_FOUND // k)
        for start in range(0, 0 if nothing else len(queries), at_once):
            some = queries[start : start + at_once]
            found = self._call(
                "search",
                "search",
                data=list(some),
                limit=k,
                filter=written,
                output_fields=["id"],
                anns_field="vector",
                search_params={"metric_type": "IP", "params": self.plan.asked(k)},
            )
            for row, hits in enumerate(found, start):
                ids[row, : len(hits)] = [hit["id"] for hit in hits]
                scores[row, : len(hits)] = [hit["distance"] for hit in hits]
        return Nearest(ids, scores)

    def _open(self, dim: int | None, fields: Mapping[str, type] | None, plan: IndexPlan | None) -> None:
        """Take dim, fields and index from the collection that is there; from a plan how to search it."""
        from pymilvus import DataType

        kinds = {DataType.VARCHAR: str, DataType.INT64: int, DataType.DOUBLE: float, DataType.BOOL: bool}
        told = self._call("describe the index", "describe_collection")
        parts = {part["name"]: part for part in told["fields"]}
        place = f"{self.name!r} at {self.uri}"
        others = {name: part for name, part in parts.items() if name not in ("id", "vector")}
        strange = [name for name, part in others.items() if part["type"] not in kinds]
        if not {"id", "vector"} <= parts.keys() or strange:
            raise ValueError(
                f"{place} is a collection of Milvus that this package did not make (it has {sorted(parts)});"
                " take another name"
            )
        super().__init__(
            parts["vector"]["params"]["dim"], {name: kinds[part["type"]] for name, part in others.items()}
        )
        same_shape(place, self, dim, fields)
        index = self._call("describe the index", "describe_index", "vector") or {}
        kind = index.get("index_type", "FLAT")
        if plan is not None and plan.kind != kind:
            raise ValueError(
                f"{place} is of kind {kind}, the plan says {plan.kind}; leave the plan out, or name another"
                " index and write the vectors there"
            )
        found = search_of(kind, int(index.get("nlist") or 0))
        self.plan = plan or IndexPlan(kind, {}, found, float("nan"), float("nan"))
        self._call("load the index", "load_collection")

    def _layout(self) -> dict[str, Any]:
        """Fields and index of a new collection."""
        from pymilvus import DataType

        client = self._client
        assert client is not None
        kinds = {str: DataType.VARCHAR, int: DataType.INT64, float: DataType.DOUBLE, bool: DataType.BOOL}
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dim)
        for name, kind in self.fields.items():
            schema.add_field(name, kinds[kind], **({"max_length": LONGEST_TEXT} if kind is str else {}))
        index = client.prepare_index_params()
        index.add_index("vector", index_type=self.plan.kind, metric_type="IP", params=self.plan.build)
        return {"schema": schema, "index_params": index, "consistency_level": "Strong"}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self.lite:
            yield
            return
        with _writing[self._key]:
            yield

    def _call(self, doing: str, method: str, *args: Any, safe: str = "", **settings: Any) -> Any:
        """The answer of Milvus, or an error that says what was asked and what is safe."""
        from grpc import RpcError
        from pymilvus import MilvusException

        if self._client is None:
            raise ValueError(f"this index of {self.uri} is closed; open it again")
        until, pause = time.monotonic() + self.patience, 0.1
        while True:
            try:
                with _heard("pymilvus.decorators"):  # it writes to the screen what is raised all the same
                    return self._ask(method, *args, **settings)
            except (MilvusException, RpcError) as error:
                if not _nobody(error) or time.monotonic() + pause > until:
                    raise _told(self.uri, doing, error, self.patience, safe) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            self._connect_again(until - time.monotonic())

    def _ask(self, method: str, *args: Any, **settings: Any) -> Any:
        from pymilvus import MilvusException

        ask, settings = getattr(self._client, method), {"timeout": self.patience, **settings}
        try:
            return ask(self.name, *args, **settings)
        except MilvusException as error:
            if not any(word in str(error.message) for word in ("not loaded", "released")):
                raise
            self._client.load_collection(self.name, timeout=self.patience)  # type: ignore[union-attr]
            return ask(self.name, *args, **settings)

    def _connect_again(self, seconds: float) -> None:
        """A new connection where there is one to be had: the old one may be of no more use."""
        from pymilvus import MilvusClient, MilvusException

        if self.lite:
            return
        try:
            client = MilvusClient(self.uri, token=self._token, timeout=max(1.0, seconds), dedicated=True)
        except MilvusException:
            return
        old, self._client = self._client, client
        if old is not None:
            old.close()


def _nobody(error: Exception) -> bool:
    """Whether nobody answered, so that asking again may help."""
    gone = ("UNAVAILABLE", "DEADLINE", "Retry timeout", "Retry run out", "Fail connecting", "closed channel")
    return any(
        word in f"{getattr(error, 'code', '')} {getattr(error, 'message', '')} {error}" for word in gone
    )


def _told(uri: str, doing: str, error: Exception, patience: float, safe: str) -> Exception:
    """The same as an error of ours: `ConnectionError` where nobody answers, else `RuntimeError`."""
    message = str(getattr(error, "message", None) or error)
    after = f". {safe[0].upper()}{safe[1:]}" if safe else ""
    if _nobody(error):
        return ConnectionError(
            f"Milvus at {uri} did not answer within {patience:g} s when asked to {doing}; see that it runs"
            f" and can be reached, then ask again{after} ({message.splitlines()[0][:200]})"
        )
    return RuntimeError(f"Milvus at {uri} could not {doing}: {message[:500]}{after}")


def _connect(uri: str, lite: bool, patience: float, token: str) -> MilvusClient:
    try:
        from pymilvus import MilvusClient, MilvusException

        if lite:
            import milvus_lite  # noqa: F401
    except ImportError as error:
        needed = "pymilvus and milvus-lite" if lite else "pymilvus"
        raise ImportError(f"an index at {uri} needs {needed} ({error}); {INSTALL}") from error
    settings: dict[str, Any] = {}
    if lite:  # its engine ends a connection that asks every ten seconds whether it is still there
        settings["grpc_options"] = {"grpc.keepalive_time_ms": NEVER}
        Path(uri).resolve().parent.mkdir(parents=True, exist_ok=True)
    with _heard("milvus_lite.server_manager") as causes:
        try:
            return MilvusClient(uri, token=token, timeout=patience, dedicated=True, **settings)
        except MilvusException as error:
            cause = causes[0] if causes else error
            if "lock" in str(cause):
                raise ConnectionError(
                    f"{uri} is open in another process, and Milvus Lite serves one at a time; close it there,"
                    " or start a server and give its URI to both"
                ) from error
            if lite:
                raise ConnectionError(f"{uri} cannot be opened by Milvus Lite: {cause}") from error
            raise ConnectionError(
                f"no Milvus server answered at {uri} within {patience:g} s ({error.message[:200]}); start"
                " one, or name a file that ends in .db to search without a server"
            ) from error


@contextmanager
def _heard(name: str) -> Iterator[list[BaseException]]:
    """What a logger tells of exceptions goes here instead of to the screen."""
    causes: list[BaseException] = []

    class Listener(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            if record.exc_info and record.exc_info[1] is not None:
                causes.append(record.exc_info[1])
            return record.levelno < logging.WARNING

    logger, listener = logging.getLogger(name), Listener()
    logger.addFilter(listener)
    try:
        yield causes
    finally:
        logger.removeFilter(listener)


def _among(ids: np.ndarray) -> str:
    return f"id in {ids.tolist()}"
