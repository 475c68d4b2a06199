"""One metric of the Metrics tab in full: its window, smoothing, overlays, jumps, export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from flowtui import format as fmt
from flowtui.screens.dialogs.choose import Choice, ColumnsScreen
from flowtui.screens.metrics.reading import (
    Zoom,
    Zoomed,
    at_crosshair,
    jump_target,
    point_beyond,
    zoomed,
)
from flowtui.screens.notices import GivesNotices, Notice, while_wanted
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.metrics.steps import Step
from flowtui.store.metrics.values import Series
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import LoggedPoint
from flowtui.widgets.charts.card import NO_STEPS
from flowtui.widgets.charts.curve import Curve, others
from flowtui.widgets.charts.curve_pane import CurvePane
from flowtui.widgets.frame.filter_line import FilterLine

if TYPE_CHECKING:
    from flowtui.screens.dialogs.export import Export

WEIGHTS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Of the smoothing, from none to nearly a constant."""


class MetricZoom(GivesNotices):
    """Shows one metric. Posts `ReadWanted` when something is to be read.

    `read` is for the reader's thread of the screen; everything else for the app's.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Grid", key_display="Esc", id="zoom.leave",
                tooltip="Back to the grid"),
        Binding("left_square_bracket", "step_metric(-1)", "Previous", show=False,
                id="zoom.previous", tooltip="The metric before in the grid"),
        Binding("right_square_bracket", "step_metric(1)", "Next", key_display="[ ]",
                id="zoom.next", tooltip="The next metric in the grid"),
        Binding("w", "smooth(1)", "Smooth", id="zoom.smooth",
                tooltip="Smooth more: a moving average over the raw points"),
        Binding("W", "smooth(-1)", "Smooth less", show=False, id="zoom.smooth_less",
                tooltip="Smooth less, down to the raw points alone"),
        Binding("v", "overlay", "Overlay", id="zoom.overlay",
                tooltip="Draw other metrics over the same axes"),
        Binding("colon", "jump", "Go to", key_display=":", id="zoom.jump",
                tooltip="To a step, or max, min, first, last, nan, inf"),
        Binding("x", "export", "Export", show=False, id="zoom.export",
                tooltip="Save the points as CSV or JSON, the chart as SVG or text"),
        Binding("y", "copy", "Copy", show=False, id="zoom.copy",
                tooltip="Copy the value in full"),
        Binding("Y", "copy_point", "Copy as JSON", show=False, id="zoom.copy_point",
                tooltip="Copy the point as JSON"),
    ]  # fmt: skip

    @dataclass
    class ReadWanted(Message):
        """Sent by MetricZoom when it is to show something that was not read."""

    @dataclass
    class StepWanted(Message):
        """Sent by MetricZoom for the metric so many places on in the grid."""

        key: str
        by: int

    @dataclass
    class Left(Message):
        """Sent by MetricZoom when the grid is to be shown again."""

        key: str

    @dataclass
    class Read(Message):
        """Sent by the reader with what was wanted."""

        zoomed: Zoomed

    @dataclass
    class NotDrawn(Message):
        """Sent by the reader for a metric that has no point to draw."""

        key: str

    @dataclass
    class CrossedRead(Message):
        """Sent with the points of the curves at the step of the crosshair."""

        step: Step
        points: dict[str, LoggedPoint]

    @dataclass
    class BeyondRead(Message):
        """Sent with the point so many places from a step; None if there is none further on."""

        key: str
        step: Step
        by: int
        point: LoggedPoint | None

    @dataclass
    class Jumped(Message):
        """Sent with the point that was asked for, or why there is none."""

        key: str
        text: str
        """As it was typed."""
        target: LoggedPoint | str

    def __init__(self, store: Store, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._store = store
        self._run = run
        self._names: Sequence[str] = ()
        """Metrics that can be drawn over the same axes."""
        self._zoom: Zoom | None = None
        self._zoomed: Zoomed | None = None
        self._weight = 0.0
        """Of the smoothing that was last in use."""

    def compose(self) -> ComposeResult:
        yield CurvePane()
        yield FilterLine("a step, or max, min, first, last, nan, inf", id="jump", label=":")

    @property
    def is_open(self) -> bool:
        return self._zoom is not None

    @property
    def _pane(self) -> CurvePane:
        return self.query_one(CurvePane)

    # Showing ---------------------------------------------------------------------------------

    def open(self, key: str, names: Sequence[str]) -> None:
        """Show a metric; what else is shown with it, and how, stays.

        Args:
            key: the metric.
            names: all metrics, in the order in which they are offered.
        """
        self._names = names
        if self._zoom is None:
            self._pane.show_note("reading…")
            self._pane.focus()
        held = self._zoom or Zoom(key, weight=self._weight)
        kept = tuple(other for other in held.others if other != key)
        self._want(replace(held, key=key, window=None, follows=False, others=kept))

    def use_marker(self, marker: str) -> None:
        """Draw with BRAILLE or with BLOCKS."""
        self._pane.use_marker(marker)

    def show_failure(self, text: str) -> None:
        """Show why there is no curve."""
        self._zoomed = None
        self._pane.show_note(text)

    def _want(self, zoom: Zoom) -> None:
        self._zoom = zoom
        self.post_message(self.ReadWanted())

    def read(self, points: Mapping[str, LoggedPoint | None]) -> None:
        """Read what is wanted, and post it; runs in a thread.

        Args:
            points: the last point of every metric, as just read, None where none has a step.

        Raises:
            DatabaseError: the run's database cannot be read.
            ReadCancelled: nobody waits any more.
        """
        zoom, columns, known = self._zoom, self._pane.columns, self._zoomed
        if zoom is None or zoom.key not in points or not columns:
            return
        last = points[zoom.key]
        if last is None:
            self.post_message(self.NotDrawn(zoom.key))
            return
        found = zoomed(self._run, zoom, last.step, columns, known)
        if found is not None:
            self.post_message(self.Read(replace(found, is_growing=self._run.row.is_active)))

    @on(Read)
    def show_read(self, message: Read) -> None:
        found = message.zoomed
        if found.zoom != self._zoom or found == self._zoomed:
            return
        self._zoomed = found
        self._pane.show_curve(
            Curve(
                found.series,
                smoothed=found.smoothed,
                others=others(found.others),
                new_count=found.new_count,
                follows=found.zoom.follows and found.is_growing,
            )
        )

    @on(NotDrawn)
    def show_none(self, message: NotDrawn) -> None:
        if self._zoom is not None and self._zoom.key == message.key:
            self.show_failure(f"✗ {fmt.plain(message.key, 200)}: {NO_STEPS}. Esc: back")

    @on(CurvePane.WindowWanted)
    def want_window(self, event: CurvePane.WindowWanted) -> None:
        if self._zoom is not None and self._zoomed is not None:
            seen = self._zoomed.series.last.step
            self._want(
                replace(self._zoom, window=event.window, follows=event.follows, seen_step=seen)
            )

    @on(CurvePane.Resized)
    def want_columns(self) -> None:
        if self._zoom is not None:
            self._want(self._zoom)

    @on(CurvePane.Crossed)
    def want_crossed(self, event: CurvePane.Crossed) -> None:
        if self._zoomed is not None:
            keys = (self._zoomed.series.key, *(one.key for one in self._zoomed.others))
            self._read_crossed(keys, event.step)

    @work(thread=True, group="crosshair", exclusive=True, exit_on_error=False)
    def _read_crossed(self, keys: tuple[str, ...], step: Step) -> None:
        self.answer(lambda: self.CrossedRead(step, at_crosshair(self._run, keys, step)))

    @on(CrossedRead)
    def show_crossed(self, message: CrossedRead) -> None:
        self._pane.show_crossed(message.step, message.points)

    @on(CurvePane.BeyondWanted)
    def want_beyond(self, event: CurvePane.BeyondWanted) -> None:
        if self._zoomed is not None:
            self._read_beyond(self._zoomed.series.key, event.step, event.by)

    @work(thread=True, group="beyond", exclusive=True, exit_on_error=False)
    def _read_beyond(self, key: str, step: Step, by: int) -> None:
        def ask() -> MetricZoom.BeyondRead:
            point = point_beyond(self._run, key, step, by)
            return self.BeyondRead(key, step, by, point)

        self.answer(ask)

    @on(BeyondRead)
    def show_beyond(self, message: BeyondRead) -> None:
        if self._zoomed is not None and self._zoomed.series.key == message.key:
            self._pane.show_beyond(message.step, message.by, message.point)

    # Actions ---------------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self._zoom is not None:
            key = self._zoom.key
            self._zoom = self._zoomed = None
            self.post_message(self.Left(key))

    def action_step_metric(self, by: int) -> None:
        if self._zoom is not None:
            self.post_message(self.StepWanted(self._zoom.key, by))

    def action_smooth(self, by: int) -> None:
        if self._zoom is not None:
            index = WEIGHTS.index(self._weight) + by
            self._weight = WEIGHTS[max(0, min(index, len(WEIGHTS) - 1))]
            self._want(replace(self._zoom, weight=self._weight))

    @work
    async def action_overlay(self) -> None:
        if self._zoom is None:
            return
        choices = [Choice(key, key) for key in self._names if key != self._zoom.key]
        chosen = await self.app.push_screen_wait(
            ColumnsScreen("Overlay", choices, list(self._zoom.others))
        )
        if chosen is not None and self._zoom is not None:
            self._want(replace(self._zoom, others=tuple(chosen)))

    async def action_jump(self) -> None:
        await self.query_one(FilterLine).open("")

    @on(FilterLine.Left)
    def leave_line(self, event: FilterLine.Left) -> None:
        event.stop()
        if not event.line.is_mistaken:
            self._pane.focus()

    @on(FilterLine.Changed)
    def take_back_mistake(self, event: FilterLine.Changed) -> None:
        event.stop()
        event.line.point_at(None)

    @on(FilterLine.Entered)
    def jump(self, event: FilterLine.Entered) -> None:
        event.stop()
        shown, crosshair = self._zoomed, self._pane.crosshair
        if not event.text.strip():
            event.line.action_clear()
        elif shown is not None:
            step = shown.series.start if crosshair is None else crosshair.step
            self._find(shown.series, event.text, step)

    @work(thread=True, group="jump", exclusive=True, exit_on_error=False)
    def _find(self, series: Series, text: str, step: Step) -> None:
        word = text.strip().lower()
        try:
            with while_wanted():
                target = jump_target(self._run, series, word, step)
        except ReadCancelled:
            return
        except StoreError as error:
            target = str(error)
        self.post_message(self.Jumped(series.key, text, target))

    @on(Jumped)
    async def show_jump(self, message: Jumped) -> None:
        line, target = self.query_one(FilterLine), message.target
        is_shown = self._zoom is not None and self._zoom.key == message.key
        # The line may have been cleared meanwhile, or something else typed into it.
        is_typed = line.text == message.text
        if is_shown and is_typed and isinstance(target, str):
            line.point_at(0, fmt.plain(target))
            await line.open(line.text)
            return
        if is_typed:
            line.action_clear()
        if isinstance(target, str):
            self.post_message(Notice(f"No such point in {message.key}", target))
        elif is_shown:
            self._pane.cross(target)

    def action_copy(self) -> None:
        if (point := self._pane.crosshair) is not None:
            self._flow.copy(fmt.exact(point.value))

    def action_copy_point(self) -> None:
        point, shown = self._pane.crosshair, self._zoomed
        if point is not None and shown is not None:
            from flowtui.reports.series import json_point

            self._flow.copy(json_point(point, shown.series.key))

    @work
    async def action_export(self) -> None:
        from flowtui.reports.saving import file_stem
        from flowtui.screens.dialogs.export import ExportScreen
        from flowtui.screens.metrics.export import FORMATS

        shown, curve = self._zoomed, self._pane.curve
        if shown is None or curve is None:
            return
        stem = file_stem(self._run.name, shown.series.key)
        chosen = await self.app.push_screen_wait(ExportScreen(Path.cwd(), stem, FORMATS))
        if chosen is not None:
            self._save(shown, curve, chosen)

    @work(thread=True, group="export", exit_on_error=False)
    def _save(self, shown: Zoomed, curve: Curve, chosen: Export) -> None:
        from flowtui.reports.saving import SaveFailed
        from flowtui.screens.metrics.export import save

        try:
            with while_wanted():
                done = save(self._run, shown, curve, chosen)
        except ReadCancelled:
            return
        except (SaveFailed, StoreError) as error:
            self.post_message(Notice("Not saved", str(error), is_bad=True))
            return
        self.post_message(Notice("Saved", done))
