"""The list of traces of a run: as text, JSON, CSV or Markdown, with what people said of them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO

from flowtui.reports.annotation_cells import annotation_values, listed_annotations
from flowtui.reports.data_output import data_out, write_array
from flowtui.reports.escaped import csv_text, json_line, markdown_head, markdown_row, markdown_text
from flowtui.reports.filter_remarks import sorted_field, tell
from flowtui.reports.runs import Document, dumps, time_text
from flowtui.reports.traces import PAGE_TRACES, trace_document, traces_text
from flowtui.reports.usage import WrongUsage
from flowtui.store import cancelling
from flowtui.store.annotations import judgements
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import Annotation, AnnotationKind
from flowtui.store.genai.belonging import BELONGINGS
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces.belongings import belongings
from flowtui.store.traces.listing import ALSO_SORTED, BY_ID, SORTABLE, TraceOrder
from flowtui.store.traces.values import Trace, moment

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

TraceStyle = Literal["text", "csv", "json"]
_ALSO = ("input", "output", *BELONGINGS)
"""What traces can be sorted by besides the columns and what people said."""
COLUMNS = (
    "trace_id", "name", "input", "output", "state", "started_at", "duration_ns", "span_count",
    "error_count", "total_tokens", "cost", "sample_count", "annotation_count",
)  # fmt: skip


class ListedTrace(NamedTuple):
    """A trace of the list with the annotations of all its spans."""

    trace: Trace
    annotations: Sequence[Annotation]
    key: int


def print_traces(
    run: OpenRun,
    filter_text: str = "",
    sort: str = "-start",
    limit: int | None = None,
    style: TraceStyle = "text",
) -> None:
    """Print the traces that a filter leaves, as a table, as CSV, or as a JSON array.

    Args:
        run: The run.
        filter_text: As on the list's filter line; blank for all.
        sort: A column, with a minus before it for descending order.
        limit: How many traces at most.
        style: In which form.

    Raises:
        WrongUsage: There is no such column.
        FilterError: The filter is not understood.
        DatabaseError: The run's database cannot be read.
    """
    column = _column(run, sort.removeprefix("-"))
    condition = None
    if filter_text.strip():
        from flowtui.store.filters import trace_condition

        condition = trace_condition(filter_text)
    keys = run.ask(trace_rows.ordered, condition, TraceOrder(column, sort.startswith("-")))[:limit]
    tell(run.remarks(condition, trace_rows.remarks))
    is_said = column.startswith(judgements.PREFIX)
    rows = listed_traces(run, keys, needs_annotations=is_said or style != "text")
    if style == "json":
        write_array((dumps(_document(row)) for row in rows), sys.stdout)
    elif style == "csv":
        write_traces(rows, annotation_fields(run), "csv", data_out())
    else:
        listed = list(rows)
        shown = "" if column in (*SORTABLE, BY_ID, "input", "output") else column
        values = _sorted_values(run, listed, column) if shown else ()
        for line in traces_text([row.trace for row in listed], shown, values):
            print(line)


def _sorted_values(run: OpenRun, rows: Sequence[ListedTrace], column: str) -> list[str]:
    """Return what traces are sorted by that is not a column of their table."""
    if column in BELONGINGS:
        found = run.ask(belongings, column)
        return [found.get(row.key) or "" for row in rows]
    name = column.removeprefix(judgements.PREFIX)
    fields = (column, *(judgements.field_of(kind, name) for kind in AnnotationKind))
    values = (annotation_values(row.annotations) for row in rows)
    return [next((of[field] for field in fields if field in of), "") for of in values]


def _column(run: OpenRun, name: str) -> str:
    column = name if name in SORTABLE else ALSO_SORTED.get(name.lower(), name)
    if column in (*SORTABLE, BY_ID):
        return column
    if not column.lower().startswith("annotation") and column not in _ALSO:
        known = (*SORTABLE, BY_ID, *_ALSO, "annotations.NAME")
        raise WrongUsage(f"--sort {column!r} is not one of {', '.join(known)}")
    from flowtui.store.filters import TRACE_FIELDS

    def remarks(condition: Condition) -> tuple[str, ...]:
        return run.remarks(condition, trace_rows.remarks)

    return sorted_field(column, TRACE_FIELDS, SORTABLE, {}, remarks)


def annotation_fields(run: OpenRun) -> list[str]:
    """Return the fields of what people said of the traces, each a column."""
    return [one.field for one in run.ask(judgements.tallies, annotation_rows.SPANS)]


def listed_traces(
    run: OpenRun, keys: Sequence[int], *, needs_annotations: bool = True
) -> Iterator[ListedTrace]:
    """Yield traces by their keys, page by page, as they are read.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    for start in range(0, len(keys), PAGE_TRACES):
        cancelling.check()
        page = keys[start : start + PAGE_TRACES]
        traces = run.ask(trace_rows.at, page)
        notes: Mapping[int, Sequence[Annotation]] = {}
        if needs_annotations:
            notes = run.ask(annotation_rows.of_rows, annotation_rows.SPANS, page)
        for key in page:
            if key in traces:
                yield ListedTrace(traces[key], notes.get(key, ()), key)


def write_traces(rows: Iterator[ListedTrace], fields: Sequence[str], form: str, out: TextIO) -> int:
    """Write traces as `csv`, `jsonl` or `markdown`, and return how many."""
    columns = [*COLUMNS, *fields]
    writer = csv.writer(out, lineterminator="\n")
    if form == "csv":
        writer.writerow([csv_text(column) for column in columns])
    elif form == "markdown":
        out.write(markdown_head([markdown_text(column) for column in columns]))
    count = 0
    for row in rows:
        if form == "jsonl":
            out.write(json_line(_document(row)) + "\n")
        elif form == "csv":
            writer.writerow([csv_text(cell) for cell in _cells(row, ())] + _said(row, fields))
        else:
            out.write(markdown_row([markdown_text(cell) for cell in _cells(row, fields)]))
        count += 1
    return count


def _document(row: ListedTrace) -> Document:
    return {**trace_document(row.trace), "annotations": listed_annotations(row.annotations)}


def _said(row: ListedTrace, fields: Sequence[str]) -> list[str]:
    values = annotation_values(row.annotations)
    return [values.get(field, "") for field in fields]


def _cells(row: ListedTrace, fields: Sequence[str]) -> list[str]:
    trace = row.trace
    usage = trace.usage
    values: tuple[object, ...] = (
        trace.trace_id,
        trace.root_name,
        trace.input,
        trace.output,
        trace.state.value,
        time_text(moment(trace.start_ns)),
        trace.duration_ns,
        trace.span_count,
        trace.error_count,
        None if usage is None else usage.total,
        None if usage is None else usage.cost,
        trace.sample_count,
        trace.annotation_count,
    )
    return ["" if value is None else str(value) for value in values] + _said(row, fields)
