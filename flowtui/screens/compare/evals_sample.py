"""One joined sample in full: its scores, its input once, and the outputs of all runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.annotate.jobs import Jobs
from flowtui.screens.compare.evals_notes import RunNotes
from flowtui.screens.compare.evals_reading import ReadComparison
from flowtui.store.compare.run_set import RunSet
from flowtui.store.compare.sample_page import ComparedSample, in_full
from flowtui.store.compare.score_pairs import HigherIsBetter
from flowtui.store.errors import StoreError
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import Section
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.annotation_list import AnnotationList

if TYPE_CHECKING:
    from flowtui.widgets.host import Host


@dataclass(frozen=True, slots=True)
class ReadInFull:
    """One joined sample as it was read."""

    sample: ComparedSample
    problems: Mapping[str, StoreError]
    sections: tuple[Section, ...]


class ComparedSampleView(Asks, Container):
    """Shows one joined sample beside its annotations in each run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Samples", key_display="Esc", id="compare_sample.leave",
                tooltip="Back to the table"),
        Binding("left_square_bracket", "step_sample(-1)", "Previous", show=False,
                id="compare_sample.before",
                tooltip="The previous sample that got worse, or that the view is about"),
        Binding("right_square_bracket", "step_sample(1)", "Next worse", key_display="[ ]",
                id="compare_sample.after",
                tooltip="The next sample that got worse, or that the view is about"),
        Binding("y", "copy", "Copy", show=False, id="compare_sample.copy",
                tooltip="Copy the value under the cursor"),
    ]  # fmt: skip

    @dataclass
    class StepWanted(Message):
        """Sent by ComparedSampleView to open the next sample of its kind, or the one before."""

        by: int

    @dataclass
    class Left(Message):
        """Sent by ComparedSampleView when the table is to be shown again."""

    def __init__(self, runs: RunSet, jobs: Jobs, *, id: str | None = None) -> None:
        """Make the view; `jobs` are those of annotating, of all runs."""
        super().__init__(id=id)
        self._runs = runs
        self._jobs = jobs
        self._number: int | None = None
        self._shown_number: int | None = None
        self.read: ReadInFull | None = None
        """The open sample as it was last read."""
        self._noted = "A"

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="sample-title")
        with Horizontal():
            yield Document(id="sample-detail")
            with Vertical(id="notes"):
                for run in self._runs.runs:
                    yield RunNotes(run, self._jobs)

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    @property
    def document(self) -> Document:
        return self.query_one(Document)

    @property
    def number(self) -> int | None:
        """The number of the open sample, None while none is open."""
        return self._number

    @property
    def is_open(self) -> bool:
        return self._number is not None

    @property
    def is_opening(self) -> bool:
        """Whether the open sample has still to be read."""
        return self._number != self._shown_number and self._number is not None

    def notes(self, letter: str) -> RunNotes:
        return self.query_one(f"#notes-{letter}", RunNotes)

    def open(self, listed: ReadComparison, number: int, higher: HigherIsBetter, place: str) -> None:
        """Show a sample; if it is open already, read it again.

        Args:
            listed: The joined samples.
            number: Which of them.
            higher: Says of each score what is better.
            place: Its place in the table, in words.
        """
        self._number = number
        self.query_one("#sample-title", OneLine).show([Piece(f" {place}", "muted")])
        question = partial(_read_in_full, self._runs, listed, number, higher)
        self.ask(question, partial(self._take, number), partial(self._fail, number), group="sample")

    def _take(self, number: int, read: ReadInFull) -> None:
        if number != self._number:
            return
        self._shown_number = number
        self.read = read
        if read.sample.first is None and not read.problems:
            self.document.show_note("This sample is in none of the runs any more. Esc goes back.")
        else:
            self.document.show(read.sample.key, read.sections)
        self.show_notes(self._noted)

    def _fail(self, number: int, reason: str) -> None:
        if number == self._number:
            self._shown_number = number
            for notes in self.query(RunNotes):
                notes.take(None)
            self.document.show_note(fmt.unread(reason))

    def show_notes(self, letter: str) -> None:
        """Show the annotations of each run, those of the one that is annotated marked."""
        self._noted = letter
        if not self.is_open or self.read is None:
            return
        for run, sample in zip(self._runs.runs, self.read.sample.samples, strict=True):
            is_current = run.letter == letter
            notes = self.notes(run.letter)
            notes.set_class(is_current, "-current")
            notes.show(None if sample is None else sample.target, is_current)
            if is_current:
                notes.scroll_visible(animate=False)

    # Actions ---------------------------------------------------------------------------------

    def action_leave(self) -> None:
        if any(notes.lines.has_focus for notes in self.query(RunNotes)):
            self.document.focus()
            return
        self._number = self._shown_number = self.read = None
        self.post_message(self.Left())

    def action_step_sample(self, by: int) -> None:
        self.post_message(self.StepWanted(by))

    def next_pane(self) -> None:
        """Focus the annotations of the run that is annotated, or the document again."""
        lines = self.notes(self._noted).lines
        (lines if self.document.has_focus and lines.display else self.document).focus()

    def action_copy(self) -> None:
        focused = self.screen.focused
        if isinstance(focused, (Document, AnnotationList)) and focused.copy_text:
            self._flow.copy(focused.copy_text)

    @on(Document.Followed)
    def follow(self, event: Document.Followed) -> None:
        from flowtui.widgets.documents.compared_sections import ComparedTrace

        event.stop()
        if isinstance(event.target, ComparedTrace):
            self._flow.compare_traces({event.target.letter: event.target.trace_id})


def _read_in_full(
    runs: RunSet, listed: ReadComparison, number: int, higher: HigherIsBetter
) -> ReadInFull:
    # This import is much of the tab's code, and the table is to be shown before it.
    from flowtui.widgets.documents.compared_sections import LetteredRun, compared_sections

    sample, problems = in_full(runs, listed.samples, number, listed.problems)
    named = [LetteredRun(run.letter, run.run.name) for run in runs.runs]
    return ReadInFull(sample, problems, compared_sections(sample, named, higher, problems))
