"""Curves that are computed of several runs' points: a difference to the baseline, a mean.

Between two finite points of a run its value lies on the straight line that joins them. It has none
before its first and after its last point, nor beside a NaN or an infinity, which is a value only at
its own step. Nothing is computed of what a chart keeps: every point of
every run is read, in order of steps and page by page, so that memory does not grow with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import NamedTuple

from flowtui.store.cancelling import check
from flowtui.store.metrics import listing
from flowtui.store.metrics.points import Direction, Kind
from flowtui.store.metrics.series import POINTS_A_COLUMN
from flowtui.store.metrics.smoothing import smoothed_over
from flowtui.store.metrics.source import CurveSource, MetricSource, Window
from flowtui.store.metrics.steps import (
    HIGHEST,
    LOWEST,
    Grid,
    Step,
    above,
    below,
    grid,
    growing_grid,
    reach,
    share,
)
from flowtui.store.metrics.values import (
    BandPart,
    FoldedPoint,
    FoldedSeries,
    Neighbours,
    Series,
    SeriesColumn,
    Smoothed,
)
from flowtui.store.values import LoggedPoint, Point

CHECKED_POINTS = 1_000
"""After how many points is asked whether anybody still waits."""
HOPS = 20
"""How many steps at which the baseline has no value a search tries one by one."""


class OddValues(NamedTuple):
    """How many values are not finite numbers, by kind."""

    nan: int = 0
    pos_inf: int = 0
    neg_inf: int = 0

    @classmethod
    def of(cls, values: Iterable[float]) -> OddValues:
        """Return how many of these values are odd."""
        found = list(values)
        infinite = [found.count(math.inf), found.count(-math.inf)]
        return cls(sum(map(math.isnan, found)), *infinite)


NO_ODD = OddValues()


class Folded(NamedTuple):
    """What several runs have at one step."""

    step: Step
    value: float
    """The mean of the runs that have a value here; NaN or infinite if one of these is."""
    low: float
    high: float
    run_count: int
    """How many runs have a value here."""
    logged_at: datetime | None
    """When the first of the runs logged its point at this step."""
    odd: OddValues = NO_ODD
    """How many of the values that it is computed of are not finite."""


# Values between points -----------------------------------------------------------------------


def between(left: Point, right: Point, step: Step) -> float | None:
    """Return the value at a step on the line between two points; None if one of them is not finite.

    It is never outside of their values.
    """
    if not (math.isfinite(left.value) and math.isfinite(right.value)):
        return None
    part = share(step, left.step, right.step)
    change = right.value - left.value
    if math.isfinite(change):
        value = left.value + change * part
    else:
        value = left.value * (1 - part) + right.value * part
    return max(min(value, max(left.value, right.value)), min(left.value, right.value))


class _Walk:
    """Goes along the points of one run, in order of steps."""

    def __init__(self, points: Iterable[LoggedPoint]) -> None:
        self._points = iter(points)
        self._before: LoggedPoint | None = None
        self.next = next(self._points, None)

    def go_to(self, step: Step) -> None:
        """Go to a step, which is not before the last one."""
        while self.next is not None and self.next.step <= step:
            # A step that is stored in two ways has two points, of which the first counts.
            if self._before is None or self.next.step != self._before.step:
                self._before = self.next
            self.next = next(self._points, None)

    def value(self, step: Step) -> float | None:
        """Return the value at the step that was gone to; None where the run has none."""
        before = self._before
        if before is None:
            return None
        if before.step == step:
            return before.value
        return None if self.next is None else between(before, self.next, step)

    def logged_at(self, step: Step) -> datetime | None:
        """Return when the point at the step was logged, None if there is none."""
        before = self._before
        return before.logged_at if before is not None and before.step == step else None


def mean_at(step: Step, values: Sequence[float], logged_at: datetime | None = None) -> Folded:
    """Return the mean of values at a step, at least one, with the lowest and highest finite one."""
    if not all(map(math.isfinite, values)):
        finite = [value for value in values if math.isfinite(value)] or [math.nan]
        # Infinities of both signs have no mean, and finite values alone could overflow.
        mean = sum(value for value in values if not math.isfinite(value))
        odd = OddValues.of(values)
        return Folded(step, mean, min(finite), max(finite), len(values), logged_at, odd)
    if len(values) == 1:
        return Folded(step, values[0], values[0], values[0], 1, logged_at)
    low, high = min(values), max(values)
    try:
        mean = math.fsum(values) / len(values)
    except OverflowError:
        mean = math.fsum(value / len(values) for value in values)
    return Folded(step, max(low, min(mean, high)), low, high, len(values), logged_at)


def folded(curves: Sequence[Iterable[LoggedPoint]]) -> Iterator[Folded]:
    """Yield the mean at every step that a run has, of all runs that have a value there.

    Args:
        curves: The points of each run, in order of steps.
    """
    if len(curves) == 1:
        yield from _alone(curves[0])
        return
    walks = [_Walk(points) for points in curves]
    while True:
        step = min((walk.next.step for walk in walks if walk.next is not None), default=None)
        if step is None:
            return
        values = _values(walks, step)
        yield mean_at(step, values, walks[0].logged_at(step))


def _alone(points: Iterable[LoggedPoint]) -> Iterator[Folded]:
    """Yield the points of a single run as their own mean, which takes a third of the time."""
    before: Step | None = None
    for point in points:
        step, value = point.step, point.value
        if step == before:
            continue
        before = step
        if math.isfinite(value):
            yield Folded(step, value, value, value, 1, point.logged_at)
        else:
            yield mean_at(step, (value,), point.logged_at)


def differences(
    curve: Iterable[Folded], baseline: Sequence[Iterable[LoggedPoint]]
) -> Iterator[Folded]:
    """Yield a curve less the baseline's mean, at those of its steps where that has a value."""
    walks = [_Walk(points) for points in baseline]
    for point in curve:
        values = _values(walks, point.step)
        if values:
            alone = len(values) == 1
            yield less(point, values[0] if alone else mean_at(point.step, values).value)


