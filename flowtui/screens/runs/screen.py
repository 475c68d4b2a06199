"""The list of all runs, from which a run is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Rule

from flowtui import clock, person
from flowtui import format as fmt
from flowtui.screens.base import StoreScreen
from flowtui.screens.dialogs.choose import Choice, ColumnsScreen
from flowtui.screens.record_list import RecordList
from flowtui.screens.runs import columns as run_columns
from flowtui.screens.runs.marks import RunMarks
from flowtui.screens.runs.reading import ListedRuns, ReadRuns, RunsQuery, runs_to_compare
from flowtui.store import runs as run_rows
from flowtui.store.care.values import RecordTable
from flowtui.store.compare.run_set import MOST
from flowtui.store.liveness.standing import Signs, standing
from flowtui.store.runs import SORTABLE, RunOrder
from flowtui.store.store import Store
from flowtui.store.values import Figures, Kind, Run
from flowtui.terminal.keyboard import TakesText
from flowtui.widgets.cells import Piece, justified
from flowtui.widgets.frame.empty import EmptyText
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import KeyLine, OneLine
from flowtui.widgets.lists.group_list import GroupList
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable
from flowtui.widgets.paint import CURVE_CLASSES

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

NARROW_BELOW = 110
FILTER_WORDS = ("name", "status", "duration", "tags", "group", "created_at", "errors")
NO_RUNS = """\
This store has no runs yet. A run appears here as soon as one is started:

    from luml.experiments.tracker import ExperimentTracker

    tracker = ExperimentTracker("sqlite://{store}")
    run = tracker.start_experiment(name="first")
    tracker.log_static("lr", 0.001)
    tracker.log_dynamic("loss", 0.5, step=1)
    tracker.end_experiment(run)

