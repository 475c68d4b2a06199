"""Log events as events of their spans (exp.db: spans.events), and those whose span is to come yet.

An exporter sends logs and spans apart, and the logs first as a rule. An event whose span is not
there waits in a table of its own in the same file, so that one transaction takes it from there to
its span. The table is made when the first has to wait, and taken away when none does any more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from flowtui.store.database import table_columns
from flowtui.store.otlp.items import LogEvent
from flowtui.store.otlp.logs import LOG
from flowtui.store.values import JsonValue

MAX_WAITING = 50_000
"""Events that wait in one run for a span."""
MAX_WAITING_CHARS = 64_000_000
MAX_SPAN_CHARS = 8_000_000
"""Of all events of one span, since they are read and written as one."""
NO_ROOM = (
    "there is no room for this event: too many wait in this run for spans that did not come, or its"
    " span has too many; collect into a new run"
)
KEPT_EVENTS = "flowtui_kept_events"
"""The function of SQL that gives the events of a span that is sent again."""
_TABLE = "flowtui_waiting_events"
_COLUMNS = frozenset(("trace_id", "span_id", "event"))
_MARK = f'"{LOG}": {{'
_KEY = "trace_id = ? and span_id = ?"

SpanKey = tuple[str, str]
Event = dict[str, JsonValue]


def size_chars(event: LogEvent) -> int:
    """Return how long the text of an event is.

    Raises:
        ValueError, RecursionError: it cannot be written as JSON.
    """
    return len(_text(event.event))


def teach(connection: sqlite3.Connection) -> None:
    """Give a connection the function `KEPT_EVENTS`."""
    connection.create_function(KEPT_EVENTS, 2, _kept, deterministic=True)


def join(connection: sqlite3.Connection, events: Sequence[LogEvent]) -> list[int]:
    """Add events to their spans, or have them wait; return the places of those with no room.

    An event that its span has, or that waits already, is there once.
    """
    by_span: dict[SpanKey, list[int]] = {}
    for place, event in enumerate(events):
        by_span.setdefault((event.trace_id, event.span_id), []).append(place)
    dropped: list[int] = []
    waiting: list[int] = []
    for key, places in by_span.items():
        has_span, kept = _added(connection, key, [dict(events[place].event) for place in places])
        if not has_span:
            waiting += places
        dropped += [place for place, is_kept in zip(places, kept, strict=True) if not is_kept]
    return [*dropped, *_put(connection, events, waiting)]


def join_waiting(connection: sqlite3.Connection, keys: Iterable[SpanKey]) -> None:
    """Add the events that wait for spans, which are there now, to them."""
    if not _is_table(connection):
        return
    select = f"select event from {_TABLE} where {_KEY} order by rowid"
    for key in dict.fromkeys(keys):
        rows = connection.execute(select, key).fetchall()
        events = [event for (text,) in rows if isinstance(event := _parsed(text), dict)]
        if not events:
            continue
        has_span, kept = _added(connection, key, events)
        # What the span has no room for stays where it is.
        if has_span and all(kept):
            connection.execute(f"delete from {_TABLE} where {_KEY}", key)
    if connection.execute(f"select 1 from {_TABLE} limit 1").fetchone() is None:
        connection.execute(f"drop table {_TABLE}")


def waiting_count(connection: sqlite3.Connection) -> int:
    """Return how many events wait for their span."""
    if not _is_table(connection):
        return 0
    (count,) = connection.execute(f"select count(*) from {_TABLE}").fetchone()
    return int(count)


def _added(
    connection: sqlite3.Connection, key: SpanKey, events: Sequence[Event]
) -> tuple[bool, list[bool]]:
    """Add events to a span; return whether it is there, and of each event whether it has it."""
    row = connection.execute(f"select events from spans where {_KEY}", key).fetchone()
    if row is None:
        return False, [True] * len(events)
    (before,) = row
    if before is not None and not isinstance(_parsed(before), list):
        # What nobody can read is left as it is.
        return True, [False] * len(events)
    own, joined = _parted(before)
    known = {_said(event) for event in (*own, *joined)}
    left = MAX_SPAN_CHARS - len(before or "")
    kept = []
    for event in events:
        said = _said(event)
        is_new = said not in known
        has_room = not is_new or len(said) <= left
        kept.append(has_room)
        if is_new and has_room:
            known.add(said)
            joined.append(event)
            left -= len(said)
    after = _together(own, joined)
    if after != before:
        connection.execute(f"update spans set events = ? where {_KEY}", (after, *key))
    return True, kept


def _put(
    connection: sqlite3.Connection, events: Sequence[LogEvent], places: Sequence[int]
) -> list[int]:
    """Have events wait; return the places of those that there is no room for."""
    if not places:
        return []
    if not _is_table(connection):
        connection.execute(
            f"create table {_TABLE} (trace_id text not null, span_id text not null,"
            " event text not null, size integer not null)"
        )
        connection.execute(f"create index {_TABLE}_key on {_TABLE} (trace_id, span_id, size)")
    count, chars = connection.execute(
        f"select count(*), coalesce(sum(size), 0) from {_TABLE}"
    ).fetchone()
    dropped = []
    for place in places:
        event = events[place]
        key, text = (event.trace_id, event.span_id), _text(event.event)
        known = f"select 1 from {_TABLE} where {_KEY} and event = ?"
        if connection.execute(known, (*key, text)).fetchone():
            continue
        if count >= MAX_WAITING or chars + len(text) > MAX_WAITING_CHARS:
            dropped.append(place)
            continue
        connection.execute(f"insert into {_TABLE} values (?, ?, ?, ?)", (*key, text, len(text)))
        count, chars = count + 1, chars + len(text)
    return dropped


def _is_table(connection: sqlite3.Connection) -> bool:
    return table_columns(connection, _TABLE) >= _COLUMNS


def _kept(before: object, sent: str | None) -> str | None:
    """Return the events of a span that is sent again: what is sent, and what had joined it."""
    if not isinstance(before, str) or _MARK not in before:
        return sent
    joined = _parted(before)[1]
    if not joined:
        return sent
    parsed = _parsed(sent)
    own = parsed if isinstance(parsed, list) else []
    # What was exported and is taken back has them among its own.
    known = set(map(_said, own))
    return _together(own, [event for event in joined if _said(event) not in known])


def _parted(text: object) -> tuple[list[JsonValue], list[Event]]:
    """Return the events that came with a span, and those that joined it."""
    events = _parsed(text)
    if not isinstance(events, list):
        return [], []
    joined = [event for event in events if isinstance(event, dict) and LOG in event]
    return [event for event in events if not (isinstance(event, dict) and LOG in event)], joined


def _together(own: Sequence[JsonValue], joined: Sequence[Event]) -> str | None:
    ordered = sorted(joined, key=_time)
    return _text([*own, *ordered]) if own or ordered else None


def _said(event: JsonValue) -> str:
    """Return what makes two events the same one."""
    if not isinstance(event, dict):
        return _text(event)
    parts = [event.get("name"), event.get("timestamp"), event.get("attributes") or {}]
    return json.dumps(parts, sort_keys=True)


def _time(event: Event) -> int:
    time = event.get("timestamp")
    return time if isinstance(time, int) else 0


def _parsed(text: object) -> JsonValue:
    if not isinstance(text, str):
        return None
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _text(value: object) -> str:
    return json.dumps(value)
