"""Everything that is stored of some spans (exp.db: spans)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from flowtui.store import decoding
from flowtui.store.bounded_json import head, parsed, too_long
from flowtui.store.database import table_columns
from flowtui.store.genai import span_kind, usage
from flowtui.store.traces.spans import SKELETON, parent, shown_id
from flowtui.store.traces.values import SpanDetail, SpanEvent, SpanLink
from flowtui.store.values import JsonValue

TEXT_CHARS = 500_000
"""How much of a text that cannot be parsed is returned: more than people read without a pager."""
_JSON = ("attributes", "events", "links")
_COLUMNS = (
    *SKELETON,
    "attributes",
    "status_message",
    "events",
    "links",
    "trace_flags",
    "created_at",
)


def detail(
    connection: sqlite3.Connection, trace_id: str, span_id: str, whole: bool = False
) -> SpanDetail | None:
    """Return everything of one span, None if there is no such span; see `details`."""
    return details(connection, trace_id, [span_id], whole).get(span_id)


def details(
    connection: sqlite3.Connection, trace_id: str, span_ids: Sequence[str], whole: bool = False
) -> dict[str, SpanDetail]:
    """Return everything of some spans by id; those that do not exist are left out.

    Args:
        connection: A connection to exp.db.
        trace_id: The trace.
        span_ids: The spans of it.
        whole: Whether to parse JSON of more than `PARSED_BYTES`; else its first part is returned as
            text, with its true length.
    """
    present = table_columns(connection, "spans")
    if not present:
        return {}
    columns = [
        f"case when :{name} then null else {name} end as {name}" if name in _JSON else name
        for name in _COLUMNS
        if name in present
    ]
    found: dict[str, SpanDetail] = {}
    for span_id in span_ids:
        for rowid in _rowids(connection, trace_id, span_id):
            heads = {} if whole else _heads(connection, rowid)
            (values,) = connection.execute(
                f"select {', '.join(columns)} from spans where rowid = :rowid",
                {"rowid": rowid, **{name: name in heads for name in _JSON}},
            )
            names = (name for name in _COLUMNS if name in present)
            row = dict.fromkeys(_COLUMNS) | dict(zip(names, values, strict=True))
            found[span_id] = _detail(trace_id, row, heads, whole)
    return found


def _rowids(connection: sqlite3.Connection, trace_id: str, span_id: str) -> list[int]:
    """Return the rows of a span; for an id that is not text, `span_id` is its text form."""
    trace = decoding.as_sql(trace_id)
    of_trace = "from spans where trace_id = cast(? as text) and"
    rows = connection.execute(
        f"select rowid {of_trace} span_id = cast(? as text)", [trace, decoding.as_sql(span_id)]
    ).fetchall()
    if rows:
        return [rowid for (rowid,) in rows]
    odd = connection.execute(f"select rowid, span_id {of_trace} typeof(span_id) <> 'text'", [trace])
    return [rowid for rowid, stored in odd if shown_id(stored) == span_id]


def _heads(connection: sqlite3.Connection, rowid: int) -> dict[str, tuple[str, int]]:
    """Return, by column, the beginning and the length of texts that are too long to be parsed."""
    heads = {name: head(connection, "spans", name, rowid, TEXT_CHARS) for name in _JSON}
    return {name: found for name, found in heads.items() if found is not None}


def present_ids(
    connection: sqlite3.Connection, trace_id: str, span_ids: Sequence[str]
) -> frozenset[str]:
    """Return which of some spans of a trace exist."""
    if not table_columns(connection, "spans"):
        return frozenset()
    return frozenset(id_ for id_ in span_ids if _rowids(connection, trace_id, id_))


def _detail(
    trace_id: str,
    row: Mapping[str, object],
    heads: Mapping[str, tuple[str, int]],
    whole: bool,
) -> SpanDetail:
    problems: list[str] = []
    unparsed: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def parsed_as(column: str, kind: type[Any], noun: str) -> Any:
        value: JsonValue = None
        problem: str | None
        if column in heads:
            stored, chars = heads[column]
            problem = too_long(chars)
        else:
            stored = decoding.text(row[column])
            value, problem = parsed(stored)
            chars = len(stored)
        if problem is None and value is not None and not isinstance(value, kind):
            problem = f"is JSON, but not {noun}"
        sizes[column] = chars
        if problem is not None:
            problems.append(f"{column} {problem}")
            unparsed[column] = stored[: None if whole else TEXT_CHARS]
        return value if problem is None and value is not None else kind()

    attributes: dict[str, JsonValue] = parsed_as("attributes", dict, "an object")
    events: list[JsonValue] = parsed_as("events", list, "a list")
    links: list[JsonValue] = parsed_as("links", list, "a list")
    if not isinstance(row["span_id"], str):
        problems.append("span_id is not text, so that the span cannot be annotated")

    def number(column: str, is_needed: bool = False) -> int:
        value = decoding.integer(row[column], column, problems)
        if row[column] is None and is_needed:
            problems.append(f"{column} is missing")
        return value or 0

    span_type = number("dfs_span_type")
    return SpanDetail(
        trace_id=trace_id,
        span_id=shown_id(row["span_id"]),
        parent_id=parent(row["parent_span_id"]),
        name=decoding.text(row["name"]),
        kind=number("kind"),
        span_type=span_type,
        genai_kind=span_kind(attributes, span_type),
        start_ns=number("start_time_unix_nano", is_needed=True),
        end_ns=number("end_time_unix_nano", is_needed=True),
        status_code=number("status_code"),
        status_message=decoding.optional_text(row["status_message"]),
        attributes=attributes,
        events=tuple(_event(event, problems) for event in events),
        links=tuple(_link(link, problems) for link in links),
        trace_flags=decoding.integer(row["trace_flags"], "trace_flags", problems),
        created_at=decoding.timestamp(row["created_at"], "created_at", problems),
        usage=usage(attributes),
        sizes=sizes,
        unparsed=unparsed,
        problems=tuple(problems),
    )


def _attributes(values: JsonValue) -> dict[str, JsonValue]:
    return values if isinstance(values, dict) else {}


def _event(event: JsonValue, problems: list[str]) -> SpanEvent:
    if not isinstance(event, dict):
        problems.append("events holds an item that is not an object")
        return SpanEvent("", None, {"value": event})
    moment = event.get("timestamp")
    if isinstance(moment, bool) or not isinstance(moment, int):
        problems.append("events holds an event without a time")
        moment = None
    name = event.get("name")
    attributes = _attributes(event.get("attributes"))
    return SpanEvent(name if isinstance(name, str) else "", moment, attributes)


def _link(link: JsonValue, problems: list[str]) -> SpanLink:
    if not isinstance(link, dict):
        problems.append("links holds an item that is not an object")
        return SpanLink("", "", {"value": link})
    trace_id, span_id = link.get("trace_id"), link.get("span_id")
    return SpanLink(
        trace_id if isinstance(trace_id, str) else "",
        span_id if isinstance(span_id, str) else "",
        _attributes(link.get("attributes")),
    )
