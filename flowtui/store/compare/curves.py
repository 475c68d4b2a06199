"""The source of a curve that is computed of several runs: a difference to the baseline, a mean.

Nothing is computed of what a chart keeps: every point of every run is read, page by page. How the
points become one curve is in `folding`, and how a chart gets it in `folded_columns`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from flowtui.store.compare.folded_columns import as_point, folded_columns
from flowtui.store.compare.folding import Folded, between, differences, folded, less, mean_at
from flowtui.store.metrics import listing
from flowtui.store.metrics.points import Direction, Kind
from flowtui.store.metrics.series import POINTS_A_COLUMN
from flowtui.store.metrics.smoothing import smoothed_over
from flowtui.store.metrics.source import CurveSource, MetricSource, Window
from flowtui.store.metrics.steps import (
    HIGHEST,
    LOWEST,
    Step,
    above,
    below,
    grid,
    growing_grid,
    reach,
)
from flowtui.store.metrics.values import FoldedPoint, FoldedSeries, Neighbours, Series, Smoothed
from flowtui.store.values import LoggedPoint

HOPS = 20
"""How many steps at which the baseline has no value a search tries one by one."""


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
        made = list(folded_columns(chain(some, points), parts))
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
