"""The spans of one trace (exp.db: spans): the skeleton of all, everything of some."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any

from flowtui.store import reading
from flowtui.store.annotation_values import SampleTarget
from flowtui.store.annotations import span_counts
from flowtui.store.bounded_json import head, parsed, sql_too_long
from flowtui.store.database import table_columns
from flowtui.store.genai import SpanKind, Usage, is_pending, pending_parent, span_kind, usage
from flowtui.store.otlp import RESOURCE
from flowtui.store.span_times import FAR_FUTURE_NS, sortable
from flowtui.store.trace_values import (
    Process,
    Span,
    SpanDetail,
    SpanEvent,
    SpanLink,
)
from flowtui.store.values import JsonValue

TEXT_CHARS = 500_000
"""A text that cannot be parsed is given up to here: more than anybody reads without a pager."""
TOO_LONG = b"\0"
"""Stands in for attributes that are too long to be parsed."""

_DECODER = json.JSONDecoder()
_SKELETON = (
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "dfs_span_type",
    "start_time_unix_nano",
    "end_time_unix_nano",
    "status_code",
    "attributes",
)
_JSON = ("attributes", "events", "links")
_DETAIL = (*_SKELETON, "status_message", "events", "links", "trace_flags", "created_at")


def spans(connection: sqlite3.Connection, trace_id: str) -> tuple[Span, ...]:
    """Return all spans of a trace by their start, what started together by its end, last first.

    Spans without a start come last. Attributes that are no JSON say nothing, and do not fail the
    read. Where a span begins before its parent, both have the process that they ran in.

    Source: spans, span_annotations.
    """
    present = table_columns(connection, "spans")
    if not present:
        return ()
    columns = reading.select_list(_SKELETON[:-1], present, "spans")
    # Sorted here: SQLite's sorter would copy all the attributes.
    rows = connection.execute(
        f"select {columns}, {attributes_sql(present)} from spans where trace_id = cast(? as text)",
        [reading.as_sql(trace_id)],
    )
    annotated = span_counts(connection, trace_id)
    counts = {target.span_id: count for target, count in annotated.items()}
    found = [_span(trace_id, row, counts) for row in rows]
    found.sort(key=lambda span: (sortable(span.start_ns), -span.end_ns, span.span_id))
    return tuple(_with_processes(connection, trace_id, found))


def _with_processes(connection: sqlite3.Connection, trace_id: str, found: list[Span]) -> list[Span]:
    """Return spans, those that begin before their parent and these parents with their process."""
    starts = {span.span_id: span.start_ns for span in found}
    wanted = {
        id_
        for span in found
        if span.parent_id and 0 < span.start_ns < starts.get(span.parent_id, 0) < FAR_FUTURE_NS
        for id_ in (span.span_id, span.parent_id)
    }
    if not wanted:
        return found
    present = table_columns(connection, "spans")
    rows = connection.execute(
        f"select span_id, {attributes_sql(present)} from spans"
        " where trace_id = cast(:trace as text)"
        " and span_id in (select value from json_each(:wanted))",
        {"trace": reading.as_sql(trace_id), "wanted": json.dumps(sorted(wanted))},
    )
    processes = {reading.text(span_id): _process(raw) for span_id, raw in rows}
    return [
        span if process is None else span._replace(process=process)
        for span in found
        for process in (processes.get(span.span_id),)
    ]


def _process(raw: object) -> Process | None:
    """Return what tells a span's process and host: of its resource, or written beside the rest."""
    if not isinstance(raw, str) or not ("service.instance.id" in raw or '"host.' in raw):
        return None
    attributes = _object(raw)
    resource = attributes.get(RESOURCE)
    said = resource if isinstance(resource, dict) else attributes
    return {
        name: value
        for name, value in said.items()
        if isinstance(value, str) and (name == "service.instance.id" or name.startswith("host."))
    } or None


def mark(connection: sqlite3.Connection, trace_id: str) -> tuple[int, int]:
    """Return how many spans a trace has and the last rowid: what new spans change."""
    if not table_columns(connection, "spans"):
        return 0, 0
    count, last = connection.execute(
        "select count(*), coalesce(max(rowid), 0) from spans where trace_id = cast(? as text)",
        [reading.as_sql(trace_id)],
    ).fetchone()
    return count, last


