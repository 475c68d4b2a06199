"""The list of all runs, from which a run is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Rule

from flowtui import clock
from flowtui import format as fmt
from flowtui.screens.compare.chosen_directions import chosen_directions
from flowtui.screens.runs import columns as run_columns
from flowtui.screens.runs.leaderboard import WIDE_FROM, KnownRun, Leaderboard
from flowtui.screens.runs.marks import RunMarks
from flowtui.screens.runs.reading import (
    ListedRuns,
    RunsQuery,
    runs_to_compare,
)
from flowtui.screens.runs.strip import run_parts
from flowtui.store import leaderboard
from flowtui.store import runs as run_rows
from flowtui.store.care.values import RecordTable
from flowtui.store.compare.run_set import MOST
from flowtui.store.liveness.standing import standing
from flowtui.store.runs import BEST
from flowtui.store.store import Store
from flowtui.store.values import Kind, Run
from flowtui.terminal.keyboard import TakesText
from flowtui.widgets.cells import Piece, justified
from flowtui.widgets.frame.empty import EmptyText
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import KeyLine, OneLine
from flowtui.widgets.frame.ways import ThreeWays
from flowtui.widgets.lists.detail_strip import DetailStrip, Question
from flowtui.widgets.lists.group_list import GroupList
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable
from flowtui.widgets.paint import CURVE_CLASSES

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

NARROW_BELOW = 110
FILTER_WORDS = ("name", "status", "duration", "tags", "group", "created_at", "errors")
NO_RUNS = "This store has no runs yet."
NEEDS_RUNS = frozenset({
    "filter", "sort", "mark", "mark_all", "baseline", "compare", "columns", "best", "export",
    "strip", "copy", "copy_row",
})  # fmt: skip
"""Actions whose keys are hidden while the store has no runs, or none that can be read."""


class RunsScreen(Leaderboard):
    """Lists the runs of the store, of all groups or one, and opens a run."""

    CSS_PATH = "screen.tcss"
    needs_records = NEEDS_RUNS
    COMPONENT_CLASSES = CURVE_CLASSES
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (NARROW_BELOW, "-normal"),
        (WIDE_FROM, "-wide"),
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
        Binding("b", "best", "Last or best", id="runs.best",
                tooltip="Show the best value of the sorted metric, or of all metrics; or the last"),
        Binding("x", "export", "Export", show=False, id="runs.export",
                tooltip="Save the list as it is seen: CSV, JSON lines or Markdown"),
        Binding("i", "strip", "Details", show=False, id="runs.strip",
                tooltip="Show below the list what the cursor is on, or close that"),
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
        self._marks = RunMarks(marked)

    def compose(self) -> ComposeResult:
        yield OneLine(id="title")
        yield Rule()
        with Horizontal(id="lists"):
            yield GroupList(id="groups")
            yield VirtualTable(id="runs")
            yield EmptyText(id="empty")
            yield ThreeWays(self.store.location, NO_RUNS, id="ways")
        yield DetailStrip(self.strip_question)
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
        rowids = self.store.list.ordered(
            wanted.whole_condition, wanted.order, partial(self._say_progress, wanted)
        )
        groups = self.store.ask(run_rows.groups, with_empty=True)
        params, metrics = self.store.ask(run_rows.figure_keys)
        total = sum(group.run_count for group in groups)
        remarks = self.store.list.remarks(wanted.condition)
        telling = self.store.ask(leaderboard.telling_keys, rowids, chosen_directions())
        unread = self.store.unread_count()
        listed = ListedRuns(
            wanted, rowids, groups, total, metrics, params, remarks, telling, unread
        )
        yield partial(self._show_list, listed)
        if self._marks.ids:
            yield partial(self._keep_marks, frozenset(self.store.ask(run_rows.ids).values()))

    def _say_progress(self, wanted: RunsQuery, done: int, total: int) -> None:
        """Say from the thread that reads how far an order by best values has come."""
        name = fmt.plain(wanted.order.column.removeprefix(BEST), 40)
        note = f"reading {name} of {done:,} of {total:,} runs   Esc cancels"
        self.meanwhile(lambda: self._show_title(note))

    @property
    def listed(self) -> Sequence[int]:
        """The rowids of the runs as they are listed; empty until they are read."""
        return () if self._listed is None else self._listed.rowids

    @property
    def has_content(self) -> bool:
        if self._listed is None:
            return False
        # While all runs are read for their best values, keys act on the list that is shown.
        return self._listed.wanted == self.selected or self._is_reading_bests

    @property
    def _is_reading_bests(self) -> bool:
        listed = self._listed
        is_shown = listed is None or listed.wanted == self.selected
        return not is_shown and self.selected.order.column.startswith(BEST)

    def show_reading(self) -> None:
        if self.is_composed and self._listed is None and not self.has_failed:
            self.show_empty("reading…")

    # Showing ---------------------------------------------------------------------------------

    def _show_list(self, listed: ListedRuns) -> None:
        if listed.wanted != self.selected:
            return
        shown, self._listed = self._listed, listed
        self.take_whether_any(bool(listed.total))
        is_first = shown is None
        is_new = listed.wanted.begins_at_top(None if shown is None else shown.wanted)
        rows = self.rows
        self.show_columns()
        self.query_one(GroupList).show_groups(listed.groups)
        rows.show_keys(listed.rowids, is_new=is_new)
        if is_first and self._opened is not None and self._opened.rowid in listed.rowids:
            rows.cursor = listed.rowids.index(self._opened.rowid)
        rows.read_again()
        self._show_title()
        if listed.total == 0:
            self._show_ways()
        elif not listed.rowids:
            self.show_empty(fmt.none_match(listed.total, "run"))
        else:
            self.show_empty("")
        line = self.filter_line
        line.names = (
            *listed.metric_keys,
            *listed.param_keys,
            *self.figure_columns(),
            *FILTER_WORDS,
        )
        line.remark(listed.remarks)
        if line.text:
            line.note(f"{len(listed.rowids):,} of {listed.total:,}")

    def show_empty(self, text: str) -> None:
        super().show_empty(text)
        ways = self.query_one(ThreeWays)
        if ways.display:
            ways.display = False
            self.refresh_bindings()
            if not text:
                self.set_focus(self.rows)

    def _show_ways(self) -> None:
        """Show in the place of the table how a first run is made; the next reading hides it."""
        ways = self.query_one(ThreeWays)
        if not ways.display:
            self.show_empty("")
            self.rows.display = False
            self.strip.allow(False)
            ways.display = True
            self.refresh_bindings()
            self.set_focus(ways)

    def fill(self, records: Mapping[int, KnownRun]) -> None:
        now = clock.now()
        columns = self.rows.columns
        letters = self._marks.letters()
        self.rows.fill(
            {
                rowid: run_columns.cells(
                    known.run,
                    known.shown,
                    standing(known.run, known.signs, now),
                    columns,
                    self._bests,
                    letters.get(known.run.id, ""),
                )
                for rowid, known in records.items()
            }
        )

    def tick(self) -> None:
        """Update the active runs in sight: what they last logged, and their durations."""
        # A dialog above it lets it show through.
        if self not in self.app.screen_stack:
            return
        if self.has_failed:
            # What was in the way may go without a trace in the files, which the watch looks at.
            self.list_changed()
        if self._listed is None:
            return
        if self._listed.unread_count:
            # The end of reading need not change anything else that is listed.
            self.list_changed()
        active = [
            rowid
            for rowid in self.rows.keys_in_sight()
            if (known := self.known.get(rowid)) and known.run.is_active
        ]
        if active:
            runs = {rowid: self.known[rowid].run for rowid in active}
            columns = self.rows.columns
            metrics = run_columns.summarized(column.key for column in columns)
            question = partial(self.live, runs, run_columns.needs_figures(columns), metrics)
            self.ask(question, self._show_rows, self._fail, group="live")

    def show_failure(self, reason: str) -> None:
        self.take_whether_any(False)
        self.show_unread(reason)

    def _show_title(self, note: str = "") -> None:
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
        if self._listed is not None and self._listed.unread_count:
            left.append(Piece(f"  ◔ {self._listed.unread_count:,} still being read", "accent"))
        if note:
            left.append(Piece(f"  {note}", "attention"))
        right = [Piece(fmt.plain(self.flow.store_label), "muted"), Piece(" ")]
        self.query_one("#title", OneLine).show(justified(left, right, self.size.width))

    def on_resize(self) -> None:
        if self.is_composed:
            self._show_title()
            self.strip.settle()

    def strip_question(self) -> Question | None:
        known, listed = self.record, self._listed
        if known is None or listed is None:
            return None
        return partial(run_parts, self.store, known.run, listed.telling, self._plan.better)

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
        if self._is_reading_bests and self._listed is not None and self._reader is not None:
            self._reader.cancel()
            self.selected = self._listed.wanted
            self.show_columns()
            self._show_title()
        else:
            self.filter_line.action_clear()

    def condition_of(self, text: str) -> Condition:
        from flowtui.store.filters import run_condition

        return run_condition(text)

    def read_selected(self) -> None:
        self.want({Kind.RUN})

    def id_of(self, record: KnownRun) -> str:
        return record.run.id

    def document_of(self, record: KnownRun) -> object:
        return record.run._asdict()
