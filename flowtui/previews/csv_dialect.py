"""What separates the columns of a text table, and whether its first row names them."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass

DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Dialect:
    delimiter: str
    has_header: bool


def detected(lines: list[str], is_tsv: bool) -> Dialect:
    """Return the dialect of a table by its first lines, none of them cut.

    The delimiter is the one that gives the most rows the same number of columns, more than one.
    """
    sample = lines[:_SAMPLE_ROWS]
    first = "\t" if is_tsv else ","
    order = sorted(DELIMITERS, key=lambda delimiter: delimiter != first)
    delimiter = max(order, key=lambda delimiter: _evenness(sample, delimiter))
    return Dialect(delimiter, _has_header(parsed(sample, delimiter)))


def parsed(lines: list[str], delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        # What came before the bad row is sample enough.
        return rows
    return rows


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _evenness(lines: list[str], delimiter: str) -> float:
    lengths = Counter(len(row) for row in parsed(lines, delimiter) if row)
    if not lengths:
        return 0.0
    length, rows = lengths.most_common(1)[0]
    return rows / lengths.total() if length > 1 else 0.0


def _has_header(rows: list[list[str]]) -> bool:
    """Return whether the first row names columns: texts of its own, no numbers."""
    if not rows:
        return False
    names, others = rows[0], rows[1:]
    if any(is_number(name) for name in names) or not any(names):
        return False
    if len(set(names)) < len(names):
        return False
    for column, name in enumerate(names):
        if any(column < len(row) and row[column] == name for row in others):
            return False
    return True