`flow-tui demo` shows what it looks like."""


@dataclass(frozen=True, slots=True)
class _KnownRun:
    """A run whose row is cached, as it was last read."""

    run: Run
    figures: Figures | None
    signs: Signs | None


class RunsScreen(RecordList[RunsQuery, _KnownRun], StoreScreen):
    """Lists the runs of the store, of all groups or one, and opens a run."""

    CSS_PATH = "screen.tcss"
    COMPONENT_CLASSES = CURVE_CLASSES
    rows_id = "runs"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (NARROW_BELOW, "-normal"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="runs.filter",
                tooltip="Filter by text, or an expression: accuracy >= 0.8 and lr < 1e-3"),
        Binding("s", "sort", "Sort", id="runs.sort", tooltip="Sort by a column; again: reverse"),
        Binding("space", "mark", "Mark", id="runs.mark", key_display="Space",
                tooltip="Mark the run for a comparison, or take the mark away"),
        Binding("asterisk", "mark_all", "Mark all", show=False, key_display="*",
                id="runs.mark_all", tooltip="Mark all runs that are listed, or none of them"),
        Binding("B", "baseline", "Baseline", show=False, id="runs.baseline",
                tooltip="Compare the marked runs with this one"),
        Binding("equals_sign", "compare", "Compare", key_display="=", id="runs.compare",
                tooltip="Compare the marked runs; without marks, this run and the one before it"),
        Binding("c", "columns", "Columns", id="runs.columns", tooltip="Choose the columns"),
        Binding("tab", "switch_list", "Groups", key_display="Tab", id="runs.groups",
                tooltip="Switch between the groups and the runs"),
        Binding("y", "copy", "Copy id", show=False, id="runs.copy", tooltip="Copy the run's id"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="runs.copy_row",
                tooltip="Copy the run as JSON"),
        Binding("e", "edit", "Edit", show=False, id="runs.edit",
                tooltip="Edit the run or the group; of marked runs, their group and tags"),
        Binding("D", "delete", "Delete", show=False, id="runs.delete",
                tooltip="Delete the run, the marked runs, or the empty group"),
        Binding("u", "undo", "Undo", show=False, id="runs.undo", tooltip="Undo the last edit"),
        Binding("escape", "clear_filter", "Clear", show=False, id="runs.clear",
                tooltip="Clear the filter"),
    ]  # fmt: skip

    def __init__(self, store: Store, opened: Run | None, marked: Sequence[str] = ()) -> None:
        """Make the screen.

        Args:
            store: The store whose runs are listed.
            opened: The run that is open, on which the cursor is at first; None if no run is.
            marked: The ids of runs that are marked at first, the baseline first.
        """
        super().__init__(store)
        self._opened = opened
        self.selected = RunsQuery()
        self.known: dict[int, _KnownRun] = {}
        self._marks = RunMarks(marked)
        self._listed: ListedRuns | None = None
        self._has_failed = False

    def compose(self) -> ComposeResult:
        yield OneLine(id="title")
        yield Rule()
        with Horizontal(id="lists"):
            yield GroupList(id="groups")
            yield VirtualTable(id="runs")
            yield EmptyText(id="empty")
        yield FilterLine(
            "text, or an expression: accuracy >= 0.8 and lr < 1e-3", history="runs", id="filter"
        )
        yield KeyLine()

    def on_mount(self) -> None:
        if not self.is_composed:
            return
        self.rows.set_columns([run_columns.column("name")])
        self.rows.sorted_by = ("created", True)
        self.show_empty("")
        self.set_focus(self.rows)
        self.want({Kind.RUN})

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        wanted = self.selected
        rowids = self.store.list.ordered(wanted.whole_condition, wanted.order)
        groups = self.store.ask(run_rows.groups, with_empty=True)
        params, metrics = self.store.ask(run_rows.figure_keys)
        total = sum(group.run_count for group in groups)
        remarks = self.store.list.remarks(wanted.condition)
        listed = ListedRuns(wanted, rowids, groups, total, metrics, params, remarks)
        yield partial(self._show_list, listed)
        if self._marks.ids:
            yield partial(self._keep_marks, frozenset(self.store.ask(run_rows.ids).values()))

    @on(VirtualTable.RowsNeeded)
    def read_rows(self, event: VirtualTable.RowsNeeded) -> None:
        needs_figures = run_columns.needs_figures(self.rows.columns)
        question = partial(self._read_runs, event.keys, needs_figures)
        self.ask_each(question, self._show_rows, self.show_failure, group="rows", replaces=False)

    def _read_runs(self, rowids: Sequence[int], with_figures: bool) -> Iterator[ReadRuns]:
        found = self.store.ask(run_rows.at, rowids)
        ids = [run.id for run in found.values()] if with_figures else []
        figures = self.store.list.figures(ids) if ids else {}
        yield ReadRuns(found, figures, self._signs(found, may_ask=False))
        active = {rowid: run for rowid, run in found.items() if run.is_active}
        if active:
            # A child process is asked which runs are open, and so this answer takes longer.
            yield self._live(active, with_figures)

    def _signs(self, runs: dict[int, Run], may_ask: bool = True) -> dict[str, Signs]:
        return self.store.signs(runs.values(), clock.now(), may_ask)

    def _live(self, active: dict[int, Run], with_figures: bool) -> ReadRuns:
        ids = [run.id for run in active.values()] if with_figures else []
        return ReadRuns(active, self.store.list.live_figures(ids), self._signs(active))

    @property
    def listed(self) -> Sequence[int]:
        """The rowids of the runs as they are listed; empty until they are read."""
        return () if self._listed is None else self._listed.rowids

    @property
    def has_content(self) -> bool:
        return self._listed is not None and self._listed.wanted == self.selected

    def show_reading(self) -> None:
        if self.is_composed and self._listed is None and not self._has_failed:
            self.show_empty("reading…")

    # Showing ---------------------------------------------------------------------------------

    def _show_list(self, listed: ListedRuns) -> None:
        if listed.wanted != self.selected:
            return
        shown, self._listed = self._listed, listed
        is_first = shown is None
        is_new = listed.wanted.begins_at_top(None if shown is None else shown.wanted)
        rows = self.rows
        if is_first:
            keys = run_columns.default_keys(listed.metric_keys, len(listed.groups) > 1)
            rows.set_columns(run_columns.column(key) for key in keys)
        self.query_one(GroupList).show_groups(listed.groups)
        rows.show_keys(listed.rowids, is_new=is_new)
        if is_first and self._opened is not None and self._opened.rowid in listed.rowids:
            rows.cursor = listed.rowids.index(self._opened.rowid)
        rows.read_again()
        self._show_title()
        if listed.total == 0:
            where = fmt.path(self.store.directory, person.cwd(), ".")
            self.show_empty(NO_RUNS.format(store=where))
        elif not listed.rowids:
            self.show_empty(f"None of the {listed.total:,} runs match. Esc shows all again.")
        else:
            self.show_empty("")
        line = self.filter_line
        line.names = (
            *listed.metric_keys,
            *listed.param_keys,
            *self._figure_columns(),
            *FILTER_WORDS,
        )
        line.remark(listed.remarks)
        if line.text:
            line.note(f"{len(listed.rowids):,} of {listed.total:,}")

    def _show_rows(self, read: ReadRuns) -> None:
        self.show_records(
            {
                rowid: _KnownRun(run, read.figures.get(run.id), read.signs.get(run.id))
                for rowid, run in read.runs.items()
            }
        )

    def fill(self, records: Mapping[int, _KnownRun]) -> None:
        now = clock.now()
        columns = self.rows.columns
        letters = self._marks.letters()
        self.rows.fill(
            {
                rowid: run_columns.cells(
                    known.run,
                    known.figures,
                    standing(known.run, known.signs, now),
                    columns,
                    letters.get(known.run.id, ""),
                )
                for rowid, known in records.items()
            }
        )

    def tick(self) -> None:
        """Update the active runs in sight: what they last logged, and their durations."""
        # A dialog above it lets it show through.
        if self._listed is None or self not in self.app.screen_stack:
            return
        active = [
            rowid
            for rowid in self.rows.keys_in_sight()
            if (known := self.known.get(rowid)) and known.run.is_active
        ]
        if active:
            runs = {rowid: self.known[rowid].run for rowid in active}
            question = partial(self._live, runs, run_columns.needs_figures(self.rows.columns))
            self.ask(question, self._show_rows, self.show_failure, group="live")

    def show_failure(self, reason: str) -> None:
        self._has_failed = True
        self.show_unread(reason)

    def _show_title(self) -> None:
        count = where = ""
        if self._listed is not None:
            group = self._listed.wanted.group
            where = "" if group is None else group.name
            shown, total = len(self._listed.rowids), self._listed.total
            count = f"{total:,}" if shown == total else f"{shown:,} of {total:,}"
        left = [
            Piece(" flow-tui", "title"),
            Piece("  "),
            Piece("Runs", "accent"),
            Piece(f" {count}", "muted"),
            Piece(f"  in {fmt.plain(where, 40)}" if where else "", "muted"),
        ]
        if self._marks.ids:
            left.append(Piece(f"  {len(self._marks.ids):,} marked", "accent"))
        right = [Piece(fmt.plain(self.flow.store_label), "muted"), Piece(" ")]
        self.query_one("#title", OneLine).show(justified(left, right, self.size.width))

    def on_resize(self) -> None:
        if self.is_composed:
            self._show_title()

    def list_changed(self) -> None:
        """Read the list again, because runs were added, deleted, renamed or ended."""
        if self.is_composed:
            self.want({Kind.RUN})

    # Actions ---------------------------------------------------------------------------------

    @on(VirtualList.Chosen, "#runs")
    def open_run(self) -> None:
        if (known := self.record) is not None:
            self.flow.open_run(known.run)

    def action_mark(self) -> None:
        if (known := self.record) is not None:
            self._marks.toggle(known.run.id)
            self._show_marks()
            self.rows.action_move(1)

    def action_baseline(self) -> None:
        if (known := self.record) is not None:
            self._marks.begin_with(known.run.id)
            self._show_marks()

    def action_mark_all(self) -> None:
        if (listed := self._listed) is not None:
            # Most of the listed runs are not in memory, and a mark is kept by the run's id.
            self.ask(partial(self.store.ask, run_rows.ids), partial(self._mark_all, listed),
                     group="marks")  # fmt: skip

    def _mark_all(self, listed: ListedRuns, ids: Mapping[int, str]) -> None:
        self._marks.toggle_all(ids[rowid] for rowid in listed.rowids if rowid in ids)
        self._show_marks()

    def _keep_marks(self, run_ids: frozenset[str]) -> None:
        """Forget the marks of runs that are not in the store any more."""
        if gone := set(self._marks.ids) - run_ids:
            self._marks.forget(gone)
            self._show_marks()

    def _show_marks(self) -> None:
        self._show_title()
        self.fill(self.known)

    def unmark(self, run_ids: Sequence[str]) -> None:
        """Forget the marks of runs that were deleted."""
        self._marks.forget(run_ids)
        if self.is_composed:
            self._show_marks()

    def _cared_for(self) -> tuple[RecordTable, list[str]] | None:
        """Return what is to be edited or deleted: the group, the marked runs, or the run here."""
        groups = self.query_one(GroupList)
        if groups.has_focus:
            group = groups.group
            return None if group is None or group.id is None else (RecordTable.GROUPS, [group.id])
        if self._marks.ids:
            return RecordTable.RUNS, list(self._marks.ids)
        known = self.record
        return None if known is None else (RecordTable.RUNS, [known.run.id])

    def action_edit(self) -> None:
        if (cared_for := self._cared_for()) is not None:
            self.flow.edit(*cared_for)

    def action_delete(self) -> None:
        if (cared_for := self._cared_for()) is not None:
            self.flow.delete(*cared_for)

    def action_undo(self) -> None:
        self.flow.undo_edit()

    @work
    async def action_compare(self) -> None:
        marked = self._marks.ids
        if len(marked) > MOST:
            text = f"{len(marked):,} runs are marked, and at most {MOST} can be compared."
            self.notify(text, title="Not compared", severity="warning")
            return
        here = None if self.record is None else self.record.run
        with self.failures_told():
            found = await self.asked(partial(runs_to_compare, self.store, tuple(marked), here))
            if isinstance(found, str):
                self.notify(found, title="Not compared", severity="warning", markup=False)
                # What is read now takes away the marks of runs that have gone.
                self.list_changed()
            else:
                self.flow.compare([(self.store, self.store.opened(run)) for run in found])

    @on(VirtualList.CursorMoved, "#groups")
    def choose_group(self) -> None:
        self.select(replace(self.selected, group=self.query_one(GroupList).group))

    @on(VirtualList.Chosen, "#groups")
    def enter_group(self) -> None:
        self.rows.focus()

    def action_switch_list(self) -> None:
        groups = self.query_one(GroupList)
        (self.rows if groups.has_focus else groups).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "switch_list":
            return not (isinstance(self.focused, TakesText) or self.has_class("-narrow"))
        return super().check_action(action, parameters)

    def action_clear_filter(self) -> None:
        self.filter_line.action_clear()

    def condition_of(self, text: str) -> Condition:
        from flowtui.store.filters import run_condition

        return run_condition(text)

    def read_selected(self) -> None:
        self.want({Kind.RUN})

    @work
    async def action_sort(self) -> None:
        keys = [*SORTABLE, *self._figure_columns()]
        await self.sort(
            [Choice(key, key.partition(".")[2] or key) for key in keys], _starts_descending
        )

    def with_order(self, column: str, descending: bool) -> RunsQuery:
        shown = [one.key for one in self.rows.columns]
        if column not in shown:
            # Directly after the name, where it is in sight.
            shown.insert(1, column)
            self.rows.set_columns(run_columns.column(key) for key in shown)
        self.rows.sorted_by = (column, descending)
        return replace(self.selected, order=RunOrder(column, descending))

    @work
    async def action_columns(self) -> None:
        shown = [column.key for column in self.rows.columns]
        fixed = [column.key for column in run_columns.FIXED]
        others = [key for key in (*fixed, *self._figure_columns()) if key not in shown]
        choices = [
            Choice(key, run_columns.column(key).title.strip(), key.rpartition(".")[0][:6])
            for key in (*shown, *others)
        ]
        chosen = await self.app.push_screen_wait(ColumnsScreen("Columns", choices, shown))
        if chosen:
            self.rows.set_columns(run_columns.column(key) for key in chosen)

    def _figure_columns(self) -> list[str]:
        if self._listed is None:
            return []
        return [f"metric.{key}" for key in self._listed.metric_keys] + [
            f"param.{key}" for key in self._listed.param_keys
        ]

    def id_of(self, record: _KnownRun) -> str:
        return record.run.id

    def document_of(self, record: _KnownRun) -> object:
        return asdict(record.run)


def _starts_descending(column: str) -> bool:
    """Return whether a column is first sorted in descending order."""
    return column in ("created", "duration") or column.startswith("metric.")
