"""Traces of MLflow: spans, what belongs to the trace as a whole, and what was said of them.

A span is an object of the same shape in `spans.content` of the database and in `traces.json`: its
ids are base64, and each attribute is a text of JSON. MLflow 2 wrote another one, with ids in hex.
Source: mlflow/entities/span.py (`to_dict`) and mlflow/entities/assessment.py.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from flowtui.sources.mlflow_records import SPACE, time_ms, whole
from flowtui.sources.records import SourceBatch, moment
from flowtui.store.schema.rows import SpanAnnotationRow, SpanRow
from flowtui.store.values import JsonValue

TRACE_DIGITS, SPAN_DIGITS = 32, 16
_HEX = re.compile(r"[0-9a-f]+")
_LAST_NS = 253_402_300_799_999_999_999
_MOST_NS = min(_LAST_NS, 2**63 - 1)
_STATUS = {"OK": 1, "ERROR": 2}
_JUDGES = {"LLM_JUDGE": " (LLM judge)", "AI_JUDGE": " (LLM judge)", "CODE": " (code)"}
_YES_NO = {"yes": True, "no": False}
"""What MLflow's own judges answer."""
_SAID_ELSEWHERE = (
    "mlflow.traceInputs", "mlflow.traceOutputs", "mlflow.trace.size", "mlflow.trace_schema",
    "mlflow.trace.infoFinalized", "mlflow.source", "mlflow.artifactLocation", "mlflow.trace.spans",
)  # fmt: skip
"""Beginnings of what a trace's metadata repeats of its spans and its run, or keeps for itself."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a person, a model or a program said of a trace or of one of its spans."""

    id: str
    name: str
    is_feedback: bool
    value: JsonValue
    error: JsonValue = None
    source_type: str = ""
    source_id: str = ""
    span_id: str = ""
    rationale: str = ""
    created_ms: int = 0
    is_valid: bool = True
    """Not where a later one has replaced it."""

    @property
    def user(self) -> str:
        """Who said it."""
        kind = _JUDGES.get(self.source_type, "")
        return clean(f"{self.source_id or self.source_type.lower() or 'unknown'}{kind}")

    @property
    def truth(self) -> bool | None:
        """What feedback says, None where it is neither yes nor no."""
        if isinstance(self.value, bool):
            return self.value
        return _YES_NO.get(self.value.lower()) if isinstance(self.value, str) else None

    def row(self, trace_id: str, span_id: str) -> SpanAnnotationRow | None:
        """Return it as an annotation; None where there is no such one.

        Feedback is true or false in a LUML store.
        """
        kind: Literal["feedback", "expectation"] = "feedback"
        value: bool | int | str | None = self.truth
        if not self.is_feedback:
            kind, value = "expectation", _expected(self.value)
        if value is None or self.error is not None:
            return None
        return SpanAnnotationRow(
            id=str(uuid.uuid5(SPACE, f"{trace_id}\0{self.id}")),
            trace_id=trace_id,
            span_id=span_id,
            name=clean(self.name) or "assessment",
            kind=kind,
            value=value,
            user=self.user,
            rationale=clean(self.rationale) or None,
            created_at=moment(self.created_ms // 1_000),
        )

    def attribute(self) -> dict[str, object]:
        """Return it as a value among the attributes of its span."""
        said = {"value": self.value, "error": self.error, "by": self.user}
        if self.rationale:
            said["rationale"] = self.rationale
        return {key: value for key, value in said.items() if value is not None}


@dataclass(slots=True)
class MlflowTrace:
    """All that a store has of one trace."""

    id: str
    """As MLflow writes it: `tr-` and hex digits."""
    spans: Sequence[object]
    """Objects of JSON."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    assessments: Sequence[Assessment] = ()

    @property
    def hex_id(self) -> str:
        return hex_id(self.id.removeprefix("tr-"), TRACE_DIGITS)

    def add_to(self, batch: SourceBatch) -> Counter[str]:
        """Add its records to a batch; return what of it has no place, and how often."""
        left: Counter[str] = Counter()
        trace_id = self.hex_id
        rows: dict[str, SpanRow] = {}
        for one in self.spans:
            row = _span(one, trace_id)
            if isinstance(row, str):
                left[row] += 1
            else:
                rows[row.span_id] = row
        root = min(rows.values(), key=lambda row: (row.parent_span_id is not None, row.start_ns),
                   default=None)  # fmt: skip
        more: dict[str, dict[str, object]] = {}
        if root is not None:
            more[root.span_id] = self._of_the_trace()
        if not self.spans:
            left["traces whose spans are not here"] += 1
        batch.judged[trace_id] = []
        for one in self.assessments:
            self._judge(one, root, rows, batch.judged[trace_id], more, left)
        for span_id, extra in more.items():
            row = rows[span_id]
            rows[span_id] = replace(row, attributes={**extra, **(row.attributes or {})})
        batch.spans += rows.values()
        return left

    def _judge(
        self,
        one: Assessment,
        root: SpanRow | None,
        rows: Mapping[str, SpanRow],
        judged: list[SpanAnnotationRow],
        more: dict[str, dict[str, object]],
        left: Counter[str],
    ) -> None:
        if not one.is_valid:
            left["assessments that later ones replaced"] += 1
            return
        if root is None:
            left["assessments of traces without spans"] += 1
            return
        span_id = hex_id(one.span_id, SPAN_DIGITS) if one.span_id else root.span_id
        if span_id not in rows:
            span_id = root.span_id
        row = one.row(root.trace_id, span_id)
        if row is not None:
            judged.append(row)
            return
        place = more.setdefault(span_id, {})
        name = f"mlflow.assessment.{one.name}"
        before = place.get(name)
        if before is None:
            place[name] = one.attribute()
        else:
            place[name] = [*(before if isinstance(before, list) else [before]), one.attribute()]

    def _of_the_trace(self) -> dict[str, object]:
        """Return what is said of the trace as a whole, as attributes of its root."""
        found: dict[str, object] = {}
        for key, value in self.metadata.items():
            if not key.startswith(_SAID_ELSEWHERE):
                found[key] = _decoded(value)
        for key, value in self.tags.items():
            if not key.startswith("mlflow."):
                found[f"mlflow.traceTag.{key}"] = value
        return found


def hex_id(value: object, digits: int) -> str:
    """Return an id as lower-case hex; it may be hex, with `0x` or not, or base64."""
    text = str(value or "")
    plain = text.lower().removeprefix("0x")
    if len(plain) == digits and _HEX.fullmatch(plain):
        return plain
    try:
        raw = base64.b64decode(text, validate=True)
        if len(raw) * 2 == digits:
            return raw.hex()
    except (ValueError, binascii.Error):
        pass
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:digits]


def _span(one: object, trace_id: str) -> SpanRow | str:
    """Return a span, or what to call one that cannot be shown."""
    if not isinstance(one, dict):
        return "spans that cannot be read"
    context = one.get("context")
    ids = context if isinstance(context, dict) else one
    parent = one.get("parent_span_id") or one.get("parent_id")
    start_ns = whole(one.get("start_time_unix_nano", one.get("start_time")))
    end_ns = whole(one.get("end_time_unix_nano", one.get("end_time")))
    if start_ns is None or not ids.get("span_id"):
        return "spans that cannot be read"
    if end_ns is None:
        return "spans that have not ended"
    status = one.get("status")
    code, message = one.get("status_code"), one.get("status_message")
    if isinstance(status, dict):
        code, message = status.get("code"), status.get("message")
    attributes = one.get("attributes")
    return SpanRow(
        trace_id=trace_id,
        span_id=hex_id(ids["span_id"], SPAN_DIGITS),
        parent_span_id=hex_id(parent, SPAN_DIGITS) if parent else None,
        name=clean(one.get("name")),
        start_ns=_bounded(start_ns),
        end_ns=_bounded(end_ns),
        status_code=_STATUS.get(str(code).removeprefix("STATUS_CODE_"), 0),
        status_message=clean(message) or None,
        attributes={key: _decoded(value) for key, value in attributes.items()}
        if isinstance(attributes, dict)
        else None,
        events=_events(one.get("events")),
        links=_links(one.get("links")),
    )


def clean(value: object) -> str:
    """Return a value as text that a database takes: JSON may name halves of characters."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode("utf-8", "replace")


def _bounded(time_ns: int) -> int:
    return min(max(time_ns, 0), _MOST_NS)


def _events(events: object) -> list[dict[str, object]]:
    found = []
    for one in events if isinstance(events, list) else ():
        if isinstance(one, dict):
            at_ns = whole(one.get("time_unix_nano", one.get("timestamp"))) or 0
            event = {"name": str(one.get("name") or ""), "timestamp": _bounded(at_ns)}
            if isinstance(one.get("attributes"), dict):
                event["attributes"] = one["attributes"]
            found.append(event)
    return found


def _links(links: object) -> list[dict[str, object]]:
    found = []
    for one in links if isinstance(links, list) else ():
        if isinstance(one, dict):
            trace_id = str(one.get("trace_id") or "").removeprefix("tr-")
            link: dict[str, object] = {
                "trace_id": hex_id(trace_id, TRACE_DIGITS),
                "span_id": hex_id(one.get("span_id"), SPAN_DIGITS),
                "trace_flags": 0,
            }
            if isinstance(one.get("attributes"), dict):
                link["attributes"] = one["attributes"]
            found.append(link)
    return found


def _decoded(value: object) -> object:
    """Return what a text of JSON says, since MLflow writes every attribute as one."""
    if isinstance(value, str):
        try:
            found: object = json.loads(value)
            return found
        except (ValueError, RecursionError):
            pass
    return value


def _expected(value: JsonValue) -> bool | int | str:
    if isinstance(value, (bool, str)):
        return value if isinstance(value, bool) else clean(value)
    if isinstance(value, (int, float)) and whole(value) == value:
        return int(value)
    return json.dumps(value)


def assessment(found: Mapping[str, JsonValue]) -> Assessment | None:
    """Return an assessment as files have it, None for something else."""
    feedback, expectation = found.get("feedback"), found.get("expectation")
    said = feedback if isinstance(feedback, dict) else expectation
    source = found.get("source")
    if not isinstance(said, dict):
        return None
    if not isinstance(source, dict):
        source = {}
    value = said.get("value")
    serialized = said.get("serialized_value")
    if isinstance(serialized, dict):
        decoded = _decoded(serialized.get("value"))
        value = decoded  # type: ignore[assignment]
    return Assessment(
        id=str(found.get("assessment_id") or ""),
        name=str(found.get("assessment_name") or ""),
        is_feedback=isinstance(feedback, dict),
        value=value,
        error=said.get("error"),
        source_type=str(source.get("source_type") or ""),
        source_id=str(source.get("source_id") or ""),
        span_id=str(found.get("span_id") or ""),
        rationale=str(found.get("rationale") or ""),
        created_ms=time_ms(found.get("create_time")),
        is_valid=found.get("valid") is not False,
    )
