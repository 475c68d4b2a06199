"""Requests with spans of every kind of content, made by the protobuf library."""

from __future__ import annotations

import io
import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from flowtui.store.otlp import files
from flowtui.store.otlp.items import Item, OtlpSpan, Rejected, Skipped

START_NS = 1_750_000_000_000_000_000


def value(content: Any) -> AnyValue:
    """Gives a value as OTLP has it."""
    made = AnyValue()
    match content:
        case None:
            pass
        case bool():
            made.bool_value = content
        case int():
            made.int_value = content
        case float():
            made.double_value = content
        case str():
            made.string_value = content
        case bytes():
            made.bytes_value = content
        case list():
            made.array_value.values.extend(map(value, content))
        case dict():
            made.kvlist_value.values.extend(pairs(content))
    return made


def pairs(contents: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(content)) for key, content in contents.items()]


def trace_id(number: int) -> bytes:
    return (0xABCDEF << 64 | number + 1).to_bytes(16)


def span(number: int, /, **attributes: Any) -> Span:
    """Gives a small span; ten of them share a trace."""
    return Span(
        trace_id=trace_id(number // 10),
        span_id=(number + 1).to_bytes(8),
        name=f"span {number}",
        start_time_unix_nano=START_NS + number,
        end_time_unix_nano=START_NS + number + 1_000,
        attributes=pairs(attributes),
    )


def rich_span() -> Span:
    """Gives a span with everything in it."""
    made = span(
        7,
        text="hëllo",
        empty="",
        number=-5,
        large=2**62,
        zero=0,
        ratio=0.5,
        yes=True,
        no=False,
        nothing=None,
        raw=b"\x00\xff",
        items=["a", 1, None, [2.5]],
        nested={"deep": {"deeper": ["x"]}},
    )
    made.parent_span_id = (99).to_bytes(8)
    made.kind = Span.SPAN_KIND_CLIENT
    made.status.code = 2
    made.status.message = "it broke"
    made.flags = 0x301
    made.events.add(time_unix_nano=START_NS + 5, name="bare")
    made.events.add(
        time_unix_nano=START_NS + 6, name="exception", attributes=pairs({"exception.type": "E"})
    )
    made.links.add(
        trace_id=trace_id(5), span_id=(3).to_bytes(8), flags=0x101, attributes=pairs({"why": "so"})
    )
    return made


def traces(*spans: Span, resource: dict[str, Any] | None = None, scope: str = "") -> TracesData:
    """Gives spans of one resource and one scope."""
    of_resource = ResourceSpans()
    of_resource.resource.attributes.extend(pairs(resource or {}))
    of_scope = of_resource.scope_spans.add(spans=spans)
    of_scope.scope.name = scope
    return TracesData(resource_spans=[of_resource])


def field(number: int, data: bytes) -> bytes:
    """Gives a field of bytes as it is on the wire, whatever is in it."""
    head = bytearray([number << 3 | 2])
    size = len(data)
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + data


def document(data: TracesData, *, names: bool = False, base64_ids: bool = False) -> dict[str, Any]:
    """Gives OTLP/JSON: ids in hex, enums as numbers, unless asked otherwise."""
    made: dict[str, Any] = MessageToDict(data, use_integers_for_enums=not names)
    if base64_ids:
        return made
    for of_resource, resource_spans in zip(
        made.get("resourceSpans", []), data.resource_spans, strict=True
    ):
        for of_scope, scope_spans in zip(
            of_resource.get("scopeSpans", []), resource_spans.scope_spans, strict=True
        ):
            for written, original in zip(of_scope["spans"], scope_spans.spans, strict=True):
                written["traceId"] = original.trace_id.hex().upper()
                written["spanId"] = original.span_id.hex()
                if original.parent_span_id:
                    written["parentSpanId"] = original.parent_span_id.hex()
                for link, of in zip(written.get("links", []), original.links, strict=True):
                    link["traceId"], link["spanId"] = of.trace_id.hex(), of.span_id.hex()
    return made


def line(data: TracesData) -> bytes:
    return json.dumps(document(data)).encode() + b"\n"


def read(data: bytes) -> list[Item]:
    """Gives what is in a file with these bytes."""
    return list(files.items(io.BytesIO(data)))


def spans_of(data: bytes) -> list[OtlpSpan]:
    """Gives what is in a file that holds nothing but spans."""
    found = read(data)
    assert [item for item in found if isinstance(item, Rejected | Skipped)] == []
    return [item for item in found if isinstance(item, OtlpSpan)]


def comparable(span: OtlpSpan) -> tuple[Any, ...]:
    """Gives what two spans are compared by: their origins are objects of their own."""
    plain = span._replace(origin=None, events=list(span.events), links=list(span.links))  # type: ignore[arg-type]
    return (*plain, span.origin.values)
