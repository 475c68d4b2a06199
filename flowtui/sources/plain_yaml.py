"""Reads the YAML that MLflow writes: mappings and lists in blocks, and scalars of every style.

It is what PyYAML's `safe_dump` writes of plain values: no anchors, no tags, no flow collections but
empty ones. Source: yaml.org/spec/1.1, of which the chapters on scalars say how lines are folded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from flowtui.store.values import JsonValue

_MOST_DEPTH = 24
_WHITE = " \t"
"""All that is white space in YAML, beside the ends of lines; others belong to a text."""
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,4000})")
_FLOAT = re.compile(r"([-+]?[0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")
"""In YAML 1.1 a number without a point, or whose exponent has no sign, is a text."""
_WORDS: dict[str, JsonValue] = {
    "": None, "null": None, "~": None, "true": True, "false": False,
    ".nan": math.nan, ".inf": math.inf, "-.inf": -math.inf, "[]": [], "{}": {},
}  # fmt: skip
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
    "e": "\x1b", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_QUOTED = {"'": re.compile(r"'((?:[^']|'')*)'"), '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)}

_INSIDE = {"'": re.compile(r"([^']|'')*"), '"': re.compile(r'([^"\\]|\\.|\\$)*')}
"""A line, or the rest of one, in which a quote does not end."""


class YamlError(ValueError):
    """A text is not YAML of this kind; `str()` says in which line."""


def mapping(text: str) -> dict[str, JsonValue]:
    """Return the mapping that a text is; an empty text is an empty one.

    Raises:
        YamlError: It is something else.
    """
    if text.strip() == "{}":
        return {}
    # Only these end a line: a form feed or U+2028 may stand inside a text.
    found = _Blocks(text.replace("\r\n", "\n").split("\n")).whole()
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise YamlError("it is not a mapping")
    return found


class _Blocks:
    """The lines of a text, read from the first to the last."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = list(lines)
        self._at = 0

    def whole(self) -> JsonValue:
        if not self._more():
            return None
        found = self._block(self._indent(), 0)
        if self._more():
            raise self._error("it does not go on like that")
        return found

    def _more(self) -> bool:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip(_WHITE) and not line.lstrip(_WHITE).startswith("#") and line != "---":
                return True
            self._at += 1
        return False

    def _indent(self) -> int:
        line = self._lines[self._at]
        return len(line) - len(line.lstrip(" "))

    def _block(self, indent: int, depth: int) -> JsonValue:
        if depth > _MOST_DEPTH:
            raise self._error("it is nested too deeply")
        if self._is_item(indent):
            return self._list(indent, depth)
        found: dict[str, JsonValue] = {}
        while self._more() and self._indent() == indent and not self._is_item(indent):
            key, rest = self._key(self._lines[self._at][indent:])
            found[key] = self._value(rest, indent, depth)
        return found

    def _is_item(self, indent: int) -> bool:
        line = self._lines[self._at][indent:]
        return line == "-" or line.startswith("- ")

    def _list(self, indent: int, depth: int) -> JsonValue:
        found: list[JsonValue] = []
        while self._more() and self._indent() == indent and self._is_item(indent):
            rest = self._lines[self._at][indent + 1 :].strip(_WHITE)
            is_mapping = rest[:1] not in _QUOTED and (": " in rest or rest.endswith(":"))
            if is_mapping or rest == "-" or rest.startswith("- "):
                # What is in an item begins on the line of its dash.
                self._lines[self._at] = " " * (indent + 2) + rest
                found.append(self._block(indent + 2, depth + 1))
            else:
                found.append(self._value(rest, indent, depth))
        return found

    def _key(self, line: str) -> tuple[str, str]:
        quote = _QUOTED.get(line[:1])
        if quote is not None and (match := quote.match(line)) is not None:
            key, rest = _unquoted(match), line[match.end() :].lstrip(_WHITE)
            if rest.startswith(":"):
                return key, rest[1:].strip(_WHITE)
            raise self._error("there is no colon behind a key")
        key, colon, rest = line.partition(": ")
        if not colon and line.rstrip(_WHITE).endswith(":"):
            return line.rstrip(_WHITE)[:-1], ""
        if not colon:
            raise self._error("there is no key")
        return key, rest.strip(_WHITE)

    def _value(self, rest: str, indent: int, depth: int) -> JsonValue:
        if rest[:1] in _QUOTED:
            return self._quoted(rest)
        if rest[:1] in ("|", ">", "&", "*", "!", "%", "@", "`") or (
            rest[:1] in ("[", "{") and rest not in _WORDS
        ):
            raise self._error("MLflow writes nothing like that")
        self._at += 1
        if not rest and self._more():
            inner = self._indent()
            # A list may begin at the indent of its key.
            if inner > indent or (inner == indent and self._is_item(inner)):
                return self._block(inner, depth + 1)
            return None
        lines = [rest]
        while (end := self._end_of_next(indent)) > self._at:
            lines += self._lines[self._at : end]
            self._at = end
        return _plain(_folded(lines)) if len(lines) == 1 else _folded(lines)

    def _end_of_next(self, indent: int) -> int:
        """Return where the next line of a scalar ends, with the empty ones before it."""
        after = self._at
        while after < len(self._lines) and not self._lines[after].strip(_WHITE):
            after += 1
        if after == len(self._lines):
            return self._at
        line = self._lines[after]
        return after + 1 if len(line) - len(line.lstrip(" ")) > indent else self._at

    def _quoted(self, rest: str) -> str:
        mark = rest[0]
        began, lines = self._at, [rest]
        # An escape does not reach over the end of a line, so that each is looked at once.
        while _INSIDE[mark].fullmatch(lines[-1], len(lines) == 1):
            self._at += 1
            if self._at == len(self._lines):
                self._at = began
                raise self._error("a quote does not end")
            lines.append(self._lines[self._at])
        self._at += 1
        match = _QUOTED[mark].match(_folded(lines, is_escaped=mark == '"'))
        if match is None:
            raise self._error("a quote does not end")
        return _unquoted(match)

    def _error(self, why: str) -> YamlError:
        return YamlError(f"line {self._at + 1}: {why}")


def _folded(lines: Sequence[str], is_escaped: bool = False) -> str:
    """Return lines as one: a break is a space, or as many breaks as lines between are empty."""
    said = lines[0].rstrip(" ") if len(lines) > 1 else lines[0]
    empty = 0
    for number, line in enumerate(lines[1:], start=2):
        text = line.strip(" ") if number < len(lines) else line.lstrip(" ")
        if not text:
            empty += 1
            continue
        if is_escaped and (len(said) - len(said.rstrip("\\"))) % 2:
            said = said[:-1]
        else:
            said += "\n" * empty or " "
        said += text
        empty = 0
    return said


def _unquoted(match: re.Match[str]) -> str:
    text = match[1]
    if match[0][0] == "'":
        return text.replace("''", "'")
    return _ESCAPE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        number = int(code[1:], 16)
        is_character = number < 0x110000 and not 0xD800 <= number < 0xE000
        return chr(number) if is_character else "\ufffd"
    return _ESCAPES.get(code, code)


def _plain(text: str) -> JsonValue:
    text = text.strip(_WHITE)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
