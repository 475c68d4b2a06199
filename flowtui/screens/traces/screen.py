"""The Traces tab: a list of traces that can be filtered and sorted, or one trace in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.annotate.annotated import Annotated
from flowtui.screens.base import TabScreen
from flowtui.screens.dialogs.choose import Choice
from flowtui.screens.exporting import Exports
from flowtui.screens.may_write import none_logged
from flowtui.screens.record_list import RecordList
from flowtui.screens.traces import columns
from flowtui.screens.traces.groups_pane import GroupsPane
from flowtui.screens.traces.list_reading import (
    ReadTraceList,
    TracesQuery,
    filter_names,
    read_trace_list,
    read_traces,
)
from flowtui.screens.traces.session_view import SessionView
from flowtui.screens.traces.view import TraceView
from flowtui.store.annotations.values import SpanTarget, Target
from flowtui.store.filter_text import both
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.traces import search as span_search
from flowtui.store.traces.belongings import belonging_of
from flowtui.store.traces.groups import GROUPED_BY, group_filter
from flowtui.store.traces.listing import SORTABLE, TraceOrder
from flowtui.store.traces.values import Trace
from flowtui.store.values import Kind
from flowtui.widgets.frame.empty import EmptyText
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.lists.detail_strip import DetailStrip, Question
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable
from flowtui.widgets.paint import CURVE_CLASSES

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

HOW = (
    " Instrument the code with OpenTelemetry and the LUML SDK, or have any exporter send them "
    "here: C collects."
)
HINT = "text, or an expression: errors and execution_time > 2s"
LIST_ACTIONS = (
    "filter",
    "sort",
    "copy",
    "copy_row",
    "review",
    "collect",
    "group",
    "strip",
    "export",
)
GROUP_ACTIONS = ("filter", "group")
"""What is done on the groups as on the list."""
NARROW_BELOW, WIDE_FROM = 100, 160
ASCENDING_FIRST = ("name", "state")
"""Columns that are first sorted in ascending order; all others begin with the highest value."""


class TracesScreen(RecordList[TracesQuery, Trace], Exports, TabScreen):
    """The third tab: the run's traces, or one of them, as `flow-tui traces` prints them."""

    CSS_PATH = "screen.tcss"
    tab = "traces"
    rows_id = "traces"
    COMPONENT_CLASSES = CURVE_CLASSES
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (NARROW_BELOW, "-normal"),
        (WIDE_FROM, "-wide"),
    ]
    reads = frozenset({Kind.SPANS, Kind.SAMPLES, Kind.ANNOTATIONS})
    needs_records = frozenset(LIST_ACTIONS) - {"collect"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="traces.filter",
                tooltip="Filter by text, or an expression: errors and execution_time > 2s"),
        Binding("s", "sort", "Sort", id="traces.sort", tooltip="Sort by a column; again: reverse"),
        Binding("R", "review", "Review", id="traces.review",
                tooltip="Judge the root spans of the listed traces one after the other"),
        Binding("b", "group", "Group", id="traces.group",
                tooltip="Group the traces by name, session, user or model"),
        Binding("x", "export", "Export", show=False, id="traces.export",
                tooltip="Save the list with its filter and order: CSV, JSON lines or Markdown"),
        Binding("i", "strip", "Details", show=False, id="traces.strip",
                tooltip="Show below the list what the cursor is on, or close that"),
        Binding("escape", "to_groups", "Groups", key_display="Esc", id="traces.to_groups",
                tooltip="Back to the groups"),
        Binding("escape", "leave", "Runs", key_display="Esc", id="tab.leave",
                tooltip="Go back to the list of runs"),
        Binding("C", "collect", "Collect", id="traces.collect",
                tooltip="Receive spans over OTLP/HTTP into this run, or show what was received"),
        Binding("y", "copy", "Copy id", show=False, id="traces.copy",
                tooltip="Copy the trace's id"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="traces.copy_row",
                tooltip="Copy the row as JSON"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: OpenRun) -> None:
        super().__init__(store, run)
        self.selected = TracesQuery()
        self._listed: TracesQuery | None = None
        """What the list shows; None before it was read."""
        self.known: dict[int, Trace] = {}
        self._judged: tuple[str, ...] = ()
        """The fields of what people said of the traces, each a column."""
        self._was_read = False
        self._back_to = ""
        """The tab from which the open trace was reached; empty if it was the list."""
        self._changes = self._listed_changes = 0
        """How often the store had changed, by now and before the listed rows were read."""
        self._opened: tuple[int, str] | None = None
        """The row that was opened, and the id of its trace."""
        self._entered: tuple[str, str | None, str] | None = None
        """The group that is listed: by what, its value, and the filter that the groups have."""
        self._stack: list[tuple[Widget, str]] = []
        """What was opened over the list, the last on top; a trace with its id."""

    def compose_tab(self) -> Iterable[Widget]:
        yield VirtualTable(id="traces")
        yield GroupsPane(self.run, id="trace-groups")
        yield EmptyText(id="empty")
        yield DetailStrip(self.strip_question)
        yield FilterLine(HINT, history="traces", id="filter")
        yield TraceView(self.store, self.run, id="trace")
        yield SessionView(self.run, id="session")

    def on_mount(self) -> None:
        if self.is_composed:
            self._show_top()
            self._fill_columns()
            self.filter_line.names_of = partial(filter_names, self.run)
            self.rows.sorted_by = self.selected.sorted_by
            self.show_empty("")

    @property
    def _view(self) -> TraceView:
        return self.query_one(TraceView)

    @property
    def _groups(self) -> GroupsPane:
        return self.query_one(GroupsPane)

    @property
    def _session(self) -> SessionView:
        return self.query_one(SessionView)

    @property
    def _top(self) -> Widget | None:
        """What is shown in place of the list; None if nothing is."""
        return self._stack[-1][0] if self._stack else None

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        wanted, changes = self.selected, self._changes
        is_open = self._top is self._view
        if is_open:
            yield from self._view.read()
        # A trace has its place in the list, in which one steps on from it.
        if not is_open or changes != self._listed_changes:
            yield partial(self._show_list, read_trace_list(self.run, wanted), changes)

    @on(VirtualTable.RowsNeeded)
    def read_rows(self, event: VirtualTable.RowsNeeded) -> None:
        question = partial(read_traces, self.run, event.keys)
        self.ask(question, self.show_records, self._fail, group="rows", replaces=False)

    def store_changed(self, kinds: frozenset[Kind]) -> None:
        self._changes += bool(kinds & self.reads)
        super().store_changed(kinds)
        if Kind.ANNOTATIONS in kinds and self.is_composed:
            self._view.annotations_changed()
        if Kind.SPANS in kinds and self._top is not None:
            self._groups.read(self.selected.condition)
            self._session.read_again()

    @property
    def has_content(self) -> bool:
        return self.is_composed and (bool(self._stack) or self._listed == self.selected)

    @property
    def is_opening(self) -> bool:
        if super().is_opening or not self.is_composed:
            return super().is_opening
        return self._view.is_opening or self._groups.is_opening or self._session.is_opening

    def show_reading(self) -> None:
        if self.is_composed and self._top is self._view:
            self._view.show_reading()
        elif self.is_composed and not self._was_read and not self._stack:
            self.show_empty("reading…")

    # Showing ---------------------------------------------------------------------------------

    def _show_list(self, found: ReadTraceList, changes: int) -> None:
        wanted, rowids = found.wanted, found.rowids
        if wanted != self.selected:
            return
        if found.judged != self._judged:
            self._judged = found.judged
            self._fill_columns()
        self._was_read = True
        is_new = wanted.begins_at_top(self._listed)
        self._listed, self._listed_changes = wanted, changes
        self.rows.show_keys(rowids, is_new=is_new)
        total = None if self.frame is None else self.frame.counts.traces
        is_filtered = wanted.condition is not None
        if self._top in (None, self._groups):
            self.filter_line.remark(found.remarks)
            if is_filtered and total is not None:
                self.filter_line.note(f"{len(rowids):,} of {total:,}")
        if self._stack:
            # What the list shows is read again when it is shown.
            self._show_place()
            return
        self.rows.read_again()
        self.take_whether_any(bool(rowids) or is_filtered)
        if rowids:
            self.show_empty("")
        elif is_filtered and total:
            self.show_empty(fmt.none_match(total, "trace"))
        else:
            none = "No spans were logged."
            self.show_empty(none_logged(self.store, self.flow.options, none, HOW))

    def fill(self, records: Mapping[int, Trace]) -> None:
        shown = self.rows.columns
        self.rows.fill({key: columns.cells(one, shown) for key, one in records.items()})

    def on_resize(self) -> None:
        if self.is_composed:
            self._fill_columns()
            self.strip.settle()

    def strip_question(self) -> Question | None:
        trace = self.record
        return None if trace is None else partial(columns.trace_parts, trace)

    def _fill_columns(self) -> None:
        self.rows.set_columns(columns.columns(self.size.width, self._judged))
        self.fill(self.known)

    def show_failure(self, reason: str) -> None:
        self._was_read = True
        if self._top is self._view:
            self._view.show_failure(fmt.unread(reason))
        elif not self._stack:
            self.take_whether_any(False)
            self.show_unread(reason)

    # One trace -------------------------------------------------------------------------------

    @on(VirtualList.Chosen, "#traces")
    def open_under_cursor(self) -> None:
        if (key := self.rows.cursor_key) is not None:
            # A row of the list is summed up from all spans of a trace; its id needs only one span.
            question = partial(self.run.ask, span_search.target_at, key)
            self.open_with(
                self.ask(question, partial(self._open_found, key), self.show_failure, group="open")
            )

    @on(TraceView.StepWanted)
    def step_trace(self, event: TraceView.StepWanted) -> None:
        self.rows.cursor += event.by
        self.open_under_cursor()

    def _open_found(self, rowid: int, found: SpanTarget | None) -> None:
        if found is not None:
            self._opened = rowid, found.trace_id
            self.open_trace(found.trace_id, self._place_of(rowid))

    def _place_of(self, rowid: int) -> str:
        at = self.rows.place_of(rowid)
        return "" if at is None else f"trace {at + 1:,} of {self.rows.line_count:,}"

    def _show_place(self) -> None:
        """Show where the trace that is open stands by now, if it was opened from the list."""
        if self._opened is not None:
            rowid, trace_id = self._opened
            self._view.take_place(trace_id, self._place_of(rowid))

    def open_trace(self, trace_id: str, place: str = "", span_id: str | None = None) -> None:
        """Show a trace in place of the list, with the cursor on a span if one is given."""
        if self._top is self._view:
            self._stack[-1] = (self._view, trace_id)
        else:
            self._push(self._view, trace_id)
        self._view.open(trace_id, place, span_id)

    @on(TraceView.ReadWanted)
    def read_trace(self) -> None:
        self.want({Kind.SPANS})

    def follow(self, target: Target, back_to: str) -> None:
        if isinstance(target, SpanTarget):
            self._back_to = back_to
            self.open_trace(target.trace_id, "", target.span_id or None)

    @on(TraceView.Left)
    def close_trace(self) -> None:
        self._opened = None
        if self._back_to:
            self.flow.show_tab(self._back_to)
            self._back_to = ""
        if self._top is self._view:
            self._pop()

    # What is shown in place of the list ------------------------------------------------------

    def _push(self, pane: Widget, trace_id: str = "") -> None:
        self._stack.append((pane, trace_id))
        self._show_top()

    def _pop(self) -> None:
        self._stack.pop()
        self._show_top()
        if self._top is None:
            self.show_empty("")
            self.want({Kind.SPANS})
        elif self._top is self._view:
            # Another trace may have been opened over it meanwhile.
            self._view.open(self._stack[-1][1])
            self._view.focus_tree()
            self.want({Kind.SPANS})

    def _show_top(self) -> None:
        top = self._top
        for pane in (self._groups, self._session, self._view):
            pane.display = pane is top
        is_filtered = top in (None, self._groups) and bool(self.filter_line.text)
        self.filter_line.set_class(is_filtered, "-open")
        self.strip.allow(top is None and self.rows.display)
        if top is None:
            self.set_focus(self.rows)
            return
        self.rows.display = self.query_one(EmptyText).display = False
        if top is not self._view:
            self.set_focus(next(iter(top.query(VirtualList)), None))

    @work
    async def action_group(self) -> None:
        from flowtui.screens.dialogs.choose import ChooseScreen

        choices = [Choice(by, by) for by in GROUPED_BY]
        choices += [Choice(by, columns.sort_title(by), "verdict") for by in self._judged]
        picked = await self.app.push_screen_wait(ChooseScreen("Group by", choices, []))
        if picked:
            self._entered = None
            self._show_groups(picked[0], "")

    def _show_groups(self, by: str, wanted: str | None) -> None:
        if self._top is None:
            self._push(self._groups)
        self._groups.open(by, self.selected.condition, wanted)

    @on(GroupsPane.Entered)
    @work
    async def enter_group(self, event: GroupsPane.Entered) -> None:
        if self._top is not self._groups:
            return
        line = self.filter_line
        before = "" if line.is_mistaken else line.text
        self._entered = event.by, event.value, before
        self._groups.close()
        self._pop()
        await line.open(both(before, group_filter(event.by, event.value)), is_typed=False)

    @work
    async def action_to_groups(self) -> None:
        if self._entered is None:
            return
        by, value, before = self._entered
        self._entered = None
        await self.filter_line.open(before, is_typed=False)
        self._take_filter(before)
        self._show_groups(by, value)

    @on(GroupsPane.Left)
    def leave_groups(self) -> None:
        if self._top is self._groups:
            self._groups.close()
            self._pop()

    @on(TraceView.ConversationWanted)
    def find_session(self, event: TraceView.ConversationWanted) -> None:
        question = partial(self.run.ask, belonging_of, "session", event.trace_id)
        self.open_with(self.ask(question, self._open_session, group="open"))

    @on(GroupsPane.SessionWanted)
    def take_session(self, event: GroupsPane.SessionWanted) -> None:
        self._open_session(event.session)

    def _open_session(self, session: str | None) -> None:
        if session is None:
            self.notify("No span of this trace names a session.", timeout=2)
        elif self._top in (self._groups, self._view):
            self._push(self._session)
            self._session.open(session)

    @on(SessionView.TraceWanted)
    def open_of_session(self, event: SessionView.TraceWanted) -> None:
        self.open_trace(event.trace_id)

    @on(SessionView.Left)
    def close_session(self) -> None:
        if self._top is self._session:
            self._session.close()
            self._pop()

    # Actions ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self._stack and action in LIST_ACTIONS:
            is_grouped = isinstance(self._top, GroupsPane) and action in GROUP_ACTIONS
            return is_grouped and super().check_action(action, parameters)
        if action == "to_groups" or (action == "leave" and self._entered is not None):
            return (action == "to_groups") is (self._entered is not None) and not self._stack
        return super().check_action(action, parameters)

    def take_filter(self, line: FilterLine) -> bool:
        is_taken = super().take_filter(line)
        if is_taken:
            line.note("")
        return is_taken

    def condition_of(self, text: str) -> Condition:
        from flowtui.store.filters import trace_condition

        return trace_condition(text)

    def read_selected(self) -> None:
        self.want({Kind.SPANS})
        self._groups.read(self.selected.condition)

    @work
    async def action_sort(self) -> None:
        choices = [Choice(key, columns.sort_title(key)) for key in (*SORTABLE, *self._judged)]
        await self.sort(choices, lambda column: column not in ASCENDING_FIRST)

    def with_order(self, column: str, descending: bool) -> TracesQuery:
        self.rows.sorted_by = (column, descending)
        return replace(self.selected, order=TraceOrder(column, descending))

    @on(Annotated.ReviewAsked)
    @work
    async def review(self, message: Annotated.ReviewAsked) -> None:
        from flowtui.screens.review.review import review

        await review(self.flow, self.store, self.run, message.source, message.undo)
        self.store_changed(frozenset({Kind.ANNOTATIONS}))

    def action_review(self) -> None:
        from flowtui.screens.review.spans import SpanReview

        user = self.flow.options.user
        condition, order = self.selected.condition, self.selected.order
        source = SpanReview.of_list(self.run, condition, order, user)
        self.post_message(Annotated.ReviewAsked(source, self._view.undo))

    @work
    async def action_export(self) -> None:
        from flowtui.reports.saving import file_stem
        from flowtui.screens.traces.saving import LIST_FORMATS, save_list

        condition, order = self.selected.condition, self.selected.order
        save = partial(save_list, self.run, condition, order)
        await self.export(file_stem(self.run.name, "traces"), LIST_FORMATS, save)

    def action_collect(self) -> None:
        self.flow.open_collector()

    def id_of(self, record: Trace) -> str:
        return record.trace_id

    def document_of(self, record: Trace) -> object:
        from flowtui.reports.traces import trace_document

        return trace_document(record)
