"""The SQL functions that filters need beside SQLite's own: regular expressions, case folding."""

from __future__ import annotations

import json
import re
import sqlite3
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from flowtui.store import cancelling
from flowtui.store.errors import PatternTooSlow

if TYPE_CHECKING:
    import regex

SEARCH_S: Final = 0.25
"""How much work of the processor the search of one value may be, before it is given up."""
MAX_PATTERN_CHARS: Final = 1_000
MAX_REPEATED: Final = 10_000
"""What is repeated a counted number of times takes room for each of them."""
IGNORING_CASE: Final = "(?i)"
_SHOWN_CHARS = 60

_PATTERN_PART = re.compile(
    r"""\\N\{[^}]*\} | \\. | \[\^?\]?(?:\\.|[^\]\\])*\] | (?P<open>\() | (?P<close>\))
    | (?P<repeat>[*+?]|\{(?P<least>\d*)(?:(?<=\d)|,\d*)\}) | .""",
    re.VERBOSE | re.DOTALL,
)


class PatternError(ValueError):
    """A regular expression cannot be used; carries the offset in it."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> regex.Pattern[str]:
    """Returns the compiled regular expression, of those that Python's `re` knows.

    Raises:
        PatternError: it is malformed, too long or too large.
    """
    import regex

    if len(pattern) > MAX_PATTERN_CHARS:
        raise PatternError(f"expected at most {MAX_PATTERN_CHARS} characters", MAX_PATTERN_CHARS)
    try:
        with warnings.catch_warnings():
            # Otherwise Python warns on stderr about patterns whose meaning may change one day.
            warnings.simplefilter("ignore")
            re.compile(pattern)
            return regex.compile(_as_re_reads_it(pattern), regex.VERSION0)
    except re.error as error:
        raise PatternError(error.msg, error.pos or 0) from None
    except regex.error as error:
        raise PatternError(str(error), 0) from None
    except (OverflowError, RecursionError, MemoryError):
        raise PatternError("it is too large", 0) from None


def _as_re_reads_it(pattern: str) -> str:
    """Return the pattern without what `regex` alone knows: `{e<=1}` and `[[:alpha:]]`.

    Raises:
        PatternError: its counted repeats take more room than it is worth.
    """
    said = []
    sizes, last = [0], 0
    for part in _PATTERN_PART.finditer(pattern):
        text = part[0]
        if part["open"]:
            sizes.append(0)
            last = 0
        elif part["repeat"]:
            more = last * (int(part["least"] or 1) - 1)
            sizes[-1] += max(more, 0)
            last += max(more, 0)
        else:
            last = sizes.pop() if part["close"] and len(sizes) > 1 else 1
            sizes[-1] += last
            if text == "{":
                text = "\\{"
            elif len(text) > 1 and text[0] == "[":
                text = "[" + text[1:].replace("[:", "\\[:")
        if max(sizes[-1], last) > MAX_REPEATED:
            message = f"expected repeats that come to at most {MAX_REPEATED:,} characters"
            raise PatternError(message, part.start())
        said.append(text)
    return "".join(said)


def found_in(pattern: str, text: str, within_s: float = SEARCH_S) -> bool:
    """Say whether the pattern occurs in a text.

    Raises:
        PatternError: the pattern cannot be used.
        PatternTooSlow: that takes longer than the seconds given.
    """
    try:
        return compile_pattern(pattern).search(text, timeout=within_s) is not None
    except TimeoutError:
        # What ignores case is put in front of what was typed between slashes.
        typed = pattern.removeprefix(IGNORING_CASE)
        shown = typed if len(typed) <= _SHOWN_CHARS else f"{typed[:_SHOWN_CHARS]}…"
        raise PatternTooSlow(
            f"the regular expression {shown} takes too long on a text of {len(text):,} characters:"
            " make it more specific, with fewer repeats that can match the same text"
        ) from None


def regexp(pattern: str, value: object) -> bool:
    """Says whether the pattern occurs in the value; NULL has none.

    Raises:
        PatternError, PatternTooSlow: as `found_in` does.
    """
    return value is not None and found_in(pattern, _text(value))


def contains_folded(needle: str, value: object) -> bool:
    """Say whether the value contains the text, ignoring case in any script.

    SQLite's own `lower` and LIKE know the case of ASCII letters only.
    """
    return value is not None and needle.casefold() in _text(value).casefold()


def inner_texts(value: object) -> str | None:
    """Return the texts in a value that is JSON, also inside further JSON, a line each; else NULL.

    In them a search sees what the escapes of JSON stand for.
    """
    left: list[object] = [_text(value)]
    found: list[str] = []
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str):
            inner = _parsed(one)
            if inner is None:
                found.append(one)
            else:
                left.append(inner)
    return "\n".join(found).encode("utf-8", "replace").decode() or None


def _parsed(text: str) -> object:
    """Return the object or list that a text is as JSON, None where it is none."""
    if not text[:64].lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str:
    """Return the text of a value, given as bytes since sqlite3 fails on text that is not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def register_functions(connection: sqlite3.Connection) -> None:
    """Makes the filters' SQL functions known to a connection; every condition may need them."""
    connection.create_function("regexp", 2, cancelling.not_lost(regexp), deterministic=True)
    connection.create_function("contains_folded", 2, contains_folded, deterministic=True)
    connection.create_function("inner_texts", 1, inner_texts, deterministic=True)
