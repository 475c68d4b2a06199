"""What OpenTelemetry's exporters for JavaScript send, as they were recorded.

Two spans that were sent by @opentelemetry/exporter-trace-otlp-http, -proto and -grpc 0.223.1: the
first as OTLP/JSON, and the other two as the same protobuf. JavaScript tells no whole float from an
integer, and sends it as one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.store.genai import Message, TextPart, messages
from flowtui.store.otlp import files
from flowtui.store.otlp.items import OtlpSpan

BODIES = Path(__file__).parents[1] / "bodies"
TRACE, ROOT, TOOL = "a1b2c3d4e5f60718293a4b5c6d7e8f90", "b0b0c0c0d0d00001", "b0b0c0c0d0d00002"
MS = 1_000_000
BEGUN_NS = 1_795_972_263_000 * MS


@pytest.mark.parametrize("body", ["js_exporter.json", "js_exporter.binpb"])
def test_spans_of_javascript_are_read_without_loss(body: str) -> None:
    with (BODIES / body).open("rb") as stream:
        tool, chat = files.items(stream)
    assert isinstance(tool, OtlpSpan)
    assert isinstance(chat, OtlpSpan)
    for span in (tool, chat):
        assert span.trace_id == TRACE
        assert span.origin.values == {
            "otel.resource": {"service.name": "wetter-agent"},
            "otel.scope": {"name": "weather", "version": "1.2.0"},
        }

    assert (chat.span_id, chat.parent_span_id, chat.kind) == (ROOT, None, 3)
    assert (chat.start_ns, chat.end_ns) == (BEGUN_NS, BEGUN_NS + 1_234_567_871)
    assert (chat.status_code, chat.status_message) == (1, None)
    told = dict(chat.attributes)
    said = messages(told, chat.events)
    assert said.input == (Message("user", (TextPart("Weather in Zürich?"),)),)
    assert said.output == (Message("assistant", (TextPart("Zürich has 21 °C. 🌤"),), "stop"),)
    del told["gen_ai.input.messages"], told["gen_ai.output.messages"]
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "fake-4o",
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 34,
        "gen_ai.request.temperature": 0.25,
        "whole as float": 2,
        "is streamed": True,
        "gen_ai.response.finish_reasons": ["stop"],
        "large": 2**53 - 1,
        "negative": -7,
        "numbers": [1, 2.5, -3],
        "flags": [True, False],
        "empty": "",
        "emoji": "👩‍🔬 Zürich",
    }

    assert (tool.span_id, tool.parent_span_id, tool.kind) == (TOOL, ROOT, 1)
    assert (tool.start_ns, tool.end_ns) == (BEGUN_NS + 100 * MS, BEGUN_NS + 200 * MS)
    assert (tool.status_code, tool.status_message) == (2, "no station in Zürich")
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"city": "Zürich"}'
    assert [(event["name"], event["timestamp"], event["attributes"]) for event in tool.events] == [
        ("retry", BEGUN_NS + 150 * MS, {"attempt": 2, "reason": "no station"}),
        (
            "exception",
            BEGUN_NS + 160 * MS,
            {
                "exception.type": "StationError",
                "exception.message": "no station in Zürich",
                "exception.stacktrace": (
                    "StationError: no station in Zürich\n    at weather.js:3:9"
                ),
            },
        ),
    ]
    assert [dict(link) for link in tool.links] == [
        {"trace_id": TRACE, "span_id": ROOT, "trace_flags": 1, "attributes": {"why": "asked"}}
    ]
