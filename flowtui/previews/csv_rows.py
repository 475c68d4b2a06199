"""The rows of a text table with the bytes where they begin, bounded in every direction."""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from flowtui.previews import encodings, files
from flowtui.previews.errors import PreviewCancelled
from flowtui.previews.values import Cancelled

STEP_BYTES = 256 * 1024
"""The index has a mark about every this many bytes, so any row is that near to one."""
LINE_BYTES = 64 * 1024
"""How much of one line of the file is read; the rest of a longer one is skipped."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class CsvRow:
    cells: list[str]
    position: int
    end: int


class _CsvLines:
    """The lines of a file for the csv module, which takes as many as make a row."""

    def __init__(self, file: BinaryIO, position: int, encoding: str) -> None:
        file.seek(position)
        self._file = file
        self._encoding = encoding
        self.end = position
        """Where the last line that was taken ends."""
        self.row_lines: list[tuple[int, str]] = []
        """The lines that were taken since this was cleared."""

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LINE_BYTES)
        if not line:
            raise StopIteration
        self.end += len(line)
        if len(line) == LINE_BYTES and not line.endswith(b"\n"):
            self._skip_rest()
        text = encodings.decode(line, self._encoding).rstrip("\r\n")
        # The csv module refuses a carriage return inside a line.
        text = text.replace("\r", "␍") + "\n"
        self.row_lines.append((self.end, text))
        return text

    def _skip_rest(self) -> None:
        while rest := self._file.readline(LINE_BYTES):
            self.end += len(rest)
            if rest.endswith(b"\n"):
                return


def rows(file: BinaryIO, position: int, encoding: str, delimiter: str) -> Iterator[CsvRow]:
    """Yield rows from a position at which one begins.

    A cell that outgrows the csv module's limit was opened by a stray quote: the line with it is
    given as it stands, and the next row begins with the line after it.
    """
    while True:
        lines = _CsvLines(file, position, encoding)
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            for cells in reader:
                yield CsvRow(cells, position, lines.end)
                position = lines.end
                lines.row_lines.clear()
            return
        except csv.Error:
            end, line = lines.row_lines[0]
            yield CsvRow(line.rstrip("\n").split(delimiter), position, end)
            position = end


@dataclass(slots=True)
class RowIndex:
    """Where rows begin: grown in steps, by one thread at a time."""

    start: int
    """Where the first row begins, the header not counted."""
    encoding: str
    delimiter: str
    marks: list[tuple[int, int]] = field(default_factory=list)
    """The number of rows before it and the position, for some rows, ascending."""
    row_count: int = 0
    """How many rows are known."""
    end: int = 0
    """The position up to which rows are known."""
    is_complete: bool = False
    _quoted_cell: re.Pattern[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.end = self.start
        separator = re.escape(self.delimiter.encode())
        # The quote comes first because the regex engine finds a literal character quickly.
        self._quoted_cell = re.compile(
            rb'"(?<![^\n' + separator + rb']")[^"]*(?:""[^"]*)*"(?=[\r\n' + separator + rb"])"
        )

    def grow(self, file: BinaryIO, cancelled: Cancelled, row: int | None = None) -> None:
        """Extend the index until it knows a row, or the end.

        Raises:
            PreviewCancelled: It was cancelled between two steps; what is known by then stays.
        """
        while not self.is_complete and (row is None or row >= self.row_count):
            if cancelled():
                raise PreviewCancelled
            self._step(file)

    def before(self, row: int) -> tuple[int, int]:
        """Return the rows before, and the position of, the nearest known row at or before one."""
        place = bisect_right(self.marks, row, key=lambda mark: mark[0])
        return self.marks[place - 1] if place else (0, self.start)

    def _step(self, file: BinaryIO) -> None:
        data = files.read_at(file, self.end, STEP_BYTES)
        self.marks.append((self.row_count, self.end))
        whole = data[: data.rfind(b"\n") + 1]
        for _ in range(_TRIES):
            rows_in_it = self._row_count(whole)
            if rows_in_it is not None:
                self.row_count += rows_in_it
                self.end += len(whole)
                break
            # The last quote may open a cell that goes on after this step.
            whole = whole[: whole.rfind(b"\n", 0, whole.rfind(b'"')) + 1]
        else:
            self._count_slowly(file)
        self.is_complete = self.is_complete or self.end >= files.size_of(file)

    def _row_count(self, whole: bytes) -> int | None:
        """Return how many rows some whole lines make, None if their cells must be read for that."""
        if not whole:
            return None
        if b'"' not in whole:
            return whole.count(b"\n")
        if self.delimiter == "|" and self.encoding in encodings.WITH_BARS:
            return None
        bare = self._quoted_cell.sub(b"", whole)
        if b'"' in bare:
            return None
        limit = csv.field_size_limit()
        if len(whole) - len(bare) >= limit:
            # The csv module does not take a cell as long as that, so `rows` does not either.
            longest = max(map(len, self._quoted_cell.findall(whole)))
            return bare.count(b"\n") if longest < limit else None
        return bare.count(b"\n")

    def _count_slowly(self, file: BinaryIO) -> None:
        stop = self.end + STEP_BYTES
        for row in rows(file, self.end, self.encoding, self.delimiter):
            self.row_count += 1
            self.end = row.end
            if self.end >= stop:
                return
        self.is_complete = True
