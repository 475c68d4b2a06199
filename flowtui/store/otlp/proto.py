"""The protobuf of ExportTraceServiceRequest and of TracesData, which are the same on the wire.

Messages are parsed by the protobuf library, a resource with its spans at a time where they are
small, else a span at a time, so that a file of any size needs the memory of one span. A resource is
then expected before its spans, where every writer puts it. Requests of logs have the same form, and
those of metrics too, whose records are only counted.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from flowtui.store.otlp import items as otlp
from flowtui.store.otlp import logs, parts
from flowtui.store.otlp.items import (
    Broken,
    Item,
    LogEvent,
    Origin,
    OtlpSpan,
    Rejected,
    Skipped,
    Unreadable,
)
from flowtui.store.otlp.signals import Signal, signal_of
from flowtui.store.otlp.source import Source
from flowtui.store.values import JsonValue

T = TypeVar("T", bound=Message)

_LENGTH = 2
_FIRST = (1, _LENGTH)
"""Field 1, length-delimited: the resource of spans, the scope, and what a request consists of."""
_SECOND = (2, _LENGTH)
_LOOKED_AT_BYTES = 1 << 16
"""Of a resource, to find out its signal."""
_NO_TRACE = bytes(otlp.TRACE_ID_BYTES)
_NO_SPAN = bytes(otlp.SPAN_ID_BYTES)


def items(source: Source, size: int | None = None, signal: Signal | None = None) -> Iterator[Item]:
    """Yield what is in the next `size` bytes, or in all that is left.

    Args:
        source: is read.
        size: None for all.
        signal: what the message is; None to find it out for each resource.

    Raises:
        Broken: From here on it is not protobuf.
    """
    end = None if size is None else source.position + size
    while not source.is_at_end() if end is None else source.position < end:
        field = _field(source)
        if field == _FIRST:
            yield from _resource(source, _size(source, end), signal)
        else:
            _skip(source, field, end)


def _resource(source: Source, size: int, signal: Signal | None) -> Iterator[Item]:
    found = signal or signal_of(source.peek(min(size, _LOOKED_AT_BYTES)))
    if found is Signal.METRICS:
        yield from _resource_in_parts(source, size, None)
        return
    shape: _Shape[Any] = _SPANS if found is Signal.TRACES else _LOGS
    if size > source.whole_bytes:
        yield from _resource_in_parts(source, size, shape)
        return
    where = f"byte {source.position:,}"
    data = source.take(size)
    try:
        message: Any = shape.resource.FromString(data)
    except DecodeError:
        # One text that is not UTF-8 makes all of it fail; in parts, only its span fails.
        in_parts = Source(io.BytesIO(data), source.whole_bytes, source.span_parts)
        yield from _resource_in_parts(in_parts, size, shape)
        return
    resource = _attributes(message.resource.attributes)
    read = shape.read
    for scope, records in shape.scopes(message):
        origin = Origin(resource, _scope(scope))
        for record in records:
            try:
                yield read(record, origin)
            except Unreadable as error:
                yield Rejected(where, str(error))


def _resource_in_parts(source: Source, size: int, shape: _Shape[Any] | None) -> Iterator[Item]:
    """Yield what is of a resource; without a shape, each record is passed over as a metric."""
    end = source.position + size
    resource: Mapping[str, JsonValue] = {}
    has_spans = False
    while source.position < end:
        where = f"byte {source.position:,}"
        field = _field(source)
        if field == _SECOND:
            has_spans = True
            yield from _scope_in_parts(source, _size(source, end), resource, shape)
        elif field == _FIRST and shape is not None:
            try:
                resource = _attributes(_message(Resource, source, end).attributes)
            except Unreadable as error:
                yield _rejected(where, error)
            if has_spans:
                yield Rejected(where, otlp.LATE.format("resource"))
        else:
            _skip(source, field, end)


def _scope_in_parts(
    source: Source, size: int, resource: Mapping[str, JsonValue], shape: _Shape[Any] | None
) -> Iterator[Item]:
    end = source.position + size
    origin = Origin(resource, {})
    has_spans = False
    while source.position < end:
        where = f"byte {source.position:,}"
        field = _field(source)
        if shape is None or field not in (_FIRST, _SECOND):
            _skip(source, field, end)
            if field == _SECOND:
                yield Skipped(Signal.METRICS)
            continue
        try:
            if field == _FIRST:
                origin = Origin(resource, _scope(_message(InstrumentationScope, source, end)))
            else:
                yield shape.read(_message(shape.record, source, end), origin)
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


def _log(record: LogRecord, origin: Origin) -> LogEvent | Skipped:
    time_ns = record.time_unix_nano or record.observed_time_unix_nano
    said = logs.LogRecord(
        record.event_name,
        min(time_ns, otlp.MAX_INT64),
        record.severity_text,
        _value(record.body),
        _attributes(record.attributes),
        origin,
    )
    name = logs.event_name(said)
    if not name or not (record.trace_id and record.span_id):
        return Skipped(Signal.LOGS)
    trace_id = _id(record.trace_id, _NO_TRACE, "trace")
    return LogEvent(trace_id, _id(record.span_id, _NO_SPAN, "span"), logs.event(said, name))


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


@dataclass(frozen=True, slots=True)
class _Shape(Generic[T]):
    """How one signal is called within the form that all have."""

    resource: type[Message]
    record: type[T]
    scopes: Callable[[Any], Iterable[tuple[InstrumentationScope, Iterable[T]]]]
    """Of a resource, with the records of each."""
    read: Callable[[T, Origin], Item]


_SPANS = _Shape(
    ResourceSpans, Span, lambda of: ((each.scope, each.spans) for each in of.scope_spans), _span
)
_LOGS = _Shape(
    ResourceLogs, LogRecord, lambda of: ((each.scope, each.log_records) for each in of.scope_logs),
    _log,
)  # fmt: skip
