"""Curves as text: the only file that imports plotext.

plotext 5.3 draws points and lines on a grid of braille dots. It is fast and right only with finite
numbers, a few for each column, inside the window, and not too many dots: `raster` draws denser
curves. Our own widgets draw ticks, titles and all text from a store.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowtui.widgets.cells import Line, Piece, Role
from flowtui.widgets.charts import raster

DOTS_A_CELL = raster.COLUMNS
"""Columns of dots in a cell: a chart has twice as many columns as cells."""
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
BRAILLE, BLOCKS = "braille", "hd"
EMPTY_CELLS = (" ", "\u2800")
"""The characters that plotext leaves where nothing is drawn."""
_MARKERS = {BRAILLE: raster.BRAILLE, BLOCKS: raster.QUADRANTS}
DENSE = 3
"""`raster` draws a curve with more dots than this many times the canvas's width plus height."""
LARGEST = sys.float_info.max
ROUNDING = 1e-9
MOST_HEIGHTS = 1e6
"""How many heights of the canvas a point may be away from it; further ones are drawn from there."""

Stretch = Sequence[tuple[float, float]]
"""Finite points that are joined by a line, in order of x."""


@dataclass(frozen=True, slots=True)
class Window:
    """The range of a chart in both directions; `left < right` and `bottom < top`."""

    left: float
    right: float
    bottom: float
    top: float


def padded(low: float, high: float) -> tuple[float, float]:
    """Return a range with some space at both ends; around a single value it is of that size."""
    if high / 4 > low / 4:
        # Quarters, because the range itself may be too wide for a float.
        air = (high / 4 - low / 4) * 0.2
        return max(low - air, -LARGEST), min(high + air, LARGEST)
    size = abs(low) / 2 or 1.0
    return max(low - size, -LARGEST), min(high + size, LARGEST)


def canvas(
    stretches: Sequence[Stretch], width: int, height: int, window: Window, marker: str = BRAILLE
) -> list[str]:
    """Return `height` lines of `width` cells with the stretches drawn on them.

    Args:
        stretches: One line each; at a gap in a curve one ends and another begins.
        width: The width in cells, at least 1.
        height: The height in cells, at least 1.
        window: The range of the canvas; points outside it are clipped.
        marker: BRAILLE, or BLOCKS for terminals whose font has no braille.
    """
    blank = [" " * width] * height
    inside = [
        part for stretch in stretches for part in clipped_up(scaled_to(stretch, window), 0.0, 1.0)
    ]
    if not inside or width < 1 or height < 1:
        return blank
    dots = _MARKERS[marker]
    if raster.dots(inside, width, height, dots) > DENSE * (
        DOTS_A_CELL * width + dots.rows * height
    ):
        return raster.raster(inside, width, height, dots)
    figure = _figure()
    figure.plot_size(width, height)
    figure.theme("clear")
    figure.xaxes(False, False)
    figure.yaxes(False, False)
    figure.xfrequency(0)
    figure.yfrequency(0)
    # Everything is scaled to 0..1 first: plotext fails on very wide and very narrow ranges.
    figure.xlim(0, 1)
    figure.ylim(0, 1)
    for stretch in inside:
        xs = [x for x, _ in stretch]
        ys = [y for _, y in stretch]
        if len(stretch) == 1:
            figure.scatter(xs, ys, marker=marker)
        else:
            figure.plot(xs, ys, marker=marker)
    drawn = _ESCAPES.sub("", figure.build()).split("\n")[:height]
    return [line[:width].ljust(width) for line in drawn] + blank[len(drawn) :]


def blended(layers: Sequence[tuple[Sequence[str], Role]], width: int) -> list[Line]:
    """Return canvases of one size drawn over each other, with the first on top.

    A cell in which braille curves meet has the dots of all of them, in the colour of the top one.
    """
    height = max((len(cells) for cells, _ in layers), default=0)
    return [
        _blended_row([(cells[row], role) for cells, role in layers], width) for row in range(height)
    ]


def _blended_row(layers: Sequence[tuple[str, Role]], width: int) -> Line:
    if len(layers) == 1:
        return [Piece(*layers[0])]
    pieces: list[Piece] = []
    for column in range(width):
        shown, role = " ", layers[0][1]
        for cells, layer_role in layers:
            cell = cells[column]
            if cell in EMPTY_CELLS:
                continue
            if shown in EMPTY_CELLS:
                shown, role = cell, layer_role
            elif _is_braille(cell) and _is_braille(shown):
                shown = chr(ord(shown) | ord(cell))
        if pieces and (pieces[-1].role == role or shown == " "):
            pieces[-1] = Piece(pieces[-1].text + shown, pieces[-1].role)
        else:
            pieces.append(Piece(shown, role))
    return pieces


def _is_braille(cell: str) -> bool:
    return "\u2800" <= cell <= "\u28ff"


def clipped_up(stretch: Stretch, bottom: float, top: float) -> list[list[tuple[float, float]]]:
    """Return the parts of a line between two heights; it leaves and enters them where it does."""
    if all(bottom <= y <= top for _, y in stretch):
        return [list(stretch)] if stretch else []
    parts: list[list[tuple[float, float]]] = [[]]
    for at, (x, y) in enumerate(stretch):
        if at:
            from_x, from_y = stretch[at - 1]
            crossed = sorted(
                (edge - from_y) / (y - from_y)
                for edge in (bottom, top)
                if min(from_y, y) < edge < max(from_y, y)
            )
            for share in crossed:
                height = from_y + (y - from_y) * share
                edge = bottom if abs(height - bottom) < abs(height - top) else top
                parts[-1].append((from_x + (x - from_x) * share, edge))
        if bottom <= y <= top:
            parts[-1].append((x, y))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]


def scaled_to(stretch: Stretch, window: Window) -> list[tuple[float, float]]:
    """Return the part of a line that crosses the window's width, as shares of width and height."""
    wide = window.right / 2 - window.left / 2
    tall = window.top / 2 - window.bottom / 2
    scaled = [
        ((x / 2 - window.left / 2) / wide, _height((y / 2 - window.bottom / 2) / tall))
        for x, y in stretch
        if math.isfinite(x) and math.isfinite(y)
    ]
    kept: list[tuple[float, float]] = []
    for index, (x, y) in enumerate(scaled):
        if 0 <= x <= 1:
            kept.append((x, y))
        for before, after in ((x, scaled[index + 1][0]),) if index + 1 < len(scaled) else ():
            for edge in (0.0, 1.0):
                if before < edge < after:
                    share = (edge - before) / (after - before)
                    kept.append((edge, y + (scaled[index + 1][1] - y) * share))
    return kept


def _height(share: float) -> float:
    """Return a share of the height without what rounding added, and not beyond reckoning."""
    if -ROUNDING < share < 1 + ROUNDING:
        return min(max(share, 0.0), 1.0)
    return min(max(share, -MOST_HEIGHTS), MOST_HEIGHTS)


def _figure() -> Any:
    # The import takes 55 ms, so it waits for the first chart. plotext's public functions all draw
    # on one global figure; with the class each canvas has its own.
    from plotext._figure import _figure_class

    figure = _figure_class()
    # Otherwise plotext cuts the figure to the size of the terminal at the start of the process.
    figure._limit_size(False, False)
    return figure
