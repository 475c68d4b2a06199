"""Values of JSON that anybody may have written: each may be of any type, or not be there."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from flowtui.store.values import JsonValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NS = 2**62
"""SQLite keeps no integer above 2**63; this one is in the year 2116."""


def mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    """Return an object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: JsonValue) -> Sequence[JsonValue]:
    """Return a list, an empty one for anything else."""
    return value if isinstance(value, list) else ()


def text(value: JsonValue) -> str:
    """Return a text that every column can hold, empty for anything but texts and numbers."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    # JSON may have halves of surrogate pairs in it, which are no UTF-8.
    return str(value).encode("utf-8", "replace").decode()


def number(value: JsonValue) -> float | None:
    """Return a number as a float, None for anything else; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def when(value: JsonValue) -> datetime | None:
    """Return a time of ISO 8601; one without a zone is UTC."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def nanoseconds(value: JsonValue) -> int | None:
    """Return a time of ISO 8601 as nanoseconds since 1970, None where there is none."""
    found = when(value)
    if found is None:
        return None
    return min(max((found - _EPOCH) // timedelta(microseconds=1) * 1000, 0), _LAST_NS)


def filled(items: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return an object without what says nothing."""
    return {key: value for key, value in items.items() if value not in (None, "", [], {})}


def as_json(value: object) -> str:
    """Return the JSON of a value that is not nested too deeply to be written."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
