"""The parameters of one run (exp.db: static_params)."""

from __future__ import annotations

import json
import sqlite3

from flowtui.store.database import table_columns
from flowtui.store.decoding import text
from flowtui.store.natural import sort_key
from flowtui.store.values import JsonValue, Param

MAX_VALUE_BYTES = 1_000_000
"""How much of one value is read; the SDK does not bound what it writes."""
NOT_TEXT = "its key is not text"
"""The problem of a parameter that a broken store has under a number, or under bytes."""

# As bytes, since SQLite's text functions end at the first NUL.
_ROWS = """
select key, case when bytes > :limit then cast(substr(blob, 1, :limit) as text) else value end,
  bytes, value_type
from (
  select key, value, value_type, cast(value as blob) as blob, length(cast(value as blob)) as bytes
  from static_params)"""


def params(connection: sqlite3.Connection) -> tuple[Param, ...] | None:
    """Return all parameters by key, or None where the schema has no such table.

    Source: static_params.key, .value, .value_type.
    """
    if not table_columns(connection, "static_params"):
        return None
    rows = connection.execute(_ROWS, {"limit": MAX_VALUE_BYTES})
    return tuple(sorted((_param(*row) for row in rows), key=lambda param: sort_key(param.key)))


def typed(raw: str | None, value_type: str) -> JsonValue:
    """Return the value that a pair of static_params.value and .value_type stands for.

    Raises:
        ValueError: The text is not a value of that type.
    """
    if raw is None:
        return None
    if value_type == "int":
        return int(raw)
    if value_type == "float":
        return float(raw)
    if value_type == "bool":
        if raw.lower() not in ("true", "false"):
            raise ValueError(f"not a boolean: {raw[:40]!r}")
        return raw.lower() == "true"
    if value_type == "json":
        parsed: JsonValue = json.loads(raw)
        return parsed
    return raw


def _param(key: object, raw: object, size: int | None, value_type: object) -> Param:
    if not isinstance(key, str):
        return Param(text(key), text(value_type) or "str", text(raw), NOT_TEXT)
    kind = text(value_type) or "str"
    stored = None if raw is None else text(raw)
    if size is not None and size > MAX_VALUE_BYTES:
        problem = f"only the first {MAX_VALUE_BYTES:,} of {size:,} bytes are shown"
        return Param(text(key), kind, stored, problem)
    if stored is None:
        return Param(text(key), kind, None, "the stored value is NULL")
    try:
        return Param(text(key), kind, typed(stored, kind))
    except (ValueError, RecursionError):
        return Param(text(key), kind, stored, f"stored as {kind}, but it is not one")
