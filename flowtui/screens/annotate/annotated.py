"""The base of every view whose spans or samples can be annotated: its keys, reads and writes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from flowtui import format as fmt
from flowtui.failures import Failure
from flowtui.screens.annotate.dialogs import (
    chosen_annotation,
    conflict_answer,
    may_create_tables,
    may_delete,
)
from flowtui.screens.annotate.jobs import Job, Jobs, until_shown
from flowtui.screens.annotate.writing import (
    inverse,
    refusal,
    subject,
    write_feedback,
    writing,
)
from flowtui.screens.may_write import why_not_annotated, why_not_written
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.errors import AnnotationChanged
from flowtui.store.annotations.values import (
    Annotation,
    Change,
    Target,
    ValueType,
)
from flowtui.store.errors import NoAnnotationTables, TargetGone
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.undo import UndoStack
from flowtui.widgets.asking import Asks
from flowtui.widgets.frame.frame import HidesKeys
from flowtui.widgets.lists.annotation_lines import summary, what_it_did
from flowtui.widgets.lists.annotation_list import AnnotationList

if TYPE_CHECKING:
    from flowtui.screens.review.queue import ReviewSource
    from flowtui.widgets.host import Host

ANNOTATING = (
    "give_feedback", "annotate", "edit_annotation", "delete_annotation", "undo_annotation",
)  # fmt: skip
T = TypeVar("T")

BUSY_WORD_AFTER_S = 0.5
"""How long a write may take before a notice says that it waits for the store."""
WRITING = ("give_feedback", "annotate")
"""How the actions begin whose keys are not shown where nothing can be annotated."""
ChangeQuestion: TypeAlias = Callable[[sqlite3.Connection], Callable[[int], object]]
"""A question to the store whose answer is a function that shows it.

