"""Lines that are overwritten, as progress bars are: what a terminal shows of them in the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO
from unicodedata import combining, east_asian_width

from flowtui.previews import ansi, encodings, files
from flowtui.previews.values import Style, StyleRun

READ_BYTES = 32_000_000
"""How far the end of one line is looked for."""
TAIL_BYTES = 256 * 1024
"""How much of the end of a longer line is kept: thousands of states of a progress bar."""
_PIECE_BYTES = 1 << 20
_MAX_COLUMN = 4_000
_TAB = 8
_LOOKED_AT = 50
_MOST = 0.8
_MOVES = re.compile("[\r\x08]|\x1b\\[[0-9;]*[CDGK]")
_PROGRESS = re.compile(r"\d ?%|\d/\d+ ?\[|\d ?(?:it|s|[kKMGT]?i?B|steps?)/(?:it|s|step)\b|\bETA\b")
_STEP = re.compile(
    "(?P<text>[^\t\r\x08\x1b]+)|(?P<back>\r)|(?P<left>\x08)|(?P<tab>\t)"
    "|\x1b\\[(?P<number>[0-9]*)(?P<move>[CDGK])|(?P<other>" + ansi.ESCAPE.pattern + ")"
)


@dataclass(frozen=True, slots=True)
class LongLine:
    tail: bytes
    """The end of the line, beginning after a carriage return."""
    size_bytes: int
    left_out: int
    """How many parts stand before the tail."""


def moves(line: str) -> bool:
    """Say whether something in a line moves the cursor back or clears."""
    return _MOVES.search(line) is not None


def part_count(line: str) -> int:
    """Return how many parts a line has, at least one."""
    return max(sum(map(bool, line.split("\r"))), 1)


def is_progress(text: str) -> bool:
    """Say whether the parts between carriage returns are states of a progress bar.

    Such states all tell how far something is; lines of a text from an old Macintosh do not.
    """
    if "\r" not in text:
        return False
    parts = [part for part in text.split("\r", _LOOKED_AT)[:_LOOKED_AT] if part.strip()]
    telling = sum(_PROGRESS.search(part) is not None for part in parts)
    return bool(parts) and telling >= len(parts) * _MOST


def read_line(file: BinaryIO, start: int, encoding: str) -> LongLine:
    """Return the end of the line that begins at `start`, wherever that is."""
    line_end = encodings.encoded("\n", encoding)
    back = encodings.encoded("\r", encoding)
    size = left_out = 0
    tail = b""
    while size < READ_BYTES and (piece := files.read_at(file, start + size, _PIECE_BYTES)):
        found = encodings.find(piece, line_end)
        piece = piece if found < 0 else piece[: found + len(line_end)]
        size += len(piece)
        tail += piece
        if len(tail) > TAIL_BYTES:
            # A single part that is longer than that has lost its beginning in any case.
            aligned = len(tail) - TAIL_BYTES
            cut = max(encodings.find(tail, back, aligned - aligned % len(back)), aligned)
            left_out += sum(map(bool, tail[:cut].split(back)))
            tail = tail[cut:]
        if found >= 0:
            break
    return LongLine(tail, size, left_out)


def shown(line: str, style: Style) -> tuple[str, tuple[StyleRun, ...], Style]:
    """Return what a wide terminal finally shows of a line, its runs, and the style after it."""
    screen = _Row(style)
    for step in _STEP.finditer(line):
        match step.lastgroup:
            case "text":
                screen.write(step[0])
            case "back":
                screen.column = 0
            case "left":
                screen.column = max(screen.column - 1, 0)
            case "tab":
                screen.move("C", _TAB - screen.column % _TAB)
            case "move":
                screen.move(step["move"], int(step["number"] or -1) if len(step[0]) < 9 else 0)
            case _:
                screen.style = ansi.parsed(step[0], screen.style)[2]
    return *screen.content(), screen.style


class _Row:
    """One line of a terminal: one character in each cell, none in the second cell of a wide one."""

    def __init__(self, style: Style) -> None:
        self.column = 0
        self.style = style
        self._cells: list[str] = []
        self._styles: list[Style] = []

    def write(self, text: str) -> None:
        new = list(text) if text.isascii() else _cells(text)
        start, end = self.column, self.column + len(new)
        missing = start - len(self._cells)
        if missing > 0:
            self._cells += " " * missing
            self._styles += [ansi.PLAIN] * missing
        # Half of a wide character is not shown.
        if start and start < len(self._cells) and not self._cells[start]:
            self._cells[start - 1] = " "
        if end < len(self._cells) and not self._cells[end]:
            self._cells[end] = " "
        self._cells[start:end] = new
        self._styles[start:end] = [self.style] * len(new)
        self.column = end

    def move(self, move: str, number: int) -> None:
        """Do what an escape says; the number is -1 where it has none."""
        match move:
            case "C":
                right = min(self.column + max(abs(number), 1), _MAX_COLUMN)
                self.column = max(self.column, right)
            case "D":
                self.column = max(self.column - max(abs(number), 1), 0)
            case "G":
                self.column = min(max(number - 1, 0), _MAX_COLUMN)
            case _ if number <= 0:
                del self._cells[self.column :], self._styles[self.column :]
            case _:
                # 1 clears up to the cursor, 2 the whole line.
                end = len(self._cells) if number == 2 else self.column + 1
                count = min(end, len(self._cells))
                self._cells[:count] = " " * count
                self._styles[:count] = [ansi.PLAIN] * count

    def content(self) -> tuple[str, tuple[StyleRun, ...]]:
        runs: list[StyleRun] = []
        parts: list[str] = []
        length = position = 0
        for style, group in groupby(self._styles):
            count = len(list(group))
            part = "".join(self._cells[position : position + count])
            position += count
            parts.append(part)
            if style != ansi.PLAIN and part:
                runs.append(StyleRun(length, length + len(part), style))
            length += len(part)
        return "".join(parts).rstrip(" "), tuple(runs[: ansi.MAX_RUNS])


def _cells(text: str) -> list[str]:
    cells: list[str] = []
    for char in text:
        if combining(char) and cells:
            cells[-1] += char
            continue
        cells.append(char)
        if east_asian_width(char) in "WF":
            cells.append("")
    return cells
