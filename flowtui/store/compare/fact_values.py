"""The values of runs that are compared, and when two of them are the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from flowtui.store.compare.directions import Direction
from flowtui.store.equality import is_equal
from flowtui.store.values import JsonValue, MetricSummary, Point


class Missing(Enum):
    """Why a run has no value in a row."""

    ABSENT = "absent"
    """It was read, and has none."""
    UNREAD = "unread"
    """It could not be read, or is not read yet."""


@dataclass(frozen=True, slots=True)
class FactValue:
    """A parameter or a part of one, a fact about a run, or a model."""

    value: JsonValue
    problem: str | None = None
    """What is wrong with it as it is stored; `value` is then the best that could be read."""
    stored: tuple[object, ...] | None = None
    """What it is compared by in place of `value`, where that is broken or only its beginning."""
    is_whole: bool = True
    """Whether `value` is all of it."""
    is_certain: bool = True
    """Whether equal values are the same thing: of a model, and of a file that was not read, only
    the size is known."""

    def is_same(self, other: FactValue) -> bool | None:
        """Say whether two values are equal: 1 and 1.0 are, 1 and "1" or true are not.

        None if all that is known of them is equal, but not all is known.
        """
        if not (self.is_certain and other.is_certain):
            return None if is_equal(self.value, other.value) else False
        if self.stored is not None or other.stored is not None:
            return self.stored == other.stored
        return is_equal(self.value, other.value)


@dataclass(frozen=True, slots=True)
class MetricFigures:
    """The points of one metric of one run that are compared."""

    last: Point | None
    """The last point; None if no row of the metric has a step."""
    summary: MetricSummary | None = None
    """The summary of all points; None until they are read."""

    def best(self, direction: Direction | None) -> Point | None:
        """Return the best finite point; None without a direction, or without such a point."""
        if self.summary is None or direction is None:
            return None
        is_low = direction is Direction.LOWER
        return self.summary.minimum if is_low else self.summary.maximum

    def is_same(self, other: MetricFigures) -> bool | None:
        """Say whether the last, the lowest and the highest value are equal.

        None if that is not known yet.
        """
        if not _is_same_value(self.last, other.last):
            return False
        if self.summary is None or other.summary is None:
            return None
        low, high = self.summary.minimum, self.summary.maximum
        return _is_same_value(low, other.summary.minimum) and _is_same_value(
            high, other.summary.maximum
        )


FactCell = FactValue | MetricFigures | Missing


class Change(StrEnum):
    """How a number of a candidate stands to the baseline's."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    CHANGED = "changed"
    """It differs, and in which direction it is better is not known."""
    INCOMPARABLE = "not comparable"
    """One of the two is absent, NaN or infinite."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The difference between a candidate's number and the baseline's."""

    change: Change
    value: float | None = None
    """The candidate's minus the baseline's; None if they cannot be compared."""


def _is_same_value(one: Point | None, other: Point | None) -> bool:
    if one is None or other is None:
        return one is other
    return is_equal(one.value, other.value)


def delta(baseline: Point | None, candidate: Point | None, direction: Direction | None) -> Delta:
    """Return how the value of a point stands to the baseline's."""
    if baseline is None or candidate is None:
        return Delta(Change.INCOMPARABLE)
    difference = candidate.value - baseline.value
    if is_equal(baseline.value, candidate.value):
        return Delta(Change.SAME, 0.0)
    if not all(abs(point.value) <= HIGHEST_FLOAT for point in (baseline, candidate)):
        return Delta(Change.INCOMPARABLE)
    if direction is None:
        return Delta(Change.CHANGED, difference)
    is_better = (difference > 0) is (direction is Direction.HIGHER)
    return Delta(Change.BETTER if is_better else Change.WORSE, difference)


HIGHEST_FLOAT = 1.7976931348623157e308
