"""The spans of a review: those that a search in a trace finds, or the root of each listed trace."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial

from flowtui import format as fmt
from flowtui.screens.review.queue import ReviewItem
from flowtui.screens.traces.reading import SLOWEST, ReadTrace, read_trace
from flowtui.screens.traces.span_reading import read_span
from flowtui.store.filters import Condition, span_condition
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces import search as span_search
from flowtui.store.traces.listing import TraceOrder


class SpanReview:
    """A source of spans; its items are rowids of the spans table."""

    noun = "span"

    def __init__(self, run: OpenRun, items: Callable[[], array[int]]) -> None:
        """Make the source; `of_trace` and `of_list` do so for a trace and for a list.

        Args:
            run: The run of the spans.
            items: Returns the rowids of the spans; it is called in a thread.
        """
        self._run = run
        self._items = items
        self._trace: ReadTrace | None = None
        """The trace that was last read, which is kept because the next span is mostly in it."""

    @classmethod
    def of_trace(cls, run: OpenRun, trace_id: str, search: str, user: str) -> SpanReview:
        """Return the source of the spans that a search finds in a trace; a blank search finds all.

        Raises:
            FilterError: The search is not understood.
        """
        words = search.strip()
        condition = span_condition(search) if words and words.lower() != SLOWEST else None
        return cls(run, partial(run.ask, span_search.unannotated, trace_id, condition, user))

    @classmethod
    def of_list(
        cls, run: OpenRun, condition: Condition | None, order: TraceOrder, user: str
    ) -> SpanReview:
        """Return the source of the root spans of traces: one span of each trace, in their order.

        Args:
            run: The run of the traces.
            condition: The filter of the list; None for all traces.
            order: The order of the list.
            user: The author who judges them.
        """

        def items() -> array[int]:
            keys = run.ask(trace_rows.ordered, condition, order)
            return run.ask(span_search.unannotated_roots, keys, user)

        return cls(run, items)

    def items(self) -> array[int]:
        return self._items()

    def read(self, item: int) -> ReviewItem | None:
        target = self._run.ask(span_search.target_at, item)
        if target is None:
            return None
        trace = read_trace(self._run, target.trace_id, self._trace)
        self._trace = trace
        tree = trace.tree
        index = tree.place_of(target.span_id)
        span = None if index is None else read_span(self._run, trace, index)
        if index is None or span is None or span.node.span is None:
            return None
        root = tree[0]
        name = "" if root.span is None else fmt.plain(root.span.name, 60)
        took_ns = tree.duration_ns
        size = fmt.count(len(tree), "span")
        size += "" if took_ns is None else f" in {fmt.duration(took_ns / 1e9)}"
        where = f"root of {size}" if index == 0 else f"in {name or 'a trace'}, {size}"
        return ReviewItem(target, fmt.plain(span.node.span.name, 200), span.sections, where)
