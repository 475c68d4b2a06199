"""Lines of a document, a stretch of them that belong together at a time.

A stretch is one `LineRun`, so that a hundred thousand lines of text are one object and a list.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TypeAlias

from flowtui.widgets.cells import Line, Piece, Role
from flowtui.widgets.documents.blocks import Content
from flowtui.widgets.documents.wrapping import plain_wrapped

Key: TypeAlias = tuple[str | int, ...]

SHOWN_CHARS = 2_000
"""So much of a text is shown until more is asked for; each time ten times as much."""
SHOWN_ITEMS = 200
"""The same of the values in one object or list."""
GROWTH = 10
MIN_TEXT_CELLS = 8


@dataclass(slots=True)
class Folds:
    """What somebody opened and closed, and how much is shown of what is long."""

    are_open: dict[Key, bool] = field(default_factory=dict)
    shown: dict[Key, int] = field(default_factory=dict)
    """Characters of a text, values of an object or list."""


@dataclass(frozen=True, slots=True)
class Spot:
    """What lines belong to, and what can be done there."""

    key: Key
    content: Content = ""
    """What copying copies."""
    source: str | None = None
    """The attribute that it came from."""
    is_open: bool | None = None
    """None for what cannot fold."""
    grows_to: int | None = None
    """How much is shown of it when more is asked for; None where there is no more."""
    target: object | None = None
    """What following it posts."""


@dataclass(frozen=True, slots=True)
class LineRun:
    """Lines that belong to one spot, each text after the same indent."""

    spot: Spot
    lines: Sequence[str]
    role: Role = "text"
    indent: int = 0
    head: Line = ()
    """Stands in the place of the first line's indent."""
    is_body: bool = False
    """Whether the lines are the running text itself, from its first character on."""
    paint: Callable[[int], Line] | None = None
    """Makes a line out of stretches of their own roles, where lines have not one role."""

    def line(self, index: int) -> list[Piece]:
        before = self.head if index == 0 and self.head else (Piece(" " * self.indent),)
        if self.paint is not None:
            return [*before, *self.paint(index)]
        return [*before, Piece(self.lines[index], self.role)]


class RunLayout:
    """The lines of a document at one width."""

    def __init__(self, runs: Sequence[LineRun], beside: Iterable[tuple[int, LineRun]] = ()) -> None:
        """Take the runs.

        Args:
            runs: One under the other.
            beside: What some of them were put together from, each with its first line.
        """
        self.runs = runs
        self._beside = tuple(beside)
        self._ends = list(accumulate(len(run.lines) for run in runs))

    @property
    def line_count(self) -> int:
        return self._ends[-1] if self._ends else 0

    def at(self, index: int) -> tuple[LineRun, int]:
        """Return the run that a line is of, and which of its lines it is."""
        at = bisect_right(self._ends, index)
        run = self.runs[at]
        return run, index - self._ends[at] + len(run.lines)

    def placed(self, key: Key) -> Iterator[tuple[int, LineRun]]:
        """Yield the runs of a spot, each with its first line."""
        for run, end in zip(self.runs, self._ends, strict=True):
            if run.spot.key == key:
                yield end - len(run.lines), run
        yield from ((first, run) for first, run in self._beside if run.spot.key == key)


def blank(key: Key) -> LineRun:
    """Return an empty line before something."""
    return LineRun(Spot((*key, "")), [""])


def room(width: int, indent: int) -> int:
    """Return how wide a text may be after an indent."""
    return max(width - indent, MIN_TEXT_CELLS)


def body(
    spot: Spot, text: str, limit: int, width: int, indent: int, role: Role = "text", head: Line = ()
) -> Iterator[LineRun]:
    """Yield the first characters of a text, and how many more there are."""
    lines = plain_wrapped(text[:limit], room(width, indent))
    yield LineRun(spot, lines, role, indent, head, is_body=True)
    if len(text) > limit:
        growing = replace(spot, grows_to=limit * GROWTH)
        yield more(growing, f"… {len(text) - limit:,} more characters", indent, width)


def tail(
    spot: Spot, text: str, count: int, width: int, indent: int, role: Role, head: Line
) -> Iterator[LineRun]:
    """Yield the last lines of a text, after how much there is before them."""
    lines = plain_wrapped(text.rstrip()[-SHOWN_CHARS:], room(width, indent))[-count:]
    growing = replace(spot, grows_to=SHOWN_CHARS)
    before = max(len(text) - sum(map(len, lines)), 1)
    note = more(growing, f"… {before:,} characters before", indent, width)
    yield replace(note, head=head)
    yield LineRun(growing, lines, role, indent)


def head_of(
    spot: Spot, text: str, count: int, width: int, indent: int, role: Role, head: Line
) -> Iterator[LineRun]:
    """Yield the first lines of a text, and how much there is after them."""
    lines = plain_wrapped(text[:SHOWN_CHARS], room(width, indent))[:count]
    growing = replace(spot, grows_to=SHOWN_CHARS)
    after = max(len(text) - sum(map(len, lines)), 1)
    yield LineRun(growing, lines, role, indent, head)
    yield more(growing, f"… {after:,} more characters", indent, width)


def more(growing: Spot, what: str, indent: int, width: int) -> LineRun:
    """Return the line that says what is not shown yet; Enter on it shows more."""
    line = f"{what}   Enter shows more"
    return LineRun(growing, [line if len(line) <= width - indent else what], "muted", indent)


def cut_note(spot: Spot, kept: int, full: int, indent: int) -> LineRun:
    """Return the line under a text of which the store gave the first part only."""
    text = f"first {kept:,} of {full:,} characters"
    if spot.source is not None:
        text += "   p opens it whole"
    return LineRun(spot, [text], "muted", indent)
