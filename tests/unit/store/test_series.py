"""Series of one metric: what is read of them, broken rows, and the store that answers."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.metrics import points
from flowtui.store.metrics import points as metric_points
from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics.points import Page, extent, next_point, page, point_at
from flowtui.store.metrics.series import extended, series
from flowtui.store.metrics.values import Extent, Neighbours, Series
from flowtui.store.schema import ddl
from flowtui.store.values import LoggedPoint
from tests.unit.stores import NOW, age, contents, execute, one_run, opened, writer

KEY = "train/loss"


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for table in ddl.EXPERIMENT_TABLES:
            connection.execute(table)
        yield connection


def log(db: sqlite3.Connection, rows: Sequence[tuple[Any, Any]], key: str = KEY) -> None:
    db.executemany(
        "insert or replace into dynamic_metrics (key, step, value, logged_at)"
        " values (?, ?, ?, '2026-06-01 12:00:00')",
        [(key, step, value) for step, value in rows],
    )


def read(db: sqlite3.Connection, window: tuple[int, int] | None = None, columns: int = 2) -> Series:
    made = series(db, KEY, window, columns)
    assert made is not None
    return made


def work(db: sqlite3.Connection, ask: Callable[[], object]) -> int:
    """Gives about how many hundreds of SQLite's instructions a question takes."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    db.set_progress_handler(count, 100)
    ask()
    db.set_progress_handler(None, 0)
    return taken


def test_a_spike_of_one_point_in_many_is_in_its_column(db: sqlite3.Connection) -> None:
    log(db, [(step, 1e6 if step == 12_345 else 1.0) for step in range(50_000)])
    for window in (None, (0, 49_999), (12_000, 13_999)):
        made = read(db, window, 100)
        (spike,) = [column for column in made.columns if column.start <= 12_345 <= column.end]
        assert spike.maximum == LoggedPoint(12_345, 1e6, NOW)
        assert spike.minimum == LoggedPoint(spike.first.step, 1.0, NOW)
        assert sum(column.maximum == spike.maximum for column in made.columns) == 1


def test_a_column_gives_its_points_in_order_and_once(db: sqlite3.Connection) -> None:
    log(db, [(0, 3.0), (1, 1.0), (2, 9.0), (3, 5.0), (4, 2.0), (5, 2.0), (6, 2.0), (7, 2.0)])
    first, second = read(db, (0, 7), 1).columns[0], read(db, (4, 7), 1).columns[0]
    assert [point.step for point in first.points] == [0, 1, 2, 7]
    assert [point.step for point in second.points] == [4]


def test_the_window_reaches_beyond_the_metric(db: sqlite3.Connection) -> None:
    log(db, [(step, float(step)) for step in range(100)])
    made = read(db, (-(10**30), 10**30), 3)
    assert made.count == 100
    assert (made.start, made.end) == (-(10**30), 10**30)
    assert read(db, (200, 300)).columns == ()
    assert read(db, (2**70, 2**71)).columns == ()
    assert read(db, (200, 300)).last.step == 99


def test_few_steps_far_apart_cost_no_more_than_their_number(db: sqlite3.Connection) -> None:
    log(db, [(step * 10**15, 1.0) for step in range(100)])
    assert work(db, lambda: read(db, (0, 10**17), 20)) < 200
    assert read(db, (0, 10**17), 20).count == 100


@pytest.mark.parametrize("window", [None, (0, 30_000)])
def test_appended_points_are_all_that_is_read(
    db: sqlite3.Connection, window: tuple[int, int] | None
) -> None:
    log(db, [(step, 1.0) for step in range(20_000)])
    known = read(db, window, 50)
    log(db, [(20_000, 0.5)])
    assert work(db, lambda: extended(db, known)) < 30
    grown = extended(db, known)
    assert grown == read(db, window, 50)
    assert grown is not None
    assert (grown.read_mark, grown.mark) == (20_000, 20_001)


def test_points_of_other_metrics_only_move_the_mark(db: sqlite3.Connection) -> None:
    log(db, [(step, 1.0) for step in range(10)])
    known = read(db)
    log(db, [(0, 1.0)], key="other")
    grown = extended(db, known)
    assert grown is not None
    assert grown.columns is known.columns
    assert grown.mark == known.mark + 1
    assert grown.read_mark == known.read_mark


