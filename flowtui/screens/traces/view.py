"""A trace in full: its tree with the waterfall, and the span under the cursor."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.annotate.annotated import Annotated, ChangeQuestion
from flowtui.screens.exporting import Exports
from flowtui.screens.traces.reading import (
    SLOWEST,
    FoundSpans,
    ReadTrace,
    find_spans,
    read_trace,
)
from flowtui.screens.traces.span_pane import SpanPane
from flowtui.screens.traces.split import TraceSplit
from flowtui.screens.traces.summary import summary
from flowtui.store import names_in_use
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import Change, SampleTarget, SpanTarget, Target
from flowtui.store.genai import MediaPart
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.traces.tree import annotated
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.frame.panes import Panes
from flowtui.widgets.lists.annotation_list import AnnotationList
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.trees.span_tree import SpanLines

if TYPE_CHECKING:
    from flowtui.screens.review.spans import SpanReview

REST_S = 0.15
"""How long the cursor stays on a span before that span is read."""
SEARCH_WORDS = ("attributes.", "annotations.", "annotated", "duration", "errors", "name", SLOWEST)
HINT = "text, /regex/, errors, slowest, attributes.key = value, duration > 1s"


class TraceView(Exports, Annotated):
    """Shows one trace. Posts `ReadWanted` when it is to be read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", key_display="Esc", id="trace.leave",
                tooltip="Back to the tree, or from the tree to the list of traces"),
        Binding("slash", "search", "Search", key_display="/", id="trace.search",
                tooltip=f"Search the spans: {HINT}; in the detail, search its text"),
        Binding("n", "next_match(1)", "Next", id="trace.next", tooltip="The next match"),
        Binding("N", "next_match(-1)", "Previous match", show=False, id="trace.previous",
                tooltip="The previous match"),
        Binding("tab", "next_pane(1)", "Pane", key_display="Tab", id="trace.pane",
                tooltip="To the detail, then the annotations, then back to the tree"),
        Binding("shift+tab", "next_pane(-1)", "Pane back", show=False, id="trace.pane_back",
                tooltip="To the previous pane"),
        Binding("left_square_bracket", "step_trace(-1)", "Previous trace", show=False,
                id="trace.before", tooltip="The previous trace in the list"),
        Binding("right_square_bracket", "step_trace(1)", "Trace", key_display="[ ]",
                show=False, id="trace.after", tooltip="The next trace in the list"),
        Binding("c", "converse", "Conversation", show=False, id="trace.conversation",
                tooltip="Read the traces of this session as one conversation; Esc comes back"),
        Binding("v", "toggle_raw", "Raw", show=False, id="trace.raw",
                tooltip="Switch between the span as raw JSON and the formatted span"),
        Binding("p", "page_value", "Pager", show=False, id="trace.pager",
                tooltip="Open the whole value under the cursor, or the whole span, in $PAGER"),
        Binding("y", "copy", "Copy", show=False, id="trace.copy",
                tooltip="Copy the span's id, or the value under the cursor"),
        Binding("Y", "copy_span", "Copy as JSON", show=False, id="trace.copy_span",
                tooltip="Copy the span as JSON"),
        Binding("x", "export", "Export", show=False, id="trace.export",
                tooltip="Save the trace as OTLP/JSON, JSON or Markdown"),
    ]  # fmt: skip

    @dataclass
    class ReadWanted(Message):
        """Sent by TraceView when the trace that it is to show must be read."""

    @dataclass
    class StepWanted(Message):
        """Sent by TraceView to open the trace that is `by` rows further down in the list."""

        trace_id: str
        by: int

    @dataclass
    class ConversationWanted(Message):
        """Sent by TraceView when the conversation of the session of its trace is to be shown."""

        trace_id: str

    @dataclass
    class Left(Message):
        """Sent by TraceView when the list is to be shown again."""

        trace_id: str

    def __init__(self, store: Store, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(store, run, id=id)
        self._trace_id: str | None = None
        self._span_id: str | None = None
        """The span on which to put the cursor when the trace has been read."""
        self._place = ""
        self._trace: ReadTrace | None = None
        self._has_failed = False
        self._rest: Timer | None = None
        self._later: Timer | None = None
        self._search = ""
        self._panes = Panes(self, self._three_panes)

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="trace-summary")
        yield TraceSplit(self._run)
        yield FilterLine(HINT, history="spans", id="search")

    def _three_panes(self) -> list[VirtualList]:
        return [self._lines, self._detail, self.query_one(AnnotationList)]

    @property
    def _lines(self) -> SpanLines:
        return self.query_one(SpanLines)

    @property
    def _span_pane(self) -> SpanPane:
        return self.query_one(SpanPane)

    @property
    def _detail(self) -> Document:
        return self._span_pane.document

    @property
    def is_open(self) -> bool:
        return self._trace_id is not None

    @property
    def is_opening(self) -> bool:
        """Whether the open trace has still to be read."""
        return self._shown_id != self._trace_id is not None and not self._has_failed

    # Reading ---------------------------------------------------------------------------------

    def open(self, trace_id: str, place: str = "", span_id: str | None = None) -> None:
        """Show a trace.

        Args:
            trace_id: The trace's id.
            place: Its place in the list, in words.
            span_id: The span to go to; None goes to the first error.
        """
        self._place = place
        if trace_id == self._trace_id:
            self._go_to(span_id)
            return
        if self._trace_id is None:
            self.focus_tree()
        self._trace_id, self._span_id = trace_id, span_id
        self._has_failed = False
        self._search = ""
        self.query_one(FilterLine).action_clear()
        self.query_one(FilterLine).names = ()
        self.post_message(self.ReadWanted())

    def focus_tree(self) -> None:
        """Give the tree the focus."""
        self._panes.show(self._lines)

    def take_place(self, trace_id: str, place: str) -> None:
        """Show where a trace stands among the others by now, if it is the one that is open."""
        if trace_id == self._trace_id and place != self._place:
            self._place = place
            self._show_summary()

    def show_reading(self) -> None:
        """Say that the open trace is being read, unless it is already shown."""
        if self._trace_id is not None and self._shown_id != self._trace_id:
            self._trace = None
            self._lines.show_note("reading…")

    @property
    def _shown_id(self) -> str | None:
        return None if self._trace is None else self._trace.trace_id

    def read(self) -> Iterator[Callable[[], object]]:
        """Read the open trace in a thread, and yield functions that show what was read.

        Raises:
            DatabaseError: The run's database cannot be read.
        """
        if (trace_id := self._trace_id) is None:
            return
        known, own_changes = self._trace, self.own_changes

        def show(trace: ReadTrace) -> None:
            self.meanwhile(partial(self._show_trace, trace, own_changes))

        trace = read_trace(self._run, trace_id, known, show, may_rest=True)
        yield partial(self._show_trace, trace, own_changes)
        if known is not None and trace.tree.layout is known.tree.layout and trace.rest_s > 0:
            yield partial(self._read_later, trace.rest_s)

    def _show_trace(self, trace: ReadTrace, own_changes: int) -> None:
        known = self._trace
        if own_changes != self.own_changes:
            # It may have been read before a change that was written here meanwhile.
            self.post_message(self.ReadWanted())
            return
        if trace.trace_id != self._trace_id or trace == known:
            return
        self._trace = trace
        is_new = known is None or known.trace_id != trace.trace_id
        if is_new or known is None or known.tree is not trace.tree:
            self._lines.show_tree(trace.tree, is_new=is_new)
            self.query_one(TraceSplit).take_tree(is_new=is_new)
        self._show_summary()
        if is_new:
            self._go_to(self._span_id)
        elif self._search:
            self._find(self._search, trace)
        if not len(trace.tree):
            self._lines.show_note("This trace has no spans any more. Esc goes back.")
        self._rest_here()

    def _read_later(self, rest_s: float) -> None:
        if self._later is not None:
            self._later.stop()
        self._later = self.set_timer(rest_s, partial(self.post_message, self.ReadWanted()))

    def show_failure(self, text: str) -> None:
        """Show a text in place of the trace: why it cannot be read."""
        self._trace = None
        self._has_failed = True
        self._lines.show_note(text)

    def _show_summary(self) -> None:
        if self._trace is not None:
            line = summary(self._trace, self._place, self.size.width)
            self.query_one("#trace-summary", OneLine).show(line)

    def _go_to(self, span_id: str | None) -> None:
        self._span_id = None
        index = None if span_id is None else self._lines.span_tree.place_of(span_id)
        if index is not None:
            self._lines.go_to(index)

    def on_resize(self) -> None:
        self._show_summary()
        self._panes.fit()

    # The span under the cursor ---------------------------------------------------------------

    @on(VirtualList.CursorMoved, "#spans")
    def wait_for_rest(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self._rest_here)

    def _rest_here(self) -> None:
        self.show_target()
        self._span_pane.show_node(self._trace, self._lines.index)

    def action_toggle_raw(self) -> None:
        self._span_pane.toggle_raw()

    @on(Document.Followed)
    def follow(self, event: Document.Followed) -> None:
        event.stop()
        match event.target:
            case SpanTarget(trace_id, span_id):
                self.open(trace_id, "", span_id)
            case SampleTarget() as sample:
                self._flow.follow(sample, back_to="traces")
            case MediaPart() as medium:
                from flowtui.screens.traces.medium_file import show_medium

                show_medium(self.app, medium)

    # Annotating ------------------------------------------------------------------------------

    @property
    def target(self) -> Target | None:
        node, trace = self._lines.node, self._trace
        if trace is None or node is None or node.span is None or node.span.is_pending:
            return None
        return SpanTarget(trace.trace_id, node.span.span_id)

    def describe_target(self) -> str:
        node = self._lines.node
        return "" if node is None or node.span is None else f"span  {fmt.plain(node.span.name, 60)}"

    def review_source(self) -> SpanReview | None:
        from flowtui.screens.review.spans import SpanReview

        if self._trace is None:
            return None
        trace_id = self._trace.trace_id
        return SpanReview.of_trace(self._run, trace_id, self._search, self._user)

    def what_changed(self, change: Change) -> ChangeQuestion:
        if (trace := self._trace) is None:
            return super().what_changed(change)

        def read(connection: sqlite3.Connection) -> Callable[[int], object]:
            counts = annotation_rows.span_counts(connection, trace.trace_id)
            tree = annotated(trace.tree, {one.span_id: count for one, count in counts.items()})
            return lambda _count: self._show_counts(trace, replace(trace, tree=tree))

        return read

    def _show_counts(self, before: ReadTrace, trace: ReadTrace) -> None:
        """Show a trace in which only the numbers of annotations have changed."""
        if self._trace is not before:
            self.post_message(self.ReadWanted())
            return
        self._trace = trace
        self._lines.show_tree(trace.tree)
        self._show_summary()
        self._span_pane.keep(trace, self._lines.index)
        if _asks_annotations(self._search):
            self._find(self._search, trace)

    # Search ----------------------------------------------------------------------------------

    async def action_search(self) -> None:
        line = self.query_one(FilterLine)
        line.names_of = self._names
        await line.open("" if self._is_in_detail else self._search)

    def _names(self) -> Sequence[str]:
        return (*self._run.ask(names_in_use.span_names, self._trace_id), *SEARCH_WORDS)

    @property
    def _is_in_detail(self) -> bool:
        return self._panes.current is self._detail

    @on(FilterLine.Changed)
    def search(self, event: FilterLine.Changed) -> None:
        event.stop()
        if self._is_in_detail:
            count = self._detail.find(event.text)
            event.line.remark(())
            event.line.note(f"{count:,} found" if event.text else "")
        elif self._trace is not None and event.line.is_taken(_check_search):
            self._search = event.text
            if event.text.strip():
                self._find(event.text, self._trace)
            else:
                event.line.remark(())
                self._show_matches(array("q"))

    def _find(self, text: str, trace: ReadTrace) -> None:
        self.ask(
            partial(find_spans, self._run, trace, text),
            partial(self._show_found, text, trace),
            partial(self._show_unfound, text),
            group="search",
        )

    def _show_found(self, text: str, trace: ReadTrace, found: FoundSpans) -> None:
        now = self._trace
        is_same = now is not None and (trace.trace_id, trace.mark) == (now.trace_id, now.mark)
        if text == self._search and is_same:
            self._show_matches(found.indices)
            line = self.query_one(FilterLine)
            line.remark(found.remarks)
            line.note(fmt.count(len(found.indices), "span"))

    def _show_unfound(self, text: str, reason: str) -> None:
        if text == self._search:
            # What was found before is of another search.
            self._show_matches(array("q"))
            line = self.query_one(FilterLine)
            line.note("")
            line.remark((f"✗ {reason}",))

    def _show_matches(self, matches: array[int]) -> None:
        is_ranking = self._search.strip().lower() == SLOWEST
        self._lines.show_matches(matches, are_marked=not is_ranking)

    @on(FilterLine.Entered)
    def go_to_match(self, event: FilterLine.Entered) -> None:
        event.stop()
        self.action_next_match(1)

    @on(FilterLine.Left)
    def leave_line(self, event: FilterLine.Left) -> None:
        event.stop()
        if self.is_open:
            self._panes.current.focus()

    def action_next_match(self, by: int) -> None:
        if self._is_in_detail:
            self._detail.find_next(by)
        elif not self._lines.next_match(by):
            what = "No span matches." if self._search else "Type a search first: / opens its line."
            self.notify(what, timeout=2)

    # Moving between panes and traces ---------------------------------------------------------

    def on_descendant_focus(self) -> None:
        self._panes.take_focus()

    def action_next_pane(self, by: int) -> None:
        self._panes.step(by)

    @on(VirtualList.Chosen, "#spans")
    def go_to_detail(self) -> None:
        self._panes.show(self._detail)

    def action_step_trace(self, by: int) -> None:
        if self._trace_id is not None:
            self.post_message(self.StepWanted(self._trace_id, by))

    def action_converse(self) -> None:
        if self._trace_id is not None:
            self.post_message(self.ConversationWanted(self._trace_id))

    def action_leave(self) -> None:
        if self._panes.current is not self._lines:
            self._panes.show(self._lines)
        elif self._trace_id is not None:
            trace_id = self._trace_id
            self._trace_id = self._trace = None
            self._span_pane.show_node(None, None)
            self.post_message(self.Left(trace_id))

    # Copying, paging and saving --------------------------------------------------------------

    def action_copy(self) -> None:
        focused = self.screen.focused
        if isinstance(focused, (Document, AnnotationList)):
            text = focused.copy_text
        else:
            text = "" if self._lines.node is None else self._lines.node.id
        if text:
            self._flow.copy(text)

    def action_copy_span(self) -> None:
        if text := self._span_pane.as_json:
            self._flow.copy(text)

    def action_page_value(self) -> None:
        self._span_pane.page(self._detail.source if self._is_in_detail else None)

    @work
    async def action_export(self) -> None:
        from flowtui.reports.saving import file_stem
        from flowtui.screens.traces.saving import FORMATS, save

        if (trace := self._trace) is not None:
            stem = file_stem(self._run.name, "trace", trace.trace_id[:8])
            await self.export(stem, FORMATS, partial(save, self._run, trace.trace_id))


def _check_search(text: str) -> None:
    """Raise FilterError if a search is not understood."""
    if text.strip().lower() != SLOWEST:
        from flowtui.store.filters import span_condition

        span_condition(text)


def _asks_annotations(search: str) -> bool:
    if not search.strip() or search.strip().lower() == SLOWEST:
        return False
    from flowtui.store.filters import span_condition

    return span_condition(search).asks_annotations
