"""The traces of two runs in pairs (exp.db: spans, eval_traces_bridge)."""

from __future__ import annotations

import sqlite3
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flowtui.store import decoding
from flowtui.store.annotations.values import SampleTarget
from flowtui.store.compare.aligning import AlignedTrees
from flowtui.store.compare.span_content import differing, span_content
from flowtui.store.database import table_columns
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import details as span_details
from flowtui.store.traces import listing

DETAILS_AT_ONCE = 200
"""How many spans are read at a time, since each may have megabytes of attributes."""


class NamedTrace(NamedTuple):
    """A trace as it is paired."""

    rowid: int
    """Its key in the list of traces."""
    id: str
    name: str
    sample: SampleTarget | None
    """The first sample that is linked to it."""


@dataclass(frozen=True, slots=True)
class TracePair:
    """The traces of two runs that belong together; None in a run that has none."""

    baseline: NamedTrace | None
    candidate: NamedTrace | None

    @property
    def sample(self) -> SampleTarget | None:
        """The sample that both are of; None for traces that were paired by name."""
        one, other = self.baseline, self.candidate
        if one is not None and other is not None and one.sample != other.sample:
            return None
        either = one or other
        return None if either is None else either.sample


def named_traces(connection: sqlite3.Connection) -> tuple[NamedTrace, ...]:
    """Return the traces of a run by start, each with its name and its sample."""
    samples = _samples(connection)
    return tuple(
        NamedTrace(rowid, trace_id, name, samples.get(trace_id))
        for rowid, trace_id, name in listing.named(connection)
    )


def _samples(connection: sqlite3.Connection) -> dict[str, SampleTarget]:
    if not table_columns(connection, "eval_traces_bridge"):
        return {}
    rows = connection.execute(
        "select trace_id, eval_dataset_id, eval_id from eval_traces_bridge order by rowid desc"
    )
    # The first link is read last, and so it stays.
    return {
        decoding.text(trace): SampleTarget(decoding.text(dataset), decoding.text(id_))
        for trace, dataset, id_ in rows
    }


def paired_traces(
    baseline: Sequence[NamedTrace], candidate: Sequence[NamedTrace]
) -> tuple[TracePair, ...]:
    """Return the traces of two runs in pairs, in the order of the baseline's.

    Traces of one sample are a pair; then those of one name, in the order of their start, unless
    they are of two samples. What only the candidate has comes last.
    """
    by_sample: defaultdict[SampleTarget, deque[NamedTrace]] = defaultdict(deque)
    for trace in candidate:
        if trace.sample is not None:
            by_sample[trace.sample].append(trace)
    mates: dict[int, NamedTrace] = {}
    for trace in baseline:
        if trace.sample is not None and by_sample[trace.sample]:
            mates[trace.rowid] = by_sample[trace.sample].popleft()
    taken = {mate.rowid for mate in mates.values()}
    free = [trace for trace in candidate if trace.rowid not in taken]
    by_name: defaultdict[tuple[str, bool], deque[NamedTrace]] = defaultdict(deque)
    for trace in free:
        by_name[trace.name, trace.sample is None].append(trace)
    for trace in baseline:
        if trace.rowid in mates:
            continue
        # A trace of a sample is never that of another one, but it may be one without any.
        kinds = (True, False) if trace.sample is None else (True,)
        queue = next((by_name[trace.name, kind] for kind in kinds if by_name[trace.name, kind]), ())
        if queue:
            mates[trace.rowid] = queue.popleft()
    taken = {mate.rowid for mate in mates.values()}
    return (
        *(TracePair(trace, mates.get(trace.rowid)) for trace in baseline),
        *(TracePair(None, trace) for trace in candidate if trace.rowid not in taken),
    )


def differing_sides(
    baseline: OpenRun, candidate: OpenRun, trees: AlignedTrees, rows: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """Return on which sides the two spans of a row differ, by row, of rows that both traces have.

    Raises:
        DatabaseError: A run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    found: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(rows), DETAILS_AT_ONCE):
        some = [row for row in rows[start : start + DETAILS_AT_ONCE] if trees.is_in_both(row)]
        ids = [trees.baseline.layout.ids[trees.ones[row]] for row in some]
        other_ids = [trees.candidate.layout.ids[trees.others[row]] for row in some]
        ones = baseline.ask(span_details.details, trees.baseline.spans.trace_id, ids)
        others = candidate.ask(span_details.details, trees.candidate.spans.trace_id, other_ids)
        for row, id_, other_id in zip(some, ids, other_ids, strict=True):
            one, other = ones.get(id_), others.get(other_id)
            if one is not None and other is not None:
                sides = differing(span_content(one), span_content(other))
                if sides:
                    found[row] = sides
    return found
