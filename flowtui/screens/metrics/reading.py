"""The reads of the Metrics tab, which run in a worker's thread."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.metrics.source import CurveSource, Window
from flowtui.store.metrics.steps import LOWEST, Step, Typed, above, below, typed
from flowtui.store.metrics.values import Neighbours, Series, Smoothed
from flowtui.store.values import LoggedPoint


@dataclass(frozen=True, slots=True)
class Zoom:
    """What is shown in full, with its window, smoothing and overlays."""

    key: str
    """The metric."""
    window: Window = None
    follows: bool = False
    """Whether the window moves on with the last point."""
    weight: float = 0.0
    """The weight of the smoothing; 0 for none."""
    others: tuple[str, ...] = ()
    """Metrics that are drawn over the same axes."""
    seen_step: Step = 0
    """The last step of the metric when the window was chosen; later points are new."""
    by_share: bool = False
    """Whether the window is the same part of each curve, and not the same steps."""
    of: Hashable = None
    """Which curves of several runs are shown, and what is computed of them."""


class Curved(NamedTuple):
    """One of the curves to be read."""

    name: str
    """What tells it from the others."""
    source: CurveSource
    is_smoothed: bool = True


@dataclass(frozen=True, slots=True)
class ReadCurve:
    """One of the curves that were read."""

    name: str
    source: CurveSource
    series: Series
    smoothed: Smoothed | None = None


@dataclass(frozen=True, slots=True)
class Zoomed:
    """The answer to a `Zoom`."""

    zoom: Zoom
    curves: tuple[ReadCurve, ...]
    """At least one, the main one first."""
    lost: tuple[tuple[str, str], ...] = ()
    """The curves of runs that could not be read: the name of each, and why."""
    new_count: int = 0
    is_growing: bool = False
    """Whether the run was active when this was read."""

    @property
    def series(self) -> Series:
        return self.curves[0].series

    @property
    def others(self) -> tuple[Series, ...]:
        return tuple(curve.series for curve in self.curves[1:])

    @property
    def last_step(self) -> Step:
        """The last step of any of the curves."""
        return max(curve.series.last.step for curve in self.curves)


def zoomed(
    curved: Sequence[Curved],
    zoom: Zoom,
    last_step: Step,
    columns: int,
    known: Zoomed | None,
    *,
    of_runs: bool = False,
) -> Zoomed | None:
    """Return what a zoom shows, reading only what `known` lacks; None if there are no points.

    Of several runs those that cannot be read are named in the answer; if no other has points, the
    first failure is raised.

    Args:
        curved: The curves, the main one first.
        zoom: The request.
        last_step: The last step of the metric, at which a window that follows ends.
        columns: How many columns of dots there is room for.
        known: The previous answer.
        of_runs: Whether they are of several runs, of which one that fails leaves the rest.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    window = _followed(zoom, last_step)
    had = {} if known is None else {one.source: one for one in known.curves}
    read: list[ReadCurve] = []
    failed: list[tuple[str, StoreError]] = []
    for one in curved:
        try:
            found = _read(one, zoom, window, columns, had.get(one.source), read)
        except ReadCancelled:
            raise
        except StoreError as error:
            if not of_runs:
                raise
            failed.append((one.name, error))
            continue
        if found is not None:
            read.append(found)
        elif not of_runs and not read:
            return None
    if not read:
        if failed:
            raise failed[0][1]
        return None
    new_count = 0
    if window is not None and not zoom.follows:
        counted = [one for one in read if one.series.last.step > zoom.seen_step]
        right = above(max(window[1], zoom.seen_step))
        new_count = sum(
            one.source.count(right, one.series.last.step)
            for one in counted
            if of_runs or one is read[0]
        )
    lost = tuple((name, str(error)) for name, error in failed)
    return Zoomed(zoom, tuple(read), lost, new_count)


def _read(
    one: Curved,
    zoom: Zoom,
    window: Window,
    columns: int,
    had: ReadCurve | None,
    read: Sequence[ReadCurve],
) -> ReadCurve | None:
    """Return one curve, None if it has no points; the first of those `read` has the window."""
    if zoom.by_share and window is not None and read:
        window = _same_part(window, read[0].series, one.source)
    series = one.source.series(window, columns, None if had is None else had.series)
    if series is None:
        return None
    smoothed = None
    if zoom.weight and one.is_smoothed:
        before = None if had is None else had.smoothed
        smoothed = one.source.smoothed(series, zoom.weight, before)
    return ReadCurve(one.name, one.source, series, smoothed)


def _same_part(window: tuple[Step, Step], main: Series, source: CurveSource) -> Window:
    """Return the window that is the same part of a curve as another is of the main one."""
    first, last = source.next_point(below(LOWEST), "after"), source.next_point(math.inf, "before")
    start, end = main.first.step, main.last.step
    if first is None or last is None or not start < end or not first.step < last.step:
        return window
    wide = last.step - first.step
    ends = [first.step + wide * ((step - start) / (end - start)) for step in window]
    if isinstance(first.step, int) and isinstance(last.step, int):
        ends = [round(step) for step in ends]
    return (ends[0], ends[1]) if ends[0] < ends[1] else (ends[0], above(ends[0]))


