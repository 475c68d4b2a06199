"""What shows spans or samples to annotate: the keys that annotate, and the reading for them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from flowtui import format as fmt
from flowtui.failures import Failure
from flowtui.screens.annotate.jobs import Job, Jobs
from flowtui.screens.annotate.writing import (
    inverse,
    refusal,
    subject,
    write_feedback,
    writing,
)
from flowtui.screens.base import KEY_PATIENCE_S
from flowtui.screens.may_write import why_not_annotated, why_not_written
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.errors import AnnotationChanged
from flowtui.store.annotations.undo import UndoStack
from flowtui.store.annotations.values import (
    Annotation,
    Change,
    Target,
    ValueType,
)
from flowtui.store.errors import NoAnnotationTables, TargetGone
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.widgets.asking import Asks
from flowtui.widgets.lists.annotation_lines import details, summary, what_it_did
from flowtui.widgets.lists.annotation_list import AnnotationList

if TYPE_CHECKING:
    from flowtui.screens.review.queue import ReviewSource
    from flowtui.widgets.host import Host

ANNOTATING = (
    "give_feedback", "annotate", "edit_annotation", "delete_annotation", "undo_annotation",
)  # fmt: skip
T = TypeVar("T")

LOOK_EVERY_S = 0.01
WAITING_SAID_AFTER_S = 0.5
"""How long a write may take before it is said that the store is waited for."""
NONE_YET = "none yet   a annotates"

Shows: TypeAlias = Callable[[sqlite3.Connection], Callable[[int], object]]
"""A question whose answer is called on the loop with how many annotations the target has."""


class Annotated(Asks, Container):
    """Annotates what its subclass has under the cursor.

    What keys ask for is done in their order, one after the other, each on the target that was
    under the cursor when the key was pressed; the store is asked in threads.
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
                tooltip="Undo the last change of an annotation; again for the one before"),
        Binding("R", "review", "Review", show=False, id="annotate.review",
                tooltip="Judge one after the other what you have not annotated yet"),
    ]  # fmt: skip

    can_review: ClassVar[bool] = True
    """Whether there are others to go through from here."""

    @dataclass
    class ReviewAsked(Message):
        """Sent by Annotated when what is shown is to be gone through, one after the other."""

        source: ReviewSource[Any]
        undo: UndoStack

    def __init__(
        self, store: Store, run: OpenRun, *, undo: UndoStack | None = None, id: str | None = None
    ) -> None:
        """Make the container.

        Args:
            store: where the run is.
            run: whose spans or samples are annotated.
            undo: what was done so far, if other tabs are to undo it too.
            id: of the widget.
        """
        super().__init__(id=id)
        self._store = store
        self._run = run
        # An empty stack is as good as false.
        self.undo = UndoStack(run.database) if undo is None else undo
        """What was done here, for those that undo it elsewhere."""
        self._jobs = Jobs(self, self._tell_failure)
        self._is_reading = False
        self._is_read_wanted = False
        self._refusal = ""
        self.annotations: tuple[Annotation, ...] = ()
        """Of the target, as last read."""
        self._shown_target: Target | None = None
        """Whose they are."""
        self.own_changes = 0
        """How many were written here: what was asked for before one is to be asked for again."""

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    # What subclasses say ---------------------------------------------------------------------

    @property
    def target(self) -> Target | None:
        """What is under the cursor."""
        raise NotImplementedError

    def describe_target(self) -> str:
        """Return what the target is, for a title: `span  chat gpt-4o-mini`."""
        raise NotImplementedError

    def review_source(self) -> ReviewSource[Any] | None:
        """Return what a review goes through, None where there is nothing to go through."""
        return None

    @property
    def why_not(self) -> str:
        """Why nothing can be annotated here; nothing if it can."""
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
        # While something is typed, these keys are letters of it.
        is_typed = any(field.has_focus for field in self.query("Input"))
        return not (is_typed and action in ANNOTATING)

    # Reading ---------------------------------------------------------------------------------

    def show_target(self) -> None:
        """Have the target's annotations read and shown; to be called when the cursor rests.

        Of the one that is shown nothing is read again.
        """
        if self.target is None or self.target != self._shown_target:
            self.annotations_changed()

    def annotations_changed(self) -> None:
        """Read them again: the store has changed."""
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

    def _take_annotations(
        self, target: Target, read: tuple[tuple[Annotation, ...], str], problem: str = ""
    ) -> None:
        self._is_reading = False
        annotations, reason = read
        if target == self.target:
            self._shown_target = None if problem else target
            self._refusal = reason
            why_not = fmt.plain(problem, 300) or self.why_not
            note = f"none yet   {why_not}" if why_not else NONE_YET
            self._show_annotations(annotations, note)
        if self._is_read_wanted or target != self.target:
            self._is_read_wanted = False
            self.annotations_changed()

    def what_changed(self, change: Change) -> Shows:
        """Return a question whose answer shows what else a change that was written here alters.

        It is asked in the same read as the annotations of the target: one is enough.
        """
        return lambda _connection: lambda _count: None

    async def _show_own_change(self, change: Change) -> None:
        self.own_changes += 1
        if self._is_reading:
            # It may have been asked before the change was written.
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
            # The watch leaves to this what was written here; so all is read, or said why it is not.
            await self.app.run_action("app.refresh_now")
            return
        if target == self.target:
            self._shown_target = target
            self._show_annotations(annotations, NONE_YET)
        show_else(len(annotations))

    def _show_annotations(self, annotations: tuple[Annotation, ...], note: str) -> None:
        self.annotations = annotations
        for shown in self.query(AnnotationList):
            shown.show_annotations(annotations, note)

    # Doing things in their order -------------------------------------------------------------

    def _do(self, job: Callable[[Target], Awaitable[None]]) -> asyncio.Event | None:
        """Have something done to the target, after all that was asked for before.

        Returns:
            What is set when it is over; None if it is not done at all.
        """
        target = self.target
        if self.why_not:
            self._tell(self.why_not, is_bad=True)
        elif target is None:
            self._tell("there is nothing under the cursor to annotate", is_bad=True)
        else:
            return self._enqueue(partial(job, target))
        return None

    def _enqueue(self, job: Job) -> asyncio.Event:
        return self._jobs.put(partial(self._do_with_tables, job))

    async def _until_shown(self, over: asyncio.Event | None) -> None:
        """Wait until what is done asks on a screen of its own, or is over.

        Keys that are typed meanwhile are meant for that screen.
        """
        screen, until_s = self.app.screen, monotonic() + KEY_PATIENCE_S
        while over is not None and not over.is_set() and self.app.screen is screen:
            if monotonic() > until_s:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _do_with_tables(self, job: Job) -> None:
        try:
            await job()
        except NoAnnotationTables:
            if await self._made_tables():
                await job()

    async def _made_tables(self) -> bool:
        from flowtui.screens.annotate.form import CREATE_TABLES
        from flowtui.screens.dialogs.confirm import ConfirmScreen

        if not await self.app.push_screen_wait(ConfirmScreen(CREATE_TABLES)):
            self._tell("not written: the run's database has no tables for annotations")
            return False
        await self._write(partial(annotating.create_tables, self._run.database))
        return True

    async def _written(self, change: Change, words: str) -> None:
        """Take note of a change that was written, say so, and show it."""
        self.undo.push(change)
        await self._announce(change, f"{words}   u undoes")

    async def _announce(self, change: Change, words: str) -> None:
        self._tell(words)
        await self._show_own_change(change)

    def _tell_failure(self, error: Failure) -> None:
        self._tell(str(error), is_bad=True)

    async def _write(self, write: Callable[[], T]) -> T:
        """Return what a write answers; say that the store is waited for where that takes long."""
        timer = self.set_timer(WAITING_SAID_AFTER_S, self._tell_waiting)
        try:
            return await self.asked(write, is_write=True)
        finally:
            timer.stop()

    def _tell_waiting(self) -> None:
        self._tell("waiting for the store: it is busy, or its disk is slow")

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
            self._tell(f"{summary(done)}: it says so already")
        else:
            await self._written(done, summary(subject(done)))

    async def action_annotate(self) -> None:
        await self._until_shown(self._do(partial(self._fill_form, self._described, None)))

    async def action_edit_annotation(self) -> None:
        await self._until_shown(self._do(partial(self._edit, self._described, self._marked)))

    async def _edit(self, described: str, marked: Annotation | None, target: Target) -> None:
        known = marked or await self._chosen(target, "Edit which annotation?")
        if known is None:
            return
        if known.value_type not in tuple(ValueType):
            self._tell(f"{known.problem}: it cannot be edited here; d deletes it", is_bad=True)
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
        await self._until_shown(self._do(partial(self._delete, self._marked)))

    async def _delete(self, marked: Annotation | None, target: Target) -> None:
        known = marked or await self._chosen(target, "Delete which annotation?")
        question = "Delete this annotation?"
        while known is not None and await self._confirmed(question, known):
            try:
                deleted = await self._write(partial(annotating.delete, self._run.database, known))
            except AnnotationChanged as error:
                known = error.current
                question = "Somebody else changed it meanwhile. Delete what is there now?"
                if known is None:
                    self._tell(f"{error}", is_bad=True)
                    self.annotations_changed()
                continue
            if deleted is not None:
                await self._written(deleted, f"deleted {summary(known)}")
            return

    async def _confirmed(self, question: str, annotation: Annotation) -> bool:
        from flowtui.screens.dialogs.confirm import ConfirmScreen

        return await self.app.push_screen_wait(ConfirmScreen(question, details(annotation)))

    # Which one -------------------------------------------------------------------------------

    @property
    def _marked(self) -> Annotation | None:
        """The annotation under the cursor of the list, if the keys are in the list."""
        marked = [one.annotation for one in self.query(AnnotationList) if one.has_focus]
        # For a moment the list still shows the target before.
        return next((one for one in marked if one and one.target == self.target), None)

    async def _chosen(self, target: Target, question: str) -> Annotation | None:
        """Return the annotation that is meant, asked for if there are several."""
        from flowtui.screens.dialogs.choose import Choice, ChooseScreen

        found = await self.asked(partial(self._run.ask, annotation_rows.of_target, target))
        own = [one for one in found if one.user == self._user]
        if not found:
            self._tell("there is no annotation here yet: a annotates", is_bad=True)
            return None
        if len(own) == 1:
            return own[0]
        ordered = sorted(found, key=lambda one: one.user != self._user)
        choices = [Choice(one.id, summary(one), one.user) for one in ordered]
        chosen = await self.app.push_screen_wait(ChooseScreen(question, choices, []))
        return next((one for one in found if chosen and one.id == chosen[0]), None)

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
            # It can never be undone, and would stand in the way of what came before it.
            self.undo.skip()
            self._tell(f"not undone, and left: {error}", is_bad=True)
            return
        if undone is None:
            self._tell("there is nothing to undo")
        else:
            await self._announce(inverse(undone), f"undone: {what_it_did(undone)}")

    async def _settled_conflict(self, error: AnnotationChanged) -> Change | None:
        """Ask what to do about a change in the way; return what was undone over it."""
        from flowtui.screens.dialogs.confirm import ConflictScreen

        last = self.undo.last
        if last is None:
            return None
        now = ["it is gone now"] if error.current is None else details(error.current)
        question = f"Undo: {what_it_did(last)}?  But {error}."
        answer = await self.app.push_screen_wait(ConflictScreen(question, now))
        if answer == "overwrite":
            return await self._write(partial(self.undo.undo, overwrite=True))
        if answer == "skip":
            self.undo.skip()
            self._tell(f"left as it is: {what_it_did(last)}")
            self.annotations_changed()
        return None
