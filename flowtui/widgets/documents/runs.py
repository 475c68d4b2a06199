"""Runs of lines of a document that belong together.

A run is one `LineRun`, so that a hundred thousand lines of text are one object and a list.
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
"""How much of a text is shown at first."""
SHOWN_ITEMS = 200
"""How many values of one object or list are shown at first."""
GROWTH = 10
"""The factor by which these grow each time that a person asks for more."""
MIN_TEXT_CELLS = 8


@dataclass(slots=True)
class Folds:
    """What a person has folded and unfolded, and how much of long parts is shown."""

    are_open: dict[Key, bool] = field(default_factory=dict)
    shown: dict[Key, int] = field(default_factory=dict)
    """How many characters of a text, or values of an object or list, are shown."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The part of a document that lines belong to, and what can be done on it."""

    key: Key
    content: Content = ""
    """The content that is copied."""
    source: str | None = None
    """The attribute that holds it."""
    is_open: bool | None = None
    """Whether it is unfolded; None if it cannot fold."""
    grows_to: int | None = None
    """How much of it is shown once a person asks for more; None if there is no more."""
    target: object | None = None
    """The target that following it posts."""


@dataclass(frozen=True, slots=True)
class LineRun:
    """Lines that belong to one spot, with the same indent."""

    spot: Spot
    lines: Sequence[str]
    role: Role = "text"
    indent: int = 0
    head: Line = ()
    """Replaces the indent of the first line."""
    is_body: bool = False
    """Whether the lines are the running text itself, from its first character on."""
    paint: Callable[[int], Line] | None = None
    """Returns a line in pieces, if the lines have several roles."""

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
            runs: The runs, one under the other.
            beside: The runs of columns that some of these contain, each with its first line.
        """
        self.runs = runs
        self._beside = tuple(beside)
        self._ends = list(accumulate(len(run.lines) for run in runs))

    @property
    def line_count(self) -> int:
        return self._ends[-1] if self._ends else 0

    def at(self, index: int) -> tuple[LineRun, int]:
        """Return the run that has a line, and the index of the line in it."""
        at = bisect_right(self._ends, index)
        run = self.runs[at]
        return run, index - self._ends[at] + len(run.lines)

    def placed(self, key: Key) -> Iterator[tuple[int, LineRun]]:
        """Yield the runs of a spot, each with its first line."""
        for run, end in zip(self.runs, self._ends, strict=True):
            if run.spot.key == key:
                yield end - len(run.lines), run
        yield from ((first, run) for first, run in self._beside if run.spot.key == key)

    def first_line(self, section: str) -> int | None:
        """Return the first line of a section, by its key; None where there is none."""
        for run, end in zip(self.runs, self._ends, strict=True):
            if run.spot.key[0] == section and run.spot.key[-1] != "":
                return end - len(run.lines)
        return None


def blank(key: Key) -> LineRun:
    """Return the empty line before something."""
    return LineRun(Spot((*key, "")), [""])


def room(width: int, indent: int) -> int:
    """Return the greatest width of a text after an indent."""
    return max(width - indent, MIN_TEXT_CELLS)


def body(
    spot: Spot, text: str, limit: int, width: int, indent: int, role: Role = "text", head: Line = ()
) -> Iterator[LineRun]:
    """Yield the first characters of a text, and a line that says how many more there are."""
    lines = plain_wrapped(text[:limit], room(width, indent))
    yield LineRun(spot, lines, role, indent, head, is_body=True)
    if len(text) > limit:
        growing = replace(spot, grows_to=limit * GROWTH)
        yield more(growing, f"… {len(text) - limit:,} more characters", indent, width)


def tail(
    spot: Spot, text: str, count: int, width: int, indent: int, role: Role, head: Line
) -> Iterator[LineRun]:
    """Yield a line that says how much comes before, and the last lines of a text."""
    lines = plain_wrapped(text.rstrip()[-SHOWN_CHARS:], room(width, indent))[-count:]
    growing = replace(spot, grows_to=SHOWN_CHARS)
    before = max(len(text) - sum(map(len, lines)), 1)
    note = more(growing, f"… {before:,} characters before", indent, width)
    yield replace(note, head=head)
    yield LineRun(growing, lines, role, indent)


def head_of(
    spot: Spot, text: str, count: int, width: int, indent: int, role: Role, head: Line
) -> Iterator[LineRun]:
    """Yield the first lines of a text, and a line that says how much comes after."""
    lines = plain_wrapped(text[:SHOWN_CHARS], room(width, indent))[:count]
    growing = replace(spot, grows_to=SHOWN_CHARS)
    after = max(len(text) - sum(map(len, lines)), 1)
    yield LineRun(growing, lines, role, indent, head)
    yield more(growing, f"… {after:,} more characters", indent, width)


def more(growing: Spot, what: str, indent: int, width: int) -> LineRun:
    """Return the line that says how much is not shown; Enter on it shows more."""
    line = f"{what}   Enter shows more"
    return LineRun(growing, [line if len(line) <= width - indent else what], "muted", indent)


def cut_note(spot: Spot, kept: int, full: int, indent: int) -> LineRun:
    """Return the line below a text that was read only in part."""
    text = f"first {kept:,} of {full:,} characters"
    if spot.source is not None:
        text += "   p opens it whole"
    return LineRun(spot, [text], "muted", indent)
