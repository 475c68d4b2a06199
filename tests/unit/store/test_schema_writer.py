"""The rows that are written into a store, against those that the SDK writes."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

import pytest

from flowtui.store.errors import DatabaseBusy, DatabaseError, RunNotFound
from flowtui.store.schema import (
    EvalAnnotationRow,
    EvalRow,
    LinkRow,
    SpanAnnotationRow,
    SpanRow,
    StoreWriter,
    create,
)
from flowtui.store.schema.create import open_for_writing, writing

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def span(
    attributes: Mapping[str, object] | None = None,
    events: Sequence[Mapping[str, object]] | None = None,
) -> SpanRow:
    return SpanRow(
        trace_id=TRACE,
        span_id=SPAN,
        name="root",
        start_ns=1_700_000_000_000_000_000,
        end_ns=1_700_000_002_500_000_000,
        attributes=attributes,
        events=events,
    )


def note(name: str, kind: Literal["feedback", "expectation"], value: int) -> EvalAnnotationRow:
    return EvalAnnotationRow(
        dataset_id="d", eval_id="s", name=name, kind=kind, value=value, user="ana"
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreWriter]:
    with StoreWriter(tmp_path / "store", clock=lambda: NOW) as writer:
        writer.start_run("run-1", "first", group="g", tags=["a", "é"], source="train.py")
        yield writer


@pytest.fixture
def meta(tmp_path: Path) -> Path:
    return tmp_path / "store" / "meta.db"


@pytest.fixture
def exp(tmp_path: Path) -> Path:
    return tmp_path / "store" / "run-1" / "exp.db"


def test_a_new_run_is_active_with_the_values_of_the_sdk(store: StoreWriter, meta: Path) -> None:
    (row,) = rows(
        meta,
        "select experiments.id, experiments.name, status, experiments.created_at,"
        " experiments.tags, duration, static_params, source, metadata, upload_status,"
        " experiment_groups.name from experiments join experiment_groups on group_id ="
        " experiment_groups.id",
    )
    assert row == (
        "run-1",
        "first",
        "active",
        "2026-03-04 05:06:07",
        '["a", "\\u00e9"]',
        None,
        None,
        "train.py",
        None,
        "not_uploaded",
        "g",
    )
    assert (meta.parent / "run-1" / "attachments").is_dir()


def test_a_run_without_tags_has_null_tags(store: StoreWriter, meta: Path) -> None:
    store.start_run("run-2", "second")
    assert rows(meta, "select tags from experiments where id = 'run-2'") == [(None,)]


def test_runs_of_one_group_name_share_the_group(store: StoreWriter, meta: Path) -> None:
    first = store.group("g")
    store.start_run("run-2", "second", group="g")
    assert rows(meta, "select distinct group_id from experiments") == [(first,)]


def test_params_keep_their_type_beside_their_text(store: StoreWriter, exp: Path) -> None:
    with store.experiment("run-1") as experiment:
        experiment.params(
            {"b": True, "i": 3, "f": 1e-05, "s": "é", "none": None, "list": ["é", 1], "d": {"x": 1}}
        )
    assert rows(exp, "select * from static_params order by rowid") == [
        ("b", "True", "bool"),
        ("i", "3", "int"),
        ("f", "1e-05", "float"),
        ("s", "é", "str"),
        ("none", "null", "json"),
        ("list", '["\\u00e9", 1]', "json"),
        ("d", '{"x": 1}', "json"),
    ]


def test_metrics_store_nan_as_null_and_replace_a_step(store: StoreWriter, exp: Path) -> None:
    local = datetime(2026, 3, 4, 7, 6, 7, 999_999, timezone(timedelta(hours=2)))
    with store.experiment("run-1") as experiment:
        experiment.metrics(
            [("m", 1, 0, local), ("m", math.nan, 1, NOW), ("m", math.inf, 2, NOW), ("m", 5, 0, NOW)]
        )
    assert rows(exp, "select value, step, logged_at from dynamic_metrics order by step") == [
        (5.0, 0, "2026-03-04 05:06:07"),
        (None, 1, "2026-03-04 05:06:07"),
        (math.inf, 2, "2026-03-04 05:06:07"),
    ]


def test_a_time_without_a_zone_is_refused(store: StoreWriter, exp: Path) -> None:
    with store.experiment("run-1") as experiment, pytest.raises(ValueError, match="no time zone"):
        experiment.metrics([("m", 1.0, 0, NOW), ("m", 1.0, 1, datetime(2026, 1, 1))])
    assert rows(exp, "select count(*) from dynamic_metrics") == [(0,)]


def test_spans_are_written_with_json_and_a_guessed_type(store: StoreWriter, exp: Path) -> None:
    event = {"name": "e", "timestamp": 5}
    with store.experiment("run-1") as experiment:
        experiment.spans([span(attributes={"gen_ai.operation.name": "chat"}, events=[event])])
    assert rows(
        exp, "select dfs_span_type, attributes, events, links, status_code, created_at from spans"
    ) == [
        (
            1,
            '{"gen_ai.operation.name": "chat"}',
            '[{"name": "e", "timestamp": 5}]',
            None,
            0,
            "2023-11-14 22:13:22",
        )
    ]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (None, 0),
        ({"gen_ai.operation.name": "invoke_agent"}, 2),
        ({"gen_ai.operation.name": "execute_tool"}, 3),
        ({"gen_ai.operation.name": "embeddings"}, 4),
        ({"gen_ai.operation.name": ["chat"]}, 0),
        ({"llm.request.type": "chat", "gen_ai.operation.name": "execute_tool"}, 1),
    ],
)
def test_span_types_are_guessed_as_the_sdk_does(
    attributes: dict[str, object] | None, expected: int
) -> None:
    assert span(attributes=attributes).span_type == expected


def test_samples_links_and_annotations_are_written(store: StoreWriter, exp: Path) -> None:
    with store.experiment("run-1") as experiment:
        experiment.spans([span()])
        experiment.evals([EvalRow(dataset_id="d", id="s", inputs={}, scores={"ok": True})])
        experiment.links([LinkRow(dataset_id="d", eval_id="s", trace_id=TRACE)])
        experiment.eval_annotations([note("q", "feedback", False), note("n", "expectation", 7)])
        experiment.span_annotations(
            [
                SpanAnnotationRow(
                    trace_id=TRACE,
                    span_id=SPAN,
                    name="t",
                    kind="expectation",
                    value="x",
                    user="ana",
                    rationale="why",
                )
            ]
        )
    when = "2026-03-04 05:06:07"
    assert rows(exp, "select * from evals") == [
        ("s", "d", "{}", None, None, '{"ok": true}', None, when, when)
    ]
    assert rows(exp, "select eval_dataset_id, eval_id, trace_id from eval_traces_bridge") == [
        ("d", "s", TRACE)
    ]
    assert rows(
        exp, "select annotation_kind, value_type, value, created_at from eval_annotations"
    ) == [("feedback", "bool", "false", when), ("expectation", "int", "7", when)]
    assert rows(exp, "select value_type, value, user, rationale from span_annotations") == [
        ("string", "x", "ana", "why")
    ]


def test_feedback_that_is_no_bool_is_refused() -> None:
    with pytest.raises(ValueError, match="true or false"):
        note("q", "feedback", 1)


def test_an_annotation_of_nothing_is_refused_whole(store: StoreWriter, exp: Path) -> None:
    def feedback(span_id: str) -> SpanAnnotationRow:
        return SpanAnnotationRow(
            trace_id=TRACE, span_id=span_id, name="q", kind="feedback", value=True, user="ana"
        )

    with store.experiment("run-1") as experiment:
        experiment.spans([span()])
        with pytest.raises(DatabaseError, match="FOREIGN KEY constraint failed"):
            experiment.span_annotations([feedback(SPAN), feedback("0" * 16)])
    assert rows(exp, "select count(*) from span_annotations") == [(0,)]


def test_an_attachment_has_a_file_and_one_row(store: StoreWriter, exp: Path) -> None:
    with store.experiment("run-1") as experiment:
        experiment.attachment("plots/a.txt", b"long text")
        file = experiment.attachment("plots/a.txt", b"text\r\n")
    assert file.read_bytes() == b"text\r\n"
    assert rows(exp, "select name, file_path, size, created_at from attachments") == [
        ("plots/a.txt", "plots/a.txt", 6, "2026-03-04 05:06:07")
    ]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "", "."])
def test_an_attachment_cannot_leave_its_folder(store: StoreWriter, name: str) -> None:
    with store.experiment("run-1") as experiment, pytest.raises(ValueError, match="inside"):
        experiment.attachment(name, b"x")


@pytest.mark.parametrize("run_id", ["", ".", "..", "a/b", "/a"])
def test_a_run_id_must_be_one_folder(store: StoreWriter, run_id: str) -> None:
    with pytest.raises(ValueError, match="folder"):
        store.start_run(run_id, "x")


def test_a_completed_run_gets_copies_of_params_and_last_values(
    store: StoreWriter, meta: Path
) -> None:
    with store.experiment("run-1") as experiment:
        experiment.params({"b": False, "f": 0.5, "i": 2, "s": "1", "n": None, "l": [1]})
        experiment.metrics([("m", 9, 5, NOW), ("m", 1, 2, NOW), ("nan", math.nan, 0, NOW)])
    store.end_run("run-1", status="completed", duration=90.5)
    (row,) = rows(meta, "select status, duration, static_params, dynamic_params from experiments")
    assert row[:2] == ("completed", 90.5)
    assert row[2] == '{"b": false, "f": 0.5, "i": 2, "s": "1", "n": null, "l": [1]}'
    assert row[3] == '{"m": 9.0, "nan": null}'
    assert rows(meta, "select last_modified from experiment_groups") == [("2026-03-04 05:07:37",)]


def test_a_failed_run_gets_no_copies(store: StoreWriter, meta: Path) -> None:
    with store.experiment("run-1") as experiment:
        experiment.params({"b": False})
    store.end_run("run-1", status="error", duration=1.0)
    assert rows(meta, "select status, static_params, dynamic_params from experiments") == [
        ("error", None, None)
    ]


def test_a_run_that_logged_nothing_completes_with_null_copies(
    store: StoreWriter, meta: Path
) -> None:
    store.end_run("run-1", status="completed", duration=1.0)
    assert rows(meta, "select static_params, dynamic_params from experiments") == [(None, None)]


def test_ending_an_unknown_run_is_an_error(store: StoreWriter) -> None:
    with pytest.raises(RunNotFound, match="nobody"):
        store.end_run("nobody", status="error", duration=1.0)


def test_a_model_has_a_file_and_a_path_relative_to_the_store(
    store: StoreWriter, meta: Path
) -> None:
    store.model("run-1", "net.luml", b"1234", tags=["best"])
    assert rows(meta, "select name, path, size, tags, experiment_id from models") == [
        ("net", "run-1/models/net.luml", 4, '["best"]', "run-1")
    ]
    assert (meta.parent / "run-1/models/net.luml").read_bytes() == b"1234"


def test_an_uploaded_run_is_tied_to_its_artifact(store: StoreWriter, meta: Path) -> None:
    store.uploaded("run-1", orbit_id="o", artifact_id="a")
    assert rows(meta, "select upload_status from experiments") == [("uploaded",)]
    assert rows(meta, "select * from remote_artifacts") == [
        ("experiment", "run-1", "o", "a", "2026-03-04 05:06:07")
    ]


def test_a_missing_exp_db_is_an_error_and_is_not_made(store: StoreWriter, exp: Path) -> None:
    exp.unlink()
    with pytest.raises(DatabaseError, match=r"exp\.db"):
        store.experiment("run-1")
    assert not exp.exists()


def test_a_file_that_is_no_database_is_an_error(store: StoreWriter, exp: Path) -> None:
    exp.write_bytes(b"not a database, but long enough to be looked at" * 50)
    with pytest.raises(DatabaseError, match="not a database"):
        store.experiment("run-1")


def test_a_locked_database_is_reported_as_busy(
    store: StoreWriter, exp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "BUSY_TIMEOUT_S", 0.01)
    with closing(open_for_writing(exp)) as database, closing(sqlite3.connect(exp)) as other:
        other.execute("begin immediate")
        with pytest.raises(DatabaseBusy, match="locked"), writing(database, exp) as connection:
            connection.execute("insert into static_params values ('a', '1', 'int')")
        other.rollback()
        with writing(database, exp) as connection:
            connection.execute("insert into static_params values ('a', '1', 'int')")
    assert rows(exp, "select key from static_params") == [("a",)]


def test_nothing_beside_the_databases_is_left_when_a_writer_closes(tmp_path: Path) -> None:
    with StoreWriter(tmp_path) as writer:
        writer.start_run("r", "n")
        with writer.experiment("r") as experiment:
            experiment.params({"a": 1})
        writer.end_run("r", status="completed", duration=1)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.db*")) == [
        "meta.db",
        "r/exp.db",
    ]