def samples(connection: sqlite3.Connection, trace_id: str) -> tuple[SampleTarget, ...]:
    """Return the samples of eval sets that are linked to a trace, in the order of linking.

    Source: eval_traces_bridge.
    """
    if not table_columns(connection, "eval_traces_bridge"):
        return ()
    rows = connection.execute(
        "select eval_dataset_id, eval_id from eval_traces_bridge"
        " where trace_id = cast(? as text) group by eval_dataset_id, eval_id order by min(rowid)",
        [reading.as_sql(trace_id)],
    )
    return tuple(SampleTarget(reading.text(dataset), reading.text(id_)) for dataset, id_ in rows)


def detail(
    connection: sqlite3.Connection, trace_id: str, span_id: str, whole: bool = False
) -> SpanDetail | None:
    """Return everything of one span, None if there is no such span; see `details`."""
    return details(connection, trace_id, [span_id], whole).get(span_id)


def details(
    connection: sqlite3.Connection, trace_id: str, span_ids: Sequence[str], whole: bool = False
) -> dict[str, SpanDetail]:
    """Return everything of some spans by id; those that are not there are left out.

    Args:
        connection: exp.db's.
        trace_id: which trace.
        span_ids: which spans of it.
        whole: whether to parse JSON of more than `PARSED_BYTES`; else its first part is given
            as it stands, with its true length.
    """
    present = table_columns(connection, "spans")
    if not present:
        return {}
    columns = [
        f"case when :{name} then null else {name} end as {name}" if name in _JSON else name
        for name in _DETAIL
        if name in present
    ]
    found: dict[str, SpanDetail] = {}
    for span_id in span_ids:
        rowids = connection.execute(
            "select rowid from spans where trace_id = cast(? as text)"
            " and span_id = cast(? as text)",
            [reading.as_sql(trace_id), reading.as_sql(span_id)],
        ).fetchall()
        for (rowid,) in rowids:
            heads = {} if whole else _heads(connection, rowid)
            (values,) = connection.execute(
                f"select {', '.join(columns)} from spans where rowid = :rowid",
                {"rowid": rowid, **{name: name in heads for name in _JSON}},
            )
            names = (name for name in _DETAIL if name in present)
            row = dict.fromkeys(_DETAIL) | dict(zip(names, values, strict=True))
            found[span_id] = _detail(trace_id, row, heads, whole)
    return found


def _heads(connection: sqlite3.Connection, rowid: int) -> dict[str, tuple[str, int]]:
    """Return by column how a text begins that is too long to be parsed, and its length."""
    heads = {name: head(connection, "spans", name, rowid, TEXT_CHARS) for name in _JSON}
    return {name: found for name, found in heads.items() if found is not None}


def present_ids(
    connection: sqlite3.Connection, trace_id: str, span_ids: Sequence[str]
) -> frozenset[str]:
    """Return which of some spans of a trace are there."""
    if not table_columns(connection, "spans"):
        return frozenset()
    sql = "select 1 from spans where trace_id = cast(? as text) and span_id = cast(? as text)"
    trace = reading.as_sql(trace_id)
    return frozenset(
        span_id
        for span_id in span_ids
        if connection.execute(sql, [trace, reading.as_sql(span_id)]).fetchone() is not None
    )


def attributes_sql(present: AbstractSet[str]) -> str:
    """Return the attributes to select; `TOO_LONG` stands in for what is not to be parsed."""
    if "attributes" not in present:
        return "null as attributes"
    return f"case when {sql_too_long('attributes')} then x'00' else attributes end"


def own_usage(raw: object) -> Usage | None:
    """Return the usage that a text of attributes reports; most report none and are not parsed."""
    return usage(_object(raw)) if isinstance(raw, str) and _may_have_usage(raw) else None


def parent(value: object) -> str | None:
    """Return a parent's id; an empty one and one of zeros stand for none."""
    text = reading.text(value)
    return text if text.strip("0") else None


def whole_number(value: object) -> int:
    """Return an integer column; what is none counts as zero."""
    return value if isinstance(value, int) else 0


