"""A trace as OTLP/JSON, JSON and Markdown."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from flowtui.reports.otlp_json import any_value
from flowtui.screens.dialogs.export import Export
from flowtui.screens.traces.saving import FORMATS, save
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import AnnotationKind, Draft, SpanTarget
from flowtui.store.cancelling import cancelling
from flowtui.store.database import Database
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.otlp import files as otlp_files
from flowtui.store.otlp.ingesting import SpanWriter, Written
from flowtui.store.otlp.items import OtlpSpan
from flowtui.store.schema import SpanRow, StoreWriter
from flowtui.store.store import Store
from tests.conftest import NOW, open_store
from tests.unit.stores import one_run

TRACE, ROOT, CHILD = "a" * 32, "1" * 16, "2" * 16
LINK = {"trace_id": "b" * 32, "span_id": "3" * 16, "attributes": {"why": "retry"}}
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": json.dumps([{"role": "user", "content": "how? ```now``` | *or*"}]),
    "numbers": [1, 2.5],
    "nested": {"deep": None},
}
EXCEPTION = {
    "name": "exception",
    "timestamp": 7,
    "attributes": {"exception.type": "KeyError", "exception.message": "parcel"},
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    common: dict[str, Any] = {"trace_id": TRACE, "start_ns": 10, "end_ns": 2_000_000_010}
    with StoreWriter(tmp_path, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.spans(
                [
                    SpanRow(span_id=ROOT, parent_span_id=None, name="agent", **common),
                    SpanRow(
                        span_id=CHILD,
                        parent_span_id=ROOT,
                        name="call `x`",
                        status_code=2,
                        status_message="it broke",
                        attributes=CHAT,
                        events=[EXCEPTION],
                        links=[LINK],
                        **common,
                    ),
                ]
            )
    found = open_store(tmp_path)
    draft = Draft("tone|style", AnnotationKind.EXPECTATION, 4, "too *short*", "ana")
    annotating.add(found.run("run").database, SpanTarget(TRACE, CHILD), draft)
    return found


def saved(store: Store, key: str, path: Path) -> str:
    save(store.resolve("run"), TRACE, Export(key, path))
    return path.read_text()


def test_otlp_is_what_the_protobuf_library_reads(store: Store, tmp_path: Path) -> None:
    document = json.loads(saved(store, "otlp", tmp_path / "t.json"))
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert [one["spanId"] for one in spans] == [ROOT, CHILD]
    assert spans[1]["parentSpanId"] == ROOT
    assert "parentSpanId" not in spans[0]
    # The library takes bytes as base64, which OTLP/JSON writes in hex; all else it reads itself.
    parsed = ParseDict(document, TracesData()).resource_spans[0].scope_spans[0].spans[1]
    assert (parsed.start_time_unix_nano, parsed.status.code) == (10, 2)
    assert parsed.attributes[2].value.array_value.values[0].int_value == 1
    assert parsed.links[0].attributes[0].value.string_value == "retry"
    assert [event.name for event in parsed.events] == ["exception", "luml.annotation"]
    note = {one.key: one.value for one in parsed.events[1].attributes}
    assert note["luml.annotation.value"].int_value == 4
    assert note["luml.annotation.user"].string_value == "ana"


def rows(path: Path) -> list[list[tuple[Any, ...]]]:
    spans = "span_id, parent_span_id, name, status_message, attributes, events, links"
    notes = (
        "id, trace_id, span_id, name, annotation_kind, value_type, value, user, rationale,"
        " created_at"
    )
    with closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(f"select {columns} from {table} order by 1").fetchall()
            for columns, table in ((spans, "spans"), (notes, "span_annotations"))
        ]


def test_an_export_is_taken_back_with_its_annotations(store: Store, tmp_path: Path) -> None:
    saved(store, "otlp", tmp_path / "t.json")
    there = store.run("run").database
    before = rows(there.path)
    other = Database(one_run(tmp_path / "other"), "exp.db")
    for database, expected in ((other, Written(new=2, annotations=1)), (other, Written(same=2)),
                               (there, None)):  # fmt: skip
        with (tmp_path / "t.json").open("rb") as file, SpanWriter(database) as writer:
            for item in otlp_files.items(file):
                assert isinstance(item, OtlpSpan)
                writer.add(item)
        assert expected in (None, writer.written)
    after, notes = rows(other.path)
    assert notes == before[1]
    assert [json.loads(row[4] or "null") for row in after] == [
        json.loads(row[4] or "null") for row in before[0]
    ]
    assert [json.loads(row[5] or "[]") for row in after] == [[], [EXCEPTION]]
    assert rows(there.path)[1] == before[1]


def test_json_is_the_document_of_the_command_with_annotations(store: Store, tmp_path: Path) -> None:
    document = json.loads(saved(store, "json", tmp_path / "t.json"))
    child = document["spans"][0]["children"][0]
    assert child["attributes"] == CHAT
    (note,) = child["annotations"]
    assert (note["name"], note["value"], note["user"]) == ("tone|style", 4, "ana")


def test_markdown_tells_what_failed_and_what_was_said(store: Store, tmp_path: Path) -> None:
    lines = saved(store, "markdown", tmp_path / "t.md").splitlines()
    assert lines[0] == "## Trace `agent`"
    assert "  call `x` [chat]  2.0 s  ERROR" in lines
    assert "### Error in `call 'x'`" in lines
    assert "KeyError: parcel" in lines
    # A fence that is longer than what is inside it cannot be closed from there.
    said = lines.index("how? ```now``` | *or*")
    assert (lines[said - 1], lines[said + 1]) == ("````", "````")
    assert "| tone\\|style | expectation | 4 | ana | too \\*short\\* |" in lines


def test_a_trace_that_is_gone_leaves_no_file(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not in the store any more"):
        save(store.resolve("run"), "f" * 32, Export("json", tmp_path / "t.json"))
    assert not list(tmp_path.glob("t.json*"))


@pytest.mark.parametrize("key", [one.key for one in FORMATS[:2]])
def test_leaving_while_it_is_written_leaves_no_file(store: Store, tmp_path: Path, key: str) -> None:
    with cancelling(lambda: True), pytest.raises(ReadCancelled):
        save(store.resolve("run"), TRACE, Export(key, tmp_path / "t.json"))
    assert not list(tmp_path.glob("t.json*"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {}),
        (True, {"boolValue": True}),
        (2**40, {"intValue": "1099511627776"}),
        (2**64, {"stringValue": "18446744073709551616"}),
        (math.nan, {"doubleValue": "NaN"}),
        (-math.inf, {"doubleValue": "-Infinity"}),
        ([1.5, "a"], {"arrayValue": {"values": [{"doubleValue": 1.5}, {"stringValue": "a"}]}}),
        ({"k": False}, {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": False}}]}}),
    ],
)
def test_every_json_value_has_an_otlp_value(value: Any, expected: dict[str, object]) -> None:
    assert any_value(value) == expected
