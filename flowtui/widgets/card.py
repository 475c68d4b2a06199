"""One metric as a small chart: its name and last value, its curve, its extremes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flowtui import format as fmt
from flowtui.store.series_values import Series
from flowtui.store.values import Point
from flowtui.widgets.cells import Line, Piece, Role, clipped, fit, wrapped
from flowtui.widgets.chart import BRAILLE, blended, canvas
from flowtui.widgets.curve import Curve, stretches, window_of

GAP_CELLS = 2
AROUND = 3
"""Lines of a card that are not its curve: title, figures, a blank one."""
DIGITS = 4
NO_STEPS = "no row has a step that is a number"


@dataclass(frozen=True, slots=True)
class Card:
    """What a small chart shows: the last point at once, the curve when its points were read."""

    key: str
    name: str
    last: Point | None
    """None if no row of it has a step."""
    series: Series | None = None


def card_lines(card: Card, width: int, height: int, marker: str = BRAILLE) -> list[Line]:
    """Return `height` lines of at most `width` cells, the last of them blank."""
    cells, rows = width - GAP_CELLS, height - AROUND
    if card.last is None:
        notes = wrapped(NO_STEPS, max(cells - 1, 10))[: max(rows, 0)]
        lines: list[Line] = [[Piece(f" {note}", "attention")] for note in notes]
        return [title_line(card, cells), *lines, *([[]] * (height - 1 - len(lines)))]
    return [
        title_line(card, cells),
        *_curve(card.series, cells, rows, marker),
        _figures(card.series, cells),
        [],
    ]


def title_line(card: Card, width: int) -> Line:
    value = "broken" if card.last is None else fmt.number(card.last.value, DIGITS)
    is_sound = card.last is not None and math.isfinite(card.last.value)
    role: Role = "text" if is_sound else "attention"
    odd = "" if card.series is None else odd_text(card.series)
    room = width - len(value) - len(odd) - 2
    name = fit(fmt.plain(card.name, 200), max(room, 1))
    return clipped(
        [Piece(" "), Piece(name, "title"), Piece(odd, "attention"), Piece(f" {value}", role)],
        width,
    )


def odd_text(series: Series) -> str:
    """Return how many points of a series are no finite numbers."""
    odd = fmt.odd_points(series.nan_count, series.inf_count, series.unreadable_count)
    return f" ▲ {' '.join(odd)}" if odd else ""


def _curve(series: Series | None, width: int, rows: int, marker: str) -> list[Line]:
    if series is None or width < 4:
        waiting: Line = [Piece(" …", "muted")]
        return [waiting if row == rows // 2 else [] for row in range(rows)]
    curve = Curve(series, marker=marker)
    drawn = canvas(stretches(curve), width - 1, rows, window_of(curve), marker)
    return [[Piece(" "), *line] for line in blended([(drawn, "text")], width - 1)]


def _figures(series: Series | None, width: int) -> Line:
    if series is None:
        return []
    points = fmt.count(series.count, "point")
    low, high = series.minimum, series.maximum
    if low is None or high is None:
        return clipped([Piece(f" {points}, none finite", "muted")], width)
    text = f" min {fmt.number(low.value, DIGITS)}  max {fmt.number(high.value, DIGITS)}  {points}"
    return clipped([Piece(text, "muted")], width)
