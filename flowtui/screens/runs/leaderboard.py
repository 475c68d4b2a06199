"""The table of the list of runs: its columns, its rows, and the best of its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from textual import on, work

from flowtui import clock
from flowtui.screens.base import StoreScreen
from flowtui.screens.compare.chosen_directions import ask_direction
from flowtui.screens.dialogs.choose import Choice, ColumnsScreen
from flowtui.screens.exporting import Exports
from flowtui.screens.record_list import RecordList
from flowtui.screens.runs import columns as run_columns
from flowtui.screens.runs.column_plan import CURVE, METRIC, ColumnPlan
from flowtui.screens.runs.columns import Bests, ListedFigures
from flowtui.screens.runs.reading import ListedRuns, ReadBests, ReadRuns, RunsQuery, read_bests
from flowtui.store import runs as run_rows
from flowtui.store.compare.directions import Direction
from flowtui.store.leaderboard import named_columns
from flowtui.store.liveness.standing import Signs
from flowtui.store.runs import BEST, SORTABLE, RunOrder
from flowtui.store.store import Store
from flowtui.store.values import Run
from flowtui.widgets.lists.group_list import GroupList
from flowtui.widgets.lists.virtual_table import Column, VirtualTable

WIDE_FROM = 150
"""From how many cells on the groups have room for the best and the mean of a metric."""


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run whose row is cached, as it was last read."""

    run: Run
    signs: Signs | None
    shown: ListedFigures = field(default_factory=ListedFigures)


