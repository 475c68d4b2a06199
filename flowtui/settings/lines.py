"""In which line of a TOML text something is set: the parser of Python does not say it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_TABLE = re.compile(r"\s*(\[.*\])\s*(?:#.*)?$")
_SET = re.compile(r"""\s*((?:[\w.\-\s]|"(?:[^"\\]|\\.)*"|'[^']*')+?)\s*=""")


def line_of(text: str, name: tuple[str, ...]) -> int:
    """Return the line, from 1, in which something is set; 0 if it is not found.

    Args:
        text: What has been read as TOML.
        name: The name of a setting; of a key `("keys", ID)`, however the tables are written.
    """
    wanted = ".".join(name)
    above = 0
    for number, dotted in _places(text):
        if dotted == wanted:
            return number
        if wanted.startswith(f"{dotted}.") and not above:
            above = number
    # It may be in a table that is written on one line.
    return above


@lru_cache(1)
def _places(text: str) -> tuple[tuple[int, str], ...]:
    """Return each line that sets something or begins a table, and the name, with dots."""
    lines = text.splitlines()
    # Inside a text of several lines nothing is set.
    may_be_inside = '"""' in text or "'''" in text
    return tuple(
        (number, dotted)
        for number, dotted in _set_in(lines)
        if dotted and (not may_be_inside or _begins(lines, number))
    )


def _set_in(lines: list[str]) -> Iterator[tuple[int, str]]:
    table = ""
    for number, line in enumerate(lines, 1):
        if found := _TABLE.match(line):
            table = found[1]
            yield number, _dotted(table)
        elif found := _SET.match(line):
            yield number, _dotted(f"{table}\n{found[1]} = 0")


def _dotted(text: str) -> str:
    """Return the only name that a text sets; empty for a text that is no TOML."""
    try:
        value: Any = tomllib.loads(text)
    except (ValueError, RecursionError):
        return ""
    names = []
    while isinstance(value, Mapping) and value:
        name, value = next(iter(value.items()))
        names.append(name)
    return ".".join(names)


def _begins(lines: list[str], number: int) -> bool:
    """Say whether a line begins something, and is not inside a text of several lines."""
    try:
        tomllib.loads("\n".join(lines[: number - 1]))
    except (ValueError, RecursionError):
        return False
    return True
