"""One metric in full: its window, smoothing, overlays, jumps and export."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from flowtui import format as fmt
from flowtui.screens.dialogs.choose import Choice, ColumnsScreen
from flowtui.screens.exporting import Exports
from flowtui.screens.metrics.reading import (
    Crossing,
    Curved,
    ReadCurve,
    Zoom,
    Zoomed,
    at_crosshair,
    jump_target,
    point_beyond,
    zoomed,
)
from flowtui.store.metrics.source import MetricSource
from flowtui.store.metrics.steps import Step
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import LoggedPoint
from flowtui.widgets.charts.card import NO_STEPS
from flowtui.widgets.charts.curve import Curve, Look, XAxis, others
from flowtui.widgets.charts.curve_pane import CurvePane
from flowtui.widgets.frame.filter_line import FilterLine

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

WEIGHTS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""The weights of the smoothing, from none to nearly a constant."""


class MetricZoom(Exports, Container):
    """Shows one metric. Posts `ReadWanted` when it needs something that was not read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Grid", key_display="Esc", id="zoom.leave",
                tooltip="Go back to the grid"),
        Binding("left_square_bracket", "step_metric(-1)", "Previous", show=False,
                id="zoom.previous", tooltip="Show the previous metric of the grid"),
        Binding("right_square_bracket", "step_metric(1)", "Next", key_display="[ ]",
                id="zoom.next", tooltip="Show the next metric of the grid"),
        Binding("w", "smooth(1)", "Smooth", id="zoom.smooth",
                tooltip="Smooth more: a moving average over the raw points"),
        Binding("W", "smooth(-1)", "Smooth less", show=False, id="zoom.smooth_less",
                tooltip="Smooth less, down to the raw points alone"),
        Binding("v", "overlay", "Overlay", id="zoom.overlay",
                tooltip="Draw other metrics over the same axes"),
        Binding("colon", "jump", "Go to", key_display=":", id="zoom.jump",
                tooltip="Go to a step, or to max, min, first, last, nan, inf"),
        Binding("x", "export", "Export", show=False, id="zoom.export",
                tooltip="Save the points as CSV or JSON, the chart as SVG or text"),
        Binding("y", "copy", "Copy", show=False, id="zoom.copy",
                tooltip="Copy the value in full"),
        Binding("Y", "copy_point", "Copy as JSON", show=False, id="zoom.copy_point",
                tooltip="Copy the point as JSON"),
    ]  # fmt: skip

    @dataclass
    class ReadWanted(Message):
        """Sent by MetricZoom when it needs something that was not read."""

    @dataclass
    class StepWanted(Message):
        """Sent by MetricZoom to ask for the metric that is `by` places later in the grid."""

        key: str
        by: int

    @dataclass
    class Left(Message):
        """Sent by MetricZoom when the person leaves it for the grid."""

        key: str

    def __init__(self, store: Store, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._store = store
        self._run = run
        self._names: Sequence[str] = ()
        """Metrics that can be drawn over the same axes."""
        self._zoom: Zoom | None = None
        self._zoomed: Zoomed | None = None
        self.of: Hashable = None
        """Which curves of several runs are shown, in a comparison."""
        self._weight = 0.0
        """The weight of the smoothing that was last in use."""

    def compose(self) -> ComposeResult:
        yield CurvePane()
        yield FilterLine("a step, or max, min, first, last, nan, inf", id="jump", label=":")

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    @property
    def is_open(self) -> bool:
        return self._zoom is not None

    @property
    def _pane(self) -> CurvePane:
        return self.query_one(CurvePane)

    # Showing ---------------------------------------------------------------------------------

    def open(self, key: str, names: Sequence[str]) -> None:
        """Show a metric, with the present overlays and smoothing.

        Args:
            key: The metric.
            names: All metrics, in the order in which they are offered as overlays.
        """
        self._names = names
        if self._zoom is None:
            self._pane.show_note("reading…")
            self._pane.focus()
        held = self._zoom or Zoom(key, weight=self._weight, of=self.of)
        kept = tuple(other for other in held.others if other != key)
        self._want(replace(held, key=key, window=None, follows=False, others=kept))

    def use_marker(self, marker: str) -> None:
        """Draw with BRAILLE or with BLOCKS."""
        self._pane.use_marker(marker)

    def use_look(self, look: Look) -> None:
        """Place the values on the vertical axis in another way."""
        self._pane.use_look(look)

    def show_failure(self, text: str) -> None:
        """Show why there is no curve."""
        self._zoomed = None
        self._pane.show_note(text)

    def _want(self, zoom: Zoom) -> None:
        self._zoom = zoom
        self.post_message(self.ReadWanted())

    def read(self, points: Mapping[str, LoggedPoint | None]) -> Iterator[Callable[[], object]]:
        """Read the present zoom in a thread, and yield the function that shows it.

        Args:
            points: The last point of every metric, as just read; None for one without steps.

        Raises:
            DatabaseError: The run's database cannot be read.
        """
        zoom, columns, known = self._zoom, self._pane.columns, self._zoomed
        if zoom is None or zoom.key not in points or not columns:
            return
        last = points[zoom.key]
        if last is None:
            yield partial(self._show_none, zoom.key)
            return
        curved = self.curved(zoom)
        found = zoomed(curved, zoom, last.step, columns, known, of_runs=self.of_runs)
        if found is None:
            yield partial(self.show_nothing, zoom)
        else:
            yield partial(self._show, replace(found, is_growing=self.is_growing))

    of_runs: ClassVar[bool] = False
    """Whether the curves are of several runs."""

    @property
    def is_growing(self) -> bool:
        """Whether a curve may grow."""
        return self._run.row.is_active

    def curved(self, zoom: Zoom) -> Sequence[Curved]:
        """Return the curves of a request, the main one first; in a thread."""
        return [
            Curved(key, MetricSource(self._run, key), is_smoothed=key == zoom.key)
            for key in (zoom.key, *zoom.others)
        ]

    def curve_of(self, found: Zoomed) -> Curve:
        """Return what was read as it is drawn, but for what is known of its growth."""
        return Curve(
            found.series,
            smoothed=found.curves[0].smoothed,
            others=others(found.others),
        )

    def show_nothing(self, zoom: Zoom) -> None:
        """Show why a request has no curve; by default what was shown before stays."""

    def _show(self, found: Zoomed) -> None:
        if found.zoom != self._zoom or found == self._zoomed:
            return
        self._zoomed = found
        self._pane.show_curve(
            replace(
                self.curve_of(found),
                new_count=found.new_count,
                follows=found.zoom.follows and found.is_growing,
                is_growing=found.is_growing,
            )
        )

    def _show_none(self, key: str) -> None:
        if self._zoom is not None and self._zoom.key == key:
            self.show_failure(f"✗ {fmt.plain(key, 200)}: {NO_STEPS}. Esc: back")

    @on(CurvePane.WindowWanted)
    def want_window(self, event: CurvePane.WindowWanted) -> None:
        if self._zoom is not None and self._zoomed is not None:
            self._want(
                replace(
                    self._zoom,
                    window=event.window,
                    follows=event.follows,
                    seen_step=self._zoomed.last_step,
                    by_share=self._is_by_share,
                )
            )

    @property
    def _is_by_share(self) -> bool:
        """Whether the axis shows which part of its run a point is."""
        return self._pane.curve is not None and self._pane.curve.x_axis is XAxis.SHARE

    @on(CurvePane.Resized)
    def want_columns(self) -> None:
        if self._zoom is not None:
            self._want(self._zoom)

    @on(CurvePane.AxisTurned)
    def want_parts(self) -> None:
        """Read the same part of each curve where the axis shows parts, and else the same steps."""
        if self._zoom is not None and self._is_by_share != self._zoom.by_share:
            self._want(replace(self._zoom, by_share=self._is_by_share))

    @on(CurvePane.Crossed)
    def want_crossed(self, event: CurvePane.Crossed) -> None:
        if self._zoomed is not None:
            question = partial(at_crosshair, self.crossings(self._zoomed, event.step))
            self.ask(question, partial(self._pane.show_crossed, event.step), group="crosshair")

    def crossings(self, shown: Zoomed, step: Step) -> Sequence[Crossing]:
        """Return what is asked of each curve when the crosshair is at a step."""
        return [
            Crossing(one.name, one.source, step, is_main=one is shown.curves[0])
            for one in shown.curves
        ]

    def walked(self, shown: Zoomed) -> Sequence[ReadCurve]:
        """Return the curves that the crosshair goes along."""
        return shown.curves[:1]

    @on(CurvePane.BeyondWanted)
    def want_beyond(self, event: CurvePane.BeyondWanted) -> None:
        if self._zoomed is not None:
            key, step, by = self._zoomed.series.key, event.step, event.by
            sources = [one.source for one in self.walked(self._zoomed)]
            question = partial(point_beyond, sources, step, by)
            self.ask(question, partial(self._show_beyond, key, step, by), group="beyond")

    def _show_beyond(self, key: str, step: Step, by: int, point: LoggedPoint | None) -> None:
        if self._zoomed is not None and self._zoomed.series.key == key:
            self._pane.show_beyond(step, by, point)

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
            word = event.text.strip().lower()
            show = partial(self._show_jump, shown.series.key, event.text)
            self.ask(partial(jump_target, self.walked(shown), word, step), show, show, group="jump")

    async def _show_jump(self, key: str, text: str, target: LoggedPoint | str) -> None:
        """Go to the point that was typed, or say why there is none."""
        line = self.query_one(FilterLine)
        is_shown = self._zoom is not None and self._zoom.key == key
        # Meanwhile the line may have been cleared, or another text typed into it.
        is_typed = line.text == text
        if is_shown and is_typed and isinstance(target, str):
            line.point_at(0, fmt.plain(target))
            await line.open(line.text)
            return
        if is_typed:
            line.action_clear()
        if isinstance(target, str):
            self.notify(
                fmt.plain(target, 300), title=f"No such point in {fmt.plain(key, 100)}",
                markup=False,
            )  # fmt: skip
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
        from flowtui.screens.metrics.export import FORMATS, save

        shown, curve = self._zoomed, self._pane.curve
        if shown is not None and curve is not None:
            stem = file_stem(self._run.name, shown.series.key)
            await self.export(stem, FORMATS, partial(save, self._run, shown, curve))
