"""What this program exported, taken back: annotations as annotations, and nothing added.

An export has the annotations of a span as events on it, and a resource that only says which run it
was of; the span's own resource and scope are among its attributes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from flowtui.store.annotations.values import AnnotationKind, Draft, raw_text
from flowtui.store.errors import InvalidAnnotation
from flowtui.store.otlp.items import NOWHERE, OtlpSpan
from flowtui.store.schema.rows import timestamp
from flowtui.store.values import JsonValue

ANNOTATION_EVENT = "luml.annotation"
RUN_ID = "luml.experiment.id"
_PREFIX = f"{ANNOTATION_EVENT}."
_NS_PER_S = 1_000_000_000


class SpanAnnotation(NamedTuple):
    """A row of exp.db: span_annotations, in the order of `_INSERT`."""

    id: str
    trace_id: str
    span_id: str
    name: str
    annotation_kind: str
    value_type: str
    value: str
    user: str
    rationale: str | None
    created_at: str | None


_INSERT = (
    f"insert into span_annotations ({', '.join(SpanAnnotation._fields)})"
    f" select {', '.join('?' * len(SpanAnnotation._fields))}"
    " where not exists (select 1 from span_annotations where id = ?)"
)


def taken_back(span: OtlpSpan) -> tuple[OtlpSpan, list[SpanAnnotation]]:
    """Return a span as it was before it was exported, and its annotations.

    A span of anybody else is returned as it is, and so is an event that is no annotation as the
    SDK would write it.
    """
    if RUN_ID not in span.origin.resource:
        return span, []
    events, annotations = [], []
    for event in span.events:
        annotation = _annotation(span, event)
        if annotation is None:
            events.append(event)
        else:
            annotations.append(annotation)
    return span._replace(events=events, origin=NOWHERE), annotations


def insert(connection: sqlite3.Connection, annotations: Sequence[SpanAnnotation]) -> int:
    """Write annotations but for those whose id is there; return how many that were."""
    if not annotations:
        return 0
    before = connection.total_changes
    connection.executemany(_INSERT, [(*annotation, annotation.id) for annotation in annotations])
    return connection.total_changes - before


def _annotation(span: OtlpSpan, event: Mapping[str, JsonValue]) -> SpanAnnotation | None:
    said = event.get("attributes")
    if event.get("name") != ANNOTATION_EVENT or not isinstance(said, dict):
        return None
    id_, name, kind, value, user, rationale = (
        said.get(_PREFIX + key) for key in ("id", "name", "kind", "value", "user", "rationale")
    )
    if not (isinstance(id_, str) and id_ and isinstance(name, str) and isinstance(user, str)):
        return None
    if not isinstance(value, bool | int | str) or not isinstance(rationale, str | None):
        return None
    try:
        draft = Draft(name, AnnotationKind(str(kind)), value, rationale, user)
        draft.check()
    except (ValueError, InvalidAnnotation):
        return None
    return SpanAnnotation(
        id_,
        span.trace_id,
        span.span_id,
        name,
        draft.kind,
        draft.value_type,
        raw_text(value),
        user,
        rationale,
        _moment(event.get("timestamp")),
    )


def _moment(time_ns: JsonValue) -> str | None:
    if not isinstance(time_ns, int) or time_ns <= 0:
        return None
    return timestamp(datetime.fromtimestamp(time_ns // _NS_PER_S, UTC))
