"""Spans that a test makes one by one, as the columns in which they are read."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from flowtui.store.traces.columns import Said, Spans
from flowtui.store.traces.times import sortable
from flowtui.store.traces.tree import SpanTree, span_tree
from flowtui.store.traces.values import Span


def columns(spans: Sequence[Span]) -> Spans:
    """Return spans as a read of them would; they are of one trace."""
    spans = sorted(spans, key=lambda span: (sortable(span.start_ns), span.span_id))
    said = Said()
    for rowid, span in enumerate(spans):
        said.kinds[rowid] = span.genai_kind
        said.processes[rowid] = span.process
        if span.usage is not None:
            said.usages[rowid] = span.usage
        if span.is_pending:
            said.placeholders[rowid] = span.pending_parent_id
        if span.is_unread:
            said.unread.add(rowid)
    return Spans(
        spans[0].trace_id if spans else "",
        {span.span_id: span.annotation_count for span in spans if span.annotation_count},
        said,
        array("q", range(len(spans))),
        [span.span_id for span in spans],
        [span.parent_id for span in spans],
        [span.name for span in spans],
        array("q", (span.kind for span in spans)),
        array("q", (span.span_type for span in spans)),
        array("q", (span.start_ns for span in spans)),
        array("q", (span.end_ns for span in spans)),
        array("q", (span.status_code for span in spans)),
    )


def tree_of(spans: Sequence[Span]) -> SpanTree:
    return span_tree(columns(spans))
