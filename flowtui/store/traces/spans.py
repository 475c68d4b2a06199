"""The spans of one trace (exp.db: spans), as its tree needs them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache

from flowtui.store import decoding
from flowtui.store.annotations.listing import span_counts
from flowtui.store.annotations.values import SampleTarget
from flowtui.store.bounded_json import sql_too_long
from flowtui.store.database import table_columns
from flowtui.store.genai import SpanKind, Usage, is_pending, pending_parent, span_kind, usage
from flowtui.store.otlp.items import RESOURCE
from flowtui.store.traces.times import FAR_FUTURE_NS, sortable
from flowtui.store.traces.values import Process, Span
from flowtui.store.values import JsonValue

TOO_LONG = b"\0"
"""Stands in for attributes that are too long to be parsed."""

_DECODER = json.JSONDecoder()
SKELETON = (
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


def spans(connection: sqlite3.Connection, trace_id: str) -> tuple[Span, ...]:
    """Return all spans of a trace by their start, what started together by its end, last first.

    Spans without a start come last. Attributes that are no JSON say nothing, and do not fail the
    read. Where a span begins before its parent, both have the process that they ran in.

    Source: spans, span_annotations.
    """
    present = table_columns(connection, "spans")
    if not present:
        return ()
    columns = decoding.select_list(SKELETON[:-1], present, "spans")
    # Sorted here: SQLite's sorter would copy all the attributes.
    rows = connection.execute(
        f"select {columns}, {attributes_sql(present)} from spans where trace_id = cast(? as text)",
        [decoding.as_sql(trace_id)],
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
        {"trace": decoding.as_sql(trace_id), "wanted": json.dumps(sorted(wanted))},
    )
    processes = {decoding.text(span_id): _process(raw) for span_id, raw in rows}
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
        [decoding.as_sql(trace_id)],
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
        [decoding.as_sql(trace_id)],
    )
    return tuple(SampleTarget(decoding.text(dataset), decoding.text(id_)) for dataset, id_ in rows)


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
    text = decoding.text(value)
    return text if text.strip("0") else None


def whole_number(value: object) -> int:
    """Return an integer column; what is none counts as zero."""
    return value if isinstance(value, int) else 0


def shown_id(value: object) -> str:
    """Return an id as text; none at all differs from an empty one."""
    return "NULL" if value is None else decoding.text(value)


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
    id_ = span_id if isinstance(span_id, str) else shown_id(span_id)
    span = Span(
        trace_id,
        id_,
        parent(parent_id),
        decoding.text(name),
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
    )
    return span if text or raw != TOO_LONG else span._replace(is_unread=True)


def _object(raw: str) -> dict[str, JsonValue]:
    try:
        parsed = _DECODER.decode(raw)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
