"""JSON of any shape and size from a column: parsed if it can be, cut where it is long."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from flowtui.store import decoding
from flowtui.store.values import JsonValue

PARSED_BYTES = 32_000_000
"""Longer JSON is not parsed to be shown, since that takes up to ten times its size in memory."""
TOO_LONG = b"\0"
"""What is read in place of a text that is too long to be parsed."""
_PIECE_BYTES = 1 << 20
_CONTINUING = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 that do not begin a character."""
MAX_LEVELS = 100
"""Deeper JSON is returned as its text: as a value nobody could read it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of JSON values is kept."""

    text_chars: int | None = None
    """How many characters of each text; None for all."""
    items: int | None = None
    """How many items of each list and object; None for all."""
    parses_all: bool = False
    """Whether JSON of more than `PARSED_BYTES` is parsed too."""


def sql_too_long(
    table: str, column: str, row: str | None = None, most_bytes: int | None = None
) -> str:
    """Return SQL for whether a column holds more than is parsed.

    Args:
        table: The table, which has to have the column.
        column: The column.
        row: The name by which the SQL knows a row of the table, if it is another.
        most_bytes: What is too long, if not `PARSED_BYTES`.
    """
    most_bytes = PARSED_BYTES if most_bytes is None else most_bytes
    is_longer = f"is_longer('{table}', '{column}', {row or table}.rowid, {most_bytes})"
    # SQLite asks the first once for all rows.
    return f"(reads_long() and {is_longer})" if most_bytes >= PARSED_BYTES else is_longer


def sql_unless_long(table: str, column: str, most_bytes: int | None = None) -> str:
    """Return SQL for a column, with `TOO_LONG` for what is too long; see `sql_too_long`."""
    is_long = sql_too_long(table, column, most_bytes=most_bytes)
    return f"case when {is_long} then x'00' else {table}.{column} end"


def prepare(connection: sqlite3.Connection, *, reads_long: bool) -> None:
    """Make known on a connection what `sql_too_long` calls.

    Args:
        connection: One that only reads.
        reads_long: Whether values of more than `PARSED_BYTES` are read. Else the connection
            raises an error that `is_too_long` knows as soon as it is to read one: most databases
            have none, and there it takes no look at the size of each.
    """

    def is_longer(table: str, column: str, rowid: int | None, most_bytes: int) -> bool:
        if rowid is None:
            return False
        try:
            # It reads the header of the row; each function of SQLite before 3.43 that tells the
            # size of a text reads the text.
            with connection.blobopen(table, column, rowid, readonly=True) as blob:
                return len(blob) > most_bytes
        except sqlite3.Error:
            # NULL, a number, or a view, whose values are read as any others are.
            return False

    connection.create_function("is_longer", 4, is_longer)
    connection.create_function("reads_long", 0, lambda: reads_long, deterministic=True)
    if not reads_long:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, PARSED_BYTES)


def is_too_long(error: Exception | None) -> bool:
    """Say whether an error says that a value is longer than a connection reads."""
    # Python's own errors about what SQLite returned have no code.
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG


def head(
    connection: sqlite3.Connection, table: str, column: str, rowid: int, most_bytes: int
) -> tuple[str, int] | None:
    """Return the beginning of a text that is too long to be parsed, and its number of characters.

    None for one that is not too long. The text is read piece by piece.
    """
    try:
        blob = connection.blobopen(table, column, rowid, readonly=True)
    except sqlite3.Error:
        # NULL, a number, or a view, whose values are read as any others are.
        return None
    with blob:
        if len(blob) <= PARSED_BYTES:
            return None
        first = blob.read(most_bytes)
        blob.seek(0)
        chars = sum(
            len(piece.translate(None, _CONTINUING))
            for piece in iter(lambda: blob.read(_PIECE_BYTES), b"")
        )
    return first.decode("utf-8", "ignore"), chars


def parsed(
    stored: object, most_chars: int | None = None, decoder: json.JSONDecoder | None = None
) -> tuple[JsonValue, str | None]:
    """Return the value of a JSON column, or its text and what is wrong with it.

    A text of more than `most_chars` is not parsed; `decoder` may watch what is read.
    """
    if stored is None or stored == "":
        return None, None
    text = decoding.text(stored)
    if most_chars is not None and len(text) > most_chars:
        return text, too_long(len(text))
    try:
        value: JsonValue = json.loads(text) if decoder is None else decoder.decode(text)
    except json.JSONDecodeError as error:
        return text, f"is broken JSON at character {error.pos + 1:,}"
    except (ValueError, RecursionError):
        return text, "is JSON that is nested too deeply or holds too long a number"
    if _is_deep(value):
        return text, f"is JSON that is nested deeper than {MAX_LEVELS} levels"
    return value, None


def too_long(chars: int) -> str:
    """Return what is wrong with JSON that is too long to be parsed."""
    return f"is {chars:,} characters of JSON, too many to be parsed here"


def _is_deep(value: JsonValue) -> bool:
    level = [value]
    for _ in range(MAX_LEVELS):
        level = [
            item
            for node in level
            if isinstance(node, (list, dict))
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, (list, dict))
        ]
        if not level:
            return False
    return True


def bounded(
    value: JsonValue, path: str, bounds: Bounds, cut: dict[str, int], levels: int = MAX_LEVELS
) -> JsonValue:
    """Return a value with what is too long cut, and note in `cut` by path how long that was.

    Values that are nested deeper than `levels` are not cut.
    """
    if isinstance(value, str):
        if bounds.text_chars is None or len(value) <= bounds.text_chars:
            return value
        cut[path] = len(value)
        return value[: bounds.text_chars]
    if not isinstance(value, (list, dict)) or not levels:
        return value
    if bounds.items is not None and len(value) > bounds.items:
        cut[path] = len(value)
    if isinstance(value, list):
        kept = value[: bounds.items]
        return [
            bounded(item, under(path, n), bounds, cut, levels - 1) for n, item in enumerate(kept)
        ]
    pairs = list(value.items())[: bounds.items]
    return {key: bounded(item, under(path, key), bounds, cut, levels - 1) for key, item in pairs}


def under(path: str, name: str | int) -> str:
    """Return the path of an item of a list or an object, by its index or name."""
    return f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}"
