"""The output of a program as lines: its end, as a terminal shows it, in its colours."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from flowtui.previews import ansi, overwriting
from flowtui.previews.values import Line as FileLine
from flowtui.previews.values import Style
from flowtui.widgets.cells import Line
from flowtui.widgets.documents.preview_text import styled_line

MOST_LINES = 5_000
MOST_BYTES = 1 << 20
"""How much output is read at a time; of more than that, only the end."""
LINE_CHARACTERS = 4_000
_UNFINISHED_BYTES = 1 << 16


class ConsoleReader:
    """Reads on in a file that grows; belongs to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._rest = b""
        self._style = ansi.PLAIN
        self._lines: deque[Line] = deque()
        self.left_out_bytes = 0
        """How much output was never read, since more came than can be shown."""
        self.dropped = 0
        """How many lines were read and are not held any more."""

    def read(self) -> tuple[Line, ...]:
        """Return the last lines, the unfinished one included.

        Raises:
            OSError: The file cannot be read.
        """
        with open(self._path, "rb") as file:
            size = file.seek(0, 2)
            if size - self._position > MOST_BYTES:
                self._skip_to(size - MOST_BYTES)
            file.seek(self._position)
            data = file.read(MOST_BYTES)
        self._position += len(data)
        *whole, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_UNFINISHED_BYTES:]
        missed = max(len(whole) - MOST_LINES, 0)
        self.dropped += missed
        for one in whole[missed:]:
            line, self._style = _shown(one, self._style)
            self._lines.append(line)
            if len(self._lines) > MOST_LINES:
                self._lines.popleft()
                self.dropped += 1
        if not self._rest:
            return tuple(self._lines)
        return (*self._lines, _shown(self._rest, self._style)[0])

    def _skip_to(self, position: int) -> None:
        self.left_out_bytes += position - self._position
        self._position = position
        self.dropped += len(self._lines)
        self._lines.clear()
        self._rest = b""
        self._style = ansi.PLAIN


def _shown(data: bytes, style: Style) -> tuple[Line, Style]:
    text, runs, style = overwriting.shown(data.decode("utf-8", "replace"), style)
    hidden = max(len(text) - LINE_CHARACTERS, 0)
    if hidden:
        text = text[:LINE_CHARACTERS]
        runs = tuple(run for run in runs if run.end <= LINE_CHARACTERS)
    return styled_line(FileLine(text, runs, hidden)), style
