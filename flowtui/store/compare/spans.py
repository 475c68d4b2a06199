"""What the spans of one name do in a run, and how that differs between runs (exp.db: spans)."""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, TypeVar

from flowtui.store import decoding
from flowtui.store.bounded_json import TOO_LONG
from flowtui.store.cancelling import check
from flowtui.store.database import table_columns
from flowtui.store.genai import SpanKind, Usage, span_kind
from flowtui.store.natural import sort_key
from flowtui.store.traces.groups import percentile
from flowtui.store.traces.layout import NONE, laid_out
from flowtui.store.traces.repeats import counted_once
from flowtui.store.traces.roll_up import rolled_up
from flowtui.store.traces.spans import attributes_sql, parent, told_of, whole_number
from flowtui.store.traces.times import known

N = TypeVar("N", int, float)
_ERROR = 2
_COLUMNS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "dfs_span_type",
    "start_time_unix_nano",
    "end_time_unix_nano",
    "status_code",
)


@dataclass(slots=True)
class SpanTotals:
    """All spans of one name in one run."""

    kinds: Counter[SpanKind] = field(default_factory=Counter)
    count: int = 0
    error_count: int = 0
    durations_ns: array[int] = field(default_factory=lambda: array("q"))
    """Of the spans with a start and an end, shortest first."""
    tokens: int | None = None
    """What these spans took themselves, each call once; None where no span says any."""
    cost: float | None = None
    """In US dollars, as `tokens`."""
    unread_count: int = 0
    """Spans whose attributes are too long to be parsed, so that their tokens are not known."""

    @property
    def total_ns(self) -> int:
        """How long all of them took together."""
        return sum(self.durations_ns)

    def percentile_ns(self, share: float) -> int | None:
        """Return the duration that this share of the spans does not exceed (nearest rank)."""
        return percentile(self.durations_ns, share)


class SpanChange(NamedTuple):
    """The spans of one name in two runs; None in a run that has none."""

    name: str
    kind: SpanKind
    baseline: SpanTotals | None
    candidate: SpanTotals | None

    @property
    def only_in_one(self) -> bool:
        return self.baseline is None or self.candidate is None

    @property
    def total_ns_change(self) -> int:
        """How much more time the candidate's spans took together."""
        before = 0 if self.baseline is None else self.baseline.total_ns
        return (0 if self.candidate is None else self.candidate.total_ns) - before


def span_totals(connection: sqlite3.Connection) -> dict[str, SpanTotals]:
    """Return what the spans of each name add up to, from one pass over the spans.

    A name is the stored one: a title made of a template would be another for each span.
    """
    present = table_columns(connection, "spans")
    if not present:
        return {}
    # The join keeps the spans of a trace together without a sorter, which would copy attributes.
    rows = connection.execute(
        "with wanted as materialized (select distinct trace_id from spans"
        f" where {decoding.is_text('trace_id')})"
        f" select {decoding.select_list(_COLUMNS, present, 'spans')}, {attributes_sql(present)}"
        " from wanted cross join spans on spans.trace_id = wanted.trace_id"
    )
    found: dict[str, SpanTotals] = {}
    for _, spans in groupby(rows, key=lambda row: row[0]):
        _add_trace(found, list(_read(spans)))
        check()
    for totals in found.values():
        totals.durations_ns = array("q", sorted(totals.durations_ns))
    return found


class _ReadSpan(NamedTuple):
    id: str
    parent_id: str | None
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int
    has_failed: bool
    usage: Usage | None
    is_unread: bool


def _read(rows: Iterator[tuple[object, ...]]) -> Iterator[_ReadSpan]:
    """Yield the spans of a trace; each row's attributes are dropped once they are read."""
    for _, span_id, parent_id, name, span_type, start, end, status, attributes in rows:
        kind, usage = told_of(attributes)
        if kind is SpanKind.OTHER:
            kind = span_kind({}, whole_number(span_type))
        yield _ReadSpan(
            decoding.text(span_id),
            parent(parent_id),
            decoding.text(name),
            kind,
            whole_number(start),
            whole_number(end),
            status == _ERROR,
            usage,
            attributes == TOO_LONG,
        )


def _add_trace(found: dict[str, SpanTotals], spans: Sequence[_ReadSpan]) -> None:
    taken = _taken_by_each(spans)
    for row, span in enumerate(spans):
        totals = found.setdefault(span.name, SpanTotals())
        totals.kinds[span.kind] += 1
        totals.count += 1
        totals.error_count += span.has_failed
        totals.unread_count += span.is_unread
        begun, ended = known(span.start_ns), known(span.end_ns)
        if begun is not None and ended is not None and ended >= begun:
            totals.durations_ns.append(ended - begun)
        if row in taken:
            tokens, cost = taken[row]
            totals.tokens = _sum(totals.tokens, tokens)
            totals.cost = _sum(totals.cost, cost)


def _taken_by_each(spans: Sequence[_ReadSpan]) -> dict[int, tuple[int | None, float | None]]:
    """Return tokens and cost that the spans of a trace took themselves, by row.

    They add up to those of the trace: what a span repeats of those below it is not its own.
    """
    own = {row: span.usage for row, span in enumerate(spans) if span.usage is not None}
    if not own:
        return {}
    counted = counted_once(own, lambda row: (spans[row].start_ns, spans[row].end_ns))
    layout = laid_out([one.id for one in spans], [one.parent_id for one in spans], [0] * len(spans))
    at_places = {at: counted[row] for at, row in enumerate(layout.rows) if row in counted}
    whole = rolled_up(layout.parents, at_places)
    below_tokens: dict[int, int | None] = {}
    below_costs: dict[int, float | None] = {}
    for at, usage in whole.items():
        if (above := layout.parents[at]) != NONE:
            below_tokens[above] = _sum(below_tokens.get(above), usage.total)
            below_costs[above] = _sum(below_costs.get(above), usage.cost)
    return {
        layout.rows[at]: (
            _less(usage.total, below_tokens.get(at)) or None,
            _less(usage.cost, below_costs.get(at)) or None,
        )
        for at, usage in whole.items()
        if layout.rows[at] in own
    }


def _sum(one: N | None, other: N | None) -> N | None:
    return other if one is None else one if other is None else one + other


def _less(whole: N | None, part: N | None) -> N | None:
    """Return what is left of a sum; what floats leave of nothing is nothing."""
    if whole is None or part is None:
        return whole
    return None if math.isclose(whole, part, rel_tol=1e-9) else whole - part


def span_changes(
    baseline: Mapping[str, SpanTotals], candidate: Mapping[str, SpanTotals]
) -> list[SpanChange]:
    """Return the spans of each name in two runs, the largest change of the time in all first."""
    names = sorted(baseline.keys() | candidate.keys(), key=sort_key)
    changes = []
    for name in names:
        one, other = baseline.get(name), candidate.get(name)
        kinds = sum((totals.kinds for totals in (one, other) if totals), Counter[SpanKind]())
        changes.append(SpanChange(name, kinds.most_common(1)[0][0], one, other))
    return sorted(changes, key=lambda change: -abs(change.total_ns_change))
