"""The states in which a database file may be found, each left by a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.unit.stores import process

COMMITTED = [1, 2, 3]
"""What table t holds in each of them."""

WAL_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("pragma journal_mode = wal")
connection.execute("create table t (x)")
connection.executemany("insert into t values (?)", [(1,), (2,), (3,)])
print("ready", flush=True)
sys.stdin.read()
connection.close()
"""
# Ten pages of cache for hundreds of changed ones: some reach the file before the commit.
ROLLBACK_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("pragma journal_mode = delete")
connection.execute("create table t (x, filling)")
rows = [(x, "f" * 3000) for x in (1, 2, 3)] + [(None, "f" * 3000)] * 500
connection.execute("begin")
connection.executemany("insert into t values (?, ?)", rows)
connection.execute("commit")
connection.execute("pragma cache_size = 10")
connection.execute("begin")
connection.execute("update t set x = coalesce(x, 0) + 100, filling = replace(filling, 'f', 'g')")
print("ready", flush=True)
sys.stdin.read()
"""


def wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def shm(path: Path) -> Path:
    return path.with_name(f"{path.name}-shm")


def journal(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


@contextmanager
def closed(path: Path) -> Iterator[None]:
    with process(WAL_HOLDER, path):
        pass
    assert not wal(path).exists()
    yield


@contextmanager
def live(path: Path) -> Iterator[None]:
    with process(WAL_HOLDER, path):
        yield


@contextmanager
def killed(path: Path) -> Iterator[None]:
    with process(WAL_HOLDER, path) as holder:
        holder.kill()
    assert wal(path).stat().st_size > 0
    assert shm(path).exists()
    yield


@contextmanager
def copied_while_live(path: Path) -> Iterator[None]:
    with killed(path):
        shm(path).unlink()
        yield


@contextmanager
def rolling_back(path: Path) -> Iterator[None]:
    with process(ROLLBACK_HOLDER, path) as holder:
        holder.kill()
    assert journal(path).stat().st_size > 0
    yield


Situation = Callable[[Path], AbstractContextManager[None]]
SITUATIONS = (closed, live, killed, copied_while_live, rolling_back)
