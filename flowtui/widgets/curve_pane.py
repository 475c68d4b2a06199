"""The pane that shows a curve: a crosshair moved by keys, a window zoomed and shifted by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from flowtui.store.values import LoggedPoint, Series
from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.curve import LABEL_CELLS, Curve, curve_lines, neighbour
from flowtui.widgets.paint import Palette

StepWindow = tuple[int, int] | None
"""First and last step; None is the whole metric, and grows with it."""


class CurvePane(Widget, can_focus=True):
    """Shows one series. Posts `WindowWanted` when another range of steps is to be read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "move(1)", "Step", key_display="←→", tooltip="To the next point"),
        Binding("left,h", "move(-1)", "Back", show=False, tooltip="To the point before"),
        Binding("shift+right,L", "move(10)", "Ten on", show=False, tooltip="Ten points on"),
        Binding("shift+left,H", "move(-10)", "Ten back", show=False, tooltip="Ten points back"),
        Binding("home,g", "move_to_end(False)", "First", show=False, tooltip="To the first point"),
        Binding("end,G", "move_to_end(True)", "Last", show=False, tooltip="To the last point"),
        Binding("m", "move_to_extreme(False)", "Lowest", show=False, tooltip="To the minimum"),
        Binding("M", "move_to_extreme(True)", "Highest", show=False, tooltip="To the maximum"),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom", key_display="+ -",
                tooltip="Half as many steps, around the crosshair"),
        Binding("minus", "zoom(2.0)", "Zoom out", show=False, tooltip="Twice as many steps"),
        Binding("0", "fit", "Fit", tooltip="The whole metric, which grows with the run"),
        Binding("o", "toggle_log", "Log y", tooltip="Logarithmic values, or linear again"),
    ]  # fmt: skip

    @dataclass
    class WindowWanted(Message):
        """Sent by CurvePane when it is to show another range of steps."""

        window: StepWindow

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = Palette(self)
        self._curve: Curve | None = None
        self._note = ""
        self._lines: list[Line] | None = None

    def show_series(self, series: Series) -> None:
        """Show a series; the crosshair stays at its step, or at the end if it was there."""
        held, known = self.crosshair, self._curve
        was_last = known is not None and held is not None and held.step == known.series.last.step
        self._curve = Curve(series, is_log=known is not None and known.is_log)
        step = None if held is None or (was_last and series.is_whole) else held.step
        self._cross(neighbour(self._curve.points, step, 0))

    def show_note(self, text: str) -> None:
        """Show why there is no curve."""
        self._curve, self._note = None, text
        self._repaint()

    @property
    def crosshair(self) -> LoggedPoint | None:
        return None if self._curve is None else self._curve.crosshair

    @property
    def columns(self) -> int:
        """How many columns of dots the canvas has: two in a cell."""
        return max(2 * (self.size.width - LABEL_CELLS - 1), 2)

    # Drawing ---------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._curve is None:
            line: Line = [Piece(f"  {self._note}", "muted")] if y == 1 else []
            return self._palette.strip(line, width)
        if self._lines is None:
            self._lines = curve_lines(self._curve, width, self.size.height)
        return self._palette.strip(self._lines[y] if y < len(self._lines) else [], width)

    def notify_style_update(self) -> None:
        self._palette.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        self._repaint()

    def _repaint(self) -> None:
        self._lines = None
        self.refresh()

    def _cross(self, point: LoggedPoint | None) -> None:
        if self._curve is not None:
            self._curve = replace(self._curve, crosshair=point)
            self._repaint()

    # Moving ----------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        if self._curve is not None and self.crosshair is not None:
            self._cross(neighbour(self._curve.points, self.crosshair.step, by))

    def action_move_to_end(self, last: bool) -> None:
        if self._curve is not None and (points := self._curve.points):
            self._cross(points[-1 if last else 0])

    def action_move_to_extreme(self, highest: bool) -> None:
        columns = () if self._curve is None else self._curve.series.columns
        extremes = [column.maximum if highest else column.minimum for column in columns]
        finite = [point for point in extremes if point is not None]
        if finite:
            choose = max if highest else min
            self._cross(choose(finite, key=lambda point: point.value))

    def action_zoom(self, factor: float) -> None:
        if self._curve is None or self.crosshair is None:
            return
        series = self._curve.series
        half = max(int((series.end - series.start) * factor / 2), 1)
        center = self.crosshair.step
        start = max(center - half, series.first.step)
        end = min(center + half, series.last.step)
        is_whole = (start, end) == (series.first.step, series.last.step)
        if start < end:
            self.post_message(self.WindowWanted(None if is_whole else (start, end)))

    def action_fit(self) -> None:
        self.post_message(self.WindowWanted(None))

    def action_toggle_log(self) -> None:
        if self._curve is not None:
            self._curve = replace(self._curve, is_log=not self._curve.is_log)
            self._repaint()

    def on_click(self, event: events.Click) -> None:
        if self._curve is None or event.x <= LABEL_CELLS:
            return
        series = self._curve.series
        share = (event.x - LABEL_CELLS - 1) / max(self.size.width - LABEL_CELLS - 1, 1)
        step = series.start + round(share * (series.end - series.start))
        self._cross(neighbour(self._curve.points, step, 0))
