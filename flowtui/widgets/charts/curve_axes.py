"""The axes of a curve: where their ticks stand and what they say, on a screen and in a picture."""

from __future__ import annotations

from flowtui.widgets.charts import axis
from flowtui.widgets.charts.chart import Window
from flowtui.widgets.charts.curve import Curve, XAxis, parts_of_a_second
from flowtui.widgets.charts.ticks import Ticks, even, upward


def ticks_up(curve: Curve, window: Window, at_most: int, cells: int) -> Ticks:
    """Return the ticks of the vertical axis, scaled as the curve is.

    Args:
        curve: What is shown.
        window: What the edges of the canvas stand for.
        at_most: How many parts they divide the axis into.
        cells: How wide a label may be.
    """
    return upward(window.bottom, window.top, curve.is_log, at_most, cells)


def ticks_across(curve: Curve, window: Window, at_most: int, cells: int) -> Ticks:
    """Return the ticks of the horizontal axis, as `ticks_up`."""
    left, right = window.left, window.right
    if curve.x_axis is XAxis.ELAPSED:
        return axis.durations(left, right, at_most)
    if curve.x_axis is XAxis.CLOCK:
        return axis.clock(left, right, at_most)
    parts = parts_of_a_second(curve.all_series)
    if curve.x_axis is XAxis.STEP_TIME and parts is not None:
        moments = axis.clock(left / parts, right / parts, at_most)
        if moments.places:
            return moments.placed(lambda at_s: at_s * parts)
    return even(left, right, at_most, cells, whole=curve.is_on_whole_steps)
