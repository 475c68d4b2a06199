"""One content in every format that OpenTelemetry writes reads as the same spans."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
import zstandard
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from flowtui.store.otlp import files, items
from flowtui.store.otlp.items import Broken, OtlpSpan, Rejected, Skipped
from flowtui.store.otlp.source import Source
from tests.unit.otlp_samples import (
    START_NS,
    comparable,
    document,
    line,
    read,
    rich_span,
    span,
    spans_of,
    traces,
)

RESOURCE = {"service.name": "svc", "host.cpus": [1, 2]}
DATA = traces(rich_span(), span(8), resource=RESOURCE, scope="openinference")
PROTOBUF = DATA.SerializeToString()


def framed(*messages: bytes) -> bytes:
    """As the Collector's file exporter frames messages."""
    return b"".join(len(message).to_bytes(4) + message for message in messages)


def delimited(message: bytes) -> bytes:
    """As protobuf's own libraries frame messages."""
    length, size = b"", len(message)
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return length + bytes([size]) + message


def text(**how: bool) -> bytes:
    return json.dumps(document(DATA, **how)).encode()


def zstd(data: bytes) -> bytes:
    return zstandard.compress(data)


def snake(value: Any) -> Any:
    """As the protobuf library writes JSON when it is to keep the names of the fields."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, item in value.items():
        name = "".join(f"_{char.lower()}" if char.isupper() else char for char in key)
        made[name] = snake(item)
    return made


ONE = {
    "protobuf": PROTOBUF,
    "protobuf in gzip": gzip.compress(PROTOBUF),
    "protobuf in two gzip members": gzip.compress(PROTOBUF[:50]) + gzip.compress(PROTOBUF[50:]),
    "protobuf in zstd": zstd(PROTOBUF),
    "framed protobuf": framed(PROTOBUF),
    "framed protobuf, each in zstd": framed(zstd(PROTOBUF)),
    "framed JSON, each in zstd": framed(zstd(text())),
    "protobuf after a varint": delimited(PROTOBUF),
    "JSON": text(),
    "JSON after blank lines": b"\n\n" + text() + b"\n\n",
    "JSON with a mark": b"\xef\xbb\xbf" + text(),
    "JSON with base64 ids": text(base64_ids=True),
    "JSON with names of enums": text(names=True),
    "JSON in snake case": json.dumps(snake(document(DATA))).encode(),
    "JSON over lines": json.dumps(document(DATA), indent=2).encode(),
    "JSON over lines in zstd": zstd(json.dumps(document(DATA), indent=1).encode()),
}


@pytest.mark.parametrize("name", ONE)
def test_every_format_says_the_same(name: str) -> None:
    expected = [comparable(item) for item in spans_of(PROTOBUF)]
    assert [comparable(item) for item in spans_of(ONE[name])] == expected


def test_a_span_is_read_in_full() -> None:
    found = spans_of(PROTOBUF)[0]
    assert found.trace_id == "0000000000abcdef0000000000000001"
    assert found.span_id == "0000000000000008"
    assert found.parent_span_id == "0000000000000063"
    assert (found.name, found.kind) == ("span 7", 3)
    assert (found.start_ns, found.end_ns) == (START_NS + 7, START_NS + 1_007)
    assert (found.status_code, found.status_message) == (2, "it broke")
    assert found.trace_flags == 1
    assert found.attributes == {
        "text": "hëllo",
        "empty": "",
        "number": -5,
        "large": 2**62,
        "zero": 0,
        "ratio": 0.5,
        "yes": True,
        "no": False,
        "nothing": None,
        "raw": "AP8=",
        "items": ["a", 1, None, [2.5]],
        "nested": {"deep": {"deeper": ["x"]}},
    }
    assert list(found.events) == [
        {"name": "bare", "timestamp": START_NS + 5},
        {"name": "exception", "timestamp": START_NS + 6, "attributes": {"exception.type": "E"}},
    ]
    assert list(found.links) == [
        {
            "trace_id": "0000000000abcdef0000000000000006",
            "span_id": "0000000000000003",
            "trace_flags": 1,
            "attributes": {"why": "so"},
        }
    ]
    assert found.origin.values == {
        "otel.resource": RESOURCE,
        "otel.scope": {"name": "openinference"},
    }


def test_a_small_span_has_nothing_that_was_not_sent() -> None:
    found = spans_of(traces(span(1)).SerializeToString())[0]
    assert (found.parent_span_id, found.status_message) == (None, None)
    assert (found.attributes, found.events, found.links) == ({}, (), ())
    assert found.origin.values == {}


def test_numbers_may_be_written_in_any_way_that_json_has() -> None:
    written = document(traces(span(1, number=5, ratio=0.5)))
    made = written["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    made["startTimeUnixNano"] = START_NS
    made["kind"] = "SPAN_KIND_FROM_THE_FUTURE"
    made["status"] = {"code": 77}
    made["unknown"] = {"a": [1]}
    made["attributes"] = [
        {"key": "whole", "value": {"intValue": 5}},
        {"key": "text", "value": {"intValue": "-5"}},
        {"key": "float", "value": {"intValue": 5.0}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "far", "value": {"doubleValue": "-Infinity"}},
        {"key": "future", "value": {"dateValue": "x"}},
    ]
    found = spans_of(json.dumps(written).encode())[0]
    assert (found.start_ns, found.kind, found.status_code) == (START_NS, 0, 0)
    nan = found.attributes["nan"]
    assert isinstance(nan, float)
    assert nan != nan
    assert {**found.attributes, "nan": 0} == {
        "whole": 5,
        "text": -5,
        "float": 5,
        "nan": 0,
        "far": float("-inf"),
        "future": None,
    }


def test_half_a_character_in_a_name_is_replaced() -> None:
    data = line(traces(span(1))).replace(b"span 1", b"a\\ud800b")
    assert spans_of(data)[0].name == "a?b"


def test_lines_of_other_signals_are_skipped_and_bad_ones_named() -> None:
    data = b"".join(
        [
            line(traces(span(1))),
            b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m"}]}]}]}\n',
            b'{"resourceSpans": [tru\n',
            b"\n",
            b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {}}]}]}]}\n',
            b'{"lorem": 1}\n',
            b"[]\n",
            b"{}\n",
            line(traces(span(2), Span(trace_id=b"short", span_id=b"12345678"))),
            line(traces(span(3))).rstrip(),
        ]
    )
    found = read(data)
    assert [item.name for item in found if isinstance(item, OtlpSpan)] == [
        "span 1",
        "span 2",
        "span 3",
    ]
    assert [item.signal for item in found if isinstance(item, Skipped)] == ["metrics", "logs"]
    rejected = [item for item in found if isinstance(item, Rejected)]
    assert [item.where for item in rejected] == ["line 3", "line 6", "line 7", "line 9"]
    assert rejected[0].reason.startswith("it is not JSON, at character 20")
    assert "trace id" in rejected[3].reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda it: it.ClearField("trace_id"), "trace id has 0 bytes"),
        (lambda it: setattr(it, "span_id", bytes(8)), "span id is all zeros"),
        (lambda it: setattr(it, "parent_span_id", b"abc"), "parent span id has 3 bytes"),
        (lambda it: setattr(it, "end_time_unix_nano", 2**63), "past the year 2262"),
    ],
)
def test_a_span_that_cannot_be_a_row_is_rejected_alone(
    change: Callable[[Span], None], reason: str
) -> None:
    broken = span(1)
    change(broken)
    bad, good = read(traces(broken, span(2)).SerializeToString())
    assert isinstance(bad, Rejected)
    assert reason in bad.reason
    assert isinstance(good, OtlpSpan)


def test_a_text_that_is_no_utf8_loses_its_span_only() -> None:
    data = traces(span(1), span(2), span(3)).SerializeToString().replace(b"span 2", b"span \xff")
    first, bad, last = read(data)
    assert isinstance(first, OtlpSpan)
    assert isinstance(last, OtlpSpan)
    assert isinstance(bad, Rejected)
    assert bad.where.startswith("byte ")


def test_a_broken_frame_does_not_hide_the_next() -> None:
    found = read(framed(PROTOBUF, b"\x0a\xff\xff\xff\xff\xff", b"junk", PROTOBUF))
    assert [type(item).__name__ for item in found] == [
        "OtlpSpan",
        "OtlpSpan",
        "Rejected",
        "Rejected",
        "OtlpSpan",
        "OtlpSpan",
    ]


@pytest.mark.parametrize("name", ["protobuf", "protobuf in gzip", "framed protobuf", "JSON"])
def test_what_is_cut_off_is_said(name: str) -> None:
    whole = ONE[name]
    assert any(isinstance(item, Rejected) for item in read(whole[: len(whole) * 2 // 3]))


@pytest.mark.parametrize("data", [b"", b" \n\n", gzip.compress(b"")])
def test_there_may_be_nothing(data: bytes) -> None:
    assert read(data) == []


@pytest.mark.parametrize("indent", [None, 1])
def test_large_messages_are_read_in_parts(
    monkeypatch: pytest.MonkeyPatch, indent: int | None
) -> None:
    data = traces(*(span(number, n=number) for number in range(200)), resource=RESOURCE, scope="s")
    whole = [comparable(item) for item in spans_of(data.SerializeToString())]
    monkeypatch.setattr(items, "WHOLE_BYTES", 100)
    monkeypatch.setattr("flowtui.store.otlp.source.PIECE_BYTES", 64)
    monkeypatch.setattr("flowtui.store.otlp.text.PIECE_BYTES", 64)
    written = json.dumps({"x": {"y": [1, {}, []]}, **document(data)}, indent=indent).encode()
    assert [comparable(item) for item in spans_of(data.SerializeToString())] == whole
    assert [comparable(item) for item in spans_of(written + b"\n" + written)] == whole * 2


def test_no_more_of_a_resource_is_parsed_at_once_than_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    class Counting(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
            tried.append(len(s) - idx)
            return super().raw_decode(s, idx)

    monkeypatch.setattr("flowtui.store.otlp.text.json.JSONDecoder", Counting)
    monkeypatch.setattr(items, "WHOLE_BYTES", 64_000)
    monkeypatch.setattr("flowtui.store.otlp.text.PIECE_BYTES", 1_000)
    data = line(traces(*(span(number) for number in range(1_000))))
    assert len(spans_of(data)) == 1_000
    assert max(tried) == 64_000
    whole = tried[: tried.index(64_000) + 1]
    assert sum(whole) < 2 * 64_000 + 1_000


def test_a_long_line_that_breaks_does_not_hide_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "WHOLE_BYTES", 300)
    long = line(traces(*(span(number) for number in range(20))))
    found = read(long[:-40] + b"\n" + line(traces(span(50))))
    assert isinstance(found[-2], Rejected)
    assert found[-2].where == "line 1"
    assert isinstance(found[-1], OtlpSpan)


class _Endless(io.RawIOBase):
    """A file that is never held: a beginning, and one piece many times."""

    def __init__(self, head: bytes, piece: bytes, times: int) -> None:
        self._head, self._piece, self._left = head, piece, times

    def read(self, size: int = -1) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        self._left -= 1
        return self._piece if self._left >= 0 else b""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", line(traces(*(span(number) for number in range(50))))),
        (b"", traces(*(span(number) for number in range(50))).SerializeToString()),
        (b'{"resourceSpans": [', json.dumps(document(DATA)["resourceSpans"][0]).encode() + b","),
        (b'{"a": "', b"x" * 65536),
        (b"\x00\x00", b"\x00" * 65536),
    ],
    ids=["lines", "protobuf", "one long line", "one long text", "zeros"],
)
def test_memory_does_not_grow_with_the_file(
    monkeypatch: pytest.MonkeyPatch, head: bytes, piece: bytes
) -> None:
    monkeypatch.setattr(items, "WHOLE_BYTES", 100_000)
    monkeypatch.setattr(items, "MAX_SPAN_BYTES", 500_000)
    for _ in files.items(_Endless(head, piece, 10)):
        pass
    tracemalloc.start()
    try:
        for _ in files.items(_Endless(head, piece, 400)):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


def test_a_missing_zstd_names_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(files.ZstdMissing, match=r"install .*\[zstd\]"):
        read(zstd(PROTOBUF))


def test_deep_nesting_is_refused_in_both() -> None:
    deep: Any = {"stringValue": "x"}
    for _ in range(300):
        deep = {"arrayValue": {"values": [deep]}}
    written = document(traces(span(1)))
    written["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
        {"key": "deep", "value": deep}
    ]
    assert [type(item) for item in read(json.dumps(written).encode())] == [Rejected]
    assert [type(item) for item in read(b'{"resourceSpans":' + b"[" * 100_000)] == [Rejected]


def test_unknown_fields_of_protobuf_are_passed_over() -> None:
    unknown = b"\xa2\x06\x03abc\xa8\x06\x01\xad\x06abcd\xa1\x06abcdefgh"
    assert len(spans_of(PROTOBUF + unknown + PROTOBUF)) == 4
    assert TracesData.FromString(PROTOBUF + unknown).resource_spans


class BreaksOff:
    """A stream that has some bytes, and fails after them."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int, /) -> bytes:
        piece, self.data = self.data[:size], self.data[size:]
        if not piece:
            raise Broken("it ends too early")
        return piece


