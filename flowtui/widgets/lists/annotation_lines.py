"""Annotations as text: in a few words for a message, and as lines of a list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from flowtui import format as fmt
from flowtui.store.annotations.values import (
    Annotation,
    AnnotationKind,
    Change,
    Deleted,
    Edited,
    Value,
)
from flowtui.widgets.cells import Line, Piece, Role, clipped, width_of, wrapped

FOLDED_CHARACTERS = 300
FOLDED_LINES = 5
NAME_CHARACTERS = 60
INDENT = "   "


class AnnotationLine(NamedTuple):
    """One of the lines that show an annotation."""

    owner: str
    """The annotation's id."""
    pieces: Line
    is_cut: bool = False
    """Whether the line stands for text that is not shown."""


def value_piece(kind: str, value: Value) -> Piece:
    """Return a value as a glyph and a word: `✓ true`, `✗ false`, `= 4`, `= text`."""
    if isinstance(value, bool):
        word = "true" if value else "false"
        if kind != AnnotationKind.FEEDBACK:
            return Piece(f"= {word}")
        return Piece(f"✓ {word}", "ok") if value else Piece(f"✗ {word}", "error")
    return Piece(f"= {fmt.plain(str(value), NAME_CHARACTERS) or '(empty)'}")


def summary(annotation: Annotation) -> str:
    """Return an annotation in a few words: `✓ quality true`, `= answer 4`."""
    glyph, word = value_piece(annotation.kind, annotation.value).text.split(" ", 1)
    return f"{glyph} {fmt.plain(annotation.name, NAME_CHARACTERS)} {word}"


def details(annotation: Annotation) -> list[str]:
    """Return an annotation as lines for a question about it."""
    lines = [summary(annotation), f"by {fmt.plain(annotation.user, 60)}"]
    return [*lines, fmt.plain(annotation.rationale, 300)] if annotation.rationale else lines


def what_it_did(change: Change) -> str:
    """Return what a change did, in a few words."""
    if isinstance(change, Edited):
        before, after = summary(change.before), summary(change.after)
        return f"{before} became {after}" if before != after else f"the edit of {after}"
    word = "deleted" if isinstance(change, Deleted) else "added"
    return f"{word} {summary(change.annotation)}"


def annotation_lines(
    annotation: Annotation, width: int, now: datetime, is_open: bool
) -> Iterator[AnnotationLine]:
    """Yield the lines of an annotation: value, name and author, and then its long texts.

    Args:
        annotation: The annotation to show.
        width: The width of a line in cells.
        now: The present time, from which the age is counted.
        is_open: Whether long texts are shown whole.
    """

    def line(*pieces: Piece, is_cut: bool = False) -> AnnotationLine:
        return AnnotationLine(annotation.id, clipped(pieces, width), is_cut)

    value = value_piece(annotation.kind, annotation.value)
    about = [
        Piece(f"  {fmt.plain(annotation.name, NAME_CHARACTERS)}", "title"),
        Piece(f"  {fmt.plain(annotation.user, 30)} · {age(annotation, now)}", "muted"),
    ]
    text = annotation.value if isinstance(annotation.value, str) else ""
    is_long = "\n" in text or len(text) > NAME_CHARACTERS
    if text and (is_long or width_of([value, *about]) > width):
        yield line(Piece("="), *about)
        for part, is_cut in _bounded(text, width, is_open):
            yield line(Piece(INDENT + part, "muted" if is_cut else "text"), is_cut=is_cut)
    else:
        yield line(value, *about)
    for part, is_cut in _bounded(annotation.rationale or "", width, is_open):
        yield line(Piece(INDENT + part, "muted"), is_cut=is_cut)
    if annotation.problem:
        for part in wrapped(fmt.plain(annotation.problem, 300), _room(width)):
            role: Role = "attention"
            yield line(Piece(INDENT + part, role))


def _bounded(text: str, width: int, is_open: bool) -> Iterator[tuple[str, bool]]:
    """Yield each line of a text, with whether it stands for text that is not shown."""
    if not text:
        return
    shown = text
    if not is_open:
        shown = "\n".join(text[:FOLDED_CHARACTERS].split("\n")[:FOLDED_LINES])
    for part in fmt.plain_lines(shown):
        yield from ((line, False) for line in wrapped(part, _room(width)))
    if len(shown) < len(text):
        yield f"… {len(text) - len(shown):,} more characters", True


def _room(width: int) -> int:
    return max(width - len(INDENT), 10)


def age(annotation: Annotation, now: datetime) -> str:
    """Return how long ago an annotation was written, or what stands where its time should."""
    if annotation.created_at is None:
        return fmt.plain(annotation.raw_created_at or "–", 20)
    return fmt.ago((now - annotation.created_at).total_seconds()).removesuffix(" ago")
