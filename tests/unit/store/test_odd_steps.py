"""Steps that SQLite keeps as something else than a whole number, as the SDK hands them on."""

from __future__ import annotations

import csv
import io
import json
import math
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.reports.series import write_series
from flowtui.store import counts as counting
from flowtui.store.metrics import numbered_steps
from flowtui.store.metrics import points as metric_points
from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics.listing import problems
from flowtui.store.metrics.numbered_steps import NumberedSteps
from flowtui.store.metrics.steps import (
    HIGHEST,
    LOWEST,
    above,
    at_least,
    at_most,
    below,
    decoded,
    typed,
)
from flowtui.store.metrics.values import Extent
from flowtui.store.store import Store
from flowtui.store.values import MetricSummary
from tests.unit.stores import execute, one_run, opened

RUN = "run-1"
INSERT = "insert or replace into dynamic_metrics (key, step, value) values (?, ?, ?)"
FAR = 2**53 + 1


def int64(step: int) -> bytes:
    return struct.pack("<q", step)


def float32(step: float) -> bytes:
    return struct.pack("<f", step)


def log(path: Path, rows: Sequence[tuple[Any, Any]], key: str = "loss") -> None:
    execute(path, INSERT, [(key, step, value) for step, value in rows])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return one_run(tmp_path)


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with opened(path.parents[1]) as found:
        yield found


def summed(store: Store, key: str = "loss") -> MetricSummary:
    found = {summary.key: summary for summary in store.run(RUN).metrics.summaries({})}
    return found[key]


def exported(store: Store, key: str = "loss") -> list[tuple[Any, float]]:
    """Gives (step, value) of all points as JSON has them, and asserts that CSV has the same."""
    run = store.resolve(RUN).row
    as_json, as_csv = io.StringIO(), io.StringIO()
    written = write_series(store.opened(run), [key], None, "json", as_json)
    write_series(store.opened(run), [key], None, "csv", as_csv)
    (metric,) = json.loads(as_json.getvalue())
    points = [(point["step"], point["value"]) for point in metric["points"]]
    rows = csv.DictReader(io.StringIO(as_csv.getvalue()))
    assert [(row["step"], float(row["value"])) for row in rows] == [
        (str(step), float(value)) for step, value in points
    ]
    assert len(points) == metric["count"] == written.point_count
    return points


@pytest.mark.parametrize(
    ("stored", "step"),
    [
        (3, 3),
        (0.35, 0.35),
        (math.inf, None),
        (-math.inf, None),
        (None, None),
        (b"", None),
        (b"\x05", 5),
        (b"\xff", -1),
        (struct.pack("<h", -300), -300),
        (struct.pack("<i", 70_000), 70_000),
        (struct.pack("<i", -1), -1),
        (int64(3), 3),
        (int64(-(2**63)), -(2**63)),
        (b"\0" * 3, None),
        (b"\0" * 16, None),
        ("12", 12),
        (" 12.0 ", 12),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("9" * 30, 1e30),
        ("1e999", None),
        ("nan", None),
        ("inf", None),
        ("0x10", None),
        ("1_000", None),
        ("ten", None),
        ("", None),
        ("\udcff", None),
        ("١", None),
    ],
)
def test_a_stored_step_stands_for_a_number_or_for_none(stored: object, step: object) -> None:
    found = decoded(stored)
    assert found.step == step
    assert type(found.step) is type(step)
    assert not found.is_float32


@pytest.mark.parametrize("step", [0.1, 0.35, 1 / 7, 12.5, 1e6 + 0.5, -0.2, 1e-9])
def test_four_bytes_that_would_be_a_huge_integer_are_a_float32(step: float) -> None:
    found = decoded(float32(step))
    assert found.is_float32
    assert found.step is not None
    assert float32(found.step) == float32(step)
    assert len(repr(found.step)) <= len(repr(struct.unpack("<f", float32(step))[0]))


