"""Trackio: what it logged, runs that go on, databases of other versions and hostile rows."""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flowtui.cli import sources
from flowtui.sources import private_store, recognising
from flowtui.sources.private_store import SourceStore
from flowtui.sources.records import SourceError
from flowtui.store import runs
from flowtui.store.liveness.standing import Activity
from flowtui.store.open_run import OpenRun
from flowtui.store.schema import SpanAnnotationRow, StoreWriter
from flowtui.store.store import Store
from flowtui.store.traces.exchange import exchange
from flowtui.store.values import StoreLocation
from tests.sources.conftest import WRITTEN
from tests.sources.reading import Points, digest, names, parameters, points, problems
from tests.sources.test_following import wait_for

Copy = Callable[[str], Path]
Opened = Callable[[Path], SourceStore]
SAID = json.loads((WRITTEN / "trackio.json").read_text())
OLD = """
    CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT NOT NULL,
        run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL);
"""


def run_of(store: Store, group: str) -> OpenRun:
    """Return the run of a group, read to its end; the names are the same."""
    for run_id in store.ask(runs.ids).values():
        row = store.ask(runs.run, run_id)
        if row is not None and row.group_name == group:
            return store.opened(row)
    raise AssertionError(group)


def numbers(row: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the numbers of a row that Trackio itself has read, by their dotted names."""
    found: dict[str, float] = {}
    for key, value in row.items():
        if isinstance(value, dict) and "_type" not in value:
            found |= numbers(value, f"{prefix}{key}.")
        elif isinstance(value, (int, float)):
            found[prefix + key] = float(value)
    return found


def told(rows: list[dict[str, Any]]) -> Points:
    """Return the points that Trackio itself reads, the later of one step."""
    found: dict[str, dict[int, str]] = {}
    for row in rows:
        step = row.pop("step")
        row.pop("timestamp")
        for key, value in numbers(row).items():
            found.setdefault(key, {})[step] = "nan" if math.isnan(value) else repr(value)
    return {key: sorted(steps.items()) for key, steps in found.items()}


def write(database: Path, *statements: tuple[str, tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("pragma journal_mode = wal")
        for statement, values in statements:
            connection.execute(statement, values)


def row(metrics: object, step: int, run: str = "r", name: str = "n") -> tuple[str, tuple[Any, ...]]:
    at = (datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(seconds=step)).isoformat()
    data = metrics if isinstance(metrics, (str, bytes)) else json.dumps(metrics)
    return (
        "insert into metrics (run_id, timestamp, run_name, step, metrics) values (?, ?, ?, ?, ?)",
        (run, at, name, step, data),
    )


@pytest.fixture
def project(copy: Copy) -> Path:
    """The database of a project with the schema of Trackio 0.43, and one run with one point."""
    database = copy("trackio") / "demo.db"
    tables = ("metrics", "configs", "system_metrics", "traces", "alerts")
    write(database, *((f"delete from {table}", ()) for table in tables), row({"loss": 1.0}, 0))
    return database


# What Trackio wrote ------------------------------------------------------------------------------


def test_points_are_those_that_trackio_reads(opened: Opened) -> None:
    store = opened(WRITTEN / "trackio")
    first, second = SAID.values()
    read = points(run_of(store, "sweep"))
    system = {key: read.pop(key) for key in list(read) if key.startswith("system/")}
    assert read == told(first)
    assert system == {"system/cpu": [(0, "7.0")], "system/gpu.utilization": [(0, "0.5")]}
    again = run_of(store, "demo")
    assert points(again) == told(second)
    assert "1 point of a step came a second time" in " ".join(problems(store, again))


def test_its_row_its_files_and_what_has_no_place(opened: Opened) -> None:
    store = opened(WRITTEN / "trackio")
    run = run_of(store, "sweep")
    assert run.row.name == "first"
    assert parameters(run) == {"lr": 0.1, "net": {"depth": 3}}
    assert names(run) == {
        "alerts.jsonl",
        "histograms/hist.jsonl",
        "images/picture/step-000032.png",
        "tables/table/step-000034.json",
        "texts/note/step-000033.md",
    }
    table = json.loads(run.files.path("tables/table/step-000034.json").read_text())
    assert table == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    alert = json.loads(run.files.path("alerts.jsonl").read_text())
    assert (alert["title"], alert["level"], alert["step"]) == ("Look", "warn", 36)
    assert run.files.path("images/picture/step-000032.png").is_relative_to(WRITTEN)
    assert problems(store, run) == [
        "left out: captions of media (1)",
        "left out: texts and lists among the metrics (1)",
    ]


def test_traces_are_conversations_with_the_spans_that_were_told(opened: Opened) -> None:
    run = run_of(opened(WRITTEN / "trackio"), "sweep")
    rows = run.database.read(
        lambda db: db.execute(
            "select trace_id, name, parent_span_id, status_code, attributes, start_time_unix_nano,"
            " end_time_unix_nano, span_id from spans order by rowid"
        ).fetchall()
    )
    names = {row[7]: row[1] for row in rows}
    assert [(row[1], names.get(row[2])) for row in rows] == [
        ("with spans", None), ("agent", "with spans"), ("answer", "agent"), ("look_up", "agent"),
        ("without 0", None), ("without 1", None),
    ]  # fmt: skip
    answer, tool = json.loads(rows[2][4]), rows[3]
    assert answer["gen_ai.usage.input_tokens"] == 12
    assert rows[2][6] - rows[2][5] == 1_000_000_000
    assert (tool[3], tool[6] - tool[5]) == (2, 20_000_000)
    found = run.ask(exchange, rows[0][0], 1_000_000)
    assert (found.input, found.output) == ("What is the capital of France?", "Paris.")


def test_nothing_is_written_into_the_source(copy: Copy, opened: Opened) -> None:
    root = copy("trackio")
    before = digest(root)
    opened(root).settle()
    assert digest(root) == before


# Runs that go on ---------------------------------------------------------------------------------


def test_new_rows_are_read_from_where_reading_ended(project: Path, opened: Opened) -> None:
    store = opened(project)
    store.settle()
    write(project, row({"loss": 0.5}, 1), row({"loss": 3.0}, 0, "other", "second"))
    store.settle()
    run = run_of(store, "demo")
    assert points(store.resolve("n"))["loss"] == [(0, "1.0"), (1, "0.5")]
    assert points(store.resolve("second"))["loss"] == [(0, "3.0")]
    assert problems(store, run) == []
    source = recognising.recognise(project)
    assert source is not None
    listed = {one.row.name: one for one in source.runs()}
    batches = list(source.read(listed["n"], {}))
    again = list(source.read(listed["n"], batches[-1].mark or {}))
    assert not any(batch.points for batch in again)


_WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("pragma journal_mode = wal")
for line in sys.stdin:
    print([list(database.execute(part)) for part in line.split(";")], flush=True)
"""


def test_a_database_that_a_writer_has_open_is_read_with_its_log(
    project: Path, opened: Opened
) -> None:
    # The writer is another process: in one process, SQLite's connections share locks and memory.
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(project)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as writer:  # fmt: skip

        def tell(statements: str) -> str:
            assert writer.stdin is not None
            assert writer.stdout is not None
            writer.stdin.write(statements + "\n")
            writer.stdin.flush()
            return writer.stdout.readline()

        insert = (
            "insert into metrics (run_id, timestamp, run_name, step, metrics)"
            " values ('r', '2026-06-01T12:00:02', 'n', {}, '{{\"loss\": {}}}')"
        )
        tell(insert.format(2, 0.25))
        assert project.with_name("demo.db-wal").stat().st_size
        before = digest(project.parent)
        store = opened(project)
        assert points(store.resolve("n"))["loss"] == [(0, "1.0"), (2, "0.25")]
        assert digest(project.parent) == before
        # The writer is neither locked out nor kept from its checkpoint.
        assert tell("pragma wal_checkpoint(truncate)") == "[[(0, 0, 0)]]\n"
        assert tell("begin exclusive; rollback") == "[[], []]\n"
        tell(insert.format(3, 0.125))
        assert points(store.resolve("n"))["loss"][-1] == (3, "0.125")


def test_a_run_that_was_written_anew_is_read_anew(project: Path, opened: Opened) -> None:
    store = opened(project)
    store.settle()
    write(project, ("delete from metrics", ()), row({"other": 1.0}, 0))
    assert set(points(store.resolve("n"))) == {"other"}


def test_a_run_that_is_deleted_or_renamed_while_shown(project: Path, opened: Opened) -> None:
    write(project, row({"loss": 3.0}, 0, "other", "second"))
    store = opened(project)
    store.settle()
    write(
        project,
        ("delete from metrics where run_id = 'r'", ()),
        ("update metrics set run_name = 'third'", ()),
    )
    store.settle()
    assert [name for _, name in store.ask(runs.identities)] == ["third"]
    project.unlink()
    with pytest.raises(SourceError, match="not there any more"):
        store.settle()


def test_a_run_without_rows_for_long_has_stopped(project: Path) -> None:
    source = recognising.recognise(project)
    assert source is not None
    write(project, row({"loss": 0.5}, 100))
    (run,) = source.runs()
    last = datetime(2026, 6, 1, 12, 1, 40, tzinfo=UTC)
    for after_s, is_gone in ((60, False), (2_000, False), (4_000, True)):
        signs = source.signs(run, last + timedelta(seconds=after_s))
        assert signs is not None
        assert signs.is_gone is is_gone


def test_a_run_whose_rows_go_on_to_come_is_active(
    project: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_store, "_LIST_AGAIN_S", 0.0)
    store = opened(project)
    run = store.resolve("n")
    store.follow()
    hour = datetime(2026, 6, 1, 13, tzinfo=UTC)
    assert store.standings([run.row], hour)[run.id].activity is Activity.STOPPED
    write(project, *(row({"loss": 0.5}, second) for second in range(60, 3_600, 60)))
    wait_for(lambda: store.standings([run.row], hour)[run.id].activity is Activity.ACTIVE)


def test_it_is_followed_by_a_child_process(project: Path, opened: Opened) -> None:
    store = opened(project.parent)
    store.follow()
    run = store.resolve("n")
    write(project, row({"loss": 0.5}, 1))
    until_s = time.monotonic() + 30
    while len(points(run).get("loss", ())) < 2:
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_importing_twice_keeps_what_people_said(
    copy: Copy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, store = copy("trackio"), tmp_path / "luml"
    sources.import_runs(str(root), (), str(store), None, links=False)
    found = Store(StoreLocation(store, "a test"))
    run = run_of(found, "sweep")
    trace, span = run.database.read(
        lambda db: tuple(db.execute("select trace_id, span_id from spans limit 1").fetchone())
    )
    said = SpanAnnotationRow(
        trace_id=trace, span_id=span, name="good", kind="feedback", value=True, user="me"
    )
    with StoreWriter(store) as writer, writer.experiment(run.id) as experiment:
        experiment.span_annotations([said])
    sources.import_runs(str(root / "demo.db"), (), str(store), None, links=False)
    count = run.database.read(
        lambda db: db.execute("select count(*) from span_annotations").fetchone()[0]
    )
    assert count == 1
    assert len(found.ask(runs.ids)) == 2
    assert capsys.readouterr().out.endswith("updated\n")


# Other versions, and hostile rows ----------------------------------------------------------------


def test_a_database_without_run_ids_has_runs_by_their_names(tmp_path: Path, opened: Opened) -> None:
    database = tmp_path / "old.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(OLD)
    insert = "insert into metrics (timestamp, run_name, step, metrics) values (?, ?, ?, ?)"
    write(
        database,
        (insert, ("2025-08-01T12:00:00.5", "one", 0, '{"loss": 1, "bad": "NaN"}')),
        (insert, ("2025-08-01T12:00:01.5", "two", 0, b'{"loss": 2}')),
        (insert, ("2025-08-01T12:00:02.5", "one", 1, '{"loss": 0.5}')),
    )
    store = opened(database)
    assert points(store.resolve("one")) == {
        "bad": [(0, "nan")], "loss": [(0, "1.0"), (1, "0.5")]
    }  # fmt: skip
    assert points(store.resolve("two")) == {"loss": [(0, "2.0")]}


def test_hostile_rows_are_kept_or_counted(project: Path, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    deep: Any = 1
    for _ in range(50):
        deep = {"a": deep}
    image = {"_type": "trackio.image", "file_path": "../../secret"}
    trace = {
        "_type": "trackio.trace", "messages": "x", "metadata": [1],
        "spans": [None, {"id": "1", "parent_id": "1", "start_time": 1e300, "duration_ms": -1e300},
                  {"id": "1", "usage": {"input_tokens": "many"}, "error": {"a": 1}}],
    }  # fmt: skip
    write(
        project,
        row(b"\xff\xfe{", 1), row("[" * 100_000, 2), row('{"\\ud800": 1}', 3), row("[1]", 4),
        row({"deep": deep, "huge": 10**400, "none": None, "list": [1]}, 5),
        row({"i": image, "t": trace, "x": {"_type": "new"}}, 6),
        row({"h": {"_type": "trackio.histogram"}}, 7),
        ("insert into metrics (run_id, timestamp, run_name, step, metrics) values (?, ?, ?, ?, ?)",
         (b"\xff", "x", b"\xff", "no step", b"\x00")),
        ("insert into metrics (run_id, timestamp, run_name, step, metrics)"
         " values (cast(? as text), ?, cast(? as text), ?, ?)",
         (b"\xff", "never", b"\xfe", "no step", '{"a": 1}')),
        ("update metrics set metrics = cast(zeroblob(40000000) as text) where step = 4", ()),
    )  # fmt: skip
    store = opened(project)
    run = store.resolve("n")
    read = points(run)
    assert read["loss"] == [(0, "1.0")]
    assert read["?"] == [(3, "1.0")]
    assert read["huge"] == [(5, "inf")]
    said = " ".join(problems(store, run))
    assert "rows that are no JSON objects (3)" in said
    assert "media whose paths lead out of the folder (1)" in said
    assert "values of the type new (1)" in said
    assert "objects that are nested deeper than 20 levels" in said
    assert names(run) == set()
    assert len(store.ask(runs.ids)) == 2
    store.settle()


def test_many_runs_are_listed_by_their_indexes(project: Path) -> None:
    with closing(sqlite3.connect(project)) as connection, connection:
        connection.executemany(
            row({}, 0)[0],
            (row({"loss": step}, step, f"{run}", f"{run}")[1]
             for run in range(50) for step in range(200)),
        )  # fmt: skip
    source = recognising.recognise(project)
    assert source is not None
    assert len(source.runs()) == 51
    plan = " ".join(
        str(tuple(step))
        for step in sqlite3.connect(project).execute(
            "explain query plan select run_id, min(rowid), max(rowid), min(timestamp),"
            " max(timestamp), count(*) from metrics group by run_id"
        )
    )
    assert "COVERING INDEX" in plan


def test_other_databases_are_not_of_trackio(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("create table metrics (key, value, step, run_uuid)")
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 5_000)
    assert recognising.recognise(tmp_path) is None
    assert recognising.recognise(tmp_path / "other.db") is None


def test_it_is_opened_from_the_command_line(copy: Copy, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowtui", "list", "--store", str(copy("trackio"))],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.count("first") == 2
