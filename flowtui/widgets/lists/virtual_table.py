"""A table with any number of rows, of which only those near the visible part are in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Align, Line, Piece, clipped, fit, width_of
from flowtui.widgets.lists.virtual_list import VirtualList, width_beside_bar

GAP = "  "
CACHED_ROWS = 600
"""How many rows of cells are kept: several screens, so that paging back needs no read."""
MARGIN_ROWS = 40
"""How many rows above and below the visible ones are read, so that scrolling finds them ready."""


_NO_MARK = Piece("")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    key: str
    title: str
    width: int
    """The width in cells; if the column stretches, its least width."""
    align: Align = "left"
    stretch: int = 0
    """The share that the column gets of the width that is left over."""
    tail_cells: int = 0
    """How many cells numbers take from their decimal points on, if they are aligned by them."""
    mark: Piece = _NO_MARK
    """Stands before the title, such as the letter of a run; no part of it is left out."""


Cell = Piece | tuple[Piece, ...]
"""A cell: one piece, or several that stand beside each other, aligned to the left."""
Cells = tuple[Cell, ...]
"""The cells of a row, in the order of the columns."""


class VirtualTable(VirtualList):
    """Shows a table; it has the keys of all rows in their order, and the cells of some rows.

    The owner calls `set_columns`, gives the keys with `show_keys`, and answers each `RowsNeeded`
    with `fill`. The cursor stays on its row when other rows are added or removed, and the row
    stays on its line of the screen unless the table is scrolled to its top.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right,l",
            "shift(1)",
            "Further right",
            show=False,
            id="move.right",
            tooltip="Show columns further right",
        ),
        Binding(
            "left,h",
            "shift(-1)",
            "Further left",
            show=False,
            id="move.left",
            tooltip="Back to the left",
        ),
    ]

    first_column: reactive[int] = reactive(0, init=False)

    @dataclass
    class RowsNeeded(Message):
        """Sent by VirtualTable when rows come into sight whose cells it does not have."""

        rows: VirtualTable
        keys: tuple[int, ...]

        @property
        def control(self) -> VirtualTable:
            return self.rows

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._columns: tuple[Column, ...] = ()
        self._keys: Sequence[int] = ()
        self._cells: OrderedDict[int, Cells] = OrderedDict()
        self._asked: set[int] = set()
        self.sorted_by: tuple[str, bool] | None = None
        """The key of the sorted column, and whether it is descending; its title has an arrow."""

    # What the owner sets ---------------------------------------------------------------------

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._columns

    def set_columns(self, columns: Iterable[Column]) -> None:
        """Set the columns; the cells of other columns are dropped."""
        chosen = tuple(columns)
        if chosen != self._columns:
            self._columns = chosen
            self.first_column = min(self.first_column, max(len(chosen) - 2, 0))
            self._cells.clear()
            self._asked.clear()
            self.refresh()

    def show_keys(self, keys: Sequence[int], *, is_new: bool = False) -> None:
        """Show rows, and keep the cursor on its row if that is among them.

        Args:
            keys: The keys of the rows in their order.
            is_new: Whether this is another list, which begins at its top.
        """
        held = None if is_new else self.cursor_key
        if is_new:
            self.set_reactive(VirtualTable.cursor, 0)
            self.scroll_to(y=0, animate=False, force=True, immediate=True)
        line = self.cursor - round(self.scroll_y)
        self._keys = keys
        self._asked.clear()
        self.resize_content()
        if held is not None and held in keys:
            index = keys.index(held)
            # At the top new rows are to be seen, so the lines move; elsewhere they stay in place.
            top = 0 if self.scroll_y == 0 else max(index - line, 0)
            self.scroll_to(y=top, animate=False, force=True, immediate=True)
            self.set_reactive(VirtualTable.cursor, index)
        elif self.cursor >= len(keys):
            self.set_reactive(VirtualTable.cursor, max(len(keys) - 1, 0))
        self.keep_cursor_in_sight()

    def fill(self, rows: Mapping[int, Cells]) -> None:
        """Take the cells of rows, and repaint the lines that have changed."""
        for key, cells in rows.items():
            self._asked.discard(key)
            differs = self._cells.get(key) != cells
            self._cells[key] = cells
            self._cells.move_to_end(key)
            if differs:
                self._refresh_key(key)
        while len(self._cells) > CACHED_ROWS:
            self._cells.popitem(last=False)

    def read_again(self) -> None:
        """Ask for the rows in sight again; until they come, their present cells are shown."""
        in_sight = self.keys_in_sight()
        for key in self._cells.keys() - set(in_sight):
            del self._cells[key]
        self._asked.clear()
        self._ask(in_sight)

    @property
    def cursor_key(self) -> int | None:
        return self._keys[self.cursor] if self.cursor < len(self._keys) else None

    def place_of(self, key: int) -> int | None:
        """Return which row from the top has a key, None if none has."""
        return self._keys.index(key) if key in self._keys else None

    def put_cursor(self, key: int) -> None:
        """Put the cursor on a row, if that is among the rows."""
        if (place := self.place_of(key)) is not None:
            self.cursor = place

    def holds(self, key: int) -> bool:
        """Return whether the cells of a row are in memory."""
        return key in self._cells

    def keys_in_sight(self, margin: int = 0) -> tuple[int, ...]:
        top = self.scroll_offset.y
        return tuple(self._keys[max(top - margin, 0) : top + self.visible_rows + margin])

    def _refresh_key(self, key: int) -> None:
        in_sight = self.keys_in_sight()
        if key in in_sight:
            self.refresh_index(self.scroll_offset.y + in_sight.index(key))

    # Drawing ---------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._keys)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        layout = self._layout(width)
        arrows = [self._arrow(column) for column, _ in layout]
        rooms = [
            cells - len(arrow) - cell_len(column.mark.text)
            for (column, cells), arrow in zip(layout, arrows, strict=True)
        ]
        titles = told_apart([column.title for column, _ in layout], rooms)
        pieces: list[Piece] = []
        for (column, cells), title, arrow in zip(layout, titles, arrows, strict=True):
            head = clipped([column.mark, Piece(title + arrow, "muted")], cells)
            blank = Piece(" " * (cells - width_of(head)))
            pieces += [blank, *head] if column.align == "right" else [*head, blank]
            pieces.append(Piece(GAP))
        return [pieces[:-1]]

    def _arrow(self, column: Column) -> str:
        if self.sorted_by is None or self.sorted_by[0] != column.key:
            return ""
        return " ↓" if self.sorted_by[1] else " ↑"

    def line(self, index: int, width: int) -> Line:
        cells = self._cells.get(self._keys[index])
        if cells is None:
            self.call_next(self._ask_for_sight)
            return [Piece("…", "muted")]
        pieces: list[Piece] = []
        # The first column is always shown; the columns that are shifted away are those after it.
        shown = [cells[0], *cells[1 + self.first_column :]]
        for (column, cells_wide), cell in zip(self._layout(width), shown, strict=False):
            if isinstance(cell, Piece):
                pieces += [Piece(fit(cell.text, cells_wide, column.align), cell.role), Piece(GAP)]
            else:
                fitted = clipped(cell, cells_wide)
                pieces += [*fitted, Piece(" " * (cells_wide - width_of(fitted))), Piece(GAP)]
        return pieces[:-1]

    def _layout(self, width: int) -> list[tuple[Column, int]]:
        """Return the columns that fit with their widths; the first column is always shown."""
        chosen: list[Column] = []
        # The cell of the scroll bar stays free where there is none.
        room = min(width, width_beside_bar(self))
        for column in (*self._columns[:1], *self._columns[1 + self.first_column :]):
            if chosen and column.width > room:
                break
            chosen.append(column)
            room -= column.width + len(GAP)
        room += len(GAP)
        shares = sum(column.stretch for column in chosen)
        extra = {column.key: room * column.stretch // shares for column in chosen} if shares else {}
        return [(column, column.width + max(extra.get(column.key, 0), 0)) for column in chosen]

    def _ask_for_sight(self) -> None:
        self._ask(key for key in self.keys_in_sight(MARGIN_ROWS) if key not in self._cells)

    def _ask(self, keys: Iterable[int]) -> None:
        wanted = tuple(key for key in keys if key not in self._asked)
        if wanted:
            self._asked.update(wanted)
            self.post_message(self.RowsNeeded(self, wanted))

    def action_shift(self, by: int) -> None:
        shown = self._layout(self.line_width)
        if by > 0 and (not shown or shown[-1][0] == self._columns[-1]):
            # The last column is in sight already.
            return
        self.first_column = max(self.first_column + by, 0)