@given(st.one_of(st.integers(-(2**80), 2**80), st.floats(allow_nan=False, allow_infinity=False)))
def test_no_number_that_sqlite_holds_lies_between_a_step_and_its_neighbours(step: Any) -> None:
    after, before = above(step), below(step)
    assert before < step < after
    for other in (after, before):
        if abs(other) > HIGHEST:
            continue
        with closing(sqlite3.connect(":memory:")) as db:
            assert db.execute("select ?", (other,)).fetchone() == (other,)
    middle = math.nextafter(float(step), math.inf)
    assert after <= middle or middle <= step
    whole = math.floor(step) + 1
    assert after <= whole or not -(2**63) <= whole <= 2**63 - 1
    assert at_least(step) >= step >= at_most(step)


@pytest.mark.parametrize("step", [n + d for n in (-(2**63), 2**63) for d in (-1, 0, 1)])
def test_where_integers_end_a_range_still_has_ends_that_sqlite_holds(step: int) -> None:
    ends = at_least(step), at_most(step)
    with closing(sqlite3.connect(":memory:")) as db:
        assert db.execute("select ?, ?", ends).fetchone() == ends
    assert ends[0] >= step >= ends[1]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("12,000", (12_000, 0.5)),
        ("0.35", (0.35, 0.005)),
        ("-1e-9", (-1e-9, 5e-10)),
        ("x", None),
    ],
)
def test_a_person_types_steps_of_either_kind(word: str, meant: object) -> None:
    assert typed(word) == meant


def test_real_steps_are_steps(path: Path, store: Store) -> None:
    log(path, [(index / 10, index / 100) for index in range(100)])
    found = summed(store)
    assert (found.count, found.unreadable_count) == (100, 0)
    assert found.last is not None
    assert found.maximum is not None
    assert (found.last.step, found.last.value) == (9.9, 0.99)
    assert found.maximum.value == 0.99
    assert exported(store) == [(index / 10, index / 100) for index in range(100)]
    series = store.run(RUN).metrics.ask("loss", metric_series.series, "loss", None, 200)
    assert series is not None
    assert series.count == len(series.columns) == 100
    assert store.list.figures([RUN])[RUN].metrics == {"loss": 0.99}
    near = store.run(RUN).metrics.ask("loss", metric_points.point_at, "loss", 0.35)
    assert (near.before and near.before.step, near.after and near.after.step) == (0.3, 0.4)


def test_steps_of_numpy_are_in_the_order_of_numbers(path: Path, store: Store) -> None:
    log(path, [(int64(step), step / 2) for step in range(-5, 1_000)])
    log(path, [(step, 0.0) for step in range(3)], key="other")
    found = summed(store)
    assert (found.count, found.unreadable_count, problems(found)) == (1_005, 0, [])
    assert (found.first and found.first.step, found.last and found.last.step) == (-5, 999)
    assert exported(store) == [(step, step / 2) for step in range(-5, 1_000)]
    assert list(store.run(RUN).metrics.last_points()) == ["loss", "other"]
    series = store.run(RUN).metrics.ask("loss", metric_series.series, "loss", None, 4)
    assert series is not None
    assert [column.first.step for column in series.columns] == [-5, 251, 507, 763]
    near = store.run(RUN).metrics.ask("loss", metric_points.point_at, "loss", 256)
    assert (near.before and near.before.step, near.at and near.at.value) == (255, 128.0)


def test_what_is_logged_later_is_added_and_what_is_replaced_is_read_anew(
    path: Path, store: Store
) -> None:
    log(path, [(int64(step), 1.0) for step in range(300)])
    known = summed(store)
    series = store.run(RUN).metrics.ask("loss", metric_series.series, "loss", None, 8)
    assert series is not None
    log(path, [(int64(300), 2.0)])
    log(path, [(0, 5.0)], key="other")
    (grown,) = (
        one for one in store.run(RUN).metrics.summaries({"loss": known}) if one.key == "loss"
    )
    assert grown.last is not None
    assert (grown.count, grown.last.step, grown.last.value) == (301, 300, 2.0)
    later = store.run(RUN).metrics.ask(series.key, metric_series.extended, series)
    assert later is not None
    assert (later.count, later.read_mark) == (301, series.read_mark)
    log(path, [(int64(7), -3.0)])
    again = summed(store)
    assert again.minimum is not None
    assert (again.count, again.minimum.step, again.minimum.value) == (301, 7, -3.0)
    execute(path, "delete from dynamic_metrics where key = 'loss'")
    log(path, [(int64(1), 9.0)])
    assert exported(store) == [(1, 9.0)]


def test_only_what_is_new_is_copied(path: Path, store: Store) -> None:
    log(path, [(int64(step), 1.0) for step in range(2_000)])
    numbered = NumberedSteps(store.run(RUN).database)
    copied: list[int] = []

    def ask(db: sqlite3.Connection) -> int:
        (count,) = db.execute("select count(*) from dynamic_metrics where key = 'loss'").fetchone()
        copied.append(db.total_changes)
        return int(count)

    assert numbered.read("loss", ask) == 2_000
    log(path, [(int64(step), 1.0) for step in range(2_000, 2_003)])
    assert numbered.read("loss", ask) == 2_003
    assert copied[1] - copied[0] < 10
    numbered.close()


@pytest.mark.parametrize("rows_a_read", [1, 7, 10, 11, 50_000])
def test_a_copy_that_is_made_in_several_reads_has_all_rows(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, rows_a_read: int
) -> None:
    monkeypatch.setattr(numbered_steps, "ROWS_A_READ", rows_a_read)
    log(path, [(int64(step), 1.0) for step in range(10)])
    log(path, [(0, 1.0)], key="other")
    assert exported(store) == [(step, 1.0) for step in range(10)]
    log(path, [(int64(step), 2.0) for step in (3, 10, 11)])
    expected = [(step, 2.0 if step in (3, 10, 11) else 1.0) for step in range(12)]
    assert exported(store) == expected
    execute(path, "delete from dynamic_metrics where value = 1.0")
    assert exported(store) == [(3, 2.0), (10, 2.0), (11, 2.0)]
    execute(path, "update dynamic_metrics set rowid = rowid - 1000")
    log(path, [(int64(5), 5.0)])
    assert exported(store) == [(3, 2.0), (5, 5.0), (10, 2.0), (11, 2.0)]


def test_points_that_are_replaced_while_they_are_copied_are_the_new_ones(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbered_steps, "ROWS_A_READ", 4)
    log(path, [(int64(step), 0.0) for step in range(20)])
    database = store.run(RUN).database
    read, reads = database.read, 0

    def replacing(*given: Any) -> Any:
        nonlocal reads
        reads += 1
        # More often than a copy is tried in pieces.
        log(path, [(int64(reads % 20), float(reads))])
        return read(*given)

    monkeypatch.setattr(database, "read", replacing)
    numbered = NumberedSteps(database)
    sql = "select sum(value), count(*) from dynamic_metrics where key = 'loss'"
    total, count = numbered.read("loss", lambda db: db.execute(sql).fetchone())
    assert count == 20
    assert total == sum(list(range(reads + 1))[-20:])
    numbered.close()


