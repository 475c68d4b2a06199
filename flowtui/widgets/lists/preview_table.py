"""Pages of a previewed table as columns and cells of a `VirtualTable`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.previews.values import Arrays, Part, TablePage
from flowtui.previews.values import TableColumn as FileColumn
from flowtui.widgets.cells import Align, Piece
from flowtui.widgets.documents.preview_documents import shape, size_or_nothing
from flowtui.widgets.lists.virtual_table import Cells, Column

MAX_WIDTH = 40
MIN_WIDTH = 3
MEASURED_ROWS = 100
"""By how many rows the widths and the alignment of columns are first decided."""
CELL_CHARS = 200
MAX_TAIL_CELLS = 20
"""How many cells a number may take from its decimal point on to be aligned by that point."""
_MISSING = ("", "nan", "na", "n/a", "null", "none", "-", "inf", "+inf", "-inf", "infinity")
_NUMBER = re.compile(
    r"(?=[^\d]{0,2}\d)[+\-−]?(?:\d{1,3}(?:[,_' ]\d{3})+(?!\d)|\d*)"
    r"(?P<tail>(?:[.,]\d*)?(?:[eE][+-]?\d+)?)(?P<unit> ?(?:%|[kKMGTP]?i?B))?"
)
"""An integer or decimal number, perhaps with an exponent; a percentage, or a size in bytes."""


def columns(page: TablePage, number_cells: int) -> list[Column]:
    """Return the columns of a table, after a column for the numbers of its rows."""
    made = [Column("#", "#", number_cells + 1, "right")]
    for at, column in enumerate(page.columns):
        cells = [row[at] for row in page.rows[:MEASURED_ROWS] if at < len(row)]
        title = fmt.plain(column.name, CELL_CHARS) or f"({page.first_column + at + 1})"
        align: Align = "right" if _are_numbers(cells) else "left"
        fitting = _widened(Column(str(at), title, 0, align), cells)
        least = min(max(cell_len(title), MIN_WIDTH), MAX_WIDTH)
        made.append(replace(fitting, width=max(fitting.width, least)))
    return made


def widened(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[Column]:
    """Return the columns, widened for these rows up to a maximum."""
    cells: list[list[str]] = [[] for _ in columns]
    for row in rows:
        for at, cell in enumerate(row[: len(columns) - 1], 1):
            cells[at].append(cell)
    return [_widened(column, of_it) for column, of_it in zip(columns, cells, strict=True)]


def _widened(column: Column, cells: Sequence[str]) -> Column:
    """Return a column as wide as its cells need, with numbers aligned by their decimal points."""
    if column.align == "right":
        tails = [(cell, _tail_cells(cell)) for cell in cells]
        tail = max((tail for _, tail in tails), default=0)
        before = max((len(cell) - tail for cell, tail in tails), default=0)
        tail = max(tail, column.tail_cells)
        before = max(min(before, MAX_WIDTH), column.width - column.tail_cells)
        return replace(column, width=min(before + tail, MAX_WIDTH), tail_cells=tail)
    longest = max(map(len, cells), default=0)
    if longest <= column.width and all(map(str.isascii, cells)):
        return column
    width = max((cell_len(fmt.plain(cell[:CELL_CHARS], CELL_CHARS)) for cell in cells), default=0)
    return replace(column, width=max(column.width, min(width, MAX_WIDTH)))


def _are_numbers(cells: Sequence[str]) -> bool:
    """Return whether all cells are numbers, except those that stand for a missing value."""
    others = [cell for cell in cells if not _is_plain_number(cell)]
    given = [cell for cell in others if cell.strip().lower() not in _MISSING]
    return all(map(_NUMBER.fullmatch, given)) and (bool(given) or len(others) < len(cells))


def _is_plain_number(cell: str) -> bool:
    """Return whether a cell has only digits, a sign and a point; this is faster than `_NUMBER`."""
    whole, point, fraction = cell.partition(".")
    return whole.lstrip("+-").isdigit() and (fraction.isdigit() or not point)


def _tail_cells(cell: str) -> int:
    """Return how many cells a number takes from its decimal point on; 0 for any other cell."""
    if cell.isdigit():
        return 0
    if _is_plain_number(cell):
        tail = len(cell) - cell.find(".") if "." in cell else 0
        return tail if tail <= MAX_TAIL_CELLS else 0
    found = _NUMBER.fullmatch(cell)
    if found is None or found["unit"] or len(found["tail"]) > MAX_TAIL_CELLS:
        return 0
    return len(found["tail"])


def cells(row: Sequence[str], number: int | None, columns: Sequence[Column]) -> Cells:
    """Return the cells of a row; a row with too few cells ends with empty ones."""
    pieces = [Piece("" if number is None else f"{number:,}", "muted")]
    for column, cell in zip(columns[1:], row, strict=False):
        missing = column.tail_cells - _tail_cells(cell) if column.tail_cells else 0
        pieces.append(Piece(fmt.plain(cell, CELL_CHARS) + " " * missing))
    pieces += [Piece("")] * (len(columns) - len(pieces))
    return tuple(pieces)


def of_arrays(pages: Sequence[Arrays]) -> TablePage:
    """Return arrays as a table of their names, types, shapes and sizes."""
    arrays = [array for page in pages for array in page.arrays]
    rows = [
        (
            array.name or "array", array.dtype, shape(array.shape),
            size_or_nothing(array.size_bytes), *array.statistics,
        )
        for array in arrays
    ]  # fmt: skip
    names: tuple[str, ...] = ("name", "type", "shape", "size")
    if any(array.statistics for array in arrays):
        names = (*names, "min", "max", "mean", "NaN")
    return _listed(names, rows, pages[-1].part)


def _listed(names: Sequence[str], rows: Sequence[tuple[str, ...]], part: Part) -> TablePage:
    own = Part(part.unit, 0, len(rows), part.total, part.next_position)
    return TablePage(tuple(map(FileColumn, names)), tuple(rows), own, len(names))
