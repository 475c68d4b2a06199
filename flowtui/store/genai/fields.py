"""Attribute values to text, numbers and JSON; a value of another type reads as absent."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable, Iterator, Mapping

from flowtui.store.values import JsonValue

Attributes = Mapping[str, JsonValue]

_MAX_COUNT = 2**63 - 1
_MAX_DIGITS = 40
_MAX_LITERAL_CHARS = 100_000


def decoded(value: JsonValue) -> tuple[JsonValue, str | None]:
    """Return the value that a JSON text stands for, and what is wrong with it.

    Anything that does not begin as JSON (an object, a list or a quoted string) is returned as it
    is. So is broken, truncated or too deeply nested JSON, with a problem.
    """
    if not isinstance(value, str) or not value[:64].lstrip().startswith(("{", "[", '"')):
        return value, None
    try:
        inner: JsonValue = json.loads(value)
    except RecursionError:
        return value, "the JSON is nested too deeply to be read; it is shown as it stands"
    except json.JSONDecodeError as error:
        where = f"from character {error.pos:,} of {len(value):,} on"
        return value, f"the JSON is broken or cut off {where}; it is shown as it stands"
    except ValueError:
        return value, "the JSON holds a number that is too long; it is shown as it stands"
    return inner, None


def literal(value: JsonValue) -> JsonValue:
    """Return the value that a JSON text stands for, or one that Python printed, as LiteLLM has it.

    What is neither is returned as it is.
    """
    inner = decoded(value)[0]
    if not isinstance(inner, str) or inner[:1] not in ("{", "[") or len(inner) > _MAX_LITERAL_CHARS:
        return inner
    try:
        return _plain(ast.literal_eval(inner))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return inner


def _plain(value: object) -> JsonValue:
    """Return a printed value as JSON would have it."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, (str, int, float)) or value is None else str(value)


def nested(value: JsonValue) -> JsonValue:
    """Return arguments or a result, parsed where they are a JSON object or list in a text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return decoded(value)[0]
    return value


def text(value: JsonValue) -> str | None:
    """Return a text that is not empty; numbers are written out."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int) and abs(value) > _MAX_COUNT:
        return None
    return str(value)


def first_text(attributes: Mapping[str, JsonValue], names: Iterable[str]) -> str | None:
    """Return the first of some attributes that holds text; MLflow writes its own in quotes."""
    for name in names:
        value = attributes.get(name)
        if name.startswith("mlflow.") and isinstance(value, str) and value[:1] == '"':
            value = decoded(value)[0]
        if (found := text(value)) is not None:
            return found
    return None


def texts_of(attributes: Mapping[str, JsonValue], names: Iterable[str]) -> Iterator[str]:
    """Yield the texts that some attributes hold."""
    found = (text(attributes.get(name)) for name in names)
    return (one for one in found if one is not None)


def number(value: JsonValue) -> float | None:
    """Return a finite number, which may be written as text; a boolean is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) > _MAX_DIGITS or "_" in value:
            return None
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, (int, float)):
        return None
    if isinstance(value, int) and abs(value) > _MAX_COUNT:
        return None
    return float(value) if math.isfinite(value) else None


def count(value: JsonValue) -> int | None:
    """Return a whole number from zero up, which may be written as text or as a float."""
    if value is None:
        # Of the twenty names that usage may have, a span has two or three.
        return None
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= _MAX_COUNT else None
    parsed = number(value)
    if parsed is None or not parsed.is_integer() or not 0 <= parsed < _MAX_COUNT:
        return None
    return int(parsed)


def amount(value: JsonValue) -> float | None:
    """Return a number from zero up, which may be written as text."""
    parsed = None if value is None else number(value)
    return parsed if parsed is not None and parsed >= 0 else None


def mapping(value: JsonValue) -> dict[str, JsonValue]:
    """Return an object, also one in a JSON text; anything else is an empty one."""
    if value is None:
        return {}
    inner = decoded(value)[0]
    return inner if isinstance(inner, dict) else {}


def replies(
    attributes: Mapping[str, JsonValue], names: Iterable[str]
) -> list[dict[str, JsonValue]]:
    """Return what Haystack says of each reply: an object with `model`, `usage`, `finish_reason`."""
    listed = (mapping(attributes.get(name)).get("replies") for name in names)
    found = (mapping(one) for several in listed for one in sequence(several))
    return [mapping(one.get("meta")) for one in found]


def sequence(value: JsonValue) -> list[JsonValue]:
    """Return a list, also one in a JSON text; anything else is an empty one."""
    inner = decoded(value)[0]
    return inner if isinstance(inner, list) else []
