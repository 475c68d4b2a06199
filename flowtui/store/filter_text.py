"""Expressions of the filter language, written for the records of a group."""

from __future__ import annotations

import json

from flowtui.store.values import JsonValue


def equals(field: str, value: JsonValue) -> str:
    """Return the expression for the records whose field has a value; None is for none.

    Args:
        field: As it is typed, its key in quotes where it needs them: see `quoted_key`.
        value: The value.
    """
    match value:
        case None:
            return f"{field} IS NULL"
        case str(text):
            return f"{field} = {_quoted(text, chr(34))}"
        case _:
            return f"{field} = {json.dumps(value)}"


def quoted_key(key: str) -> str:
    """Return a key as a name in the filter language."""
    return _quoted(key, "`")


def both(first: str, second: str) -> str:
    """Return the expression for the records that meet two others; a blank one is always met."""
    return f"({first.strip()}) and {second}" if first.strip() else second


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote
