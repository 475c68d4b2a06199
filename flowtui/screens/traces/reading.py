"""Reading a trace for its view; everything here runs in a thread."""

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

REST_FACTOR = 4
"""How long a trace is not read again, as a multiple of the time that reading it took."""
MAX_REST_S = 5.0
"""The longest such rest, so that the trace is not much older than the screen says."""
LARGE_SPANS = 20_000
"""From how many spans on a trace is shown before the attributes of its spans are read."""


@dataclass(frozen=True, slots=True)
class ReadTrace:
    """A trace as it was read."""

    trace_id: str
    mark: tuple[int, int]
    """What `spans.mark` returned just before the spans were read."""
    tree: SpanTree
    samples: tuple[SampleTarget, ...]
    took_s: float
    """How long reading and laying out its spans took."""
    read_at_s: float
    """When the reading ended, by `time.monotonic`."""

    @property
    def rest_s(self) -> float:
        """How long to wait before this trace is read again.

        Without such a rest, reading a large trace that is being written would occupy a whole core.
        """
        return self.read_at_s + min(REST_FACTOR * self.took_s, MAX_REST_S) - time.monotonic()


def read_trace(
    run: OpenRun,
    trace_id: str,
    known: ReadTrace | None,
    show: Callable[[ReadTrace], object] = lambda _: None,
    may_rest: bool = False,
) -> ReadTrace:
    """Return a trace, with a new layout only if its spans have changed since it was last read.

    Args:
        run: The run of the trace.
        trace_id: The trace's id.
        known: What was read last, of this trace or another.
        show: Is called with a large trace before the attributes of its spans are read.
        may_rest: Whether a trace whose `rest_s` is not over is returned with the spans that are
            known, and only its annotations are read again.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
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
    if known is None and len(found) >= LARGE_SPANS:
        trace = ReadTrace(trace_id, mark, span_tree(found), samples, 0.0, begun_s)
        show(trace)
    told = run.ask(span_rows.told, found)
    tree = span_tree(told) if trace is None else with_said(trace.tree, told)
    now_s = time.monotonic()
    return ReadTrace(trace_id, mark, tree, samples, now_s - begun_s, now_s)


SLOWEST = "slowest"
"""A special search: all spans, those with the most time outside their children first."""


@dataclass(frozen=True, slots=True)
class FoundSpans:
    """The spans of a trace that a search has found."""

    indices: array[int]
    """The indices of the spans in the tree, in the order in which to visit them."""
    remarks: Sequence[str] = ()
    """Sentences about the search."""


def find_spans(run: OpenRun, trace: ReadTrace, text: str) -> FoundSpans:
    """Return the spans that a search finds.

    Raises:
        FilterError: The search is not understood.
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    # Importing the filter language takes 20 ms, and few traces are searched.
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
