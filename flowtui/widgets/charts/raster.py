"""Dense curves as text, drawn as one vertical run of dots in each column.

Setting dot by dot, plotext takes half a second for a noisy curve on a large screen, where a column
of dots may be as high as the canvas. A run takes as long as a single dot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Points = Sequence[tuple[float, float]]
"""Points that lines join, as fractions of width and height from the lower left."""
COLUMNS = 2
"""Columns of dots in a cell, of braille and of quadrants alike."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A set of characters that show dots in a cell."""

    rows: int
    bits: tuple[tuple[int, ...], tuple[int, ...]]
    """The bit of each dot from the top, in the left column and in the right one."""
    glyphs: str
    """The characters, by the sum of the bits of their dots."""


BRAILLE = Marker(
    4,
    ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)),
    " " + "".join(chr(0x2800 + bits) for bits in range(1, 256)),
)
QUADRANTS = Marker(2, ((1, 4), (2, 8)), " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")


def dots(stretches: Sequence[Points], width: int, height: int, marker: Marker) -> float:
    """Return about how many dots the lines take."""
    wide, tall = COLUMNS * width, marker.rows * height
    return sum(
        max(abs(right[0] - left[0]) * wide, abs(right[1] - left[1]) * tall) + 1
        for stretch in stretches
        for left, right in pairwise(stretch)
    )


def raster(stretches: Sequence[Points], width: int, height: int, marker: Marker) -> list[str]:
    """Return `height` lines of `width` cells with the lines drawn on them."""
    cells = [[0] * width for _ in range(height)]
    for stretch in stretches:
        for column, (low, high) in _runs(stretch, width * COLUMNS, height * marker.rows).items():
            _fill(cells, column, height * marker.rows - 1 - high, high - low, marker)
    return ["".join(marker.glyphs[bits] for bits in row) for row in cells]


def _runs(stretch: Points, wide: int, tall: int) -> dict[int, tuple[int, int]]:
    """Return by column the lowest and the highest dot of a line; each run touches the next."""
    runs: dict[int, tuple[int, int]] = {}
    placed = [(x * (wide - 1), y * (tall - 1)) for x, y in stretch]

    def take(column: int, *heights: float) -> None:
        low, high = runs.get(column, (tall, -1))
        runs[column] = (
            min(low, round(min(heights))),
            max(high, round(max(heights))),
        )

    for x, y in placed:
        take(round(x), y)
    for (x, y), (next_x, next_y) in pairwise(placed):
        first, last = round(x), round(next_x)
        if first == last:
            continue
        # A column has the part of the line up to the middle between it and the next column.
        slope = (next_y - y) / (next_x - x)
        before = y
        for column in range(first, last):
            after = y + slope * (column + 0.5 - x)
            after = min(max(after, min(y, next_y)), max(y, next_y))
            take(column, before, after)
            before = after
        take(last, before, next_y)
    return runs


def _fill(cells: list[list[int]], column: int, top: int, length: int, marker: Marker) -> None:
    """Set a run of `length` + 1 dots downwards from `top`."""
    bits = marker.bits[column % COLUMNS]
    cell = column // COLUMNS
    whole = sum(bits)
    row, end = top, top + length
    while row <= end:
        inside = row % marker.rows
        if inside == 0 and row + marker.rows - 1 <= end:
            cells[row // marker.rows][cell] |= whole
            row += marker.rows
        else:
            cells[row // marker.rows][cell] |= bits[inside]
            row += 1
