"""What separates the columns of a text table, and where it begins in its file."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_ROWS = 100
_MAX_ABOVE = 50
"""How many rows above a table are looked through for its beginning."""
_NAMED_DELIMITER = re.compile(r'\s*"?sep=(.)"?\s*', re.IGNORECASE)
"""A first line that tells Excel the delimiter."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the rows of a table."""

    above: int
    """Rows that are not part of it: comments, a title, `sep=;`."""
    names: list[str] | None
    """The names of the columns, in the row after these; None if there is no such row."""


def delimiter_of(lines: Sequence[str], is_tsv: bool) -> str:
    """Return what separates the columns of a table, judged by its first lines, none of them cut.

    It is the one that gives the most rows the same number of columns, more than one, among the rows
    between two empty ones.
    """
    if lines and (named := _NAMED_DELIMITER.fullmatch(lines[0])):
        return named[1]
    sample = [line for line in lines[:SAMPLE_ROWS] if not line.startswith("#")]
    first = "\t" if is_tsv else ","
    order = sorted(DELIMITERS, key=lambda delimiter: delimiter != first)
    return max(order, key=lambda delimiter: _evenest(_parsed(sample, delimiter)).rank)


def head_of(rows: Sequence[list[str]]) -> Head:
    """Return what stands before the rows of a table that a file begins with."""
    above = _above(rows)
    following = rows[above] if above < len(rows) else []
    has_names = _are_names(following, rows[above + 1 :])
    if above and (names := _commented_names(rows[above - 1], len(following), has_names)):
        return Head(above - 1, names)
    return Head(above, following if has_names else None)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _above(rows: Sequence[list[str]]) -> int:
    """Return how many rows stand above a table: comments, a title, values of their own.

    Rows of several cells count as above only where an empty row separates them from the table.
    """
    width = _width(rows)
    above = end = 0
    is_parted = True
    for at, row in enumerate(rows[:_MAX_ABOVE]):
        if _is_empty(row) or (is_parted and _is_remark(rows, at, width)):
            is_parted, above = True, at + 1
        elif len(row) == width and at >= end:
            end = _end_of_preamble(rows, at)
            if end == at:
                return above
        else:
            is_parted = False
    # There is no table in sight, so nothing stands above one.
    return 0


def _end_of_preamble(rows: Sequence[list[str]], at: int) -> int:
    """Return where rows above a table that are as wide as it end; `at` if there are none.

    An empty row separates them from names over numbers, and they are not such a table themselves.
    """
    end = next((place for place in range(at, len(rows)) if _is_empty(rows[place])), len(rows))
    start = next((place for place in range(end, len(rows)) if not _is_empty(rows[place])), end)
    if any(row and is_number(row[0]) for row in rows[at:end]) or _has_names(rows[at:end]):
        return at
    return end if _has_names(rows[start:]) else at


def _has_names(rows: Sequence[list[str]]) -> bool:
    """Say whether the first of some rows names columns, one of which holds a number below."""
    if len(rows) < 2 or len(rows[0]) != len(rows[1]) or not _are_names(rows[0], rows[1:]):
        return False
    return any(map(is_number, rows[1]))


def _is_empty(row: Sequence[str]) -> bool:
    return not any(map(str.strip, row))


def _is_remark(rows: Sequence[list[str]], at: int, width: int) -> bool:
    """Say whether a row is a comment, a title, or names the delimiter."""
    row = rows[at]
    if row[0].startswith("#") or (at == 0 and row[0].lower().startswith("sep=")):
        return True
    if width == 1 or any(row[1:]) or is_number(row[0]):
        return False
    # A title that a spreadsheet has filled up with empty cells, over the names.
    names = rows[at + 1] if at + 1 < len(rows) else []
    return len(row) == 1 or (all(names) and _are_names(names, rows[at + 2 :]))


def _commented_names(row: list[str], width: int, is_named: bool) -> list[str] | None:
    """Return the names of columns in a comment over a table: `#CHROM`, or `# x y` of NumPy.

    Args:
        row: The last row above the table.
        width: How many columns the table has.
        is_named: Whether the next row would do for names too.
    """
    if not row or not row[0].startswith("#") or len(row) != width or width < 2:
        return None
    if is_named and not row[0][1:2].isalpha():
        return None
    names = [row[0].lstrip("#").strip(), *map(str.strip, row[1:])]
    return names if _are_names(names, []) else None


def _width(rows: Sequence[list[str]]) -> int:
    """Return the most frequent number of columns above one; 1 if there is none."""
    return _evenest([row for row in rows if not row or not row[0].startswith("#")]).width


@dataclass(frozen=True, slots=True)
class _Evenness:
    width: int = 1
    rank: tuple[float, int, int] = (0.0, 0, 0)
    """How many rows of one stretch have that width, times their share of it; how many of all rows
    have it; which stretch it is, since a table stands below what else is in its file.
    """


def _evenest(rows: Sequence[list[str]]) -> _Evenness:
    """Return the width above 1 that the most rows have, among those between two empty ones."""
    widths = Counter(map(len, rows))
    best = _Evenness()
    stretches = [list(some) for empty, some in groupby(rows, _is_empty) if not empty]
    for place, stretch in enumerate(stretches):
        for width, count in Counter(map(len, stretch)).items():
            rank = (count * count / len(stretch), widths[width], place)
            if width > 1 and rank > best.rank:
                best = _Evenness(width, rank)
    return best


def _parsed(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        # The rows before the bad one are sample enough.
        return rows
    return rows


def _are_names(names: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Say whether a row names columns: its texts differ, and none is a number."""
    given = [name for name in names if name]
    if any(map(is_number, given)) or len(given) * 2 < len(names):
        return False
    if len(set(given)) < len(given):
        return False
    for column, name in enumerate(names):
        if name and any(column < len(row) and row[column] == name for row in others):
            return False
    return True
