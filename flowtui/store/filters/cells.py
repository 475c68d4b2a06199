"""The filter language for the rows of a table in a file, whose columns are known by their names.

Rows are put into a table of SQLite in memory, a page at a time, so that a condition means there
what it means in the lists. All cells are texts; one that is a number counts as one, and an empty
one is no value: `note IS NULL` finds it. `= true` and `= false` are also met by a cell that has the
word, in any case.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from flowtui.store import cancelling
from flowtui.store.closest import closest
from flowtui.store.errors import StoreError
from flowtui.store.filters.compiler import compile_filter
from flowtui.store.filters.fields import FieldKind, FieldSet, FilterField, UnknownField
from flowtui.store.filters.functions import register_functions
from flowtui.store.filters.parser import parse
from flowtui.store.filters.syntax import (
    And,
    Comparison,
    Expression,
    Not,
    NullTest,
    Or,
    Quoted,
    Word,
)

_USED: Final = re.compile(r"\bcells\.c(\d+)\b")
_LINE: Final = "cells.line"
_BOOLEANS: Final = frozenset({"true", "false"})
_LISTED = 12
"""How many names of columns a message lists at most."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A condition on the cells of a row."""

    text: str
    """As it was typed."""
    columns: tuple[str, ...]
    """The names of the columns that a row has."""
    sql: str
    params: dict[str, object]

    def matching(self, rows: Sequence[Sequence[str]]) -> list[int]:
        """Return the places of the rows that meet the condition, ascending.

        Raises:
            StoreError: A regular expression takes too long on a cell.
        """
        # What a person types is bound, and never among the names in the SQL.
        used = sorted({int(number) for number in _USED.findall(self.sql)})
        has_line = _LINE in self.sql
        names = [*(f"c{number}" for number in used), *(["line"] if has_line else [])]
        with closing(sqlite3.connect(":memory:")) as connection:
            register_functions(connection)
            columns = "".join(f", {name} text" for name in names)
            connection.execute(f"create table cells (place integer primary key{columns})")
            places = ", ".join("?" * (len(names) + 1))
            connection.executemany(
                f"insert into cells values ({places})", _taken(rows, used, has_line)
            )
            cancelling.forget_lost()
            try:
                found = connection.execute(
                    f"select place from cells where {self.sql} order by place", self.params
                ).fetchall()
            except sqlite3.Error as error:
                cancelling.raise_lost()
                raise StoreError(f"The rows cannot be filtered: {error}") from error
        return [place for (place,) in found]


def _taken(
    rows: Sequence[Sequence[str]], used: Sequence[int], has_line: bool
) -> Iterable[tuple[object, ...]]:
    for place, row in enumerate(rows):
        cells = [(row[number] or None) if number < len(row) else None for number in used]
        # A lone surrogate, which a broken text may have, cannot be bound.
        safe = [cell and cell.encode(errors="replace").decode() for cell in cells]
        line = ["\n".join(row).encode(errors="replace").decode()] if has_line else []
        yield (place, *safe, *line)


def row_filter(text: str, columns: Sequence[str]) -> RowFilter | None:
    """Return the filter that an expression is for rows with these columns, None for a blank one.

    Args:
        text: The expression.
        columns: The names of the columns; one without a name is `(3)`, by its place.

    Raises:
        FilterError: The expression is not understood; the error says what was expected, and where.
    """
    expression = parse(text)
    if expression is None:
        return None
    fields = _fields(columns)
    condition = compile_filter(_for_texts(expression, fields), fields)
    return RowFilter(text, tuple(columns), condition.sql, dict(condition.params))


def _fields(columns: Sequence[str]) -> FieldSet:
    known: dict[str, FilterField] = {}
    for number, name in enumerate(columns):
        known.setdefault(name.lower(), FilterField(name, FieldKind.ANY, f"cells.c{number}"))

    def unknown(name: str) -> FilterField:
        near = closest(name, columns) or list(columns[:_LISTED])
        listed = ", ".join(near)
        more = "" if len(near) == len(columns) or len(near) < _LISTED else " ..."
        raise UnknownField(f"There is no column '{name[:60]}'; expected one of {listed}{more}.")

    line = FilterField("row", FieldKind.TEXT, _LINE)
    return FieldSet(columns=known, prefixes={}, bare=(unknown,), searched=(line,))


def _for_texts(expression: Expression, fields: FieldSet) -> Expression:
    """Return the expression for cells that are texts, whatever a program meant by them."""
    match expression:
        case Not(operand):
            return Not(_for_texts(operand, fields))
        case And(operands):
            return And(tuple(_for_texts(one, fields) for one in operands))
        case Or(operands):
            return Or(tuple(_for_texts(one, fields) for one in operands))
        case Comparison(name, "=" | "!=" as operator, Quoted(""), _, negated):
            return NullTest(name, negated=(operator == "!=") is not negated)
        case Comparison(name, "=" | "!=" as operator, Word(text, at), position) if (
            text.lower() in _BOOLEANS and not fields.knows(text)
        ):
            is_other = operator == "!="
            word = Comparison(name, "ILIKE", Quoted(text, at), position, negated=is_other)
            return And((expression, word)) if is_other else Or((expression, word))
        case _:
            return expression
