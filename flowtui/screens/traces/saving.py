"""Saving a trace as OTLP/JSON, as the JSON document of `flow-tui traces`, or as Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from flowtui import format as fmt
from flowtui.reports import otlp_json
from flowtui.reports.saving import write_atomically
from flowtui.reports.trace_list import annotation_fields, listed_traces, write_traces
from flowtui.reports.trace_markdown import trace_markdown
from flowtui.reports.traces import trace_by_id, write_trace
from flowtui.screens.dialogs.export import Export, ExportFormat
from flowtui.store import cancelling
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.errors import StoreError
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import details as span_details
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.layout import NONE
from flowtui.store.traces.listing import TraceOrder
from flowtui.store.traces.tree import SpanTree, span_tree
from flowtui.store.traces.values import Trace

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

PAGE_SPANS = 100
"""How many spans are in memory at a time with all their attributes."""
FORMATS = (
    ExportFormat("otlp", "OTLP/JSON, with annotations as events", "otlp.json"),
    ExportFormat("json", "JSON, as flow-tui traces prints it", "json"),
    ExportFormat("markdown", "Markdown, for an issue", "md"),
)


LIST_FORMATS = (
    ExportFormat("csv", "CSV, one row a trace", "csv"),
    ExportFormat("jsonl", "JSON lines, one object a trace", "jsonl"),
    ExportFormat("markdown", "Markdown, a table for an issue", "md"),
)


def save_list(run: OpenRun, condition: Condition | None, order: TraceOrder, chosen: Export) -> str:
    """Write the traces that meet a condition, and return what was written where, in words.

    Raises:
        SaveFailed: The file cannot be written.
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more; then no file is left behind.
    """
    keys = run.ask(trace_rows.ordered, condition, order)
    fields = annotation_fields(run)
    count = write_atomically(
        chosen.path,
        lambda out: write_traces(listed_traces(run, keys), fields, chosen.format_key, out),
    )
    return f"{fmt.count(count, 'trace')} to {fmt.plain(str(chosen.path), 200)}"


def save(run: OpenRun, trace_id: str, chosen: Export) -> str:
    """Write a trace to a file, and return what was written where, in words.

    Args:
        run: The run of the trace.
        trace_id: The trace's id; the whole trace is read again.
        chosen: The format and the path.

    Raises:
        SaveFailed: The file cannot be written.
        StoreError: The trace is not in the store any more.
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more; then no file is left behind.
    """
    trace = trace_by_id(run, trace_id)
    if trace is None:
        raise StoreError(f"the trace {trace_id} is not in the store any more")

    def write(out: TextIO) -> int:
        if chosen.format_key == "json":
            return write_trace(run, trace, out)
        tree = span_tree(run.ask(span_rows.spans, trace_id))
        if chosen.format_key == "otlp":
            return _write_otlp(run, trace, tree, out)
        return _write_markdown(run, trace, tree, out)

    count = write_atomically(chosen.path, write)
    return f"{fmt.count(count, 'span')} to {fmt.plain(str(chosen.path), 200)}"


def _write_otlp(run: OpenRun, trace: Trace, tree: SpanTree, out: TextIO) -> int:
    ids = _span_ids(tree)
    notes = run.ask(annotation_rows.of_trace, trace.trace_id)
    head = json.dumps(otlp_json.resource(run.row))
    out.write(f'{{"resourceSpans": [{{"resource": {head},\n')
    out.write(' "scopeSpans": [{"scope": {"name": "luml"}, "spans": [')
    count = 0
    for start in range(0, len(ids), PAGE_SPANS):
        cancelling.check()
        page = ids[start : start + PAGE_SPANS]
        details = run.ask(span_details.details, trace.trace_id, page, whole=True)
        for span_id in filter(details.__contains__, page):
            span = otlp_json.span(details[span_id], notes.get(span_id, ()))
            out.write(("," if count else "") + "\n" + json.dumps(span))
            count += 1
    out.write("\n]}]}]}\n")
    return count


def _write_markdown(run: OpenRun, trace: Trace, tree: SpanTree, out: TextIO) -> int:
    notes = run.ask(annotation_rows.of_trace, trace.trace_id)
    lines = trace_markdown(
        trace,
        tree,
        [one for span_id in _span_ids(tree) for one in notes.get(span_id, ())],
        lambda span_id: run.ask(span_details.detail, trace.trace_id, span_id),
    )
    out.writelines(f"{line}\n" for line in lines)
    return tree.span_count


def _span_ids(tree: SpanTree) -> Sequence[str]:
    """Return the ids of the stored spans in display order, without missing parents."""
    return [tree.spans.ids[row] for row in tree.layout.rows if row != NONE]
