"""Text tables of any size: the first page, the last one, and any in between."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from flowtui.previews import csv_dialect, encodings, files, guessing, unpacking
from flowtui.previews.csv_rows import CsvRow, RowIndex, rows
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import (
    Cancelled,
    Opened,
    Part,
    Request,
    TableColumn,
    TablePage,
    never,
)

CELL_CHARS = 500
MAX_COLUMNS = 200
PAGE_ROWS = 1_000
MANY_ROWS = 20_000
"""How many rows a child process is asked for where all rows are read: to start it takes longer than
to read a few."""
PAGE_CELLS, MANY_CELLS = 20_000, 200_000
"""How many cells it is asked for at most, for a page and for many rows."""
PAGE_BYTES = 1024 * 1024
"""A page ends with the row that reaches it."""
TAIL_BYTES = 256 * 1024
_CLOSING_QUOTE = re.compile(rb'(?<!")"(?:"")*(?!")')


def shown(opened: Opened, request: Request) -> TablePage:
    """Return a page of a text table by its bytes; `CsvFile` gives pages by row."""
    encoding = opened.encoding or encodings.FALLBACK
    with unpacking.with_ascii(opened.path, encoding, opened.cancelled) as plain:
        table = CsvFile(plain.path, opened.kind is PreviewKind.TSV, plain.encoding)
        table.first_column = request.first_column
        if request.is_last:
            page = table.last(request.count)
        else:
            page = table.at(request.position, request.index, request.count)
    if not plain.is_whole:
        # Only the rows up to where reading stopped are counted.
        page = replace(page, part=replace(page.part, total=None))
    return replace(page, encoding=encoding, is_as_written=plain.path == opened.path)


class CsvFile:
    """One text table, read in pages; it keeps an index of its rows, but no open file.

    Pages may be asked for by one thread at a time. The file must be of an encoding whose ASCII is
    that of bytes (UTF-8, GB18030), and its lines must end with a line feed: `unpacking` makes it
    so.
    """

    def __init__(self, path: Path, is_tsv: bool = False, encoding: str | None = None) -> None:
        """Look at the beginning of a table.

        Raises:
            PreviewFailed: The file cannot be read.
        """
        self.path = path
        with files.opened(path) as file:
            head = files.read_at(file, 0, files.HEAD_BYTES)
            self.encoding = encoding or guessing.described(guessing.sample(file), None).name
            start = encodings.mark_bytes(head, self.encoding)
            whole = head[start : head.rfind(b"\n") + 1] or head[start:]
            text = encodings.decode(whole, self.encoding)
            # splitlines() would also split at characters that do not end a line here.
            lines = [line + "\n" for line in text.split("\n")]
            self.delimiter = csv_dialect.delimiter_of(lines, is_tsv)
            sample = list(islice(self._rows(file, start), csv_dialect.SAMPLE_ROWS))
            head_rows = csv_dialect.head_of([row.cells for row in sample])
            self.has_header = head_rows.names is not None
            self._names = head_rows.names or []
            self._above = head_rows.above
            body = sample[head_rows.above + self.has_header :]
            self._width = max([len(self._names), *(len(row.cells) for row in body)])
            before = sample[: len(sample) - len(body)]
            self._start = before[-1].end if before else start
            self.index = RowIndex(self._start, self.encoding, self.delimiter)
            self.first_column = 0
            """How many columns stand before those that pages have."""

    def first(self, count: int = PAGE_ROWS) -> TablePage:
        """Return the first rows without reading the rest."""
        return self.at(self._start, 0, count)

    def at(self, position: int, row: int | None, count: int = PAGE_ROWS) -> TablePage:
        """Return rows from a position where one begins: `Part.next_position` of another page.

        Args:
            position: 0 for the first row.
            row: How many rows stand before it; None if that is not known.
        """
        with files.opened(self.path) as file:
            position = max(position, self._start)
            found = self._taken(file, position, count)
            size = files.size_of(file)
        end = found[-1].end if found else position
        return self._page(found, row, position, None if end >= size else end)

    def page(self, row: int, count: int = PAGE_ROWS, cancelled: Cancelled = never) -> TablePage:
        """Return rows beginning with a number, indexing the file as far as that needs.

        Raises:
            PreviewCancelled: It was cancelled; what was indexed by then is kept.
        """
        with files.opened(self.path) as file:
            self.index.grow(file, cancelled, row + count)
            before, position = self.index.before(min(row, max(self.index.row_count - 1, 0)))
            source = self._rows(file, position)
            for _ in range(row - before):
                skipped = next(source, None)
                if skipped is None:
                    break
                position = skipped.end
            found = self._taken(file, position, count)
            size = files.size_of(file)
        end = found[-1].end if found else position
        return self._page(found, row, position, None if end >= size else end)

    def last(self, count: int = PAGE_ROWS) -> TablePage:
        """Return the last rows, read back from the end; their numbers are mostly not known."""
        with files.opened(self.path) as file:
            size = files.size_of(file)
            if size - self._start <= TAIL_BYTES:
                found = list(self._rows(file, self._start))
                row: int | None = max(len(found) - count, 0)
            else:
                found, row = self._tail(file, size), None
        found = found[-count:] if count else []
        if row is None and self.index.is_complete:
            row = self.index.row_count - len(found)
        position = found[0].position if found else size
        return self._page(found, row, position, None)

    def grow_index(self, cancelled: Cancelled) -> int:
        """Index the whole file and return how many rows it has.

        Raises:
            PreviewCancelled: It was cancelled; what was indexed by then is kept.
        """
        with files.opened(self.path) as file:
            self.index.grow(file, cancelled)
        return self.index.row_count

    def _rows(self, file: BinaryIO, position: int) -> Iterator[CsvRow]:
        return rows(file, position, self.encoding, self.delimiter)

    def _taken(self, file: BinaryIO, position: int, count: int) -> list[CsvRow]:
        found: list[CsvRow] = []
        for row in islice(self._rows(file, position), count):
            found.append(row)
            if row.end - position >= PAGE_BYTES:
                break
        return found

    def _tail(self, file: BinaryIO, size: int) -> list[CsvRow]:
        """Return the rows near the end.

        The position to begin at may be inside quotes, where line ends mean nothing. Of the two
        readings, the better one gives more rows as many columns as the table has.
        """
        start = size - TAIL_BYTES
        data = files.read_at(file, start, TAIL_BYTES)
        begins = [start]
        if (closing := _CLOSING_QUOTE.search(data)) is not None:
            begins.append(start + closing.end())
        # The first row of each reading is only the end of a row.
        readings = [list(islice(self._rows(file, begin), 1, None)) for begin in begins]
        return max(readings, key=self._fitting)

    def _fitting(self, found: list[CsvRow]) -> float:
        lengths = Counter(len(row.cells) == self._width for row in found)
        return lengths[True] / max(len(found), 1)

    def _page(
        self, found: list[CsvRow], row: int | None, position: int, next_position: int | None
    ) -> TablePage:
        width = max([self._width, *(len(each.cells) for each in found)])
        first = min(self.first_column, width)
        some = slice(first, first + MAX_COLUMNS)
        names = [*self._names, *("" for _ in range(width - len(self._names)))]
        total = self.index.row_count if self.index.is_complete else None
        if next_position is None and row is not None:
            total = row + len(found)
        return TablePage(
            columns=tuple(TableColumn(_cut(name)) for name in names[some]),
            rows=tuple(tuple(map(_cut, each.cells[some])) for each in found),
            part=Part("row", row, len(found), total, next_position, position),
            column_count=width,
            first_column=first,
            has_header=self.has_header,
            delimiter=self.delimiter,
            encoding=self.encoding,
            note=_said_of(self._above),
        )


def cells_at_once(row_count: int) -> int:
    """Return how many cells a child process may answer with that is asked for rows."""
    return MANY_CELLS if row_count > PAGE_ROWS else PAGE_CELLS


def _cut(cell: str) -> str:
    return cell if len(cell) <= CELL_CHARS else cell[:CELL_CHARS] + "…"


def _said_of(above: int) -> str:
    """Return a note about the rows above a table, which are not shown with it."""
    if not above:
        return ""
    return "1 line above it" if above == 1 else f"{above:,} lines above it"