def test_few_points_become_columns_when_they_are_many(db: sqlite3.Connection) -> None:
    log(db, [(step, float(step)) for step in range(8)])
    known: Series | None = read(db)
    assert known is not None
    assert len(known.columns) == 8
    log(db, [(8, 8.0)])
    known = extended(db, known)
    assert known == read(db)
    assert known is not None
    assert len(known.columns) == 2


def test_a_replaced_point_is_read_anew(db: sqlite3.Connection) -> None:
    log(db, [(step, float(step)) for step in range(100)])
    known = read(db)
    log(db, [(50, -1.0)])
    grown = extended(db, known)
    assert grown is not None
    assert grown == read(db)
    assert grown.read_mark == grown.mark
    assert LoggedPoint(50, -1.0, NOW) in [column.minimum for column in grown.columns]


def test_a_table_made_anew_is_read_anew(db: sqlite3.Connection) -> None:
    log(db, [(step, 1.0) for step in range(100)])
    known = read(db)
    db.execute("delete from dynamic_metrics")
    assert extended(db, known) is None
    log(db, [(0, 3.0)])
    assert extended(db, known) == read(db)


@pytest.mark.parametrize("step", [None, "ten", math.inf, -math.inf, b"\x01"])
@pytest.mark.parametrize("count", [4, 100])
def test_rows_without_a_step_are_counted_and_nowhere(
    db: sqlite3.Connection, step: object, count: int
) -> None:
    log(db, [(at, 1.0) for at in range(count)])
    clean = read(db)
    log(db, [(step, -50.0)])
    grown = extended(db, clean)
    assert grown == read(db)
    assert grown is not None
    assert grown.columns == clean.columns
    assert grown.last == clean.last
    assert (clean.unreadable_count, grown.unreadable_count) == (0, 1)
    assert extent(db, KEY) == Extent(clean.first, clean.last, count, 1)
    assert [point.step for point in page(db, KEY, -10, 10**6).points] == list(range(count))
    assert point_at(db, KEY, 7).before != LoggedPoint(7, -50.0, NOW)


@pytest.mark.parametrize("count", [6, 100])
def test_values_that_are_no_numbers_are_counted_apart(db: sqlite3.Connection, count: int) -> None:
    odd = ["high", b"\x00", None, math.inf, -math.inf, "tail"]
    log(db, [*enumerate(odd), *((step, 2.0) for step in range(6, count))])
    made = read(db)
    assert made.count == count
    assert (made.unreadable_count, made.nan_count) == (3, 1)
    assert (made.pos_inf_count, made.neg_inf_count) == (1, 1)
    lows = {column.minimum for column in made.columns if column.minimum is not None}
    assert {point.value for point in lows} == ({2.0} if count > 6 else set())
    assert math.isnan(made.first.value)
    nan, inf = next_point(db, KEY, -1, "after", "nan"), next_point(db, KEY, 9, "before", "inf")
    assert nan is not None
    assert inf is not None
    assert (nan.step, inf.step) == (2, 4)


def test_points_of_a_window_are_counted(db: sqlite3.Connection) -> None:
    log(db, [(step, None if step == 4 else 1.0) for step in range(0, 20, 2)])
    log(db, [("ten", 1.0), (None, 1.0), (7.5, 1.0)])
    log(db, [(4, 1.0)], key="other")
    assert points.count(db, KEY, 3, 8) == 4
    assert points.count(db, KEY, 7.25, 7.75) == 1
    assert points.count(db, KEY, 4, 4) == 1
    assert points.count(db, KEY, 5, 4) == 0
    assert points.count(db, KEY, -(2**70), 2**70) == 11
    assert points.count(db, KEY, 2**63, 2**70) == 0


def test_a_time_that_is_none_is_left_out(db: sqlite3.Connection) -> None:
    log(db, [(0, 1.0), (1, 2.0)])
    db.execute("update dynamic_metrics set logged_at = 'yesterday' where step = 1")
    made = read(db)
    assert made.first.logged_at == NOW
    assert made.last.logged_at is None


def test_a_key_that_is_not_utf8_can_be_asked_for(db: sqlite3.Connection) -> None:
    db.execute(
        "insert into dynamic_metrics (key, step, value) values (cast(x'61ff' as text), 3, 0.5)"
    )
    made = series(db, "a\udcff", None, 5)
    assert made is not None
    assert made.count == 1
    assert extended(db, made) == made
    assert point_at(db, "a\udcff", 3).at == made.first


