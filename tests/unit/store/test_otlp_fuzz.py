"""Whatever the bytes are, they are read to the end or said to be unreadable."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
from contextlib import closing, suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.store.otlp import document as otlp_document
from flowtui.store.otlp import foreign, proto, rows, text
from flowtui.store.otlp.items import Item, LogEvent, OtlpSpan, Unreadable
from flowtui.store.otlp.signals import Signal
from flowtui.store.otlp.source import Source
from flowtui.store.schema.ddl import EXPERIMENT_TABLES
from tests.unit.log_bodies import json_lines, recorded
from tests.unit.otlp_samples import document, line, read, rich_span, span, traces
from tests.unit.store.test_foreign_spans import JAEGER, ZIPKIN

PROTOBUF = traces(rich_span(), span(8), resource={"service.name": "s"}).SerializeToString()
TEXT = line(traces(rich_span(), span(8), resource={"service.name": "s"}))
WORDS = (
    "resourceSpans scopeSpans spans resource scope attributes key value traceId spanId events links"
    " status code kind flags name startTimeUnixNano stringValue intValue arrayValue kvlistValue"
    " values doubleValue resourceLogs"
).split()
SPAN_WORDS = (
    "traceID spanID operationName references startTime duration tags logs processID process"
    " warnings traceId id parentId kind timestamp localEndpoint remoteEndpoint annotations shared"
).split()
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner),
    max_leaves=12,
)
LOGS_JSON = json_lines(recorded("messages").logs)
LOGS, METRICS, _ = recorded("messages").protobuf
FOREIGN = [json.dumps(value).encode() for value in (JAEGER, ZIPKIN)]
quick = settings(max_examples=150, deadline=None)


def accepted_by_sqlite(items: list[Item]) -> None:
    """Every span is a row that the store takes."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(next(sql for sql in EXPERIMENT_TABLES if "TABLE spans" in sql))
        columns = ", ".join(rows.COLUMNS)
        marks = ", ".join("?" * len(rows.COLUMNS))
        for item in items:
            if isinstance(item, OtlpSpan):
                connection.execute(
                    f"insert or replace into spans ({columns}) values ({marks})",
                    rows.row(item),
                )
            elif isinstance(item, LogEvent):
                json.dumps(item.event).encode()


def changed(data: bytes, changes: list[tuple[int, int]], cut: int) -> bytes:
    made = bytearray(data)
    for place, byte in changes:
        made[place % len(made)] = byte
    return bytes(made[: cut % (len(made) + 1)] if cut else made)


CHANGES = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=6)
CUT = st.one_of(st.just(0), st.integers(0, 5_000))


@quick
@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    accepted_by_sqlite(read(data))


@quick
@given(CHANGES, CUT)
def test_damaged_protobuf_is_read(changes: list[tuple[int, int]], cut: int) -> None:
    accepted_by_sqlite(read(changed(PROTOBUF, changes, cut)))


@quick
@given(CHANGES, CUT)
def test_damaged_protobuf_of_a_request_is_read_or_refused(
    changes: list[tuple[int, int]], cut: int
) -> None:
    with suppress(Unreadable):
        data = changed(PROTOBUF, changes, cut)
        accepted_by_sqlite(list(proto.items(Source(io.BytesIO(data), 100, 20))))


@quick
@given(CHANGES, CUT)
def test_damaged_json_is_read(changes: list[tuple[int, int]], cut: int) -> None:
    accepted_by_sqlite(read(changed(TEXT, changes, cut)))


@quick
@given(CHANGES, CUT)
def test_damaged_json_of_a_request_is_read_or_refused(
    changes: list[tuple[int, int]], cut: int
) -> None:
    data = changed(TEXT, changes, cut)
    with suppress(Unreadable):
        accepted_by_sqlite(list(text.request(Source(io.BytesIO(data), 100, 20))))


@quick
@given(CHANGES, CUT)
def test_damaged_json_over_lines_is_read(changes: list[tuple[int, int]], cut: int) -> None:
    spread = json.dumps(document(traces(rich_span(), span(8))), indent=1).encode()
    accepted_by_sqlite(read(changed(spread, changes, cut)))


@quick
@given(CHANGES, CUT)
def test_damaged_gzip_is_read(changes: list[tuple[int, int]], cut: int) -> None:
    accepted_by_sqlite(read(changed(gzip.compress(TEXT), changes, cut)))


@quick
@given(st.dictionaries(st.sampled_from(WORDS), JSON))
def test_any_json_is_read_or_refused(value: Any) -> None:
    with suppress(Unreadable):
        accepted_by_sqlite(list(otlp_document.items(value)))


@quick
@given(st.dictionaries(st.sampled_from(WORDS), JSON))
def test_any_json_in_a_span_is_read_or_refused(value: Any) -> None:
    made = document(traces(span(1)))
    made["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(value)
    accepted_by_sqlite(list(otlp_document.items(made)))


@quick
@given(CHANGES, CUT, st.sampled_from([LOGS, METRICS, LOGS_JSON, *FOREIGN]))
def test_damaged_bodies_of_any_signal_and_source_are_read(
    changes: list[tuple[int, int]], cut: int, body: bytes
) -> None:
    accepted_by_sqlite(read(changed(body, changes, cut)))


@quick
@given(CHANGES, CUT, st.sampled_from([LOGS, METRICS, PROTOBUF]), st.sampled_from(Signal))
def test_damaged_bodies_in_the_place_of_any_signal_are_read_or_refused(
    changes: list[tuple[int, int]], cut: int, body: bytes, signal: Signal
) -> None:
    with suppress(Unreadable):
        source = Source(io.BytesIO(changed(body, changes, cut)), 100, 20)
        accepted_by_sqlite(list(proto.items(source, signal=signal)))


@quick
@given(st.dictionaries(st.sampled_from([*SPAN_WORDS, "data"]), JSON) | st.lists(JSON))
def test_any_json_of_another_source_is_read_or_refused(value: Any) -> None:
    with suppress(Unreadable):
        accepted_by_sqlite(list(foreign.items(value, "")))
    for spans in [{**JAEGER["data"][0]["spans"][0], **value}] if isinstance(value, dict) else []:
        accepted_by_sqlite(list(foreign.items({"data": [{"traceID": "1", "spans": [spans]}]}, "")))
        accepted_by_sqlite(list(foreign.items([{"traceId": "1", "id": "1", **value}], "")))
