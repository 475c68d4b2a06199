"""Traces: the list of them, to be filtered and sorted, as they come."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import get_current_worker

from flowtui import format as fmt
from flowtui.screens import trace_columns
from flowtui.screens.base import TabScreen
from flowtui.screens.choose import Choice, chosen_order
from flowtui.store.database import Cancelled
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.store import Store
from flowtui.store.trace_values import Trace
from flowtui.store.traces import SORTABLE, Order
from flowtui.store.values import Kind, Run
from flowtui.widgets.empty import EmptyText
from flowtui.widgets.filter_line import FilterLine
from flowtui.widgets.rows import Rows

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

NO_SPANS = "No spans were logged. Instrument the code with OpenTelemetry and the LUML SDK."
HINT = "text, or an expression: errors and execution_time > 2s"
UPWARDS_FIRST = ("name", "state")
"""What one reads from A to Z; of all else the most comes first."""


@dataclass
class Listed(Message):
    """Sent by the reader with the traces that the filter leaves, in order."""

    rowids: array[int]


@dataclass
class TracesRead(Message):
    """Sent by the reader with the traces that came into sight."""

    traces: dict[int, Trace]


@dataclass
class ListFailed(Message):
    """Sent by the reader when the list cannot be read."""

    reason: str


class TraceRows(Rows):
    """The table of traces; there is nothing to open yet."""

    opens = False


class TracesScreen(TabScreen):
    """The third tab: the run's traces; `flow-tui traces` prints the same."""

    tab = "traces"
    reads = frozenset({Kind.SPANS, Kind.SAMPLES, Kind.ANNOTATIONS})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="traces.filter",
                tooltip="Filter by text, or an expression: errors and execution_time > 2s"),
        Binding("s", "sort", "Sort", id="traces.sort", tooltip="Sort by a column; again: reverse"),
        Binding("y", "copy", "Copy id", id="traces.copy", tooltip="Copy the trace's id"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="traces.copy_row",
                tooltip="Copy what the row says as JSON"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: Run) -> None:
        super().__init__(store, run)
        self._condition: Condition | None = None
        self._order = Order()
        self._known: dict[int, Trace] = {}
        self._was_read = False

    def compose_tab(self) -> Iterable[Widget]:
        yield TraceRows(id="traces")
        yield EmptyText(id="empty")
        yield FilterLine(HINT)

    def on_mount(self) -> None:
        if self.is_composed:
            self._rows.set_columns(trace_columns.COLUMNS)
            self._rows.sorted_by = (self._order.column, self._order.descending)
            self._show_empty("")

    @property
    def _rows(self) -> TraceRows:
        return self.query_one(TraceRows)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind], cancelled: Cancelled) -> None:
        try:
            rowids = self.store.trace_order(self.run.id, self._condition, self._order, cancelled)
        except ReadCancelled:
            return
        except StoreError as error:
            self.post_message(ListFailed(str(error)))
            return
        self.post_message(Listed(rowids))

    @on(Rows.RowsNeeded)
    def read_rows(self, event: Rows.RowsNeeded) -> None:
        self._read_traces(event.keys)

    @work(thread=True, group="rows", exit_on_error=False)
    def _read_traces(self, rowids: Sequence[int]) -> None:
        worker = get_current_worker()
        try:
            found = self.store.traces(self.run.id, rowids, lambda: worker.is_cancelled)
        except ReadCancelled:
            return
        except StoreError as error:
            self.post_message(ListFailed(str(error)))
            return
        if not worker.is_cancelled:
            self.post_message(TracesRead(found))

    def show_reading(self) -> None:
        if self.is_composed and not self._was_read:
            self._show_empty("reading…")

    # Showing ---------------------------------------------------------------------------------

    @on(Listed)
    def show_list(self, message: Listed) -> None:
        self._was_read = True
        self._rows.show_keys(message.rowids)
        self._rows.read_again()
        total = None if self.frame is None else self.frame.counts.traces
        if message.rowids:
            self._show_empty("")
        elif self._condition is not None and total:
            self._show_empty(f"None of the {total:,} traces match. Esc shows all again.")
        else:
            self._show_empty(NO_SPANS)
        if self._condition is not None and total is not None:
            self.query_one(FilterLine).note(f"{len(message.rowids):,} of {total:,}")

    @on(TracesRead)
    def show_rows(self, message: TracesRead) -> None:
        self._known.update(message.traces)
        self._rows.fill({key: trace_columns.cells(one) for key, one in message.traces.items()})
        self._known = {key: one for key, one in self._known.items() if self._rows.holds(key)}

    @on(ListFailed)
    def show_failure(self, message: ListFailed) -> None:
        self._was_read = True
        self._show_empty(f"✗ {fmt.plain(message.reason)}\n\nr tries again.")

    def _show_empty(self, text: str) -> None:
        self.query_one(EmptyText).show(text)
        self.query_one(EmptyText).display = bool(text)
        self._rows.display = not text
        if not text and self.focused is None:
            self.set_focus(self._rows)

    # Actions ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter":
            return not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    async def action_filter(self) -> None:
        line = self.query_one(FilterLine)
        await line.open(line.text)

    @on(FilterLine.Changed)
    def set_filter(self, event: FilterLine.Changed) -> None:
        if event.line.is_taken(self._take_filter):
            event.line.note("")
            self.want({Kind.SPANS})

    def _take_filter(self, text: str) -> None:
        from flowtui.store.filters import trace_condition

        self._condition = trace_condition(text) if text.strip() else None

    @on(FilterLine.Left)
    def leave_filter(self) -> None:
        self.set_focus(self._rows if self._rows.display else None)

    @work
    async def action_sort(self) -> None:
        titles = {column.key: column.title.strip() for column in trace_columns.COLUMNS}
        choices = [Choice(key, titles[key]) for key in SORTABLE]
        current = self._order.column, self._order.descending
        chosen = await chosen_order(
            self.flow, choices, current, lambda column: column not in UPWARDS_FIRST
        )
        if chosen is not None:
            self._order = Order(*chosen)
            self._rows.sorted_by = chosen
            self.want({Kind.SPANS})

    @property
    def _trace(self) -> Trace | None:
        key = self._rows.cursor_key
        return None if key is None else self._known.get(key)

    def action_copy(self) -> None:
        if (trace := self._trace) is not None:
            self.flow.copy(trace.trace_id)

    def action_copy_row(self) -> None:
        if (trace := self._trace) is not None:
            from flowtui.report import dumps
            from flowtui.trace_report import trace_document

            self.flow.copy(dumps(trace_document(trace)))
