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

Everything that is decoded becomes an `OtlpSpan`, so the formats cannot differ in what they store.
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
"""The largest integer of SQLite; as a time it is a day in the year 2262."""
WHOLE_BYTES = 4 << 20
"""How large a resource with its spans may be to be parsed at once; a larger one is parsed in parts.

The parsed form of a message or a line of JSON takes some ten times as much memory.
"""
MAX_SPAN_BYTES = 32 << 20
"""A larger span is refused, since one span is the least that can be parsed."""
SAMPLED = 1
"""The trace flag of a sampled span, which some exporters leave out of what they send.

Spec: https://www.w3.org/TR/trace-context/#sampled-flag
"""
TRACE_FLAGS = 0xFF
"""The bits of the flags of a span or link that are trace flags; the others are about parents."""

LATE = "the {} stands after its spans, which were too long to be held: they are stored without it"


class Unreadable(Exception):
    """A span, or something in it, does not follow the format; `str()` says how."""


class Broken(Unreadable):
    """Nothing after this position in the stream can be read any more."""


@dataclass(frozen=True, eq=False)
class Origin:
    """What produced spans; many spans share one."""

    resource: Mapping[str, JsonValue]
    """The attributes of the resource: service.name, telemetry.sdk.name ..."""
    scope: Mapping[str, JsonValue]
    """The name, version and attributes of the instrumentation, as far as they are there."""

    @cached_property
    def values(self) -> dict[str, JsonValue]:
        """What is stored of it with each span, under two names of its own."""
        both = {RESOURCE: dict(self.resource), SCOPE: dict(self.scope)}
        return {name: value for name, value in both.items() if value}

    @cached_property
    def json_members(self) -> str:
        """`values` as the inside of a JSON object, written once for all spans of the origin."""
        return json.dumps(self.values)[1:-1]


NOWHERE = Origin({}, {})


class OtlpSpan(NamedTuple):
    """One valid span: everything that its row needs is there and within bounds.

    A tuple, since 100,000 frozen dataclasses of this size take longer to make than to decode.
    """

    trace_id: str
    """32 lower-case hex digits, not all of them zero."""
    span_id: str
    """16 lower-case hex digits."""
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
    """The line or the byte where it is; empty in a request."""
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record of a signal that is not kept."""

    signal: str
    """metrics, logs or profiles."""


Item = OtlpSpan | LogEvent | Rejected | Skipped


def known_kind(number: int) -> int:
    """Return a span kind, 0 for an unknown one, as the SDK does."""
    return number if 0 <= number <= 5 else 0


def known_status(number: int) -> int:
    """Return a status code, 0 for an unknown one, as the SDK does."""
    return number if 0 <= number <= 2 else 0
