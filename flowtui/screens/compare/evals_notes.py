"""The annotations of one run of a comparison, for the sample that is looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from textual.message import Message
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.annotate.annotated import Annotated, ChangeQuestion
from flowtui.screens.annotate.jobs import Jobs
from flowtui.screens.annotate.writing import subject
from flowtui.screens.review.queue import ReviewSource
from flowtui.store.annotations.values import Change, SampleTarget, Target
from flowtui.store.compare.run_set import ComparedRun
from flowtui.widgets.cells import Piece
from flowtui.widgets.compare import letter_role
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.annotation_list import AnnotationList


class RunNotes(Annotated):
    """Shows the annotations of a sample in one run, and annotates it there."""

    none_yet = "none yet"
    """The keys annotate one run at a time, which its title says."""

    @dataclass
    class Counted(Message):
        """Sent by RunNotes when a sample has another number of annotations."""

        letter: str
        target: Target
        count: int

    def __init__(self, run: ComparedRun, jobs: Jobs) -> None:
        super().__init__(run.store, run.run, jobs=jobs, id=f"notes-{run.letter}")
        self.compared = run
        self._target: SampleTarget | None = None
        self.source: Callable[[], ReviewSource[Any] | None] = lambda: None
        """Makes the source of a review."""

    def compose(self) -> Iterable[Widget]:
        yield OneLine(classes="notes-title")
        yield AnnotationList(id=f"list-{self.compared.letter}")

    @property
    def target(self) -> Target | None:
        return self._target

    def describe_target(self) -> str:
        if self._target is None:
            return ""
        return f"sample  {fmt.plain(self._target.eval_id, 60)} in {self.compared.letter}"

    def where(self, target: Target) -> str:
        sample = f", {fmt.plain(target.eval_id, 60)}" if isinstance(target, SampleTarget) else ""
        return f" in {self.compared.letter}{sample}"

    async def undo_last(self) -> None:
        """Undo the last change that was made in this run, or say why that cannot be."""
        if self.why_not:
            self._tell(self.why_not, is_bad=True)
        else:
            await self._do_with_tables(self._undo_last)

    def review_source(self) -> ReviewSource[Any] | None:
        return self.source()

    @property
    def lines(self) -> AnnotationList:
        return self.query_one(AnnotationList)

    def take(self, target: SampleTarget | None) -> None:
        """Annotate another sample from now on, without reading its annotations."""
        self._target = target

    def show(self, target: SampleTarget | None, is_current: bool) -> None:
        """Show the annotations of a sample, or that this run does not have it."""
        self._target = target
        letter = self.compared.letter
        name = fmt.plain(self.compared.run.name, 40)
        pieces = [Piece(" "), Piece(letter, letter_role(letter)), Piece(f" {name}", "muted")]
        if is_current:
            pieces += [Piece("  + - a", "accent"), Piece(" annotate", "muted")]
        self.query_one(OneLine).show(pieces)
        self.lines.display = target is not None
        self.show_target()

    def what_changed(self, change: Change) -> ChangeQuestion:
        target = subject(change).target

        def read(_connection: sqlite3.Connection) -> Callable[[int], object]:
            return lambda count: self.post_message(
                self.Counted(self.compared.letter, target, count)
            )

        return read
