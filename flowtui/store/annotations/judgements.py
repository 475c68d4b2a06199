"""What people said of each trace or sample under each name (span_annotations, eval_annotations).

Of an author's annotations on one span or sample under one name only the last counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flowtui.store.annotations.listing import SAMPLES, AnnotationTable, stored_value
from flowtui.store.annotations.values import Value
from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql, text
from flowtui.store.natural import sort_key

PREFIX = "annotations."
"""What the name of a judgement's field begins with, in the filter language and in columns."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said of one trace or sample under one name."""

    counts: tuple[tuple[Value, int], ...]
    """How many said what, the most common first; at least one."""

    @property
    def count(self) -> int:
        return sum(number for _, number in self.counts)

    @property
    def value(self) -> Value:
        """What all said, or most; of the two truth values true."""
        return True if self.is_true_or_false else self.counts[0][0]

    @property
    def agreeing_count(self) -> int:
        """How many said `value`."""
        # True is 1 for Python, but not here.
        same = (type(self.value), self.value)
        return sum(number for value, number in self.counts if (type(value), value) == same)

    @property
    def is_unanimous(self) -> bool:
        return len(self.counts) == 1

    @property
    def is_true_or_false(self) -> bool:
        """Whether all said true or false, but not all the same."""
        return len(self.counts) > 1 and all(isinstance(value, bool) for value, _ in self.counts)


@dataclass(frozen=True, slots=True)
class JudgementTally:
    """What was said under one name over all traces or samples."""

    kind: str
    name: str
    counts: tuple[tuple[Value, int], ...]
    """How many said what, the most common first."""

    @property
    def field(self) -> str:
        """Its name in filters, orders and columns."""
        return field_of(self.kind, self.name)

    @property
    def count(self) -> int:
        return sum(number for _, number in self.counts)

    @property
    def true_share(self) -> float | None:
        """The share of true, 0 to 1; None unless all values are true or false."""
        if not all(isinstance(value, bool) for value, _ in self.counts):
            return None
        return sum(number for value, number in self.counts if value) / self.count

    @property
    def mean(self) -> float | None:
        """The mean, None unless all values are numbers."""
        if not all(type(value) is int for value, _ in self.counts):
            return None
        return sum(int(value) * number for value, number in self.counts) / self.count


def field_of(kind: str, name: str) -> str:
    """Return the name of a judgement's field."""
    return f"{PREFIX}{kind}.{name}"


def _latest(table: AnnotationTable, chosen: str) -> str:
    first, second = table.key
    columns = f"{first}, {second}, annotation_kind, name, value_type, value"
    return f"""
with numbered as (
  select {columns}, row_number() over (
    partition by {first}, {second}, annotation_kind, name, user
    order by created_at desc, rowid desc) as place
  from {table.name} where {chosen}),
latest as (select {columns} from numbered where place = 1)"""


def of_rows(
    connection: sqlite3.Connection, table: AnnotationTable, rowids: Sequence[int]
) -> dict[int, dict[str, Judgement]]:
    """Return by key and field what was said of traces or samples; those without any are left out.

    Args:
        connection: A connection to exp.db.
        table: Which annotations. Those of all spans of a trace are the trace's.
        rowids: The keys, as the lists of traces and samples have them.
    """
    if not rowids or not table_columns(connection, table.name):
        return {}
    is_sample = table is SAMPLES
    wanted = "select dataset_id, id from evals" if is_sample else "select trace_id from spans"
    names = "(dataset_id, eval_id)" if is_sample else "trace_id"
    among = "rowid in (select value from json_each(:rowids))"
    join = (
        "evals.dataset_id = latest.dataset_id and evals.id = latest.eval_id"
        if is_sample
        else "spans.trace_id = latest.trace_id"
    )
    rows = connection.execute(
        f"{_latest(table, f'{names} in ({wanted} where {among})')}"
        f" select {table.parent}.rowid, annotation_kind, latest.name, value_type, value, count(*)"
        f" from latest join {table.parent} on {join} where {table.parent}.{among}"
        " group by 1, 2, 3, 4, 5",
        {"rowids": json.dumps(list(rowids))},
    )
    said: dict[int, dict[str, Counter[tuple[type, Value]]]] = {}
    for rowid, kind, name, value_type, raw, count in rows:
        value = stored_value(text(raw), text(value_type))
        counts = said.setdefault(rowid, {}).setdefault(field_of(text(kind), text(name)), Counter())
        counts[type(value), value] += count
    return {
        rowid: {field: Judgement(_in_order(counts)) for field, counts in of.items()}
        for rowid, of in said.items()
    }


def tallies(
    connection: sqlite3.Connection, table: AnnotationTable, dataset: str | None = None
) -> tuple[JudgementTally, ...]:
    """Return what was said under each name, those first under which most was said.

    Args:
        connection: A connection to exp.db.
        table: Which annotations.
        dataset: The id of an eval set; None for all, and for traces.
    """
    if not table_columns(connection, table.name):
        return ()
    chosen = "true" if dataset is None else "dataset_id = cast(:dataset as text)"
    rows = connection.execute(
        f"{_latest(table, chosen)} select annotation_kind, name, value_type, value, count(*)"
        " from latest group by 1, 2, 3, 4",
        {} if dataset is None else {"dataset": as_sql(dataset)},
    )
    said: dict[tuple[str, str], Counter[tuple[type, Value]]] = {}
    for kind, name, value_type, raw, count in rows:
        value = stored_value(text(raw), text(value_type))
        said.setdefault((text(kind), text(name)), Counter())[type(value), value] += count
    found = [JudgementTally(kind, name, _in_order(counts)) for (kind, name), counts in said.items()]
    return tuple(sorted(found, key=lambda one: (-one.count, sort_key(one.name), one.kind)))


def _in_order(counts: Counter[tuple[type, Value]]) -> tuple[tuple[Value, int], ...]:
    return tuple((value, number) for (_, value), number in counts.most_common())
