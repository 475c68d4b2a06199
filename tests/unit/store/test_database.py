"""Reading a database file: how it is opened, and that neither it nor its writer notices."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.store import errors
from flowtui.store.cancelling import cancelling
from flowtui.store.database import Database, table_columns
from flowtui.store.files.fingerprint import MTIME_GRAIN_NS, Route
from tests.unit.situations import (
    COMMITTED,
    SITUATIONS,
    WAL_HOLDER,
    Situation,
    closed,
    copied_while_live,
    killed,
    live,
    rolling_back,
    shm,
    wal,
)
from tests.unit.stores import (
    LONG_AGO_NS,
    age,
    as_another_user,
    contents,
    execute,
    process,
)


def values(connection: sqlite3.Connection) -> list[int]:
    rows = connection.execute("select x from t where x is not null order by rowid")
    return [x for (x,) in rows]


def read(path: Path) -> list[int]:
    with closing(Database(path, "run/exp.db")) as database:
        return database.read(values)


@pytest.mark.parametrize(
    ("situation", "route"),
    [
        (closed, Route.IMMUTABLE),
        (live, Route.LIVE),
        (killed, Route.LIVE),
        (copied_while_live, Route.COPY),
        (rolling_back, Route.COPY),
    ],
)
def test_what_lies_beside_a_database_decides_how_it_is_opened(
    tmp_path: Path, situation: Situation, route: Route
) -> None:
    path = tmp_path / "exp.db"
    with situation(path):
        has_shm = shm(path).exists()
        assert Database(path, "run/exp.db").fingerprint().route(has_shm) is route


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_read_sees_what_was_committed_and_leaves_no_mark(
    folder: Path, situation: Situation
) -> None:
    path = folder / "exp.db"
    with situation(path):
        before = contents(folder)
        assert read(path) == COMMITTED
        assert contents(folder) == before


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("mode", [0o777, 0o555])
def test_another_users_read_leaves_no_mark_whether_it_may_write_there_or_not(
    folder: Path, situation: Situation, mode: int
) -> None:
    path = folder / "exp.db"
    with situation(path):
        before = contents(folder)
        folder.chmod(mode)
        assert as_another_user(lambda: read(path)) == COMMITTED
        assert contents(folder) == before
        folder.chmod(0o777)


def test_an_empty_write_ahead_log_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    with closed(path):
        wal(path).touch()
        assert read(path) == COMMITTED
        assert not shm(path).exists()


@pytest.mark.parametrize("name", ["a?b", "a#b", "100%41", "日本 é", "a\nb", ";'\""])
def test_any_folder_name_is_taken_for_what_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "exp.db"
    path.parent.mkdir()
    with closed(path):
        assert read(path) == COMMITTED


LOGGER = """
import sqlite3, sys, threading
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("pragma journal_mode = wal")
connection.execute("pragma synchronous = off")
connection.execute("pragma wal_autocheckpoint = 20")
connection.execute("create table if not exists t (x integer)")
print("ready", flush=True)
is_over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), is_over.set())).start()
written = errors = 0
while not is_over.is_set():
    try:
        connection.execute("insert into t values (?)", (written + 1,))
        written += 1
    except sqlite3.Error:
        errors += 1
