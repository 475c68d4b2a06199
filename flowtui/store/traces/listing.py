"""The list of traces (exp.db: spans, eval_traces_bridge, span_annotations).

A trace has no row of its own: it is the sum of its spans. Its key is the rowid of the span that was
written first, which stays the same while the trace grows, and takes eight bytes where an id takes
eighty. Attributes are stored after everything else in a row, so SQLite gets the columns of the list
without reading them.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from flowtui.store import decoding
from flowtui.store.annotations.listing import AS_FILTERED
from flowtui.store.bounded_json import TOO_LONG
from flowtui.store.database import table_columns
from flowtui.store.genai import Usage
from flowtui.store.natural import order_sql, register_order
from flowtui.store.traces.exchange import IS_ROOT, LISTED_BYTES, ROOT_FIRST, Exchange, exchange
from flowtui.store.traces.functions import register_said, title_sql
from flowtui.store.traces.repeats import counted_once
from flowtui.store.traces.roll_up import taken
from flowtui.store.traces.spans import (
    attributes_sql,
    own_usage,
    parent,
    whole_number,
)
from flowtui.store.traces.times import END, FAR_FUTURE_NS, START, known, sql_known
from flowtui.store.traces.values import Trace, TraceState

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

_SORT_COLUMNS = {
    "start": "start",
    "name": "name",
    "state": "state",
    "duration": "execution_time",
    "spans": "span_count",
    "errors": "error_count",
    "tokens": "start",
    "samples": "sample_count",
    "annotations": "annotation_count",
}
SORTABLE = tuple(_SORT_COLUMNS)
"""The columns of the list."""
SAID_CHARS = 2_000
"""How much of what was asked and answered a row of the list holds."""
BY_ID = "trace"
_SORT_COLUMNS[BY_ID] = "trace_id"
ALSO_SORTED = {name: column for column, name in _SORT_COLUMNS.items() if column != "tokens"} | {
    "id": BY_ID,
    "started": "start",
    "started_at": "start",
    "duration_ns": "duration",
}
"""The columns by their names in the filter language and in tables."""

_STATES = (TraceState.UNSET, TraceState.OK, TraceState.ERROR, TraceState.IN_PROGRESS)
"""The states by their numbers in the filter language and the SDK."""

# A span without a start is left out; one without an end, or with one before its start, counts up
# to its start. So does `span_tree`.
_BEGUN = sql_known(START)
_HAS_ENDED = f"({START} > 0 and {END} >= {START} and {END} < {FAR_FUTURE_NS})"
_START = f"min({_BEGUN})"
_AGGREGATES = {
    "start": _START,
    "execution_time": f"case when max({_HAS_ENDED}) then"
    f" max(case when {_HAS_ENDED} then {END} else {_BEGUN} end) - {_START} end",
    "span_count": "count(*)",
    "error_count": "count(case status_code when 2 then 1 end)",
    "created_at": "min(created_at)",
    "state": f"coalesce(max(case when {IS_ROOT} then"
    " case status_code when 2 then 2 when 1 then 1 else 0 end end), 3)",
}
_ROW = (
    "state",
    "start",
    "execution_time",
    "span_count",
    "error_count",
    "name",
    "sample_count",
    "annotation_count",
)
_USAGE_COLUMNS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "start_time_unix_nano",
    "end_time_unix_nano",
)
_ROOT = f"(select rowid from spans where spans.trace_id = grouped.trace_id {ROOT_FIRST})"
# Neither annotations nor samples have an index on the trace: a query for each trace would read all
# of them each time, so they are grouped once and joined.
_SAMPLES = """(select trace_id, count(*) as sample_count,
  json_group_array(cast(eval_id as text)) as evals
  from (select distinct trace_id, eval_dataset_id, eval_id from eval_traces_bridge)
  group by trace_id) as samples"""
_ANNOTATIONS = f"""(select trace_id, count(*) as annotation_count,
  {AS_FILTERED} as annotations
  from span_annotations group by trace_id) as annotated"""
_JOINED = {
    "sample_count": ("eval_traces_bridge", _SAMPLES, "coalesce(samples.sample_count, 0)", "0"),
    "evals": ("eval_traces_bridge", _SAMPLES, "samples.evals", "null"),
    "annotation_count": (
        "span_annotations",
        _ANNOTATIONS,
        "coalesce(annotated.annotation_count, 0)",
        "0",
    ),
    "annotations": ("span_annotations", _ANNOTATIONS, "annotated.annotations", "null"),
}

_NAMES = (*_AGGREGATES, *_JOINED, "name")
"""The columns of `trace` besides its key."""


@dataclass(frozen=True, slots=True)
class TraceOrder:
    column: str = "start"
    """One of SORTABLE, BY_ID, or a field of the filter language: `annotations.feedback.NAME`."""
    descending: bool = True


LATEST_FIRST = TraceOrder()


def ordered(
    connection: sqlite3.Connection,
    condition: Condition | None = None,
    order: TraceOrder = LATEST_FIRST,
) -> array[int]:
    """Return the keys of the traces that meet a condition, in order; missing values come last.

    It takes one pass over the spans, without their attributes unless the condition or the order by
    tokens needs them.

    Args:
        connection: A connection to exp.db.
        condition: Which traces; None for all.
        order: What to sort by; equal traces are sorted by start, the latest first.
    """
    if not table_columns(connection, "spans"):
        return array("q")
    where, parameters, used = _prepared(connection, condition)
    value, of_value, needed = _sort_value(connection, order.column)
    parameters.update(of_value)
    # Sorting by tokens comes afterwards, and leaves equals as they are.
    is_descending = order.descending or order.column == "tokens"
    terms = f"value {'desc' if is_descending else 'asc'} nulls last"
    if order.column in ("name", BY_ID) or order.column not in _SORT_COLUMNS:
        register_order(connection)
        terms = order_sql("value", is_descending, are_names=order.column in _SORT_COLUMNS)
    # Materialized, so that the name of a trace is looked up once and not for each term.
    select = (
        f"{_relation(connection, used | needed | {'start'})}, found as materialized ("
        f" select rowid, start, {value} as value from trace where {where})"
        f" select rowid from found order by {terms}, start desc, rowid desc"
    )
    register_said(connection, select)
    rowids = decoding.keys(connection, select, parameters)
    return _by_tokens(connection, rowids, order.descending) if order.column == "tokens" else rowids


def _sort_value(
    connection: sqlite3.Connection, column: str
) -> tuple[str, Mapping[str, object], set[str]]:
    """Return the SQL of what traces are sorted by, its parameters, and the columns it needs."""
    if column in _SORT_COLUMNS:
        return _SORT_COLUMNS[column], {}, {_SORT_COLUMNS[column]}
    from flowtui.store.filters import TRACE_FIELDS, register_functions, sort_value

    register_functions(connection)
    value, parameters = sort_value(column, TRACE_FIELDS)
    return value, parameters, {name for name in _NAMES if f"trace.{name}" in value}


def named(connection: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Return key, id and stored name of all traces by start; those without one come last.

    A title that is made of a template would be another for each trace.
    """
    if not table_columns(connection, "spans"):
        return []
    name = f"(select name from spans as root where root.rowid = {_ROOT})"
    rows = connection.execute(
        f"{_relation(connection, {'start'})} select rowid, trace_id, {name} from trace as grouped"
        " order by start nulls last, rowid"
    )
    return [(rowid, decoding.text(id_), decoding.text(name)) for rowid, id_, name in rows]


