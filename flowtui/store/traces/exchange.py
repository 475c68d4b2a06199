"""What was asked of a trace and what it answered (exp.db: spans).

The root says it, in any dialect. Of a root that does not, such as that of a web server, the first
and the last of the chats and agents below it do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from flowtui.store import decoding
from flowtui.store.bounded_json import TOO_LONG, parsed, sql_unless_long
from flowtui.store.database import table_columns
from flowtui.store.genai import Conversation, SpanKind, messages, span_kind
from flowtui.store.genai.dialects import KIND_MARKS
from flowtui.store.genai.gist import answered, asked
from flowtui.store.traces.times import END, FAR_FUTURE_NS, START, sql_known

LISTED_BYTES = 1_000_000
"""Longer spans are not parsed for a line of the list."""
LOOKED_AT = 100
"""In how many spans below the root a chat is looked for, from either end."""
IS_ROOT = "(parent_span_id is null or trim(parent_span_id, '0') = '')"
ROOT_FIRST = f"order by {IS_ROOT} desc, {sql_known(START)} is null, {START}, rowid limit 1"
"""The order in which the span that stands for a trace comes first."""
_FIRST_BEGUN = f"{sql_known(START)} is null, {START}, rowid"
_LAST_ENDED = f"({END} > 0 and {END} < {FAR_FUTURE_NS}) desc, {END} desc, rowid desc"
_TALKING = (SpanKind.CHAT, SpanKind.AGENT)
_GUESSED_TALKING = (1, 2)


class Exchange(NamedTuple):
    """What was asked and answered, None for what no span that was read says."""

    input: str | None
    output: str | None
    is_unread: bool = False
    """Whether a span was too long to be parsed that might have said more."""


def exchange(connection: sqlite3.Connection, trace_id: str | bytes, most_bytes: int) -> Exchange:
    """Return what was asked of a trace and what it answered.

    Args:
        connection: A connection to exp.db.
        trace_id: The trace; as bytes where it is not UTF-8.
        most_bytes: Spans whose attributes or events are longer are not parsed.

    Source: spans.attributes, spans.events.
    """
    bound = decoding.as_sql(trace_id) if isinstance(trace_id, str) else trace_id
    spans = _Spans(connection, bound, most_bytes)
    root = spans.root()
    said = None if root is None else spans.conversation(root)
    put, got = (None, None) if said is None else (asked(said), answered(said))
    if put is None:
        put = next(filter(None, map(asked, spans.chats(_FIRST_BEGUN, root))), None)
    if got is None:
        got = next(filter(None, map(answered, spans.chats(_LAST_ENDED, root))), None)
    return Exchange(put, got, spans.has_unread and (put is None or got is None))


def conversation_of(
    connection: sqlite3.Connection, trace_id: str, most_bytes: int
) -> tuple[Conversation, bool]:
    """Return what the root of a trace says, else its last chat; and whether one was too long.

    Source: spans.attributes, spans.events.
    """
    spans = _Spans(connection, decoding.as_sql(trace_id), most_bytes)
    root = spans.root()
    said = None if root is None else spans.conversation(root)
    if said is None or not (said.input and said.output):
        below = (one for one in spans.chats(_LAST_ENDED, root) if one.input or one.output)
        said = next(below, said)
    return said or Conversation(), spans.has_unread


class _Spans:
    """Reads the spans of one trace, one at a time."""

    def __init__(self, connection: sqlite3.Connection, trace_id: bytes, most_bytes: int) -> None:
        self._connection = connection
        self._trace_id = trace_id
        self.has_unread = False
        present = table_columns(connection, "spans")
        columns = [
            sql_unless_long("spans", name, most_bytes) if name in present else "null"
            for name in ("attributes", "events")
        ]
        self._type = "dfs_span_type" if "dfs_span_type" in present else "0"
        self._read = f"select {self._type}, {', '.join(columns)} from spans where rowid = ?"

    def root(self) -> int | None:
        row = self._connection.execute(
            f"select rowid from spans where trace_id = cast(? as text) {ROOT_FIRST}",
            [self._trace_id],
        ).fetchone()
        return None if row is None else row[0]

    def conversation(self, rowid: int, *, is_root: bool = True) -> Conversation | None:
        """Return what a span says; of one below the root only if it is a chat or an agent."""
        found = self._connection.execute(self._read, [rowid]).fetchone()
        if found is None:
            return None
        span_type, raw, raw_events = found
        if TOO_LONG in (raw, raw_events):
            self.has_unread = True
            return None
        if not is_root and not _may_talk(raw, span_type):
            return None
        attributes, events = parsed(raw)[0], parsed(raw_events)[0]
        attributes = attributes if isinstance(attributes, dict) else {}
        if not is_root and span_kind(attributes, span_type) not in _TALKING:
            return None
        listed = events if isinstance(events, list) else []
        return messages(attributes, [one for one in listed if isinstance(one, dict)])

    def chats(self, order: str, root: int | None) -> Iterator[Conversation]:
        """Yield what the chats and agents below the root say, in an order."""
        rowids = self._connection.execute(
            "select rowid from spans where trace_id = cast(? as text) and rowid is not ?"
            f" order by {order} limit {LOOKED_AT}",
            [self._trace_id, root],
        ).fetchall()
        for (rowid,) in rowids:
            if (said := self.conversation(rowid, is_root=False)) is not None:
                yield said


def _may_talk(raw: object, span_type: object) -> bool:
    if span_type in _GUESSED_TALKING:
        return True
    return isinstance(raw, str) and any(mark in raw for mark in KIND_MARKS)
