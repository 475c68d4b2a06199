"""Spans to judge: those that a search in one trace finds, or the root of each listed trace."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial

from flowtui import format as fmt
from flowtui.screens.review.queue import ReviewItem
from flowtui.screens.traces.reading import SLOWEST, ReadTrace, read_trace
from flowtui.screens.traces.span_reading import read_span
from flowtui.store.database import Cancelled
from flowtui.store.filters import Condition, span_condition
from flowtui.store.store import Store
from flowtui.store.traces.listing import TraceOrder


class SpanReview:
    """A source of spans; items are rowids of the table."""

    noun = "span"

    def __init__(self, store: Store, run_id: str, items: Callable[[Cancelled], array[int]]) -> None:
        """Take what gives the rowids of the spans; `of_trace` and `of_list` know it."""
        self._store = store
        self._run_id = run_id
        self._items = items
        self._trace: ReadTrace | None = None
        """The one that was read last: the next span is mostly of the same one."""

    @classmethod
    def of_trace(
        cls, store: Store, run_id: str, trace_id: str, search: str, user: str
    ) -> SpanReview:
        """Return the spans of a trace that its search finds; a blank one finds all.

        Raises:
            FilterError: the search is not understood.
        """
        words = search.strip()
        condition = span_condition(search) if words and words.lower() != SLOWEST else None
        return cls(
            store,
            run_id,
            partial(store.unannotated_spans, run_id, trace_id, user, condition),
        )

    @classmethod
    def of_list(
        cls, store: Store, run_id: str, condition: Condition | None, order: TraceOrder, user: str
    ) -> SpanReview:
        """Return the root spans of the traces that a filter leaves, one a trace, in their order."""

        def items(cancelled: Cancelled) -> array[int]:
            keys = store.trace_order(run_id, condition, order, cancelled)
            return store.unannotated_roots(run_id, keys, user, cancelled)

        return cls(store, run_id, items)

    def items(self, cancelled: Cancelled) -> array[int]:
        return self._items(cancelled)

    def read(self, item: int) -> ReviewItem | None:
        target = self._store.span_at(self._run_id, item)
        if target is None:
            return None
        trace = read_trace(self._store, self._run_id, target.trace_id, self._trace, lambda: False)
        self._trace = trace
        tree = trace.tree
        index = tree.place_of(target.span_id)
        span = None if index is None else read_span(self._store, self._run_id, trace, index)
        if index is None or span is None or span.node.span is None:
            return None
        root = tree[0]
        name = "" if root.span is None else fmt.plain(root.span.name, 60)
        took_ns = tree.duration_ns
        size = fmt.count(len(tree), "span")
        size += "" if took_ns is None else f" in {fmt.duration(took_ns / 1e9)}"
        where = f"root of {size}" if index == 0 else f"in {name or 'a trace'}, {size}"
        return ReviewItem(target, fmt.plain(span.node.span.name, 200), span.sections, where)
