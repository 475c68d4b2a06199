"""What a chart needs of one metric's points, as frozen values.

They are apart from values.py because only the Metrics tab needs them, and people wait for a start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from flowtui.store.metrics.steps import Step
from flowtui.store.values import LoggedPoint, Point


@dataclass(frozen=True, slots=True)
class SeriesColumn:
    """The points of one metric in a range of steps, at least one."""

    start: Step
    end: Step
    """The last step of the range; its points may end before. If it is a whole step, steps between
    it and the next are in the range too."""
    count: int
    first: LoggedPoint
    last: LoggedPoint
    minimum: LoggedPoint | None
    """The lowest finite point, the earliest of several; None if no point is finite."""
    maximum: LoggedPoint | None
    nan_count: int = 0
    pos_inf_count: int = 0
    neg_inf_count: int = 0
    unreadable_count: int = 0
    """Values that are not numbers: a broken store."""

    @property
    def points(self) -> tuple[LoggedPoint, ...]:
        """Its first, lowest, highest and last point in order of steps, each once."""
        named = (self.first, self.minimum, self.maximum, self.last)
        points = dict.fromkeys(point for point in named if point is not None)
        return tuple(sorted(points, key=lambda point: point.step))


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over a window of steps, as a chart of a given number of columns needs it.

    Rows whose step is not a number have no place on an axis: `stepless_count` counts them.
    """

    key: str
    start: Step
    end: Step
    """The last step of the window."""
    is_whole: bool
    """Whether the window is the whole metric, from first to last point, and grows with it."""
    max_columns: int
    """How many columns were asked for."""
    columns: tuple[SeriesColumn, ...]
    """Those that have points, in order. Few points are columns of one point and one step."""
    first: LoggedPoint
    """The first point of the metric, which may be outside the window, as may the last."""
    last: LoggedPoint
    mark: int
    """The highest dynamic_metrics.rowid that this covers."""
    read_mark: int = field(compare=False)
    """The mark when all its points were last read; differs from `mark` where it was only extended
    since. An extended series is equal to the one from scratch."""
    stepless_count: int = 0
    """Rows of the metric that have no step, and so are in no window of it."""
    has_fractions: bool = False
    """Whether some of its steps are not whole numbers, as far as its first points tell."""

    @property
    def window(self) -> tuple[Step, Step] | None:
        """The window as it was asked for; None for the whole metric."""
        return None if self.is_whole else (self.start, self.end)

    @property
    def is_on_whole_steps(self) -> bool:
        """Whether its axis has whole steps."""
        ends = (self.start, self.end)
        return not self.has_fractions and all(isinstance(step, int) for step in ends)

    @property
    def count(self) -> int:
        """How many points the window has, NaN and infinite ones included."""
        return sum(column.count for column in self.columns)

    @property
    def nan_count(self) -> int:
        return sum(column.nan_count for column in self.columns)

    @property
    def pos_inf_count(self) -> int:
        return sum(column.pos_inf_count for column in self.columns)

    @property
    def neg_inf_count(self) -> int:
        return sum(column.neg_inf_count for column in self.columns)

    @property
    def inf_count(self) -> int:
        return self.pos_inf_count + self.neg_inf_count

    @property
    def unreadable_count(self) -> int:
        """Rows whose value is not a number, and all rows of the metric whose step is not one."""
        return self.stepless_count + sum(column.unreadable_count for column in self.columns)

    @property
    def minimum(self) -> LoggedPoint | None:
        """The lowest finite point, the earliest of several; None if no point is finite."""
        lows = [column.minimum for column in self.columns if column.minimum is not None]
        return min(lows, key=lambda point: point.value, default=None)

    @property
    def maximum(self) -> LoggedPoint | None:
        highs = [column.maximum for column in self.columns if column.maximum is not None]
        return max(highs, key=lambda point: point.value, default=None)


@dataclass(frozen=True, slots=True)
class FoldedPoint(LoggedPoint):
    """A point of a curve that is computed of several runs."""

    low: float
    """The lowest value of a run; equal to the highest one where there is one run."""
    high: float
    run_count: int
    """How many runs have a value here."""
    nan_count: int = 0
    """How many of these values are NaN."""
    inf_count: int = 0


class BandPart(NamedTuple):
    """The lowest and the highest value of any run in a range of steps."""

    start: Step
    end: Step
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FoldedSeries(Series):
    """A curve that is computed of several runs."""

    band: tuple[BandPart, ...] = ()
    """Where the values of the runs lie; nothing for the difference of two runs."""
    marks: tuple[int, ...] = ()
    """For each run the highest dynamic_metrics.rowid when it was read."""


@dataclass(frozen=True, slots=True)
class Smoothed:
    """The exponential moving average of a series, and what is needed to continue it."""

    key: str
    weight: float
    """The weight of the average so far at each point, between 0 and 1."""
    points: tuple[Point, ...]
    """The average at its first, lowest, highest and last point in each column of the series, in
    order of steps, each once. Columns without a finite point have none."""
    window: tuple[Step, Step] | None
    """The window of the series; None for the whole metric."""
    max_columns: int
    read_mark: int
    """The `read_mark` of the series, and `mark` its `mark`."""
    mark: int
    last_step: Step
    """All finite points up to this step are in the average."""
    average: float
    missing: float
    """How much weight no point has had yet, 1 before the first point."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a metric begins and ends, and how many points it has."""

    first: LoggedPoint | None
    """None if none of its rows has a step; so is `last` then."""
    last: LoggedPoint | None
    count: int
    stepless_count: int = 0
    """Rows that are not points, since their step is not a number."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The point at a step, if there is one, and the nearest on both sides."""

    before: LoggedPoint | None = None
    at: LoggedPoint | None = None
    after: LoggedPoint | None = None
