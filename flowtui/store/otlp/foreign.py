"""Spans in the JSON of Jaeger and of Zipkin v2, known by their content.

Both write times in microseconds, and ids in hex of which Jaeger and old writers leave zeros out.
What OpenTelemetry's own exporters put into tags for want of a place (kind, status, scope) is read
back from there. Zipkin has texts in its tags only, and they stay texts.

Spec: https://www.jaegertracing.io/docs/latest/apis/ (the JSON of the UI);
https://zipkin.io/zipkin-api/#/default/post_spans
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping

from flowtui.store.otlp import items as otlp
from flowtui.store.otlp.items import Item, Origin, OtlpSpan, Rejected, Unreadable
from flowtui.store.values import JsonValue

JAEGER_TRACES = "data"
NOT_KNOWN = (
    "it is JSON, but neither OTLP (resourceSpans, resourceLogs, resourceMetrics), nor of Jaeger"
    " (data, with the spans of traces), nor of Zipkin v2 (a list of spans with traceId and id)"
)
_NS_PER_US = 1_000
_MAX_DEPTH = 50
_MAX_US = otlp.MAX_INT64 // _NS_PER_US
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUS = {"OK": 1, "ERROR": 2}
_NAMES_OF_SCOPE = {
    "otel.scope.name": "name",
    "otel.scope.version": "version",
    "otel.library.name": "name",
    "otel.library.version": "version",
}
_NOT_KEPT = ("span.kind", "otel.status_code", "otel.status_description", "internal.span.format")

Members = Mapping[str, object]
Values = dict[str, JsonValue]
_Reader = Callable[[Members], OtlpSpan]


def is_jaeger(value: object) -> bool:
    """Say whether a value is a trace of Jaeger's, or a document with some."""
    if not isinstance(value, dict):
        return False
    traces = value.get(JAEGER_TRACES)
    found = traces if isinstance(traces, list) else [value]
    return all(
        isinstance(trace, dict) and isinstance(trace.get("spans"), list) and "traceID" in trace
        for trace in found
    )


def is_zipkin(value: object) -> bool:
    """Say whether a value is a span of Zipkin's, or a list of some, or of traces."""
    if not isinstance(value, list):
        return isinstance(value, dict) and "traceId" in value and "id" in value
    spans = [span for each in value for span in (each if isinstance(each, list) else [each])]
    return bool(spans) and all(isinstance(span, dict) and is_zipkin(span) for span in spans)


def items(value: object, where: str) -> Iterator[Item]:
    """Yield the spans in what is of Jaeger or Zipkin.

    Raises:
        Unreadable: it is of neither.
    """
    if is_jaeger(value):
        assert isinstance(value, dict)
        traces = value.get(JAEGER_TRACES)
        for trace in traces if isinstance(traces, list) else [value]:
            yield from _jaeger_trace(trace, where)
    elif is_zipkin(value):
        for span in _flat(value):
            yield _read(_zipkin_span, span, where)
    else:
        raise Unreadable(NOT_KNOWN)


def _flat(value: object) -> Iterator[Members]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)


def _read(read: _Reader, span: object, where: str) -> OtlpSpan | Rejected:
    try:
        return read(_object(span, "a span"))
    except Unreadable as error:
        return Rejected(where, str(error))


def _jaeger_trace(trace: Members, where: str) -> Iterator[Item]:
    processes: dict[str, Values] = {}
    try:
        for key, process in _object(trace.get("processes") or {}, "the processes").items():
            members = _object(process, "a process")
            name = _text(members.get("serviceName"), "the name of a service")
            processes[key] = {"service.name": name, **_jaeger_tags(members.get("tags"))}
    except Unreadable as error:
        yield Rejected(where, str(error))
    for span in _list(trace.get("spans"), "the spans"):
        yield _read(lambda members: _jaeger_span(members, processes), span, where)


def _jaeger_span(span: Members, processes: Mapping[str, Values]) -> OtlpSpan:
    trace_id = _id(span.get("traceID"), otlp.TRACE_ID_BYTES, "trace")
    parent: str | None = None
    links: list[Values] = []
    for reference in _list(span.get("references"), "the references of a span"):
        members = _object(reference, "a reference")
        of_trace = _id(members.get("traceID"), otlp.TRACE_ID_BYTES, "trace")
        of_span = _id(members.get("spanID"), otlp.SPAN_ID_BYTES, "span")
        if parent is None and of_trace == trace_id and members.get("refType") == "CHILD_OF":
            parent = of_span
        else:
            links.append({"trace_id": of_trace, "span_id": of_span, "trace_flags": 0})
    tags = _jaeger_tags(span.get("tags"))
    if warnings := span.get("warnings"):
        tags["jaeger.warnings"] = [str(each) for each in _list(warnings, "the warnings")]
    process = span.get("processID")
    resource = processes.get(process, {}) if isinstance(process, str) else {}
    if inline := span.get("process"):
        members = _object(inline, "a process")
        name = _text(members.get("serviceName"), "the name of a service")
        resource = {"service.name": name, **_jaeger_tags(members.get("tags"))}
    return _made(
        (trace_id, _id(span.get("spanID"), otlp.SPAN_ID_BYTES, "span"), parent),
        _text(span.get("operationName"), "the name of an operation"),
        _KINDS.get(str(tags.get("span.kind")).lower(), 0),
        (_time_us(span.get("startTime")), _time_us(span.get("duration"))),
        tags,
        [_jaeger_log(log) for log in _list(span.get("logs"), "the logs of a span")],
        links,
        resource,
    )


