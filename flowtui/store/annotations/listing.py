"""Reads annotations (exp.db: span_annotations, eval_annotations); missing tables hold none."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import NamedTuple

from flowtui.store.annotations.values import (
    Annotation,
    AnnotationKind,
    AnnotationName,
    SampleTarget,
    SpanTarget,
    Target,
    Value,
    ValueType,
)
from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql, optional_text, text, timestamp


class AnnotationTable(NamedTuple):
    """Where annotations of one kind of target are, and what they refer to."""

    name: str
    key: tuple[str, str]
    """The columns that name the target, in the order of `Target.key`."""
    target: type[SpanTarget] | type[SampleTarget]
    parent: str
    parent_key: tuple[str, str]


SPANS = AnnotationTable(
    "span_annotations",
    ("trace_id", "span_id"),
    SpanTarget,
    "spans",
    ("trace_id", "span_id"),
)
SAMPLES = AnnotationTable(
    "eval_annotations",
    ("dataset_id", "eval_id"),
    SampleTarget,
    "evals",
    ("dataset_id", "id"),
)
TABLES = (SPANS, SAMPLES)
# As text, since SQLite's JSON fails on bytes.
AS_FILTERED = """json_group_array(json_array(
  cast(name as text), cast(annotation_kind as text), cast(value as text),
  case value when 'true' then 1 when 'false' then 0 else
  case when value = cast(cast(value as integer) as text) then cast(value as integer)
  else cast(value as text) end end))"""
"""SQL of the array that `filters.annotations` reads, over the annotations of one row."""


def table_of(target: Target) -> AnnotationTable:
    return SPANS if isinstance(target, SpanTarget) else SAMPLES


def of_target(connection: sqlite3.Connection, target: Target) -> tuple[Annotation, ...]:
    """Return the annotations of a span or sample, oldest first.

    created_at has whole seconds; within one, the order is that of writing.
    """
    table = table_of(target)
    if not _exists(connection, table):
        return ()
    first, second = table.key
    rows = connection.execute(
        f"select {_columns(table)} from {table.name}"
        f" where {first} = cast(? as text) and {second} = cast(? as text)"
        " order by created_at, rowid",
        [as_sql(part) for part in target.key],
    )
    return tuple(_annotation(table, row) for row in rows)


def of_trace(connection: sqlite3.Connection, trace_id: str) -> dict[str, tuple[Annotation, ...]]:
    """Return the annotations of all spans of a trace by span id, oldest first."""
    if not _exists(connection, SPANS):
        return {}
    rows = connection.execute(
        f"select {_columns(SPANS)} from span_annotations where trace_id = cast(? as text)"
        " order by created_at, rowid",
        [as_sql(trace_id)],
    )
    found: dict[str, list[Annotation]] = {}
    for row in rows:
        found.setdefault(text(row[2]), []).append(_annotation(SPANS, row))
    return {span_id: tuple(annotations) for span_id, annotations in found.items()}


def of_rows(
    connection: sqlite3.Connection, table: AnnotationTable, rowids: Sequence[int]
) -> dict[int, tuple[Annotation, ...]]:
    """Return by key the annotations of traces or samples, oldest first.

    Args:
        connection: A connection to exp.db.
        table: Which annotations. Those of all spans of a trace are the trace's.
        rowids: The keys, as the lists of traces and samples have them.
    """
    if not rowids or not _exists(connection, table):
        return {}
    is_sample = table is SAMPLES
    join = "evals.dataset_id = note.dataset_id and evals.id = note.eval_id"
    columns = ", ".join(f"note.{name.strip()}" for name in _columns(table).split(","))
    rows = connection.execute(
        f"select {table.parent}.rowid, {columns} from {table.parent} join {table.name} as note"
        f" on {join if is_sample else 'spans.trace_id = note.trace_id'}"
        f" where {table.parent}.rowid in (select value from json_each(:rowids))"
        " order by note.created_at, note.rowid",
        {"rowids": json.dumps(list(rowids))},
    )
    found: dict[int, list[Annotation]] = {}
    for rowid, *row in rows:
        found.setdefault(rowid, []).append(_annotation(table, tuple(row)))
    return {rowid: tuple(annotations) for rowid, annotations in found.items()}


def annotation_by_id(
    connection: sqlite3.Connection, table: AnnotationTable, id_: str
) -> Annotation | None:
    """Return one annotation by its id, None where there is none; its table must exist."""
    row = connection.execute(
        f"select {_columns(table)} from {table.name} where id = cast(? as text)", [as_sql(id_)]
    ).fetchone()
    return None if row is None else _annotation(table, row)


def span_counts(
    connection: sqlite3.Connection, trace_id: str, user: str | None = None
) -> dict[SpanTarget, int]:
    """Return how many annotations each annotated span of a trace has.

    Args:
        connection: A connection to exp.db.
        trace_id: The trace.
        user: Count only what this author wrote; None counts everybody's.
    """
    if not _exists(connection, SPANS):
        return {}
    author, values = _by(user)
    rows = connection.execute(
        "select span_id, count(*) from span_annotations"
        f" where trace_id = cast(? as text) and {author} group by span_id",
        [as_sql(trace_id), *values],
    )
    return {SpanTarget(trace_id, text(span_id)): count for span_id, count in rows}


def sample_counts(
    connection: sqlite3.Connection, samples: Collection[SampleTarget], user: str | None = None
) -> dict[SampleTarget, int]:
    """Return how many annotations each annotated one of the given samples has.

    Args:
        connection: A connection to exp.db.
        samples: The samples; any number of them.
        user: Count only what this author wrote; None counts everybody's.
    """
    if not samples or not _exists(connection, SAMPLES):
        return {}
    wanted = frozenset(samples)
    author, values = _by(user)
    # There is no index on the samples, so one pass over all annotations beats a search for each.
    rows = connection.execute(
        "select dataset_id, eval_id, count(*) from eval_annotations"
        f" where {author} group by dataset_id, eval_id",
        values,
    )
    counted = ((SampleTarget(text(dataset), text(id_)), count) for dataset, id_, count in rows)
    return {target: count for target, count in counted if target in wanted}


def names(connection: sqlite3.Connection, user: str | None = None) -> tuple[AnnotationName, ...]:
    """Return the names that the run's annotations have, last used first.

    A name with several kinds or types of value occurs once for each.

    Args:
        connection: A connection to exp.db.
        user: Return only names that this author used; None for everybody's.
    """
    source = _all(connection, "name, annotation_kind, value_type, user")
    if source is None:
        return ()
    author, values = _by(user)
    rows = connection.execute(
        f"select name, annotation_kind, value_type, count(*) from ({source}) where {author}"
        " group by name, annotation_kind, value_type"
        " order by max(created_at) desc, max(row) desc, name, annotation_kind, value_type",
        values,
    )
    return tuple(
        AnnotationName(text(name), text(kind), text(value_type), count)
        for name, kind, value_type, count in rows
    )


def authors(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return who annotated in this run, the last one first."""
    source = _all(connection, "user")
    if source is None:
        return ()
    rows = connection.execute(
        f"select user from ({source}) group by user order by max(created_at) desc, max(row) desc"
    )
    return tuple(text(user) for (user,) in rows)


