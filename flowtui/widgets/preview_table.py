"""Pages of a table as columns and cells of `Rows`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.previews.values import Arrays, Listing, Part, TablePage
from flowtui.previews.values import Column as FileColumn
from flowtui.widgets.cells import Piece
from flowtui.widgets.preview_documents import shape, size_or_nothing
from flowtui.widgets.rows import Cells, Column

MAX_WIDTH = 40
MIN_WIDTH = 3
LOOKED_AT = 100
"""Rows whose cells say how wide columns are."""
CELL_CHARS = 200


def columns(page: TablePage, number_cells: int) -> list[Column]:
    """Return the columns of a table, the numbers of its rows before them."""
    made = [Column("#", "#", number_cells + 1, "right")]
    for at, column in enumerate(page.columns):
        cells = [row[at] for row in page.rows[:LOOKED_AT] if at < len(row)]
        title = fmt.plain(column.name, CELL_CHARS) or f"({at + 1})"
        shown = [title, *(fmt.plain(cell, CELL_CHARS) for cell in cells)]
        width = min(max(map(cell_len, shown), default=0), MAX_WIDTH)
        are_numbers = bool(cells) and all(_is_number(cell) for cell in cells if cell)
        made.append(
            Column(str(at), title, max(width, MIN_WIDTH), "right" if are_numbers else "left")
        )
    return made


def widened(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[Column]:
    """Return columns that are as wide as some rows need, within bounds."""
    widths = [0] * len(columns)
    for row in rows:
        for at, cell in enumerate(row[: len(columns) - 1], 1):
            if len(cell) > widths[at]:
                widths[at] = cell_len(fmt.plain(cell[:CELL_CHARS], CELL_CHARS))
    return [
        replace(column, width=max(column.width, min(width, MAX_WIDTH)))
        for column, width in zip(columns, widths, strict=True)
    ]


def cells(row: Sequence[str], number: int | None, column_count: int) -> Cells:
    """Return one row; a short one ends with empty cells."""
    pieces = [Piece("" if number is None else f"{number:,}", "muted")]
    pieces += [Piece(fmt.plain(cell, CELL_CHARS)) for cell in row]
    pieces += [Piece("")] * (column_count + 1 - len(pieces))
    return tuple(pieces)


def of_arrays(pages: Sequence[Arrays]) -> TablePage:
    """Return arrays as a table: name, type, shape, size."""
    rows = [
        (array.name or "array", array.dtype, shape(array.shape), size_or_nothing(array.size_bytes))
        for page in pages
        for array in page.arrays
    ]
    return _listed(("name", "type", "shape", "size"), rows, pages[-1].part)


def of_listing(pages: Sequence[Listing]) -> TablePage:
    """Return the members of an archive as a table: name, size, type."""
    rows = [
        (member.name, fmt.size(member.size_bytes) if member.type == "file" else "", member.type)
        for page in pages
        for member in page.members
    ]
    return _listed(("name", "size", "type"), rows, pages[-1].part)


def _listed(names: Sequence[str], rows: Sequence[tuple[str, ...]], part: Part) -> TablePage:
    own = Part(part.unit, 0, len(rows), part.total, part.next_position)
    return TablePage(tuple(map(FileColumn, names)), tuple(rows), own, len(names))


def _is_number(text: str) -> bool:
    try:
        float(text.removesuffix("B").rstrip(" kMGTP"))
    except ValueError:
        return False
    return True
