"""One metric of several runs in full."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, cast

from textual import work
from textual.message import Message

from flowtui import format as fmt
from flowtui.screens.compare.curve_plan import CurvePlan
from flowtui.screens.metrics.reading import Crossing, Curved, ReadCurve, Zoom, Zoomed
from flowtui.screens.metrics.zoom import MetricZoom
from flowtui.store.metrics.steps import Step
from flowtui.store.values import LoggedPoint
from flowtui.widgets.charts.curve import BY_STEP, Curve, Overlay
from flowtui.widgets.charts.run_card import run_curve


class RunsZoom(MetricZoom):
    """Shows one metric of several runs; the screen says which, by `take_plan`."""

    of_runs: ClassVar[bool] = True

    class RunsWanted(Message):
        """Sent by RunsZoom when the person wants to choose which runs are drawn."""

    def take_plan(self, plan: CurvePlan, is_growing: bool) -> None:
        """Draw what a plan says; `is_growing` says whether one of its runs is active."""
        self._is_growing = is_growing
        if self.of != plan:
            before, self.of = self.of, plan
            if self._zoom is not None:
                if before is not None and _plan(before).computed != plan.computed:
                    # What is drawn is not what the screen says any more.
                    self._zoomed = None
                    self._pane.show_note("reading…")
                self._want(replace(self._zoom, of=plan))

    @property
    def is_growing(self) -> bool:
        return self._is_growing

    _is_growing = False

    def curved(self, zoom: Zoom) -> Sequence[Curved]:
        return _plan(zoom.of).curved(zoom.key)

    def curve_of(self, found: Zoomed) -> Curve:
        plan = _plan(found.zoom.of)
        curve = run_curve(plan.overlays(found), self._pane.marker, None)
        weight, heading = found.zoom.weight, plan.heading(found)
        return replace(
            curve,
            heading=f"{heading} · ema {weight:g}" if weight else heading,
            lost=plan.lost(found),
        )

    def show_nothing(self, zoom: Zoom) -> None:
        if zoom == self._zoom:
            why = _plan(zoom.of).why_none(zoom.key)
            self.show_failure(f"{fmt.plain(zoom.key, 200)}: {why}")

    def crossings(self, shown: Zoomed, step: Step) -> Sequence[Crossing]:
        curve = self._pane.curve
        if curve is None:
            return []
        return [
            Crossing(one.name, one.source, at, partial(_distance, curve, one, at))
            for one in shown.curves
            if (at := curve.step_for(one.series)) is not None
        ]

    def walked(self, shown: Zoomed) -> Sequence[ReadCurve]:
        curve = self._pane.curve
        if curve is None or curve.x_axis in BY_STEP:
            return shown.curves
        return [one for one in shown.curves if one.name == curve.guide_name] or shown.curves[:1]

    @work
    async def action_overlay(self) -> None:
        self.post_message(self.RunsWanted())

    def action_copy(self) -> None:
        if lines := [f"{of.letters}\t{fmt.exact(at.value)}" for of, at in self._crossed()]:
            self._flow.copy("\n".join(lines))

    def action_copy_point(self) -> None:
        from flowtui.reports.series import json_point

        if lines := [json_point(at, of.letters) for of, at in self._crossed()]:
            self._flow.copy("\n".join(lines))

    def _crossed(self) -> list[tuple[Overlay, LoggedPoint]]:
        """Return the curves with their points at the crosshair."""
        curve = self._pane.curve
        overlays = () if curve is None else curve.overlays
        return [(of, of.at_crosshair) for of in overlays if of.at_crosshair is not None]

    @work
    async def action_export(self) -> None:
        from flowtui.reports.saving import file_stem
        from flowtui.screens.compare.curve_export import FORMATS, save

        shown, curve = self._zoomed, self._pane.curve
        if shown is not None and curve is not None:
            plan = _plan(shown.zoom.of)
            stem = file_stem("compare", shown.series.key)
            await self.export(stem, FORMATS, partial(save, plan, shown, curve))


def _plan(of: Hashable) -> CurvePlan:
    return cast("CurvePlan", of)


def _distance(curve: Curve, one: ReadCurve, step: Step, point: LoggedPoint) -> tuple[float, float]:
    """Return how far a point of a run is from the crosshair, on the axis that is shown.

    Of points that are equally far the one with the nearest step counts.
    """
    held, by_step = curve.crosshair, abs(point.step - step)
    x, at = curve.x(point, one.series), None if held is None else curve.x(held)
    if curve.x_axis in BY_STEP or x is None or at is None:
        return by_step, by_step
    return abs(x - at), by_step
