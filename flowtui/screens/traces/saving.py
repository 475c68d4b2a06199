"""Saves one trace: as OTLP/JSON, as the document of `flow-tui traces`, or as Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TextIO

from flowtui import format as fmt
from flowtui.reports import otlp_json
from flowtui.reports.saving import write_atomically
from flowtui.reports.trace_markdown import trace_markdown
from flowtui.reports.traces import trace_by_id, write_trace
from flowtui.screens.dialogs.export import Export, ExportFormat
from flowtui.store.database import Cancelled
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.store import Store
from flowtui.store.traces.layout import NONE
from flowtui.store.traces.tree import SpanTree, span_tree
from flowtui.store.traces.values import Trace
from flowtui.store.values import Run

PAGE_SPANS = 100
FORMATS = (
    ExportFormat("otlp", "OTLP/JSON, with annotations as events", "otlp.json"),
    ExportFormat("json", "JSON, as flow-tui traces prints it", "json"),
    ExportFormat("markdown", "Markdown, for an issue", "md"),
)


def save(store: Store, run: Run, trace_id: str, chosen: Export, cancelled: Cancelled) -> str:
    """Write a file and return a sentence about it.

    Args:
        store: the store.
        run: whose trace it is.
        trace_id: which trace; all of it is read again.
        chosen: format and path.
        cancelled: ends the read with ReadCancelled; no file is left then.

    Raises:
        SaveFailed: the file cannot be written.
        StoreError: the trace is not in the store any more.
        DatabaseError: the run's database cannot be read.
        ReadCancelled: `cancelled` said so.
    """
    trace = trace_by_id(store, run, trace_id)
    if trace is None:
        raise StoreError(f"the trace {trace_id} is not in the store any more")

    def write(out: TextIO) -> int:
        if chosen.format_key == "json":
            return write_trace(store, run, trace, out, cancelled)
        tree = span_tree(store.spans(run.id, trace_id, cancelled), cancelled)
        if chosen.format_key == "otlp":
            return _write_otlp(store, run, trace, tree, out, cancelled)
        return _write_markdown(store, run, trace, tree, out)

    count = write_atomically(chosen.path, write)
    return f"{fmt.count(count, 'span')} to {fmt.plain(str(chosen.path), 200)}"


def _write_otlp(
    store: Store, run: Run, trace: Trace, tree: SpanTree, out: TextIO, cancelled: Cancelled
) -> int:
    ids = _span_ids(tree)
    notes = store.trace_annotations(run.id, trace.trace_id)
    head = json.dumps(otlp_json.resource(run))
    out.write(f'{{"resourceSpans": [{{"resource": {head},\n')
    out.write(' "scopeSpans": [{"scope": {"name": "luml"}, "spans": [')
    count = 0
    for start in range(0, len(ids), PAGE_SPANS):
        if cancelled():
            raise ReadCancelled
        page = ids[start : start + PAGE_SPANS]
        details = store.span_details(run.id, trace.trace_id, page, whole=True)
        for span_id in filter(details.__contains__, page):
            span = otlp_json.span(details[span_id], notes.get(span_id, ()))
            out.write(("," if count else "") + "\n" + json.dumps(span))
            count += 1
    out.write("\n]}]}]}\n")
    return count


def _write_markdown(store: Store, run: Run, trace: Trace, tree: SpanTree, out: TextIO) -> int:
    notes = store.trace_annotations(run.id, trace.trace_id)
    lines = trace_markdown(
        trace,
        tree,
        [one for span_id in _span_ids(tree) for one in notes.get(span_id, ())],
        lambda span_id: store.span_detail(run.id, trace.trace_id, span_id),
    )
    out.writelines(f"{line}\n" for line in lines)
    return tree.span_count


def _span_ids(tree: SpanTree) -> Sequence[str]:
    """Return the ids of the spans in display order, without what only announced them."""
    return [tree.spans.ids[row] for row in tree.layout.rows if row != NONE]
