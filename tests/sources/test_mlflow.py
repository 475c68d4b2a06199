"""MLflow's two stores: what its own client reads of them, runs that go on, and hard cases."""

from __future__ import annotations

import gzip
import json
import math
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowtui.cli import sources
from flowtui.sources import mlflow_database, mlflow_reads, recognising
from flowtui.sources.mlflow_records import artifacts, metric, param
from flowtui.sources.private_store import SourceStore
from flowtui.sources.records import SourceError
from flowtui.store import runs
from flowtui.store.attachments.values import AttachmentRefused
from flowtui.store.open_run import OpenRun
from flowtui.store.schema import SpanAnnotationRow, StoreWriter
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation
from tests.sources.conftest import WRITTEN
from tests.sources.reading import digest, names, parameters, points, problems
from tests.sources.test_following import wait_for

Opened = Callable[[Path], SourceStore]
SAID = json.loads((WRITTEN / "mlflow.json").read_text())
KINDS = ("files", "database")
LEFT = "left out: "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What MLflow wrote: a file store, and a database whose artifacts are beside it."""
    found = tmp_path / "project"
    shutil.copytree(WRITTEN / "mlruns", found / "mlruns")
    (found / "mlflow.db").write_bytes(gzip.decompress((WRITTEN / "mlflow.db.gz").read_bytes()))
    return found


def store_of(folder: Path, kind: str) -> Path:
    return folder / ("mlruns" if kind == "files" else "mlflow.db")


def run_folder(folder: Path, name: str) -> Path:
    (found,) = folder.glob(f"mlruns/*/{SAID['files']['runs'][name]['id']}")
    return found


def written(path: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    """Write into a database as MLflow does: one transaction, with its timeout."""
    with closing(sqlite3.connect(path, timeout=5)) as database, database:
        for sql, values in statements:
            database.execute(sql, values)


def point(run_id: str, key: str, value: float, step: int) -> tuple[str, tuple[object, ...]]:
    return (
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
        " VALUES (?, ?, ?, ?, ?, 0)",
        (key, value, 1_796_000_000_000 + step, run_id, step),
    )


def run_names(store: SourceStore) -> set[str]:
    return {name for _, name in store.ask(runs.identities)}


def rows(run: OpenRun, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in run.database.read(lambda db: db.execute(sql).fetchall())]


def judged(run: OpenRun) -> dict[str, tuple[object, ...]]:
    found = rows(run, "select name, annotation_kind, value, user, rationale from span_annotations")
    return {str(name): tuple(others) for name, *others in found}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_has_what_the_client_reads(folder: Path, opened: Opened, kind: str) -> None:
    store = opened(store_of(folder, kind))
    for name, said in SAID[kind]["runs"].items():
        run = store.resolve(name)
        assert run.id == said["id"]
        expected = {
            # The later one of a step counts; the database has no infinity.
            key: sorted({step: value.replace("1.7976931348623157e+308", "inf")
                         for step, value in history}.items())
            for key, history in said["metrics"].items()
        }  # fmt: skip
        assert points(run) == expected
        assert {key: str(value) for key, value in parameters(run).items()} == said["params"]
        row = run.row
        statuses = {"FINISHED": "completed", "FAILED": "error", "KILLED": "canceled"}
        assert row.status == statuses.get(said["status"], "active")
        assert row.group_name == "vision/demo"
        assert row.created_at is not None
        assert int(row.created_at.timestamp()) == said["start_ms"] // 1_000
        took_ms = None if said["end_ms"] is None else said["end_ms"] - said["start_ms"]
        assert row.duration_s == (None if took_ms is None else took_ms / 1_000)


@pytest.mark.parametrize("kind", KINDS)
def test_its_row_its_files_and_what_has_no_place(folder: Path, opened: Opened, kind: str) -> None:
    store = opened(store_of(folder, kind))
    run = store.resolve("first")
    assert run.row.tags == ("a/b=x", "team=red", "user=ann")
    assert (run.row.description, run.row.source) == ("a note: of\ntwo lines", "train.py")
    assert parameters(run) == {"lr": 0.1, "model/depth": 3, "opt": "adam", "version": "3.10"}
    assert names(run) == {"notes/hello.txt"}
    assert run.files.path("notes/hello.txt").read_text() == "hello\n"
    said = problems(store, run)
    assert said[1:] == [
        "1 point of a step came a second time: the later one is shown",
        f"{LEFT}assessments that later ones replaced (1)",
        f"{LEFT}datasets and models that went in or came out (1)",
        f"{LEFT}logged models (1)",
        f"{LEFT}tags of MLflow's own (1)",
    ]
    assert said[0] == "not listed, since deleted in MLflow: 1 run"


@pytest.mark.parametrize("kind", KINDS)
def test_traces_have_what_the_client_reads(folder: Path, opened: Opened, kind: str) -> None:
    store = opened(store_of(folder, kind))
    for trace_id, said in SAID[kind]["traces"].items():
        name = "vision/demo (traces)" if said["run"] is None else "first"
        run = store.resolve(name)
        found = rows(
            run,
            "select name, span_id, parent_span_id, start_time_unix_nano, end_time_unix_nano,"
            f" attributes from spans where trace_id = '{trace_id.removeprefix('tr-')}'"
            " order by start_time_unix_nano",
        )
        read = [[*row[:5], json.loads(str(row[5])).get("mlflow.spanInputs")] for row in found]
        assert read == sorted(said["spans"], key=lambda span: span[3])


@pytest.mark.parametrize("kind", KINDS)
def test_assessments_are_annotations_or_stand_with_their_span(
    folder: Path, opened: Opened, kind: str
) -> None:
    run = opened(store_of(folder, kind)).resolve("first")
    assert judged(run) == {
        "good": ("feedback", "false", "ann@example.org", "no: it\nis wrong"),
        "safe": ("feedback", "true", "judge-1 (LLM judge)", None),
        "answer": ("expectation", '{"x": 1}', "ann@example.org", None),
        "count": ("expectation", "3", "ann@example.org", None),
    }
    spans = {str(name): json.loads(str(said)) for name, said in rows(
        run, "select name, attributes from spans")}  # fmt: skip
    agent = spans["agent"]
    assert agent["mlflow.assessment.score"] == {
        "value": 0.7, "by": "judge-1 (LLM judge)", "rationale": "so so",
    }  # fmt: skip
    assert agent["mlflow.assessment.broken"]["error"]["error_message"] == "boom"
    assert (agent["mlflow.trace.session"], agent["mlflow.traceTag.env"]) == ("s1", "test")
    targets = dict(rows(run, "select a.name, s.name from span_annotations a join spans s using"
                             " (trace_id, span_id)"))  # fmt: skip
    assert targets == {"good": "agent", "safe": "agent", "answer": "llm", "count": "agent"}
    assert rows(run, "select status_code, events from spans where name = 'llm'")[0][0] == 2


def test_both_stores_of_the_same_read_the_same(folder: Path, opened: Opened) -> None:
    found = [opened(store_of(folder, kind)).resolve("first") for kind in KINDS]
    assert points(found[0]) == points(found[1])
    assert parameters(found[0]) == parameters(found[1])
    assert judged(found[0]) == judged(found[1])


@pytest.mark.parametrize("kind", KINDS)
def test_reading_leaves_every_byte_as_it_was(folder: Path, opened: Opened, kind: str) -> None:
    before = digest(folder)
    store = opened(store_of(folder, kind))
    store.settle()
    assert digest(folder) == before


# The file store ---------------------------------------------------------------------------------


def test_half_a_line_waits_for_the_rest_of_it(folder: Path, opened: Opened) -> None:
    store = opened(folder / "mlruns")
    loss = run_folder(folder, "going on") / "metrics" / "loss"
    with loss.open("a") as file:
        file.write("1796000000000 0.25 4\n1796000000000 0.12")
    assert points(store.resolve("going on"))["loss"] == [(3, "0.5"), (4, "0.25")]
    with loss.open("a") as file:
        file.write("5 5\n1796000000000 nan 6\nnonsense\n1796000000000 0.5 7 data d1\n\n")
    run = store.resolve("going on")
    assert points(run)["loss"][2:] == [(5, "0.125"), (6, "nan"), (7, "0.5")]
    assert f"{LEFT}lines of metrics that cannot be read (1)" in problems(store, run)


def test_a_metric_that_was_written_anew_is_read_anew(folder: Path, opened: Opened) -> None:
    store = opened(folder / "mlruns")
    loss = run_folder(folder, "first") / "metrics" / "train" / "loss"
    assert len(points(store.resolve("first"))["train/loss"]) == 20
    loss.write_text("1796000000000 9.0 0\n")
    assert points(store.resolve("first"))["train/loss"] == [(0, "9.0")]


def test_folders_without_a_record_trash_and_links(folder: Path, opened: Opened) -> None:
    root = folder / "mlruns"
    run = run_folder(folder, "failed")
    (run.parent / ("f" * 32) / "artifacts").mkdir(parents=True)
    elsewhere = folder / "elsewhere"
    shutil.move(run, elsewhere)
    run.symlink_to(elsewhere)
    (root / ".trash").mkdir(exist_ok=True)
    shutil.copytree(run.parent, root / ".trash" / "7", symlinks=True)
    store = opened(root)
    assert run_names(store) == {
        "first", "failed", "killed", "going on", "vision/demo (traces)",
    }  # fmt: skip
    assert points(store.resolve("failed"))["loss"] == [(3, "0.5")]
    assert "not listed, since deleted in MLflow: 1 experiment" in problems(
        store, store.resolve("failed")
    )


def test_a_half_written_record_of_a_run_says_so_and_is_read_later(
    folder: Path, opened: Opened
) -> None:
    meta = run_folder(folder, "killed") / "meta.yaml"
    whole = meta.read_text()
    meta.write_text(whole[: whole.index("run_id")] + "run_name: 'kil")
    store = opened(folder / "mlruns")
    run = store.resolve("killed")
    assert any("meta.yaml cannot be read" in said for said in problems(store, run))
    meta.write_text(whole)
    store.settle()
    run = store.resolve("killed")
    assert run.row.status == "canceled"
    assert not any("meta.yaml" in said for said in problems(store, run))


def test_an_edited_and_a_deleted_assessment_are_seen_in_files(folder: Path, opened: Opened) -> None:
    store = opened(folder / "mlruns")
    assert judged(store.resolve("first"))["count"][1] == "3"
    for path in folder.glob("mlruns/*/traces/*/assessments/*.yaml"):
        text = path.read_text()
        if "assessment_name: count" in text:
            path.write_text(text.replace("value: 3.0", "value: 12"))
        if "assessment_name: safe" in text:
            path.unlink()
    found = judged(store.resolve("first"))
    assert found["count"][1] == "12"
    assert "safe" not in found


def test_an_experiment_is_opened_by_itself_and_a_project_by_its_database(
    folder: Path, opened: Opened
) -> None:
    experiment = run_folder(folder, "first").parent
    assert len(opened(experiment).list.ordered()) == 5
    found = recognising.recognise(folder)
    assert found is not None
    assert found.root == folder / "mlflow.db"
    (folder / "mlflow.db").unlink()
    found = recognising.recognise(folder)
    assert found is not None
    assert found.root == folder / "mlruns"


def test_artifacts_that_lead_out_of_the_source_are_refused(folder: Path, opened: Opened) -> None:
    (folder / "secret").write_text("secret")
    (run_folder(folder, "first") / "artifacts" / "taken").symlink_to(folder / "secret")
    run = opened(folder / "mlruns").resolve("first")
    assert "taken" not in names(run)
    with pytest.raises(AttachmentRefused):
        run.files.path("taken")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://key:secret@bucket/1/abc/artifacts?token=x", "but at s3://bucket/1/abc/artifacts"),
        ("file:///usr", "its artifacts are outside of"),
        ("/nowhere/at/all", ""),
        ("http://[", "an address that is none"),
    ],
)
def test_artifacts_elsewhere_are_said_without_their_password(
    tmp_path: Path, uri: str, said: str
) -> None:
    found = artifacts(uri, tmp_path, [])
    assert found.folder is None
    assert said in found.note
    assert "secret" not in found.note


# The database -----------------------------------------------------------------------------------


def test_new_points_tags_and_an_end_are_seen(folder: Path, opened: Opened) -> None:
    path = folder / "mlflow.db"
    store = opened(path)
    run_id = SAID["database"]["runs"]["going on"]["id"]
    assert len(points(store.resolve("going on"))["loss"]) == 1
    written(
        path,
        point(run_id, "loss", 0.25, 4),
        point(run_id, "loss", 0.75, 3),
        ("INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.note.content', 'x', ?)",
         (run_id,)),
        ("UPDATE runs SET status = 'FINISHED', end_time = start_time + 1500 WHERE run_uuid = ?",
         (run_id,)),
    )  # fmt: skip
    run = store.resolve("going on")
    assert points(run)["loss"] == [(3, "0.75"), (4, "0.25")]
    assert (run.row.status, run.row.duration_s) == ("completed", 1.5)
    assert run.row.description == "x"
    assert any("came a second time" in said for said in problems(store, run))


def test_assessments_that_change_or_go_and_spans_that_come_are_seen(
    folder: Path, opened: Opened
) -> None:
    path = folder / "mlflow.db"
    store = opened(path)
    before = judged(store.resolve("first"))
    written(
        path,
        ("UPDATE assessments SET value = '12', last_updated_timestamp = last_updated_timestamp + 1"
         " WHERE name = 'count'", ()),
        ("DELETE FROM assessments WHERE name = 'safe'", ()),
        ("INSERT INTO spans (trace_id, experiment_id, span_id, name, status, start_time_unix_nano,"
         " content) SELECT trace_id, experiment_id, '00000000000000aa', 'late', 'OK', 1, replace("
         "content, '\"span_id\": \"', '\"span_id\": \"AAAAAAAAAKo=\", \"old\": \"') FROM spans"
         " WHERE name = 'llm'", ()),
    )  # fmt: skip
    run = store.resolve("first")
    after = judged(run)
    assert (before["count"][1], after["count"][1]) == ("3", "12")
    assert before.keys() - after.keys() == {"safe"}
    assert (("00000000000000aa",)) in rows(run, "select span_id from spans")


def test_a_trace_that_was_deleted_and_a_run_that_was_deleted_go(
    folder: Path, opened: Opened
) -> None:
    path = folder / "mlflow.db"
    store = opened(path)
    run_id = SAID["database"]["runs"]["first"]["id"]
    assert len(rows(store.resolve("first"), "select 1 from spans")) == 2
    written(path, *[
        (f"DELETE FROM {table} WHERE {column} IN (SELECT request_id FROM trace_request_metadata"
         " WHERE key = 'mlflow.sourceRun')", ())
        for table, column in (("spans", "trace_id"), ("assessments", "trace_id"),
                              ("trace_info", "request_id"))
    ])  # fmt: skip
    run = store.resolve("first")
    assert rows(run, "select 1 from spans") == []
    assert len(points(run)["train/loss"]) == 20
    written(path, ("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", (run_id,)))
    store.settle()
    assert "first" not in run_names(store)


def test_rows_with_other_numbers_are_read_anew(folder: Path, opened: Opened) -> None:
    path = folder / "mlflow.db"
    store = opened(path)
    run_id = SAID["database"]["runs"]["first"]["id"]
    before = points(store.resolve("first"))
    # As an upgrade does, which copies the table.
    written(
        path,
        ("UPDATE metrics SET rowid = rowid + 1000", ()),
        point(run_id, "train/loss", 0.01, 20),
    )
    run = store.resolve("first")
    assert points(run)["train/loss"] == [*before["train/loss"], (20, "0.01")]


def test_a_version_that_is_not_known_is_read_as_far_as_it_goes(
    folder: Path, opened: Opened
) -> None:
    path = folder / "mlflow.db"
    written(
        path,
        ("DROP TABLE assessments", ()),
        ("DROP TABLE entity_associations", ()),
        ("DROP TABLE logged_models", ()),
        ("DROP TABLE inputs", ()),
        ("DROP TABLE spans", ()),
        ("ALTER TABLE runs DROP COLUMN deleted_time", ()),
        ("ALTER TABLE runs ADD COLUMN mood TEXT", ()),
        ("UPDATE alembic_version SET version_num = 'unknown'", ()),
    )
    store = opened(path)
    run = store.resolve("first")
    assert len(points(run)["train/loss"]) == 20
    assert f"{LEFT}traces whose spans are not here (1)" in problems(store, run)


def test_spans_of_an_older_version_are_in_a_file(folder: Path, opened: Opened) -> None:
    path = folder / "mlflow.db"
    trace = "11" * 16
    run_id = SAID["database"]["runs"]["failed"]["id"]
    kept = folder / "mlruns" / "1" / "traces" / "kept"
    kept.mkdir(parents=True)
    span = {
        "name": "old", "context": {"span_id": "0x00000000000000ab", "trace_id": "0x1"},
        "parent_id": None, "start_time": 10**18, "end_time": 10**18 + 5, "status_code": "OK",
        "attributes": {"mlflow.spanType": '"CHAIN"'}, "events": [],
    }  # fmt: skip
    (kept / "traces.json").write_text(json.dumps({"spans": [span, "nonsense"]}))
    written(
        path,
        ("INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status)"
         " VALUES (?, 1, 5, 'OK')", (trace,)),
        ("INSERT INTO trace_request_metadata VALUES ('mlflow.sourceRun', ?, ?)", (run_id, trace)),
        ("INSERT INTO trace_tags VALUES ('mlflow.artifactLocation', ?, ?)", (kept.as_uri(), trace)),
    )  # fmt: skip
    store = opened(path)
    run = store.resolve("failed")
    assert rows(run, "select name, trace_id, span_id, status_code from spans") == [
        ("old", trace, "00000000000000ab", 1)
    ]
    assert f"{LEFT}spans that cannot be read (1)" in problems(store, run)


def test_the_writer_never_waits_long(
    folder: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "mlflow.db"
    run_id = SAID["database"]["runs"]["going on"]["id"]
    written(path, *[point(run_id, f"m{step % 7}", step, step) for step in range(60_000)])
    ended, failed = threading.Event(), []
    waited_s = [0.0]

    def write() -> None:
        step = 60_000
        # A tenth of the time that MLflow waits for.
        with closing(sqlite3.connect(path, timeout=0.5)) as database:
            while not ended.is_set():
                began_s = time.monotonic()
                try:
                    with database:
                        database.execute(*point(run_id, "live", step, step))
                except sqlite3.OperationalError as error:
                    failed.append(str(error))
                waited_s[0] = max(waited_s[0], time.monotonic() - began_s)
                step += 1
                time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        store = opened(path)
        for _ in range(3):
            run = store.resolve("going on")
    finally:
        ended.set()
        writer.join()
    assert failed == []
    run = store.resolve("going on")
    assert sum(len(found) for key, found in points(run).items() if key.startswith("m")) == 60_000
    live = points(run)["live"]
    assert [step for step, _ in live] == list(range(60_000, 60_000 + len(live)))
    assert len(live) > 10


def test_no_connection_is_open_between_pages(
    folder: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_reads, "_PAGE_ROWS", 3)
    path = folder / "mlflow.db"
    source = recognising.recognise(path)
    assert source is not None
    run = next(run for run in source.runs() if run.row.name == "first")
    count = 0
    for batch in source.read(run, {}):
        # Without any patience: whoever had the database open would make it fail.
        with closing(sqlite3.connect(path, timeout=0)) as database, database:
            database.execute("BEGIN EXCLUSIVE")
        count += len(batch.points)
    assert count == 26


def test_a_database_that_is_being_written_is_waited_for_and_then_said(
    folder: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_reads, "_BUSY_S", 0.1)
    path = folder / "mlflow.db"
    source = mlflow_database.MlflowDatabase(path)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError, match="is being written; try again"):
            source.runs()
    assert len(source.runs()) == 5


@pytest.mark.parametrize("mode", ["hot journal", "log"])
def test_what_a_killed_writer_left_and_a_write_ahead_log_are_read(
    folder: Path, tmp_path: Path, opened: Opened, mode: str
) -> None:
    path = folder / "mlflow.db"
    run_id = SAID["database"]["runs"]["going on"]["id"]
    if mode == "log":
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode = WAL")
        before = digest(folder)
        assert len(points(opened(path).resolve("first"))["train/loss"]) == 20
    else:
        with closing(sqlite3.connect(path)) as writer:
            writer.execute("PRAGMA cache_size = 1")
            writer.execute("BEGIN")
            for step in range(5_000):
                writer.execute(*point(run_id, "lost", step, step))
            copy = tmp_path / "copy"
            shutil.copytree(folder, copy)
            writer.rollback()
        folder, path = copy, copy / "mlflow.db"
        assert (folder / "mlflow.db-journal").stat().st_size
        before = digest(folder)
        run = opened(path).resolve("going on")
        assert points(run) == {"loss": [(3, "0.5")]}
    assert digest(folder) == before


def test_views_in_place_of_tables_are_not_asked(folder: Path) -> None:
    path = folder / "mlflow.db"
    written(
        path,
        ("DROP TABLE metrics", ()),
        ("CREATE VIEW metrics AS WITH RECURSIVE n(run_uuid) AS (SELECT 1 UNION ALL SELECT run_uuid"
         " + 1 FROM n) SELECT * FROM n", ()),
    )  # fmt: skip
    assert not mlflow_database.is_tracking_store(path)
    (folder / "other.db").write_bytes(b"SQLite format 3\0" + b"nonsense" * 1000)
    assert not mlflow_database.is_tracking_store(folder / "other.db")


def test_hostile_texts_and_values_are_shown(folder: Path, opened: Opened) -> None:
    path = folder / "mlflow.db"
    run_id = SAID["database"]["runs"]["failed"]["id"]
    bad = "\x1b]0;x\x07 [b] \u202e"
    written(
        path,
        ("UPDATE tags SET value = ? WHERE run_uuid = ? AND key = 'mlflow.runName'", (bad, run_id)),
        ("INSERT INTO params VALUES ('p', CAST(x'ff00fe' AS TEXT), ?)", (run_id,)),
        ("INSERT INTO tags VALUES (?, ?, ?)", ("long", "y" * 500, run_id)),
        ("INSERT INTO metrics VALUES ('word', 'text', 1, ?, 1, 0)", (run_id,)),
        ("INSERT INTO metrics VALUES ('far', 1.5, 1, ?, ?, 0)", (run_id, 2**63 - 1)),
        ("UPDATE spans SET content = ? WHERE name = 'llm'",
         (json.dumps({"span_id": "\ud800", "name": "\ud800", "start_time_unix_nano": -5,
                      "end_time_unix_nano": 10**30, "attributes": {"a": "[" * 9_000}}),)),
    )  # fmt: skip
    store = opened(path)
    run = store.resolve(run_id)
    assert run.row.name == bad
    assert parameters(run)["p"] == "\ufffd\0\ufffd"
    assert parameters(run)["tag.long"] == "y" * 500
    assert f"{LEFT}metrics that are no numbers (2)" in problems(store, run)
    names_ = {name for (name,) in rows(store.resolve("first"), "select name from spans")}
    assert names_ == {"agent", "?"}


# Following and importing -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_followed_run_shows_new_points(folder: Path, opened: Opened, kind: str) -> None:
    store = opened(store_of(folder, kind))
    store.follow()
    run = store.resolve("going on")
    wait_for(lambda: "loss" in points(run))
    if kind == "files":
        with (run_folder(folder, "going on") / "metrics" / "loss").open("a") as file:
            file.write("1796000000000 0.25 4\n")
    else:
        written(folder / "mlflow.db", point(run.id, "loss", 0.25, 4))
    wait_for(lambda: points(run)["loss"] == [(3, "0.5"), (4, "0.25")])
    store.close()


def imported(path: Path, there: Path) -> OpenRun:
    """Import the first run at a path into a store, and return it as it is there."""
    sources.import_runs(str(path), ("first",), str(there), None, links=False)
    return Store(StoreLocation(there, "a test")).resolve("first")


@pytest.mark.parametrize("kind", KINDS)
def test_importing_twice_keeps_what_was_said_in_the_store(
    folder: Path, tmp_path: Path, kind: str
) -> None:
    there = tmp_path / "luml"
    path = store_of(folder, kind)
    run = imported(path, there)
    trace_id, span_id = rows(run, "select trace_id, span_id from spans where name = 'llm'")[0]
    with StoreWriter(there) as writer, writer.experiment(run.id) as experiment:
        mine = SpanAnnotationRow(
            trace_id=str(trace_id), span_id=str(span_id), name="mine", kind="feedback",
            value=True, user="me",
        )  # fmt: skip
        experiment.span_annotations([mine])
    run = imported(path, there)
    assert set(judged(run)) == {"good", "safe", "answer", "count", "mine"}
    assert len(rows(run, "select 1 from span_annotations")) == 5
    assert run.row.group_name == "vision/demo"
    assert names(run) == {"notes/hello.txt"}


def test_importing_again_takes_what_was_changed_or_deleted_in_mlflow(
    folder: Path, tmp_path: Path
) -> None:
    source, there = folder / "mlflow.db", tmp_path / "luml"

    def here(*statements: tuple[str, tuple[object, ...]]) -> None:
        written(there / run.id / "exp.db", *statements)

    def in_mlflow(*statements: tuple[str, tuple[object, ...]]) -> None:
        written(source, *statements)

    run = imported(source, there)
    assert set(judged(run)) == {"good", "safe", "answer", "count"}
    # In MLflow one is changed that nobody touched here, one that was changed here too, one that
    # was deleted here; one is deleted.
    here(
        ("UPDATE span_annotations SET rationale = 'mine' WHERE name = 'safe'", ()),
        ("DELETE FROM span_annotations WHERE name = 'answer'", ()),
    )
    in_mlflow(
        (
            "UPDATE assessments SET rationale = 'theirs' WHERE name IN ('good', 'safe', 'answer')",
            (),
        ),
        ("DELETE FROM assessments WHERE name = 'count'", ()),
    )
    for _ in range(2):
        rationales = {name: said[-1] for name, said in judged(imported(source, there)).items()}
        assert rationales == {"good": "theirs", "safe": "mine"}
    # What was changed here stays also where it is deleted there.
    in_mlflow(("DELETE FROM assessments", ()))
    assert set(judged(imported(source, there))) == {"safe"}
    assert len(rows(run, "select 1 from spans")) > 0


def test_what_was_imported_before_it_was_noted_how_stays_unless_it_is_the_same(
    folder: Path, tmp_path: Path
) -> None:
    source, there = folder / "mlflow.db", tmp_path / "luml"

    database = there / imported(source, there).id / "exp.db"
    written(
        database,
        ("DROP TABLE flowtui_taken_annotations", ()),
        ("UPDATE span_annotations SET rationale = 'mine' WHERE name = 'safe'", ()),
    )
    imported(source, there)
    changed = "UPDATE assessments SET rationale = 'theirs', last_updated_timestamp = 9"
    written(source, (changed, ()))
    rationales = {name: said[-1] for name, said in judged(imported(source, there)).items()}
    assert rationales == dict.fromkeys(("good", "answer", "count"), "theirs") | {"safe": "mine"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_goes_on_is_gone_only_after_a_day_of_silence(folder: Path, kind: str) -> None:
    source = recognising.recognise(store_of(folder, kind))
    assert source is not None
    run = next(run for run in source.runs() if run.row.name == "going on")
    signs = source.signs(run, datetime(2020, 1, 1, tzinfo=UTC))
    assert signs is not None
    assert signs.written_at is not None
    assert not signs.is_gone
    for hours, is_gone in ((1, False), (25, True)):
        signs = source.signs(run, signs.written_at + timedelta(hours=hours))
        assert signs is not None
        assert signs.is_gone is is_gone
        assert signs.written_at is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_or_a_run_that_went_while_it_was_shown(
    folder: Path, opened: Opened, kind: str
) -> None:
    path = store_of(folder, kind)
    source = recognising.recognise(path)
    assert source is not None
    listed = {run.row.name: run for run in source.runs()}
    if kind == "files":
        shutil.rmtree(run_folder(folder, "failed"))
        batches = list(source.read(listed["failed"], {}))
        assert not any(batch.points for batch in batches)
    else:
        written(path, ("DELETE FROM runs WHERE name = 'failed'", ()))
    assert "failed" not in {run.row.name for run in source.runs()}
    with pytest.raises(SourceError, match="is not there any more"):
        list(source.read(listed["failed"], {}))
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(SourceError, match="is not there any more"):
        source.runs()


# Values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-7", -7), ("01", "01"), ("1_0", "1_0"), ("3.10", "3.10"), ("1e-05", 1e-05),
        ("1e-3", "1e-3"), ("nan", "nan"), ("inf", "inf"), ("True", True), ("true", "true"),
        ('{"a": [1]}', {"a": [1]}), ("{'a': 1}", "{'a': 1}"), ("", ""), ("²", "²"), ("--1", "--1"),
        ("[" * 9_000, "[" * 9_000),
    ],
)  # fmt: skip
def test_a_parameter_is_a_number_only_if_it_is_written_like_one(text: str, value: object) -> None:
    assert param(text) == value
    assert type(param(text)) is type(value)


def test_values_of_the_database() -> None:
    huge = 1.7976931348623157e308
    assert [metric(huge), metric(-huge), metric(1), metric("x")] == [math.inf, -math.inf, 1.0, None]
    assert math.isnan(metric(0.0, 1) or 0)
