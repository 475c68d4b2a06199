"""What is read out of OpenTelemetry's own formats: spans, their log events, and what is neither.

    proto.py      the protobuf of a request, a file or a stream, in pieces of bounded size
    document.py   one OTLP/JSON document, once it is parsed
    text.py       OTLP/JSON of any length: lines, and documents that do not fit into memory
    foreign.py    the JSON of Jaeger and Zipkin
    logs.py       log records: which of them are events of a span
    signals.py    which signal a protobuf is of
    files.py      files: which of these they are, how they are packed and framed
    rows.py       spans as rows of exp.db: spans
    own_export.py   what this program exported, taken back
    joining.py    log events as events of their spans, and those that wait for one

Everything that is decoded ends as an `OtlpSpan`, so the formats cannot differ in what they store.
Spec: opentelemetry-proto; https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from flowtui.store.values import JsonValue

RESOURCE = "otel.resource"
SCOPE = "otel.scope"
TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
MAX_INT64 = 2**63 - 1
"""SQLite has no larger integer; as a time it is a day in the year 2262."""
WHOLE_BYTES = 4 << 20
"""What a resource and its spans may take to be parsed at once; what takes more is parsed in parts.

Of a message this long, or a line of JSON, the parsed form takes some ten times as much.
"""
MAX_SPAN_BYTES = 32 << 20
"""A span of more is refused, since one span is the least that can be parsed."""
SAMPLED = 1
"""The trace flag of a span that is to be exported; some exporters leave it out of what they send.

Spec: https://www.w3.org/TR/trace-context/#sampled-flag
"""
TRACE_FLAGS = 0xFF
"""The part of the flags of a span or link that is the trace's; the others are about parents."""

LATE = "the {} stands after its spans, in more than is parsed at once: they are without it"


class Unreadable(Exception):
    """A span, or something in it, is not what the format says; `str()` says what it is instead."""


class Broken(Unreadable):
    """Nothing after this place in the stream can be told apart any more."""


@dataclass(frozen=True, eq=False)
class Origin:
    """What produced spans; many of them share one."""

    resource: Mapping[str, JsonValue]
    """The attributes of the resource: service.name, telemetry.sdk.name ..."""
    scope: Mapping[str, JsonValue]
    """Of the instrumentation: name, version, attributes, those that are there."""

    @cached_property
    def values(self) -> dict[str, JsonValue]:
        """What is kept of it with each span, under two names of its own."""
        both = {RESOURCE: dict(self.resource), SCOPE: dict(self.scope)}
        return {name: value for name, value in both.items() if value}

    @cached_property
    def json_members(self) -> str:
        """`values` as the inside of a JSON object, written once for all spans of the origin."""
        return json.dumps(self.values)[1:-1]


NOWHERE = Origin({}, {})


class OtlpSpan(NamedTuple):
    """One span, valid: what it needs in order to be a row is there and within bounds.

    A tuple, since 100,000 frozen dataclasses of this size take longer to make than to decode.
    """

    trace_id: str
    """32 lower-case hex digits, not all of them zero."""
    span_id: str
    """16 of them."""
    parent_span_id: str | None
    name: str
    kind: int
    """0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer."""
    start_ns: int
    end_ns: int
    status_code: int
    """0 unset, 1 ok, 2 error."""
    status_message: str | None
    attributes: Mapping[str, JsonValue]
    events: Sequence[Mapping[str, JsonValue]]
    """As the store has them: name, timestamp, attributes."""
    links: Sequence[Mapping[str, JsonValue]]
    """As the store has them: trace_id, span_id, trace_flags, attributes."""
    trace_flags: int
    origin: Origin


class LogEvent(NamedTuple):
    """A log record that is an event of a span."""

    trace_id: str
    span_id: str
    event: Mapping[str, JsonValue]
    """As the store has it: name, timestamp, attributes; and `log`, which says where it is from."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that was to be a span or an event, or to hold some, and is not readable."""

    where: str
    """A line, or a byte; empty in a request."""
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record of a signal that is not kept."""

    signal: str
    """metrics, logs or profiles."""


Item = OtlpSpan | LogEvent | Rejected | Skipped


def known_kind(number: int) -> int:
    """Return a span kind, 0 for one that nobody knows, as the SDK does."""
    return number if 0 <= number <= 5 else 0


def known_status(number: int) -> int:
    """Return a status code, 0 for one that nobody knows, as the SDK does."""
    return number if 0 <= number <= 2 else 0
