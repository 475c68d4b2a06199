"""Wraps long untrusted texts to plain lines, fast enough for the longest texts of a span."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate, chain

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.joiners import ZWJ, ZWNJ, with_joiners_shown

TAB_CELLS = 4
MIN_CELLS = 2
_LOOK_SELECTORS = {"\ufe0e", "\ufe0f"}
_BLANKS = re.compile(" *")


def plain_wrapped(text: str, width: int) -> list[str]:
    """Return text as plain lines of at most `width` cells, broken at blanks if possible.

    The plain form of a character is found once for all its occurrences, so that half a million
    characters take 10 ms, and 60 ms if some are wide.
    """
    width = max(width, MIN_CELLS)
    lines = plain_lines(text)
    cells = _Cells()
    is_even = text.isascii() or all(cells[char] == 1 for char in set("".join(lines)))
    if is_even and max(map(len, lines)) <= width:
        return lines
    wrapped: list[str] = []
    for line in lines:
        if is_even or line.isascii():
            _break(line, width, wrapped, lambda start: start + width)
        else:
            _break(line, width, wrapped, _measured(line, width, cells))
    return wrapped


def plain_lines(text: str) -> list[str]:
    """Return the lines of a text as `fmt.plain` makes them, with tabs as blanks."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if "\t" in text:
        text = text.expandtabs(TAB_CELLS)
    chars = set(text)
    odd = {char for char in chars if char != "\n" and not char.isprintable()}
    odd |= chars & _LOOK_SELECTORS
    # The plain form of a joiner depends on the characters beside it.
    odd -= {ZWNJ, ZWJ}
    if odd:
        text = text.translate({ord(char): fmt.plain(char) for char in odd})
    if text.isascii():
        return text.split("\n")
    lines = with_joiners_shown(text).split("\n")
    marks = {char for char in chars - odd if unicodedata.category(char) in ("Mn", "Me")}
    if marks:
        stacked = re.compile(f"[{re.escape(''.join(marks))}]{{{fmt.MAX_MARKS + 1}}}")
        lines = [fmt.plain(line, len(line)) if stacked.search(line) else line for line in lines]
    return lines


def _break(line: str, width: int, into: list[str], reach: Callable[[int], int]) -> None:
    """Append a line in parts; `reach` returns how far a part that starts somewhere may go."""
    start, length = 0, len(line)
    while (end := reach(start)) < length:
        cut = line.rfind(" ", start, end + 1)
        # A break inside the indent would leave a blank line.
        if cut <= start or line[start:cut].isspace():
            into.append(line[start:end])
            start = end
            continue
        into.append(line[start:cut])
        blanks = _BLANKS.match(line, cut)
        start = cut if blanks is None else blanks.end()
    if start < length or not length:
        into.append(line[start:])


class _Cells(dict[str, int]):
    """The width of each character in cells."""

    def __missing__(self, char: str) -> int:
        count = self[char] = cell_len(char)
        return count


def _measured(line: str, width: int, cells: _Cells) -> Callable[[int], int]:
    counts: Iterable[int] = map(cells.__getitem__, line)
    if ZWJ in line:
        # As Textual measures it, the character after a joiner takes no cells of its own.
        befores = chain("\n", line)
        counts = (0 if before == ZWJ else n for before, n in zip(befores, counts, strict=False))
    ends = list(accumulate(counts))

    def reach(start: int) -> int:
        before = ends[start - 1] if start else 0
        return max(bisect_right(ends, before + width, start), start + 1)

    return reach
