"""Which texts are numbers, and how texts are sorted as a person reads them.

A text that is wholly a number, as the filter language writes one (`1e-3`, `-.5`, `inf`), is that
number wherever numbers are compared or sorted: YAML reads `1e-3` as text, and some tools write all
their values so. `0x10`, `1_000`, `nan` and numbers with units are texts. Spaces around do not
count.

In an order numbers come first, by value, then texts with the numbers in them by value (`run-2`
before `run-10`), whatever their case. Among names `inf` and `infinity` are words as any others.
"""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache
from typing import Final

NUMBER: Final = re.compile(
    r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE | re.ASCII
)
SORTED_CHARS: Final = 200
"""How many of their first characters texts are sorted by."""
_SPACES: Final = " \t\n\v\f\r"
_SQL_SPACES = "char(32, 9, 10, 11, 12, 13)"
_NEEDS_KEY = "'*[0-9\u0080-\U0010ffff]*'"
"""A pattern for texts with digits, or with letters whose case SQLite does not know."""
_DIGITS = re.compile(r"[0-9]+")
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_RANDOM_ID = re.compile(r"[0-9a-f-]{32,}", re.IGNORECASE)
"""UUIDs and trace ids, in which nobody reads numbers: sorting by those takes twice as long."""

SortKey = tuple[bool, float, str, str]


def number(text: str) -> int | float | None:
    """Return the number that the whole text is, None for any other text.

    Whole numbers stay exact up to 18 digits, which SQLite's integers always hold.
    """
    text = text.strip(_SPACES)
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) else None


def sort_key(text: str) -> SortKey:
    """Return the key by which `sorted` sorts names, ids and labels."""
    value = number(text) if _DIGITS.search(text) else None
    return value is None, 0 if value is None else value, natural_key(text), text


def natural_key(text: str) -> str:
    """Return a text that, compared character by character, sorts where a person looks for it.

    Before each run of digits, without its leading zeros, stands a character for its length.
    """
    lowered = text[:SORTED_CHARS].lower()
    return lowered if _RANDOM_ID.fullmatch(lowered) else _DIGITS.sub(_with_length, lowered)


def _with_length(match: re.Match[str]) -> str:
    digits = match.group().lstrip("0")
    return f"{chr(ord('0') + len(digits))}{digits}"


def number_sql(value: str, with_infinities: bool = True) -> str:
    """Return SQL for the number that a value or the whole of a text is; NULL for other texts.

    Args:
        value: An expression, which is evaluated several times.
        with_infinities: Whether `inf` and `infinity` are numbers.
    """
    # CAST takes a number that a text begins with, but a comparison with a number converts only a
    # text that is a number as a whole. A text that begins with a letter is ruled out sooner.
    infinities = (
        f" WHEN {value} GLOB '*[fFyY]*' AND length({value}) < 20"
        f" THEN CASE lower(trim({value}, {_SQL_SPACES}))"
        " WHEN 'inf' THEN 9e999 WHEN '+inf' THEN 9e999 WHEN '-inf' THEN -9e999"
        " WHEN 'infinity' THEN 9e999 WHEN '+infinity' THEN 9e999 WHEN '-infinity' THEN -9e999 END"
    )
    return (
        f"CASE typeof({value}) WHEN 'text' THEN CASE"
        f" WHEN {value} < ':' AND {value} = CAST({value} AS NUMERIC) THEN CAST({value} AS NUMERIC)"
        f"{infinities if with_infinities else ''} END ELSE {value} END"
    )


def order_sql(value: str, descending: bool = False, *, are_names: bool = False) -> str:
    """Return ORDER BY terms: numbers by value, then texts, and NULL last in both directions.

    The connection needs `register_order`.

    Args:
        value: An expression, which is evaluated several times.
        descending: Whether the largest number, or the last text, comes first.
        are_names: Whether these are names and ids, which `sort_key` puts in the same order.
    """
    direction = f"{'desc' if descending else 'asc'} nulls last"
    text = f"substr({value}, 1, {SORTED_CHARS})"
    key = (
        f"case when {text} glob {_NEEDS_KEY} then natural_key(cast({text} as blob)) else {text} end"
    )
    if_text = f"case typeof({value}) when 'text' then"
    number_terms = f"{number_sql(value, not are_names)} {direction}"
    return (
        f"{number_terms}, {if_text} {key} end collate nocase {direction},"
        f" {if_text} {text} end {direction}"
    )


def register_order(connection: sqlite3.Connection) -> None:
    """Register the function that `order_sql` needs."""
    connection.create_function("natural_key", 1, _stored_key, deterministic=True)


@lru_cache(maxsize=256)
def _stored_key(raw: bytes) -> str:
    """Return the key of a text, given as bytes: sqlite3 fails a query on text that is not UTF-8.

    Cached, since labels and names of sets come again and again.
    """
    return natural_key(raw.decode("utf-8", "replace"))
