"""Reads what the view of one trace shows; everything here runs in a thread."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import SampleTarget
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import search as span_search
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.layout import NONE, watched
from flowtui.store.traces.tree import SpanTree, annotated, span_tree, with_said

RESTS = 4
"""Times as long as it took to read a trace, it is not read again."""
MOST_REST_S = 5.0
"""But no longer, so that what is shown is not much older than it says."""
LARGE = 20_000
"""Spans; so many are shown before their attributes are read."""


@dataclass(frozen=True, slots=True)
class ReadTrace:
    """One trace as it was read."""

    trace_id: str
    mark: tuple[int, int]
    """What `spans.mark` said before it was read."""
    tree: SpanTree
    samples: tuple[SampleTarget, ...]
    took_s: float
    """How long reading and laying out its spans took."""
    read_at_s: float
    """When that was, by `time.monotonic`."""

    @property
    def rest_s(self) -> float:
        """How long to leave a trace that is written as it is: a large one takes all of a core."""
        return self.read_at_s + min(RESTS * self.took_s, MOST_REST_S) - time.monotonic()


def read_trace(
    run: OpenRun,
    trace_id: str,
    known: ReadTrace | None,
    show: Callable[[ReadTrace], object] = lambda _: None,
    may_rest: bool = False,
) -> ReadTrace:
    """Return a trace, laid out anew only if it has other spans than when it was known.

    Args:
        run: whose trace it is.
        trace_id: which trace.
        known: what was read before, of any trace.
        show: is given a large trace before the attributes of its spans are read.
        may_rest: whether a trace that is to rest still comes with the spans that it had, and its
            annotations as they are.

    Raises:
        DatabaseError: the run's database cannot be read.
        ReadCancelled: nobody waits any more.
    """
    begun_s = time.monotonic()
    mark = run.ask(span_rows.mark, trace_id)
    samples = run.ask(span_rows.samples, trace_id)
    if known is not None and known.trace_id != trace_id:
        known = None
    is_told = known is not None and known.tree.spans.said is not None
    is_resting = known is not None and may_rest and known.rest_s > 0
    if known is not None and is_told and (known.mark == mark or is_resting):
        counts = run.ask(annotation_rows.span_counts, trace_id)
        tree = annotated(known.tree, {target.span_id: count for target, count in counts.items()})
        return replace(known, tree=tree, samples=samples)
    before = None if known is None else known.tree.spans
    found = run.ask(span_rows.skeleton, trace_id, before)
    trace = None
    if known is None and len(found) >= LARGE:
        trace = ReadTrace(trace_id, mark, span_tree(found), samples, 0.0, begun_s)
        show(trace)
    told = run.ask(span_rows.told, found)
    tree = span_tree(told) if trace is None else with_said(trace.tree, told)
    now_s = time.monotonic()
    return ReadTrace(trace_id, mark, tree, samples, now_s - begun_s, now_s)


SLOWEST = "slowest"
"""A search of its own: all spans, by the time that they took themselves."""


@dataclass(frozen=True, slots=True)
class FoundSpans:
    """What a search has found in a trace."""

    indices: array[int]
    """In the order in which to visit them."""
    remarks: Sequence[str] = ()
    """About the search."""


def find_spans(run: OpenRun, trace: ReadTrace, text: str) -> FoundSpans:
    """Return the spans that a search finds.

    Raises:
        FilterError: the search is not understood.
        DatabaseError: the run's database cannot be read.
        ReadCancelled: nobody waits any more.
    """
    # The language takes 20 ms to import, and few traces are searched.
    from flowtui.store.filters import span_condition

    tree = trace.tree
    if text.strip().lower() == SLOWEST:
        own_ns = [tree.own_ns(at) for at in watched(range(len(tree)))]
        timed = [at for at, ns in enumerate(own_ns) if ns]
        return FoundSpans(array("q", sorted(timed, key=lambda at: -own_ns[at])))
    condition = span_condition(text)
    found = run.ask(span_search.matching, trace.trace_id, condition)
    ids = tree.spans.ids
    places = (at for at, row in enumerate(tree.layout.rows) if row != NONE and ids[row] in found)
    remarks = run.remarks(condition, span_search.remarks, trace.trace_id)
    return FoundSpans(array("q", places), remarks)
