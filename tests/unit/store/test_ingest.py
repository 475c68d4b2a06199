"""`flow-tui ingest`: what it writes, what it says, and that it can be repeated."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flowtui.__main__ import main
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseBusy, DatabaseError, DatabaseMissing
from flowtui.store.otlp.ingesting import BATCH_SPANS, Batch, SpanWriter, Written
from flowtui.store.otlp.rows import COLUMNS, row
from flowtui.store.transaction import Patience
from tests.unit.otlp_samples import document, line, rich_span, span, spans_of, traces
from tests.unit.stores import contents, execute, one_run

Ingest = Callable[..., tuple[int, str, str]]

METRICS = b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m"}]}]}]}\n'


@pytest.fixture
def ingest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Ingest:
    """Runs the command on the store `tmp_path`/store; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        argv = ["flow-tui", "ingest", "--store", str(tmp_path / "store"), *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def spans_file(tmp_path: Path) -> Path:
    path = tmp_path / "spans.pb"
    path.write_bytes(traces(*(span(number) for number in range(25))).SerializeToString())
    return path


def rows(path: Path, columns: str = "*", table: str = "spans") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"select {columns} from {table} order by 1").fetchall()


def test_a_new_run_is_made_and_completed(ingest: Ingest, spans_file: Path, tmp_path: Path) -> None:
    code, out, err = ingest("--new", "from otel", "--group", "g", spans_file)
    assert (code, err) == (0, "")
    ((run_id, name, status, duration),) = rows(
        tmp_path / "store" / "meta.db", "id, name, status, duration", "experiments"
    )
    assert (name, status) == ("from otel", "completed")
    assert duration >= 0
    assert out == f"25 spans into from otel ({run_id[:8]}): 25 new\n"
    assert (tmp_path / "store" / run_id / "attachments").is_dir()
    assert len(rows(tmp_path / "store" / run_id / "exp.db")) == 25
    assert not list((tmp_path / "store").rglob("*-wal"))


