"""Database files that cannot be read: the right error, in one line."""

from __future__ import annotations

import gzip
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from flowtui.store import database as module
from flowtui.store import errors
from flowtui.store.database import Database
from flowtui.store.transaction import write
from tests.unit.situations import WAL_HOLDER, wal
from tests.unit.stores import age, as_another_user, execute, process

ROWS = 2000


def count(connection: sqlite3.Connection) -> int:
    rows = connection.execute("select length(text) from t order by length(text)").fetchall()
    return len(rows)


def failure(path: Path) -> tuple[str, str]:
    """Gives the kind and the text of the error that a read ends with."""
    try:
        answer = Database(path, "run/exp.db").read(count)
    except errors.DatabaseError as error:
        return type(error).__name__, str(error)
    return "no error", f"read {answer} rows"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "exp.db"
    execute(path, "create table t (text)")
    execute(path, "insert into t values (?)", (("x" * 40,) for _ in range(ROWS)))
    age(tmp_path)
    return path


def assert_kind(path: Path, kind: str) -> None:
    found, text = failure(path)
    assert found == kind, text
    assert text.startswith("run/exp.db")
    assert "\n" not in text


@pytest.mark.parametrize(
    "size", [1, 16, 99, 100, 101, 512, 1000, 4095, 4096, 5000, 8192, 40_000, -4096, -1]
)
def test_a_truncated_database_is_corrupt(sound: Path, size: int) -> None:
    data = sound.read_bytes()
    sound.write_bytes(data[:size])
    assert_kind(sound, "DatabaseCorrupt")


@pytest.mark.parametrize("size", [1, 100, 4096, 100_000])
def test_random_bytes_are_corrupt(tmp_path: Path, size: int) -> None:
    path = tmp_path / "exp.db"
    path.write_bytes(random.Random(size).randbytes(size))
    assert_kind(path, "DatabaseCorrupt")


@pytest.mark.parametrize("seed", range(20))
def test_damage_inside_a_database_is_an_error_or_does_no_harm(sound: Path, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(sound.read_bytes())
    for _ in range(30):
        data[chance.randrange(len(data))] = chance.randrange(256)
    sound.write_bytes(data)
    kind, text = failure(sound)
    assert kind in ("DatabaseCorrupt", "no error"), text
    assert "\n" not in text


def test_an_empty_file_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    path.touch()
    assert_kind(path, "DatabaseCorrupt")
    assert "is empty" in failure(path)[1]
    with pytest.raises(errors.DatabaseCorrupt):
        Database(path, "run/exp.db").read(lambda connection: None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n",
            "Git LFS pointer",
        ),
        (b"/annex/objects/SHA256E-s9--4d7a.db\n", "git-annex pointer"),
        (b"\n <!DOCTYPE html>" + b"<p>403</p>" * 900, "an HTML page"),
        (gzip.compress(random.Random(1).randbytes(9_000)), "packed with gzip"),
        (bytes(8_192), "nothing but zeros"),
        (bytes(1), "nothing but zeros"),
        ("größer\n".encode() * 1_000, "it is text"),
        (b"x", "it is text"),
        (random.Random(2).randbytes(8_192), "may be encrypted"),
        (b"SQLite format 3\0" + bytes(40), "the beginning of one"),
    ],
)
def test_what_is_no_database_is_said_to_be_what_it_is(
    tmp_path: Path, data: bytes, words: str
) -> None:
    path = tmp_path / "exp.db"
    path.write_bytes(data)
    assert_kind(path, "DatabaseCorrupt")
    text = failure(path)[1]
    assert text.startswith("run/exp.db is not a SQLite database: ")
    assert words in text


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "a folder"),
        (os.mkfifo, "a pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
    ],
)
@pytest.mark.parametrize("suffix", ["", "-shm", "-wal"])
def test_what_is_no_file_is_not_opened(
    sound: Path, make: Callable[[Path], None], words: str, suffix: str
) -> None:
    path = sound.with_name(f"exp.db{suffix}")
    path.unlink(missing_ok=True)
    make(path)
    wanted = ("DatabaseCorrupt", f"run/exp.db{suffix} is {words}, not a file")
    assert failure(sound) == wanted
    with pytest.raises(errors.DatabaseCorrupt, match="not a file"):
        write(Database(sound, "run/exp.db"), lambda connection: None)


def test_a_missing_table_is_said_to_be_damage(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    execute(path, "create table other (x)")
    assert failure(path) == ("DatabaseCorrupt", "run/exp.db is damaged: no such table: t")


@pytest.mark.parametrize("relative", ["exp.db", "run/exp.db", "file/exp.db"])
def test_a_file_that_is_not_there_is_missing(tmp_path: Path, relative: str) -> None:
    (tmp_path / "file").touch()
    assert failure(tmp_path / relative) == ("DatabaseMissing", "run/exp.db is missing")


def test_a_name_that_no_file_can_have_is_an_error_of_the_store(tmp_path: Path) -> None:
    assert failure(tmp_path / ("x" * 5000) / "exp.db") == (
        "DatabaseError",
        "run/exp.db cannot be read: File name too long",
    )


def deny_file(folder: Path) -> None:
    (folder / "exp.db").chmod(0)


def deny_folder(folder: Path) -> None:
    folder.chmod(0)


@pytest.mark.parametrize("deny", [deny_file, deny_folder])
def test_what_this_user_may_not_read_is_denied(folder: Path, deny: Callable[[Path], None]) -> None:
    run = folder / "run"
    run.mkdir()
    execute(run / "exp.db", "create table t (text)")
    deny(run)
    kind, text = as_another_user(lambda: failure(run / "exp.db"))
    assert kind == "DatabaseDenied"
    assert text.lower().startswith("run/exp.db: permission denied")
    run.chmod(0o700)


@pytest.mark.parametrize(("beside", "denied"), [("all", "-wal"), ("all", "-shm"), ("log", "-wal")])
def test_a_log_that_this_user_may_not_read_is_denied(
    folder: Path, beside: str, denied: str
) -> None:
    path = folder / "exp.db"
    with process(WAL_HOLDER, path) as holder:
        holder.kill()
    if beside == "log":
        path.with_name("exp.db-shm").unlink()
    path.with_name(f"exp.db{denied}").chmod(0)
    kind, text = as_another_user(lambda: failure(path))
    assert kind == "DatabaseDenied", text
    assert "permission denied" in text


EXCLUSIVE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("pragma journal_mode = wal")
connection.execute("create table t (text)")
connection.execute("pragma locking_mode = exclusive")
connection.execute("insert into t values ('x')")
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_lock_that_outlasts_the_timeout_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.1)
    path = tmp_path / "exp.db"
    with process(EXCLUSIVE, path):
        assert wal(path).exists()
        kind, text = failure(path)
    assert kind == "DatabaseBusy"
    assert text == "run/exp.db is locked by another process; trying again may help"


def test_a_file_that_never_rests_is_busy(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.1)

    def rewrite(connection: sqlite3.Connection) -> None:
        sound.write_bytes(sound.read_bytes())

    with pytest.raises(errors.DatabaseBusy, match="being rewritten"):
        Database(sound, "run/exp.db").read(rewrite)
