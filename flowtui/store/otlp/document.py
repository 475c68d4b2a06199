"""One OTLP/JSON document, parsed: a request or a line of a file, of any signal.

It is read as exporters in the wild write it: ids in hex or base64, enums as names or numbers,
64-bit numbers as texts or numbers, field names in camel or snake case, unknown fields skipped.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from flowtui.store.otlp import items as otlp
from flowtui.store.otlp.items import (
    Item,
    LogEvent,
    Origin,
    OtlpSpan,
    Rejected,
    Skipped,
    Unreadable,
)
from flowtui.store.otlp.logs import LogRecord, event, event_name
from flowtui.store.values import JsonValue

UNKNOWN_SIGNALS = {"resourceProfiles": "profiles", "resource_profiles": "profiles"}
_MAX_DEPTH = 50
"""How deep values may nest; protobuf itself reads about as many levels."""
_MAX_DIGITS = 20
_NO_TRACE = "0" * 2 * otlp.TRACE_ID_BYTES
_NO_SPAN = "0" * 2 * otlp.SPAN_ID_BYTES
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_CODES = ("UNSET", "OK", "ERROR")


def items(document: object, where: str = "") -> Iterator[Item]:
    """Yield what is in a document; what is neither a span nor an event of one is skipped.

    Args:
        document: The document as `json.loads` returned it.
        where: Its place in the input, for what is rejected.

    Raises:
        Unreadable: It is not an object, or has no list where the resources must be.
    """
    if not isinstance(document, dict):
        raise Unreadable("it is JSON, but not an object")
    for name, signal in UNKNOWN_SIGNALS.items():
        if name in document:
            yield Skipped(signal)
    for shape in SHAPES:
        for resource in _list(document, *shape.resources):
            yield from resource_items(resource, where, shape)


def resource_items(resource: object, where: str, shape: Shape) -> Iterator[Item]:
    """Yield the spans, or other records, of one resource."""
    try:
        members = _object(resource, "a resource with spans")
        attributes = resource_attributes(members.get("resource"))
        scopes = _list(members, *shape.scopes)
    except Unreadable as error:
        yield Rejected(where, str(error))
        return
    for each in scopes:
        try:
            scope = _object(each, "a scope with spans")
            origin = Origin(attributes, scope_values(scope.get("scope")))
            records = _list(scope, *shape.records)
        except Unreadable as error:
            yield Rejected(where, str(error))
            continue
        for record in records:
            yield shape.item(record, origin, where)


def span_item(value: object, origin: Origin, where: str) -> OtlpSpan | Rejected:
    """Return one span, or why it is not a valid one."""
    try:
        return _span(_object(value, "a span"), origin)
    except Unreadable as error:
        return Rejected(where, str(error))


def log_item(value: object, origin: Origin, where: str) -> LogEvent | Skipped | Rejected:
    """Return one log record if it is an event of a span, or why it is none."""
    try:
        return _log(_object(value, "a log record"), origin)
    except Unreadable as error:
        return Rejected(where, str(error))


def metric_item(value: object, origin: Origin, where: str) -> Skipped:
    """Return that a metric is not kept."""
    return Skipped("metrics")


@dataclass(frozen=True, slots=True)
class Shape:
    """How one signal is called within the form that all have."""

    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    records: tuple[str, ...]
    item: Callable[[object, Origin, str], Item]
    """Is given a record, where it comes from, and where it stands."""


SHAPES = (
    Shape(
        ("resourceSpans", "resource_spans"), ("scopeSpans", "scope_spans"), ("spans",), span_item
    ),
    Shape(
        ("resourceLogs", "resource_logs"),
        ("scopeLogs", "scope_logs"),
        ("logRecords", "log_records"),
        log_item,
    ),
    Shape(
        ("resourceMetrics", "resource_metrics"),
        ("scopeMetrics", "scope_metrics"),
        ("metrics",),
        metric_item,
    ),
)
SHAPE_OF = {name: shape for shape in SHAPES for name in shape.resources}
"""The shape of each list of resources."""


def resource_attributes(value: object) -> dict[str, JsonValue]:
    """Return the attributes of a resource, which may be left out."""
    return {} if value is None else _attributes(_object(value, "a resource"))


def scope_values(value: object) -> dict[str, JsonValue]:
    """Return the name, version and attributes of a scope, as far as it has them."""
    if value is None:
        return {}
    scope = _object(value, "a scope")
    values: dict[str, JsonValue] = {
        "name": _text(scope.get("name")),
        "version": _text(scope.get("version")),
        "attributes": _attributes(scope),
    }
    return {name: value for name, value in values.items() if value}


def _span(span: Mapping[str, object], origin: Origin) -> OtlpSpan:
    status = span.get("status")
    said = {} if status is None else _object(status, "a status")
    parent = _either(span, "parentSpanId", "parent_span_id")
    return OtlpSpan(
        _id(_either(span, "traceId", "trace_id"), otlp.TRACE_ID_BYTES, "trace"),
        _id(_either(span, "spanId", "span_id"), otlp.SPAN_ID_BYTES, "span"),
        _parent(parent),
        _text(span.get("name")),
        _number_of(span.get("kind"), _KINDS, "SPAN_KIND_"),
        _time(_either(span, "startTimeUnixNano", "start_time_unix_nano")),
        _time(_either(span, "endTimeUnixNano", "end_time_unix_nano")),
        _number_of(said.get("code"), _CODES, "STATUS_CODE_"),
        _text(said.get("message")) or None,
        _attributes(span),
        [_event(_object(each, "an event")) for each in _list(span, "events")],
        [_link(_object(link, "a link")) for link in _list(span, "links")],
        _flags(span) | otlp.SAMPLED,
        origin,
    )


def _log(log: Mapping[str, object], origin: Origin) -> LogEvent | Skipped:
    time = _time(_either(log, "timeUnixNano", "time_unix_nano"))
    record = LogRecord(
        _text(_either(log, "eventName", "event_name")),
        time or _time(_either(log, "observedTimeUnixNano", "observed_time_unix_nano")),
        _text(_either(log, "severityText", "severity_text")),
        _value(log.get("body"), 0),
        _attributes(log),
        origin,
    )
    name = event_name(record)
    trace_id, span_id = _either(log, "traceId", "trace_id"), _either(log, "spanId", "span_id")
    if not (name and trace_id and span_id):
        return Skipped("logs")
    return LogEvent(
        _id(trace_id, otlp.TRACE_ID_BYTES, "trace"),
        _id(span_id, otlp.SPAN_ID_BYTES, "span"),
        event(record, name),
    )


def _event(said: Mapping[str, object]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "name": _text(said.get("name")),
        "timestamp": _time(_either(said, "timeUnixNano", "time_unix_nano")),
    }
    attributes = _attributes(said)
    return {**found, "attributes": attributes} if attributes else found


def _link(link: Mapping[str, object]) -> dict[str, JsonValue]:
    trace_id = _either(link, "traceId", "trace_id") or _NO_TRACE
    span_id = _either(link, "spanId", "span_id") or _NO_SPAN
    found: dict[str, JsonValue] = {
        "trace_id": _hex(trace_id, otlp.TRACE_ID_BYTES, "link's trace"),
        "span_id": _hex(span_id, otlp.SPAN_ID_BYTES, "link's span"),
        "trace_flags": _flags(link),
    }
    attributes = _attributes(link)
    return {**found, "attributes": attributes} if attributes else found


def _attributes(owner: Mapping[str, object]) -> dict[str, JsonValue]:
    return _named(_list(owner, "attributes"), 0)


def _named(pairs: list[object], depth: int) -> dict[str, JsonValue]:
    found = {}
    for pair in pairs:
        members = _object(pair, "an attribute")
        found[_text(members.get("key"))] = _value(members.get("value"), depth)
    return found


def _value(value: object, depth: int) -> JsonValue:
    if depth > _MAX_DEPTH:
        raise Unreadable("an attribute is nested too deeply")
    if value is None:
        return None
    members = _object(value, "the value of an attribute")
    for name, content in members.items():
        match name:
            case "stringValue" | "string_value" | "bytesValue" | "bytes_value":
                return _text(content)
            case "intValue" | "int_value":
                return _whole(content)
            case "boolValue" | "bool_value":
                return _boolean(content)
            case "doubleValue" | "double_value":
                return _double(content)
            case "arrayValue" | "array_value":
                array = _object(content, "a list in an attribute")
                return [_value(item, depth + 1) for item in _list(array, "values")]
            case "kvlistValue" | "kvlist_value":
                return _named(_list(_object(content, "an attribute"), "values"), depth + 1)
    return None


def _either(owner: Mapping[str, object], camel: str, snake: str) -> object:
    return owner[camel] if camel in owner else owner.get(snake)


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is not an object")
    return value


def _list(owner: Mapping[str, object], *names: str) -> list[object]:
    for name in names:
        value = owner.get(name)
        if value is None:
            continue
        if not isinstance(value, list):
            raise Unreadable(f"{name} is not a list")
        return value
    return []


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable("something else stands in place of a text")
    # JSON can hold halves of a character, which UTF-8 cannot.
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _whole(value: object) -> int:
    if isinstance(value, str) and len(value) <= _MAX_DIGITS:
        try:
            return int(value)
        except ValueError:
            pass
    if isinstance(value, float) and value.is_integer() and abs(value) <= otlp.MAX_INT64:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Unreadable("something else stands in place of a whole number")


def _double(value: object) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise Unreadable("something else stands in place of a number")


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Unreadable("something else stands in place of true or false")


def _time(value: object) -> int:
    moment = 0 if value is None else _whole(value)
    if not 0 <= moment <= otlp.MAX_INT64:
        raise Unreadable("a time is before 1970 or past the year 2262")
    return moment


def _flags(owner: Mapping[str, object]) -> int:
    flags = owner.get("flags")
    return 0 if flags is None else _whole(flags) & otlp.TRACE_FLAGS


def _number_of(value: object, names: tuple[str, ...], prefix: str) -> int:
    if isinstance(value, str) and not value.isdecimal():
        name = value.removeprefix(prefix)
        return names.index(name) if name in names else 0
    number = 0 if value is None else _whole(value)
    return number if 0 <= number < len(names) else 0


def _parent(value: object) -> str | None:
    parent = _hex(value or _NO_SPAN, otlp.SPAN_ID_BYTES, "parent span")
    return None if parent == _NO_SPAN else parent


def _id(value: object, size: int, noun: str) -> str:
    """Return the id of a trace or span, which is never all zeros."""
    if value is None or value == "":
        raise Unreadable(f"a {noun} id is missing")
    text = _hex(value, size, noun)
    if not text.strip("0"):
        raise Unreadable(f"a {noun} id is all zeros")
    return text


def _hex(value: object, size: int, noun: str) -> str:
    """Return an id in lower-case hex."""
    raw = _id_bytes(value, size) if isinstance(value, str) else b""
    if len(raw) != size:
        raise Unreadable(f"a {noun} id is not {size} bytes in hex or base64")
    return raw.hex()


def _id_bytes(text: str, size: int) -> bytes:
    try:
        if len(text) == 2 * size:
            return binascii.unhexlify(text)
        if len(text) > 2 * size:
            return b""
        # The URL alphabet, and base64 without padding, are read as well.
        plain = text.replace("-", "+").replace("_", "/").rstrip("=")
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return b""
