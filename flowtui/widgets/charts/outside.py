"""The points that lie beyond the vertical axis of a chart, because it leaves out the extremes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flowtui.store.metrics.values import Series
from flowtui.store.values import LoggedPoint
from flowtui.widgets.cells import Role
from flowtui.widgets.charts.chart import Window
from flowtui.widgets.charts.curve import Curve
from flowtui.widgets.charts.placing import cell_of

ABOVE, BELOW = "↑", "↓"
LEFT_OUT = "y 98 %"
"""What is said of an axis that leaves out the extremes."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """A point above or below the axis."""

    series: Series
    point: LoggedPoint
    is_above: bool


def beyond(curve: Curve, window: Window) -> Iterator[Beyond]:
    """Yield the kept points of all curves that have no place on the vertical axis."""
    if not curve.look.leaves_out:
        return
    for series in curve.all_series:
        for column in series.columns:
            for point in column.points:
                if curve.is_drawn(point.value) and not (
                    window.bottom <= (scaled := curve.scaled(point.value)) <= window.top
                ):
                    yield Beyond(series, point, scaled > window.top)


def count_beyond(curve: Curve, window: Window) -> str:
    """Return how many points are beyond the axis, as text; nothing if there are none.

    Of a column's points only some are kept. Where one of them is beyond, so may be others.
    """
    found = list(beyond(curve, window))
    if not found:
        return ""
    points = {one.point for one in found}
    is_exact = all(
        column.count == len(column.points) or points.isdisjoint(column.points)
        for series in curve.all_series
        for column in series.columns
    )
    return f"{'' if is_exact else 'at least '}{len(found):,} outside"


def beyond_layers(
    curve: Curve, window: Window, columns: int, rows: int
) -> Iterator[tuple[list[str], Role]]:
    """Yield a canvas that marks the columns in which a curve is cut, if there are any."""
    above: set[int] = set()
    below: set[int] = set()
    for one in beyond(curve, window):
        cell = cell_of(curve.x(one.point, one.series), window, columns)
        if cell is not None:
            (above if one.is_above else below).add(cell)
    if above or below:
        cells = [" " * columns for _ in range(rows)]
        for row, mark, marked in ((0, ABOVE, above), (rows - 1, BELOW, below)):
            line = cells[row]
            cells[row] = "".join(mark if at in marked else line[at] for at in range(columns))
        yield cells, "attention"
