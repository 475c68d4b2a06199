"""A previewed table of any length, whose rows are read as they come into sight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from flowtui import format as fmt
from flowtui.previews import tables
from flowtui.previews.values import Part, TablePage
from flowtui.store.filters.cells import RowFilter
from flowtui.widgets.asking import Asks
from flowtui.widgets.lists import preview_table
from flowtui.widgets.lists.found_rows import FoundRows, FoundSoFar, Texts, found_rows
from flowtui.widgets.lists.virtual_table import GAP, MARGIN_ROWS, VirtualTable

if TYPE_CHECKING:
    from collections.abc import Mapping

GROW_WITHIN_ROWS = 200
"""How near to the last known row the cursor must be for further rows to be read."""
NO_ROWS = TablePage((), (), Part("row", 0, 0, 0, None), 0)


class TableRows(Protocol):
    """The rows of a table; `TableSource` in `screens/attachments/tables.py` documents them."""

    first: TablePage
    known_rows: int
    total: int | None
    tail: tuple[Texts, ...]

    @property
    def has_more(self) -> bool: ...

    def index(self) -> bool: ...
    def rows(self, first: int) -> dict[int, Texts]: ...
    def with_columns(self, first: int, row: int) -> TableRows: ...
    def grow(self) -> None: ...
    def read_tail(self) -> None: ...
    def matching(self, wanted: RowFilter) -> Iterator[FoundRows]: ...


class TablePane(Asks, VirtualTable):
    """Shows a table. Posts `ExtentChanged` when it knows of more rows, or shows other ones.

    `G` goes to the last rows without reading all rows before them; `g` goes back to the first.
    """

    opens = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("end,G", "move_to_end(True)", "Bottom", show=False, id="move.last",
                tooltip="To the last row"),
        Binding("shift+right", "shift_page(1)", "Columns on", show=False,
                id="table.page_right", tooltip="A page of columns to the right"),
        Binding("shift+left", "shift_page(-1)", "Columns back", show=False,
                id="table.page_left", tooltip="A page of columns to the left"),
    ]  # fmt: skip

    @dataclass
    class ExtentChanged(Message):
        """Sent by TablePane when `extent` has changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: TableRows | None = None
        self._page = NO_ROWS
        """The rows, where there is no source that has more of them."""
        self._texts: dict[int, Texts] = {}
        self._is_at_tail = False
        self._is_growing = False
        self._found: FoundSoFar | None = None
        """The rows that are shown alone, if there is a filter."""
        self._number_cells = 0
        self._wanted_column: int | None = None
        """The column that is to be the leftmost one, while the columns from there on are read."""

    # Showing tables --------------------------------------------------------------------------

    def show_source(self, source: TableRows, *, is_new: bool) -> None:
        """Show a table, from its first row if it is a new one; a filter stays on an old one."""
        found = None if is_new else self._found
        self.end_filter()
        self._source = source
        self._wanted_column = None
        self._is_at_tail = self._is_growing = False
        self._show(source.first, source.known_rows, is_new=is_new)
        if source.has_more:
            self._index(source)
        if found is not None and found.wanted.columns == self.column_names:
            self.filter_rows(found.wanted)

    def show_page(self, page: TablePage, *, is_new: bool) -> None:
        """Show a table that consists of just these rows; a filter ends."""
        self.end_filter()
        self._source = None
        self._page = page
        self._wanted_column = None
        self._is_at_tail = False
        self._show(page, len(page.rows), is_new=is_new)

    def _show(self, page: TablePage, count: int, *, is_new: bool) -> None:
        self._texts = dict(enumerate(page.rows))
        total = page.part.total or max(count, 99_999)
        self._number_cells = len(f"{total if page.part.next_position is not None else count:,}")
        self.set_columns(preview_table.columns(page, self._number_cells))
        if is_new:
            self.first_column = 0
        self._forget()
        self.show_keys(range(count), is_new=is_new)

    def _forget(self) -> None:
        # Without this, cached cells would be shown for rows of another file with the same numbers.
        self._cells.clear()
        self._asked.clear()

    @property
    def extent(self) -> str:
        """How many rows are known or shown, and from which column on, in words."""
        source = self._source
        if self._found is not None:
            return self._found.told(self._total)
        if source is None:
            return fmt.count(self.line_count, "row")
        before = source.first.first_column + self.first_column
        rows = self._row_extent(source)
        is_some = len(source.first.columns) < source.first.column_count
        return f"{rows}, from column {before + 1:,}" if is_some and before else rows

    def _row_extent(self, source: TableRows) -> str:
        if self._is_at_tail:
            return f"last {fmt.count(len(source.tail), 'row')}, g goes to the first"
        if source.total is not None:
            return fmt.count(source.total, "row")
        return f"first {fmt.count(source.known_rows, 'row')}"

    @property
    def copy_text(self) -> str:
        """The row under the cursor, with its cells separated by tabs."""
        row = self._texts.get(self.cursor_key if self.cursor_key is not None else -1)
        return "" if row is None else "\t".join(row)

    # Filtering -------------------------------------------------------------------------------

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns that are in memory, after which a filter may ask."""
        return tuple(column.title for column in self.columns[1:])

    @property
    def columns_left_out(self) -> str:
        """Which columns a filter looks at, in a sentence, if these are not all."""
        page = self._page if self._source is None else self._source.first
        if len(page.columns) == page.column_count:
            return ""
        last = page.first_column + len(page.columns)
        return f"Looks at columns {page.first_column + 1:,} to {last:,} of {page.column_count:,}."

    @property
    def is_filtered(self) -> bool:
        return self._found is not None

    @property
    def _total(self) -> int | None:
        """How many rows the table has, if that is known."""
        return len(self._page.rows) if self._source is None else self._source.total

    def filter_rows(self, wanted: RowFilter | None) -> None:
        """Show the rows that meet a filter, as they are found; None shows all again."""
        was_filtered = self.is_filtered
        self.end_filter()
        if wanted is not None:
            self._found = FoundSoFar(wanted)
            source = self._source
            pages = partial(found_rows, [(0, self._page)]) if source is None else source.matching
            self.ask_each(
                partial(pages, wanted),
                partial(self._take_found, self._found),
                partial(self._end_found, self._found),
                group="filter",
            )
        elif was_filtered:
            self._is_at_tail = False
            self.show_keys(range(self._known_rows))
        self.post_message(self.ExtentChanged())

    def end_filter(self) -> None:
        """Forget the filter; whoever calls this shows other rows."""
        self.workers.cancel_group(self, "filter")
        self._found = None

    @property
    def _known_rows(self) -> int:
        return len(self._page.rows) if self._source is None else self._source.known_rows

    def _take_found(self, found: FoundSoFar, more: FoundRows) -> None:
        if found is not self._found:
            return
        is_first = not found.read_count
        found.take(more, self._first_column_read)
        if is_first or len(more.numbers):
            self._is_at_tail = False
            self.show_keys(found.numbers, is_new=is_first)
        if found.is_done and not len(found.numbers):
            self.resize_content(fmt.none_match(found.read_count, "row"))
        self.post_message(self.ExtentChanged())

    def _end_found(self, found: FoundSoFar, reason: str) -> None:
        if found is self._found:
            self.notify(fmt.plain(reason, 300), severity="warning", markup=False)

    @property
    def _first_column_read(self) -> int:
        return self._page.first_column if self._source is None else self._source.first.first_column

    # Reading ---------------------------------------------------------------------------------

    @on(VirtualTable.RowsNeeded)
    def read_rows(self, event: VirtualTable.RowsNeeded) -> None:
        event.stop()
        if self._found is not None:
            kept = self._found.texts
            self._texts.update({key: kept[key] for key in event.keys if key in kept})
        self._fill(event.keys)
        missing = [key for key in event.keys if key not in self._texts]
        if missing and self._source is not None:
            self._read(self._source, missing)

    def _fill(self, keys: Sequence[int]) -> None:
        known = [self._texts[key] for key in keys if key in self._texts]
        # Later rows may be wider, and a number that is cut would read as another number.
        self.set_columns(preview_table.widened(self.columns, known))
        self.fill(
            {
                key: preview_table.cells(
                    self._texts[key], key + 1 if key >= 0 else None, self.columns
                )
                for key in keys
                if key in self._texts
            }
        )

    def _read(self, source: TableRows, keys: Sequence[int]) -> None:
        def read() -> dict[int, Texts]:
            found: dict[int, Texts] = {}
            for key in keys:
                if key not in found:
                    found |= source.rows(key)
            return found

        failed = partial(self._tell_failure, source)
        self.ask(read, partial(self._show_rows, source), failed, group="rows", replaces=False)

    def _index(self, source: TableRows) -> None:
        def take(is_known: bool) -> None:
            if is_known:
                self._show_known(source, False)

        # A failure needs no message: without an index, rows are found page by page.
        self.ask(source.index, take, lambda _reason: None, group="index")

    def _grow(self, source: TableRows, is_tail: bool) -> None:
        self._is_growing = True
        step = source.read_tail if is_tail else source.grow
        self.ask(
            step,
            lambda _nothing: self._show_known(source, is_tail),
            partial(self._tell_failure, source),
            group="grow",
            replaces=False,
        )

    def _show_rows(self, source: TableRows, rows: Mapping[int, Texts]) -> None:
        if source is self._source:
            in_sight = set(self.keys_in_sight(GROW_WITHIN_ROWS))
            self._texts = {key: row for key, row in self._texts.items() if key in in_sight}
            self._texts.update(rows)
            self._fill([key for key in self.keys_in_sight(MARGIN_ROWS) if key in rows])

    def _show_known(self, source: TableRows, is_tail: bool) -> None:
        if source is not self._source:
            return
        self._is_growing = False
        if is_tail and self._found is None:
            self._is_at_tail = True
            self.show_keys(range(-len(source.tail), 0))
            self.cursor = self.line_count - 1
        elif not self._is_at_tail and self._found is None:
            self.show_keys(range(source.known_rows))
        self.post_message(self.ExtentChanged())

    def _tell_failure(self, source: TableRows, reason: str) -> None:
        if source is self._source:
            self._is_growing = False
            self._wanted_column = None
            self.notify(fmt.plain(reason, 300), severity="warning", markup=False)

    # Columns ---------------------------------------------------------------------------------

    @property
    def _left(self) -> int:
        """The number of the leftmost column, of all columns that the table has."""
        if self._wanted_column is not None:
            return self._wanted_column
        before = 0 if self._source is None else self._source.first.first_column
        return before + self.first_column

    def action_shift(self, by: int) -> None:
        self._go_to_column(self._left + by)

    def action_shift_page(self, by: int) -> None:
        # Two less than fit: one is the column of row numbers, and one column stays in sight.
        self._go_to_column(self._left + by * max(len(self._layout(self.line_width)) - 2, 1))

    def _go_to_column(self, column: int) -> None:
        """Show the columns from one on; if they are not in memory, read them first."""
        source = self._source
        page = None if source is None else source.first
        if source is None or page is None or page.column_count == len(page.columns):
            super().action_shift(column - self.first_column)
            return
        self._wanted_column = max(0, min(column, page.column_count - 1))
        end = page.first_column + len(page.columns)
        last = end if end == page.column_count else end - self._columns_in_sight
        if page.first_column <= self._wanted_column <= last:
            super().action_shift(self._wanted_column - page.first_column - self.first_column)
            self._wanted_column = None
            self.post_message(self.ExtentChanged())
        else:
            self._read_columns(source, self._wanted_column)

    @property
    def _columns_in_sight(self) -> int:
        """How many columns fit at most; half of the columns that are read at a time, or less."""
        most = self.line_width // (preview_table.MIN_WIDTH + len(GAP))
        return max(min(most, tables.MAX_COLUMNS // 2), 1)

    def _read_columns(self, source: TableRows, column: int) -> None:
        # The wanted column is in the middle of those that are read, so that going back is quick.
        first = max(column - tables.MAX_COLUMNS // 2, 0)
        self.ask(
            partial(source.with_columns, first, self.cursor_key or 0),
            partial(self._show_columns, source),
            partial(self._tell_failure, source),
            group="columns",
        )

    def _show_columns(self, before: TableRows, source: TableRows) -> None:
        if before is not self._source or self._wanted_column is None:
            return
        self._source = source
        self._texts = {}
        if self._found is not None:
            # They begin at another column.
            self._found.texts.clear()
        self.set_columns(preview_table.columns(source.first, self._number_cells))
        self._forget()
        self.first_column = 0
        self.refresh()
        self._go_to_column(self._wanted_column)
        if source.has_more and not self._is_at_tail:
            self._index(source)

    # Moving ----------------------------------------------------------------------------------

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        source = self._source
        is_still = self._is_at_tail or self._is_growing or self._found is not None
        if source is None or is_still or not source.has_more:
            return
        if new + GROW_WITHIN_ROWS >= source.known_rows:
            self._grow(source, False)

    def action_move_to_end(self, last: bool) -> None:
        source = None if self._found is not None else self._source
        if source is not None and last and source.has_more and not self._is_at_tail:
            self._grow(source, True)
            return
        if source is not None and not last and self._is_at_tail:
            self._is_at_tail = False
            self.show_keys(range(source.known_rows), is_new=True)
            self.post_message(self.ExtentChanged())
            return
        super().action_move_to_end(last)
