"""Builds the spans of one trace on a clock that starts where the trace does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from random import Random

from flowtui.store.schema import SpanRow

_MILLISECOND = 1_000_000


class DemoSpanKind(IntEnum):
    """What OpenTelemetry calls the kind of a span."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


class StatusCode(IntEnum):
    """What OpenTelemetry calls the status of a span."""

    UNSET = 0
    OK = 1
    ERROR = 2


class TraceBuilder:
    """Collects the spans of one trace; times are milliseconds after the trace's start."""

    def __init__(self, rng: Random, started_at: datetime) -> None:
        self.trace_id = f"{rng.getrandbits(128):032x}"
        self._rng = rng
        self._start_ns = int(started_at.timestamp()) * 1_000_000_000 + rng.randrange(10**9)
        self._spans: list[SpanRow] = []

    def new_span_id(self) -> str:
        """Make an id for a span that is added later, or never."""
        return f"{self._rng.getrandbits(64):016x}"

    def unix_ns(self, at_ms: float) -> int:
        """Return a time of this trace as Unix nanoseconds."""
        return self._start_ns + round(at_ms * _MILLISECOND)

    def span(
        self,
        name: str,
        start_ms: float,
        length_ms: float,
        *,
        parent: str | None = None,
        span_id: str | None = None,
        kind: DemoSpanKind = DemoSpanKind.INTERNAL,
        attributes: Mapping[str, object] | None = None,
        status: StatusCode = StatusCode.OK,
        message: str | None = None,
        events: Sequence[Mapping[str, object]] = (),
        links: Sequence[Mapping[str, object]] = (),
    ) -> str:
        """Add one span and return its id."""
        row = SpanRow(
            trace_id=self.trace_id,
            span_id=span_id or self.new_span_id(),
            parent_span_id=parent,
            name=name,
            start_ns=self.unix_ns(start_ms),
            end_ns=self.unix_ns(start_ms + length_ms),
            kind=int(kind),
            status_code=int(status),
            status_message=message,
            attributes=attributes,
            events=events,
            links=links,
            trace_flags=1,
        )
        self._spans.append(row)
        return row.span_id

    def event(self, name: str, at_ms: float, **attributes: object) -> dict[str, object]:
        """Make an event; dots in its attributes' names are written as double underscores."""
        return {
            "name": name,
            "timestamp": self.unix_ns(at_ms),
            "attributes": {key.replace("__", "."): value for key, value in attributes.items()},
        }

    def link(self, other: SpanRow, reason: str) -> dict[str, object]:
        """Make a link to a span of another trace."""
        return {
            "trace_id": other.trace_id,
            "span_id": other.span_id,
            "trace_flags": 1,
            "attributes": {"link.reason": reason},
        }

    def rows(self) -> list[SpanRow]:
        """Return the spans in the order in which they ended, which is how they are written."""
        return sorted(self._spans, key=lambda row: row.end_ns)
