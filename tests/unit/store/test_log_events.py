"""What was said in log records shows in its span, in whatever order and form the two come."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from flowtui.store.database import Database
from flowtui.store.genai.messages import messages
from flowtui.store.genai.parts import TextPart, ToolCall, ToolResult
from flowtui.store.otlp import files, joining
from flowtui.store.otlp.ingesting import Batch, Written
from flowtui.store.otlp.items import LogEvent, OtlpSpan, Rejected, Skipped
from tests.unit.log_bodies import LogBodies, json_lines, recorded
from tests.unit.otlp_samples import span, spans_of, traces
from tests.unit.stores import execute, one_run

FIRST = [
    "system: You are terse.",
    "user: Weather in Zürich and Oslo?",
    "assistant: call_1 weather {'city': 'Zürich'}",
    "assistant: call_2 weather {'city': 'Oslo'}",
]
SEEN = [FIRST, [*FIRST, "tool: call_1 18 °C", "tool: call_2 9 °C",
                "assistant: Zürich 18 °C, Oslo 9 °C."]]  # fmt: skip
"""What a person must see of the two calls."""
BODIES = ["messages", "details"]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(one_run(tmp_path / "store"), "exp.db")


def put(database: Database, data: bytes) -> Written:
    batch = Batch()
    for item in files.items(io.BytesIO(data)):
        assert not isinstance(item, Rejected), item
        if isinstance(item, OtlpSpan):
            batch.add(item)
        elif isinstance(item, LogEvent):
            batch.add_event(item)
    return batch.write(database)


def read(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database.path)) as connection:
        return connection.execute(sql).fetchall()


def tables(database: Database) -> set[str]:
    return {name for (name,) in read(database, "select name from sqlite_master")}


def seen(database: Database) -> list[list[str]]:
    rows = read(database, "select attributes, events from spans order by start_time_unix_nano")
    found = []
    for attributes, events in rows:
        said = messages(json.loads(attributes), json.loads(events or "[]"))
        found.append(
            [
                f"{message.role}: {shown(part)}"
                for message in (*said.system, *said.input, *said.output)
                for part in message.parts
            ]
        )
    return found


def shown(part: object) -> str:
    match part:
        case TextPart():
            return part.text
        case ToolCall():
            return f"{part.id} {part.name} {part.arguments}"
        case ToolResult():
            return f"{part.id} {part.result}"
        case _:
            return f"not understood: {part}"


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("order", list(permutations(("logs", "metrics", "spans"))))
def test_a_person_sees_the_same_in_whatever_order_they_come(
    name: str, order: tuple[str, ...], database: Database
) -> None:
    before = tables(database)
    bodies = recorded(name)
    for signal in order:
        put(database, json_lines(getattr(bodies, signal)))
    assert seen(database) == SEEN
    assert tables(database) == before


@pytest.mark.parametrize("name", BODIES)
def test_a_file_in_which_signals_are_mixed_says_the_same(name: str, database: Database) -> None:
    logs, metrics, spans = recorded(name).protobuf
    framed = b"".join(len(part).to_bytes(4) + part for part in (metrics, logs, spans))
    put(database, framed)
    assert seen(database) == SEEN


@pytest.mark.parametrize("name", BODIES)
def test_protobuf_and_json_say_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = recorded(name)
    all_json = [bodies.logs, bodies.metrics, bodies.spans]
    for document, data in zip(all_json, bodies.protobuf, strict=True):
        expected = comparable(json_lines(document))
        assert comparable(data) == expected
        assert comparable(json.dumps(document, indent=1).encode()) == expected
        with monkeypatch.context() as patched:
            patched.setattr("flowtui.store.otlp.items.WHOLE_BYTES", 100)
            assert comparable(data) == expected


def comparable(data: bytes) -> list[Any]:
    found = []
    for item in files.items(io.BytesIO(data)):
        assert not isinstance(item, Rejected), item
        found.append(item if isinstance(item, Skipped) else item._replace(**_plain(item)))
    assert found
    return found


def _plain(item: OtlpSpan | LogEvent) -> dict[str, Any]:
    if isinstance(item, LogEvent):
        return {}
    return {"origin": None, "events": list(item.events), "links": list(item.links)}


@pytest.mark.parametrize("name", BODIES)
def test_the_same_again_changes_nothing(name: str, database: Database) -> None:
    bodies = recorded(name)
    data = json_lines(bodies.logs, bodies.spans)
    put(database, data)
    before = read(database, "select * from spans order by span_id")
    assert put(database, data) == Written(0, 0, 2, len(log_events(bodies)))
    put(database, json_lines(bodies.logs))
    assert read(database, "select * from spans order by span_id") == before


def log_events(bodies: LogBodies) -> list[LogEvent]:
    items = files.items(io.BytesIO(json_lines(bodies.logs)))
    return [item for item in items if isinstance(item, LogEvent)]


def event_of(number: int, text: str, time_ns: int = 0) -> LogEvent:
    (of,) = spans_of(traces(span(number)).SerializeToString())
    event = {"name": "gen_ai.user.message", "timestamp": time_ns,
             "attributes": {"gen_ai.event.content": {"content": text}}, "log": {}}  # fmt: skip
    return LogEvent(of.trace_id, of.span_id, event)  # type: ignore[arg-type]  # as it is read


def write(database: Database, *events: LogEvent, spans: bytes = b"") -> Batch:
    batch = Batch()
    for found in spans_of(spans) if spans else []:
        batch.add(found)
    for event in events:
        batch.add_event(event)
    batch.write(database)
    return batch


def test_a_span_that_is_sent_again_keeps_what_joined_it(database: Database) -> None:
    first, again = span(1), span(1, more=True)
    first.events.add(name="own", time_unix_nano=5)
    again.events.add(name="other", time_unix_nano=6)
    later, earlier = event_of(1, "later", 9), event_of(1, "earlier", 8)
    write(database, later, spans=traces(first).SerializeToString())
    write(database, earlier)
    write(database, spans=traces(again).SerializeToString())
    ((text,),) = read(database, "select events from spans")
    assert json.loads(text) == [{"name": "other", "timestamp": 6}, earlier.event, later.event]


def test_what_waits_is_on_the_disk_and_bounded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MAX_WAITING", 3)
    batch = write(database, *(event_of(number, "x") for number in range(5)))
    assert batch.dropped_events == 2
    assert read(database, "select count(*) from flowtui_waiting_events") == [(3,)]
    # One that waits already is no other one, and one whose span is there needs no room.
    assert write(database, event_of(0, "x")).dropped_events == 0
    there = traces(span(9)).SerializeToString()
    assert write(database, event_of(9, "x"), spans=there).dropped_events == 0
    write(database, spans=traces(span(0), span(1), span(2)).SerializeToString())
    assert read(database, "select count(*) from spans where events is not null") == [(4,)]
    assert "flowtui_waiting_events" not in tables(database)


def test_a_span_takes_no_more_than_can_be_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MAX_SPAN_CHARS", 1_000)
    sent = traces(span(1)).SerializeToString()
    batch = write(database, event_of(1, "a" * 700), event_of(1, "b" * 700), spans=sent)
    assert batch.dropped_events == 1


@pytest.mark.parametrize("odd", ["no json", b"\xff", "{}"])
def test_events_that_nobody_can_read_are_left_as_they_are(odd: object, database: Database) -> None:
    write(database, spans=traces(span(1)).SerializeToString())
    execute(database.path, "update spans set events = ?", [(odd,)])
    assert write(database, event_of(1, "x")).dropped_events == 1
    assert read(database, "select events from spans") == [(odd,)]


def record(**members: Any) -> dict[str, Any]:
    ids = {"traceId": "ab" * 16, "spanId": "cd" * 8}
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [{**ids, **members}]}]}]}


def attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


SYSTEM = attribute("gen_ai.system", "openai")


def body(**values: str) -> dict[str, Any]:
    return {"kvlistValue": {"values": [attribute(key, text) for key, text in values.items()]}}


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"eventName": "gen_ai.choice"}, "gen_ai.choice"),
        ({"attributes": [attribute("event.name", "gen_ai.tool.message")]}, "gen_ai.tool.message"),
        ({"attributes": [attribute("gen_ai.input.messages", "[]")]},
         "gen_ai.client.inference.operation.details"),
        ({"attributes": [SYSTEM], "body": body(role="user", content="x")}, "gen_ai.user.message"),
        ({"body": body(role="user", content="x")}, None),
        ({"attributes": [SYSTEM], "body": {"stringValue": "it went well"}}, None),
        ({"eventName": "http.request", "attributes": [SYSTEM]}, None),
        ({"eventName": "gen_ai.choice", "spanId": ""}, None),
    ],
)  # fmt: skip
def test_which_records_are_events(members: dict[str, Any], name: str | None) -> None:
    (item,) = files.items(io.BytesIO(json_lines(record(**members))))
    if name is None:
        assert item == Skipped("logs")
    else:
        assert isinstance(item, LogEvent)
        assert item.event["name"] == name


def test_a_body_that_is_a_text_is_what_was_said(database: Database) -> None:
    sent = record(eventName="gen_ai.user.message", body={"stringValue": "hello"})
    (item,) = files.items(io.BytesIO(json_lines(sent)))
    assert isinstance(item, LogEvent)
    said = messages({}, [item.event])
    assert [shown(part) for message in said.input for part in message.parts] == ["hello"]
