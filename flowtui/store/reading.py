"""Raw columns to values: the conversions that every kind of record shares."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime


def select_list(wanted: Iterable[str], present: frozenset[str], table: str) -> str:
    """Return the columns to select, NULL standing in for those an older schema lacks."""
    return ", ".join(
        f"{table}.{column}" if column in present else f"null as {column}" for column in wanted
    )


def as_sql(value: str) -> bytes:
    """Return a text for `cast(:name as text)`: so bound, what is no UTF-8 finds its own bytes."""
    return value.encode("utf-8", "surrogateescape")


def text(value: object) -> str:
    """Return a TEXT column as text; NULL is empty, other types are shown as they are."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)


def optional_text(value: object) -> str | None:
    return None if value is None else text(value)


def timestamp(value: object, column: str, problems: list[str]) -> datetime | None:
    """Return a TIMESTAMP column as an aware time in UTC; SQLite's own stamps carry no zone."""
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
    if isinstance(value, (int, float)):
        return float(value)
    problems.append(f"{column} is not a number: {text(value)[:40]!r}")
    return None


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
