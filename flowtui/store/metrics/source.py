"""Where the points of one curve come from: a metric of a run, or something computed of several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flowtui.store.metrics import points as metric_points
from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics import smoothing
from flowtui.store.metrics.points import Direction, Kind
from flowtui.store.metrics.steps import HIGHEST, LOWEST, Step
from flowtui.store.metrics.values import Neighbours, Series, Smoothed
from flowtui.store.open_run import OpenRun
from flowtui.store.values import LoggedPoint

Window = tuple[Step, Step] | None
"""The first and the last step; None is all of a curve, which grows."""


class CurveSource:
    """Answers for one curve what its charts ask; all of it raises `DatabaseError`s."""

    key: str
    """The name of the metric."""

    def series(self, window: Window, columns: int, known: Series | None) -> Series | None:
        """Return the curve over a window, reading only what `known` lacks; None without points."""
        raise NotImplementedError

    def smoothed(self, series: Series, weight: float, known: Smoothed | None) -> Smoothed:
        """Return the moving average of its series, reading only what `known` lacks."""
        raise NotImplementedError

    def near(self, step: Step) -> Neighbours:
        """Return the point at a step and those before and after it."""
        raise NotImplementedError

    def next_point(
        self, step: Step, direction: Direction, kind: Kind = "any"
    ) -> LoggedPoint | None:
        """Return the nearest point of a kind before or after a step, None if there is none."""
        raise NotImplementedError

    def count(self, start: Step, end: Step) -> int:
        """Return how many points have steps from `start` to `end`."""
        raise NotImplementedError

    def points(self, start: Step = LOWEST, end: Step = HIGHEST) -> Iterator[LoggedPoint]:
        """Yield all points with steps from `start` to `end`, in order."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class MetricSource(CurveSource):
    """One metric of one run."""

    run: OpenRun
    key: str

    def series(self, window: Window, columns: int, known: Series | None) -> Series | None:
        metrics = self.run.metrics
        if known is not None and known.max_columns == columns and known.window == window:
            return metrics.ask(known.key, metric_series.extended, known)
        return metrics.ask(self.key, metric_series.series, self.key, window, columns)

    def smoothed(self, series: Series, weight: float, known: Smoothed | None) -> Smoothed:
        return self.run.metrics.ask(series.key, smoothing.smoothed, series, weight, known)

    def near(self, step: Step) -> Neighbours:
        return self.run.metrics.ask(self.key, metric_points.point_at, self.key, step)

    def next_point(
        self, step: Step, direction: Direction, kind: Kind = "any"
    ) -> LoggedPoint | None:
        question = metric_points.next_point
        return self.run.metrics.ask(self.key, question, self.key, step, direction, kind)

    def count(self, start: Step, end: Step) -> int:
        return self.run.metrics.ask(self.key, metric_points.count, self.key, start, end)

    def points(self, start: Step = LOWEST, end: Step = HIGHEST) -> Iterator[LoggedPoint]:
        return self.run.metrics.points(self.key, (start, end))