def test_one_step_in_two_types_is_two_points(path: Path, store: Store) -> None:
    log(path, [(3, 1.0), (int64(3), 2.0), (2.5, 0.5), (float32(0.1), 0.1), (FAR, 7.0)])
    log(path, [(float(2**53), 6.0), (int64(2**53 + 3), 8.0)])
    assert exported(store) == [
        (0.1, 0.1), (2.5, 0.5), (3, 1.0), (3, 2.0),
        (2**53, 6.0), (FAR, 7.0), (2**53 + 3, 8.0),
    ]  # fmt: skip
    found = summed(store)
    assert (found.count, found.doubled_count, found.float32_count) == (7, 1, 1)
    assert [text.split(" rows have ")[1].split(",")[0] for text in problems(found)] == [
        "a step of four bytes",
        "the step of another row",
    ]
    series = store.run(RUN).metrics.ask("loss", metric_series.series, "loss", None, 50)
    assert series is not None
    assert [point.value for column in series.columns for point in column.points] == [
        0.1, 0.5, 1.0, 2.0, 6.0, 7.0, 8.0
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["ten", None, math.inf, -math.inf, b"", b"abc", "\udcff"])
def test_a_metric_none_of_whose_steps_can_be_read_stays_in_every_list(
    path: Path, store: Store, step: object
) -> None:
    if step == "\udcff":
        sql = "insert into dynamic_metrics (key, step, value) values ('loss', cast(? as text), 1)"
        execute(path, sql, [(b"\xff",)])
    else:
        log(path, [(step, 1.0)])
    found = summed(store)
    assert (found.count, found.unreadable_count, found.last) == (1, 1, None)
    assert problems(found) == [
        "metric loss: 1 of 1 rows have a step that is not a number,"
        " and are in no curve and no export"
    ]
    assert store.run(RUN).metrics.last_points() == {"loss": None}
    assert store.list.figures([RUN])[RUN].metrics == {"loss": None}
    assert store.run(RUN).metrics.ask("loss", metric_series.series, "loss", None, 9) is None
    assert store.run(RUN).metrics.ask("loss", metric_points.extent, "loss") == Extent(
        None, None, 0, 1
    )
    assert exported(store) == []
    assert store.run(RUN).ask(counting.counts).metrics == 1


def test_rows_beside_unreadable_ones_are_as_they_are(path: Path, store: Store) -> None:
    odd: list[Any] = ["ten", b"abc", math.inf, b""]
    log(path, [(step, -9.0) for step in odd] + [(None, -9.0)] * 2 + [(5, 1.0), (int64(6), 2.0)])
    found = summed(store)
    assert (found.count, found.stepless_count) == (8, 6)
    assert exported(store) == [(5, 1.0), (6, 2.0)]
    series = store.run(RUN).metrics.ask("loss", metric_series.series, "loss", None, 9)
    assert series is not None
    assert (series.count, series.unreadable_count) == (2, 6)


steps = st.one_of(
    st.integers(-300, 300),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-3_000, 3_000).map(lambda index: index / 10),
    st.floats(),
    st.integers(-300, 300).map(int64),
    st.integers(-(2**15), 2**15 - 1).map(lambda step: struct.pack("<h", step)),
    st.integers(-300, 300).map(lambda index: float32(index / 7)),
    st.integers(-300, 300).map(lambda step: f" {step}.5"),
    st.text(max_size=5),
    st.binary(max_size=9),
    st.none(),
)


# Each example makes a store of files, and a machine may be busy.
@settings(deadline=None, max_examples=50)
@given(rows=st.lists(st.tuples(steps, st.integers(0, 9).map(float)), min_size=1, max_size=80))
def test_every_row_is_a_point_or_counted(rows: list[tuple[Any, float]]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("create table stored (step, value)")
        db.executemany("insert into stored values (?, ?)", rows)
        expected = [
            (decoded(step).step, value) for step, value in db.execute("select * from stored")
        ]
    numbers = sorted((Fraction(step), value) for step, value in expected if step is not None)
    with TemporaryDirectory() as folder:
        path = one_run(Path(folder))
        # Without its key the table keeps each of several rows of one step, and any type.
        execute(path, "drop table dynamic_metrics")
        execute(path, "create table dynamic_metrics (key, step, value, logged_at)")
        log(path, rows)
        with opened(Path(folder)) as store:
            found = summed(store)
            assert found.count == len(rows)
            assert found.stepless_count == len(rows) - len(numbers)
            points = list(store.run(RUN).metrics.points("loss", (LOWEST, HIGHEST)))
            assert sorted((Fraction(one.step), one.value) for one in points) == numbers
            assert [Fraction(one.step) for one in points] == [step for step, _ in numbers]
            for columns in (2, 50):
                series = store.run(RUN).metrics.ask(
                    "loss", metric_series.series, "loss", None, columns
                )
                assert (series.count if series else 0) == len(numbers)
