"""The child process that opens files of databases: it comes, goes, hangs and is asked again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowtui.store.errors import ReadCancelled
from flowtui.store.files import asking
from flowtui.store.files.fingerprint import DatabaseFiles, look
from tests.unit.stores import until


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    asking.end()
    yield
    asking.end()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "exp.db"
    path.write_bytes(b"beginning and more")
    return path


def child_id() -> int:
    return asking._kept[0]._process.pid


def test_one_process_answers_question_after_question(file: Path) -> None:
    assert asking.head(file, 9) == b"beginning"
    first = child_id()
    found = asking.look(DatabaseFiles.at(file))
    assert (found.main, found.wal) == (look(DatabaseFiles.at(file)).main, None)
    assert asking.held([f"{file}-shm"]) == [False]
    assert child_id() == first


def test_one_that_has_gone_is_started_again(file: Path) -> None:
    assert asking.head(file, 9) == b"beginning"
    first = child_id()
    os.kill(first, signal.SIGKILL)
    assert asking.head(file, 9) == b"beginning"
    assert child_id() != first


def test_one_that_does_not_answer_is_left_to_itself(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asking.head(file, 9) == b"beginning"
    os.kill(child_id(), signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(asking, "PATIENCE_S", 0.05)
        assert asking.held([f"{file}-shm"]) == [None]
    assert asking.held([f"{file}-shm"]) == [False]


def test_a_name_in_any_bytes_is_the_same_there(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff \n\xe4\xbd\xa0")
    path.write_bytes(b"x")
    assert asking.head(path, 9) == b"x"


def test_a_file_that_cannot_be_read_is_an_error_with_its_reason(tmp_path: Path) -> None:
    loop = tmp_path / "exp.db"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="symbolic links"):
        asking.look(DatabaseFiles.at(loop))
    assert asking.head(loop, 9) == b""


def test_a_copy_that_nobody_waits_for_is_ended_with_its_process(file: Path, tmp_path: Path) -> None:
    def running() -> int:
        mine = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return len(mine)

    before = running()
    folder = tmp_path / "copy"
    folder.mkdir()
    with pytest.raises(ReadCancelled):
        asking.copy(DatabaseFiles.at(file), folder, lambda: True)
    until(lambda: running() == before, "the end of the child")


def test_an_answer_that_was_not_waited_for_is_not_taken_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "two").write_bytes(b"two")

    class Interrupted:
        def __init__(self) -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(asking.selectors, "DefaultSelector", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            asking.head(tmp_path / "one", 9)
    assert asking.head(tmp_path / "two", 9) == b"two"
