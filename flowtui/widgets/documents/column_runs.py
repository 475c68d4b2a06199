"""Lines of a document with several texts or roles: columns, and text with marked pieces."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, groupby

from flowtui.joiners import STAND_INS, is_needed
from flowtui.widgets.cells import Line, Piece, clipped, width_of
from flowtui.widgets.documents.runs import LineRun, RunLayout, Spot
from flowtui.widgets.documents.wrapping import plain_lines


def side_by_side(
    columns: Sequence[Sequence[LineRun]], cells: int, gap: int, indent: int
) -> tuple[list[LineRun], list[tuple[int, LineRun]]]:
    """Return the runs of columns as runs of whole lines, and the line where each run begins.

    A line belongs to the first column with something to do on it, else to the first column that is
    long enough.

    Args:
        columns: The runs of each column, laid out for `cells`.
        cells: The width of each column.
        gap: The number of cells between two columns.
        indent: The number of cells before the first column.
    """
    layouts = [RunLayout(runs) for runs in columns]
    count = max(layout.line_count for layout in layouts)
    spots = [_spot(layouts, index) for index in range(count)]
    joined: list[LineRun] = []
    for _, numbers in groupby(range(count), key=lambda index: _identity(spots[index])):
        first, *rest = numbers
        paint = partial(_joined, layouts, cells, gap, first)
        # The runs of the columns hold the texts; a line is put together only when it is drawn.
        texts = [""] * (1 + len(rest))
        joined.append(LineRun(spots[first], texts, indent=indent, paint=paint))
    return joined, [part for runs in columns for part in _starts(runs)]


def painted(run: LineRun, pieces: Sequence[Piece], limit: int) -> LineRun:
    """Return a run of running text with each piece in its role; return any other run as it is.

    Args:
        run: A run that `body` made from the joined texts of the pieces.
        pieces: The pieces.
        limit: How many of their characters the run holds.
    """
    if not run.is_body:
        return run
    some = list(_first(pieces, limit))
    # Wrapping drops only blanks, so counting all other characters finds the pieces again.
    ends = list(accumulate(_solid(" ".join(plain_lines(text))) for text in _with_joiners(some)))
    starts = list(accumulate(map(_solid, run.lines), initial=0))

    def paint(index: int) -> Line:
        parts: list[Piece] = []
        at = starts[index]
        for char in run.lines[index]:
            role = some[min(bisect_right(ends, at), len(some) - 1)].role
            if parts and (parts[-1].role == role or char == " "):
                parts[-1] = Piece(parts[-1].text + char, parts[-1].role)
            else:
                parts.append(Piece(char, role))
            at += char != " "
        return parts

    return replace(run, paint=paint)


def _with_joiners(pieces: Sequence[Piece]) -> Iterator[str]:
    """Yield the texts of pieces, with each joiner replaced by text as long as its plain form.

    That form depends on the characters on both sides, and a piece may end between them.
    """
    whole = "".join(piece.text for piece in pieces)
    if STAND_INS.keys().isdisjoint(whole):
        yield from (piece.text for piece in pieces)
        return
    start = 0
    for piece in pieces:
        parts = []
        for at, char in enumerate(piece.text, start):
            is_own = char not in STAND_INS
            parts.append(char if is_own else "x" if is_needed(whole, at) else STAND_INS[char])
        yield "".join(parts)
        start += len(piece.text)


def _first(pieces: Sequence[Piece], limit: int) -> Iterator[Piece]:
    for piece in pieces:
        if limit <= 0:
            return
        yield Piece(piece.text[:limit], piece.role)
        limit -= len(piece.text)


def _joined(layouts: Sequence[RunLayout], cells: int, gap: int, first: int, after: int) -> Line:
    pieces: list[Piece] = []
    index = first + after
    for number, layout in enumerate(layouts):
        if index >= layout.line_count:
            continue
        run, at = layout.at(index)
        left = number * (cells + gap)
        pieces.append(Piece(" " * (left - width_of(pieces))))
        pieces += clipped(run.line(at), cells)
    return pieces


def _spot(layouts: Sequence[RunLayout], index: int) -> Spot:
    spots = [layout.at(index)[0].spot for layout in layouts if index < layout.line_count]
    return next((spot for spot in spots if _acts(spot)), spots[0])


def _acts(spot: Spot) -> bool:
    return any(one is not None for one in (spot.is_open, spot.grows_to, spot.target))


def _identity(spot: Spot) -> tuple[object, ...]:
    return spot.key, spot.is_open, spot.grows_to, spot.source, spot.target


def _starts(runs: Sequence[LineRun]) -> Iterator[tuple[int, LineRun]]:
    first = 0
    for run in runs:
        yield first, run
        first += len(run.lines)


def _solid(text: str) -> int:
    return len(text) - text.count(" ")
