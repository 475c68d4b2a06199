"""The columns in which a chart shows a folded curve, each with its extremes and its band."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flowtui.store.cancelling import check
from flowtui.store.compare.folding import Folded
from flowtui.store.metrics.steps import Grid, Step, reach
from flowtui.store.metrics.values import BandPart, FoldedPoint, SeriesColumn

CHECKED_POINTS = 1_000
"""After how many points is asked whether anybody still waits."""


@dataclass(slots=True)
class FoldedColumn:
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


def folded_columns(points: Iterable[Folded], parts: Grid | None) -> Iterator[FoldedColumn]:
    """Yield the columns of a grid that have points; without a grid one for each point."""
    made: FoldedColumn | None = None
    end: Step = -math.inf
    for index, point in enumerate(points):
        if index % CHECKED_POINTS == 0:
            check()
        if made is None or parts is None or point.step > end:
            if made is not None:
                yield made
            bounds = (point.step,) * 2 if parts is None else parts.bounds(parts.index(point.step))
            end = reach(bounds[1])
            made = FoldedColumn(bounds, point, point)
        made.take(point)
    if made is not None:
        yield made
