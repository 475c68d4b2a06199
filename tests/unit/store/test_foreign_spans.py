"""The JSON of Jaeger and of Zipkin reads as the spans that it was made of, in any layout."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from flowtui.store.otlp import files
from flowtui.store.otlp.items import Item, OtlpSpan, Rejected

TRACE, ROOT, CHILD = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
START_US = 1_750_000_000_000_001


def tag(key: str, value: Any, kind: str = "string") -> dict[str, Any]:
    return {"key": key, "type": kind, "value": value}


JAEGER = {
    "data": [
        {
            "traceID": TRACE,
            "spans": [
                {
                    "traceID": TRACE,
                    "spanID": ROOT,
                    "operationName": "agent",
                    "references": [],
                    "startTime": START_US,
                    "duration": 2_000_000,
                    "tags": [tag("span.kind", "server"), tag("otel.status_code", "OK"),
                             tag("otel.scope.name", "app"), tag("internal.span.format", "otlp")],
                    "logs": [],
                    "processID": "p1",
                    "warnings": None,
                },
                {
                    "traceID": TRACE,
                    "spanID": CHILD.lstrip("0"),
                    "operationName": "chat gpt",
                    "references": [
                        {"refType": "CHILD_OF", "traceID": TRACE, "spanID": ROOT},
                        {"refType": "FOLLOWS_FROM", "traceID": "abc", "spanID": "12"},
                    ],
                    "startTime": START_US + 5,
                    "duration": 7,
                    "tags": [tag("span.kind", "client"), tag("error", True, "bool"),
                             tag("otel.status_description", "it broke"),
                             tag("gen_ai.usage.input_tokens", 40, "int64"),
                             tag("big", "9007199254740993", "int64"),
                             tag("ratio", 0.5, "float64")],
                    "logs": [{"timestamp": START_US + 6,
                              "fields": [tag("event", "exception"),
                                         tag("exception.type", "KeyError")]}],
                    "processID": "p1",
                },
            ],
            "processes": {"p1": {"serviceName": "weather", "tags": [tag("host.name", "here")]}},
        }
    ],
    "total": 0,
    "errors": None,
}  # fmt: skip
ZIPKIN = [
    {
        "traceId": TRACE,
        "id": ROOT,
        "name": "agent",
        "kind": "SERVER",
        "timestamp": START_US,
        "duration": 2_000_000,
        "localEndpoint": {"serviceName": "weather", "ipv4": "10.0.0.1"},
        "tags": {"otel.status_code": "OK", "otel.scope.name": "app"},
    },
    {
        "traceId": TRACE,
        "parentId": ROOT,
        "id": CHILD,
        "name": "chat gpt",
        "kind": "CLIENT",
        "timestamp": START_US + 5,
        "duration": 7,
        "remoteEndpoint": {"serviceName": "model", "port": 443},
        "annotations": [{"timestamp": START_US + 6, "value": "first token"}],
        "tags": {"error": "it broke", "gen_ai.usage.input_tokens": "40"},
    },
]
FORMS = {
    "one line": json.dumps,
    "many lines": lambda value: json.dumps(value, indent=2),
    "a line twice": lambda value: f"{json.dumps(value)}\n{json.dumps(value)}\n",
}


def read(text: str) -> list[Item]:
    return list(files.items(io.BytesIO(text.encode())))


def spans(text: str) -> list[OtlpSpan]:
    found = read(text)
    assert all(isinstance(item, OtlpSpan) for item in found), found
    return [item for item in found if isinstance(item, OtlpSpan)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source", ["jaeger", "zipkin", "traces of zipkin"])
def test_both_read_as_what_they_were_made_of(
    form: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form == "many lines":
        monkeypatch.setattr("flowtui.store.otlp.items.WHOLE_BYTES", 100)
    value = {"jaeger": JAEGER, "zipkin": ZIPKIN, "traces of zipkin": [ZIPKIN]}[source]
    root, child = spans(FORMS[form](value))[:2]
    start = START_US * 1_000
    assert root[:9] == (TRACE, ROOT, None, "agent", 2, start, start + 2_000_000_000, 1, None)
    assert child[:9] == (TRACE, CHILD, ROOT, "chat gpt", 3, start + 5_000, start + 12_000, 2,
                         "it broke")  # fmt: skip
    assert root.attributes == {}
    assert root.origin.scope == {"name": "app"}
    assert root.origin.resource["service.name"] == "weather"
    assert len(child.events) == 1
    assert child.events[0]["timestamp"] == start + 6_000


def test_types_of_jaeger_and_texts_of_zipkin_are_kept() -> None:
    child = spans(json.dumps(JAEGER))[1]
    assert child.attributes == {"error": True, "gen_ai.usage.input_tokens": 40,
                                "big": 9007199254740993, "ratio": 0.5}  # fmt: skip
    assert child.events == [{"name": "exception", "timestamp": (START_US + 6) * 1_000,
                             "attributes": {"exception.type": "KeyError"}}]  # fmt: skip
    assert child.links == [{"trace_id": "abc".zfill(32), "span_id": "12".zfill(16),
                            "trace_flags": 0}]  # fmt: skip
    child = spans(json.dumps(ZIPKIN))[1]
    assert child.attributes == {"error": "it broke", "gen_ai.usage.input_tokens": "40",
                                "peer.service": "model", "network.peer.port": 443}  # fmt: skip


def test_a_span_of_zipkin_that_shares_its_id_does_not_take_the_place_of_the_other() -> None:
    client, server = ZIPKIN[1], {**ZIPKIN[1], "kind": "SERVER", "shared": True}
    first, second = spans(json.dumps([client, server]))
    assert (first.span_id, second.parent_span_id) == (CHILD, CHILD)
    assert second.span_id != CHILD


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"traceId": "xyz"}, "trace id is not up to 16 bytes in hex"),
        ({"id": "0"}, "span id is all zeros"),
        ({"timestamp": "today"}, "a time is no number"),
        ({"timestamp": 10**16}, "a time is no number"),
        ({"tags": []}, None),
        ({"tags": [1]}, "the tags is no object"),
    ],
)
def test_a_span_that_is_none_does_not_hide_the_next(
    change: dict[str, Any], reason: str | None
) -> None:
    first, second = read(json.dumps([{**ZIPKIN[0], **change}, ZIPKIN[1]]))
    assert isinstance(second, OtlpSpan)
    if reason is None:
        assert isinstance(first, OtlpSpan)
    else:
        assert isinstance(first, Rejected)
        assert reason in first.reason


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("value", [{"lorem": 1}, [{"lorem": 1}], [1, 2], {"data": [{"x": 1}]}])
def test_anything_else_is_refused_with_what_was_looked_for(value: Any, indent: int | None) -> None:
    found = read(json.dumps(value, indent=indent))
    assert found
    for item in found:
        assert isinstance(item, Rejected)
        for word in ("resourceSpans", "Jaeger", "Zipkin"):
            assert word in item.reason
