"""One metric as a small chart: its name, last value, curve and extremes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from flowtui import format as fmt
from flowtui.store.metrics.values import Series
from flowtui.store.values import Point
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, Role, clipped, fit, wrapped
from flowtui.widgets.charts.chart import BRAILLE, blended, canvas
from flowtui.widgets.charts.curve import MAIN_ROLE, PLAIN, Curve, Look, LostCurve, Overlay
from flowtui.widgets.charts.outside import LEFT_OUT, beyond_layers, count_beyond
from flowtui.widgets.charts.placing import stretches, window_of

GAP_CELLS = 2
"""The space between two cards."""
AROUND = 3
"""How many lines of a card are not its curve: title, figures and a blank line."""
DIGITS = 4
"""How many significant digits a minimum or maximum has."""
MIN_NAME_CELLS = 8
"""The least width of the name in a title; the rest is enough for every number."""
VALUE_CELLS = 11
"""The width of a minimum or maximum; both fit in the narrowest card."""
NO_STEPS = "no row has a step that is a number"


@dataclass(frozen=True, slots=True)
class Card:
    """What a small chart shows: first the last point, then also the curve."""

    key: str
    name: str
    last: Point | None
    """The last point; None if no row of the metric has a step."""
    series: Series | None = None
    is_growing: bool = False
    """Whether there may come more points."""
    names: tuple[str, ...] = ()
    """The names of all charts of its group, from which its own name must differ when cut."""
    curves: tuple[Overlay, ...] = ()
    """In a comparison, the curves of the runs."""
    lost: tuple[LostCurve, ...] = ()
    """In a comparison, the curves that cannot be read."""
    note: str = ""
    """In a comparison, which of the runs have the metric, where not all of them do."""
    waiting: str = "…"
    """In a comparison, what stands in the place of the curves while there are none."""


def card_lines(
    card: Card, width: int, height: int, marker: str = BRAILLE, look: Look = PLAIN
) -> list[Line]:
    """Return `height` lines of at most `width` cells, of which the last is blank."""
    cells, rows = width - GAP_CELLS, height - AROUND
    if card.last is None:
        notes = wrapped(NO_STEPS, max(cells - 1, 10))[: max(rows, 0)]
        lines: list[Line] = [[Piece(f" {note}", "attention")] for note in notes]
        return [title_line(card, cells), *lines, *([[]] * (height - 1 - len(lines)))]
    curve = None
    if card.series is not None:
        curve = Curve(card.series, marker=marker, look=look, is_growing=card.is_growing)
    return [
        title_line(card, cells, unseen(curve) if curve is not None else ()),
        *_curve(curve, cells, rows),
        _figures(card, cells, look),
        [],
    ]


def title_line(card: Card, width: int, more: Sequence[str] = ()) -> Line:
    value, is_sound = "broken", False
    if card.last is not None:
        values = [card.last.value, *(point.value for point in _extremes(card))]
        value, is_sound = fmt.distinct(values, DIGITS)[0], math.isfinite(card.last.value)
        if len(value) > width - MIN_NAME_CELLS:
            value = fmt.number(card.last.value, DIGITS)
    role: Role = "text" if is_sound else "attention"
    odd = "" if card.series is None else odd_text(card.series, more)
    if odd and len(odd) > width - len(value) - MIN_NAME_CELLS:
        odd = " ▲"
    room = max(width - len(value) - len(odd) - 2, 1)
    name = fit(name_of(card, room), room)
    return clipped(
        [Piece(" "), Piece(name, "title"), Piece(odd, "attention"), Piece(f" {value}", role)],
        width,
    )


def name_of(card: Card, room: int) -> str:
    """Return the name as it is shown in at most `room` cells."""
    return _labels(card.names or (card.name,), room)[card.name]


@lru_cache(maxsize=256)
def _labels(names: tuple[str, ...], room: int) -> dict[str, str]:
    """Return names as they are shown in `room` cells; cached, because only numbers change often."""
    return dict(zip(names, told_apart(names, room), strict=True))


def odd_text(series: Series, more: Sequence[str] = ()) -> str:
    """Return how many points of a series are not finite numbers, and what else is not seen."""
    odd = fmt.odd_points(series.nan_count, series.inf_count, series.unreadable_count)
    said = [*odd, *more]
    return f" ▲ {' '.join(said)}" if said else ""


def unseen(curve: Curve) -> list[str]:
    """Return how many points have no place on the axis that is drawn, as text."""
    said = fmt.counted([(curve.hidden_count, "not above 0")])
    return [*said, *filter(None, [count_beyond(curve, window_of(curve))])]


def _curve(curve: Curve | None, width: int, rows: int) -> list[Line]:
    if curve is None or width < 4:
        waiting: Line = [Piece(" …", "muted")]
        return [waiting if row == rows // 2 else [] for row in range(rows)]
    window = window_of(curve)
    drawn = canvas(stretches(curve), width - 1, rows, window, curve.marker)
    layers = [*beyond_layers(curve, window, width - 1, rows), (drawn, MAIN_ROLE)]
    return [[Piece(" "), *line] for line in blended(layers, width - 1)]


def _figures(card: Card, width: int, look: Look) -> Line:
    """Return the extremes and, if there is room, the number of points."""
    if card.series is None:
        return []
    points = fmt.count(card.series.count, "point")
    extremes = _extremes(card)
    if not extremes:
        return clipped([Piece(f" {points}, none finite", "muted")], width)
    low, high = (point.value for point in extremes)
    last = low if card.last is None else card.last.value
    _, lowest, highest = fmt.extremes(last, low, high, DIGITS, VALUE_CELLS)
    text = f" min {lowest}  max {highest}"
    for more in (*look_words(look), points):
        text = f"{text}  {more}" if len(text) + 2 + len(more) <= width else text
    return clipped([Piece(text, "muted")], width)


def look_words(look: Look) -> list[str]:
    """Return how the values are placed, as far as that is not the default."""
    return [*(["log"] if look.is_log else []), *([LEFT_OUT] if look.leaves_out else [])]


def _extremes(card: Card) -> tuple[Point, ...]:
    """Return the lowest and the highest point; nothing if no point is known to be finite."""
    low, high = (None, None) if card.series is None else (card.series.minimum, card.series.maximum)
    return () if low is None or high is None else (low, high)