def sums(
    connection: sqlite3.Connection, condition: Condition | None, *, has_name: bool
) -> Iterator[tuple[int, int | None, int | None, int, str | None]]:
    """Yield of each trace that meets a condition what it sums up to, the latest first.

    Args:
        connection: A connection to exp.db.
        condition: Which traces; None for all.
        has_name: Whether to read the names.

    Returns:
        Key, start in Unix ns, duration in ns, number of failed spans, and the name or None.
    """
    where, parameters, used = _prepared(connection, condition)
    columns = ("start", "execution_time", "error_count", "name" if has_name else "null")
    select = (
        f"{_relation(connection, used | {*columns})}"
        f" select rowid, {', '.join(columns)} from trace where {where}"
        " order by start desc nulls last, rowid desc"
    )
    register_said(connection, select)
    for rowid, start, took, error_count, name in connection.execute(select, parameters):
        yield (
            rowid,
            known(start),
            took if isinstance(took, int) else None,
            whole_number(error_count),
            decoding.text(name) if has_name else None,
        )


def _prepared(
    connection: sqlite3.Connection, condition: Condition | None
) -> tuple[str, dict[str, object], set[str]]:
    """Return the SQL of a condition, its parameters, and the columns of `trace` that it needs."""
    if condition is None:
        return "true", {}, set()
    from flowtui.store.filters import register_functions

    register_functions(connection)
    used = {name for name in _NAMES if f"trace.{name}" in condition.sql}
    return condition.sql, dict(condition.params), used


