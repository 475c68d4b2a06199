"""One metric as it is drawn: its series, axes, overlays and crosshair."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flowtui.store.metrics.steps import Step, share
from flowtui.store.metrics.values import Series, SeriesColumn, Smoothed
from flowtui.store.values import LoggedPoint, Point
from flowtui.widgets import step_text
from flowtui.widgets.cells import Role
from flowtui.widgets.charts.chart import BRAILLE, Stretch, Window, padded

OVERLAY_ROLES: tuple[Role, ...] = ("curve-1", "curve-2", "curve-3", "curve-4")
OVERLAY_MARKS = "+xo*#@"
"""Marks along overlays and in the legend, which tell the curves apart without colour."""


class XAxis(StrEnum):
    """The quantity on the horizontal axis."""

    STEP = "step"
    STEP_TIME = "step as time"
    """Steps that are Unix times, at the same places but with times as labels."""
    ELAPSED = "time"
    """The time since the first point of the metric was logged."""
    CLOCK = "clock"


BY_STEP = (XAxis.STEP, XAxis.STEP_TIME)


def parts_of_a_second(series: Iterable[Series]) -> int | None:
    """Return how many steps are in a second if all steps are Unix times; None if they are not."""
    return step_text.parts_of_a_second([point.step for point in _ends(series)])


def _ends(series: Iterable[Series]) -> list[LoggedPoint]:
    return [point for one in series for point in (one.first, one.last)]


def x_axes(series: Sequence[Series]) -> tuple[XAxis, ...]:
    """Return the possible horizontal axes of curves, with the default first.

    Steps as times are the default only if they lie near the times of logging, because counts may
    be as large as times.
    """
    parts = parts_of_a_second(series)
    if parts is None:
        return XAxis.STEP, XAxis.ELAPSED, XAxis.CLOCK
    is_near = step_text.are_near_log(_ends(series), parts)
    return *(BY_STEP[::-1] if is_near else BY_STEP), XAxis.ELAPSED, XAxis.CLOCK


@dataclass(frozen=True, slots=True)
class Overlay:
    """Another metric that is drawn over the same axes."""

    series: Series
    role: Role
    mark: str
    at_crosshair: LoggedPoint | None = None
    """Its point at the step of the crosshair, or the last one before that."""


def others(series: Iterable[Series]) -> tuple[Overlay, ...]:
    """Return series as overlays, with colours and marks that tell them apart."""
    return tuple(
        Overlay(
            one,
            OVERLAY_ROLES[index % len(OVERLAY_ROLES)],
            OVERLAY_MARKS[index % len(OVERLAY_MARKS)],
        )
        for index, one in enumerate(series)
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """A series, how it is drawn, and where the crosshair is."""

    series: Series
    crosshair: LoggedPoint | None = None
    is_log: bool = False
    x_axis: XAxis = XAxis.STEP
    marker: str = BRAILLE
    smoothed: Smoothed | None = None
    others: tuple[Overlay, ...] = ()
    new_count: int = 0
    """How many points were logged after the window since it was chosen."""
    follows: bool = False
    """Whether the window moves on with the last point."""
    view: tuple[Step, Step] | None = None
    """The window that is being read; until it has been, it is drawn with the present columns."""

    @property
    def all_series(self) -> tuple[Series, ...]:
        """The series and its overlays."""
        return (self.series, *(other.series for other in self.others))

    @property
    def points(self) -> list[LoggedPoint]:
        """All points that the columns keep, in order of steps."""
        return kept_points(self.series)

    def x(self, point: LoggedPoint) -> float | None:
        """Return the place of a point on the horizontal axis; None if it has no time there."""
        if self.x_axis in BY_STEP:
            return float(point.step)
        start = self.series.first.logged_at
        if point.logged_at is None or start is None:
            return None
        if self.x_axis is XAxis.CLOCK:
            return point.logged_at.timestamp()
        return (point.logged_at - start).total_seconds()

    def scaled(self, value: float) -> float:
        return math.log10(value) if self.is_log else value

    def is_drawn(self, value: float) -> bool:
        return math.isfinite(value) and (value > 0 or not self.is_log)

    @property
    def is_on_whole_steps(self) -> bool:
        """Whether the axis shows steps and all of them are whole numbers."""
        drawn = (self.series, *(other.series for other in self.others))
        return all(series.is_on_whole_steps for series in drawn)

    @property
    def is_thinned(self) -> bool:
        """Whether the columns leave out points, so that only the store can count them."""
        return len(self.points) < self.series.count

    @property
    def hidden_count(self) -> int:
        """How many of the kept points have no place on a logarithmic axis."""
        kept = (point.value for point in self.points)
        return sum(math.isfinite(value) and value <= 0 for value in kept) if self.is_log else 0

    @property
    def timeless_count(self) -> int:
        """How many of the kept points have no place on an axis of time."""
        if self.x_axis in BY_STEP:
            return 0
        return sum(self.x(point) is None for point in self.points)


def kept_points(series: Series) -> list[LoggedPoint]:
    return [point for column in series.columns for point in column.points]


def neighbour(
    points: Sequence[LoggedPoint], step: Step | None, by: int, held: LoggedPoint | None = None
) -> LoggedPoint | None:
    """Return the point that is `by` places after the one at or before a step.

    Without a step it is the last point. Of several points of that step, `held` counts.
    """
    return moved(points, step, by, held)[0]


def moved(
    points: Sequence[LoggedPoint], step: Step | None, by: int, held: LoggedPoint | None = None
) -> tuple[LoggedPoint | None, int]:
    """Return the `neighbour`, and by how many places it would lie beyond the ends."""
    if not points:
        return None, by
    if step is None:
        return points[-1], by
    steps = [point.step for point in points]
    index = bisect_left(steps, step)
    same = points[index : bisect_right(steps, step)]
    if held in same:
        index += same.index(held)
    if index == len(steps) or (steps[index] != step and by > 0):
        index -= 1
    found = max(0, min(index + by, len(points) - 1))
    return points[found], index + by - found


def nearest(curve: Curve, x: float) -> LoggedPoint | None:
    """Return the kept point nearest to a place on the horizontal axis."""
    placed = [(at, point) for point in curve.points if (at := curve.x(point)) is not None]
    return min(placed, key=lambda pair: abs(pair[0] - x), default=(0.0, None))[1]


def is_odd(column: SeriesColumn) -> bool:
    """Say whether a column holds a NaN or an infinity, which is marked and breaks the line."""
    return column.nan_count + column.pos_inf_count + column.neg_inf_count > 0


def stretches(curve: Curve, series: Series | None = None) -> list[Stretch]:
    """Return the lines to draw for the curve's series, or for an overlay.

    A line ends at a NaN or an infinity, and the next one begins after it.
    """
    made: list[list[tuple[float, float]]] = [[]]
    for column in (series or curve.series).columns:
        drawn = [
            (x, curve.scaled(point.value))
            for point in column.points
            if curve.is_drawn(point.value) and (x := curve.x(point)) is not None
        ]
        if is_odd(column) and not drawn:
            made.append([])
        made[-1] += drawn
    return [stretch for stretch in made if stretch]


def smooth_stretches(curve: Curve) -> list[Stretch]:
    """Return the smoothed line, which has no gaps."""
    if curve.smoothed is None:
        return []
    place = _Places(curve)
    drawn = [
        (x, curve.scaled(point.value))
        for point in curve.smoothed.points
        if curve.is_drawn(point.value) and (x := place(point)) is not None
    ]
    return [drawn] if drawn else []


def smoothed_at(smoothed: Smoothed, step: Step) -> Point | None:
    """Return the smoothed point at a step, or the last kept one before it."""
    steps = [point.step for point in smoothed.points]
    index = bisect_right(steps, step)
    return smoothed.points[index - 1] if index else None


class _Places:
    """Places smoothed points; on an axis of time, between the logged points around them."""

    def __init__(self, curve: Curve) -> None:
        self._by_step = curve.x_axis in BY_STEP
        known = [(point.step, curve.x(point)) for point in curve.points]
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
    points = [point for series in drawn for point in kept_points(series)]
    if curve.view is not None:
        points = [point for point in points if curve.view[0] <= point.step <= curve.view[1]]
    if curve.x_axis in BY_STEP and curve.view is not None:
        left, right = map(float, curve.view)
    elif curve.x_axis in BY_STEP:
        left = float(min(series.start for series in drawn))
        right = float(max(series.end for series in drawn))
    else:
        xs = [x for point in points if (x := curve.x(point)) is not None]
        left, right = min(xs, default=0.0), max(xs, default=0.0)
    if not left / 2 < right / 2:
        left, right = _around(curve, left)
    values = [curve.scaled(point.value) for point in points if curve.is_drawn(point.value)]
    bottom, top = padded(min(values), max(values)) if values else (0.0, 1.0)
    return Window(left, right, bottom, top)


def _around(curve: Curve, x: float) -> tuple[float, float]:
    """Return the ends of an axis on which all points have the same place."""
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
