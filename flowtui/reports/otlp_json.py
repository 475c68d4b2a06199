"""Spans as OTLP/JSON, the file format of the OpenTelemetry Collector, with their annotations.

Annotations are events named `luml.annotation` on their span, so that any reader of OTLP keeps them.
Spec: opentelemetry-proto, `TracesData`; https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from flowtui.store.annotations.values import Annotation
from flowtui.store.otlp.own_export import ANNOTATION_EVENT, RUN_ID
from flowtui.store.traces.values import SpanDetail, SpanEvent, SpanLink
from flowtui.store.values import JsonValue, Run

OtlpValue = dict[str, object]
INT64 = range(-(2**63), 2**63)
NS_PER_S = 1_000_000_000


def resource(run: Run) -> OtlpValue:
    """Return the resource of all spans of a run."""
    return {"attributes": attributes({"service.name": run.name or run.id, RUN_ID: run.id})}


def span(detail: SpanDetail, annotations: Sequence[Annotation] = ()) -> OtlpValue:
    """Return a span as OTLP/JSON writes it: ids in hex, 64-bit numbers as texts.

    Args:
        detail: The whole span; a column that is not JSON is kept as `luml.unparsed.COLUMN`.
        annotations: The span's.
    """
    return {
        "traceId": detail.trace_id,
        "spanId": detail.span_id,
        **({} if detail.parent_id is None else {"parentSpanId": detail.parent_id}),
        "name": detail.name,
        "kind": detail.kind,
        "startTimeUnixNano": str(detail.start_ns),
        "endTimeUnixNano": str(detail.end_ns),
        "attributes": attributes({**detail.attributes, **_unparsed(detail)}),
        "events": [*map(_event, detail.events), *map(_annotation, annotations)],
        "links": list(map(_link, detail.links)),
        "status": _status(detail),
        "flags": detail.trace_flags or 0,
    }


def attributes(values: Mapping[str, JsonValue]) -> list[OtlpValue]:
    """Return named values as a list of `KeyValue`."""
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def any_value(value: JsonValue) -> OtlpValue:
    """Return a JSON value as an `AnyValue`; one without a value stands for null."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int() if value in INT64:
            return {"intValue": str(value)}
        case int():
            return {"stringValue": str(value)}
        case float():
            return {"doubleValue": _double(value)}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
        case dict():
            return {"kvlistValue": {"values": attributes(value)}}


def _unparsed(detail: SpanDetail) -> dict[str, JsonValue]:
    return {f"luml.unparsed.{column}": text for column, text in detail.unparsed.items()}


def _double(value: float) -> float | str:
    return value if math.isfinite(value) else json.dumps(value)


def _status(detail: SpanDetail) -> OtlpValue:
    status: OtlpValue = {"code": detail.status_code}
    return status | {"message": detail.status_message} if detail.status_message else status


def _event(event: SpanEvent) -> OtlpValue:
    return _timed(event.timestamp_ns or 0, event.name, attributes(event.attributes))


def _annotation(annotation: Annotation) -> OtlpValue:
    said: dict[str, JsonValue] = {
        "id": annotation.id,
        "name": annotation.name,
        "kind": annotation.kind,
        "value": annotation.value,
        "user": annotation.user,
        "rationale": annotation.rationale,
    }
    named = {f"luml.annotation.{key}": value for key, value in said.items() if value is not None}
    created = annotation.created_at
    time_ns = 0 if created is None else int(created.timestamp()) * NS_PER_S
    return _timed(time_ns, ANNOTATION_EVENT, attributes(named))


def _timed(time_ns: int, name: str, said: Iterable[OtlpValue]) -> OtlpValue:
    return {"timeUnixNano": str(time_ns), "name": name, "attributes": list(said)}


def _link(link: SpanLink) -> OtlpValue:
    return {
        "traceId": link.trace_id,
        "spanId": link.span_id,
        "attributes": attributes(link.attributes),
    }