connection.close()
print(written, errors, flush=True)
"""


def follow(path: Path, rows: int) -> list[tuple[int, int]]:
    """Reads (count, sum) over and over until there are that many rows, and ten times at least."""

    def count_and_sum(connection: sqlite3.Connection) -> tuple[int, int]:
        (count,) = connection.execute("select count(*) from t").fetchone()
        (total,) = connection.execute("select coalesce(sum(x), 0) from t").fetchone()
        return count, total

    answers: list[tuple[int, int]] = []
    with closing(Database(path, "run/exp.db")) as database:
        while len(answers) <= 10 or answers[-1][0] < rows:
            answers.append(database.read(count_and_sum))
    return answers


@pytest.mark.parametrize("run_as", [lambda ask: ask(), as_another_user], ids=["same", "another"])
def test_reads_beside_a_writer_are_consistent_and_do_not_hurt_it(
    folder: Path, run_as: Callable[[Callable[[], list[tuple[int, int]]]], list[tuple[int, int]]]
) -> None:
    path = folder / "exp.db"
    with process(LOGGER, path) as logger:
        answers = run_as(lambda: follow(path, 3000))
        assert logger.stdin is not None
        assert logger.stdout is not None
        logger.stdin.close()
        written, errors = map(int, logger.stdout.read().split())
    assert errors == 0
    assert len(answers) > 10
    assert answers == sorted(answers)
    assert all(total == count * (count + 1) // 2 for count, total in answers)
    assert [file.name for file in folder.iterdir()] == ["exp.db"]
    alone = shutil.copy(path, folder / "alone.db")
    assert read(Path(alone)) == list(range(1, written + 1))


def test_a_read_during_the_writers_last_close_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    with process(WAL_HOLDER, path) as holder:

        def question(connection: sqlite3.Connection) -> list[int]:
            first = values(connection)
            assert holder.stdin is not None
            holder.stdin.close()
            assert holder.wait() == 0
            assert values(connection) == first
            return first

        with closing(Database(path, "run/exp.db")) as database:
            assert database.read(question) == COMMITTED
    assert wal(path).stat().st_size > 0
    assert read(path) == COMMITTED
    execute(path, "insert into t values (4)")
    assert [file.name for file in tmp_path.iterdir()] == ["exp.db"]
    assert read(path) == [*COMMITTED, 4]


def test_the_answer_is_asked_again_when_the_file_changes_under_an_immutable_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "exp.db"
    with closed(path):
        age(tmp_path)
    seen: list[list[int]] = []

    def question(connection: sqlite3.Connection) -> list[int]:
        seen.append(values(connection))
        if len(seen) == 1:
            execute(path, "insert into t values (4)")
        return seen[-1]

    assert Database(path, "run/exp.db").read(question) == [1, 2, 3, 4]
    assert seen[0] == COMMITTED


def test_a_change_within_one_tick_of_the_clock_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "exp.db"
    with closed(path):
        pass
    now_ns = LONG_AGO_NS
    monkeypatch.setattr("flowtui.store.files.fingerprint.time.time_ns", lambda: now_ns)
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    seen: list[list[int]] = []

    def question(connection: sqlite3.Connection) -> list[int]:
        nonlocal now_ns
        now_ns += 2 * MTIME_GRAIN_NS
        seen.append(values(connection))
        if len(seen) == 1:
            execute(path, "update t set x = x + 1")
            os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
        return seen[-1]

    assert Database(path, "run/exp.db").read(question) == [2, 3, 4]


def test_a_stamp_from_the_far_future_does_not_hold_up_a_read(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    with closed(path):
        os.utime(path, ns=(4 * 10**18, 4 * 10**18))
        calls: list[None] = []
        Database(path, "run/exp.db").read(lambda connection: calls.append(None))
    assert len(calls) == 1


def test_a_cancelled_read_ends_at_once(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    answers = iter([False, False, False])
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    with (
        closed(path),
        cancelling(lambda: next(answers, True)),
        pytest.raises(errors.ReadCancelled),
    ):
        Database(path, "run/exp.db").read(lambda connection: connection.execute(endless).fetchone())


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_question_cannot_write(tmp_path: Path, situation: Situation) -> None:
    path = tmp_path / "exp.db"
    with situation(path), closing(Database(path, "run/exp.db")) as database:
        before = contents(tmp_path)
        with pytest.raises(errors.DatabaseError, match="readonly"):
            database.read(lambda connection: connection.execute("delete from t"))
        assert contents(tmp_path) == before


def test_undecodable_text_survives_as_surrogates(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    execute(path, "create table names (name text)")
    execute(path, "insert into names values (cast(x'61ff62' as text))")
    (name,) = Database(path, "run/exp.db").read(
        lambda connection: connection.execute("select name from names").fetchone()
    )
    assert name == "a\udcffb"
    assert name.encode("utf-8", "surrogateescape") == b"a\xffb"


def test_a_copy_that_was_made_while_the_files_changed_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "exp.db"
    with closed(path):
        later = Path(shutil.copy(path, tmp_path / "later.db"))
        execute(later, "update t set x = x + 1")
        # SQLite passes over a log without a header, but it could be anybody's.
        wal(path).write_bytes(bytes(32))
    now_ns = LONG_AGO_NS
    monkeypatch.setattr("flowtui.store.files.fingerprint.time.time_ns", lambda: now_ns)
    age(tmp_path)
    seen: list[list[int]] = []

    def question(connection: sqlite3.Connection) -> list[int]:
        nonlocal now_ns
        now_ns += 2 * MTIME_GRAIN_NS
        seen.append(values(connection))
        if len(seen) == 1:
            path.write_bytes(later.read_bytes())
            age(tmp_path)
        return seen[-1]

    with closing(Database(path, "run/exp.db")) as database:
        assert database.read(question) == [2, 3, 4]
    assert seen[0] == COMMITTED


def test_a_private_copy_is_kept_while_it_is_true_and_removed_on_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    path = tmp_path / "exp.db"
    with copied_while_live(path), closing(Database(path, "run/exp.db")) as database:
        os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
        os.utime(wal(path), ns=(LONG_AGO_NS, LONG_AGO_NS))
        database.read(values)
        first = list(copies.iterdir())
        database.read(values)
        assert list(copies.iterdir()) == first
        os.utime(path, ns=(LONG_AGO_NS + 1, LONG_AGO_NS + 1))
        database.read(values)
        assert len(list(copies.iterdir())) == 1
        assert list(copies.iterdir()) != first
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize("situation", [closed, live, copied_while_live])
def test_threads_read_at_the_same_time(tmp_path: Path, situation: Situation) -> None:
    path = tmp_path / "exp.db"
    with (
        situation(path),
        closing(Database(path, "run/exp.db")) as database,
        ThreadPoolExecutor(4) as pool,
    ):
        answers = list(pool.map(lambda _: database.read(values), range(20)))
    assert answers == [COMMITTED] * 20


def test_columns_of_a_table_that_is_not_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    execute(path, "create table t (a, b)")
    with closing(sqlite3.connect(path)) as connection:
        assert table_columns(connection, "t") == {"a", "b"}
        assert table_columns(connection, "u") == frozenset()