def test_what_was_taken_is_not_taken_again_where_a_stream_breaks_off() -> None:
    source = Source(BreaksOff(b"abcdef"))
    assert source.take(4) == b"abcd"
    for _ in range(2):
        with pytest.raises(Broken):
            source.take(4)
    assert (source.position, source.take(2)) == (4, b"ef")


CUT_OFF_IN_A_FRAME = (
    b'    {\n  e":      "sp4"\n         }\n        },\n        {\n '
    b'        "key": "zero",\n            {\n         "key": "ra'
    b'\xa0io",\n\x00        "value": {\n          "doubleValue": 0.5\n '
    b'        }\n        },\n      \x8f {\n         "key   }\n       '
    b' },\n        {\n         "key": "no",\n         "value"    '
    b'{\n         "key": "raw",\n {       "value": {\n          "'
    b'bytesValue": "AP8="\n       \x02 }\n        },\n        {\n    '
    b'     "key": "items",\n         "value": {\n          "arra'
    b'yValue": {\n         00000000001008"\n      }\n     ]\n    }'
    b"\n   ]\n  }\n ]"
)
"""Damaged JSON that reads as messages with lengths, of which one holds others and is cut off."""


def test_what_is_cut_off_inside_a_frame_is_read_once() -> None:
    found = list(islice(files.items(io.BytesIO(CUT_OFF_IN_A_FRAME)), 1_000))
    assert 0 < len(found) < 100
