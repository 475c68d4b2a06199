"""Which spans a search finds, and which are still to be annotated (exp.db: spans,
span_annotations).

The latter are returned by rowid: eight bytes each, where the ids of a span take a hundred.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Sequence

from flowtui.store import decoding, names_in_use
from flowtui.store.annotations.listing import AS_FILTERED
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.database import table_columns
from flowtui.store.filters import SPAN_FIELDS, Condition, register_functions
from flowtui.store.genai import is_pending
from flowtui.store.traces.functions import register_said, title_sql
from flowtui.store.traces.times import END, FAR_FUTURE_NS, START, sql_known

_COLUMNS = ("span_id", "name", "status_message", "attributes", "events")
_BEGUN = sql_known(START)
_NO_ANNOTATIONS = "0 as annotation_count, null as annotations"
_ANNOTATIONS = f"""(select count(*) from span_annotations as noted
    where noted.trace_id = spans.trace_id and noted.span_id = spans.span_id) as annotation_count,
  (select {AS_FILTERED}
    from span_annotations as noted
    where noted.trace_id = spans.trace_id and noted.span_id = spans.span_id) as annotations"""


def matching(connection: sqlite3.Connection, trace_id: str, condition: Condition) -> frozenset[str]:
    """Return the ids of the spans of a trace that meet a condition of `span_condition`.

    It takes one pass over the trace; conditions on text and attributes parse these.

    Source: spans, span_annotations.
    """
    present = table_columns(connection, "spans")
    if not present:
        return frozenset()
    register_functions(connection)
    register_said(connection, relation := _relation(connection, condition))
    rows = connection.execute(
        f"{relation} select span_id from span where {condition.sql}",
        {**condition.params, "searched": decoding.as_sql(trace_id)},
    )
    return frozenset(decoding.text(span_id) for (span_id,) in rows)


def remarks(connection: sqlite3.Connection, condition: Condition, trace_id: str) -> tuple[str, ...]:
    """Return a sentence for each key that a condition asks for and no span of the trace has.

    Source: exp.db spans, span_annotations.
    """
    if not table_columns(connection, "spans"):
        return ()
    register_functions(connection)
    register_said(connection, relation := _relation(connection, condition))
    bound = {"searched": decoding.as_sql(trace_id)}
    records = names_in_use.Records(relation, "span", bound, "spans", "this trace")
    return names_in_use.remarks(
        connection,
        condition,
        records,
        SPAN_FIELDS.columns,
        lambda: names_in_use.of_spans(connection, trace_id),
    )


def unannotated(
    connection: sqlite3.Connection, trace_id: str, condition: Condition | None, user: str
) -> array[int]:
    """Return the rowids of the spans of a trace that an author has not annotated, by their start.

    Those without a start come last. Placeholders of spans that have not ended are left out.

    Args:
        connection: A connection to exp.db.
        trace_id: The trace.
        condition: A `span_condition` that they meet too; None for all.
        user: The author.

    Source: spans, span_annotations.
    """
    if not table_columns(connection, "spans"):
        return array("q")
    if condition is not None:
        register_functions(connection)
    register_said(connection, relation := _relation(connection, condition))
    rows = connection.execute(
        f"""{relation}
        select rowid, start, case when instr(attributes, 'pending_span') then attributes end
        from span where {_by_others(connection, "trace_id, span_id")}
          and {"true" if condition is None else f"({condition.sql})"}""",
        {
            **({} if condition is None else condition.params),
            "searched": decoding.as_sql(trace_id),
            "author": decoding.as_sql(user),
        },
    )
    found = [
        (FAR_FUTURE_NS if start is None else start, rowid)
        for rowid, start, raw in rows
        if not _is_placeholder(raw)
    ]
    return array("q", (rowid for _, rowid in sorted(found)))


def unannotated_roots(connection: sqlite3.Connection, keys: Sequence[int], user: str) -> array[int]:
    """Return the rowids of the roots of traces that an author has not annotated.

    Of several roots of a trace the earliest counts; a trace without one is left out.

    Args:
        connection: A connection to exp.db.
        keys: The keys of the traces, see `listing.ordered`; the roots are in their order.
        user: The author.

    Source: spans, span_annotations.
    """
    if not table_columns(connection, "spans"):
        return array("q")
    # One search of the index for each trace is faster than grouping all spans, which are far more.
    return decoding.keys(
        connection,
        f"""with root as materialized (
          select listed.key as place, (select candidate.rowid from spans as candidate
              where candidate.trace_id = written.trace_id
              and (parent_span_id is null or trim(parent_span_id, '0') = '')
              order by {_BEGUN} is null, {START}, rowid limit 1) as root_rowid
          from json_each(:keys) as listed cross join spans as written
            on written.rowid = listed.value)
        select root_rowid from root cross join spans on spans.rowid = root_rowid
        where {_by_others(connection, "trace_id, span_id")} order by place""",
        {"keys": json.dumps(list(keys)), "author": decoding.as_sql(user)},
    )


def target_at(connection: sqlite3.Connection, rowid: int) -> SpanTarget | None:
    """Return the span in a row, None if it is gone."""
    if not table_columns(connection, "spans"):
        return None
    row = connection.execute(
        "select trace_id, span_id from spans where rowid = ?", [rowid]
    ).fetchone()
    return None if row is None else SpanTarget(decoding.text(row[0]), decoding.text(row[1]))


def _relation(connection: sqlite3.Connection, condition: Condition | None) -> str:
    """Return the WITH clause that makes `span`: the rows of the trace `:searched`.

    Its `title`, which takes a look into the attributes, is there only for a condition on it.
    """
    present = table_columns(connection, "spans")
    asks_title = condition is not None and "span.title" in condition.sql
    title = f"{title_sql('spans', present)} as title," if asks_title else ""
    has_annotations = bool(table_columns(connection, "span_annotations"))
    annotations = _ANNOTATIONS if has_annotations else _NO_ANNOTATIONS
    return f"""with span as (
      select spans.rowid as rowid, spans.trace_id as trace_id,
        {title} {decoding.select_list(_COLUMNS, present, "spans")}, status_code as state,
        {_BEGUN} as start, {sql_known(END)} - {_BEGUN} as duration, {annotations}
      from spans where trace_id = cast(:searched as text))"""


def _is_placeholder(raw: object) -> bool:
    try:
        attributes = json.loads(raw) if isinstance(raw, str) else None
    except (ValueError, RecursionError):
        return False
    return isinstance(attributes, dict) and is_pending(attributes)


def _by_others(connection: sqlite3.Connection, key: str) -> str:
    """Return the condition for spans that `:author` has not annotated."""
    if not table_columns(connection, "span_annotations"):
        return "(:author is not null)"
    # SQLite runs this subquery once and keeps the result; the table has no index on the span.
    return f"""({key}) not in (select trace_id, span_id from span_annotations
      where user = cast(:author as text) and trace_id is not null and span_id is not null)"""