def remarks(connection: sqlite3.Connection, condition: Condition) -> tuple[str, ...]:
    """Return a sentence for each key that a condition asks for and no trace of the run has.

    Source: exp.db spans, span_annotations.
    """
    from flowtui.store import names_in_use
    from flowtui.store.filters import TRACE_FIELDS, register_functions

    if not table_columns(connection, "spans"):
        return ()
    register_functions(connection)
    register_said(connection, condition.sql)
    used = {name for name in _JOINED if any(f"trace.{name}" in key.sql for key in condition.asked)}
    records = names_in_use.Records(
        _relation(connection, used | {"start"}), "trace", {}, "traces", "this run"
    )
    return names_in_use.remarks(
        connection,
        condition,
        records,
        TRACE_FIELDS.columns,
        lambda: names_in_use.of_spans(connection),
    )


def at(connection: sqlite3.Connection, rowids: Sequence[int]) -> dict[int, Trace]:
    """Return traces by key; those that are gone are left out.

    This reads the attributes of their spans for their usage, and what was asked and answered.
    """
    if not table_columns(connection, "spans"):
        return {}
    wanted = {"rowids": json.dumps(list(rowids))}
    of_some = (
        "and trace_id in (select trace_id from spans"
        " where rowid in (select value from json_each(:rowids)))"
    )
    select = (
        f"{_relation(connection, set(_ROW), of_some)} select trace_id, {', '.join(_ROW)} from trace"
    )
    register_said(connection, select)
    rows = connection.execute(select, wanted)
    by_id = {decoding.text(row[0]): row[1:] for row in rows}
    used = {id_: (usage, unread) for id_, usage, unread in _usages(connection, rowids)}
    keys = connection.execute(
        "select rowid, trace_id from spans where rowid in (select value from json_each(:rowids))",
        wanted,
    )
    return {
        rowid: _trace(
            id_,
            by_id[id_],
            *used.get(id_, (None, 0)),
            exchange(connection, id_, LISTED_BYTES),
        )
        for rowid, id_ in ((rowid, decoding.text(value)) for rowid, value in keys.fetchall())
        if id_ in by_id
    }


def _relation(connection: sqlite3.Connection, used: set[str], where: str = "") -> str:
    """Return the WITH clause that makes `trace`: one row a trace, with the columns that are used.

    SQLite would compute the others in vain. A missing table counts as an empty one.
    """
    aggregates = [f"{sql} as {name}" for name, sql in _AGGREGATES.items() if name in used]
    outer = ["grouped.*"]
    joins: dict[str, str] = {}
    for name, (table, subquery, sql, without) in _JOINED.items():
        if name in used and table_columns(connection, table):
            joins[table] = f"left join {subquery} using (trace_id)"
            outer.append(f"{sql} as {name}")
        elif name in used:
            outer.append(f"{without} as {name}")
    if "name" in used:
        title = title_sql("root", table_columns(connection, "spans"))
        outer.append(f"(select {title} from spans as root where root.rowid = {_ROOT}) as name")
    return f"""
with grouped as (
  select {", ".join(["min(rowid) as rowid", "trace_id", *aggregates])} from spans
  where {decoding.is_text("trace_id")} {where}
  group by trace_id),
trace as (select {", ".join(outer)} from grouped {" ".join(joins.values())})"""