def _values(walks: Iterable[_Walk], step: Step) -> list[float]:
    """Return the values of those runs that have one at a step, which is not before the last one."""
    values = []
    for walk in walks:
        walk.go_to(step)
        if (value := walk.value(step)) is not None:
            values.append(value)
    return values


def less(point: Folded, value: float) -> Folded:
    """Return a point less a value, which may be NaN or infinite, as their difference then is."""
    step, mean, low, high, run_count, logged_at, odd = point
    change = mean - value
    if not math.isfinite(change):
        own = OddValues.of([change])
        # What several runs have is told apart, unless the baseline makes something else of it.
        odd = odd if any(map(min, odd, own)) else own
    spread = value if math.isfinite(value) else math.nan
    return Folded(step, change, low - spread, high - spread, run_count, logged_at, odd)


# Columns -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Column:
    """The points of a column as they come, in order of steps."""

    bounds: tuple[Step, Step]
    first: Folded
    last: Folded
    lowest: Folded | None = None
    highest: Folded | None = None
    low: float = math.inf
    high: float = -math.inf
    count: int = 0
    nan_count: int = 0
    pos_inf_count: int = 0
    neg_inf_count: int = 0

    def take(self, point: Folded) -> None:
        self.last = point
        self.count += 1
        value = point.value
        if math.isfinite(value):
            if self.lowest is None or value < self.lowest.value:
                self.lowest = point
            if self.highest is None or value > self.highest.value:
                self.highest = point
        else:
            # The runs of a mean may have several kinds at one step.
            self.nan_count += point.odd.nan
            self.pos_inf_count += point.odd.pos_inf
            self.neg_inf_count += point.odd.neg_inf
        # A comparison with NaN is false.
        if point.low < self.low:
            self.low = point.low
        if point.high > self.high:
            self.high = point.high

    @property
    def column(self) -> SeriesColumn:
        return SeriesColumn(
            start=self.bounds[0],
            end=self.bounds[1],
            count=self.count,
            first=as_point(self.first),
            last=as_point(self.last),
            minimum=None if self.lowest is None else as_point(self.lowest),
            maximum=None if self.highest is None else as_point(self.highest),
            nan_count=self.nan_count,
            pos_inf_count=self.pos_inf_count,
            neg_inf_count=self.neg_inf_count,
        )

    @property
    def band(self) -> BandPart | None:
        if not self.low <= self.high:
            return None
        return BandPart(self.first.step, self.last.step, self.low, self.high)


