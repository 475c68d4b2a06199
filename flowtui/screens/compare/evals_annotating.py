"""Annotating samples of a comparison: the sample that is looked at, in the run that one chose."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container

from flowtui import format as fmt
from flowtui.failures import Failure
from flowtui.screens.annotate.annotated import ANNOTATING, Annotated
from flowtui.screens.annotate.jobs import Jobs
from flowtui.screens.compare.base import CompareState
from flowtui.screens.compare.evals_notes import RunNotes
from flowtui.screens.compare.evals_sample import ComparedSampleView
from flowtui.store.compare.sample_page import ComparedSample


class AnnotatingRuns(Container):
    """Annotates the sample that a subclass shows, in one run at a time.

    Each run has a `RunNotes`, with the store and the undo stack of this run, so that a key that is
    still being worked on stays with the run for which it was pressed. They share their jobs, so
    that undoing finds what was changed last in any run.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_run", "Run", key_display="Tab", id="compare_evals.run",
                tooltip="Annotate the sample in the other run"),
        *Annotated.BINDINGS,
    ]  # fmt: skip

    def __init__(self, state: CompareState, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state = state
        self.jobs = Jobs(self, self._tell_failure)
        self.noted = state.candidate
        """The letter of the run that is annotated."""

    # What subclasses say ---------------------------------------------------------------------

    @property
    def sample(self) -> ComparedSample | None:
        """The open sample, or the one under the cursor."""
        raise NotImplementedError

    def show_noted(self) -> None:
        """Show which run is annotated."""
        raise NotImplementedError

    def show_count(self, letter: str, changed: RunNotes.Counted) -> None:
        """Show how many annotations a sample of a run has now."""
        raise NotImplementedError

    # Annotating ------------------------------------------------------------------------------

    @property
    def view(self) -> ComparedSampleView:
        return self.query_one(ComparedSampleView)

    @property
    def notes(self) -> RunNotes:
        """The annotations of the run that is annotated."""
        return self.view.notes(self.noted)

    def take_target(self) -> None:
        """Have the sample under the cursor annotated; an open one is as soon as it is read."""
        if self.view.is_open:
            return
        sample = self.sample
        for at, run in enumerate(self.state.runs.runs):
            of = None if sample is None else sample.samples[at]
            self.view.notes(run.letter).take(None if of is None else of.target)

    def action_next_run(self) -> None:
        letters = [run.letter for run in self.state.runs.runs]
        if not self.view.is_open:
            letters = [letters[0], self.state.candidate]
        at = letters.index(self.noted) + 1 if self.noted in letters else 0
        self.noted = letters[at % len(letters)]
        self.view.show_notes(self.noted)
        self.show_noted()

    def _may_annotate(self) -> bool:
        if self.sample is not None and self.notes.target is None and not self.notes.why_not:
            words = f"This sample is not in {self.noted}. Tab takes another run."
            self.notify(words, severity="warning", timeout=5)
            return False
        return True

    def action_give_feedback(self, value: bool) -> None:
        if self._may_annotate():
            self.notes.action_give_feedback(value)

    async def action_annotate(self) -> None:
        if self._may_annotate():
            await self.notes.action_annotate()

    async def action_edit_annotation(self) -> None:
        if self._may_annotate():
            await self.notes.action_edit_annotation()

    async def action_delete_annotation(self) -> None:
        if self._may_annotate():
            await self.notes.action_delete_annotation()

    def action_undo_annotation(self) -> None:
        self.jobs.put(self._undo_last)

    async def _undo_last(self) -> None:
        """Undo the last change of any run."""
        all_notes = [self.view.notes(run.letter) for run in self.state.runs.runs]
        last = max(all_notes, key=lambda notes: notes.undo.last_number)
        await (last if last.undo.last_number else self.notes).undo_last()

    def _tell_failure(self, error: Failure) -> None:
        self.notify(fmt.plain(str(error), 300), severity="warning", timeout=5, markup=False)

    def action_review(self) -> None:
        self.notes.action_review()

    @on(RunNotes.Counted)
    def take_count(self, event: RunNotes.Counted) -> None:
        event.stop()
        self.show_count(event.letter, event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # While an input has the focus, these keys are letters to type.
        is_typed = any(field.has_focus for field in self.query("Input"))
        return not (is_typed and action in ANNOTATING)


def with_count(sample: ComparedSample, at: int, event: RunNotes.Counted) -> ComparedSample:
    """Return a sample with the number of annotations that it has now in one run."""
    of = sample.samples[at]
    if of is None or of.target != event.target:
        return sample
    changed = replace(of, annotation_count=event.count)
    others = (*sample.samples[:at], changed, *sample.samples[at + 1 :])
    return replace(sample, samples=others)
