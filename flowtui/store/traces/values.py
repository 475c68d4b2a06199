"""Traces and their spans, as stored and whole.

Text in them is untrusted, like everything from a store. Times are Unix nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from flowtui.store.annotations.judgements import Judgement
from flowtui.store.genai import SpanKind, Usage
from flowtui.store.traces.times import known
from flowtui.store.values import JsonValue


class TraceState(StrEnum):
    """How the root of a trace ended; of several roots, the worst."""

    OK = "ok"
    ERROR = "error"
    UNSET = "unset"
    IN_PROGRESS = "in_progress"
    """There is no root yet: spans are written when they end, so the root comes last."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time_ns: int | None) -> datetime | None:
    """Return the moment of a time in Unix nanoseconds, None if it is not a time; see `times`."""
    time_ns = known(time_ns)
    return None if time_ns is None else _EPOCH + timedelta(microseconds=time_ns // 1000)


@dataclass(frozen=True, slots=True)
class Trace:
    """One row of the list of traces."""

    trace_id: str
    root_name: str
    """The name of the earliest root; without one, of the earliest span."""
    state: TraceState
    start_ns: int | None
    """The start of the first span; None if no span has one."""
    end_ns: int | None
    """The last moment that is known of it; None if no span has a start and an end after it."""
    span_count: int
    error_count: int
    """How many of the spans ended in an error."""
    usage: Usage | None
    """The usage by the rule of `roll_up`; None if no span reports any."""
    sample_count: int
    """How many samples of eval sets are linked to it."""
    annotation_count: int
    """How many annotations its spans have."""
    unread_count: int = 0
    """How many spans are left out of `usage`, since their attributes are too long to be parsed."""
    input: str | None = None
    """What was asked, or its beginning and an ellipsis: see `exchange`. None if no span says it."""
    output: str | None = None
    """What was answered, in the same way."""
    is_unsaid: bool = False
    """Whether a span was too long to be parsed for these, and might say more."""
    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    """What people said, by the field that names it, if that was read."""

    @property
    def duration_ns(self) -> int | None:
        """From the first start to the last end."""
        return _between(self.start_ns, self.end_ns)


Process = Mapping[str, str]
"""What identifies the process and host of a span: its service.instance.id and host.*."""


class Span(NamedTuple):
    """What a tree and its waterfall need of one span.

    A tuple, since 30,000 frozen dataclasses of this size take longer to make than to read.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    """None for a root; it may name a missing span, the span itself, or one below it."""
    name: str
    kind: int
    """0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer."""
    span_type: int
    """The SDK's guess when it wrote the span; `genai_kind` knows more."""
    genai_kind: SpanKind
    start_ns: int
    """As stored; `begun_ns` is None if it is not a time."""
    end_ns: int
    status_code: int
    """0 unset, 1 ok, 2 error."""
    usage: Usage | None
    """The span's own usage; a parent may repeat that of its children."""
    annotation_count: int
    is_pending: bool
    """Whether it only announces that its parent has started."""
    pending_parent_id: str | None
    """For a pending span: the parent of the span that it announces."""
    process: Process | None = None
    """Where it ran, if that was read: see `spans`."""
    is_unread: bool = False
    """Whether its attributes are too long to be parsed: its kind is a guess, its usage unknown."""

    @property
    def begun_ns(self) -> int | None:
        """When it started, None if no start is stored."""
        return known(self.start_ns)

    @property
    def ended_ns(self) -> int | None:
        """When it ended, None if it has not, as far as the store knows."""
        return None if self.is_pending else known(self.end_ns)

    @property
    def duration_ns(self) -> int | None:
        """None if start or end is not known; negative if it ends before it starts."""
        return _between(self.begun_ns, self.ended_ns)


def _between(start_ns: int | None, end_ns: int | None) -> int | None:
    return None if start_ns is None or end_ns is None else end_ns - start_ns


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at a moment of a span."""

    name: str
    timestamp_ns: int | None
    attributes: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A span of any trace that a span refers to."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class SpanDetail:
    """Everything that is stored of one span."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: int
    span_type: int
    genai_kind: SpanKind
    start_ns: int
    end_ns: int
    status_code: int
    status_message: str | None
    attributes: Mapping[str, JsonValue]
    events: tuple[SpanEvent, ...]
    links: tuple[SpanLink, ...]
    trace_flags: int | None
    created_at: datetime | None
    usage: Usage | None
    sizes: Mapping[str, int]
    """Characters of the stored text by column: attributes, events, links."""
    unparsed: Mapping[str, str]
    """By column: the first part of a text that is not JSON of the expected kind."""
    problems: tuple[str, ...] = ()

    @property
    def duration_ns(self) -> int | None:
        """None if start or end is not known; negative if it ends before it starts."""
        return _between(known(self.start_ns), known(self.end_ns))

    @property
    def raw_events(self) -> tuple[Mapping[str, JsonValue], ...]:
        """The events in the form that `genai` reads."""
        return tuple(
            {"name": event.name, "attributes": dict(event.attributes)} for event in self.events
        )