The function is called on the loop with the number of annotations of the target.
"""


class Annotated(HidesKeys, Asks, Container):
    """Annotates the target that a subclass has under its cursor.

    The keys' jobs are done one after the other, in the order of the keys. Each job has the target
    that was under the cursor when its key was pressed. The store is asked in threads.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "give_feedback(True)", "Good", key_display="+", id="annotate.good",
                tooltip="Feedback true, under the name last used in this run"),
        Binding("minus", "give_feedback(False)", "Bad", key_display="-", id="annotate.bad",
                tooltip="Feedback false, under the name last used in this run"),
        Binding("a", "annotate", "Annotate", id="annotate.add",
                tooltip="Write feedback or an expectation"),
        Binding("e", "edit_annotation", "Edit", show=False, id="annotate.edit",
                tooltip="Edit an annotation's value and rationale"),
        Binding("d", "delete_annotation", "Delete", show=False, id="annotate.delete",
                tooltip="Delete an annotation"),
        Binding("u", "undo_annotation", "Undo", show=False, id="annotate.undo",
                tooltip="Undo the last change of an annotation; again undoes the one before"),
        Binding("R", "review", "Review", show=False, id="annotate.review",
                tooltip="Judge what you have not annotated yet, one after the other"),
    ]  # fmt: skip

    none_yet: ClassVar[str] = "none yet   a annotates"
    """What is said of a target without annotations."""
    can_review: ClassVar[bool] = True
    """Whether a review can be started from here."""

    @dataclass
    class ReviewAsked(Message):
        """Sent by Annotated when a review of what it shows is to begin."""

        source: ReviewSource[Any]
        undo: UndoStack[Change]

    def __init__(
        self,
        store: Store,
        run: OpenRun,
        *,
        undo: UndoStack[Change] | None = None,
        jobs: Jobs | None = None,
        id: str | None = None,
    ) -> None:
        """Make the container.

        Args:
            store: The store of the run.
            run: The run whose spans or samples are annotated.
            undo: The undo stack to share with another widget; None for a new one.
            jobs: The jobs to share, which are then done in one order; None for its own.
            id: The widget's id.
        """
        super().__init__(id=id)
        self._store = store
        self._run = run
        # Not `undo or undo_stack(…)`: an empty stack is false, and would not be shared.
        self.undo = annotating.undo_stack(run.database) if undo is None else undo
        """The changes that were made here, to be shared with a review."""
        self._jobs = Jobs(self, self._tell_failure) if jobs is None else jobs
        self._is_reading = False
        self._is_read_wanted = False
        self._refusal = ""
        self.annotations: tuple[Annotation, ...] = ()
        """The annotations of the target, as they were last read."""
        self._shown_target: Target | None = None
        """The target of these annotations."""
        self._can_annotate = False
        """Whether there is a target that can be annotated, as far as is known."""
        self.own_changes = 0
        """How many changes were written here.

        If this number has changed during a read, the read may not have seen the last change, and
        is done again.
        """

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    # What subclasses say ---------------------------------------------------------------------

    @property
    def target(self) -> Target | None:
        """The span or sample under the cursor."""
        raise NotImplementedError

    def describe_target(self) -> str:
        """Return the kind and name of the target for a title, such as `span  chat gpt-4o-mini`."""
        raise NotImplementedError

    def where(self, target: Target) -> str:
        """Return in which of several runs a target is, for messages; empty where there is one."""
        return ""

    def review_source(self) -> ReviewSource[Any] | None:
        """Return the source of a review; None if there is nothing to review."""
        return None

    @property
    def why_not(self) -> str:
        """Why nothing can be annotated here; empty if it is possible."""
        options = self._flow.options
        written = why_not_written(self._store, options)
        return written or self._refusal or why_not_annotated(self._store, options)

    @property
    def _user(self) -> str:
        return self._flow.options.user

    @property
    def _described(self) -> str:
        return "" if self.target is None else self.describe_target()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "review" and not self.can_review:
            return False
        # While an input has the focus, these keys are letters to type.
        is_typed = any(field.has_focus for field in self.query("Input"))
        return not (is_typed and action in ANNOTATING)

    def hides(self, action: str) -> bool:
        if action == "review":
            return bool(self.why_not)
        return action.startswith(WRITING) and not self._can_annotate

    def _take_whether_possible(self) -> None:
        can_annotate = self.target is not None and not self.why_not
        if can_annotate != self._can_annotate:
            self._can_annotate = can_annotate
            self.refresh_bindings()

    # Reading ---------------------------------------------------------------------------------

    def show_target(self) -> None:
        """Read and show the target's annotations; to be called when the cursor rests.

        If they are shown already, they are not read again.
        """
        if self.target is None or self.target != self._shown_target:
            self.annotations_changed()

    def annotations_changed(self) -> None:
        """Read the annotations again, because the store has changed."""
        if self._is_reading:
            self._is_read_wanted = True
        elif (target := self.target) is not None:
            self._is_reading = True
            self.ask(
                lambda: (self._run.ask(annotation_rows.of_target, target), refusal(self._run)),
                partial(self._take_annotations, target),
                partial(self._take_annotations, target, ((), "")),
                group="annotations",
                replaces=False,
            )
        else:
            self._shown_target = None
            self._show_annotations((), "")
            self._take_whether_possible()

    def _take_annotations(
        self, target: Target, read: tuple[tuple[Annotation, ...], str], problem: str = ""
    ) -> None:
        self._is_reading = False
        annotations, reason = read
        if target == self.target:
            self._shown_target = None if problem else target
            self._refusal = reason
            why_not = fmt.plain(problem, 300) or self.why_not
            note = f"none yet   {why_not}" if why_not else self.none_yet
            self._show_annotations(annotations, note)
            self._take_whether_possible()
        if self._is_read_wanted or target != self.target:
            self._is_read_wanted = False
            self.annotations_changed()

    def what_changed(self, change: Change) -> ChangeQuestion:
        """Return a question about everything else that a change written here may have changed.

        It is asked in the same read as the annotations of the target, so that one read is enough.
        """
        return lambda _connection: lambda _count: None

    async def _show_own_change(self, change: Change) -> None:
        self.own_changes += 1
        if self._is_reading:
            # The read that is going on may have begun before the change was written.
            self._is_read_wanted = True
        target = subject(change).target
        what_else = self.what_changed(change)

        def read(
            connection: sqlite3.Connection,
        ) -> tuple[tuple[Annotation, ...], Callable[[int], object]]:
            return annotation_rows.of_target(connection, target), what_else(connection)

        try:
            annotations, show_else = await self.asked(partial(self._run.ask, read))
        except Failure:
            # The watcher does not report what was written here. So without this refresh nothing
            # would show the change, or say why it cannot be read.
            await self.app.run_action("app.refresh_now")
            return
        if target == self.target:
            self._shown_target = target
            self._show_annotations(annotations, self.none_yet)
        show_else(len(annotations))

    def _show_annotations(self, annotations: tuple[Annotation, ...], note: str) -> None:
        self.annotations = annotations
        for shown in self.query(AnnotationList):
            shown.show_annotations(annotations, note)

    # Doing jobs in their order ---------------------------------------------------------------

    def _do(self, job: Callable[[Target], Awaitable[None]]) -> asyncio.Event | None:
        """Have a job done on the target, after the jobs of earlier keys.

        Returns:
            An event that is set when the job is over; None if the job cannot be done.
        """
        target = self.target
        if self.why_not:
            self._tell(self.why_not, is_bad=True)
        elif target is None:
            self._tell("Nothing under the cursor can be annotated.", is_bad=True)
        else:
            return self._enqueue(partial(job, target))
        return None

    def _enqueue(self, job: Job) -> asyncio.Event:
        return self._jobs.put(partial(self._do_with_tables, job))

    async def _do_with_tables(self, job: Job) -> None:
        try:
            await job()
        except NoAnnotationTables:
            if await self._made_tables():
                await job()

    async def _made_tables(self) -> bool:
        if not await may_create_tables(self.app):
            self._tell("Not written: the run's database has no tables for annotations.")
            return False
        await self._write(partial(annotating.create_tables, self._run.database))
        return True

    async def _written(self, change: Change, words: str) -> None:
        """Put a written change on the undo stack, report it, and show it."""
        self.undo.push(change)
        await self._announce(change, f"{words}{self.where(subject(change).target)}   u undoes")

    async def _announce(self, change: Change, words: str) -> None:
        self._tell(words)
        await self._show_own_change(change)

    def _tell_failure(self, error: Failure) -> None:
        self._tell(str(error), is_bad=True)

    async def _write(self, write: Callable[[], T]) -> T:
        """Return the result of a write; if it takes long, say that it waits for the store."""
        timer = self.set_timer(BUSY_WORD_AFTER_S, self._tell_waiting)
        try:
            return await self.asked(write, is_write=True)
        finally:
            timer.stop()

    def _tell_waiting(self) -> None:
        self._tell("Waiting for the store: it is busy, or its disk is slow.")

    def _tell(self, words: str, is_bad: bool = False) -> None:
        self.notify(
            fmt.plain(words, 300),
            severity="warning" if is_bad else "information",
            timeout=5 if is_bad else 2,
            markup=False,
        )

    # Adding and editing ----------------------------------------------------------------------

    def action_give_feedback(self, value: bool) -> None:
        self._do(partial(self._give_feedback, value))

    async def _give_feedback(self, value: bool, target: Target) -> None:
        done = await self._write(partial(write_feedback, self._run, target, value, self._user))
        if isinstance(done, Annotation):
            known = f"{summary(done)}{self.where(target)}"
            self._tell(f"{known}: your annotation has this value already.")
        else:
            await self._written(done, summary(subject(done)))

    async def action_annotate(self) -> None:
        job = partial(self._fill_form, self._described, None)
        await until_shown(self.app, self._do(job))

    async def action_edit_annotation(self) -> None:
        job = partial(self._edit, self._described, self._marked)
        await until_shown(self.app, self._do(job))

    async def _edit(self, described: str, marked: Annotation | None, target: Target) -> None:
        known = marked or await self._chosen(target, "Edit which annotation?")
        if known is None:
            return
        if known.value_type not in tuple(ValueType):
            self._tell(f"{known.problem}: it cannot be edited here. d deletes it.", is_bad=True)
            return
        await self._fill_form(described, known, target)

    async def _fill_form(self, described: str, known: Annotation | None, target: Target) -> None:
        from flowtui.screens.annotate.form import AnnotationForm

        how = writing(self._run, target)
        change = await self.app.push_screen_wait(AnnotationForm(described, how, self._user, known))
        if change is not None:
            await self._written(change, summary(subject(change)))

    # Deleting --------------------------------------------------------------------------------

    async def action_delete_annotation(self) -> None:
        await until_shown(self.app, self._do(partial(self._delete, self._marked)))

    async def _delete(self, marked: Annotation | None, target: Target) -> None:
        known = marked or await self._chosen(target, "Delete which annotation?")
        question = "Delete this annotation?"
        while known is not None and await may_delete(self.app, question, known):
            try:
                deleted = await self._write(partial(annotating.delete, self._run.database, known))
            except AnnotationChanged as error:
                known = error.current
                question = "Somebody else has changed it meanwhile. Delete it as it is now?"
                if known is None:
                    self._tell(f"{error}", is_bad=True)
                    self.annotations_changed()
                continue
            if deleted is not None:
                await self._written(deleted, f"Deleted {summary(known)}")
            return

    # Choosing an annotation ------------------------------------------------------------------

    @property
    def _marked(self) -> Annotation | None:
        """The annotation under the cursor of the list, if the list has the focus."""
        marked = [one.annotation for one in self.query(AnnotationList) if one.has_focus]
        # Until the annotations are read, the list still shows those of the previous target.
        return next((one for one in marked if one and one.target == self.target), None)

    async def _chosen(self, target: Target, question: str) -> Annotation | None:
        """Return the user's own annotation of a target; ask which one if that is not clear."""
        found = await self.asked(partial(self._run.ask, annotation_rows.of_target, target))
        if not found:
            self._tell("There is no annotation here yet. a annotates.", is_bad=True)
            return None
        return await chosen_annotation(self.app, question, found, self._user)

    # Reviewing -------------------------------------------------------------------------------

    def action_review(self) -> None:
        if self.why_not:
            self._tell(self.why_not, is_bad=True)
        elif (source := self.review_source()) is not None:
            self.post_message(self.ReviewAsked(source, self.undo))

    # Undoing ---------------------------------------------------------------------------------

    def action_undo_annotation(self) -> None:
        if self.why_not:
            self._tell(self.why_not, is_bad=True)
        else:
            self._enqueue(self._undo_last)

    async def _undo_last(self) -> None:
        try:
            undone = await self._write(self.undo.undo)
        except AnnotationChanged as error:
            undone = await self._settled_conflict(error)
            if undone is None:
                return
        except TargetGone as error:
            # This change can never be undone; on the stack it would block those before it.
            self.undo.skip()
            self._tell(f"Not undone: {error}", is_bad=True)
            return
        if undone is None:
            self._tell("There is nothing to undo.")
        else:
            where = self.where(subject(undone).target)
            await self._announce(inverse(undone), f"Undone{where}: {what_it_did(undone)}.")

    async def _settled_conflict(self, error: AnnotationChanged) -> Change | None:
        """Ask what to do if somebody has changed what is to be undone.

        Returns:
            The change that was undone all the same; None if it was not undone.
        """
        last = self.undo.last
        if last is None:
            return None
        where = self.where(subject(last).target)
        answer = await conflict_answer(self.app, last, error, where)
        if answer == "overwrite":
            return await self._write(partial(self.undo.undo, overwrite=True))
        if answer == "skip":
            self.undo.skip()
            self._tell(f"Not undone{where}: {what_it_did(last)}.")
            self.annotations_changed()
        return None
