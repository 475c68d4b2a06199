"""The spans of one trace (exp.db: spans), as its tree needs them."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, TypeVar

from flowtui.store import decoding
from flowtui.store.annotations.listing import span_counts
from flowtui.store.annotations.values import SampleTarget
from flowtui.store.bounded_json import TOO_LONG, sql_unless_long
from flowtui.store.database import table_columns
from flowtui.store.genai import (
    SpanKind,
    Usage,
    is_pending,
    pending_parent,
    span_kind,
    title,
    usage,
)
from flowtui.store.genai.dialects import ANY_MARKS, KIND_MARKS, TITLE_MARKS, USAGE_MARKS
from flowtui.store.otlp.items import RESOURCE
from flowtui.store.traces.columns import BEFORE_ALL, Said, Spans
from flowtui.store.traces.times import FAR_FUTURE_NS, sortable
from flowtui.store.traces.values import Process
from flowtui.store.values import JsonValue

_DECODER = json.JSONDecoder()
_TOLD_MARKS = (*dict.fromkeys((*KIND_MARKS, *USAGE_MARKS, *TITLE_MARKS)), "pending_span")
"""What attributes have one of that say anything of a span."""
_JSON_BLANKS = " \t\n\r"
SKELETON = (
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "dfs_span_type",
    "start_time_unix_nano",
    "end_time_unix_nano",
    "status_code",
)
_PAGE_ROWS = 2_000
T = TypeVar("T")


def spans(connection: sqlite3.Connection, trace_id: str) -> Spans:
    """Return all spans of a trace with what their attributes say; see `skeleton` and `told`."""
    return told(connection, skeleton(connection, trace_id))


def skeleton(connection: sqlite3.Connection, trace_id: str, known: Spans | None = None) -> Spans:
    """Return all spans of a trace without reading their attributes, which may be gigabytes.

    Args:
        connection: A connection to exp.db.
        trace_id: The trace.
        known: What was read of it before; if the trace has only grown, only new spans are read.

    Source: spans, span_annotations.
    """
    annotated = span_counts(connection, trace_id)
    notes = {target.span_id: count for target, count in annotated.items()}
    present = table_columns(connection, "spans")
    if not present:
        return replace(Spans.none(trace_id), notes=notes)
    kept = Spans.none(trace_id) if known is None else _kept(connection, known)
    rows = connection.execute(
        f"select rowid, {decoding.select_list(SKELETON, present, 'spans')} from spans"
        f" where {_of_trace(len(kept) > 0)} and rowid > :last",
        {"trace": decoding.as_sql(trace_id), "last": max(kept.rowids, default=BEFORE_ALL)},
    )
    texts, parents = _Made(decoding.text), _Made(parent)
    columns = kept.columns
    rowids, ids, parent_ids, names, *numbers = columns
    while page := rows.fetchmany(_PAGE_ROWS):
        first, second, third, fourth, *others = zip(*page, strict=True)
        rowids.extend(first)
        ids.extend([id_ if isinstance(id_, str) else shown_id(id_) for id_ in second])
        parent_ids.extend(map(parents.__getitem__, third))
        names.extend(map(texts.__getitem__, fourth))
        for column, stored in zip(numbers, others, strict=True):
            column.extend([one if isinstance(one, int) else 0 for one in stored])
    return Spans(trace_id, notes, kept.said, *_in_order(columns))


def _of_trace(has_grown: bool) -> str:
    """Return the condition for the spans of a trace; a few new ones are found by their rowid."""
    # Without the plus SQLite would use the index, which has the trace and not the rowid.
    return f"{'+' if has_grown else ''}trace_id = cast(:trace as text)"


class _Made(dict[object, T]):
    """Makes one value of each stored value, since names and parents come again and again."""

    def __init__(self, make: Callable[[object], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, stored: object) -> T:
        made = self[stored] = self._make(stored)
        return made


def _kept(connection: sqlite3.Connection, known: Spans) -> Spans:
    """Return a copy of the spans that need not be read again: all but the last one, or none.

    A span that is written again gets a new rowid, which shows in the number of the others. Only the
    last one may get the rowid that it had.
    """
    last = max(known.rowids, default=BEFORE_ALL)
    (count,) = connection.execute(
        "select count(*) from spans where trace_id = cast(? as text) and rowid < ?",
        [decoding.as_sql(known.trace_id), last],
    ).fetchone()
    if count != len(known) - 1:
        return Spans.none(known.trace_id)
    row = known.rowids.index(last)
    columns = [column[:row] + column[row + 1 :] for column in known.columns]
    return Spans(known.trace_id, {}, known.said, *columns)


def _in_order(columns: list[Any]) -> list[Any]:
    _, ids, _, _, _, _, starts, *_ = columns
    keys = list(map(sortable, starts))
    order = list(range(len(keys)))
    # Starts are mostly all different, and numbers are sorted in a third of the time.
    if len(set(keys)) < len(keys):
        order.sort(key=ids.__getitem__)
    order.sort(key=keys.__getitem__)
    return [
        array("q", map(column.__getitem__, order))
        if isinstance(column, array)
        else list(map(column.__getitem__, order))
        for column in columns
    ]


def told(connection: sqlite3.Connection, found: Spans) -> Spans:
    """Return spans with what their attributes say; attributes that were read are not read again.

    Attributes that are not JSON say nothing, and do not make the read fail. Where a span begins
    before its parent, both get the process that they ran in.
    """
    if not len(found):
        return replace(found, said=Said())
    last = max(found.rowids)
    said = Said() if found.said is None else found.said.but_for_the_last()
    rows = connection.execute(
        f"select rowid, {attributes_sql(table_columns(connection, 'spans'))} from spans"
        f" where {_of_trace(said.last > BEFORE_ALL)} and rowid between :first and :last",
        {"trace": decoding.as_sql(found.trace_id), "first": said.last, "last": last},
    )
    for rowid, raw in rows:
        if isinstance(raw, str):
            _read_attributes(said, rowid, raw)
        elif raw == TOO_LONG:
            said.unread.add(rowid)
    _read_processes(connection, found, said)
    return replace(found, said=replace(said, last=last))


def _read_attributes(said: Said, rowid: int, raw: str) -> None:
    # Most spans report nothing that counts here, and need not be parsed.
    if not has_one(raw, ANY_MARKS) or not has_one(raw, _TOLD_MARKS):
        return
    attributes = read_object(raw)
    kind = span_kind(attributes, 0)
    if kind is not SpanKind.OTHER:
        said.kinds[rowid] = kind
    if (taken := usage(attributes)) is not None:
        said.usages[rowid] = taken
    if (called := title("", attributes)) != "":
        said.titles[rowid] = called
    if is_pending(attributes):
        said.placeholders[rowid] = pending_parent(attributes)


def _read_processes(connection: sqlite3.Connection, found: Spans, said: Said) -> None:
    """Read the processes of spans that begin before their parent, and of these parents."""
    row_of = dict(zip(found.ids, range(len(found)), strict=True))
    wanted: set[int] = set()
    for row, (start, parent_id) in enumerate(zip(found.starts, found.parent_ids, strict=True)):
        above = row_of.get(parent_id) if parent_id is not None and start > 0 else None
        if above is not None and start < found.starts[above] < FAR_FUTURE_NS:
            wanted |= {found.rowids[row], found.rowids[above]}
    wanted -= said.processes.keys()
    if not wanted:
        return
    rows = connection.execute(
        f"select rowid, {attributes_sql(table_columns(connection, 'spans'))} from spans"
        " where rowid in (select value from json_each(?))",
        [json.dumps(sorted(wanted))],
    )
    for rowid, raw in rows:
        said.processes[rowid] = _process(raw)


def _process(raw: object) -> Process | None:
    """Return what identifies a span's process and host, from its resource or its attributes."""
    if not isinstance(raw, str) or not ("service.instance.id" in raw or '"host.' in raw):
        return None
    attributes = read_object(raw)
    resource = attributes.get(RESOURCE)
    said = resource if isinstance(resource, dict) else attributes
    return {
        name: value
        for name, value in said.items()
        if isinstance(value, str) and (name == "service.instance.id" or name.startswith("host."))
    } or None


