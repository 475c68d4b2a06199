"""The points of several runs, folded into one curve: their mean at each step, or its difference.

Between two finite points of a run its value lies on the straight line that joins them. It has none
before its first and after its last point, nor beside a NaN or an infinity, which is a value only at
its own step. All points are taken one by one, in order of steps, so that memory does not grow with
them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from flowtui.store.metrics.steps import Step, share
from flowtui.store.values import LoggedPoint, Point


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
