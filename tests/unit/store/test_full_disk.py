"""A disk that gets full while a run is made: it is said, and does no harm to what comes later."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flowtui.screens.annotate.writing import refusal
from flowtui.store import runs as run_rows
from flowtui.store.errors import DatabaseReadOnly, DiskFull
from flowtui.store.files import leftovers
from flowtui.store.files.fingerprint import DatabaseFiles
from flowtui.store.new_run import new_run
from flowtui.store.otlp import ingesting
from flowtui.store.otlp.ingesting import SpanWriter
from flowtui.store.schema import create
from flowtui.store.transaction import write
from tests.unit.stores import one_run, opened


@contextmanager
def room_for(patch: pytest.MonkeyPatch, pages: int, name: str = "meta.db") -> Iterator[None]:
    """Let databases of a name have so many pages."""
    connect = sqlite3.connect

    def connect_with_little_room(where: Any, **how: Any) -> sqlite3.Connection:
        connection = connect(where, **how)
        if name in str(where):
            connection.execute(f"pragma max_page_count = {pages}")
        return connection

    with patch.context() as full:
        full.setattr(create.sqlite3, "connect", connect_with_little_room)
        yield


@pytest.mark.parametrize("pages", [1, 2, 5])
@pytest.mark.parametrize("name", ["meta.db", "exp.db"])
def test_a_run_that_there_is_no_room_for_is_said_and_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pages: int
) -> None:
    directory = tmp_path / "store"
    with (
        room_for(monkeypatch, pages, name),
        pytest.raises(DiskFull, match=rf"no room left on the disk of .*/{name}; free some"),
        new_run(directory, "first"),
    ):
        raise AssertionError("it began")
    with new_run(directory, "second"):
        pass
    with opened(directory) as store:
        assert [store.resolve("latest").row.name, len(list(store.ask(run_rows.identities)))] == [
            "second",
            1,
        ]


def test_folders_that_there_is_no_room_for_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(code: int) -> None:
        def mkdir(*_: object, **__: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(Path, "mkdir", mkdir)

    fail(errno.ENOSPC)
    with pytest.raises(DiskFull, match=r"no room left on the disk of .*/store; free some"):
        create.create_store(tmp_path / "store")
    fail(errno.EROFS)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(DatabaseReadOnly, match="store is on a disk that is mounted read-only"):
        create.create_store(tmp_path / "store")


@pytest.mark.parametrize("mounted", ["read-only", "writable"])
def test_a_disk_that_is_mounted_read_only_is_said_and_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounted: str
) -> None:
    one_run(tmp_path / "store")
    flag = os.ST_RDONLY if mounted == "read-only" else 0
    said = "mounted read-only; mount it writable" if flag else "read-only for you; its owner can"

    class Locked(sqlite3.Connection):
        def execute(self, *_: object) -> sqlite3.Cursor:
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error

    connect = sqlite3.connect
    with opened(tmp_path / "store") as store:
        run = store.run("run-1")
        monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flag))
        monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
        assert said in refusal(run)
        with pytest.raises(DatabaseReadOnly, match=said):
            write(run.database, lambda _: None)
        # As where SQLite finds it out, and nobody asked before.
        monkeypatch.setattr(
            sqlite3, "connect", lambda *where, **how: connect(*where, **how, factory=Locked)
        )
        with pytest.raises(DatabaseReadOnly, match=said):
            SpanWriter(run.database)
        with pytest.raises(DatabaseReadOnly, match=said):
            create.open_for_writing(run.database.path)


def test_a_log_that_gets_no_room_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_run(tmp_path / "store")

    class Full(sqlite3.Connection):
        def execute(self, *_: object) -> sqlite3.Cursor:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
            raise error

    connect = sqlite3.connect
    with opened(tmp_path / "store") as store:
        database = store.run("run-1").database
        monkeypatch.setattr(
            ingesting.sqlite3, "connect", lambda *where, **how: connect(*where, **how, factory=Full)
        )
        with pytest.raises(DiskFull, match=r"no room left on the disk of run-1/exp\.db"):
            SpanWriter(database)


@pytest.mark.parametrize("how", ["ingest", "annotate", "new"])
def test_a_log_that_there_is_no_room_for_is_not_left_beside_the_database(
    tmp_path: Path, how: str
) -> None:
    one_run(tmp_path / "store")
    before = sorted(tmp_path.rglob("*"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(tmp_path / "store") as store:
        database = store.run("run-1").database
        writes: dict[str, Callable[[], object]] = {
            "ingest": lambda: SpanWriter(database),
            "annotate": lambda: write(database, lambda _: None),
            "new": lambda: create.create_experiment_db(database.path),
        }
        # The index of a log is longer, so that it gets no room, as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            with pytest.raises(DiskFull):
                writes[how]()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_log_that_somebody_has_open_stays(tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    path = tmp_path / "store/run-1/exp.db"
    with closing(create.open_for_writing(path)) as other:
        other.conn.execute("select * from spans").fetchone()
        before = sorted(tmp_path.rglob("*"))
        leftovers.remove_empty_log(DatabaseFiles.at(path))
        assert sorted(tmp_path.rglob("*")) == before
        assert path.with_name("exp.db-shm") in before
