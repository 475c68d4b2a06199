"""Overview of a comparison: parameters, metrics, facts and models, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.reports.comparison.fact_texts import count_words, whole_text
from flowtui.screens.compare.base import CompareScreen, CompareState
from flowtui.screens.compare.chosen_directions import ask_direction, chosen_directions
from flowtui.screens.compare.overview_detail import FactView, copy_row
from flowtui.screens.compare.overview_reading import ReadFacts, read_facts
from flowtui.screens.compare.overview_table import FactRows, chosen_rows
from flowtui.screens.exporting import Exports
from flowtui.store.compare.facts import FactKind, FactRow, FactTable, paired, with_durations
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.values import Kind
from flowtui.widgets.cells import Piece, justified
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.virtual_list import VirtualList

if TYPE_CHECKING:
    from flowtui.screens.dialogs.export import Export

TABLE_ACTIONS = frozenset(("filter", "toggle_all", "set_direction", "copy", "copy_row", "export"))
ROW_ACTIONS = frozenset(("copy", "copy_row"))


class CompareOverview(Exports, CompareScreen):
    """The first tab: a row a parameter, metric, fact or model, and a column a run."""

    CSS_PATH = "overview.tcss"
    tab = "overview"
    reads = frozenset({Kind.PARAMS, Kind.METRICS, Kind.MODELS, Kind.RUN, Kind.ATTACHMENTS})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "toggle_all", "All", id="compare_overview.all",
                tooltip="Show all rows, or again only those that differ"),
        Binding("slash", "filter", "Filter", key_display="/", id="compare_overview.filter",
                tooltip="Filter by name or value"),
        Binding("m", "set_direction", "Better", id="compare_overview.direction",
                tooltip="Say in which direction this metric is better; it is remembered"),
        Binding("x", "export", "Export", id="compare_overview.export",
                tooltip="Save the rows that are seen as CSV, JSON lines or Markdown"),
        Binding("y", "copy", "Copy", id="compare_overview.copy",
                tooltip="Copy the name and what each run has, separated by tabs"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="compare_overview.copy_row",
                tooltip="Copy what all runs have, as JSON"),
    ]  # fmt: skip

    def __init__(self, state: CompareState) -> None:
        super().__init__(state)
        self._facts: FactTable | None = None
        self._known = ReadFacts.nothing(len(state.runs.runs))
        self._unfinished: frozenset[str] = frozenset()
        """The letters of the runs of which not all is read that was to be."""
        self._chosen: Mapping[str, str] = {}
        """The directions that were chosen when the metrics were last read."""
        self._shows_all = False
        self._needle = ""

    def compose_tab(self) -> Iterable[Widget]:
        names = self._names
        yield OneLine(id="facts-title")
        yield FactRows(names, id="facts")
        yield FactView(names)
        yield FilterLine("name or value")

    def on_mount(self) -> None:
        # The base mounts as well: Textual calls the handlers of both.
        if self.is_composed:
            self.set_focus(self._rows)

    @property
    def _names(self) -> list[str]:
        return [run.run.name for run in self.runs.runs]

    @property
    def _rows(self) -> FactRows:
        return self.query_one(FactRows)

    @property
    def _view(self) -> FactView:
        return self.query_one(FactView)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        # Of a read that was left, nobody took the last answer.
        letters = self._unfinished = self._unfinished | self.take_stale()
        chosen = self._chosen = chosen_directions()
        for known in read_facts(self.runs, self._known, kinds, letters, chosen):
            yield partial(self._take, known)

    def on_screen_resume(self) -> None:
        # The base handles this event as well. Directions are chosen on the tab of Evals too.
        if self._facts is not None and chosen_directions() != self._chosen:
            self.want({Kind.METRICS})

    @property
    def has_content(self) -> bool:
        return self._facts is not None

    def show_reading(self) -> None:
        if self._facts is None and self.is_composed:
            self._rows.resize_content("reading…")

    def show_failure(self, reason: str) -> None:
        if self._facts is None:
            self._rows.resize_content(fmt.unread(reason))
        else:
            self.ask_failed(reason)

    # Showing ---------------------------------------------------------------------------------

    def _take(self, known: ReadFacts) -> None:
        self._known = known
        if known.is_last:
            self._unfinished = frozenset()
        self._facts = facts = self._with_times(known.table)
        self._show()
        if facts.problems:
            self.offer_again()
        self.tell_count(f"{facts.counts().unequal:,}≠")
        if (row := self._view.row) is None:
            return
        now = next(
            (one for one in facts.rows if (one.kind, one.path) == (row.kind, row.path)), None
        )
        if now is None:
            self._view.show_gone()
        elif now is not row:
            self._view.open(now)

    def show_state(self) -> None:
        super().show_state()
        if self.is_composed and self._facts is not None:
            self._facts = self._with_times(self._facts)
            seen = self._seen(self._facts).rows
            self._rows.put([row for row in seen if row.kind is FactKind.ABOUT])

    def _with_times(self, facts: FactTable) -> FactTable:
        """Return the table with how long the runs that go on have been going on by now."""
        states = self.state.states
        elapsed = [
            states[run.letter].standing.elapsed_s
            if run.letter in states and states[run.letter].standing.goes_on
            else None
            for run in self.runs.runs
        ]
        return with_durations(facts, elapsed) if any(elapsed) else facts

    def _show(self) -> None:
        if self._facts is None:
            return
        facts = self._seen(self._facts)
        if self._needle.strip():
            # Values may be megabytes long, and are searched to their ends.
            self.ask(
                partial(chosen_rows, facts, self._needle, self._shows_all),
                partial(self._show_rows, facts),
                group="filter",
            )
        else:
            self.workers.cancel_group(self, "filter")
            self._show_rows(facts, chosen_rows(facts, "", self._shows_all))

    def _show_rows(self, facts: FactTable, rows: Sequence[FactRow]) -> None:
        is_filtered = bool(self._needle.strip())
        note = ""
        if not facts.rows:
            note = "These runs have no parameters, metrics or models."
        elif not rows:
            note = "Nothing differs. v shows all rows."
            if is_filtered:
                which = "" if self._shows_all else "that differs "
                note = f"No row {which}has this text."
        self._rows.show_facts(rows, facts, note, is_filtered)
        line = self.query_one(FilterLine)
        if line.text:
            line.note(f"{len(rows):,} of {len(facts.rows):,}")
        self._show_title(facts)
        self.refresh_bindings()

    def _seen(self, facts: FactTable) -> FactTable:
        """Return the table of the runs that have a column."""
        pair = self._rows.pair
        return facts if pair is None else paired(facts, pair)

    def _show_title(self, facts: FactTable) -> None:
        counts = ", ".join(count_words(facts.counts())) or "nothing to compare"
        if (pair := self._rows.pair) is not None:
            counts = f"A and {LETTERS[pair]}: {counts}"
        what = "all rows" if self._shows_all else "only what differs"
        line = justified([Piece(f" {counts}")], [Piece(f"{what} ", "muted")], self.size.width)
        self.query_one("#facts-title", OneLine).show(line)

    def on_resize(self) -> None:
        if self.is_composed and self._facts is not None:
            self._show_title(self._seen(self._facts))

    @on(FactRows.RunsInSight)
    def show_runs_in_sight(self) -> None:
        self._show()

    def candidate_changed(self) -> None:
        letters = [run.letter for run in self.runs.runs]
        self._rows.look_at(letters.index(self.candidate))

    @on(VirtualList.CursorMoved, "#facts")
    def take_cursor(self) -> None:
        # One key works on metrics only.
        self.refresh_bindings()

    @property
    def _row(self) -> FactRow | None:
        """What all runs have in the row under the cursor."""
        row = self._rows.row
        if row is None or self._facts is None:
            return None
        return self._facts.row(row.kind, row.path)

    # Actions ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in TABLE_ACTIONS and self.is_composed:
            if self._view.row is not None:
                return False
            row = self._rows.row
            if action == "set_direction":
                return row is not None and row.kind is FactKind.METRICS
            if action in ROW_ACTIONS:
                return row is not None
        return super().check_action(action, parameters)

    @on(VirtualList.Chosen, "#facts")
    def open_row(self) -> None:
        row = self._row
        if row is not None and row.kind is FactKind.FILES:
            self.flow.compare_file(str(row.path[0]))
        elif row is not None:
            self.add_class("-open")
            self._view.open(row)
            self.set_focus(self._view.query_one("#fact-detail"))

    @on(FactView.Left)
    def close_row(self) -> None:
        self.remove_class("-open")
        self.set_focus(self._rows)
        self.refresh_bindings()

    def action_toggle_all(self) -> None:
        self._shows_all = not self._shows_all
        self._show()

    async def action_filter(self) -> None:
        await self.query_one(FilterLine).open(self._needle)

    @on(FilterLine.Changed)
    def take_filter(self, event: FilterLine.Changed) -> None:
        self._needle = event.text
        self._show()

    @on(FilterLine.Left)
    def leave_filter(self) -> None:
        self.set_focus(self._rows)

    @work
    async def action_set_direction(self) -> None:
        row = self._rows.row
        if row is not None and await ask_direction(self.flow, row.name):
            # Nothing of the runs has changed, so that nothing is read for it.
            self.want({Kind.METRICS})

    def action_copy(self) -> None:
        if (row := self._row) is not None:
            self.flow.copy("\t".join([row.name, *map(whole_text, row.cells)]))

    def action_copy_row(self) -> None:
        if (row := self._row) is not None:
            copy_row(self.flow, row)

    @work
    async def action_export(self) -> None:
        from flowtui.screens.compare.overview_saving import FORMATS
        from flowtui.screens.compare.saving import compared_stem

        if (facts := self._facts) is not None:
            seen = chosen_rows(self._seen(facts), self._needle, self._shows_all)
            whole = (facts.row(row.kind, row.path) for row in seen)
            rows = [row for row in whole if row is not None]
            stem = compared_stem(self._names, "compared")
            await self.export(stem, FORMATS, partial(self._save, facts, rows))

    def _save(self, facts: FactTable, rows: Sequence[FactRow], chosen: Export) -> str:
        from flowtui.screens.compare.overview_saving import save

        return save(rows, self._names, facts, chosen)
