"""Raw columns to values: the conversions that every kind of record shares."""

from __future__ import annotations

import json
import math
import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

_CHUNK_CHARS = 100_000


def select_list(wanted: Iterable[str], present: frozenset[str], table: str) -> str:
    """Return the columns to select, with NULL for those that an older schema lacks."""
    return ", ".join(
        f"{table}.{column}" if column in present else f"null as {column}" for column in wanted
    )


def keys(
    connection: sqlite3.Connection, select: str, parameters: Mapping[str, object]
) -> array[int]:
    """Return the single column of integers that a SELECT gives, in its order.

    They come as one text. Row by row, Python's lock would be released and waited for each time,
    which takes twice as long, and far longer while something is drawn. SQLite keeps the order of a
    subquery for `group_concat` (its ticket 2942).
    """
    (joined,) = connection.execute(
        f"with listed(key) as ({select}) select group_concat(key) from listed", parameters
    ).fetchone()
    found = array("q")
    begin, text = 0, joined or ""
    while begin < len(text):
        end = text.find(",", begin + _CHUNK_CHARS)
        end = len(text) if end < 0 else end
        found.fromlist(json.loads(f"[{text[begin:end]}]"))
        begin = end + 1
    return found


def is_text(column: str) -> str:
    """Return a condition that is true of text alone, and that an index can search as a range."""
    return f"({column} >= '' and {column} < x'')"


def if_json(column: str) -> str:
    """Return SQL for a column where it holds JSON that SQLite can read, NULL elsewhere."""
    return f"case when typeof({column}) <> 'blob' and json_valid({column}) then {column} end"


def as_sql(value: str) -> bytes:
    """Return a text to bind in `cast(:name as text)`, so that invalid UTF-8 finds its own bytes."""
    return value.encode("utf-8", "surrogateescape")


def text(value: object) -> str:
    """Return a TEXT column as text; NULL is empty, other types are shown as they are."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)


def optional_text(value: object) -> str | None:
    return None if value is None else text(value)


def timestamp(value: object, column: str, problems: list[str]) -> datetime | None:
    """Return a TIMESTAMP column as an aware time in UTC; SQLite's own stamps have no zone."""
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(text(value))
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        problems.append(f"{column} is not a time: {text(value)[:40]!r}")
        return None


def number(value: object, column: str, problems: list[str]) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    problems.append(f"{column} is not a number: {text(value)[:40]!r}")
    return None


def as_float(value: float) -> float:
    """Return a number as SQLite reads it: one beyond the range of floats is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def integer(value: object, column: str, problems: list[str]) -> int | None:
    if value is None or isinstance(value, int):
        return value
    problems.append(f"{column} is not a whole number: {text(value)[:40]!r}")
    return None


def text_list(value: object, column: str, problems: list[str]) -> tuple[str, ...]:
    """Return a JSON list column (tags) as texts."""
    if value is None or value == "":
        return ()
    try:
        parsed = json.loads(text(value))
    except (ValueError, RecursionError):
        problems.append(f"{column} is broken JSON: {text(value)[:40]!r}")
        return ()
    if not isinstance(parsed, list):
        problems.append(f"{column} is not a JSON list: {text(value)[:40]!r}")
        return ()
    return tuple(item if isinstance(item, str) else json.dumps(item) for item in parsed)