def _jaeger_log(log: object) -> Values:
    members = _object(log, "a log")
    fields = _jaeger_tags(members.get("fields"))
    name = fields.pop("event", None) or fields.pop("message", None) or "log"
    event: Values = {
        "name": name if isinstance(name, str) else str(name),
        "timestamp": _time_us(members.get("timestamp")) * _NS_PER_US,
    }
    return {**event, "attributes": fields} if fields else event


def _jaeger_tags(tags: object) -> Values:
    found: Values = {}
    for tag in _list(tags, "tags"):
        members = _object(tag, "a tag")
        value = members.get("value")
        if members.get("type") in ("int64", "float64") and isinstance(value, str):
            value = _number(value)
        found[_text(members.get("key"), "the name of a tag")] = _value(value)
    return found


def _zipkin_span(span: Members) -> OtlpSpan:
    trace_id = _id(span.get("traceId"), otlp.TRACE_ID_BYTES, "trace")
    span_id = _id(span.get("id"), otlp.SPAN_ID_BYTES, "span")
    parent = span.get("parentId")
    parent_id = _id(parent, otlp.SPAN_ID_BYTES, "parent span") if parent else None
    if span.get("shared") is True:
        # A server's span then has the id of its client's, whose place in the store it would take.
        parent_id, span_id = (
            span_id,
            hashlib.sha256(f"{trace_id}{span_id}".encode()).hexdigest()[:16],
        )
    tags: Values = {
        key: _value(value) for key, value in _object(span.get("tags") or {}, "the tags").items()
    }
    local = _object(span.get("localEndpoint") or {}, "an endpoint")
    remote = _object(span.get("remoteEndpoint") or {}, "an endpoint")
    named = {"serviceName": "peer.service", "ipv4": "network.peer.address",
             "ipv6": "network.peer.address", "port": "network.peer.port"}  # fmt: skip
    peer = {named[key]: _value(value) for key, value in remote.items() if key in named}
    own = {"serviceName": "service.name", "ipv4": "host.ip", "ipv6": "host.ip"}
    resource = {own[key]: _value(value) for key, value in local.items() if key in own}
    return _made(
        (trace_id, span_id, parent_id),
        _text(span.get("name") or "", "the name of a span"),
        _KINDS.get(str(span.get("kind")).lower(), 1),
        (_time_us(span.get("timestamp")), _time_us(span.get("duration"))),
        {**peer, **tags},
        [_zipkin_event(each) for each in _list(span.get("annotations"), "the annotations")],
        [],
        resource,
    )


def _zipkin_event(annotation: object) -> Values:
    members = _object(annotation, "an annotation")
    name = _text(members.get("value"), "the value of an annotation")
    return {"name": name, "timestamp": _time_us(members.get("timestamp")) * _NS_PER_US}


def _made(
    ids: tuple[str, str, str | None],
    name: str,
    kind: int,
    times_us: tuple[int, int],
    tags: Values,
    events: list[Values],
    links: list[Values],
    resource: Values,
) -> OtlpSpan:
    """Return a span; its times are the start and the duration."""
    start_us, duration_us = times_us
    if start_us + duration_us > _MAX_US:
        raise Unreadable("a span's time is past the year 2262")
    error = tags.get("error")
    has_failed = error not in (None, False, "", "false")
    code = _STATUS.get(str(tags.get("otel.status_code")).upper(), 2 if has_failed else 0)
    said = tags.get("otel.status_description")
    if said is None and code == 2 and isinstance(error, str) and error != "true":
        said = error
    scope = {_NAMES_OF_SCOPE[key]: value for key, value in tags.items() if key in _NAMES_OF_SCOPE}
    dropped = (*_NOT_KEPT, *_NAMES_OF_SCOPE)
    return OtlpSpan(
        *ids,
        name,
        kind,
        start_us * _NS_PER_US,
        (start_us + duration_us) * _NS_PER_US,
        code,
        said if isinstance(said, str) and said else None,
        {key: value for key, value in tags.items() if key not in dropped},
        events,
        links,
        otlp.SAMPLED,
        Origin(resource, scope),
    )


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is no object")
    return value


def _list(value: object, what: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreadable(f"{what} are no list")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise Unreadable(f"{what} is no text")
    # JSON can name halves of a character, which no UTF-8 can hold.
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _value(value: object, depth: int = 0) -> JsonValue:
    if depth > _MAX_DEPTH:
        raise Unreadable("a value is nested too deeply")
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _text(value, "a value")
        case list():
            return [_value(item, depth + 1) for item in value]
        case dict():
            return {_text(key, "a name"): _value(item, depth + 1) for key, item in value.items()}
        case _:
            raise Unreadable("there is something else in the place of a value")


def _number(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _time_us(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_US:
        raise Unreadable("a time is no number of microseconds since 1970")
    return int(value)


def _id(value: object, size: int, noun: str) -> str:
    """Return an id in lower-case hex of its full length."""
    text = _text(value, f"a {noun} id").lower().zfill(2 * size)
    if len(text) != 2 * size or not all(digit in "0123456789abcdef" for digit in text):
        raise Unreadable(f"a {noun} id is not up to {size} bytes in hex")
    if not text.strip("0"):
        raise Unreadable(f"a {noun} id is all zeros")
    return text
