"""The rows of a table that meet a filter, as they are found."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TypeAlias, overload

from flowtui import format as fmt
from flowtui.previews.values import TablePage
from flowtui.store.cancelling import check
from flowtui.store.filters.cells import RowFilter

MAX_FOUND = 1_000_000
"""How many rows are found at most: their numbers take 8 MB."""
KEPT_ROWS = 5_000
KEPT_CHARS = 8_000_000
"""How many of the first rows that are found are kept as they were read, and of which size: rows
that lie far apart would each need a page to be read again."""
TOLD_EVERY_S = 0.2
YIELD_S = 0.0005
Texts: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Rows that follow those found before."""

    numbers: array[int]
    """From 0, ascending."""
    texts: dict[int, Texts]
    """Some of them, by number."""
    first_column: int
    """How many columns stand before those of the texts."""
    read_count: int
    """How many rows have been looked at by now."""
    is_done: bool = False
    is_cut: bool = False
    """Whether there may be more, which are not looked for."""


class RowNumbers(Sequence[int]):
    """Ascending numbers of rows, among which one is found quickly."""

    def __init__(self) -> None:
        self._numbers = array("q")

    def extend(self, numbers: array[int]) -> None:
        self._numbers.extend(numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        return self._numbers[at]

    def __contains__(self, number: object) -> bool:
        at = bisect_left(self._numbers, number) if isinstance(number, int) else len(self)
        return at < len(self) and self._numbers[at] == number

    def index(self, number: int, start: int = 0, stop: int | None = None) -> int:
        if number not in self:
            raise ValueError(f"{number} is not among the rows")
        return bisect_left(self._numbers, number)


@dataclass(slots=True)
class FoundSoFar:
    """What is known of the rows that meet a filter."""

    wanted: RowFilter
    numbers: RowNumbers = field(default_factory=RowNumbers)
    texts: dict[int, Texts] = field(default_factory=dict)
    """Some of the rows, by number."""
    read_count: int = 0
    is_done: bool = False
    is_cut: bool = False

    def take(self, more: FoundRows, first_column: int) -> None:
        """Add rows; their texts only if these begin at the column that is asked for."""
        self.numbers.extend(more.numbers)
        if more.first_column == first_column:
            self.texts.update(more.texts)
        self.read_count, self.is_done, self.is_cut = more.read_count, more.is_done, more.is_cut

    def told(self, total: int | None) -> str:
        """Return how many rows meet the filter, of how many, as far as that is known.

        Args:
            total: How many rows the table has, if that is known.
        """
        count = len(self.numbers)
        rows = fmt.count(self.read_count, "row")
        if self.is_cut:
            return f"first {count:,} found of {rows}"
        if self.is_done:
            return f"{count:,} of {rows}"
        if not self.read_count:
            return "filtering…"
        rest = "" if total is None else f" of {total:,}"
        return f"{count:,} of the first {rows}{rest} so far"


def found_rows(pages: Iterable[tuple[int, TablePage]], wanted: RowFilter) -> Iterator[FoundRows]:
    """Yield the rows that meet a filter, those of the first page at once.

    Args:
        pages: The pages of the table, each with the number of its first row.
        wanted: The filter.

    Raises:
        StoreError, PreviewFailed, PreviewCancelled.
    """
    numbers, texts = array("q"), dict[int, Texts]()
    count = kept_rows = kept_chars = read_count = first_column = 0
    due = monotonic()
    for first, page in pages:
        check()
        # The interpreter is handed over, so that keys are not slow meanwhile.
        sleep(YIELD_S)
        first_column, read_count = page.first_column, first + len(page.rows)
        for place in wanted.matching(page.rows):
            numbers.append(first + place)
            row = page.rows[place]
            if kept_rows < KEPT_ROWS and kept_chars < KEPT_CHARS:
                texts[first + place] = row
                kept_rows += 1
                kept_chars += sum(map(len, row))
        is_cut = count + len(numbers) >= MAX_FOUND
        if is_cut or monotonic() >= due:
            count += len(numbers)
            yield FoundRows(numbers, texts, first_column, read_count, is_cut, is_cut)
            if is_cut:
                return
            numbers, texts = array("q"), {}
            due = monotonic() + TOLD_EVERY_S
    yield FoundRows(numbers, texts, first_column, read_count, is_done=True)
