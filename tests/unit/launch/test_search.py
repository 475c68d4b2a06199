"""Which run is a program's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flowtui import clock
from flowtui.launch.search import MARK, RunSearch
from tests.conftest import open_store
from tests.unit.stores import execute, held, one_run

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells the open files of a process"
)

HOLD = """
import os, sqlite3, sys
for _ in range(int(sys.argv[1])):
    if os.fork():
        os._exit(0)
    os.setsid()
open_ones = [sqlite3.connect(path) for path in sys.argv[2:]]
for one in open_ones:
    one.execute("select count(*) from sqlite_master").fetchone()
print(os.getpid(), flush=True)
sys.stdin.read()
"""


@contextmanager
def program(mark: str, *paths: Path, forks: int = 0) -> Iterator[int]:
    """Run a program that opens databases, after so many forks that leave their parent."""
    words = [sys.executable, "-c", HOLD, str(forks), *map(str, paths)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env={MARK: mark}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid


def no_store() -> Path:
    raise AssertionError("where open files are told, no store is looked for")


@pytest.mark.parametrize("forks", [0, 1, 2])
def test_the_run_that_a_process_of_the_program_holds_open_is_its_own(
    tmp_path: Path, forks: int
) -> None:
    database = one_run(tmp_path / "store")
    search = RunSearch(no_store)
    with program(search.mark, database, forks=forks) as pid:
        found = search.look(pid)
    assert found is not None
    assert (found.directory, found.run_id) == (tmp_path / "store", "run-1")
    assert found.is_ours is False


def test_a_run_that_somebody_else_holds_open_is_not(tmp_path: Path) -> None:
    database = one_run(tmp_path / "store")
    search = RunSearch(no_store)
    with held(database), program(search.mark) as pid, program("other", database):
        assert search.look(pid) is None


def test_a_run_that_has_ended_is_only_read(tmp_path: Path, demo_directory: Path) -> None:
    ended = open_store(demo_directory).resolve("resnet50-cosine").database.path
    search = RunSearch(no_store)
    with program(search.mark, ended) as pid:
        assert search.look(pid) is None


def test_of_several_the_one_that_was_made_last_is_its_own(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first, second = one_run(store), one_run(store, run_id="run-2")
    made_at(store, "run-1", "2020-01-01 00:00:00")
    search = RunSearch(no_store)
    with program(search.mark, first, second) as pid:
        found = search.look(pid)
    assert found is not None
    assert found.run_id == "run-2"


def test_without_open_files_it_is_the_newest_active_run_since_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowtui.launch.search.is_told", lambda: False)
    store = tmp_path / "store"
    one_run(store)
    search = RunSearch(lambda: store)
    assert search.look(1) is None
    made_at(store, "run-1", f"{clock.now():%Y-%m-%d %H:%M:%S}")
    found = search.look(1)
    assert found is not None
    assert found.run_id == "run-1"


def made_at(store: Path, run_id: str, when: str) -> None:
    execute(
        store / "meta.db", f"update experiments set created_at = '{when}' where id = '{run_id}'"
    )
