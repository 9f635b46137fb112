import errno
import os
import threading

import pytest

from itr_explore.data.scenes import cache


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "kept"))
    return tmp_path / "kept"


def write_five(folder):
    (folder / "data").write_text("5")
    return {"what": "a number"}


def read(folder):
    return int((folder / "data").read_text())


def folders(root):
    return [entry for entry in root.iterdir() if entry.is_dir()]


def test_what_is_written_once_is_read_ever_after():
    assert cache.kept("number", write_five, read, 1) == 5

    def never(folder):
        raise AssertionError("it was there already")

    assert cache.kept("number", never, read, 1) == 5


def test_the_card_says_what_the_writer_said(root):
    cache.kept("number", write_five, read, 1)
    assert cache.read_card(folders(root)[0])["what"] == "a number"


@pytest.mark.parametrize("how", [KeyboardInterrupt, RuntimeError])
def test_interrupted_writing_leaves_nothing(root, how):
    def write(folder):
        (folder / "data").write_text("half")
        raise how

    with pytest.raises(how):
        cache.kept("number", write, read, 1)
    assert folders(root) == []
    assert cache.kept("number", write_five, read, 1) == 5


def test_what_a_killed_writer_left_is_removed(root):
    left = root / f"{cache.UNFINISHED}other-0123"
    left.mkdir(parents=True)
    (left / "data").write_text("half")
    cache.kept("number", write_five, read, 1)
    assert not left.exists()


def test_what_another_writer_is_busy_with_is_left_alone(root):
    started, go_on = threading.Event(), threading.Event()

    def slow(folder):
        started.set()
        assert go_on.wait(60)
        return write_five(folder)

    writer = threading.Thread(target=cache.kept, args=("slow", slow, read, 1))
    writer.start()
    assert started.wait(60)
    cache.kept("number", write_five, read, 1)
    busy = [folder.name for folder in folders(root) if folder.name.startswith(cache.UNFINISHED)]
    go_on.set()
    writer.join()
    assert len(busy) == 1
    assert cache.kept("slow", slow, read, 1) == 5


def test_of_two_writers_at_once_one_writes_and_both_read():
    written, found = [], []

    def write(folder):
        written.append(folder)
        return write_five(folder)

    def ask():
        found.append(cache.kept("number", write, read, 1))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1
    assert found == [5, 5, 5, 5]


@pytest.mark.parametrize(
    "damage", ["truncated", "file missing", "card missing", "card nonsense", "unreadable"]
)
def test_a_damaged_folder_is_reported_and_made_anew(root, damage):
    cache.kept("number", write_five, read, 1)
    (folder,) = folders(root)
    match damage:
        case "truncated":
            (folder / "data").write_text("")
        case "file missing":
            (folder / "data").unlink()
        case "card missing":
            (folder / cache.CARD).unlink()
        case "card nonsense":
            (folder / cache.CARD).write_text("[1, 2")
        case "unreadable":
            (folder / "data").write_text("?")  # the right size, but no number
    with pytest.warns(UserWarning, match="damaged, making them anew"):
        assert cache.kept("number", write_five, read, 1) == 5


def test_another_version_has_another_folder(root, monkeypatch):
    cache.kept("number", write_five, read, 1)
    monkeypatch.setattr(cache, "digest", lambda: "another")
    cache.kept("number", write_five, read, 1)
    assert len(folders(root)) == 2


def test_too_full_a_disk_is_refused_before_writing(root):
    with pytest.raises(OSError, match=f"(?s)cannot keep scenes in .*MB are wanted.*{cache.ENVIRONMENT}"):
        cache.kept("number", write_five, read, 10**18)
    assert folders(root) == []


def test_a_disk_that_fills_up_is_one_clear_error(root):
    def write(folder):
        (folder / "data").write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=f"No space left.*{cache.ENVIRONMENT}"):
        cache.kept("number", write, read, 1)
    assert folders(root) == []


def test_a_cache_that_is_no_folder_is_one_clear_error(root):
    root.parent.mkdir(exist_ok=True)
    root.write_text("in the way")
    with pytest.raises(OSError, match=f"cannot keep scenes in .*{cache.ENVIRONMENT}"):
        cache.kept("number", write_five, read, 1)


def test_the_digest_depends_on_code_and_weights():
    sources = list(cache.sources())
    assert any(b"def make_scene" in source for source in sources)
    assert any(b"class Paint" in source or b"PAINTS" in source for source in sources)  # sub-packages too
    assert not any(b"def load_scenes" in source for source in sources)
