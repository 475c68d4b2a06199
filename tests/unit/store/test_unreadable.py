"""Whatever reading a file that anybody may have written raises is one error of the store."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowtui.store import counts, errors
from flowtui.store import counts as counting
from flowtui.store import params as logged_params
from flowtui.store.database import Database
from flowtui.store.files.fingerprint import Route
from flowtui.store.lost_records import damage
from flowtui.store.transaction import write
from tests.unit.store.mutants import RUN, make_sound, try_mutant
from tests.unit.stores import age, execute, one_run, opened

SEEDS = range(18)
"""Each way of damage, to each kind of file."""


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(one_run(tmp_path), "run/exp.db")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound(tmp_path_factory.mktemp("sound") / "store")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mutant_is_read_or_refused_in_one_line_and_stays_as_it_is(
    sound: Path, tmp_path: Path, seed: int
) -> None:
    assert try_mutant(sound, tmp_path / "mutant", seed) == []


def test_a_message_of_sqlite_that_is_no_utf8_is_an_error_of_the_store(database: Database) -> None:
    data = database.path.read_bytes()
    place = data.index(b"NOT NULL", data.index(b"CREATE TABLE spans"))
    database.path.write_bytes(data[: place + 5] + b"\xac" + data[place + 6 :])
    for ask in (database.read, lambda question: write(database, question)):
        with pytest.raises(errors.DatabaseCorrupt) as found:
            ask(counts.counts)
        assert str(found.value).startswith("run/exp.db is damaged: ")
        assert "N\N{REPLACEMENT CHARACTER}LL" in str(found.value)
        assert "sqlite3 FILE .recover" in str(found.value)


def raising(error: BaseException) -> Callable[[sqlite3.Connection], None]:
    def ask(_: sqlite3.Connection) -> None:
        raise error

    return ask


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OverflowError("Python int too large to convert to SQLite INTEGER"), "too large"),
        (MemoryError(), "more memory than there is"),
        (RecursionError(), "nested too deeply"),
        (ValueError("embedded null\ncharacter"), "embedded null character"),
        (UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "invalid"), "a\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_what_python_raises_over_stored_values_is_said_of_the_file(
    database: Database, error: Exception, words: str
) -> None:
    for ask in (database.read, lambda question: write(database, question)):
        with pytest.raises(errors.DatabaseCorrupt, match=words) as found:
            ask(raising(error))
        assert "\n" not in str(found.value)
        assert found.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [TypeError("of ours"), KeyError("of ours"), AssertionError("of ours")]
)
def test_a_mistake_of_ours_is_not_said_of_the_file(database: Database, error: Exception) -> None:
    for ask in (database.read, lambda question: write(database, question)):
        with pytest.raises(type(error), match="of ours"):
            ask(raising(error))
        with pytest.raises(sqlite3.ProgrammingError):
            ask(lambda db: db.execute("select :missing", {}))


def test_a_name_with_a_null_is_an_error_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(errors.DatabaseError, match=r"exp\.db cannot be read: .*embedded null"):
        Database(tmp_path / "a\0b" / "exp.db", "run/exp.db").read(counts.counts)


ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"


def test_a_signal_ends_a_read_that_nobody_can_cancel(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def trace(frame: object, event: str, argument: object) -> None:
        # Stands for a signal, whose exception comes up wherever Python happens to be.
        if event == "call" and getattr(frame, "f_code", None) is leave.__code__:
            calls.append(event)
            raise KeyboardInterrupt

    def leave() -> bool:
        return False

    monkeypatch.setattr("flowtui.store.cancelling.is_left", leave)
    sys.setprofile(trace)
    try:
        with pytest.raises(KeyboardInterrupt):
            database.read(lambda db: db.execute(ENDLESS).fetchone())
    finally:
        sys.setprofile(None)
    assert calls


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[4096:8192] + data[:4096] + data[8192:],
        lambda data: data[:9] + b"\x77" + data[10:],
        lambda data: data[:20] + b"\0\0\0\0" + data[24:],
    ],
    ids=["moved", "sum", "salt"],
)
def test_a_log_that_does_not_go_with_its_index_is_read_as_its_writer_would_read_it(
    sound: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[bytes], bytes],
) -> None:
    # SQLite would try for 10 s to join it.
    monkeypatch.setattr(
        "flowtui.store.unreadable.is_no_log_to_join", lambda error: pytest.fail("joined")
    )
    store = Path(shutil.copytree(sound, tmp_path / "store"))
    log = store / RUN / "exp.db-wal"
    with opened(store) as one:
        assert one.run(RUN).database._route(*one.run(RUN).database._look()) is Route.LIVE
        known = one.run(RUN).ask(logged_params.params)
    log.write_bytes(damage(log.read_bytes()))
    age(store)
    with opened(store) as one:
        assert one.run(RUN).database._route(*one.run(RUN).database._look()) is Route.COPY
        assert known is not None
        assert {param.key for param in known} - {
            param.key for param in one.run(RUN).ask(logged_params.params) or ()
        } == {"by"}


# Counting ---------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_not_counted(tmp_path: Path) -> None:
    path = one_run(tmp_path)
    rows = [(f"{n}", "1", "a" * 900) for n in range(300)]
    execute(path, "insert into evals (id, dataset_id, inputs) values (?, ?, ?)", rows)
    data = path.read_bytes()
    place = data.index(b"a" * 900) // 4096 * 4096
    path.write_bytes(data[:place] + b"\xff" * 4096 + data[place + 4096 :])
    with opened(tmp_path) as store, pytest.raises(errors.DatabaseCorrupt, match="malformed"):
        store.run("run-1").ask(counting.counts)


def test_an_index_that_says_otherwise_than_its_table_is_told(tmp_path: Path) -> None:
    path = one_run(tmp_path)
    execute(path, "create table kept as select * from evals")
    rows = [(f"{n}", "1", "{}") for n in range(9)]
    execute(path, "insert into evals (id, dataset_id, inputs) values (?, ?, ?)", rows)
    with sqlite3.connect(path) as connection:
        connection.execute("pragma writable_schema = 1")
        connection.execute(
            "update sqlite_master set rootpage ="
            " (select rootpage from sqlite_master where name = 'kept') where name = 'evals'"
        )
    connection.close()
    with opened(tmp_path) as store:
        assert store.run("run-1").ask(counting.counts).samples == 0
        assert any(
            "SQLite finds the file damaged" in text
            for text in damage(store.meta, store.run("run-1"))
        )
