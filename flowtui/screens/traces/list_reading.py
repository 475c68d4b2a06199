"""Reading the list of traces; everything here runs in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from flowtui.screens.list_query import ListQuery
from flowtui.store import names_in_use
from flowtui.store.annotations import judgements
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces.listing import TraceOrder
from flowtui.store.traces.values import Trace

FILTER_WORDS = (
    "attributes.", "annotations.", "annotated", "errors", "execution_time", "error_count",
    "span_count", "state", "name", "input", "output", "session", "user", "model", "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TracesQuery(ListQuery):
    """Which traces are wanted, and in which order."""

    order: TraceOrder = field(default_factory=TraceOrder)

    @property
    def sorted_by(self) -> tuple[str, bool]:
        return self.order.column, self.order.descending


@dataclass(frozen=True, slots=True)
class ReadTraceList:
    """The keys of the wanted traces as they were read."""

    wanted: TracesQuery
    rowids: Sequence[int]
    remarks: Sequence[str]
    """Sentences about the filter."""
    judged: tuple[str, ...]
    """The fields of what people said of the traces, each a column."""


def read_trace_list(run: OpenRun, wanted: TracesQuery) -> ReadTraceList:
    """Return the keys of the wanted traces in their order.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    rowids = run.ask(trace_rows.ordered, wanted.condition, wanted.order)
    remarks = run.remarks(wanted.condition, trace_rows.remarks)
    said = run.ask(judgements.tallies, annotation_rows.SPANS)
    return ReadTraceList(wanted, rowids, remarks, tuple(one.field for one in said))


def read_traces(run: OpenRun, keys: Sequence[int]) -> dict[int, Trace]:
    """Return traces of the list by key, with what people said of them.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """

    def read(connection: sqlite3.Connection) -> dict[int, Trace]:
        traces = trace_rows.at(connection, keys)
        said = judgements.of_rows(connection, annotation_rows.SPANS, keys)
        return {key: replace(one, judgements=said.get(key, {})) for key, one in traces.items()}

    return run.ask(read)


def filter_names(run: OpenRun) -> Sequence[str]:
    """Return the names to offer while a filter of traces is typed.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    return (*run.ask(names_in_use.span_names), *FILTER_WORDS)
