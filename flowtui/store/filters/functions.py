"""The SQL functions that filters need beside SQLite's own: regular expressions, case folding."""

from __future__ import annotations

import re
import sqlite3
import warnings
from functools import lru_cache
from typing import Final

REGEX_TEXT_CHARS: Final = 5_000
"""How much of each value is searched: `.*x` is quadratic, and a search cannot be stopped."""
MAX_PATTERN_CHARS: Final = 1_000

_PATTERN_PART = re.compile(
    r"""\\. | \[\^?\]?(?:\\.|[^\]\\])*\] | (?P<open>\() | (?P<close>\))
    | (?P<repeat>[*+]|\{\d*,\}) | .""",
    re.VERBOSE | re.DOTALL,
)


class PatternError(ValueError):
    """A regular expression cannot be used; carries the offset in it."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the compiled regular expression.

    Raises:
        PatternError: It is malformed, too long, or repeats a group that holds a repeat, such as
            `(a+)+`, which takes exponential time on a text that almost matches.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        raise PatternError(f"expected at most {MAX_PATTERN_CHARS} characters", MAX_PATTERN_CHARS)
    try:
        with warnings.catch_warnings():
            # Otherwise Python warns on stderr about patterns whose meaning may change one day.
            warnings.simplefilter("ignore")
            compiled = re.compile(pattern)
    except re.error as error:
        raise PatternError(error.msg, error.pos or 0) from None
    except (OverflowError, RecursionError):
        raise PatternError("it is too large", 0) from None
    offset = _nested_repeat(pattern)
    if offset is not None:
        raise PatternError("expected no repeated group that holds a repeat itself", offset)
    return compiled


def _nested_repeat(pattern: str) -> int | None:
    """Return where an unbounded repeat is applied to a group that contains one, None if nowhere."""
    holds_repeat = [False]
    closed = False
    for part in _PATTERN_PART.finditer(pattern):
        if part["repeat"]:
            if closed:
                return part.start()
            holds_repeat[-1] = True
        closed = False
        if part["open"]:
            holds_repeat.append(False)
        elif part["close"] and len(holds_repeat) > 1:
            closed = holds_repeat.pop()
            holds_repeat[-1] |= closed
    return None


def regexp(pattern: str, value: object) -> bool:
    """Say whether the pattern occurs in the first 5,000 characters of the value; not in NULL.

    Raises:
        PatternError: The pattern cannot be used.
    """
    if value is None:
        return False
    return compile_pattern(pattern).search(_text(value)[:REGEX_TEXT_CHARS]) is not None


def contains_folded(needle: str, value: object) -> bool:
    """Say whether the value contains the text, ignoring case in any script.

    SQLite's own `lower` and LIKE know the case of ASCII letters only.
    """
    return value is not None and needle.casefold() in _text(value).casefold()


def _text(value: object) -> str:
    """Return the text of a value, given as bytes since sqlite3 fails on text that is not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def register_functions(connection: sqlite3.Connection) -> None:
    """Register the filters' SQL functions on a connection; every condition may need them."""
    connection.create_function("regexp", 2, regexp, deterministic=True)
    connection.create_function("contains_folded", 2, contains_folded, deterministic=True)
