"""What the review shows beside the item: how far one is, what was said, a line to type into."""

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
    """Return where one is, what is judged, and what was done so far."""
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
    """Return the kind of answers: `feedback`, `expectation, integer`."""
    if question.kind is AnnotationKind.FEEDBACK:
        return question.kind
    return f"{question.kind}, {TYPE_WORDS[question.value_type]}"


def done_words(queue: ReviewQueue) -> list[str]:
    """Return what was done, in words: `12 answered`, `3 skipped`."""
    counts = queue.counts
    named = (
        (ReviewOutcome.ANSWERED, "answered"),
        (ReviewOutcome.SKIPPED, "skipped"),
        (ReviewOutcome.GONE, "gone"),
    )
    return [f"{counts[outcome]:,} {word}" for outcome, word in named if counts[outcome]]


def closing_sections(queue: ReviewQueue, noun: str, user: str) -> tuple[Section, ...]:
    """Return the page at the end of the review."""
    if not queue.total:
        said = (
            f"There is nothing to judge: no {noun} matches that {fmt.plain(user, 60)}"
            " has not annotated yet."
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
        keys.insert(0, "s shows what was skipped again")
    title = f"That was all: {fmt.count(queue.total, noun)}"
    sentence = ", ".join(keys) + "."
    blocks = (Facts(rows), Text(""), Text(sentence[0] + sentence[1:], "muted"))
    return (Section("closing", title, blocks),)


class TypedLine(Horizontal):
    """A line to type into, which is open or not. Posts `Entered` on Enter."""

    @dataclass
    class Entered(Message):
        """Sent by TypedLine with what was typed, and for what."""

        purpose: Purpose
        text: str
        was: str
        """What the line held when it was opened."""

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
        """Show the line with a text, and type into it.

        Args:
            purpose: what it is for.
            label: stands before it.
            text: to begin with.
            hint: is shown while the line is empty.
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
    """Return the present answer and the note that goes with the next one."""
    pieces = [Piece(" ")]
    said = list(answer)
    if said:
        pieces += [Piece("answered ", "muted"), *said, Piece("   ")]
    if note is not None:
        shown = fmt.plain(note, 300) or "(none)"
        pieces += [Piece("note ", "muted"), Piece(shown), Piece("  goes with the answer", "muted")]
    return pieces
