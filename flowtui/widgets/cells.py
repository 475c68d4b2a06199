"""Text as terminal cells: lines of pieces, each with the role that gives it its colour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

Role = Literal[
    "text", "muted", "title", "accent", "ok", "attention", "error",
    "curve-1", "curve-2", "curve-3", "curve-4", "curve-5", "curve-6", "curve-7", "curve-8",
]  # fmt: skip
Align = Literal["left", "right"]


class Piece(NamedTuple):
    """A part of a line that has one role."""

    text: str
    role: Role = "text"


Line = Sequence[Piece]


def note_role(note: str) -> Role:
    """Return the role of a sentence that stands in the place of content; its first sign tells."""
    if note.startswith("✗"):
        return "error"
    return "attention" if note.startswith("▲") else "muted"


def fit(text: str, width: int, align: Align = "left") -> str:
    """Return text of exactly `width` cells: padded, or cut with an ellipsis."""
    length = cell_len(text)
    if length == width:
        return text
    if length < width:
        padding = " " * (width - length)
        return padding + text if align == "right" else text + padding
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def clipped(line: Iterable[Piece], width: int) -> list[Piece]:
    """Return a line of at most `width` cells, with an ellipsis where it is cut."""
    pieces: list[Piece] = []
    left = width
    for piece in line:
        length = cell_len(piece.text)
        if length > left:
            if left > 0:
                # Blanks that are cut are no loss.
                pieces.append(Piece(fit(piece.text.rstrip(), left), piece.role))
            return pieces
        pieces.append(piece)
        left -= length
    return pieces


def wrapped(text: str, width: int) -> list[str]:
    """Return text as lines of at most `width` cells, broken between words if possible.

    Less than two cells are taken for two: there is no other place for a wide character.
    """
    width = max(width, 2)
    lines: list[str] = []
    line = ""
    # Several blanks inside a line are kept, because they separate tags.
    for word in re.findall(r"\s*\S+", text):
        if line and cell_len(line + word) > width:
            lines.append(line)
            line = ""
        line += word if line else word.lstrip()
        while cell_len(line) > width:
            head = chop_cells(line, width)[0]
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line] if line or not lines else lines


def width_of(line: Iterable[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in line)


def justified(left: Line, right: Line, width: int) -> list[Piece]:
    """Return a line with one part at each end; the right one is cut if both do not fit."""
    room = width - width_of(left)
    if width_of(right) + 1 > room:
        return clipped(left, width)
    return [*left, Piece(" " * (room - width_of(right))), *right]
