"""Metrics of a comparison: a small chart a metric, with a curve a run, and one metric in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.compare.base import CompareScreen, CompareState
from flowtui.screens.compare.curve_plan import CurvePlan, planned, unreadable
from flowtui.screens.compare.runs_zoom import RunsZoom
from flowtui.screens.exporting import Exports
from flowtui.screens.metrics.charts import GRID_ACTIONS, ChartsScreen
from flowtui.screens.metrics.reading import Zoom, Zoomed, zoomed
from flowtui.store.compare.parameters import Parameters, whole_params
from flowtui.store.compare.run_set import ComparedRun
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.values import Kind, LoggedPoint
from flowtui.widgets.charts.curve import LostCurve, XAxis
from flowtui.widgets.charts.curve_pane import CurvePane
from flowtui.widgets.charts.grid import HELD_CARDS, ChartGrid
from flowtui.widgets.charts.run_card import RunCurves, run_curve
from flowtui.widgets.compare import letter_role
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.paint import CURVE_CLASSES

AXES = (XAxis.STEP, XAxis.ELAPSED, XAxis.SHARE, XAxis.CLOCK)
"""The horizontal axes of the grid, in the order in which a key turns them."""
NONE_LOGGED = "None of the runs has logged a metric."

LastPoints = Mapping[str, LoggedPoint | None]


@dataclass(frozen=True, slots=True)
class FoundRun:
    """What was read of one run besides its curves."""

    points: LastPoints
    """The last point of every metric."""
    params: Parameters


class CompareMetrics(Exports, ChartsScreen, CompareScreen):
    """The second tab of a comparison: every metric of the runs, over each other."""

    CSS_PATH = "metrics.tcss"
    tab = "metrics"
    reads = frozenset({Kind.RUN, Kind.METRICS, Kind.PARAMS})
    none_logged = NONE_LOGGED
    COMPONENT_CLASSES = CURVE_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", show=False, id="metrics.sort",
                tooltip="Sort by name, or by last change"),
        Binding("p", "pin", "Pin", show=False, id="metrics.pin",
                tooltip="Keep the metric at the top, or release it"),
        Binding("v", "choose_runs", "Runs", id="compare.runs",
                tooltip="Switch the curves of single runs off and on"),
        Binding("i", "difference", "Difference", id="compare.difference",
                tooltip="Draw each run less the baseline A, or as it is again"),
        Binding("S", "fold_repeats", "Fold repeats", id="compare.fold_repeats",
                tooltip="Runs that are equal but for one parameter, a seed, as mean and band"),
        Binding("P", "name_by_params", "Parameters", show=False, id="compare.by_params",
                tooltip="Call runs by the parameters in which they differ, or by their names"),
        Binding("t", "turn_x_axis", "X axis", show=False, id="compare.x_axis",
                tooltip="Steps, time since each run's start, share of the run, time of day"),
        Binding("x", "export", "Export", show=False, id="compare.export_curves",
                tooltip="Save the values as CSV or JSON lines, the chart as SVG or text"),
    ]  # fmt: skip

    def __init__(self, state: CompareState) -> None:
        super().__init__(state)
        self._plan = CurvePlan(hidden=frozenset(state.hidden))
        self._found: dict[str, FoundRun | StoreError] = {}
        self._read_charts: dict[str, Zoomed] = {}
        """What the small charts show, by metric."""
        self._x_axis = XAxis.STEP

    def compose_tab(self) -> Iterable[Widget]:
        yield ChartGrid(of_runs=True, id="grid")
        yield RunsZoom(self.store, self.runs.baseline.run, id="zoom")
        yield FilterLine("part of a name, or a /regular expression/", id="names")

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        stale = self.take_stale()
        is_whole = False
        try:
            answers = self.runs.asked(partial(_found, stale, dict(self._found)))
            found = {of.letter: one for of, one in zip(self.runs.runs, answers, strict=True)}
            plan = self._planned(found)
            yield partial(self._show_found, found, plan)
            yield from self.read_charts(_merged(found), partial(self._read_chart, plan))
            is_whole = True
        finally:
            if not is_whole:
                # Whoever comes back later must have them read.
                self.stale |= stale

    def _planned(self, found: Mapping[str, FoundRun | StoreError]) -> CurvePlan:
        runs = [
            (of.letter, of.run, frozenset(one.points), one.params)
            for of in self.runs.runs
            if isinstance(one := found[of.letter], FoundRun)
        ]
        unread = tuple(
            LostCurve(of.letter, letter_role(of.letter), of.run.name, str(why))
            for of in self.runs.runs
            if isinstance(why := found[of.letter], StoreError)
        )
        return replace(self._plan, runs=planned(runs), unread=unread)

    def _read_chart(self, plan: CurvePlan, key: str, columns: int) -> Callable[[], object] | None:
        known = self._read_charts.get(key)
        request = Zoom(key, of=plan)
        try:
            found = zoomed(plan.curved(key), request, 0, columns, known, of_runs=True)
        except ReadCancelled:
            raise
        except StoreError as error:
            return partial(self._show_chart, key, plan, None, f"✗ {fmt.plain(str(error), 300)}")
        return partial(self._show_chart, key, plan, found)

    # Showing ---------------------------------------------------------------------------------

    def _show_found(self, found: dict[str, FoundRun | StoreError], plan: CurvePlan) -> None:
        self._found = found
        # Meanwhile the person may have chosen otherwise; what was read of the runs stays.
        self._take_plan(replace(self._plan, runs=plan.runs, unread=plan.unread))
        failed = [str(one) for one in found.values() if isinstance(one, StoreError)]
        if len(failed) == len(found):
            self.show_failure(failed[0])
            return
        self.none_logged = NONE_LOGGED
        if failed:
            self.none_logged = (
                f"None of the runs that can be read has logged a metric: ✗ {failed[0]}"
            )
        points = _merged(found)
        self.show_points(points)
        self._tell()

    def _show_chart(
        self, key: str, plan: CurvePlan, found: Zoomed | None, failure: str = ""
    ) -> None:
        if plan != self._plan:
            # It is read again as it is wanted now.
            return
        if found is None:
            self._read_charts.pop(key, None)
            lost = plan.lost()
            why = failure or plan.why_none(key)
            shown = RunCurves((), plan.note(key, lost), why, lost)
        else:
            self._read_charts[key] = found
            if len(self._read_charts) > HELD_CARDS:
                # What is out of sight is read again when it comes back.
                in_sight = {one: self._read_charts.get(one) for one in self._in_sight}
                self._read_charts = {one: held for one, held in in_sight.items() if held}
            lost = plan.lost(found)
            shown = RunCurves(plan.overlays(found), plan.note(key, lost), lost=lost)
        self.grid.show_curves(key, shown)

    def _take_plan(self, plan: CurvePlan) -> bool:
        """Draw what a plan says, and return whether that is something else than before."""
        is_other = plan != self._plan
        self._plan = plan
        is_growing = any(run.run.row.is_active for run in plan.runs)
        self.query_one(RunsZoom).take_plan(plan, is_growing)
        self.grid.use_growth(is_growing)
        return is_other

    def _change(self, plan: CurvePlan) -> None:
        if plan.computed != self._plan.computed:
            # No curve may be taken for what it is not, however long the others take.
            self._read_charts.clear()
            self.grid.drop_curves()
        if self._take_plan(plan):
            self._tell()
            self.want({Kind.METRICS})

    def _tell(self) -> None:
        """Say beside the tab's name how many metrics there are, and what is drawn of them.

        There may be more in runs that cannot be read.
        """
        plan = self._plan
        words = [f"{len(self._points):,}", *unreadable(plan.unread)]
        words += [plan.subtracted] if plan.is_difference else []
        words += ["folded"] if plan.is_folded else []
        self.tell_count(" · ".join(words), words[0])

    # What is drawn ---------------------------------------------------------------------------

    @on(RunsZoom.RunsWanted)
    @work
    async def action_choose_runs(self) -> None:
        from flowtui.screens.dialogs.choose import Choice, ColumnsScreen

        choices = [
            Choice(of.letter, f"{of.letter}  {of.run.name}", _problem(self._found.get(of.letter)))
            for of in self.runs.runs
        ]
        shown = [key for of in self.runs.runs if (key := of.letter) not in self.state.hidden]
        chosen = await self.app.push_screen_wait(ColumnsScreen("Runs", choices, shown))
        if chosen is not None:
            self.state.hidden = {of.letter for of in self.runs.runs} - set(chosen)
            self.show_state()
            self._change(replace(self._plan, hidden=frozenset(self.state.hidden)))

    def on_screen_resume(self) -> None:
        # The base resumes as well: Textual calls the handlers of both.
        if self.is_composed:
            self._change(replace(self._plan, hidden=frozenset(self.state.hidden)))

    def action_difference(self) -> None:
        self._change(replace(self._plan, is_difference=not self._plan.is_difference))

    def action_fold_repeats(self) -> None:
        plan = replace(self._plan, is_folded=not self._plan.is_folded)
        if plan.is_folded and not plan.has_repeats:
            self.notify(
                "No two of the runs in sight have parameters that are equal but for one.",
                title="Nothing to fold",
            )
        else:
            self._change(plan)

    def action_name_by_params(self) -> None:
        plan = replace(self._plan, by_params=not self._plan.by_params)
        self._change(plan)
        if plan.by_params and not any("=" in name for name in plan.names):
            self.notify("The runs in sight differ in no parameter.", timeout=2)

    def action_turn_x_axis(self) -> None:
        self._x_axis = AXES[(AXES.index(self._x_axis) + 1) % len(AXES)]
        self.grid.use_x_axis(self._x_axis)
        self.query_one(CurvePane).use_x_axis(self._x_axis)
        self.notify(f"The horizontal axis is: {self._x_axis}.", timeout=2)

    @work
    async def action_export(self) -> None:
        from flowtui.reports.saving import file_stem
        from flowtui.screens.compare.curve_export import FORMATS, save

        key = self.grid.key
        shown = None if key is None else self._read_charts.get(key)
        if key is None or shown is None:
            self.notify("There is no curve under the cursor.", title="Nothing to export")
            return
        curve = run_curve(self._plan.overlays(shown), self._marker, self._x_axis, self._look)
        lost = self._plan.lost(shown)
        curve = replace(curve, heading=self._plan.heading(shown), lost=lost)
        stem = file_stem("compare", key)
        await self.export(stem, FORMATS, partial(save, self._plan, shown, curve))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in GRID_ACTIONS and self._was_read and not self._points:
            return False
        return super().check_action(action, parameters)


def _found(
    stale: frozenset[str], known: Mapping[str, FoundRun | StoreError], of: ComparedRun
) -> FoundRun:
    """Return what a run has, read again if it has changed."""
    before = known.get(of.letter)
    if isinstance(before, FoundRun) and of.letter not in stale:
        return before
    return FoundRun(of.run.metrics.last_points(), of.run.ask(whole_params))


def _merged(found: Mapping[str, FoundRun | StoreError]) -> dict[str, LoggedPoint | None]:
    """Return for each metric the last point that any of the runs has."""
    merged: dict[str, LoggedPoint | None] = {}
    for one in found.values():
        for key, point in one.points.items() if isinstance(one, FoundRun) else ():
            held = merged.get(key)
            if held is None or (point is not None and point.step > held.step):
                merged[key] = point
    return merged


def _problem(found: FoundRun | StoreError | None) -> str:
    return str(found) if isinstance(found, StoreError) else ""