def as_point(point: Folded) -> FoldedPoint:
    """Return what a chart shows of a step."""
    step, value, low, high, run_count, logged_at, odd = point
    infinite = odd.pos_inf + odd.neg_inf
    return FoldedPoint(step, value, logged_at, low, high, run_count, odd.nan, infinite)


def _columns(points: Iterable[Folded], parts: Grid | None) -> Iterator[_Column]:
    """Yield the columns of a grid that have points; without a grid one for each point."""
    made: _Column | None = None
    end: Step = -math.inf
    for index, point in enumerate(points):
        if index % CHECKED_POINTS == 0:
            check()
        if made is None or parts is None or point.step > end:
            if made is not None:
                yield made
            bounds = (point.step,) * 2 if parts is None else parts.bounds(parts.index(point.step))
            end = reach(bounds[1])
            made = _Column(bounds, point, point)
        made.take(point)
    if made is not None:
        yield made


# Sources -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoldedSource(CurveSource):
    """The mean of one metric over runs, or of one run alone, as it is or less the baseline's."""

    key: str
    members: tuple[MetricSource, ...]
    baseline: tuple[MetricSource, ...] = ()
    """The runs whose mean is subtracted; none for no difference."""

    @property
    def has_band(self) -> bool:
        return len(self.members) > 1

    def folded(self, start: Step = LOWEST, end: Step = HIGHEST) -> Iterator[Folded]:
        """Yield every point with a step from `start` to `end`, in order."""
        curve = folded([_around(member, start, end) for member in self.members])
        if self.baseline:
            base = [_around(member, start, end) for member in self.baseline]
            curve = differences(curve, base)
        for point in curve:
            if point.step > end:
                return
            if point.step >= start:
                yield point

    def points(self, start: Step = LOWEST, end: Step = HIGHEST) -> Iterator[LoggedPoint]:
        return map(as_point, self.folded(start, end))

    def series(self, window: Window, columns: int, known: Series | None) -> Series | None:
        marks = tuple(
            member.run.metrics.ask(self.key, listing.mark)
            for member in (*self.members, *self.baseline)
        )
        if (
            isinstance(known, FoldedSeries)
            and (known.key, known.marks) == (self.key, marks)
            and (known.max_columns, known.window) == (columns, window)
        ):
            return known
        ends = self._ends()
        if ends is None:
            return None
        first, last = ends
        start, end = window or (first.step, last.step)
        points = self.folded(start, end)
        room = columns * POINTS_A_COLUMN
        some = list(islice(points, room + 1))
        has_fractions = any(isinstance(point.step, float) for point in some)
        parts = None
        if len(some) > room:
            make = growing_grid if window is None else grid
            parts = make(start, end, columns, has_fractions)
        made = list(_columns(chain(some, points), parts))
        band = [part for column in made if (part := column.band) is not None]
        return FoldedSeries(
            key=self.key,
            start=start,
            end=end,
            is_whole=window is None,
            max_columns=columns,
            columns=tuple(column.column for column in made),
            first=first,
            last=last,
            mark=max(marks),
            read_mark=max(marks),
            has_fractions=has_fractions,
            band=tuple(band) if self.has_band else (),
            marks=marks,
        )

    def _ends(self) -> tuple[LoggedPoint, LoggedPoint] | None:
        """Return its first and its last point, None if it has none."""
        first = self.next_point(below(LOWEST), "after")
        last = self.next_point(math.inf, "before")
        return None if first is None or last is None else (first, last)

    def smoothed(self, series: Series, weight: float, known: Smoothed | None) -> Smoothed:
        if (
            known is not None
            and isinstance(series, FoldedSeries)
            and (known.key, known.weight, known.mark) == (series.key, weight, series.mark)
            and (known.window, known.max_columns) == (series.window, series.max_columns)
        ):
            return known
        values = (
            (point.step, point.value)
            for point in self.folded(end=reach(series.end))
            if math.isfinite(point.value)
        )
        return smoothed_over(values, series, weight)

    def near(self, step: Step) -> Neighbours:
        return Neighbours(
            self.next_point(step, "before"), self._at(step), self.next_point(step, "after")
        )

    def next_point(
        self, step: Step, direction: Direction, kind: Kind = "any"
    ) -> LoggedPoint | None:
        if kind != "any":
            return self._next_odd(step, direction, kind)
        step = self._reached(step, direction)
        for _ in range(HOPS):
            steps = [
                point.step
                for member in self.members
                if (point := member.next_point(step, direction)) is not None
            ]
            if not steps:
                return None
            step = min(steps) if direction == "after" else max(steps)
            found = self._at(step)
            if found is not None:
                return found
            beyond = self._beyond(step, direction)
            if beyond is None:
                return None
            step = beyond
        return self._next_of(step, direction, lambda _: True)

    def _reached(self, step: Step, direction: Direction) -> Step:
        """Return where a search begins, which is not before what the baseline reaches."""
        if not self.baseline:
            return step
        ends = [
            point.step
            for member in self.baseline
            if (point := _end_of(member, direction == "before")) is not None
        ]
        if not ends:
            return step
        if direction == "after":
            return max(step, below(min(ends)))
        return min(step, above(max(ends)))

    def _beyond(self, step: Step, direction: Direction) -> Step | None:
        """Return where a search goes on from a step at which the baseline has no value.

        It has none before its next point; None is returned if it has no such point.
        """
        nexts = [member.next_point(step, direction) for member in self.baseline]
        steps = [point.step for point in nexts if point is not None]
        if not steps:
            return None
        if direction == "after":
            return max(step, below(min(steps)))
        return min(step, above(max(steps)))

    def _next_odd(self, step: Step, direction: Direction, kind: Kind) -> LoggedPoint | None:
        if kind == "nan":
            return self._next_of(step, direction, lambda point: point.odd.nan > 0)
        return self._next_of(step, direction, lambda point: any(point.odd[1:]))

    def _next_of(
        self, step: Step, direction: Direction, is_wanted: Callable[[Folded], bool]
    ) -> LoggedPoint | None:
        """Return the nearest point of a kind before or after a step, reading all that lie there."""
        if direction == "after":
            points = self.folded(start=above(step))
            return next((as_point(point) for point in points if is_wanted(point)), None)
        last = None
        for point in self.folded(end=below(step)):
            last = point if is_wanted(point) else last
        return None if last is None else as_point(last)

    def count(self, start: Step, end: Step) -> int:
        return sum(1 for _ in self.folded(start, end))

    def _at(self, step: Step) -> FoldedPoint | None:
        """Return its point at a step, which one of the runs must have."""
        around = [member.near(step) for member in self.members]
        if all(near.at is None for near in around):
            return None
        values = [value for near in around if (value := _value_at(near, step)) is not None]
        first = around[0].at
        found = mean_at(step, values, None if first is None else first.logged_at)
        if self.baseline:
            nears = [member.near(step) for member in self.baseline]
            of_base = [value for near in nears if (value := _value_at(near, step)) is not None]
            if not of_base:
                return None
            found = less(found, mean_at(step, of_base).value)
        return as_point(found)


def _value_at(near: Neighbours, step: Step) -> float | None:
    if near.at is not None:
        return near.at.value
    if near.before is None or near.after is None:
        return None
    return between(near.before, near.after, step)


def _end_of(member: MetricSource, last: bool) -> LoggedPoint | None:
    if last:
        return member.next_point(math.inf, "before")
    return member.next_point(below(LOWEST), "after")


def _around(member: MetricSource, start: Step, end: Step) -> Iterator[LoggedPoint]:
    """Yield the points of a range, and those before and after it, between which values lie."""
    if start > LOWEST and (before := member.next_point(start, "before")) is not None:
        start = before.step
    if end < HIGHEST and (after := member.next_point(end, "after")) is not None:
        end = after.step
    return member.points(start, end)
