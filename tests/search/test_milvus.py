"""Milvus: embedded or behind a URI, servers that go away, processes that want the same file."""

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")

import itr_explore.search.milvus as milvus
from itr_explore.search.milvus import MilvusIndex
from itr_explore.search.sizes import IndexPlan, plan_index, search_of


def vectors(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 4)).astype(np.float32)


def test_a_file_opens_again_with_all_that_was_in_it(tmp_path):
    with MilvusIndex(tmp_path / "new" / "a.db", "x", 4, {"word": str}) as index:
        index.rest()
        index.add([1, 2], vectors(2), {"word": ["a", "b"]})
        index.save()
        assert index.wait(60) == 0
    with MilvusIndex(tmp_path / "new" / "a.db", "x") as again:
        assert (again.dim, again.fields, len(again), again.plan.kind) == (4, {"word": str}, 2, "HNSW")
        assert again.search(vectors(2)[1], 1, filter="word == 'b'").ids.tolist() == [[2]]
        assert "Milvus HNSW, 2 vectors of 4" in again.describe()
        with pytest.raises(ValueError, match="vectors of 4 numbers, wanted 5"):
            MilvusIndex(tmp_path / "new" / "a.db", "x", 5)
        with pytest.raises(FileNotFoundError, match="no index 'y'; say dim="):
            MilvusIndex(tmp_path / "new" / "a.db", "y")
        again.drop()
    with pytest.raises(ValueError, match="is closed"):
        len(again)


def test_a_plan_says_how_an_index_that_is_there_is_searched(tmp_path):
    made = plan_index(10, 4)
    with MilvusIndex(tmp_path / "a.db", "x", 4, plan=made), MilvusIndex(tmp_path / "a.db", "x") as again:
        assert again.plan.asked(1) == {"ef": 128}
        with MilvusIndex(tmp_path / "a.db", "x", plan=replace(made, search={"ef": 999})) as careful:
            assert careful.plan.asked(1) == {"ef": 999}
        with pytest.raises(ValueError, match="is of kind HNSW, the plan says IVF_FLAT"):
            MilvusIndex(tmp_path / "a.db", "x", plan=IndexPlan("IVF_FLAT", {"nlist": 8}, {}, 0, 0))


def test_an_index_of_any_family_is_searched_as_its_family_is():
    assert search_of("IVF_FLAT", 1024) == search_of("IVF_SQ8", 1024) == {"nprobe": 16}
    assert search_of("IVF_PQ") == plan_index(200_000_000, 4).search
    assert search_of("HNSW_SQ") == {"ef": 128}
    assert search_of("DISKANN") == {"search_list": 100}
    assert search_of("FLAT") == search_of("AUTOINDEX") == {}


def test_another_process_is_told_that_the_file_is_in_use(tmp_path):
    code = (
        "from itr_explore.search.milvus import MilvusIndex\n"
        "try: MilvusIndex('a.db', 'x', 4)\n"
        "except ConnectionError as error: print(error)"
    )
    with MilvusIndex(tmp_path / "a.db", "x", 4):
        told = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "a.db is open in another process, and Milvus Lite serves one at a time" in told.stdout
    assert not told.stderr


def test_two_writers_in_one_process_lose_nothing(tmp_path):
    with MilvusIndex(tmp_path / "a.db", "x", 4) as one, MilvusIndex(tmp_path / "a.db", "x") as two:
        writers = [
            threading.Thread(
                target=lambda i=index, s=start: [i.upsert([s + n], vectors(1)) for n in range(10)]
            )
            for index, start in ((one, 0), (two, 5))
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(one) == len(two) == 15


def test_a_server_that_goes_away_in_the_middle_loses_nothing_and_is_found_again(mortal, monkeypatch):
    monkeypatch.setattr(milvus, "ROWS_AT_ONCE", 10)
    index = MilvusIndex(mortal.uri, "x", 4, patience=2)
    index.add(range(20), vectors(20))
    ask, asked = index._client.upsert, []

    def once_and_then_gone(*args, **settings):
        asked.append(args)
        if len(asked) == 2:
            mortal.kill()
        return ask(*args, **settings)

    index._client.upsert = once_and_then_gone
    with pytest.raises(ConnectionError, match=r"did not answer within 2 s.*10 of 30 items are written"):
        index.upsert(range(20, 50), vectors(30, seed=1))
    with pytest.raises(ConnectionError, match="when asked to search"):
        index.search(vectors(1), 1)
    index.patience = 60
    again = threading.Timer(1.0, mortal.start)
    again.start()
    try:
        index.upsert(range(20, 50), vectors(30, seed=1))  # tried again until it is back
    finally:
        again.join()
    assert len(index) == 50
    assert index.search(vectors(30, seed=1)[7], 50).ids[0].min() == 0
    index.close()


def test_where_no_server_is_the_error_says_what_to_do():
    with pytest.raises(
        ConnectionError, match=r"no Milvus server answered at http://127.0.0.1:9 within 0.5 s"
    ):
        MilvusIndex("http://127.0.0.1:9", "x", 4, patience=0.5)


def test_a_collection_that_others_made_is_left_alone(tmp_path):
    from pymilvus import MilvusClient

    with MilvusIndex(tmp_path / "a.db", "mine", 4) as mine:
        MilvusClient.create_collection(mine._client, "theirs", dimension=4, vector_field_name="embedding")
        with pytest.raises(ValueError, match="did not make"):
            MilvusIndex(tmp_path / "a.db", "theirs", 4)
        with pytest.raises(ValueError, match="at most 16,384"):
            mine.search(vectors(1), 20_000)


def test_the_index_that_is_advised_grows_with_what_is_to_be_held():
    small, middle, large = (plan_index(count, 512) for count in (10**6, 10**8, 10**9))
    assert (small.kind, middle.kind, large.kind) == ("HNSW", "IVF_SQ8", "DISKANN")
    assert 2.0e9 < small.memory < 2.3e9
    assert 5.1e10 < middle.memory < 5.4e10
    assert large.memory < 0.2 * 4 * 512e9 < large.disk
    assert small.asked(500) == {"ef": 500}
    with pytest.raises(ValueError, match="dim from 1"):
        plan_index(10, 0)
