"""The ticks and labels of a curve's axes, on the screen and in a picture."""

from __future__ import annotations

from flowtui.widgets.charts import axis
from flowtui.widgets.charts.chart import Window
from flowtui.widgets.charts.curve import Curve, XAxis, parts_of_a_second
from flowtui.widgets.charts.ticks import Ticks, even, upward


def ticks_up(curve: Curve, window: Window, at_most: int, cells: int) -> Ticks:
    """Return the ticks of the vertical axis, scaled as the curve is.

    Args:
        curve: The curve.
        window: The range of the canvas.
        at_most: The highest number of parts into which ticks divide the axis.
        cells: The greatest width of a label.
    """
    return upward(window.bottom, window.top, curve.is_log, at_most, cells)


def ticks_across(curve: Curve, window: Window, at_most: int, cells: int) -> Ticks:
    """Return the ticks of the horizontal axis, like `ticks_up`."""
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