def mark(connection: sqlite3.Connection, trace_id: str) -> tuple[int, int]:
    """Return the number of spans of a trace and the last rowid, which new spans change."""
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
    """Return SQL for the attributes, with `TOO_LONG` for those too long to be parsed."""
    if "attributes" not in present:
        return "null as attributes"
    return sql_unless_long("spans", "attributes")


def own_usage(raw: object) -> Usage | None:
    """Return the usage that the text of attributes reports; most report none and are not parsed."""
    return usage(read_object(raw)) if isinstance(raw, str) and _may_have_usage(raw) else None


def told_of(raw: object) -> tuple[SpanKind, Usage | None]:
    """Return the kind and the usage that the text of attributes reports."""
    if not isinstance(raw, str) or not (has_one(raw, ANY_MARKS) and has_one(raw, _TOLD_MARKS)):
        return SpanKind.OTHER, None
    attributes = read_object(raw)
    return span_kind(attributes, 0), usage(attributes)


def own_title(raw: object, name: str) -> str:
    """Return what a text of attributes says that a span is called, else its name."""
    called = title(name, read_object(raw)) if isinstance(raw, str) else name
    return called.encode("utf-8", "replace").decode() if called is not name else name


def parent(value: object) -> str | None:
    """Return a parent's id, None for an empty one or one of zeros."""
    text = decoding.text(value)
    return text if text.strip("0") else None


def whole_number(value: object) -> int:
    """Return an integer column; anything else counts as zero."""
    return value if isinstance(value, int) else 0


def shown_id(value: object) -> str:
    """Return an id as text; a missing one differs from an empty one."""
    return "NULL" if value is None else decoding.text(value)


def _may_have_usage(raw: str) -> bool:
    """Say whether `genai.usage` may find something; searching is ten times as fast as parsing."""
    return has_one(raw, ANY_MARKS) and has_one(raw, USAGE_MARKS)


def has_one(raw: str, marks: tuple[str, ...]) -> bool:
    """Say whether one of some marks stands in a text."""
    # A loop takes half as long as `any`, and this is done 200,000 times for a large trace.
    for mark in marks:  # noqa: SIM110
        if mark in raw:
            return True
    return False


def read_object(raw: str) -> dict[str, JsonValue]:
    """Return the object that a text of attributes holds, an empty one where it is none."""
    text = raw.strip(_JSON_BLANKS)
    try:
        # This is twice as fast as `decode`, which skips blanks by regular expressions.
        parsed, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return parsed if end == len(text) and isinstance(parsed, dict) else {}
