"""One metric as it is drawn: its series, its axes, what lies over it, where the crosshair is."""

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

OTHER_ROLES: tuple[Role, ...] = ("curve-1", "curve-2", "curve-3", "curve-4")
OTHER_MARKS = "+xo*#@"
"""Stand along the other curves and in the legend, so that they can be told apart without colour."""


class XAxis(StrEnum):
    """What the horizontal axis says."""

    STEP = "step"
    STEP_TIME = "step as time"
    """For steps that are Unix times: where they stand is the same."""
    ELAPSED = "time"
    """Since the first point of the metric was logged."""
    CLOCK = "clock"


BY_STEP = (XAxis.STEP, XAxis.STEP_TIME)


def parts_of_a_second(series: Iterable[Series]) -> int | None:
    """Return what part of a second a step is if all steps are Unix times, None if not."""
    return step_text.parts_of_a_second([point.step for point in _ends(series)])


def _ends(series: Iterable[Series]) -> list[LoggedPoint]:
    return [point for one in series for point in (one.first, one.last)]


def x_axes(series: Sequence[Series]) -> tuple[XAxis, ...]:
    """Return what the horizontal axis of curves can say, first what it says by itself.

    Counts may be as large as times are, so that only times near those of the log are taken for
    them unasked.
    """
    parts = parts_of_a_second(series)
    if parts is None:
        return XAxis.STEP, XAxis.ELAPSED, XAxis.CLOCK
    is_near = step_text.are_near_log(_ends(series), parts)
    return *(BY_STEP[::-1] if is_near else BY_STEP), XAxis.ELAPSED, XAxis.CLOCK


@dataclass(frozen=True, slots=True)
class Other:
    """Another metric over the same axes."""

    series: Series
    role: Role
    mark: str
    at_crosshair: LoggedPoint | None = None
    """Its point at the step of the crosshair, or the last one before."""


def others(series: Iterable[Series]) -> tuple[Other, ...]:
    """Return series with the colours and marks that tell them apart."""
    return tuple(
        Other(one, OTHER_ROLES[index % len(OTHER_ROLES)], OTHER_MARKS[index % len(OTHER_MARKS)])
        for index, one in enumerate(series)
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn: a series, how, and where the crosshair stands."""

    series: Series
    crosshair: LoggedPoint | None = None
    is_log: bool = False
    x_axis: XAxis = XAxis.STEP
    marker: str = BRAILLE
    smoothed: Smoothed | None = None
    others: tuple[Other, ...] = ()
    new_count: int = 0
    """Points that were logged right of the window since it was chosen."""
    follows: bool = False
    """Whether the window moves on with the last point."""
    view: tuple[Step, Step] | None = None
    """The window that is being read, shown with the columns that are there until it has been."""

    @property
    def all_series(self) -> tuple[Series, ...]:
        """The series, and those over the same axes."""
        return (self.series, *(other.series for other in self.others))

    @property
    def points(self) -> list[LoggedPoint]:
        """All points that the columns keep, in order of steps."""
        return kept_points(self.series)

    def x(self, point: LoggedPoint) -> float | None:
        """Return where a point stands on the horizontal axis, None if it has no time there."""
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
        """Whether an axis of steps is one of whole steps."""
        drawn = (self.series, *(other.series for other in self.others))
        return all(series.is_on_whole_steps for series in drawn)

    @property
    def is_thinned(self) -> bool:
        """Whether the columns leave out points, which can then be counted only by the store."""
        return len(self.points) < self.series.count

    @property
    def hidden_count(self) -> int:
        """How many of the kept points a logarithmic axis has no place for."""
        kept = (point.value for point in self.points)
        return sum(math.isfinite(value) and value <= 0 for value in kept) if self.is_log else 0

    @property
    def timeless_count(self) -> int:
        """How many of the kept points an axis of time has no place for."""
        if self.x_axis in BY_STEP:
            return 0
        return sum(self.x(point) is None for point in self.points)


def kept_points(series: Series) -> list[LoggedPoint]:
    return [point for column in series.columns for point in column.points]


def neighbour(
    points: Sequence[LoggedPoint], step: Step | None, by: int, held: LoggedPoint | None = None
) -> LoggedPoint | None:
    """Return the point so many places after the one at or before a step; the last for no step.

    Of several points of that step it is after the one that is `held`.
    """
    return moved(points, step, by, held)[0]


def moved(
    points: Sequence[LoggedPoint], step: Step | None, by: int, held: LoggedPoint | None = None
) -> tuple[LoggedPoint | None, int]:
    """Return the `neighbour`, and how many places lie beyond the ends of the points."""
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
    """Return the kept point that is nearest to a place on the horizontal axis."""
    placed = [(at, point) for point in curve.points if (at := curve.x(point)) is not None]
    return min(placed, key=lambda pair: abs(pair[0] - x), default=(0.0, None))[1]


def is_odd(column: SeriesColumn) -> bool:
    """Say whether a column holds a NaN or an infinity, which is marked and breaks the line."""
    return column.nan_count + column.pos_inf_count + column.neg_inf_count > 0


def stretches(curve: Curve, series: Series | None = None) -> list[Stretch]:
    """Return the lines to draw of the curve's series, or of another on the same axes.

    A line ends where a NaN or an infinity is and starts anew.
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
    """Return the smoothed line; smoothing goes on over gaps."""
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
    """Return the smoothed point at a step, or the last that is kept before it."""
    steps = [point.step for point in smoothed.points]
    index = bisect_right(steps, step)
    return smoothed.points[index - 1] if index else None


class _Places:
    """Where smoothed points stand: on an axis of time, between the logged points around them."""

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
    """Return what the edges of the canvas stand for, all curves inside."""
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
    """Return the ends of an axis on which all points stand at one place."""
    if curve.x_axis not in BY_STEP:
        # Times are logged to the second, so that is the one in which all of it was.
        return math.floor(x), math.floor(x) + 1.0
    parts = parts_of_a_second([curve.series]) if curve.x_axis is XAxis.STEP_TIME else None
    # At 2**63 a float has no room for one step more.
    room = max(1.0, 4 * math.ulp(x), (parts or 0) / 2)
    return x - room, x + room


def cell_of(x: float | None, window: Window, columns: int) -> int | None:
    """Return the column of cells that a place on the horizontal axis falls into, if any."""
    if x is None:
        return None
    share = (x / 2 - window.left / 2) / (window.right / 2 - window.left / 2)
    return min(int(share * columns), columns - 1) if 0 <= share <= 1 else None