def test_a_metric_without_points_has_no_series(db: sqlite3.Connection) -> None:
    log(db, [(None, 1.0)])
    for key in (KEY, "other"):
        assert series(db, key, None, 5) is None
        assert extent(db, key) == (Extent(None, None, 0, 1) if key == KEY else None)
        assert point_at(db, key, 0) == Neighbours()
        assert next_point(db, key, 0) is None
        assert page(db, key, 0, 9) == Page(())


def test_a_schema_without_metrics_has_none() -> None:
    with closing(sqlite3.connect(":memory:")) as empty:
        assert series(empty, KEY, None, 5) is None
        assert extent(empty, KEY) is None
        assert point_at(empty, KEY, 0) == Neighbours()
        assert next_point(empty, KEY, 0) is None
        assert points.count(empty, KEY, 0, 9) == 0
        assert page(empty, KEY, 0, 9) == Page(())


@pytest.mark.parametrize(("window", "columns"), [((5, 4), 10), (None, 0), ((0, 9), -1)])
def test_a_chart_without_columns_is_refused(
    db: sqlite3.Connection, window: tuple[int, int] | None, columns: int
) -> None:
    with pytest.raises(ValueError, match="no chart has the window"):
        series(db, KEY, window, columns)


def test_all_points_come_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "PAGE_POINTS", 7)
    for count in (0, 1, 6, 7, 8, 14, 50):
        logged = {step * 3 - 9: float(step) for step in range(count)}
        one_run(tmp_path, points={"loss": logged}, run_id=f"run-{count}")
        with opened(tmp_path) as store:
            found = list(store.run(f"run-{count}").metrics.points("loss", (-100, 1_000)))
            assert {point.step: point.value for point in found} == logged
            assert [point.step for point in found] == sorted(logged)
            assert [
                point.step for point in store.run(f"run-{count}").metrics.points("loss", (0, 20))
            ] == [step for step in logged if 0 <= step <= 20]


def test_points_logged_during_an_export_come_if_they_lie_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "PAGE_POINTS", 3)
    path = one_run(tmp_path, points={"loss": dict.fromkeys(range(0, 20, 2), 1.0)})
    with opened(tmp_path) as store:
        found = store.run("run-1").metrics.points("loss", (0, 100))
        met = [next(found).step for _ in range(3)]
        execute(
            path,
            "insert or replace into dynamic_metrics (key, step, value) values ('loss', ?, 2.0)",
            [(1,), (11,), (12,), (30,)],
        )
        rest = list(found)
    assert met == [0, 2, 4]
    assert [point.step for point in rest] == [6, 8, 10, 11, 12, 14, 16, 18, 30]
    assert [point.step for point in rest if point.value == 2.0] == [11, 12, 30]


def test_the_store_answers_what_a_chart_and_its_crosshair_ask(tmp_path: Path) -> None:
    values = {step: math.nan if step == 700 else float(step) for step in range(1_000)}
    with writer(tmp_path) as made:
        made.start_run("run-1", "run-1")
        with made.experiment("run-1") as experiment:
            experiment.metrics(
                ("loss", value, step, NOW + timedelta(seconds=step))
                for step, value in values.items()
            )
    age(tmp_path)
    before = contents(tmp_path)
    with opened(tmp_path) as store:
        whole = store.run("run-1").metrics.ask("loss", metric_series.series, "loss", None, 20)
        assert whole is not None
        assert (whole.count, whole.nan_count) == (1_000, 1)
        assert whole.last.logged_at == NOW + timedelta(seconds=999)
        assert store.run("run-1").metrics.ask(whole.key, metric_series.extended, whole) == whole
        found = store.run("run-1").metrics.ask("loss", metric_points.point_at, "loss", 700)
        assert (found.before and found.before.step, found.after and found.after.step) == (699, 701)
        assert found.at is not None
        assert math.isnan(found.at.value)
        nan = store.run("run-1").metrics.ask(
            "loss", metric_points.next_point, "loss", 10, kind="nan"
        )
        assert nan is not None
        assert nan.step == 700
        with cancelling(lambda: True), pytest.raises(ReadCancelled):
            store.run("run-1").metrics.ask("loss", metric_series.series, "loss", None, 20)
    assert contents(tmp_path) == before