class Leaderboard(RecordList[RunsQuery, KnownRun], Exports, StoreScreen):
    """The screen of the list of runs as far as it is about the columns of its table."""

    rows_id = "runs"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.selected = RunsQuery()
        self.known: dict[int, KnownRun] = {}
        self._listed: ListedRuns | None = None
        self._plan = ColumnPlan(str(store.directory))
        self._bests = Bests()

    # Reading ---------------------------------------------------------------------------------

    @on(VirtualTable.RowsNeeded)
    def read_rows(self, event: VirtualTable.RowsNeeded) -> None:
        question = partial(self._read_runs, event.keys, self.rows.columns)
        self.ask_each(question, self._show_rows, self._fail, group="rows", replaces=False)

    def _read_runs(self, rowids: Sequence[int], columns: Sequence[Column]) -> Iterator[ReadRuns]:
        found = self.store.ask(run_rows.at, rowids)
        needs_figures = run_columns.needs_figures(columns)
        ids = [run.id for run in found.values()] if needs_figures else []
        figures = self.store.list.figures(ids) if ids else {}
        yield ReadRuns(found, figures, self._signs(found, may_ask=False))
        active = {rowid: run for rowid, run in found.items() if run.is_active}
        if active:
            # A child process is asked which runs are open, and so this answer takes longer.
            yield self.live(active, needs_figures)
        metrics = run_columns.summarized(column.key for column in columns)
        for rowid, run in found.items() if metrics else ():
            summaries = self.store.list.bests.summaries(run.id, metrics)
            yield ReadRuns({rowid: run}, {}, {}, {run.id: summaries})

    def _signs(self, runs: dict[int, Run], may_ask: bool = True) -> dict[str, Signs]:
        return self.store.signs(runs.values(), clock.now(), may_ask)

    def live(
        self, active: dict[int, Run], with_figures: bool, metrics: Sequence[str] = ()
    ) -> ReadRuns:
        ids = [run.id for run in active.values()] if with_figures else []
        bests = self.store.list.bests
        summaries = {run.id: bests.summaries(run.id, metrics) for run in active.values() if metrics}
        figures = self.store.list.live_figures(ids)
        return ReadRuns(active, figures, self._signs(active), summaries)

    # Showing ---------------------------------------------------------------------------------

    def show_columns(self) -> None:
        """Show the columns that were chosen or that matter, and look for the best of them."""
        if (listed := self._listed) is None:
            return
        order = self.selected.order
        usual = named_columns(
            self.flow.options.columns, listed.param_keys, listed.metric_keys, run_columns.FIELDS
        )
        keys = self._plan.keys(listed.telling, order, len(listed.groups) > 1, usual)
        shapes = {f"param.{key}": shape for key, shape in listed.telling.shapes.items()}
        self.rows.set_columns(
            run_columns.column(key, key == order.column, shapes.get(key)) for key in keys
        )
        self.rows.sorted_by = (order.column, order.descending)
        names = {key.partition(".")[2] for key in keys if key.startswith((METRIC, BEST))}
        better = {key: way for key in names if (way := self._plan.better(key)) is not None}
        known = self._bests.values if listed.wanted == self.selected else {}
        self._bests = Bests(better, {key: known[key] for key in keys if key in known})
        question = partial(read_bests, self.store, listed, keys, better, self.has_room_for_sums)
        self.ask(question, self._show_bests, self._fail, group="bests")

    @property
    def has_room_for_sums(self) -> bool:
        """Whether the groups have room for the best and the mean of a metric."""
        return self.size.width >= WIDE_FROM

    def _show_bests(self, read: ReadBests) -> None:
        if self._listed is None or read.wanted != self._listed.wanted:
            return
        self._bests = read.bests
        is_filtered = read.wanted.condition is not None
        better = read.bests.better.get(read.metric)
        self.query_one(GroupList).show_sums(read.groups, is_filtered, read.metric, better)
        self.fill(self.known)

    def _show_rows(self, read: ReadRuns) -> None:
        self.show_records({rowid: self._known_run(rowid, read) for rowid in read.runs})

    def _known_run(self, rowid: int, read: ReadRuns) -> KnownRun:
        """Return a run as it was read, with what an earlier answer knew of it."""
        run = read.runs[rowid]
        before = self.known.get(rowid)
        shown = ListedFigures() if before is None else before.shown
        if run.id in read.figures:
            shown = replace(shown, figures=read.figures[run.id])
        if run.id in read.summaries:
            summaries = read.summaries[run.id]
            shown = replace(shown, summaries=summaries, is_broken=summaries is None)
        signs = read.signs.get(run.id, None if before is None else before.signs)
        return KnownRun(run, signs, shown)

    # Actions ---------------------------------------------------------------------------------

    @work
    async def action_sort(self) -> None:
        shown = [column.key for column in self.rows.columns]
        bests = [key for key in shown if key.startswith(BEST)]
        keys = [*SORTABLE, *bests, *self.figure_columns()]
        choices = [
            Choice(key, run_columns.title(key) if key in bests else _bare(key)) for key in keys
        ]
        await self.sort(choices, self._starts_descending)

    def with_order(self, column: str, descending: bool) -> RunsQuery:
        better = self._plan.better(_bare(column)) if column.startswith(BEST) else None
        return replace(self.selected, order=RunOrder(column, descending, better))

    def _starts_descending(self, column: str) -> bool:
        """Return whether a column is first sorted in descending order."""
        if column.startswith(BEST):
            return self._plan.better(_bare(column)) is Direction.HIGHER
        return column in ("created", "duration") or column.startswith(METRIC)

    @work
    async def action_best(self) -> None:
        shown = [column.key for column in self.rows.columns]
        order = self.selected.order
        metric = _bare(order.column) if order.column.startswith((METRIC, BEST)) else None
        if metric is not None and self._plan.better(metric) is None:
            with self.failures_told():
                await ask_direction(self.flow, metric)
        asked = [metric] if metric is not None else _metrics(shown)
        if not any(self._plan.better(one) for one in asked):
            text = "Of none of these metrics it is known in which direction they are better."
            self.notify(text, title="No best values", severity="warning", timeout=3)
            return
        self._plan.switch(shown, metric)
        if metric is not None:
            column = self._plan.of_metric(metric)
            self.select(self.with_order(column, order.descending))
        self.show_columns()

    @work
    async def action_columns(self) -> None:
        shown = [column.key for column in self.rows.columns]
        fixed = [column.key for column in run_columns.FIXED]
        figures = self.figure_columns()
        curves = [f"{CURVE}{_bare(key)}" for key in figures if key.startswith(METRIC)]
        # A metric whose best value is a column needs no second one.
        known = {*shown, *map(self._plan.as_last, shown)}
        others = [key for key in (*fixed, *figures, *curves) if key not in known]
        choices = [
            Choice(key, run_columns.column(key).title.strip(), key.partition(".")[0][:6])
            if "." in key
            else Choice(key, run_columns.column(key).title.strip())
            for key in (*shown, *others)
        ]
        screen = ColumnsScreen("Columns", choices, shown)
        chosen = await self.app.push_screen_wait(screen)
        if chosen or screen.is_reset:
            self._plan.choose(chosen or ())
            self.show_columns()

    @work
    async def action_export(self) -> None:
        from flowtui.reports.saving import file_stem
        from flowtui.screens.runs.saving import FORMATS, save

        if self._listed is None:
            return
        wanted, keys = self.selected, [column.key for column in self.rows.columns]
        group = "" if wanted.group is None else wanted.group.name
        stem = file_stem(group or "runs", "list")
        condition = wanted.whole_condition
        better = self._bests.better
        await self.export(
            stem, FORMATS, partial(save, self.store, condition, wanted.order, keys, better)
        )

    def figure_columns(self) -> list[str]:
        if self._listed is None:
            return []
        return [f"metric.{key}" for key in self._listed.metric_keys] + [
            f"param.{key}" for key in self._listed.param_keys
        ]


def _bare(key: str) -> str:
    """Return the name of the metric or parameter of a column, or the key of another column."""
    return key.partition(".")[2] or key


def _metrics(columns: Sequence[str]) -> list[str]:
    return [_bare(key) for key in columns if key.startswith((METRIC, BEST))]
