"""What a review shows around the item: the progress, the answer, and a line to type into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from flowtui import format as fmt
from flowtui.screens.review.queue import Question, ReviewOutcome, ReviewQueue
from flowtui.store.annotations.values import AnnotationKind
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import Fact, Facts, Section, Text

Purpose = Literal["note", "answer"]
TYPE_WORDS = {"string": "text", "int": "integer", "bool": "boolean"}


def headline(queue: ReviewQueue, question: Question, is_reading: bool) -> list[Piece]:
    """Return the place in the queue, the question, and what was done so far."""
    place = min(queue.place + 1, queue.total)
    at = "at the end" if queue.is_over else f"{place:,} of {queue.total:,}"
    pieces = [
        Piece(" Review", "accent"),
        Piece(f"  {at}", "title"),
        Piece("   judging ", "muted"),
        Piece(fmt.plain(question.name, 40)),
        Piece(f" ({kind_words(question)})", "muted"),
    ]
    done = done_words(queue)
    if done:
        pieces.append(Piece(f"   {' · '.join(done)}", "muted"))
    if is_reading:
        pieces.append(Piece("   reading…", "muted"))
    return pieces


def kind_words(question: Question) -> str:
    """Return the kind of the answers, with their type if it can differ: `expectation, integer`."""
    if question.kind is AnnotationKind.FEEDBACK:
        return question.kind
    return f"{question.kind}, {TYPE_WORDS[question.value_type]}"


def done_words(queue: ReviewQueue) -> list[str]:
    """Return what was done so far, in words: `12 answered`, `3 skipped`."""
    counts = queue.counts
    named = (
        (ReviewOutcome.ANSWERED, "answered"),
        (ReviewOutcome.SKIPPED, "skipped"),
        (ReviewOutcome.GONE, "gone"),
    )
    return [f"{counts[outcome]:,} {word}" for outcome, word in named if counts[outcome]]


def closing_sections(queue: ReviewQueue, noun: str, user: str) -> tuple[Section, ...]:
    """Return the page that is shown at the end of a review.

    Args:
        queue: The queue, which has no open items any more.
        noun: What was judged, such as `span`.
        user: The author of the answers.
    """
    if not queue.total:
        said = (
            f"There is nothing to judge: no {noun} that matches is without an annotation by"
            f" {fmt.plain(user, 60)}."
        )
        return (Section("closing", "", (Text(said), Text("Esc goes back.", "muted"))),)
    counts = queue.counts
    named = (
        (ReviewOutcome.ANSWERED, "answered"),
        (ReviewOutcome.SKIPPED, "skipped"),
        (ReviewOutcome.ELSEWHERE, "annotated elsewhere meanwhile"),
        (ReviewOutcome.GONE, "deleted meanwhile"),
    )
    rows = tuple(
        Fact(word, f"{counts[outcome]:,}")
        for outcome, word in named
        if counts[outcome] or outcome is ReviewOutcome.ANSWERED
    )
    keys = ["u undoes the last answer", "b goes back to it", "Esc leaves"]
    if counts[ReviewOutcome.SKIPPED]:
        keys.insert(0, "s goes through the skipped ones again")
    title = f"That was all: {fmt.count(queue.total, noun)}"
    sentence = ", ".join(keys) + "."
    blocks = (Facts(rows), Text(""), Text(sentence, "muted"))
    return (Section("closing", title, blocks),)


class TypedLine(Horizontal):
    """A line to type into, which is hidden until it is opened. Posts `Entered` on Enter."""

    @dataclass
    class Entered(Message):
        """Sent by TypedLine with the typed text and its purpose."""

        purpose: Purpose
        text: str
        was: str
        """The text of the line when it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self._purpose: Purpose = "note"
        self._was = ""

    def compose(self) -> ComposeResult:
        yield Label("", markup=False)
        yield Input(select_on_focus=False, compact=True)

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self, purpose: Purpose, label: str, text: str, hint: str) -> None:
        """Show the line, and focus it.

        Args:
            purpose: The purpose of the text.
            label: The label before the line.
            text: The text to begin with.
            hint: The text that is shown while the line is empty.
        """
        self._purpose, self._was = purpose, text
        self.query_one(Label).update(label)
        field = self.query_one(Input)
        field.value, field.placeholder = text, hint
        field.action_end()
        self.add_class("-open")
        field.focus()

    def close(self) -> None:
        """Hide the line."""
        self.remove_class("-open")

    @on(Input.Changed)
    def keep_changes(self, event: Input.Changed) -> None:
        event.stop()

    @on(Input.Submitted)
    def enter(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Entered(self._purpose, event.value, self._was))


def state_line(answer: Iterable[Piece], note: str | None) -> list[Piece]:
    """Return the present answer, and the note that is saved with the next answer."""
    pieces = [Piece(" ")]
    said = list(answer)
    if said:
        pieces += [Piece("answered ", "muted"), *said, Piece("   ")]
    if note is not None:
        shown = fmt.plain(note, 300) or "(none)"
        pieces += [Piece("note ", "muted"), Piece(shown), Piece("  saved with the answer", "muted")]
    return pieces
