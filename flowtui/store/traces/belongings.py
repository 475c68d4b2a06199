"""To which session, which user and which models each trace of a run belongs (exp.db: spans)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from flowtui.store import cancelling, decoding
from flowtui.store.database import table_columns
from flowtui.store.genai.belonging import BELONGING_MARKS, BELONGINGS
from flowtui.store.traces.exchange import IS_ROOT
from flowtui.store.traces.spans import attributes_sql, has_one, read_object
from flowtui.store.traces.times import START, sortable
from flowtui.store.values import JsonValue

NAME_CHARS = 500
"""How much of a name is kept; two that only differ after it count as one."""
_EACH = 10_000
_Read = Callable[[dict[str, JsonValue]], str | None]


def belongings(connection: sqlite3.Connection, what: str) -> dict[int, str]:
    """Return by the key of each trace (see `listing`) what it belongs to, where a span names it.

    A trace belongs to the session and the user that its root names, else the earliest span that
    names one; and to all its models together, in alphabetical order.

    Args:
        connection: A connection to exp.db.
        what: One of BELONGINGS: session, user, model.

    Source: spans.attributes.
    """
    present = table_columns(connection, "spans")
    if not present:
        return {}
    rows = connection.execute(
        f"select rowid, trace_id, {START}, {IS_ROOT}, {attributes_sql(present)}"
        f" from spans where {decoding.is_text('+trace_id')}"
    )
    if what == "model":
        return _models(rows)
    return _firsts(rows, BELONGING_MARKS[what], BELONGINGS[what])


def belonging_of(connection: sqlite3.Connection, what: str, trace_id: str) -> str | None:
    """Return the session or the user that one trace belongs to, None where no span names it.

    Source: spans.attributes.
    """
    present = table_columns(connection, "spans")
    if not present:
        return None
    rows = connection.execute(
        f"select rowid, trace_id, {START}, {IS_ROOT}, {attributes_sql(present)}"
        " from spans where trace_id = cast(? as text) order by rowid",
        [decoding.as_sql(trace_id)],
    )
    return next(iter(_firsts(rows, BELONGING_MARKS[what], BELONGINGS[what]).values()), None)


def _firsts(rows: sqlite3.Cursor, marks: tuple[str, ...], read: _Read) -> dict[int, str]:
    keys: dict[str, int] = {}
    found: dict[int, tuple[tuple[bool, int], str]] = {}
    for rowid, trace_id, start, is_root, raw in rows:
        key = keys.setdefault(trace_id, rowid)
        if not isinstance(raw, str) or not has_one(raw, marks):
            continue
        place = not is_root, sortable(start if isinstance(start, int) else 0)
        if (key not in found or place < found[key][0]) and (name := read(read_object(raw))):
            found[key] = place, _safe(name)
    return {key: name for key, (_, name) in found.items()}


def _models(rows: sqlite3.Cursor) -> dict[int, str]:
    keys: dict[str, int] = {}
    found: dict[int, set[str]] = {}
    marks, read = BELONGING_MARKS["model"], BELONGINGS["model"]
    for count, (rowid, trace_id, _, _, raw) in enumerate(rows):
        if not count % _EACH:
            cancelling.check()
        key = keys.setdefault(trace_id, rowid)
        if isinstance(raw, str) and has_one(raw, marks) and (name := read(read_object(raw))):
            found.setdefault(key, set()).add(name)
    return {key: _safe(", ".join(sorted(models))) for key, models in found.items()}


def _safe(name: str) -> str:
    """Return a name as SQLite can take it."""
    return name[:NAME_CHARS].encode("utf-8", "replace").decode()
