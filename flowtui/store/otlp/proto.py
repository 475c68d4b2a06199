"""The protobuf of ExportTraceServiceRequest and of TracesData, which are the same on the wire.

Messages are parsed by the protobuf library, a resource with its spans at a time where they are
small, else a span at a time, so that a file of any size needs the memory of one span. In the latter
case a resource is expected before its spans, where every writer puts it.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from flowtui.store.otlp import items as otlp
from flowtui.store.otlp import parts
from flowtui.store.otlp.items import Broken, Item, Origin, OtlpSpan, Rejected, Unreadable
from flowtui.store.otlp.source import Source
from flowtui.store.values import JsonValue

T = TypeVar("T", bound=Message)

_LENGTH = 2
_FIRST = (1, _LENGTH)
"""Field 1, length-delimited: the resource of spans, the scope, and what a request consists of."""
_SECOND = (2, _LENGTH)
_NO_TRACE = bytes(otlp.TRACE_ID_BYTES)
_NO_SPAN = bytes(otlp.SPAN_ID_BYTES)


def items(source: Source, size: int | None = None) -> Iterator[Item]:
    """Yield what is in the next `size` bytes, or in all the rest.

    Raises:
        Broken: From here on it is not protobuf.
    """
    end = None if size is None else source.position + size
    while not source.is_at_end() if end is None else source.position < end:
        field = _field(source)
        if field == _FIRST:
            yield from _resource_spans(source, _size(source, end))
        else:
            _skip(source, field, end)


def _resource_spans(source: Source, size: int) -> Iterator[Item]:
    if size > source.whole_bytes:
        yield from _resource_in_parts(source, size)
        return
    where = f"byte {source.position:,}"
    data = source.take(size)
    try:
        message = ResourceSpans.FromString(data)
    except DecodeError:
        # One text that is not UTF-8 makes all of it fail; in parts, only its span fails.
        in_parts = Source(io.BytesIO(data), source.whole_bytes, source.span_parts)
        yield from _resource_in_parts(in_parts, size)
        return
    resource = _attributes(message.resource.attributes)
    for scope_spans in message.scope_spans:
        origin = Origin(resource, _scope(scope_spans.scope))
        for span in scope_spans.spans:
            try:
                yield _span(span, origin)
            except Unreadable as error:
                yield Rejected(where, str(error))


def _resource_in_parts(source: Source, size: int) -> Iterator[Item]:
    end = source.position + size
    resource: Mapping[str, JsonValue] = {}
    has_spans = False
    while source.position < end:
        where = f"byte {source.position:,}"
        field = _field(source)
        if field == _SECOND:
            has_spans = True
            yield from _scope_in_parts(source, _size(source, end), resource)
        elif field == _FIRST:
            try:
                resource = _attributes(_message(Resource, source, end).attributes)
            except Unreadable as error:
                yield _rejected(where, error)
            if has_spans:
                yield Rejected(where, otlp.LATE.format("resource"))
        else:
            _skip(source, field, end)


def _scope_in_parts(source: Source, size: int, resource: Mapping[str, JsonValue]) -> Iterator[Item]:
    end = source.position + size
    origin = Origin(resource, {})
    has_spans = False
    while source.position < end:
        where = f"byte {source.position:,}"
        field = _field(source)
        if field not in (_FIRST, _SECOND):
            _skip(source, field, end)
            continue
        try:
            if field == _FIRST:
                origin = Origin(resource, _scope(_message(InstrumentationScope, source, end)))
            else:
                yield _span(_message(Span, source, end), origin)
        except Unreadable as error:
            yield _rejected(where, error)
        if field == _FIRST and has_spans:
            yield Rejected(where, otlp.LATE.format("scope"))
        has_spans = has_spans or field == _SECOND


def _rejected(where: str, error: Unreadable) -> Rejected:
    if isinstance(error, Broken):
        raise error
    return Rejected(where, str(error))


def _field(source: Source) -> tuple[int, int]:
    """Return the number and wire type of the next field."""
    tag = source.varint()
    return tag >> 3, tag & 7


def _size(source: Source, end: int | None) -> int:
    size = source.varint()
    if size > otlp.MAX_INT64 or (end is not None and source.position + size > end):
        raise Broken("a part is longer than the whole")
    return size


def _message(kind: type[T], source: Source, end: int) -> T:
    size = _size(source, end)
    if size > otlp.MAX_SPAN_BYTES:
        source.skip(size)
        raise Unreadable(f"a {kind.__name__} takes {size:,} bytes, which is too many")
    data = source.take(size)
    if source.span_parts is not None and size > source.whole_bytes:
        parts.check(data, kind, source.span_parts)
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise Unreadable(
            f"a {kind.__name__} is not protobuf, or has a text not in UTF-8"
        ) from error


def _skip(source: Source, field: tuple[int, int], end: int | None) -> None:
    """Skip a field that is not known here."""
    number, wire_type = field
    if number == 0:
        raise Broken("it is not protobuf")
    match wire_type:
        case 0:
            source.varint()
        case 1:
            source.skip(8)
        case 2:
            source.skip(_size(source, end))
        case 5:
            source.skip(4)
        case _:
            raise Broken("it is not protobuf")
    if end is not None and source.position > end:
        raise Broken("a part is longer than the whole")


def _span(span: Span, origin: Origin) -> OtlpSpan:
    start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
    if start_ns > otlp.MAX_INT64 or end_ns > otlp.MAX_INT64:
        raise Unreadable("a span's time is past the year 2262")
    status = span.status
    return OtlpSpan(
        _id(span.trace_id, _NO_TRACE, "trace"),
        _id(span.span_id, _NO_SPAN, "span"),
        _parent(span.parent_span_id),
        span.name,
        otlp.known_kind(span.kind),
        start_ns,
        end_ns,
        otlp.known_status(status.code),
        status.message or None,
        _attributes(span.attributes),
        [_event(event) for event in span.events] if span.events else (),
        [_link(link) for link in span.links] if span.links else (),
        span.flags & otlp.TRACE_FLAGS | otlp.SAMPLED,
        origin,
    )


def _id(value: bytes, zeros: bytes, noun: str) -> str:
    if len(value) != len(zeros):
        raise Unreadable(f"a {noun} id has {len(value)} bytes and not {len(zeros)}")
    if value == zeros:
        raise Unreadable(f"a {noun} id is all zeros")
    return value.hex()


def _id_or_zeros(value: bytes, zeros: bytes, noun: str) -> str:
    return zeros.hex() if not value or value == zeros else _id(value, zeros, noun)


def _parent(value: bytes) -> str | None:
    return None if not value or value == _NO_SPAN else _id(value, _NO_SPAN, "parent span")


def _scope(scope: InstrumentationScope) -> dict[str, JsonValue]:
    values: dict[str, JsonValue] = {
        "name": scope.name,
        "version": scope.version,
        "attributes": _attributes(scope.attributes),
    }
    return {name: value for name, value in values.items() if value}


def _event(event: Span.Event) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {"name": event.name, "timestamp": event.time_unix_nano}
    if event.attributes:
        found["attributes"] = _attributes(event.attributes)
    return found


def _link(link: Span.Link) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "trace_id": _id_or_zeros(link.trace_id, _NO_TRACE, "link's trace"),
        "span_id": _id_or_zeros(link.span_id, _NO_SPAN, "link's span"),
        "trace_flags": link.flags & otlp.TRACE_FLAGS,
    }
    if link.attributes:
        found["attributes"] = _attributes(link.attributes)
    return found


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, JsonValue]:
    # Most values are texts, and a large file has a million attributes: asking for the text is the
    # quickest way to find out whether a value is one.
    return {pair.key: (value := pair.value).string_value or _value(value) for pair in pairs}


def _value(value: AnyValue) -> JsonValue:
    match value.WhichOneof("value"):
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case "string_value":
            return value.string_value
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return b64encode(value.bytes_value).decode()
        case _:
            return None
