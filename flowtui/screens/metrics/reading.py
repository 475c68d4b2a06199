"""The reads of the Metrics tab, which run in a worker's thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flowtui.store.metrics import points as metric_points
from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics import smoothing as metric_smoothing
from flowtui.store.metrics.steps import LOWEST, Step, Typed, above, below, typed
from flowtui.store.metrics.values import Neighbours, Series, Smoothed
from flowtui.store.open_run import OpenRun
from flowtui.store.values import LoggedPoint
from flowtui.widgets.charts.curve_pane import StepWindow


@dataclass(frozen=True, slots=True)
class Zoom:
    """The metric that is shown in full, with its window, smoothing and overlays."""

    key: str
    window: StepWindow = None
    follows: bool = False
    """Whether the window moves on with the last point."""
    weight: float = 0.0
    """The weight of the smoothing; 0 for none."""
    others: tuple[str, ...] = ()
    """Metrics that are drawn over the same axes."""
    seen_step: Step = 0
    """The last step of the metric when the window was chosen; later points are new."""


@dataclass(frozen=True, slots=True)
class Zoomed:
    """The answer to a `Zoom`."""

    zoom: Zoom
    series: Series
    smoothed: Smoothed | None = None
    others: tuple[Series, ...] = ()
    new_count: int = 0
    is_growing: bool = False
    """Whether the run was active when this was read."""


def zoomed(
    run: OpenRun,
    zoom: Zoom,
    last_step: Step,
    columns: int,
    known: Zoomed | None,
) -> Zoomed | None:
    """Return what a zoom shows, reading only what `known` lacks; None if there are no points.

    Args:
        run: The run.
        zoom: The request.
        last_step: The last step of the metric, at which a window that follows ends.
        columns: How many columns of dots there is room for.
        known: The previous answer.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    had: dict[str, Series] = {}
    if known is not None:
        had = {one.key: one for one in (known.series, *known.others)}
    window = _followed(zoom, last_step)
    series = _series(run, zoom.key, window, columns, had)
    if series is None:
        return None
    smoothed = None
    if zoom.weight:
        before = None if known is None else known.smoothed
        smoothed = run.metrics.ask(
            series.key, metric_smoothing.smoothed, series, zoom.weight, before
        )
    others = [_series(run, key, window, columns, had) for key in zoom.others]
    new_count = 0
    if window is not None and not zoom.follows and series.last.step > zoom.seen_step:
        right = above(max(window[1], zoom.seen_step))
        new_count = run.metrics.ask(
            zoom.key, metric_points.count, zoom.key, right, series.last.step
        )
    return Zoomed(zoom, series, smoothed, tuple(one for one in others if one), new_count)


def _followed(zoom: Zoom, last_step: Step) -> StepWindow:
    """Return the window of a zoom, moved on to the last point if it follows."""
    if zoom.window is None or not zoom.follows:
        return zoom.window
    by = max(last_step - zoom.window[1], 0)
    return zoom.window[0] + by, zoom.window[1] + by


def _series(
    run: OpenRun,
    key: str,
    window: StepWindow,
    columns: int,
    had: dict[str, Series],
) -> Series | None:
    known = had.get(key)
    if known is not None and known.max_columns == columns and window_of(known) == window:
        return run.metrics.ask(known.key, metric_series.extended, known)
    return run.metrics.ask(key, metric_series.series, key, window, columns)


def window_of(series: Series) -> StepWindow:
    return None if series.is_whole else (series.start, series.end)


def at_crosshair(run: OpenRun, keys: tuple[str, ...], step: Step) -> dict[str, LoggedPoint]:
    """Return for each key the point at a step, else the last one before it.

    For the first key a point after the step will do if there is none before it.

    Raises:
        DatabaseError: The run's database cannot be read.
    """
    found: dict[str, LoggedPoint] = {}
    for index, key in enumerate(keys):
        near = run.metrics.ask(key, metric_points.point_at, key, step)
        # The crosshair is always on a point of the first metric; the others may begin later.
        point = near.at or near.before or (near.after if index == 0 else None)
        if point is not None:
            found[key] = point
    return found


def point_beyond(run: OpenRun, key: str, step: Step, by: int) -> LoggedPoint | None:
    """Return the point that is `by` places after a step, or before it if `by` is negative.

    At the end of the metric this is its last point, or its first one.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    found = None
    for _ in range(abs(by)):
        direction: Literal["after", "before"] = "after" if by > 0 else "before"
        point = run.metrics.ask(key, metric_points.next_point, key, step, direction)
        if point is None:
            break
        found, step = point, point.step
    return found


JUMPS = ("max", "min", "last", "first", "nan", "inf")


def jump_target(run: OpenRun, series: Series, word: str, step: Step) -> LoggedPoint | str:
    """Return the point that a typed word names, or a sentence that says why there is none.

    Args:
        run: The run.
        series: The metric, as it is shown; `max` and `min` are taken from all its points.
        word: A step, or one of `JUMPS`.
        step: The step of the crosshair; `nan` and `inf` search after it, then from the beginning.
    """
    if word in ("last", "first"):
        return series.last if word == "last" else series.first
    if word in ("nan", "inf"):
        kind: Literal["nan", "inf"] = "nan" if word == "nan" else "inf"
        return _odd_point(run, series.key, kind, step)
    if word in ("max", "min"):
        whole = (
            series
            if series.is_whole
            else run.metrics.ask(series.key, metric_series.series, series.key, None, 2)
        )
        found = None
        if whole is not None:
            found = whole.maximum if word == "max" else whole.minimum
        return found or "it has no finite point"
    wanted = typed(word)
    if wanted is None:
        return f"expected a step, or {', '.join(JUMPS)}"
    near = run.metrics.ask(series.key, metric_points.point_at, series.key, wanted.step)
    return near.at or _meant(near, wanted, series.has_fractions) or "it has no points any more"


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
    run: OpenRun,
    key: str,
    kind: Literal["nan", "inf"],
    step: Step,
) -> LoggedPoint | str:
    found = run.metrics.ask(key, metric_points.next_point, key, step, "after", kind)
    if found is None:
        # The search wraps around to the beginning.
        found = run.metrics.ask(key, metric_points.next_point, key, below(LOWEST), "after", kind)
    return found or f"it has no {'NaN' if kind == 'nan' else 'infinity'}"
