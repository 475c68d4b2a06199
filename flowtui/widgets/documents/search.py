"""Search for a text in a document, also in parts that are folded or not shown yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from flowtui import format as fmt
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import Block, Facts, Link, Section, Text, Turn, Values, Words
from flowtui.widgets.documents.layout import value_key
from flowtui.widgets.documents.runs import Key, RunLayout
from flowtui.widgets.documents.value_runs import items_of
from flowtui.widgets.documents.wrapping import plain_lines

MAX_MATCHES = 10_000


@dataclass(frozen=True, slots=True)
class Match:
    """One occurrence of the text."""

    key: Key
    """The key of the part that contains it."""
    opens: tuple[Key, ...] = ()
    """The parts that must be unfolded to show it."""
    grows: tuple[tuple[Key, int], ...] = ()
    """The parts that must show more, each with the number of characters or values."""
    text: str | None = None
    """The running text that contains it; None for a name or a number."""
    offset: int = 0


_Hidden: TypeAlias = tuple[tuple[Key, ...], tuple[tuple[Key, int], ...]]


def pattern_of(needle: str) -> re.Pattern[str]:
    """Return the pattern that finds a text in any case."""
    return re.compile(re.escape(needle), re.IGNORECASE)


def matches(sections: Sequence[Section], pattern: re.Pattern[str]) -> list[Match]:
    """Return the first `MAX_MATCHES` occurrences, in the order of the document."""
    return list(islice(_in_sections(sections, pattern), MAX_MATCHES))


def line_of(layout: RunLayout, match: Match) -> int | None:
    """Return the line that shows an occurrence; None if it is not shown."""
    first: int | None = None
    for start, run in layout.placed(match.key):
        if first is None:
            first = start
        if match.text is not None and run.is_body:
            return start + _line_in(run.lines, match.text[: match.offset])
    return first


def _line_in(lines: Sequence[str], before: str) -> int:
    """Return the line with the character that follows a text; wrapping drops only blanks."""
    left = sum(map(_solid, plain_lines(before)))
    for index, line in enumerate(lines):
        left -= _solid(line)
        if left < 0:
            return index
    return max(len(lines) - 1, 0)


def _solid(line: str) -> int:
    return len(line) - line.count(" ")


def _in_sections(sections: Sequence[Section], pattern: re.Pattern[str]) -> Iterator[Match]:
    for section in sections:
        key: Key = (section.key,)
        if pattern.search(f"{section.title}   {section.note}"):
            yield Match(key)
        opens = (key,) if section.title else ()
        yield from _in_blocks(section.blocks, key, opens, pattern)


def _in_blocks(
    blocks: Sequence[Block], parent: Key, opens: tuple[Key, ...], pattern: re.Pattern[str]
) -> Iterator[Match]:
    for index, block in enumerate(blocks):
        key: Key = (*parent, index)
        match block:
            case Text(text=text):
                yield from _in_text(key, text, opens, pattern)
            case Facts(rows=rows):
                for at, row in enumerate(rows):
                    if pattern.search(row.label):
                        yield Match((*key, at), opens)
                    yield from _in_text((*key, at), row.text, opens, pattern)
            case Words(pieces=pieces):
                if any(pattern.search(piece.text) for piece in pieces):
                    yield Match(key, opens)
            case Link(label=label):
                if pattern.search(label):
                    yield Match(key, opens)
            case Values():
                yield from _in_values(block, value_key(key, block), opens, pattern)
            case Turn():
                if pattern.search(f"{block.name}   {block.note}"):
                    yield Match(key, opens)
                inner = (*opens, key) if block.can_fold else opens
                yield from _in_blocks(block.blocks, key, inner, pattern)


def _in_text(
    key: Key,
    text: str,
    opens: tuple[Key, ...],
    pattern: re.Pattern[str],
    grows: tuple[tuple[Key, int], ...] = (),
) -> Iterator[Match]:
    for found in pattern.finditer(text):
        yield Match(key, opens, (*grows, (key, found.end())), text, found.start())


def _in_values(
    block: Values, key: Key, opens: tuple[Key, ...], pattern: re.Pattern[str]
) -> Iterator[Match]:
    # A stack and not a recursion: values may be nested deeper than Python can recurse.
    pending = [_inside(dict(block.values), key, (opens, ()))]
    while pending:
        found = next(pending[-1], None)
        if found is None:
            pending.pop()
            continue
        name, value, place, (above, grows) = found
        if isinstance(name, str) and pattern.search(name):
            yield Match(place, above, grows)
        if isinstance(value, str):
            yield from _in_text(place, value, above, pattern, grows)
        elif isinstance(value, (dict, list)):
            pending.append(_inside(value, place, ((*above, place), grows)))
        elif pattern.search(fmt.json_text(value)):
            yield Match(place, above, grows)


def _inside(
    value: JsonValue, key: Key, hidden: _Hidden
) -> Iterator[tuple[str | int, JsonValue, Key, _Hidden]]:
    opens, grows = hidden
    for index, (name, inner) in enumerate(items_of(value)):
        yield name, inner, (*key, name), (opens, (*grows, (key, index + 1)))


def marked(piece: Piece, pattern: re.Pattern[str]) -> list[Piece]:
    """Return a piece as several, with matches in a role of their own."""
    parts: list[Piece] = []
    at = 0
    for found in pattern.finditer(piece.text):
        parts.append(Piece(piece.text[at : found.start()], piece.role))
        parts.append(Piece(found.group(), "accent"))
        at = found.end()
    parts.append(Piece(piece.text[at:], piece.role))
    return [part for part in parts if part.text]