def test_the_same_again_changes_nothing(ingest: Ingest, spans_file: Path, tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    assert ingest("run-1", spans_file)[0] == 0
    before = contents(tmp_path / "store" / "run-1")
    code, out, _ = ingest("run-1", spans_file, spans_file)
    assert (code, out) == (0, "50 spans into run-1 (run-1): 50 there already\n")
    after = contents(tmp_path / "store" / "run-1")
    assert after["exp.db"][0] == before["exp.db"][0]


def test_a_span_that_says_something_else_is_replaced_and_keeps_its_annotations(
    tmp_path: Path,
) -> None:
    path = one_run(tmp_path / "store")
    (old,) = spans_of(traces(span(1, a=1)).SerializeToString())
    (new,) = spans_of(traces(span(1, a=2)).SerializeToString())
    with SpanWriter(Database(path, "exp.db")) as writer:
        writer.add(old)
    execute(
        path,
        "insert into span_annotations (id, trace_id, span_id, name, annotation_kind, value_type,"
        " value, user) values ('1', ?, ?, 'quality', 'feedback', 'bool', 'true', 'ana')",
        [(old.trace_id, old.span_id)],
    )
    with SpanWriter(Database(path, "exp.db")) as writer:
        writer.add(new)
    assert writer.written == Written(0, 1, 0)
    assert rows(path, "attributes") == [('{"a": 2}',)]
    assert len(rows(path, table="span_annotations")) == 1


def test_a_span_that_only_announces_replaces_none(tmp_path: Path) -> None:
    database = Database(one_run(tmp_path / "store"), "exp.db")
    sent = traces(span(1, n=1), span(1, **{"logfire.span_type": "pending_span"}))
    batch = Batch()
    for found in reversed(spans_of(sent.SerializeToString())):
        batch.add(found)
    batch.write(database)
    assert rows(database.path, "attributes") == [('{"n": 1}',)]


def test_bad_lines_are_counted_and_the_first_are_named(ingest: Ingest, tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    file = tmp_path / "mixed.jsonl"
    file.write_bytes(line(traces(span(1))) + METRICS + b"junk\n" * 8 + line(traces(span(2))))
    code, out, err = ingest("run-1", file)
    assert code == 0
    assert out.splitlines() == [
        "2 spans into run-1 (run-1): 2 new",
        "skipped, since they are not spans: 1 metrics",
        "not readable: 8",
    ]
    lines = err.splitlines()
    assert lines[0].startswith(f"flow-tui: {file}, line 3: it is not JSON")
    assert len(lines) == 6
    assert lines[5] == "flow-tui: and 3 more that cannot be read"


def test_strict_fails_at_the_first_bad_line(ingest: Ingest, tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    file = tmp_path / "mixed.jsonl"
    file.write_bytes(line(traces(span(1))) + b"junk\n")
    code, out, err = ingest("--strict", "run-1", file)
    assert (code, out) == (1, "")
    assert err.startswith(f"flow-tui: {file}, line 2: ")
    assert rows(tmp_path / "store" / "run-1" / "exp.db") == []


@pytest.mark.parametrize("junk", [b"junk\n", b""])
def test_a_failed_new_run_is_in_error(ingest: Ingest, tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "junk").write_bytes(junk)
    code, _, err = ingest("--new", "x", "junk")
    assert code == 1
    assert err.endswith("flow-tui: no readable spans in junk\n")
    assert rows(tmp_path / "store" / "meta.db", "status, name", "experiments") == [("error", "x")]


def test_standard_input_is_read(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one_run(tmp_path / "store")
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(document(traces(rich_span()))).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    code, out, _ = ingest("run-1", "-")
    assert (code, out) == (0, "1 span into run-1 (run-1): 1 new\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run-1", "missing.pb"], 1, "there is no such file"),
        (["run-1", "."], 1, "it is a folder"),
        (["run-1"], 2, "give the FILE"),
        (["--group", "g", "run-1", "-"], 2, "--new NAME"),
        (["--new", " ", "-"], 2, "the name is empty"),
        (["nobody", "-"], 1, "nobody"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    ingest: Ingest, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    one_run(tmp_path / "store")
    found, out, err = ingest(*arguments)
    assert (found, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_row_keeps_the_origin_beside_the_attributes() -> None:
    def attributes(**own: Any) -> Any:
        data = traces(span(1, **own), resource={"service.name": "svc"}, scope="lib")
        return json.loads(str(row(spans_of(data.SerializeToString())[0])[10]))

    origin = {"otel.resource": {"service.name": "svc"}, "otel.scope": {"name": "lib"}}
    assert attributes() == origin
    assert attributes(a=1) == {"a": 1, **origin}
    assert attributes(**{"otel.resource": "mine", "otel.resource_": 0}) == {
        "otel.resource": "mine",
        "otel.resource_": 0,
        "otel.resource__": {"service.name": "svc"},
        "otel.scope": {"name": "lib"},
    }


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, 0),
        ({"gen_ai.operation.name": "chat"}, 1),
        ({"gen_ai.operation.name": "invoke_agent"}, 2),
        ({"gen_ai.operation.name": "execute_tool"}, 3),
        ({"gen_ai.operation.name": "embeddings"}, 4),
        ({"gen_ai.operation.name": "invoke_agent", "llm.request.type": "chat"}, 1),
        ({"openinference.span.kind": "RERANKER"}, 5),
        ({"openinference.span.kind": "CHAIN"}, 0),
        ({"traceloop.span.kind": "agent"}, 2),
        ({"mlflow.spanType": '"TOOL"'}, 3),
        ({"gen_ai.operation.name": ["chat"]}, 0),
    ],
)
def test_the_type_is_guessed_from_any_dialect(attributes: dict[str, Any], expected: int) -> None:
    (found,) = spans_of(traces(span(1, **attributes)).SerializeToString())
    assert dict(zip(COLUMNS, row(found), strict=True))["dfs_span_type"] == expected


def test_a_busy_store_is_waited_for_and_then_said(tmp_path: Path) -> None:
    database = Database(one_run(tmp_path / "store"), "exp.db")
    batch = Batch()
    batch.add(spans_of(traces(span(1)).SerializeToString())[0])
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(DatabaseBusy):
            batch.write(database, Patience(limit_s=0.02))
        other.execute("rollback")
    assert batch.write(database) == Written(1, 0, 0)


def test_a_batch_that_cannot_be_written_ends_the_writing(tmp_path: Path) -> None:
    database = Database(one_run(tmp_path / "store"), "exp.db")
    sent = traces(*(span(number) for number in range(BATCH_SPANS + 1)))
    spans = spans_of(sent.SerializeToString())

    def write_all() -> None:
        with SpanWriter(database, Patience(limit_s=0.02)) as writer:
            for found in spans:
                writer.add(found)

    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(DatabaseBusy):
            write_all()
    assert rows(database.path) == []


def test_others_write_while_spans_are(tmp_path: Path) -> None:
    database = Database(one_run(tmp_path / "store"), "exp.db")
    found = spans_of(traces(span(1)).SerializeToString())[0]
    with (
        closing(sqlite3.connect(database.path, timeout=0, isolation_level=None)) as other,
        SpanWriter(database) as writer,
    ):
        for number in range(3):
            writer.add(found._replace(span_id=f"{number + 1:016x}"))
            writer.flush()
            other.execute("insert into static_params values (?, '1', 'int')", [number])
    assert writer.written == Written(3, 0, 0)


def test_there_must_be_a_database_with_spans(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing):
        SpanWriter(Database(tmp_path / "exp.db", "exp.db"))
    path = one_run(tmp_path / "store")
    execute(path, "drop table spans")
    with (
        pytest.raises(DatabaseError, match="no table of spans"),
        SpanWriter(Database(path, "exp.db")) as writer,
    ):
        writer.add(spans_of(traces(span(1)).SerializeToString())[0])


def test_a_store_of_an_older_schema_takes_what_it_has_columns_for(tmp_path: Path) -> None:
    path = one_run(tmp_path / "store")
    execute(path, "alter table spans drop column trace_flags")
    with SpanWriter(Database(path, "exp.db")) as writer:
        writer.add(spans_of(traces(span(1)).SerializeToString())[0])
    assert rows(path, "name") == [("span 1",)]


def test_a_row_of_the_sdk_can_be_left_as_it_is(tmp_path: Path) -> None:
    path = one_run(tmp_path / "store")
    database = Database(path, "exp.db")
    of_sdk, ours = (span(number, step=number) for number in (1, 2))
    write_row = f"insert into spans ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})"
    (bare,) = spans_of(traces(of_sdk).SerializeToString())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(write_row, row(bare))
        connection.commit()
    for name in ("first", "second"):
        of_sdk.name = ours.name = name
        batch = Batch()
        for one in spans_of(traces(of_sdk, ours, resource={"a": "b"}).SerializeToString()):
            batch.add(one)
        batch.write(database, spares_sdk=True)
    assert rows(path, "span_id, name") == [
        (bare.span_id, "span 1"),
        (ours.span_id.hex(), "second"),
    ]
