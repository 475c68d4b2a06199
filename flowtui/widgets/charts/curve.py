"""One metric as it is drawn: its series, axes, overlays and crosshair."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from flowtui.store.metrics.steps import Step, share
from flowtui.store.metrics.values import BandPart, Series, Smoothed
from flowtui.store.values import LoggedPoint, Point
from flowtui.widgets import step_text
from flowtui.widgets.cells import Role
from flowtui.widgets.charts.chart import BRAILLE

MAIN_ROLE: Role = "curve-1"
"""The colour of the only curve, or of the first one."""
OVERLAY_ROLES: tuple[Role, ...] = ("curve-2", "curve-3", "curve-4", "curve-5", "curve-6")
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
    SHARE = "share %"
    """How much of the run a step is, from the first point of its metric to the last."""


BY_STEP = (XAxis.STEP, XAxis.STEP_TIME)


def parts_of_a_second(series: Iterable[Series]) -> int | None:
    """Return how many steps are in a second if all steps are Unix times; None if they are not."""
    return step_text.parts_of_a_second([point.step for point in _ends(series)])


def _ends(series: Iterable[Series]) -> list[LoggedPoint]:
    return [point for one in series for point in (one.first, one.last)]


def x_axes(series: Sequence[Series], *, of_runs: bool = False) -> tuple[XAxis, ...]:
    """Return the possible horizontal axes of curves, with the default first.

    Steps as times are the default only if they lie near the times of logging, because counts may
    be as large as times. Only curves `of_runs` may be of different lengths, and have shares.
    """
    later = XAxis.ELAPSED, *((XAxis.SHARE,) if of_runs else ()), XAxis.CLOCK
    parts = parts_of_a_second(series)
    if parts is None:
        return XAxis.STEP, *later
    is_near = step_text.are_near_log(_ends(series), parts)
    return *(BY_STEP[::-1] if is_near else BY_STEP), *later


@dataclass(frozen=True, slots=True)
class Look:
    """How the values of all charts of a screen are placed on their vertical axes."""

    is_log: bool = False
    leaves_out: bool = False
    """Whether the axis leaves out the extreme percent of the values at each end."""


PLAIN = Look()


@dataclass(frozen=True, slots=True)
class Overlay:
    """One of several curves over the same axes."""

    series: Series
    role: Role
    mark: str
    at_crosshair: LoggedPoint | None = None
    """Its point at the step of the crosshair, or the last one before that; of runs the nearest."""
    problem: str = ""
    """Why it cannot be read at the crosshair; empty where it can."""
    letters: str = ""
    """The letters of the runs that it is of, in a comparison of runs."""
    text: str = ""
    """What the legend calls it; empty for the name of its metric."""
    smoothed: Smoothed | None = None
    band: tuple[BandPart, ...] = ()
    """Where the values of the runs lie of which it is the mean."""

    @property
    def name(self) -> str:
        """What tells it from the other curves."""
        return self.letters or self.series.key


@dataclass(frozen=True, slots=True)
class LostCurve:
    """A curve of a comparison that cannot be read; said where it would stand."""

    letters: str
    """The letters of the runs that it would be of."""
    role: Role
    text: str
    """What the legend calls it, as stored and not safe to show."""
    why: str
    """A sentence about what failed, as stored and not safe to show."""


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
    look: Look = PLAIN
    x_axis: XAxis = XAxis.STEP
    marker: str = BRAILLE
    smoothed: Smoothed | None = None
    others: tuple[Overlay, ...] = ()
    new_count: int = 0
    """How many points were logged after the window since it was chosen."""
    follows: bool = False
    """Whether the window moves on with the last point."""
    is_growing: bool = False
    """Whether there may come more points, for which the horizontal axis has room."""
    view: tuple[Step, Step] | None = None
    """The window that is being read; until it has been, it is drawn with the present columns."""
    first: Overlay | None = None
    """The series as one of several runs' curves, of which none is the main one."""
    heading: str = ""
    """What the title says in place of the number of points."""
    lost: tuple[LostCurve, ...] = ()
    """The curves of runs that cannot be read."""

    @property
    def is_log(self) -> bool:
        return self.look.is_log

    @property
    def is_of_runs(self) -> bool:
        return self.first is not None

    @property
    def overlays(self) -> tuple[Overlay, ...]:
        """The curves of the legend: all of them for runs, else all but the main one."""
        return self.others if self.first is None else (self.first, *self.others)

    @property
    def guide(self) -> Overlay | None:
        """The run whose points the crosshair goes along, where the axis is not of steps.

        Since the start of each run it is the one that lasts longest, so that every place can be
        reached, and else the first. There is none on an axis of steps, where it goes along the
        points of all runs, nor in the curve of one run.
        """
        if not self.is_of_runs or self.x_axis in BY_STEP:
            return None
        if self.x_axis is XAxis.CLOCK:
            return self.first

        def reached(of: Overlay) -> float:
            x = self.x(of.series.last, of.series)
            return -math.inf if x is None else x

        return max(self.overlays, key=reached)

    @property
    def guide_name(self) -> str:
        """The name of the `guide`; empty where there is none."""
        return "" if (guide := self.guide) is None else guide.name

    @property
    def guiding(self) -> Series:
        """The series of the `guide`, else the main one."""
        return self.series if (guide := self.guide) is None else guide.series

    @property
    def walked(self) -> tuple[Series, ...]:
        """The series whose points the crosshair goes along.

        Only on an axis of steps are those of several runs in the order of their steps.
        """
        is_along_all = self.is_of_runs and self.x_axis in BY_STEP
        return self.all_series if is_along_all else (self.guiding,)

    @property
    def ends(self) -> tuple[LoggedPoint, LoggedPoint]:
        """The first and the last point that the crosshair can go to, inside the window or not."""
        return (
            min((one.first for one in self.walked), key=lambda point: point.step),
            max((one.last for one in self.walked), key=lambda point: point.step),
        )

    @property
    def window(self) -> tuple[Step, Step]:
        """The steps that were read."""
        return (
            min(one.start for one in self.walked),
            max(one.end for one in self.walked),
        )

    @property
    def extremes(self) -> tuple[LoggedPoint | None, LoggedPoint | None]:
        """The lowest and the highest point that the crosshair can go to."""
        lows = [low for one in self.walked if (low := one.minimum) is not None]
        highs = [high for one in self.walked if (high := one.maximum) is not None]
        return (
            min(lows, key=lambda point: point.value, default=None),
            max(highs, key=lambda point: point.value, default=None),
        )

    @property
    def all_series(self) -> tuple[Series, ...]:
        """The series and its overlays."""
        return (self.series, *(other.series for other in self.others))

    @property
    def points(self) -> list[LoggedPoint]:
        """All points that the columns keep and the crosshair goes along, in order of steps."""
        walked = self.walked
        if len(walked) == 1:
            return kept_points(walked[0])
        by_step: dict[Step, LoggedPoint] = {}
        for one in walked:
            for point in kept_points(one):
                by_step.setdefault(point.step, point)
        return [by_step[step] for step in sorted(by_step)]

    def x(self, point: Point, of: Series | None = None) -> float | None:
        """Return the place of a point on the horizontal axis; None if it has no time there.

        Args:
            point: The point.
            of: Its series; None for a point that the crosshair goes along.
        """
        if self.x_axis in BY_STEP:
            return float(point.step)
        # The metrics of one run have one start, and each run has its own.
        series = self.series
        if self.is_of_runs:
            series = self.guiding if of is None else of
        if self.x_axis is XAxis.SHARE:
            first, last = series.first.step, series.last.step
            return 100 * share(point.step, first, last) if first < last else 0.0
        start = series.first.logged_at
        logged_at = point.logged_at if isinstance(point, LoggedPoint) else None
        if logged_at is None or start is None:
            return None
        if self.x_axis is XAxis.CLOCK:
            return logged_at.timestamp()
        return (logged_at - start).total_seconds()

    def scaled(self, value: float) -> float:
        return math.log10(value) if self.is_log else value

    def is_drawn(self, value: float) -> bool:
        return math.isfinite(value) and (value > 0 or not self.is_log)

    @property
    def is_on_whole_steps(self) -> bool:
        """Whether the axis shows steps and all of them are whole numbers."""
        return self.x_axis in BY_STEP and all(one.is_on_whole_steps for one in self.all_series)

    @property
    def is_thinned(self) -> bool:
        """Whether the columns leave out points, so that only the store can count them."""
        return any(len(kept_points(one)) < one.count for one in self.counted)

    @property
    def counted(self) -> tuple[Series, ...]:
        """The series whose odd points the title counts."""
        return self.all_series if self.is_of_runs else (self.series,)

    @property
    def hidden_count(self) -> int:
        """How many of the kept points have no place on a logarithmic axis."""
        if not self.is_log:
            return 0
        kept = (point.value for one in self.counted for point in kept_points(one))
        return sum(math.isfinite(value) and value <= 0 for value in kept)

    @property
    def timeless_count(self) -> int:
        """How many of the kept points have no place on an axis of time."""
        if self.x_axis in (*BY_STEP, XAxis.SHARE):
            return 0
        return sum(self.x(point, one) is None for one in self.counted for point in kept_points(one))

    def crossed(self, found: Mapping[str, LoggedPoint | str]) -> Curve:
        """Return it with what its curves have at the crosshair.

        Args:
            found: By the curve's name its point there, or the reason why it cannot be read.
        """
        points = {name: one for name, one in found.items() if not isinstance(one, str)}

        def crossed(of: Overlay) -> Overlay:
            why = found.get(of.name)
            problem = why if isinstance(why, str) else ""
            return replace(of, at_crosshair=points.get(of.name), problem=problem)

        return replace(
            self,
            others=tuple(map(crossed, self.others)),
            first=None if self.first is None else crossed(self.first),
            crosshair=self._held_now(points),
        )

    def _held_now(self, points: Mapping[str, LoggedPoint]) -> LoggedPoint | None:
        """Return the point at the crosshair as the curves that it goes along have it now."""
        held, guide = self.crosshair, self.guide
        if not self.is_of_runs:
            now = points.get(self.series.key, held)
            # If a step has several points, the one on the curve is meant.
            is_same = held is not None and now is not None and held.step == now.step
            return held if is_same and held in self.points else now
        if held is None or held in self.points:
            return held
        named = points.values() if guide is None else [points.get(guide.name, held)]
        return next((point for point in named if point.step == held.step), held)

    def step_for(self, series: Series) -> Step | None:
        """Return about at which step of a series the crosshair is; None without a crosshair.

        Times are logged to the second. Where many points share one place, it is as far on among
        them as the crosshair is among those of its own run. Beyond the ends it is the end.
        """
        point, guiding = self.crosshair, self.guiding
        if point is None or series is guiding or self.x_axis in BY_STEP:
            return None if point is None else point.step
        x = self.x(point, guiding)
        if x is None:
            return point.step
        places = self._places(series)
        left = max((at for at in places if at <= x), default=None)
        right = min((at for at in places if at >= x), default=None)
        if left is None or right is None:
            end = left if right is None else right
            return None if end is None else places[end][-1 if right is None else 0]
        if left == right:
            start, end_step = places[left]
            first, last = self._places(guiding).get(x, (point.step, point.step))
            part = share(point.step, first, last) if first < last else 1.0
        else:
            start, end_step = places[left][1], places[right][0]
            part = (x - left) / (right - left)
        step = start + (end_step - start) * min(max(part, 0.0), 1.0)
        return round(step) if series.is_on_whole_steps else step

    def _places(self, series: Series) -> dict[float, tuple[Step, Step]]:
        """Return the first and the last step that a series keeps at each place of the axis."""
        places: dict[float, tuple[Step, Step]] = {}
        for kept in kept_points(series):
            if (at := self.x(kept, series)) is not None:
                start, _ = places.get(at, (kept.step, kept.step))
                places[at] = start, kept.step
        return places


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
    of = curve.guiding
    placed = [(at, point) for point in curve.points if (at := curve.x(point, of)) is not None]
    return min(placed, key=lambda pair: abs(pair[0] - x), default=(0.0, None))[1]