def _may_have_usage(raw: str) -> bool:
    """Say whether `genai.usage` may find something; a search takes a tenth of parsing."""
    return "usage." in raw or "token_count." in raw or "tokenUsage" in raw or "llm.cost" in raw


def _may_name_kind(raw: str) -> bool:
    """Say whether `genai.span_kind` or `genai.is_pending` may find something."""
    return (
        "gen_ai.operation.name" in raw
        or "span.kind" in raw
        or "llm.request.type" in raw
        or "mlflow.spanType" in raw
        or "pending_span" in raw
    )


@lru_cache(maxsize=64)
def _guessed_kind(span_type: int) -> SpanKind:
    return span_kind({}, span_type)


def _span(trace_id: str, row: Sequence[object], annotated: Mapping[str, int]) -> Span:
    span_id, parent_id, name, *numbers, raw = row
    # One loop, not a call for each: this is done 30,000 times before a large trace shows.
    kind, type_, start, end, status = [n if isinstance(n, int) else 0 for n in numbers]
    text = raw if isinstance(raw, str) else ""
    has_usage = _may_have_usage(text)
    attributes = _object(text) if has_usage or _may_name_kind(text) else {}
    pending = is_pending(attributes)
    id_ = reading.text(span_id)
    return Span(
        trace_id,
        id_,
        parent(parent_id),
        reading.text(name),
        kind,
        type_,
        span_kind(attributes, type_) if attributes else _guessed_kind(type_),
        start,
        end,
        status,
        usage(attributes) if has_usage else None,
        annotated.get(id_, 0),
        pending,
        pending_parent(attributes) if pending else None,
        is_unread=raw == TOO_LONG,
    )


def _object(raw: str) -> dict[str, JsonValue]:
    try:
        parsed = _DECODER.decode(raw)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


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
            problem = f"is {chars:,} characters of JSON, too many to be parsed here"
        else:
            stored = reading.text(row[column])
            value, problem = parsed(stored)
            chars = len(stored)
        if problem is None and value is not None and not isinstance(value, kind):
            problem = f"is JSON, and not {noun}"
        sizes[column] = chars
        if problem is not None:
            problems.append(f"{column} {problem}")
            unparsed[column] = stored[: None if whole else TEXT_CHARS]
        return value if problem is None and value is not None else kind()

    attributes: dict[str, JsonValue] = parsed_as("attributes", dict, "an object")
    events: list[JsonValue] = parsed_as("events", list, "a list")
    links: list[JsonValue] = parsed_as("links", list, "a list")
    span_type = whole_number(row["dfs_span_type"])
    return SpanDetail(
        trace_id=trace_id,
        span_id=reading.text(row["span_id"]),
        parent_id=parent(row["parent_span_id"]),
        name=reading.text(row["name"]),
        kind=whole_number(row["kind"]),
        span_type=span_type,
        genai_kind=span_kind(attributes, span_type),
        start_ns=whole_number(row["start_time_unix_nano"]),
        end_ns=whole_number(row["end_time_unix_nano"]),
        status_code=whole_number(row["status_code"]),
        status_message=reading.optional_text(row["status_message"]),
        attributes=attributes,
        events=tuple(_event(event, problems) for event in events),
        links=tuple(_link(link, problems) for link in links),
        trace_flags=reading.integer(row["trace_flags"], "trace_flags", problems),
        created_at=reading.timestamp(row["created_at"], "created_at", problems),
        usage=usage(attributes),
        sizes=sizes,
        unparsed=unparsed,
        problems=tuple(problems),
    )


def _attributes(values: JsonValue) -> dict[str, JsonValue]:
    return values if isinstance(values, dict) else {}


def _event(event: JsonValue, problems: list[str]) -> SpanEvent:
    if not isinstance(event, dict):
        problems.append("events holds an item that is no object")
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
        problems.append("links holds an item that is no object")
        return SpanLink("", "", {"value": link})
    trace_id, span_id = link.get("trace_id"), link.get("span_id")
    return SpanLink(
        trace_id if isinstance(trace_id, str) else "",
        span_id if isinstance(span_id, str) else "",
        _attributes(link.get("attributes")),
    )
