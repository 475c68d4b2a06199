"""How many cells text takes where Rich counts less than many terminals take.

Vowel signs of Hindi, Tamil and their kin that stand beside their letter (category Mc) have a cell
of their own by wcwidth, and so in tmux, xterm and what is built on VTE. Rich gives them none, so
that what follows would be drawn over the last letters. Where a terminal draws them narrower, a gap
is left.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

from rich import cells

_LOADER = "load_cell_table"
"""The function through which everything in `rich.cells` that measures text gets its widths."""
_ENDS = 0x20000
"""The code point from which on no mark stands beside its letter."""


def count_spacing_marks() -> None:
    """Make Rich, and so Textual, count a cell for each mark that stands beside its letter."""
    if getattr(cells, _LOADER) is _table:
        return
    setattr(cells, _LOADER, _table)
    cells.get_character_cell_size.cache_clear()
    cells.cached_cell_len.cache_clear()


_rich_table: Callable[[str], cells.CellTable] = getattr(cells, _LOADER)


@cache
def _table(unicode_version: str = "auto") -> cells.CellTable:
    table = _rich_table(unicode_version)
    return table._replace(widths=[part for span in table.widths for part in _parts(*span)])


def _parts(start: int, end: int, width: int) -> Iterator[tuple[int, int, int]]:
    """Split a range of characters without width by whether they stand beside their letter."""
    if width or start >= _ENDS:
        yield start, end, width
        return
    first, first_width = start, _mark_width(start)
    for code in range(start + 1, end + 1):
        if (its_width := _mark_width(code)) != first_width:
            yield first, code - 1, first_width
            first, first_width = code, its_width
    yield first, end, first_width


def _mark_width(code: int) -> int:
    """Return the width in cells of a character to which Rich gives none."""
    char = chr(code)
    if unicodedata.category(char) != "Mc":
        return 0
    return 2 if unicodedata.east_asian_width(char) == "W" else 1
