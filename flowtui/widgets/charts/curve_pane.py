"""The pane of a curve, with keys that move the crosshair and zoom and shift the window."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from flowtui.store.metrics.source import Window as StepWindow
from flowtui.store.metrics.steps import Step, reach
from flowtui.store.values import LoggedPoint
from flowtui.widgets.cells import Line, Piece, note_role, wrapped
from flowtui.widgets.charts.chart import BRAILLE, DOTS_A_CELL
from flowtui.widgets.charts.curve import Curve, Look, XAxis, moved, nearest, neighbour, x_axes
from flowtui.widgets.charts.curve_lines import LABEL_CELLS, Drawn, curve_lines, drawn
from flowtui.widgets.charts.placing import window_of
from flowtui.widgets.paint import RoleStyles

WHEEL_ZOOM = 0.8
"""The factor by which one notch of the wheel narrows the window."""
PAN_SHARE = 0.5
"""By which share of the window one key shifts it."""


class CurvePane(Widget, can_focus=True):
    """Shows one metric. Posts `WindowWanted` when it needs another range of steps."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "move(1)", "Step", key_display="←→", id="curve.next",
                tooltip="To the next point"),
        Binding("left,h", "move(-1)", "Back", show=False, id="curve.previous",
                tooltip="To the previous point"),
        Binding("shift+right,L", "move(10)", "Ten on", show=False, id="curve.ten_on",
                tooltip="Ten points on"),
        Binding("shift+left,H", "move(-10)", "Ten back", show=False, id="curve.ten_back",
                tooltip="Ten points back"),
        Binding("home,g", "move_to_end(False)", "First", show=False, id="curve.first",
                tooltip="To the first point"),
        Binding("end,G", "move_to_end(True)", "Last", show=False,
                id="curve.last", tooltip="To the last point, and follow it"),
        Binding("m", "move_to_extreme(False)", "Lowest", show=False, id="curve.minimum",
                tooltip="To the minimum"),
        Binding("M", "move_to_extreme(True)", "Highest", show=False, id="curve.maximum",
                tooltip="To the maximum"),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom", key_display="+ -",
                id="curve.zoom_in", tooltip="Half as many steps, around the crosshair"),
        Binding("minus", "zoom(2.0)", "Zoom out", show=False, id="curve.zoom_out",
                tooltip="Twice as many steps"),
        Binding("full_stop,greater_than_sign", "pan(1)", "Pan on", show=False,
                id="curve.pan_right", tooltip="Show the steps further right"),
        Binding("comma,less_than_sign", "pan(-1)", "Pan back", show=False,
                id="curve.pan_left", tooltip="Show the steps further left"),
        Binding("0", "fit", "Fit", id="curve.fit",
                tooltip="The whole metric, which grows with the run"),
        Binding("o", "screen.toggle_log", "Log y", id="curve.log",
                tooltip="Logarithmic values, or linear again"),
        Binding("t", "turn_x_axis", "X axis", show=False, id="curve.x_axis",
                tooltip="Steps, as times where they are; time since the start, time of day"),
    ]  # fmt: skip

    @dataclass
    class WindowWanted(Message):
        """Sent by CurvePane when it needs another range of steps."""

        window: StepWindow
        follows: bool = False
        """Whether the window should move on with the last point."""

    @dataclass
    class Resized(Message):
        """Sent by CurvePane when its width changes, and so the columns that it needs."""

    @dataclass
    class AxisTurned(Message):
        """Sent by CurvePane when another quantity is on the horizontal axis."""

    @dataclass
    class Crossed(Message):
        """Sent by CurvePane when the crosshair moves to another point."""

        step: Step

    @dataclass
    class BeyondWanted(Message):
        """Sent by CurvePane to ask for the point `by` places from a step, outside the window."""

        step: Step
        by: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = RoleStyles(self)
        self._curve: Curve | None = None
        self._note = ""
        self._lines: list[Line] | None = None
        self._drawn: Drawn | None = None
        """The canvas, which takes too long to draw it at each step of the crosshair."""
        self._wanted_step: Step | None = None
        """The step where the crosshair was put, kept for metrics that have no point there too."""
        self._crossed_step: Step | None = None
        """The step of the crosshair for which the curves' points are known."""
        self._beyond: tuple[Step, int] | None = None
        """The last point asked for outside the window, as a step and a number of places from it."""
        self._marker = BRAILLE
        self._look = Look()
        self._x_axis: XAxis | None = None
        """The horizontal axis that the person chose; None for the default."""
        self._drag_from: int | None = None

    def show_curve(self, curve: Curve) -> None:
        """Show a metric, drawn as before and with the crosshair at the same step.

        A crosshair at the last point moves on with a metric that grows or whose window follows.
        """
        known, held = self._curve, self.crosshair
        # Points that were written during the read may lie right of the window.
        kept = [] if known is None else known.points
        was_last = held is not None and bool(kept) and held.step >= kept[-1].step
        is_same = known is not None and known.series.key == curve.series.key
        self._beyond = self._beyond if is_same else None
        moves_on = is_same and was_last and (curve.series.is_whole or curve.follows)
        step = None if moves_on else self._wanted_step
        axes = x_axes(curve.all_series, of_runs=curve.is_of_runs)
        x_axis = self._x_axis if self._x_axis in axes else axes[0]
        self._curve = replace(curve, look=self._look, x_axis=x_axis, marker=self._marker)
        point = neighbour(self._curve.points, step, 0)
        if is_same and not moves_on and held is not None and known is not None:
            if known.guide_name != self._curve.guide_name:
                # Another run reaches furthest now; the crosshair stays at its place on the axis.
                x = known.x(held) if known.x_axis is x_axis else None
                point = point if x is None else nearest(self._curve, x)
            elif held.step == step:
                # The target of a jump need not be among the points that the columns keep.
                point = held
        self._curve = replace(self._curve, crosshair=point)
        self._repaint()
        if point is not None:
            self._wanted_step = point.step if step is None else step
            self.post_message(self.Crossed(self._wanted_step))

    def show_note(self, text: str) -> None:
        """Show why there is no curve."""
        self._curve, self._note = None, text
        self._repaint()

    def show_crossed(self, step: Step, found: Mapping[str, LoggedPoint | str]) -> None:
        """Show the points of the curves at the step of the crosshair, by the curve's name.

        A curve that cannot be read there has the reason in place of a point.
        """
        if self._curve is None or step != self._wanted_step:
            return
        self._crossed_step = step
        curve = self._curve.crossed(found)
        if curve != self._curve:
            self._curve = curve
            self._repaint_crosshair()

    def cross(self, point: LoggedPoint) -> None:
        """Put the crosshair on any point of the metric, even one that the columns do not keep."""
        if self._curve is None:
            return
        self._curve = replace(self._curve, crosshair=point)
        self._wanted_step, self._beyond = point.step, None
        self._repaint_crosshair()
        self.post_message(self.Crossed(point.step))
        start, end = self._shown_window()
        if not start <= point.step <= end:
            half = self._half((start, end))
            if not point.step - half < point.step + half:
                # Floats far from zero are further apart than a step.
                half = 2 * math.ulp(float(point.step))
            self._want_around(point.step, half)

    def show_beyond(self, step: Step, by: int, point: LoggedPoint | None) -> None:
        """Show the point that is `by` places from a step; None if the metric has no points."""
        if self._beyond == (step, by):
            self._beyond = None
            self._cross_kept(point)

    @property
    def marker(self) -> str:
        """BRAILLE or BLOCKS."""
        return self._marker

    @property
    def curve(self) -> Curve | None:
        return self._curve

    @property
    def crosshair(self) -> LoggedPoint | None:
        return None if self._curve is None else self._curve.crosshair

    @property
    def columns(self) -> int:
        """The greatest number of columns of dots of the canvas; 0 before it has a size."""
        return max(DOTS_A_CELL * (self.size.width - LABEL_CELLS - 1), 0)

    # Drawing ---------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._curve is None:
            notes = ["", *wrapped(self._note, max(width - 2, 10))]
            line = [Piece(f" {notes[y]}", note_role(self._note))] if y < len(notes) else []
            return self._palette.strip(line, width)
        if self._lines is None:
            self._drawn = self._drawn or drawn(self._curve, width, self.size.height)
            self._lines = curve_lines(self._curve, width, self.size.height, self._drawn)
        return self._palette.strip(self._lines[y] if y < len(self._lines) else [], width)

    def notify_style_update(self) -> None:
        self._palette.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        self._repaint()
        self.post_message(self.Resized())

    def _repaint(self) -> None:
        self._drawn = None
        self._repaint_crosshair()

    def _repaint_crosshair(self) -> None:
        self._lines = None
        self.refresh()

    # Moving ----------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        if self._curve is None:
            return
        series, held = self._curve.series, self.crosshair
        if self._beyond is not None:
            # Keys come faster than a slow disk answers, so they add to the last request.
            step, so_far = self._beyond
            self._want_beyond(step, so_far + by)
        elif series.is_whole or (held is not None and self._has_read(held.step)):
            at = None if held is None else held.step
            point, rest = moved(self._curve.points, at, by, held)
            self._cross_kept(point)
            if point is not None and rest and not series.is_whole:
                self._want_beyond(point.step, rest)
        else:
            # The window lies between sparse points and has none, or is still being read.
            start, end = self._shown_window()
            edge = end if by > 0 else start
            self._want_beyond(edge if held is None else held.step, by)

    def _has_read(self, step: Step) -> bool:
        assert self._curve is not None
        start, end = self._curve.window
        return start <= step <= reach(end)

    def _want_beyond(self, step: Step, by: int) -> None:
        self._beyond = (step, by) if by else None
        if by:
            self.post_message(self.BeyondWanted(step, by))

    def _cross_kept(self, point: LoggedPoint | None) -> None:
        if point is not None:
            self.cross(point)

    def action_move_to_end(self, last: bool) -> None:
        if self._curve is None:
            return
        first_point, last_point = self._curve.ends
        if self._curve.series.is_whole or not self._curve.points:
            self._cross_kept(last_point if last else first_point)
        elif last:
            self.cross(last_point)
            start, end = self._curve.window
            self._want((last_point.step - (end - start), last_point.step), follows=True)
        else:
            self.cross(self._curve.points[0])

    def action_move_to_extreme(self, highest: bool) -> None:
        if self._curve is not None:
            self._cross_kept(self._curve.extremes[highest])

    def action_zoom(self, factor: float) -> None:
        if self._curve is not None:
            window = self._shown_window()
            # A window between sparse points may have none, and so no crosshair.
            held = self.crosshair
            center = self._center(window) if held is None else held.step
            self._want_around(center, self._half(window, factor))

    def action_pan(self, direction: int) -> None:
        if self._curve is not None:
            window = self._shown_window()
            by = self._half(window, 2 * PAN_SHARE) * direction
            self._want_around(self._center(window) + by, self._half(window))

    def _is_whole(self, window: tuple[Step, Step]) -> bool:
        """Say whether windows should begin and end with whole steps."""
        assert self._curve is not None
        has_fractions = any(one.has_fractions for one in self._curve.walked)
        return not has_fractions and all(isinstance(step, int) for step in window)

    def _half(self, window: tuple[Step, Step], factor: float = 1.0) -> Step:
        """Return half the width of a window times a factor; at least 1 for whole steps."""
        start, end = window
        if not self._is_whole(window):
            return (end / 2 - start / 2) * factor
        half = (end - start) // 2 if factor == 1 else int((end - start) * factor / 2)
        return max(half, 1)

    def _center(self, window: tuple[Step, Step]) -> Step:
        start, end = window
        if self._is_whole(window):
            return int(start + end) // 2
        return start / 2 + end / 2

    def _shown_window(self) -> tuple[Step, Step]:
        """Return the window that is being read, else the one in sight."""
        assert self._curve is not None
        return self._curve.view or self._curve.window

    def _want_around(self, center: Step, half: Step) -> None:
        self._want_window(center - half, center + half)

    def _want_window(self, start: Step, end: Step) -> None:
        """Ask for a window, shifted into the metric's range; for the whole metric if it has all."""
        assert self._curve is not None
        first, last = (point.step for point in self._curve.ends)
        if end - start >= last - first:
            self._want(None)
            return
        shift = max(first - start, 0) - max(end - last, 0)
        start, end = start + shift, end + shift
        if start < end:
            self._want((start, end))

    def _want(self, window: StepWindow, follows: bool = False) -> None:
        """Ask for a window, and meanwhile show what is known of it."""
        self.post_message(self.WindowWanted(window, follows))
        if self._curve is not None:
            first, last = self._curve.ends
            view = window or (first.step, last.step)
            if view != self._curve.window:
                self._redraw(replace(self._curve, view=view))

    def action_fit(self) -> None:
        self._want(None)

    # Looks -----------------------------------------------------------------------------------

    def _redraw(self, curve: Curve) -> None:
        self._curve = curve
        self._repaint()

    def action_turn_x_axis(self) -> None:
        if self._curve is not None:
            axes = x_axes(self._curve.all_series, of_runs=self._curve.is_of_runs)
            turned = axes[(axes.index(self._curve.x_axis) + 1) % len(axes)]
            self._x_axis = None if turned is axes[0] else turned
            curve = replace(self._curve, x_axis=turned)
            if curve.guide_name not in ("", self._curve.guide_name):
                # The crosshair may be on a point of a run that it does not go along now.
                curve = replace(curve, crosshair=self._guided(curve))
                if curve.crosshair is not None:
                    self._wanted_step = curve.crosshair.step
            self._redraw(curve)
            self.post_message(self.AxisTurned())
            if self.crosshair is not None and self._wanted_step is not None:
                self.post_message(self.Crossed(self._wanted_step))

    def _guided(self, curve: Curve) -> LoggedPoint | None:
        """Return where the run that the crosshair is to go along has it, as the legend says."""
        of, guide = curve.guiding, curve.guide
        at = (
            None if guide is None or self._crossed_step != self._wanted_step else guide.at_crosshair
        )
        if at is not None and of.start <= at.step <= reach(of.end):
            return at
        return neighbour(curve.points, self._wanted_step, 0)

    def use_x_axis(self, x_axis: XAxis | None) -> None:
        """Draw the next curves over this axis where they have it; None for their default."""
        self._x_axis = x_axis

    def use_look(self, look: Look) -> None:
        """Place the values of this curve and the next ones in another way."""
        self._look = look
        if self._curve is not None:
            self._redraw(replace(self._curve, look=look))

    def use_marker(self, marker: str) -> None:
        """Draw with BRAILLE or with BLOCKS."""
        self._marker = marker
        if self._curve is not None:
            self._redraw(replace(self._curve, marker=marker))

    # Mouse -----------------------------------------------------------------------------------

    @property
    def _margin(self) -> int:
        return LABEL_CELLS if self._drawn is None else self._drawn.margin

    def _point_at(self, cell: int) -> LoggedPoint | None:
        if self._curve is None:
            return None
        window = window_of(self._curve)
        share = (cell - self._margin - 0.5) / max(self.size.width - self._margin - 1, 1)
        share = min(max(share, 0.0), 1.0)
        return nearest(self._curve, window.left + share * (window.right - window.left))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.x > self._margin:
            self._drag_from = event.x
            self.capture_mouse()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Zoom into the range that was dragged over; after a click, put the crosshair there."""
        start, self._drag_from = self._drag_from, None
        self.release_mouse()
        if start is None:
            return
        ends = [point for x in sorted((start, event.x)) if (point := self._point_at(x))]
        if not ends:
            return
        if abs(event.x - start) <= 1:
            self.cross(ends[-1])
        elif ends[0].step != ends[-1].step:
            steps = sorted(point.step for point in ends)
            self._want_window(steps[0], steps[1])

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, WHEEL_ZOOM, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1 / WHEEL_ZOOM, 1)

    def _wheel(self, event: events.MouseEvent, factor: float, direction: int) -> None:
        """Zoom around the pointer; with shift, pan."""
        event.stop()
        point = self._point_at(event.x)
        if self._curve is None or point is None:
            return
        if event.shift:
            self.action_pan(direction)
            return
        window = start, end = self._shown_window()
        left, right = (point.step - start) * factor, (end - point.step) * factor
        if self._is_whole(window):
            left, right = int(left), max(int(right), 1)
        self._want_window(point.step - left, point.step + right)
