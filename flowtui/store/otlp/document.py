"""One OTLP/JSON document, parsed: TracesData or an ExportTraceServiceRequest.

It is read as exporters in the wild write it: ids in hex or base64, enums as names or numbers,
64-bit numbers as texts or numbers, field names in camel or snake case, unknown fields skipped.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping

from flowtui.store.otlp import items as otlp
from flowtui.store.otlp.items import Item, Origin, OtlpSpan, Rejected, Skipped, Unreadable
from flowtui.store.values import JsonValue

RESOURCE_SPANS = ("resourceSpans", "resource_spans")
SCOPE_SPANS = ("scopeSpans", "scope_spans")
SIGNALS = {
    "resourceMetrics": "metrics",
    "resource_metrics": "metrics",
    "resourceLogs": "logs",
    "resource_logs": "logs",
    "resourceProfiles": "profiles",
    "resource_profiles": "profiles",
}
_MAX_DEPTH = 50
"""How deep values may nest; protobuf itself reads about as many levels."""
_MAX_DIGITS = 20
_NO_TRACE = "0" * 2 * otlp.TRACE_ID_BYTES
_NO_SPAN = "0" * 2 * otlp.SPAN_ID_BYTES
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_CODES = ("UNSET", "OK", "ERROR")


def items(document: object, where: str = "") -> Iterator[Item]:
    """Yield what is in a document; anything in it besides spans is ignored or `Skipped`.

    Args:
        document: The document as `json.loads` returned it.
        where: Its place in the input, for what is rejected.

    Raises:
        Unreadable: It is not an object, or has no list where the resources must be.
    """
    if not isinstance(document, dict):
        raise Unreadable("it is JSON, but not an object")
    for name, signal in SIGNALS.items():
        if name in document:
            yield Skipped(signal)
    for resource_spans in _list(document, *RESOURCE_SPANS):
        yield from resource_items(resource_spans, where)


def resource_items(resource_spans: object, where: str) -> Iterator[Item]:
    """Yield the spans of one resource."""
    try:
        members = _object(resource_spans, "a resource with spans")
        resource = resource_attributes(members.get("resource"))
        scopes = _list(members, *SCOPE_SPANS)
    except Unreadable as error:
        yield Rejected(where, str(error))
        return
    for scope_spans in scopes:
        try:
            scope = _object(scope_spans, "a scope with spans")
            origin = Origin(resource, scope_values(scope.get("scope")))
            spans = _list(scope, "spans")
        except Unreadable as error:
            yield Rejected(where, str(error))
            continue
        for span in spans:
            yield span_item(span, origin, where)


def span_item(value: object, origin: Origin, where: str) -> OtlpSpan | Rejected:
    """Return one span, or why it is not a valid one."""
    try:
        return _span(_object(value, "a span"), origin)
    except Unreadable as error:
        return Rejected(where, str(error))


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
        [_event(_object(event, "an event")) for event in _list(span, "events")],
        [_link(_object(link, "a link")) for link in _list(span, "links")],
        _flags(span) | otlp.SAMPLED,
        origin,
    )


def _event(event: Mapping[str, object]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "name": _text(event.get("name")),
        "timestamp": _time(_either(event, "timeUnixNano", "time_unix_nano")),
    }
    attributes = _attributes(event)
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