def _followed(zoom: Zoom, last_step: Step) -> Window:
    """Return the window of a zoom, moved on to the last point if it follows."""
    if zoom.window is None or not zoom.follows:
        return zoom.window
    by = max(last_step - zoom.window[1], 0)
    return zoom.window[0] + by, zoom.window[1] + by


class Crossing(NamedTuple):
    """What is asked of one curve at the crosshair."""

    name: str
    source: CurveSource
    step: Step
    distance: Callable[[LoggedPoint], tuple[float, float]] | None = None
    """How far a point is from the crosshair, where the nearest one counts; None for the last one
    that is not after the step."""
    is_main: bool = False
    """Whether a point after the step will do if there is none before it."""


def at_crosshair(crossings: Iterable[Crossing]) -> dict[str, LoggedPoint | str]:
    """Return for each curve the point at a step, else the one beside it that counts.

    A run that cannot be read any more has the reason instead, where the nearest one counts.

    Raises:
        DatabaseError: The run's database cannot be read.
    """
    found: dict[str, LoggedPoint | str] = {}
    for crossing in crossings:
        try:
            near = crossing.source.near(crossing.step)
        except ReadCancelled:
            raise
        except StoreError as error:
            if crossing.distance is None:
                raise
            found[crossing.name] = str(error)
            continue
        point = near.at
        if point is None and crossing.distance is not None:
            around = [one for one in (near.before, near.after) if one is not None]
            point = min(around, key=crossing.distance, default=None)
        elif point is None:
            # The crosshair is always on a point of the first metric; the others may begin later.
            point = near.before or (near.after if crossing.is_main else None)
        if point is not None:
            found[crossing.name] = point
    return found


def point_beyond(sources: Sequence[CurveSource], step: Step, by: int) -> LoggedPoint | None:
    """Return the point that is `by` places after a step, or before it if `by` is negative.

    Points of several curves at one step are one place. At the end it is the last point, or the
    first one.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    found = None
    for _ in range(abs(by)):
        direction: Literal["after", "before"] = "after" if by > 0 else "before"
        point = _nearest([source.next_point(step, direction) for source in sources], by > 0)
        if point is None:
            break
        found, step = point, point.step
    return found


def _nearest(points: Iterable[LoggedPoint | None], is_after: bool) -> LoggedPoint | None:
    """Return the first of points that lie after a step, or the last of those before it."""
    given = [point for point in points if point is not None]
    choose = min if is_after else max
    return choose(given, key=lambda point: point.step, default=None)


JUMPS = ("max", "min", "last", "first", "nan", "inf")


def jump_target(curves: Sequence[ReadCurve], word: str, step: Step) -> LoggedPoint | str:
    """Return the point that a typed word names, or a sentence that says why there is none.

    Args:
        curves: The curves that the crosshair goes along, as they are shown.
        word: A step, or one of `JUMPS`.
        step: The step of the crosshair; `nan` and `inf` search after it, then from the beginning.
    """
    if word in ("last", "first"):
        ends = [one.series.last if word == "last" else one.series.first for one in curves]
        return _nearest(ends, word == "first") or "it has no points any more"
    if word in ("nan", "inf"):
        kind: Literal["nan", "inf"] = "nan" if word == "nan" else "inf"
        return _odd_point([one.source for one in curves], kind, step)
    if word in ("max", "min"):
        return _extreme_point(curves, word == "max") or "it has no finite point"
    wanted = typed(word)
    if wanted is None:
        return f"expected a step, or {', '.join(JUMPS)}"
    nears = [one.source.near(wanted.step) for one in curves]
    near = Neighbours(
        _nearest([near.before for near in nears], is_after=False),
        next((near.at for near in nears if near.at is not None), None),
        _nearest([near.after for near in nears], is_after=True),
    )
    has_fractions = any(one.series.has_fractions for one in curves)
    return near.at or _meant(near, wanted, has_fractions) or "it has no points any more"


def _extreme_point(curves: Sequence[ReadCurve], highest: bool) -> LoggedPoint | None:
    found = []
    for one in curves:
        whole = one.series if one.series.is_whole else one.source.series(None, 2, None)
        point = None if whole is None else whole.maximum if highest else whole.minimum
        if point is not None:
            found.append(point)
    choose = max if highest else min
    return choose(found, key=lambda point: point.value, default=None)


def _meant(near: Neighbours, wanted: Typed, has_fractions: bool) -> LoggedPoint | None:
    """Return which of the points around a typed step is meant.

    It is the nearest point if its step, rounded to the digits that were typed, is what was typed,
    or if steps have fractions, which few people type in full. Otherwise it is the last one before.
    """
    around = [point for point in (near.before, near.after) if point is not None]
    nearest = min(around, key=lambda point: abs(point.step - wanted.step), default=None)
    is_real = has_fractions or any(isinstance(point.step, float) for point in around)
    if nearest is not None and (is_real or abs(nearest.step - wanted.step) <= wanted.within):
        return nearest
    return near.before or near.after


def _odd_point(
    sources: Sequence[CurveSource], kind: Literal["nan", "inf"], step: Step
) -> LoggedPoint | str:
    # The search wraps around to the beginning.
    for start in (step, below(LOWEST)):
        found = _nearest([source.next_point(start, "after", kind) for source in sources], True)
        if found is not None:
            return found
    return f"it has no {'NaN' if kind == 'nan' else 'infinity'}"
