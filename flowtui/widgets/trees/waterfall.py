"""The waterfall of a trace: the bars of its spans on a common scale of time, and that scale.

A bar is solid while the span itself was at work, and thin while its children ran. Times are in
Unix nanoseconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from rich.cells import cell_len

from flowtui.store.traces.tree import ERROR, Node, SpanTree
from flowtui.widgets.cells import Piece, Role
from flowtui.widgets.charts.axis import durations
from flowtui.widgets.charts.ticks import even

NS = 1_000_000_000
HALVES = 2
"""How many parts a cell has: bars start and end on half cells."""
_NONE, _BELOW, _OWN = 0, 1, 2
_GLYPHS = {
    (_NONE, _NONE): " ", (_OWN, _OWN): "█", (_OWN, _NONE): "▌", (_NONE, _OWN): "▐",
    (_BELOW, _BELOW): "━", (_BELOW, _NONE): "╸", (_NONE, _BELOW): "╺",
    (_OWN, _BELOW): "█", (_BELOW, _OWN): "█",
}  # fmt: skip
OPEN, OPEN_END = "┄", "▸"
BEFORE, AFTER = "‹", "›"
TICK_CELLS = 8
LABEL_CELLS = 24
"""How wide a label may be: enough for any time of a trace in nanoseconds, without an offset."""
WORDS_FROM_S = 120
"""From how many seconds on times are in minutes and hours."""
_UNITS = (("s", NS), ("ms", 1_000_000), ("µs", 1_000), ("ns", 1))


class TimeWindow(NamedTuple):
    """A part of the time of a trace, which is never empty."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        return self.end_ns - self.start_ns

    def around(self, start_ns: int, end_ns: int) -> TimeWindow:
        """Return a period with a margin around it, as a part of this window."""
        margin = max((end_ns - start_ns) // 20, 1)
        return self.within(start_ns - margin, end_ns + margin)

    def scaled(self, factor: float, middle_ns: int, whole: TimeWindow) -> TimeWindow:
        """Return a window `factor` times as long around a moment, inside the whole trace."""
        length = max(round(self.length_ns * factor), 1)
        return whole.within(middle_ns - length // 2, middle_ns - length // 2 + length)

    def shifted(self, share: float, whole: TimeWindow) -> TimeWindow:
        """Return this window moved by a share of its length, inside the whole trace."""
        by = round(self.length_ns * share) or (1 if share > 0 else -1)
        return whole.within(self.start_ns + by, self.end_ns + by)

    def within(self, start_ns: int, end_ns: int) -> TimeWindow:
        """Return a period moved into this window, and cut to its length if it is longer."""
        length = min(max(end_ns - start_ns, 1), self.length_ns)
        start = min(max(start_ns, self.start_ns), self.end_ns - length)
        return TimeWindow(start, start + length)


def whole_window(tree: SpanTree) -> TimeWindow:
    """Return the time from the first start to the last end; any window if there are no times."""
    start = tree.start_ns or 0
    return TimeWindow(start, max(tree.end_ns or 0, start + 1))


def is_open(node: Node) -> bool:
    """Return whether a span has started and not ended, as far as the store knows."""
    span = node.span
    return span is not None and span.begun_ns is not None and span.ended_ns is None


def bar_role(node: Node) -> Role:
    """Return the role of a bar: of a failed, an open or a critical span, or of any other."""
    if node.span is not None and node.span.status_code == ERROR:
        return "error"
    if is_open(node):
        return "accent"
    return "text" if node.is_critical else "muted"


def bar(tree: SpanTree, index: int, window: TimeWindow, cells: int) -> list[Piece]:
    """Return the bar of a span in exactly `cells` cells."""
    node, times = tree[index], tree.times(index)
    if times is None:
        return [Piece(" " * cells)]
    start, end = times
    if is_open(node):
        end = max(end, window.end_ns)
    if end < window.start_ns:
        return [Piece(BEFORE + " " * (cells - 1), "muted")]
    if start > window.end_ns:
        return [Piece(" " * (cells - 1) + AFTER, "muted")]
    halves = _halves(tree.covered(index), (start, end), window, cells)
    pairs = zip(halves[::HALVES], halves[1::HALVES], strict=True)
    text = "".join(_GLYPHS[pair] for pair in pairs)
    if is_open(node):
        text = _open_ended(text)
    return [Piece(text, bar_role(node))]


def _halves(
    covered: list[tuple[int, int]], times: tuple[int, int], window: TimeWindow, cells: int
) -> bytearray:
    """Return for each half cell whether the span itself ran in it, its children, or neither.

    Args:
        covered: The periods in which the children ran, in order and without overlaps.
        times: The start and the end of the span.
        window: The time that is shown.
        cells: The width of the bar.
    """
    count = cells * HALVES
    halves = bytearray(count)
    # A span in the window has at least half a cell, however short it is.
    first = min(max(_floor(times[0], window, count), 0), count - 1)
    last = max(min(_ceil(times[1], window, count), count), first + 1)
    halves[first:last] = bytes([_OWN]) * (last - first)

    def begins(one: tuple[int, int]) -> int:
        return _ceil(one[0], window, count)

    # A half cell is the children's only if they fill it, so that the time between them is seen.
    # The loop is over half cells, and searches for the period that covers each: there may be far
    # more periods than half cells.
    at = first
    while at < last:
        after = bisect_right(covered, at, key=begins)
        stop = min(_floor(covered[after - 1][1], window, count), last) if after else at
        if stop > at:
            halves[at:stop] = bytes([_BELOW]) * (stop - at)
            at = stop
        elif after < len(covered):
            at = begins(covered[after])
        else:
            break
    return halves


def _floor(at_ns: int, window: TimeWindow, count: int) -> int:
    return (at_ns - window.start_ns) * count // window.length_ns


def _ceil(at_ns: int, window: TimeWindow, count: int) -> int:
    return -((window.start_ns - at_ns) * count // window.length_ns)


def _open_ended(text: str) -> str:
    """Return the bar of a span that still runs, which reaches the end of the window."""
    return text[:-1].replace("█", OPEN).replace("▐", OPEN) + OPEN_END


def scale(window: TimeWindow, origin_ns: int, cells: int) -> str:
    """Return the times above the bars, from the start of the trace, in exactly `cells` cells."""
    low, high = window.start_ns - origin_ns, window.end_ns - origin_ns
    at_most = max(cells // TICK_CELLS, 1)
    if high >= WORDS_FROM_S * NS and window.length_ns >= at_most * NS:
        times = durations(low / NS, high / NS, at_most).placed(lambda at_s: at_s * NS)
        labels = times.labels
    else:
        unit, size = next((one for one in _UNITS if high >= one[1]), _UNITS[-1])
        times = even(Fraction(low, size), Fraction(high, size), at_most, LABEL_CELLS)
        times = times.placed(lambda at: at * size)
        labels = tuple(f"{label} {unit}" for label in times.labels)
    return _placed(
        [
            (round((at - low) * cells / window.length_ns), text)
            for at, text in zip(times.places, labels, strict=True)
        ],
        cells,
    )


def _placed(marks: Sequence[tuple[int, str]], cells: int) -> str:
    """Return texts on one line, each beginning at its cell; those that do not fit are left out."""
    line = ""
    for at, text in marks:
        if at >= len(line) and at + cell_len(text) <= cells:
            line = line.ljust(at) + text + " "
    return line[:cells].ljust(cells)
