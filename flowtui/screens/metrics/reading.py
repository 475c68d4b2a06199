"""What the Metrics tab reads, as questions to the store; runs in the reader's thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flowtui.store.database import Cancelled
from flowtui.store.metrics.steps import LOWEST, Step, Typed, above, below, typed
from flowtui.store.metrics.values import Neighbours, Series, Smoothed
from flowtui.store.store import Store
from flowtui.store.values import LoggedPoint
from flowtui.widgets.charts.curve_pane import StepWindow


@dataclass(frozen=True, slots=True)
class Zoom:
    """What of which metrics is shown in full."""

    key: str
    window: StepWindow = None
    follows: bool = False
    """Whether the window moves on with the last point."""
    weight: float = 0.0
    """Of the smoothing; 0 for none."""
    others: tuple[str, ...] = ()
    """Metrics over the same axes."""
    seen_step: Step = 0
    """The last step of the metric when the window was chosen; what comes after it is new."""


@dataclass(frozen=True, slots=True)
class Zoomed:
    """The answer to a `Zoom`."""

    zoom: Zoom
    series: Series
    smoothed: Smoothed | None = None
    others: tuple[Series, ...] = ()
    new_count: int = 0
    is_growing: bool = False
    """Whether the run was going on."""


def zoomed(
    store: Store,
    run_id: str,
    zoom: Zoom,
    last_step: Step,
    columns: int,
    known: Zoomed | None,
    cancelled: Cancelled,
) -> Zoomed | None:
    """Return what a zoom shows, reading only what `known` lacks; None without points.

    Args:
        store: the store.
        run_id: one of its runs.
        zoom: what is wanted.
        last_step: of the metric, which a window that follows ends with.
        columns: of dots, that there is room for.
        known: what was answered before.
        cancelled: ends the read with ReadCancelled.

    Raises:
        DatabaseError: the run's database cannot be read.
        ReadCancelled: `cancelled` said so.
    """
    had: dict[str, Series] = {}
    if known is not None:
        had = {one.key: one for one in (known.series, *known.others)}
    window = _followed(zoom, last_step)
    series = _series(store, run_id, zoom.key, window, columns, had, cancelled)
    if series is None:
        return None
    smoothed = None
    if zoom.weight:
        before = None if known is None else known.smoothed
        smoothed = store.smoothed_series(run_id, series, zoom.weight, before, cancelled)
    others = [_series(store, run_id, key, window, columns, had, cancelled) for key in zoom.others]
    new_count = 0
    if window is not None and not zoom.follows and series.last.step > zoom.seen_step:
        right = above(max(window[1], zoom.seen_step))
        new_count = store.point_count(run_id, zoom.key, (right, series.last.step))
    return Zoomed(zoom, series, smoothed, tuple(one for one in others if one), new_count)


def _followed(zoom: Zoom, last_step: Step) -> StepWindow:
    """Return the window of a zoom, moved on to the last point if it follows."""
    if zoom.window is None or not zoom.follows:
        return zoom.window
    by = max(last_step - zoom.window[1], 0)
    return zoom.window[0] + by, zoom.window[1] + by


def _series(
    store: Store,
    run_id: str,
    key: str,
    window: StepWindow,
    columns: int,
    had: dict[str, Series],
    cancelled: Cancelled,
) -> Series | None:
    known = had.get(key)
    if known is not None and known.max_columns == columns and window_of(known) == window:
        return store.extended_series(run_id, known, cancelled)
    return store.series(run_id, key, window, columns, cancelled)


def window_of(series: Series) -> StepWindow:
    return None if series.is_whole else (series.start, series.end)


def at_crosshair(
    store: Store, run_id: str, keys: tuple[str, ...], step: Step
) -> dict[str, LoggedPoint]:
    """Return by key the point at a step, or the last one before it; the first where none is.

    Raises:
        DatabaseError: the run's database cannot be read.
    """
    found: dict[str, LoggedPoint] = {}
    for index, key in enumerate(keys):
        near = store.neighbours(run_id, key, step)
        # The metric that one looks at always has a point; another may begin later.
        point = near.at or near.before or (near.after if index == 0 else None)
        if point is not None:
            found[key] = point
    return found


def point_beyond(
    store: Store, run_id: str, key: str, step: Step, by: int, cancelled: Cancelled
) -> LoggedPoint | None:
    """Return the point so many places after a step, before it if negative, or the last there is.

    Raises:
        DatabaseError: the run's database cannot be read.
        ReadCancelled: `cancelled` said so.
    """
    found = None
    for _ in range(abs(by)):
        direction: Literal["after", "before"] = "after" if by > 0 else "before"
        point = store.next_point(run_id, key, step, direction, cancelled=cancelled)
        if point is None:
            break
        found, step = point, point.step
    return found


JUMPS = ("max", "min", "last", "first", "nan", "inf")


def jump_target(
    store: Store, run_id: str, series: Series, word: str, step: Step, cancelled: Cancelled
) -> LoggedPoint | str:
    """Return the point that a typed word names, or a sentence that says why there is none.

    Args:
        store: the store.
        run_id: one of its runs.
        series: the metric, as it is shown; `max` and `min` are those of all its points.
        word: a step, or one of `JUMPS`.
        step: where the crosshair is; the next NaN or infinity after it, else the first.
        cancelled: ends the read with ReadCancelled.
    """
    if word in ("last", "first"):
        return series.last if word == "last" else series.first
    if word in ("nan", "inf"):
        kind: Literal["nan", "inf"] = "nan" if word == "nan" else "inf"
        return _odd_point(store, run_id, series.key, kind, step, cancelled)
    if word in ("max", "min"):
        whole = series if series.is_whole else store.series(run_id, series.key, None, 2, cancelled)
        found = None
        if whole is not None:
            found = whole.maximum if word == "max" else whole.minimum
        return found or "no point of it is finite"
    wanted = typed(word)
    if wanted is None:
        return f"expected a step, or {', '.join(JUMPS)}"
    near = store.neighbours(run_id, series.key, wanted.step)
    return near.at or _meant(near, wanted, series.has_fractions) or "it has no points any more"


def _meant(near: Neighbours, wanted: Typed, has_fractions: bool) -> LoggedPoint | None:
    """Return which of the points around a typed step is meant by it.

    It is the nearest one if its step reads as what was typed, at the digits typed, or if steps are
    real: few people type those in full. Of whole steps it is the last one before.
    """
    around = [point for point in (near.before, near.after) if point is not None]
    nearest = min(around, key=lambda point: abs(point.step - wanted.step), default=None)
    is_real = has_fractions or any(isinstance(point.step, float) for point in around)
    if nearest is not None and (is_real or abs(nearest.step - wanted.step) <= wanted.within):
        return nearest
    return near.before or near.after


def _odd_point(
    store: Store,
    run_id: str,
    key: str,
    kind: Literal["nan", "inf"],
    step: Step,
    cancelled: Cancelled,
) -> LoggedPoint | str:
    found = store.next_point(run_id, key, step, "after", kind, cancelled)
    if found is None:
        # From the beginning again, as a search does.
        found = store.next_point(run_id, key, below(LOWEST), "after", kind, cancelled)
    return found or f"it has no {'NaN' if kind == 'nan' else 'infinity'}"
