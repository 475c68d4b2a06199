"""The places of curves on a canvas: the lines to draw, and the range that holds them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from flowtui.store.metrics.steps import Step, share
from flowtui.store.metrics.values import Series, SeriesColumn, Smoothed
from flowtui.store.values import Point
from flowtui.widgets.charts.chart import LARGEST, Stretch, Window, padded
from flowtui.widgets.charts.curve import BY_STEP, Curve, XAxis, kept_points, parts_of_a_second

LEFT_OUT_SHARE = 0.01
"""Which share of the points of a curve an axis leaves out at each end; at least one point."""
LEAST_POINTS = 20
"""Of fewer points none is left out."""
ROOM_STEPS = 16
"""Into how many parts the next power of two above a growing curve's width is divided."""


def is_odd(column: SeriesColumn) -> bool:
    """Say whether a column holds a NaN or an infinity, which is marked and breaks the line."""
    return column.nan_count + column.pos_inf_count + column.neg_inf_count > 0


def stretches(curve: Curve, series: Series | None = None) -> list[Stretch]:
    """Return the lines to draw for the curve's series, or for an overlay.

    A line ends at a NaN or an infinity, and the next one begins after it.
    """
    made: list[list[tuple[float, float]]] = [[]]
    of = series or curve.series
    for column in of.columns:
        drawn = [
            (x, curve.scaled(point.value))
            for point in column.points
            if curve.is_drawn(point.value) and (x := curve.x(point, of)) is not None
        ]
        if is_odd(column) and not drawn:
            made.append([])
        made[-1] += drawn
    return [stretch for stretch in made if stretch]


def smooth_stretches(
    curve: Curve, smoothed: Smoothed | None, series: Series | None = None
) -> list[Stretch]:
    """Return a smoothed line, which has no gaps, of the main series or another one."""
    if smoothed is None:
        return []
    place = CurvePlaces(curve, series or curve.series)
    drawn = [
        (x, curve.scaled(point.value))
        for point in smoothed.points
        if curve.is_drawn(point.value) and (x := place(point)) is not None
    ]
    return [drawn] if drawn else []


def smoothed_at(smoothed: Smoothed, step: Step) -> Point | None:
    """Return the smoothed point at a step, or the last kept one before it."""
    steps = [point.step for point in smoothed.points]
    index = bisect_right(steps, step)
    return smoothed.points[index - 1] if index else None


class CurvePlaces:
    """CurvePlaces smoothed points; on an axis of time, between the logged points around them."""

    def __init__(self, curve: Curve, series: Series) -> None:
        self._by_step = curve.x_axis in BY_STEP
        known = [(point.step, curve.x(point, series)) for point in kept_points(series)]
        self._known = [(step, x) for step, x in known if x is not None]
        self._steps = [step for step, _ in self._known]

    def __call__(self, point: Point) -> float | None:
        if self._by_step:
            return float(point.step)
        index = bisect_left(self._steps, point.step)
        around = self._known[max(index - 1, 0) : index + 1]
        if not around:
            return None
        (first, left), (last, right) = around[0], around[-1]
        if last <= first or not first <= point.step <= last:
            return right if point.step >= last else left
        return left + (right - left) * share(point.step, first, last)


def window_of(curve: Curve) -> Window:
    """Return the range of the canvas, which holds all curves."""
    drawn = curve.all_series
    kept = [(point, series) for series in drawn for point in kept_points(series)]
    if curve.view is not None:
        start, end = curve.view
        kept = [(point, of) for point, of in kept if start <= point.step <= end]
    if curve.x_axis in BY_STEP and curve.view is not None:
        left, right = map(float, curve.view)
    elif curve.x_axis in BY_STEP:
        left = float(min(series.start for series in drawn))
        right = float(max(series.end for series in drawn))
    else:
        xs = [x for point, of in kept if (x := curve.x(point, of)) is not None]
        left, right = min(xs, default=0.0), max(xs, default=0.0)
    if not left / 2 < right / 2:
        left, right = _around(curve, left)
    if curve.is_growing and curve.series.is_whole and curve.x_axis is not XAxis.SHARE:
        right = left + with_room(right - left)
    values = [
        value
        for of in drawn
        for value in _reaching(curve, (point.value for point, owner in kept if owner is of))
    ]
    if curve.view is None and not curve.look.leaves_out:
        edges = (edge for of in curve.overlays for part in of.band for edge in part[2:])
        values += [curve.scaled(edge) for edge in edges if curve.is_drawn(edge)]
    bottom, top = padded(min(values), max(values)) if values else (0.0, 1.0)
    return Window(left, right, bottom, top)


def with_room(width: float) -> float:
    """Return the width of an axis on which a curve of a width may still grow.

    It stays the same for many points, so that these add to the picture and do not shift all of it.
    At most an eighth of the width is added.
    """
    if width > LARGEST / 4:
        return width
    mantissa, exponent = math.frexp(width)
    return math.ldexp((math.floor(mantissa * ROOM_STEPS) + 1) / ROOM_STEPS, exponent)


def _reaching(curve: Curve, values: Iterable[float]) -> list[float]:
    """Return the values of one series that the axis must reach, scaled."""
    scaled = [curve.scaled(value) for value in values if curve.is_drawn(value)]
    if not curve.look.leaves_out or len(scaled) < LEAST_POINTS:
        return scaled
    left_out = max(int(len(scaled) * LEFT_OUT_SHARE), 1)
    return sorted(scaled)[left_out:-left_out]


def _around(curve: Curve, x: float) -> tuple[float, float]:
    """Return the ends of an axis on which all points have the same place."""
    if curve.x_axis is XAxis.SHARE:
        return x - 1.0, x + 1.0
    if curve.x_axis not in BY_STEP:
        # Times are logged to the second: the axis is the second in which all was logged.
        return math.floor(x), math.floor(x) + 1.0
    parts = parts_of_a_second([curve.series]) if curve.x_axis is XAxis.STEP_TIME else None
    # Near 2**63 floats are more than one step apart.
    room = max(1.0, 4 * math.ulp(x), (parts or 0) / 2)
    return x - room, x + room


def cell_of(x: float | None, window: Window, columns: int) -> int | None:
    """Return the column of cells for a place on the horizontal axis; None outside the window."""
    if x is None:
        return None
    share = (x / 2 - window.left / 2) / (window.right / 2 - window.left / 2)
    return min(int(share * columns), columns - 1) if 0 <= share <= 1 else None
