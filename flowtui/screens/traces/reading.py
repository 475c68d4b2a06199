"""Reads what the view of one trace shows; everything here runs in a thread."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import SampleTarget
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import search as span_search
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.tree import SpanTree, annotated, span_tree


@dataclass(frozen=True, slots=True)
class ReadTrace:
    """One trace as it was read."""

    trace_id: str
    mark: tuple[int, int]
    """What `spans.mark` said before it was read."""
    tree: SpanTree
    samples: tuple[SampleTarget, ...]


def read_trace(run: OpenRun, trace_id: str, known: ReadTrace | None) -> ReadTrace:
    """Return a trace, laid out anew only if it has other spans than when it was known.

    Raises:
        DatabaseError: the run's database cannot be read.
        ReadCancelled: nobody waits any more.
    """
    mark = run.ask(span_rows.mark, trace_id)
    samples = run.ask(span_rows.samples, trace_id)
    if known is None or known.trace_id != trace_id or known.mark != mark:
        with _no_garbage_collection():
            tree = span_tree(run.ask(span_rows.spans, trace_id))
        return ReadTrace(trace_id, mark, tree, samples)
    counts = run.ask(annotation_rows.span_counts, trace_id)
    tree = annotated(known.tree, {target.span_id: count for target, count in counts.items()})
    return replace(known, tree=tree, samples=samples)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep what is made by the ten thousands from being walked over and over while it is made."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


SLOWEST = "slowest"
"""A search of its own: all spans, by the time that they took themselves."""


@dataclass(frozen=True, slots=True)
class FoundSpans:
    """What a search has found in a trace."""

    indices: tuple[int, ...]
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

    nodes = trace.tree.nodes
    if text.strip().lower() == SLOWEST:
        timed = [index for index, node in enumerate(nodes) if node.own_ns]
        return FoundSpans(tuple(sorted(timed, key=lambda index: -nodes[index].own_ns)))
    condition = span_condition(text)
    found = run.ask(span_search.matching, trace.trace_id, condition)
    indices = tuple(
        index
        for index, node in enumerate(nodes)
        if node.span is not None and node.span.span_id in found
    )
    return FoundSpans(indices, run.remarks(condition, span_search.remarks, trace.trace_id))
