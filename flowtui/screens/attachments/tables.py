"""The pages of one table, for all kinds of table files; everything here runs in worker threads."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path

from flowtui.previews.errors import PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.tables import MANY_ROWS, CsvFile
from flowtui.previews.values import Preview, Request, TablePage
from flowtui.store.cancelling import is_left
from flowtui.store.filters.cells import RowFilter
from flowtui.widgets.lists.found_rows import FoundRows, found_rows

INDEXED_BELOW_BYTES = 64_000_000
"""Text tables below this size are indexed; in larger ones rows are reached page by page."""
PAGE_ROWS = 1_000
KEPT_PAGES = 6
"""How many pages of a table are kept in memory."""


class TableSource:
    """Returns rows of a table by their numbers, as far as these are known.

    Rows are numbered from 0. Rows after `known_rows` are reached page by page; the rows of the
    `tail` have negative numbers, the last one -1, until the number of rows is known.
    """

    def __init__(self, path: Path, name: str, request: Request, first: Preview) -> None:
        assert isinstance(first.shown, TablePage)
        self.first: TablePage = first.shown
        self._path = path
        self._name = name
        self._request = replace(request, count=PAGE_ROWS, is_last=False)
        self._is_numbered = first.kind in (PreviewKind.PARQUET, PreviewKind.EXCEL)
        is_plain = first.kind in (PreviewKind.CSV, PreviewKind.TSV) and first.packing is None
        self._is_plain = is_plain and not request.inside and self.first.is_as_written
        self._csv: CsvFile | None = None
        self._can_index = self._is_plain and first.size_bytes < INDEXED_BELOW_BYTES
        self._is_tsv = first.kind is PreviewKind.TSV
        self._marks: list[tuple[int, int]] = [(0, 0)]
        self._next: int | None = self.first.part.next_position
        self._pages: OrderedDict[int, TablePage] = OrderedDict({0: self.first})
        self._lock = threading.Lock()
        self.known_rows = self.first.part.count
        self.total = self.first.part.total
        self.tail: tuple[tuple[str, ...], ...] = ()
        if self._is_numbered and self.total is not None:
            self.known_rows = self.total

    @property
    def has_more(self) -> bool:
        """Whether there are rows after the known ones."""
        return self.total is None and self._next is not None

    def index(self) -> bool:
        """Count the rows of a text table that is not too large for that; say whether it was.

        Raises:
            PreviewFailed, PreviewCancelled.
        """
        if not self._can_index or self.total is not None:
            return False
        with self._lock:
            self._csv = self._csv or CsvFile(
                self._path, is_tsv=self._is_tsv, encoding=self.first.encoding
            )
            self.total = self.known_rows = self._csv.grow_index(is_left)
        return True

    def rows(self, first: int) -> dict[int, tuple[str, ...]]:
        """Return the page of rows that a row is on, by number.

        Raises:
            PreviewFailed, PreviewCancelled.
        """
        if first < 0:
            return {number - len(self.tail): row for number, row in enumerate(self.tail)}
        with self._lock:
            start, page = self._page(first)
        return dict(enumerate(page.rows, start))

    def matching(self, wanted: RowFilter) -> Iterator[FoundRows]:
        """Yield the rows that meet a filter, as they are found.

        Raises:
            StoreError, PreviewFailed, PreviewCancelled.
        """
        return found_rows(self._all_pages(), wanted)

    def _all_pages(self) -> Iterator[tuple[int, TablePage]]:
        """Yield all pages one after another, each with the number of its first row."""
        if self._is_numbered:
            first = 0
            while first < self.known_rows:
                page = self._many_rows(first)
                if not page.rows:
                    return
                yield first, page
                first += len(page.rows)
        elif self._is_plain:
            yield from self._text_pages()
        else:
            first = 0
            while first < self.known_rows or self.has_more:
                if first >= self.known_rows:
                    self.grow()
                    continue
                with self._lock:
                    start, page = self._page(first)
                yield start, page
                first = start + len(page.rows)

    def _many_rows(self, first: int) -> TablePage:
        request = replace(self._request, position=first, index=first)
        try:
            return self._read(replace(request, count=MANY_ROWS))
        except PreviewFailed:
            # So many rows of long texts are more than a child process may answer with.
            return self._read(request)

    def _text_pages(self) -> Iterator[tuple[int, TablePage]]:
        # Its own, since the other one may be at work on the index.
        table = CsvFile(self._path, is_tsv=self._is_tsv, encoding=self.first.encoding)
        table.first_column = self._request.first_column
        first, position = 0, 0
        while True:
            page = table.at(position, first, PAGE_ROWS)
            self._learn(first, position, page)
            yield first, page
            first += len(page.rows)
            if page.part.next_position is None:
                return
            position = page.part.next_position

    def _learn(self, first: int, position: int, page: TablePage) -> None:
        """Note where a page begins that follows the known rows, so that it can be read again."""
        with self._lock:
            if self.total is None and first == self.known_rows and position == self._next:
                self._marks.append((first, position))
                self.known_rows += len(page.rows)
                self._next = page.part.next_position
                if self._next is None:
                    self.total = self.known_rows

    def with_columns(self, first: int, row: int) -> TableSource:
        """Return the same table from another column on; what is known of its rows goes along.

        Args:
            first: how many columns lie before those of its rows.
            row: one whose page is read; a negative one is among the last rows.

        Raises:
            PreviewFailed, PreviewCancelled.
        """
        with self._lock:
            other = copy(self)
            other._request = replace(self._request, first_column=first)
            other._pages = OrderedDict()
            if row < 0:
                other.first = other._read(replace(other._request, is_last=True))
                other.tail = other.first.rows
            else:
                _, other.first = other._page(row)
        return other

    def grow(self) -> None:
        """Read the page behind the known rows.

        Raises:
            PreviewFailed, PreviewCancelled.
        """
        with self._lock:
            if self._next is None or self.total is not None:
                return
            start = self.known_rows
            page = self._read(replace(self._request, position=self._next, index=start))
            self._marks.append((start, self._next))
            self._next = page.part.next_position
            self.known_rows += len(page.rows)
            self._keep(start, page)
            if self._next is None:
                self.total = self.known_rows

    def read_tail(self) -> None:
        """Read the last rows, without those before them.

        Raises:
            PreviewFailed, PreviewCancelled.
        """
        with self._lock:
            self.tail = self._read(replace(self._request, is_last=True)).rows

    def _page(self, first: int) -> tuple[int, TablePage]:
        for start, kept in self._pages.items():
            if start <= first < start + len(kept.rows):
                self._pages.move_to_end(start)
                return start, kept
        start, position = self._mark_of(first)
        page = self._numbered(start, position)
        if first >= start + len(page.rows) and self._mark_of(first) == self._mark_of(start):
            # A page of long rows ends before it has its full number of rows.
            start = first
            page = self._numbered(start, first)
        self._keep(start, page)
        return start, page

    def _numbered(self, start: int, position: int) -> TablePage:
        if self._csv is not None:
            self._csv.first_column = self._request.first_column
            return self._csv.page(start, PAGE_ROWS, is_left)
        return self._read(replace(self._request, position=position, index=start))

    def _mark_of(self, row: int) -> tuple[int, int]:
        """Return the first row of the page that holds a row, and its position in the file."""
        if self._csv is not None or self._is_numbered:
            start = row - row % PAGE_ROWS
            return start, start
        return self._marks[bisect_right(self._marks, row, key=lambda mark: mark[0]) - 1]

    def _keep(self, start: int, page: TablePage) -> None:
        self._pages[start] = page
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)

    def _read(self, request: Request) -> TablePage:
        shown = preview(self._path, self._name, request, is_left).shown
        assert isinstance(shown, TablePage)
        return shown