def _by_tokens(
    connection: sqlite3.Connection, rowids: Sequence[int], descending: bool
) -> array[int]:
    tokens = {
        key: usage.total
        for key, usage, _ in usages(connection, rowids)
        if usage is not None and usage.total is not None
    }
    sign = -1 if descending else 1
    known = sorted((key for key in rowids if key in tokens), key=lambda key: sign * tokens[key])
    return array("q", [*known, *(key for key in rowids if key not in tokens)])


def usages(
    connection: sqlite3.Connection, rowids: Sequence[int]
) -> Iterator[tuple[int, Usage | None, int]]:
    """Yield the key, the usage and the number of unread spans of each trace of these keys.

    Source: spans.attributes.
    """
    keys = connection.execute(
        "select rowid, trace_id from spans where rowid in (select value from json_each(:rowids))",
        {"rowids": json.dumps(list(rowids))},
    )
    rowid_of = {decoding.text(trace_id): rowid for rowid, trace_id in keys}
    return ((rowid_of[id_], usage, unread) for id_, usage, unread in _usages(connection, rowids))


def _usages(
    connection: sqlite3.Connection, rowids: Sequence[int]
) -> Iterator[tuple[str, Usage | None, int]]:
    """Yield the id, the usage and the number of unread spans of each trace of these keys."""
    present = table_columns(connection, "spans")
    # The join keeps the spans of a trace together without a sorter, which would copy attributes.
    rows = connection.execute(
        "with wanted as materialized (select distinct trace_id from spans where rowid in"
        " (select value from json_each(:rowids)))"
        f" select {decoding.select_list(_USAGE_COLUMNS, present, 'spans')},"
        f" {attributes_sql(present)}"
        " from wanted cross join spans on spans.trace_id = wanted.trace_id",
        {"rowids": json.dumps(list(rowids))},
    )
    for trace_id, spans in groupby(rows, key=lambda row: decoding.text(row[0])):
        ids: list[str] = []
        parent_ids: list[str | None] = []
        times: list[tuple[int, int]] = []
        own: dict[int, Usage] = {}
        unread = 0
        for row, (_, span_id, parent_id, start, end, attributes) in enumerate(spans):
            ids.append(decoding.text(span_id))
            parent_ids.append(parent(parent_id))
            times.append((whole_number(start), whole_number(end)))
            unread += attributes == TOO_LONG
            if (usage := own_usage(attributes)) is not None:
                own[row] = usage
        yield trace_id, taken(ids, parent_ids, counted_once(own, times.__getitem__)), unread


def _trace(
    trace_id: str, row: Sequence[object], usage: Usage | None, unread: int, said: Exchange
) -> Trace:
    state, start, took, span_count, error_count, name, samples, annotations = row
    return Trace(
        trace_id=trace_id,
        root_name=decoding.text(name),
        state=_STATES[whole_number(state)],
        start_ns=known(start),
        end_ns=start + took if isinstance(start, int) and isinstance(took, int) else None,
        span_count=whole_number(span_count),
        error_count=whole_number(error_count),
        usage=usage,
        unread_count=unread,
        sample_count=whole_number(samples),
        annotation_count=whole_number(annotations),
        input=_begun(said.input),
        output=_begun(said.output),
        is_unsaid=said.is_unread,
    )


def _begun(text: str | None) -> str | None:
    """Return the beginning of a text, which says by its ellipsis that it is one."""
    return text if text is None or len(text) <= SAID_CHARS else f"{text[:SAID_CHARS]}…"
