"""A sample in full: its inputs, its outputs beside the reference, and its scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from flowtui import format as fmt
from flowtui.screens.dialogs.choose import Choice, ChooseScreen
from flowtui.store.annotations.values import SampleTarget, SpanTarget, Target
from flowtui.store.genai import MediaPart
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.values import Sample
from flowtui.store.values import JsonValue
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import Section
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import HidesKeys, OneLine
from flowtui.widgets.lists.annotation_list import AnnotationList

if TYPE_CHECKING:
    from flowtui.widgets.host import Host


class SampleView(HidesKeys, Asks, Container):
    """Shows one sample, which is read again each time it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Samples", key_display="Esc", id="sample.leave",
                tooltip="Back to the table"),
        Binding("left_square_bracket", "step_sample(-1)", "Previous", show=False,
                id="sample.before", tooltip="The previous sample in the table"),
        Binding("right_square_bracket", "step_sample(1)", "Next", key_display="[ ]",
                id="sample.after", tooltip="The next sample in the table"),
        Binding("t", "go_to_trace", "Trace", id="sample.trace",
                tooltip="Show the trace that is linked to the sample; Esc comes back"),
        Binding("slash", "find", "Find", key_display="/", show=False, id="sample.find",
                tooltip="Find a text in the sample"),
        Binding("n", "next_match(1)", "Next match", show=False, id="sample.next",
                tooltip="The next match"),
        Binding("N", "next_match(-1)", "Previous match", show=False, id="sample.previous",
                tooltip="The previous match"),
        Binding("tab,shift+tab", "next_pane", "Pane", key_display="Tab", show=False,
                id="sample.pane", tooltip="Switch between the sample and its annotations"),
        Binding("v", "toggle_raw", "Raw", show=False, id="sample.raw",
                tooltip="Switch between the sample as raw JSON and the formatted sample"),
        Binding("p", "page_sample", "Pager", show=False, id="sample.pager",
                tooltip="Open the whole sample in $PAGER"),
        Binding("y", "copy", "Copy", show=False, id="sample.copy",
                tooltip="Copy the value under the cursor"),
        Binding("Y", "copy_sample", "Copy as JSON", show=False, id="sample.copy_row",
                tooltip="Copy the sample as JSON"),
    ]  # fmt: skip

    @dataclass
    class StepWanted(Message):
        """Sent by SampleView to open the sample that is `by` rows further down in the table."""

        by: int

    @dataclass
    class Left(Message):
        """Sent by SampleView when the table is to be shown again."""

    def __init__(self, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run = run
        self._is_raw = False
        self._sections: tuple[Section, ...] = ()
        self._target: SampleTarget | None = None
        self._shown_target: SampleTarget | None = None
        """The target whose sample is shown, or whose failure to be read is shown."""
        self.sample: Sample | None = None
        """The open sample as it was last read."""
        self._reader: Worker[None] | None = None

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="sample-title")
        with Horizontal():
            yield Document(id="sample-detail")
            yield AnnotationList(id="sample-annotations")
        yield FilterLine("a text in the sample", id="find")

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    @property
    def document(self) -> Document:
        return self.query_one(Document)

    @property
    def is_open(self) -> bool:
        return self._target is not None

    def hides(self, action: str) -> bool:
        is_linked = self.sample is not None and bool(self.sample.trace_ids)
        return action == "go_to_trace" and not is_linked

    @property
    def is_opening(self) -> bool:
        """Whether the open sample has still to be read."""
        return self._target != self._shown_target and self._target is not None

    def open(self, target: SampleTarget, place: str) -> None:
        """Show a sample.

        Args:
            target: The sample's ids.
            place: Its place in the table, in words.
        """
        self._target = target
        self.show_place(place)
        self._read(target)

    def show_place(self, place: str) -> None:
        """Show where the sample stands among the others."""
        self.query_one("#sample-title", OneLine).show([Piece(f" {place}", "muted")])

    def read_again(self) -> None:
        """Read the sample again, because it may have been logged again."""
        if self._target is not None:
            self._read(self._target)

    def take_count(self, target: Target, count: int) -> None:
        """Show how many annotations a sample has now, if it is the open one."""
        if target != self._target:
            return
        if self._reader is not None and not self._reader.is_finished:
            # The sample that is being read may still have the number from before.
            self.read_again()
        elif self.sample is not None:
            sample = replace(self.sample, annotation_count=count)
            self._lay_out(sample.target, lambda: sample)

    def _read(self, target: SampleTarget) -> None:
        self._lay_out(target, partial(self._run.ask, sample_rows.detail, target))

    def _lay_out(self, target: SampleTarget, get: Callable[[], Sample | None]) -> None:
        def read() -> tuple[Sample | None, tuple[Section, ...]]:
            # This import is a third of the tab's code, and the table is to be shown before it.
            from flowtui.widgets.documents.sample_sections import sample_sections

            sample = get()
            return sample, () if sample is None else sample_sections(sample)

        self._reader = self.ask(
            read, partial(self._take, target), partial(self._show_failure, target), group="sample"
        )

    def _take(self, target: SampleTarget, read: tuple[Sample | None, tuple[Section, ...]]) -> None:
        if target == self._target:
            self._shown_target = target
            self.sample, self._sections = read
            self.refresh_bindings()
            self._show_sample()

    def _show_failure(self, target: SampleTarget, reason: str) -> None:
        if target == self._target:
            self._shown_target = target
            self.document.show_note(fmt.unread(reason))

    def _show_sample(self) -> None:
        if (sample := self.sample) is None:
            self.document.show_note("This sample is not in the store any more. Esc goes back.")
        else:
            raw = self._raw_sections(sample) if self._is_raw else None
            self.document.show((sample.target, self._is_raw), raw or self._sections)

    def _document_of(self, sample: Sample) -> Mapping[str, JsonValue]:
        from flowtui.reports.samples import sample_document

        return cast("Mapping[str, JsonValue]", sample_document(sample))

    def _raw_sections(self, sample: Sample) -> tuple[Section, ...]:
        from flowtui.widgets.documents.span_sections import raw_sections

        return raw_sections(self._document_of(sample))

    # Actions ---------------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self.query_one(AnnotationList).has_focus:
            self.document.focus()
            return
        self._target = self.sample = None
        self.post_message(self.Left())

    def action_step_sample(self, by: int) -> None:
        self.post_message(self.StepWanted(by))

    def action_next_pane(self) -> None:
        notes = self.query_one(AnnotationList)
        (self.document if notes.has_focus else notes).focus()

    @work
    async def action_go_to_trace(self) -> None:
        if self.sample is not None:
            await go_to_trace(self._flow, self.sample)

    @on(Document.Followed)
    def follow(self, event: Document.Followed) -> None:
        event.stop()
        if isinstance(event.target, SpanTarget):
            self._flow.follow(event.target, back_to="evals")
        elif isinstance(event.target, MediaPart):
            from flowtui.screens.traces.medium_file import show_medium

            show_medium(self.app, event.target)

    async def action_find(self) -> None:
        await self.query_one(FilterLine).open("")

    @on(FilterLine.Changed)
    def find(self, event: FilterLine.Changed) -> None:
        event.stop()
        count = self.document.find(event.text)
        event.line.note(f"{count:,} found" if event.text else "")

    @on(FilterLine.Entered)
    def go_to_match(self, event: FilterLine.Entered) -> None:
        event.stop()
        self.action_next_match(1)

    @on(FilterLine.Left)
    def leave_line(self, event: FilterLine.Left) -> None:
        event.stop()
        self.document.focus()

    def action_next_match(self, by: int) -> None:
        if self.document.find_next(by) is None:
            self.notify("Type a text to find first: / opens its line.", timeout=2)

    def action_toggle_raw(self) -> None:
        self._is_raw = not self._is_raw
        self._show_sample()

    def action_copy(self) -> None:
        focused = self.screen.focused
        if isinstance(focused, (Document, AnnotationList)) and focused.copy_text:
            self._flow.copy(focused.copy_text)

    def action_copy_sample(self) -> None:
        if self.sample is not None:
            from flowtui.reports.runs import dumps

            self._flow.copy(dumps(self._document_of(self.sample)))

    def action_page_sample(self) -> None:
        if (target := self._target) is None:
            return

        def read() -> str:
            from flowtui.reports.runs import dumps

            sample = self._run.ask(sample_rows.detail, target)
            return "" if sample is None else fmt.plain_text(dumps(self._document_of(sample)))

        self.ask(read, lambda text: self._flow.page(text) if text else None, group="pager")


async def go_to_trace(flow: Host, sample: Sample) -> None:
    """Show the trace that is linked to a sample; ask which one if there are several."""
    ids = sample.trace_ids
    if not ids:
        flow.notify("No trace is linked to this sample.", timeout=2)
        return
    chosen: list[str] | None = [ids[0]]
    if len(ids) > 1:
        choices = [Choice(id_, id_) for id_ in ids]
        chosen = await flow.push_screen_wait(ChooseScreen("Traces of the sample", choices, []))
    if chosen:
        flow.follow(SpanTarget(chosen[0], ""), back_to="evals")
