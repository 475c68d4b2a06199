"""The spans of one sample, while they are made of its events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flowtui.store.schema.rows import SpanRow
from flowtui.store.values import JsonValue

OK, ERROR = 1, 2
"""Status codes of spans."""
INTERNAL, CLIENT = 1, 3
"""Kinds of spans."""


@dataclass(slots=True, eq=False)
class SpanDraft:
    """A span of which more may still become known."""

    key: str
    """What is its own within the sample."""
    name: str
    start_ns: int
    end_ns: int = 0
    """0 while its end is not known."""
    parent: SpanDraft | None = None
    type: str = ""
    """What Inspect calls it: solver, scorer, tool, agent and others."""
    kind: int = INTERNAL
    message: str | None = None
    """Why it failed, None where it did not."""
    attributes: dict[str, object] = field(default_factory=dict)
    events: list[dict[str, object]] = field(default_factory=list)
    is_ok: bool = False
    """Whether it is known to have ended well."""

    def add_event(self, name: str, at_ns: int, attributes: dict[str, JsonValue]) -> None:
        """Add an event to it."""
        self.events.append({"name": name, "timestamp": at_ns, "attributes": attributes})

    def fail(self, message: str, at_ns: int, type_: str = "", traceback: str = "") -> None:
        """Note that it failed, and why."""
        self.message = message
        found: dict[str, JsonValue] = {"exception.message": message}
        if type_:
            found["exception.type"] = type_
        if traceback:
            found["exception.stacktrace"] = traceback
        self.add_event("exception", at_ns, found)


def trace_id(*words: str) -> str:
    """Return the id of the trace of what some words name."""
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:32]


def rows(trace: str, drafts: Iterable[SpanDraft], last_ns: int) -> Iterator[SpanRow]:
    """Yield the rows of spans; those whose end is not known end with the last of them.

    Args:
        trace: The id of the trace.
        drafts: The spans.
        last_ns: When the last thing happened in the trace.
    """
    ids: dict[SpanDraft, str] = {}
    keys: set[str] = set()
    listed = list(drafts)
    for number, draft in enumerate(listed):
        key = draft.key if draft.key not in keys else f"{draft.key}\0{number}"
        keys.add(key)
        digest = hashlib.sha256(f"{trace}\0{key}".encode("utf-8", "replace"))
        ids[draft] = digest.hexdigest()[:16]
    for draft in listed:
        yield SpanRow(
            trace_id=trace,
            span_id=ids[draft],
            parent_span_id=None if draft.parent is None else ids[draft.parent],
            name=draft.name,
            kind=draft.kind,
            start_ns=draft.start_ns,
            end_ns=max(draft.end_ns or last_ns, draft.start_ns),
            status_code=OK * draft.is_ok if draft.message is None else ERROR,
            status_message=draft.message,
            attributes=draft.attributes,
            events=draft.events,
        )
