"""A Milvus server in a process of its own, and indexes of each back end."""

import socket
import subprocess
import sys
import time

import pytest

from itr_explore.search.exact import ExactIndex
from itr_explore.search.milvus import MilvusIndex


class Server:
    """Milvus Lite behind a port, as any server is; it can be killed and started again."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.uri = folder, f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = [sys.executable, "-m", "milvus_lite", "server"]
        command += ["--data-dir", str(self.folder), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            with socket.socket() as client:
                if not client.connect_ex(("127.0.0.1", self.port)):
                    return
            time.sleep(0.1)
        raise TimeoutError("the server did not start")

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    pytest.importorskip("milvus_lite")
    one = Server(tmp_path_factory.mktemp("server"))
    yield one
    one.kill()


@pytest.fixture
def mortal(tmp_path):
    """A server that a test may kill."""
    pytest.importorskip("milvus_lite")
    one = Server(tmp_path)
    yield one
    one.kill()


@pytest.fixture(params=["exact", "reopened", "file", "server"])
def new_index(request, tmp_path):
    """Makes an empty index of a back end: `new_index(dim, fields)`."""
    made = []

    def make(dim, fields=None):
        name = f"index_{len(made)}_{time.monotonic_ns()}"
        if request.param in ("exact", "reopened"):
            index = ExactIndex(dim, fields, dtype="float32", folder=tmp_path / name)
        else:
            pytest.importorskip("milvus_lite")
            place = tmp_path / "x.db" if request.param == "file" else request.getfixturevalue("server").uri
            index = MilvusIndex(place, name, dim, fields)
        index.reopens = request.param == "reopened"
        made.append(index)
        return index

    yield make
    for index in made:
        index.close()
