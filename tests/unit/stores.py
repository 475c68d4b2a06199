"""Small stores, processes that hold them, and what every test of the store package needs."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from flowtui.store.files import file_systems
from flowtui.store.schema import ParamValue, StoreWriter
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation

T = TypeVar("T")

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
LONG_AGO_NS = 1_700_000_000_000_000_000
NOBODY = 65534
DEADLINE_S = 20.0

_HOLD = """
import sqlite3, sys
held = [sqlite3.connect(path) for path in sys.argv[1:]]
for one in held:
    one.execute("pragma journal_mode = wal")
    one.execute("select count(*) from sqlite_master").fetchone()
print("ready", flush=True)
sys.stdin.read()
"""
_WRITE = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1])
held.execute("pragma journal_mode = wal")
held.execute("insert into static_params values ('by', 'a process', 'str')")
held.commit()
print("ready", flush=True)
sys.stdin.read()
"""


def writer(directory: Path) -> StoreWriter:
    return StoreWriter(directory, clock=lambda: NOW, durable=False)


def one_run(
    directory: Path,
    params: Mapping[str, ParamValue] | None = None,
    points: Mapping[str, Mapping[float, float]] | None = None,
    run_id: str = "run-1",
) -> Path:
    """Makes a store with an active run, or adds one, and gives the run's exp.db."""
    with writer(directory) as store:
        store.start_run(run_id, run_id)
        with store.experiment(run_id) as experiment:
            experiment.params(params or {})
            for key, of in (points or {}).items():
                experiment.metrics((key, value, step, NOW) for step, value in of.items())
    return directory / run_id / "exp.db"


def model_file(manifest: bytes = b"{}") -> bytes:
    """Gives a small model as the SDK keeps one."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in (("manifest.json", manifest), ("weights", b"w" * 1_000)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


@contextmanager
def opened(directory: Path) -> Iterator[Store]:
    with closing(Store(StoreLocation(directory, "a test"))) as store:
        yield store


def execute(path: Path, sql: str, values: Iterable[tuple[object, ...]] = ((),)) -> None:
    """Writes into a database in one transaction and closes it, without waiting for the disk."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("pragma synchronous = off")
        connection.executemany(sql, values)


def age(*folders: Path) -> None:
    """Makes all files look old, so that no later write can carry the same time."""
    for folder in folders:
        for path in folder.rglob("*"):
            os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))


def contents(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Gives (digest, mtime, owner) of each file and folder below a folder, by its path there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        state = path.stat()
        found[str(path.relative_to(folder))] = (
            hashlib.sha256(data).hexdigest(),
            state.st_mtime_ns,
            state.st_uid,
        )
    return found


def until(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition, and fails when it has not come in good time."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {DEADLINE_S} s"
        time.sleep(0.002)


@contextmanager
def process(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Runs a script that works until its standard input ends; its first line says it is ready."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child
        finally:
            if child.stdin is not None and not child.stdin.closed:
                child.stdin.close()


@contextmanager
def held(*paths: Path) -> Iterator[None]:
    """Have a process hold databases open, as a training process does."""
    with process(_HOLD, *paths):
        yield


def killed(path: Path) -> None:
    """Leave a database as a process that wrote into it and was killed does."""
    with process(_WRITE, path) as child:
        child.kill()
        child.wait()


def mounted(folder: Path, kind: str, patch: pytest.MonkeyPatch) -> None:
    """Has a folder taken for one on a file system of some kind, as other machines share it."""
    table = folder.with_name(f"{folder.name}-mountinfo")
    table.write_text(
        f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / {folder} rw - {kind} host:/data rw\n"
    )
    patch.setattr(file_systems, "MOUNTS", table)


def as_another_user(ask: Callable[[], T]) -> T:
    """Gives what a function answers in a process of its own, which is nobody's where it can be.

    Only root can become another user; anybody else's process keeps its own, and is then as little
    allowed to do what the modes of the files forbid.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of forks beside threads; pytest's own threads do not take part.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                # The one that runs the tests may lie where only root gets to.
                sys.executable = shutil.which(sys.executable) or shutil.which("python3") or ""
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(ask(), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    assert os.waitpid(child, 0)[1] == 0, "the other user's process failed"
    answer: Any = pickle.loads(data)
    return answer  # type: ignore[no-any-return]
