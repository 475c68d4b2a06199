"""The view of a review: what its keys do.

It is one file because all its jobs form one sequence: each job waits for those of earlier keys, and
leaves an item on the screen for the next. The widgets are in `body`, the queue of items is in
`queue`, and the reading of items in `reading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import ClassVar, Generic

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.failures import Failure
from flowtui.screens.annotate.annotated import Annotated
from flowtui.screens.annotate.fields import can_be_edited
from flowtui.screens.annotate.writing import (
    DEFAULT_NAME,
    is_answer,
    own_annotations,
    subject,
    write_answer,
)
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.review.body import ReviewBody
from flowtui.screens.review.parts import (
    TypedLine,
    closing_sections,
    done_words,
    headline,
    state_line,
)
from flowtui.screens.review.queue import (
    Item,
    Question,
    ReviewOutcome,
    ReviewQueue,
    ReviewSource,
)
from flowtui.screens.review.reading import ReadItem, ReviewReader
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import (
    Annotation,
    Change,
    Target,
    Value,
    ValueType,
    raw_text,
    type_of,
)
from flowtui.store.errors import InvalidAnnotation, TargetGone
from flowtui.store.genai import MediaPart
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.undo import UndoStack
from flowtui.widgets.asking import WAITING_WORD_AFTER_S
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import Section
from flowtui.widgets.documents.document import Document
from flowtui.widgets.lists.annotation_lines import value_piece

LEAVE_UNSAVED = "Leave without saving the notes or answers that you typed?"


class ReviewView(Annotated, Generic[Item]):
    """Shows one item after the other, and writes the answers about them.

    The keys' jobs are done in the order of the keys, and each leaves an item on the screen. So an
    answer never goes to an item that was not shown. If a job fails, the jobs that wait behind it
    are dropped, because they were meant for items that did not come.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "give_feedback(True)", "Good", key_display="+", id="review.good",
                tooltip="Answer true, and go on"),
        Binding("minus", "give_feedback(False)", "Bad", key_display="-", id="review.bad",
                tooltip="Answer false, and go on"),
        Binding("0", "answer_digit(0)", "Answer", key_display="0-9", id="review.digit_0",
                tooltip="Answer with this digit, and go on"),
        *(
            Binding(str(digit), f"answer_digit({digit})", "Answer", show=False,
                    id=f"review.digit_{digit}", tooltip="Answer with this digit, and go on")
            for digit in range(1, 10)
        ),
        # With priority, because otherwise the document, which has the focus, would take Enter.
        Binding("enter,number_sign", "type_answer", "Type", key_display="Enter", priority=True,
                id="review.type", tooltip="Type the answer; Enter saves it, and goes on"),
        Binding("i", "type_note", "Note", id="review.note",
                tooltip="Type a rationale, which is saved with the answer"),
        Binding("s,right_square_bracket", "skip", "Skip", id="review.skip",
                tooltip="Go on without an answer; at the end, go to the skipped items"),
        Binding("b,left_square_bracket", "back", "Back", id="review.back",
                tooltip="Back to the previous item; another answer to it edits the first"),
        Binding("u", "undo_annotation", "Undo", id="review.undo",
                tooltip="Undo the last change, and go back to its item"),
        Binding("c", "ask", "Question", id="review.ask",
                tooltip="Judge by another name, kind or type of value"),
        Binding("a", "annotate", "More", show=False, id="review.annotate",
                tooltip="Write any annotation of the item in the form"),
        Binding("e", "edit_annotation", "Edit", show=False, id="review.edit",
                tooltip="Edit an annotation's value and rationale"),
        Binding("r", "read_again", "Read again", id="review.read",
                tooltip="Try to read the item again"),
        Binding("y", "copy", "Copy", show=False, id="review.copy",
                tooltip="Copy the value under the cursor"),
        Binding("question_mark", "app.show_keys", "Keys", key_display="?", id="review.keys",
                tooltip="Show all keys that work here"),
        Binding("escape", "end_typing", "Back to the item", key_display="Esc",
                id="review.end_typing", tooltip="Stop typing, and go back to the item"),
        Binding("escape", "leave", "Leave", key_display="Esc", id="review.leave",
                tooltip="Leave the review; all answers are saved"),
    ]  # fmt: skip

    can_review = False

    @dataclass
    class Left(Message):
        """Sent by ReviewView when the review is left, with what was done in words."""

        words: str

    def __init__(
        self, store: Store, run: OpenRun, source: ReviewSource[Item], undo: UndoStack[Change]
    ) -> None:
        super().__init__(store, run, undo=undo)
        self._source = source
        self._queue = ReviewQueue(0)
        self._question = Question(DEFAULT_NAME)
        self._shown: ReadItem | None = None
        """The item on the screen."""
        self._places: dict[Target, int] = {}
        """The places of the items that were shown, by target."""
        self._notes: dict[int, str] = {}
        """The rationales that wait for an answer, by place."""
        self._unsaved: dict[int, str] = {}
        """The typed answers that are not written yet, by place."""
        self._reader = ReviewReader(self, run, source)
        self._undone: Change | None = None
        self._was_read = False
        self._reading: Timer | None = None
        """The timer until the head says that an item is being read; None while none is read."""
        self._is_leaving = False
        self._ended_at_s = 0.0
        """When the end of the review was last shown, by the monotonic clock."""

    def compose(self) -> Iterable[Widget]:
        yield ReviewBody()

    def on_mount(self) -> None:
        self._body.document.focus()
        self._enqueue(self._begin)

    @property
    def _body(self) -> ReviewBody:
        return self.query_one(ReviewBody)

    @property
    def target(self) -> Target | None:
        return None if self._shown is None else self._shown.item.target

    def describe_target(self) -> str:
        noun = self._source.noun
        return "" if self._shown is None else f"{noun}  {fmt.plain(self._shown.item.title, 60)}"

    def hides(self, action: str) -> bool:
        # The answers are what it is for, and it says before the first why none can be given.
        return False

    # Doing jobs in turn ----------------------------------------------------------------------

    def _drop_waiting(self) -> None:
        self._jobs.drop_waiting()
        self._is_leaving = False

    async def _made_tables(self) -> bool:
        made = await super()._made_tables()
        if not made:
            self._drop_waiting()
            self._offer_unsaved()
        return made

    def _tell_failure(self, error: Failure) -> None:
        self._drop_waiting()
        self._body.show_problem(f"✗ {error}")
        self._offer_unsaved()

    # Reading ---------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Read the items to judge and the question that was last answered, and show the first."""
        self._start_reading()
        try:
            begun = await self._reader.begin(self._user)
        except Failure:
            self._show_unread()
            raise
        self._question, self._refusal = begun.question, begun.refusal
        self._queue = ReviewQueue(begun.item_count)
        self._was_read = True
        await self._arrive()

    async def _arrive(self) -> None:
        """Show the item at the present place, or the next one that can be judged."""
        self._start_reading()
        try:
            found = await self._reader.read_next(self._queue, self._places, self._user)
        except Failure:
            self._show_unread()
            raise
        if found is None:
            self._show_end()
        else:
            self._show_item(found)

    def action_read_again(self) -> None:
        self._enqueue(self._arrive if self._was_read else self._begin)

    # Showing ---------------------------------------------------------------------------------

    def _start_reading(self) -> None:
        self._stop_reading()
        self._reading = self.set_timer(WAITING_WORD_AFTER_S, self._say_reading)

    def _say_reading(self) -> None:
        self._show_head(is_reading=True)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.stop()
            self._reading = None

    def _show_item(self, shown: ReadItem) -> None:
        self._stop_reading()
        self._shown = shown
        self._places[shown.item.target] = shown.place
        self._body.show_item(shown.item)
        self._show_annotations(shown.annotations, "none yet")
        self._reader.read_ahead(self._queue)

    def _show_annotations(self, annotations: tuple[Annotation, ...], note: str) -> None:
        super()._show_annotations(annotations, note)
        if self._shown is not None:
            is_annotated = bool(own_annotations(annotations, self._user))
            self._queue.settle(self._shown.place, is_annotated)
        self._show_head()

    def _show_end(self) -> None:
        self._ended_at_s = monotonic()
        self._show_instead(closing_sections(self._queue, self._source.noun, self._user))

    def _show_unread(self) -> None:
        """Show that the item cannot be read; the reason is shown when the job ends."""
        self._show_instead("This could not be read. r tries again, s goes on, Esc leaves.")

    def _show_instead(self, content: Sequence[Section] | str) -> None:
        self._stop_reading()
        self._shown = None
        self._body.show_instead(content)
        super()._show_annotations((), "")
        self._show_head()

    def _show_head(self, is_reading: bool = False) -> None:
        line = headline(self._queue, self._question, is_reading)
        answer: list[Piece] = []
        note = None
        if self._shown is not None:
            present = self._present_answer
            if present is not None:
                answer = [value_piece(present.kind, present.value)]
            note = self._notes.get(self._shown.place)
        self._body.show_lines(line if self._was_read else line[:1], state_line(answer, note))
        self.refresh_bindings()

    @property
    def _present_answer(self) -> Annotation | None:
        """The author's last answer to the present question about this item."""
        draft = self._question.draft(self._question.sample, None, self._user)
        given = [one for one in self.annotations if is_answer(one, draft)]
        return given[-1] if given else None

    # Answering -------------------------------------------------------------------------------

    def action_give_feedback(self, value: bool) -> None:
        self._answer_in_turn(value)

    def action_answer_digit(self, digit: int) -> None:
        self._answer_in_turn(digit)

    def _answer_in_turn(self, value: Value, typed: str = "") -> None:
        if self.why_not:
            self._tell(self.why_not, is_bad=True)
        else:
            self._enqueue(partial(self._answer, value, typed))

    async def _answer(self, value: Value, typed: str) -> None:
        shown, question = self._shown, self._question
        if shown is None or type_of(value) is not question.value_type:
            return
        draft = question.draft(value, self._notes.get(shown.place), self._user)
        write = partial(write_answer, self._run, shown.item.target, draft)
        if typed:
            self._unsaved[shown.place] = typed
        try:
            done = await self.asked(write, is_write=True)
        except TargetGone:
            self._queue.mark_gone()
            raise
        self._notes.pop(shown.place, None)
        self._unsaved.pop(shown.place, None)
        if not isinstance(done, Annotation):
            self.undo.push(done)
        self._queue.answer()
        await self._arrive()

    async def _written(self, change: Change, words: str) -> None:
        self.undo.push(change)
        self.annotations_changed()

    # Typing ----------------------------------------------------------------------------------

    def action_type_note(self) -> None:
        present = self._present_answer
        rationale = "" if present is None else present.rationale or ""
        place = -1 if self._shown is None else self._shown.place
        text = self._notes.get(place, rationale)
        self._body.line.open("note", "note", self._typable(text), "why; saved with the answer")

    def action_type_answer(self) -> None:
        present = self._present_answer
        given = "" if present is None else raw_text(present.value)
        place = -1 if self._shown is None else self._shown.place
        is_number = self._question.value_type is ValueType.INT
        self._body.line.open(
            "answer",
            fmt.plain(self._question.name, 30),
            self._typable(self._unsaved.get(place, given)),
            "a whole number" if is_number else "a text",
        )

    def _typable(self, text: str) -> str:
        """Return the text to begin with, or "" if it cannot be edited on a line.

        It is "" also while jobs wait, because the text may be that of an item about to be left.
        """
        is_fit = can_be_edited(text) and "\n" not in text and not self._jobs.is_at_work
        return text if is_fit else ""

    def _offer_unsaved(self) -> None:
        """Open the line again with a typed answer that could not be written."""
        shown = self._shown
        if shown is not None and shown.place in self._unsaved and not self._body.is_typing:
            text = self._unsaved[shown.place]
            self._body.line.open("answer", fmt.plain(self._question.name, 30), text, "")

    @on(TypedLine.Entered)
    def take_typed(self, event: TypedLine.Entered) -> None:
        event.stop()
        if event.purpose == "note":
            if event.text != event.was:
                self._enqueue(partial(self._take_note, event.text))
        elif not self._take_answer(event.text):
            return
        self._body.close_line()

    async def _take_note(self, text: str) -> None:
        if self._shown is not None:
            self._notes[self._shown.place] = text
            self._show_head()

    def _take_answer(self, text: str) -> bool:
        """Have a typed answer written; return whether it is a valid answer."""
        try:
            value = self._question.typed_value(text)
        except InvalidAnnotation as error:
            self._body.show_problem(str(error))
            return False
        self._answer_in_turn(value, text)
        return True

    # Moving between items --------------------------------------------------------------------

    @property
    def _is_at_end(self) -> bool:
        return self._was_read and self._shown is None and self._queue.is_over

    def action_skip(self) -> None:
        # An s that was typed before the end was shown is not meant to show the skipped items.
        if not self._is_at_end:
            self._enqueue(self._skip)
        elif self._flow.typed_at_s > self._ended_at_s:
            self._enqueue(self._show_skipped)

    async def _skip(self) -> None:
        if not self._queue.is_over:
            self._queue.skip()
            await self._arrive()

    async def _show_skipped(self) -> None:
        self._queue.reopen_skipped()
        await self._arrive()

    def action_back(self) -> None:
        self._enqueue(self._go_back)

    async def _go_back(self) -> None:
        if self._queue.back():
            await self._arrive()

    async def _undo_last(self) -> None:
        await super()._undo_last()
        undone, self._undone = self._undone, None
        place = None if undone is None else self._places.get(subject(undone).target)
        if place is not None:
            self._queue.go_to(place)
            await self._arrive()

    async def _announce(self, change: Change, words: str) -> None:
        self._undone = change
        self._tell(words)

    def action_ask(self) -> None:
        self._enqueue(self._ask)

    async def _ask(self) -> None:
        from flowtui.screens.review.question import QuestionScreen

        names = await self.asked(partial(self._run.ask, annotation_rows.names))
        chosen = await self.app.push_screen_wait(QuestionScreen(names, self._question))
        if chosen is not None:
            self._question = chosen
            self._show_head()

    def action_copy(self) -> None:
        if text := self._body.copy_text:
            self._flow.copy(text)

    @on(Document.Followed)
    def follow_or_tell(self, event: Document.Followed) -> None:
        event.stop()
        if isinstance(event.target, MediaPart):
            from flowtui.screens.traces.medium_file import show_medium

            show_medium(self.app, event.target)
            return
        self._tell("This link leads out of the review. Leave the review first, with Esc.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        value_type, is_at_end = self._question.value_type, self._is_at_end
        if any(body.is_typing for body in self.query(ReviewBody)):
            return action == "end_typing"
        match action:
            case "end_typing":
                return False
            case "give_feedback":
                return value_type is ValueType.BOOL and not is_at_end
            case "answer_digit":
                return value_type is ValueType.INT and not is_at_end
            case "type_answer":
                return self._question.is_typed and self.screen.is_current and not is_at_end
            case "type_note" | "annotate" | "edit_annotation" | "delete_annotation" | "ask":
                return not is_at_end
            case "skip":
                return not is_at_end or bool(self._queue.counts[ReviewOutcome.SKIPPED])
            case "back":
                return self._queue.place > 0
            case "read_again":
                return self._shown is None and not is_at_end
        return super().check_action(action, parameters)

    # Leaving ---------------------------------------------------------------------------------

    def action_end_typing(self) -> None:
        self._body.close_line()

    def action_leave(self) -> None:
        if self._is_leaving or self._is_only_reading:
            self._finish()
        else:
            # The jobs of earlier keys are still done. A second Esc does not wait for them.
            self._is_leaving = True
            self._enqueue(self._leave)

    @property
    def _is_only_reading(self) -> bool:
        return self._reading is not None and not self._jobs.waiting_count

    @property
    def unsaved(self) -> str:
        """What to ask where something typed was not written; else nothing."""
        return LEAVE_UNSAVED if self._notes or self._unsaved else ""

    async def _leave(self) -> None:
        if self.unsaved and not await self.app.push_screen_wait(ConfirmScreen(self.unsaved)):
            self._is_leaving = False
        else:
            self._finish()

    def _finish(self) -> None:
        words = ", ".join(done_words(self._queue)) or "nothing answered"
        self.post_message(self.Left(words))