def _all(connection: sqlite3.Connection, columns: str) -> str | None:
    """Return a query for columns of all annotations, None if there is no table of them."""
    present = [table.name for table in TABLES if _exists(connection, table)]
    parts = [f"select {columns}, created_at, rowid as row from {name}" for name in present]
    return " union all ".join(parts) or None


def _exists(connection: sqlite3.Connection, table: AnnotationTable) -> bool:
    return bool(table_columns(connection, table.name))


def _by(user: str | None) -> tuple[str, list[bytes]]:
    return ("true", []) if user is None else ("user = cast(? as text)", [as_sql(user)])


def _columns(table: AnnotationTable) -> str:
    first, second = table.key
    columns = "name, annotation_kind, value_type, value, user, rationale, created_at"
    return f"id, {first}, {second}, {columns}"


def _annotation(table: AnnotationTable, row: tuple[object, ...]) -> Annotation:
    id_, first, second, name, kind, value_type, raw, user, rationale, created_at = row
    problems: list[str] = []
    if kind not in tuple(AnnotationKind):
        problems.append(f"the kind is not feedback or expectation: {text(kind)[:40]!r}")
    return Annotation(
        id=text(id_),
        target=table.target(text(first), text(second)),
        name=text(name),
        kind=text(kind),
        value_type=text(value_type),
        value=_value(text(raw), text(value_type), problems),
        raw_value=text(raw),
        user=text(user),
        rationale=optional_text(rationale),
        created_at=timestamp(created_at, "created_at", problems),
        raw_created_at=optional_text(created_at),
        problem="; ".join(problems) or None,
    )


def stored_value(raw: str, value_type: str) -> Value:
    """Return the value of an annotation; one that is not of its type is its text."""
    return _value(raw, value_type, [])


def _value(raw: str, value_type: str, problems: list[str]) -> Value:
    if value_type == ValueType.BOOL:
        if raw.lower() in ("true", "false"):
            return raw.lower() == "true"
        problems.append(f"the value is neither true nor false: {raw[:40]!r}")
    elif value_type == ValueType.INT:
        try:
            return int(raw)
        except ValueError:
            problems.append(f"the value is not a whole number: {raw[:40]!r}")
    elif value_type != ValueType.STRING:
        problems.append(f"the type of the value is not known: {value_type[:40]!r}")
    return raw
