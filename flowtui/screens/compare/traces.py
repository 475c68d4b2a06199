"""Traces of a comparison: what spans of each name took, the traces in pairs, and one pair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.compare import traces_columns as columns
from flowtui.screens.compare.base import CompareScreen, CompareState
from flowtui.screens.compare.trace_pair import PairWanted, TracePairView
from flowtui.screens.exporting import Exports
from flowtui.store.compare import spans as span_stats
from flowtui.store.compare import traces as trace_pairs
from flowtui.store.compare.run_set import ComparedRun, answered
from flowtui.store.compare.spans import SpanChange, SpanTotals
from flowtui.store.compare.traces import NamedTrace, TracePair
from flowtui.store.errors import StoreError
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces.values import Trace
from flowtui.store.values import Kind
from flowtui.widgets.cells import Piece
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable

NO_SPANS = "Neither run has spans."
LIST_ACTIONS = frozenset({"switch_list", "sort", "export", "choose_trace"})


class CompareTraces(Exports, CompareScreen):
    """The third tab: the baseline's spans and traces beside those of the candidate looked at."""

    CSS_PATH = "traces.tcss"
    tab = "traces"
    reads = frozenset({Kind.SPANS, Kind.SAMPLES})
    needs_records = LIST_ACTIONS
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (120, "-normal"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "switch_list", "Lists", key_display="Tab", id="compare_traces.switch",
                tooltip="Switch between the names of spans and the traces"),
        Binding("s", "sort", "Sort", id="compare_traces.sort",
                tooltip="Sort the names by the next column"),
        Binding("c", "choose_trace", "Other trace", show=False, id="compare_traces.choose",
                tooltip="Choose which trace of the candidate stands beside this one"),
        Binding("x", "export", "Export", show=False, id="compare_traces.export",
                tooltip="Save what the spans of each name took, as CSV, JSON lines or Markdown"),
    ]  # fmt: skip

    def __init__(self, state: CompareState) -> None:
        super().__init__(state)
        self._totals: dict[str, Mapping[str, SpanTotals] | StoreError] = {}
        self._named: dict[str, tuple[NamedTrace, ...] | StoreError] = {}
        self._changes: list[SpanChange] = []
        self._pairs: tuple[TracePair, ...] = ()
        self._order = 0
        self._was_read = False
        self._shown = ""
        """The id of the baseline's trace in the pair that is open."""
        self._asked_for: Mapping[str, str] = {}
        """Traces that another tab asked for before there was a pair to show."""

    def compose_tab(self) -> Iterable[Widget]:
        with Vertical(id="lists"):
            yield OneLine(id="names-title")
            yield VirtualTable(id="names")
            yield OneLine(id="pairs-title")
            yield VirtualTable(id="pairs")
        yield TracePairView(id="pair")

    def on_mount(self) -> None:
        if self.is_composed:
            self._view.display = False
            self.set_focus(self._pairs_table)

    @property
    def _view(self) -> TracePairView:
        return self.query_one(TracePairView)

    @property
    def _names_table(self) -> VirtualTable:
        return self.query_one("#names", VirtualTable)

    @property
    def _pairs_table(self) -> VirtualTable:
        return self.query_one("#pairs", VirtualTable)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        stale = self.take_stale()
        named = dict(self._named)
        for run in self.runs.runs:
            if run.letter in stale or run.letter not in named:
                named[run.letter] = answered(_named_traces, run)
        yield partial(self._show_named, named)
        totals = dict(self._totals)
        for run in self.runs.runs:
            if run.letter in stale or run.letter not in totals:
                totals[run.letter] = answered(_span_totals, run)
        yield partial(self._show_totals, totals)

    @property
    def has_content(self) -> bool:
        return self._was_read

    def show_reading(self) -> None:
        if not self._was_read and self.is_composed:
            self._pairs_table.resize_content("reading…")
        if not self._totals and self.is_composed:
            self._names_table.resize_content("reading…")

    def show_failure(self, reason: str) -> None:
        self._was_read = True
        self._pairs_table.resize_content(fmt.unread(reason))

    @on(VirtualTable.RowsNeeded, "#pairs")
    def read_rows(self, event: VirtualTable.RowsNeeded) -> None:
        one, other = self.runs.baseline, self.state.looked_at
        pairs = {key: self._pairs[key] for key in event.keys if key < len(self._pairs)}
        self.ask(
            partial(_read_traces, one, other, pairs),
            self._show_rows,
            self.show_failure,
            group="rows",
            replaces=False,
        )

    # Showing ---------------------------------------------------------------------------------

    def _show_named(self, named: dict[str, tuple[NamedTrace, ...] | StoreError]) -> None:
        self._was_read = True
        self._named = named
        self._show_pairs(is_new=False)
        self._view.read_again()

    def _show_totals(self, totals: dict[str, Mapping[str, SpanTotals] | StoreError]) -> None:
        self._totals = totals
        self._show_names()

    def candidate_changed(self) -> None:
        self._show_pairs(is_new=True)
        self._show_names()
        if not self._view.is_open:
            return
        pair = self._pair_of(self._shown)
        if pair is not None and pair.candidate is not None:
            self._open(pair)
        else:
            self.close_pair()
            self.notify(f"{self.candidate} has no such trace.", severity="warning")

    def _pair_of(self, trace_id: str) -> TracePair | None:
        """Return the pair with a trace of the baseline, with the cursor on it in the list."""
        for key, pair in enumerate(self._pairs):
            if pair.baseline is not None and pair.baseline.id == trace_id:
                self._pairs_table.put_cursor(key)
                return pair
        return None

    def _show_pairs(self, *, is_new: bool) -> None:
        one = self._named.get(self.runs.baseline.letter, ())
        other = self._named.get(self.candidate, ())
        table = self._pairs_table
        if isinstance(one, StoreError) or isinstance(other, StoreError):
            self._pairs = ()
            table.show_keys((), is_new=True)
            table.resize_content(self._why_none(one, other))
            self.offer_again()
            return
        self._pairs = trace_pairs.paired_traces(one, other)
        table.set_columns(columns.pair_columns(self.candidate))
        table.show_keys(range(len(self._pairs)), is_new=is_new)
        table.read_again()
        self.take_whether_any(bool(self._pairs))
        if not self._pairs:
            table.resize_content(NO_SPANS)
        both = sum(None not in (pair.baseline, pair.candidate) for pair in self._pairs)
        by_sample = sum(
            pair.sample is not None and None not in (pair.baseline, pair.candidate)
            for pair in self._pairs
        )
        said = f" {both:,} in both"
        if both:
            said += f", paired by {'their sample' if by_sample else 'name and order'}"
        if 0 < by_sample < both:
            said += f", {both - by_sample:,} of them by name and order"
        only = [
            (sum(pair.candidate is None for pair in self._pairs), self.runs.baseline.letter),
            (sum(pair.baseline is None for pair in self._pairs), self.candidate),
        ]
        said += "".join(f" · {count:,} only in {letter}" for count, letter in only if count)
        title = [Piece(" Traces", "title"), Piece(f" {said}", "muted")]
        self.query_one("#pairs-title", OneLine).show(title)
        self.tell_count(f"{both:,}")
        if self._asked_for:
            self.follow(self._asked_for)

    def _why_none(self, one: object, other: object) -> str:
        """Return which of the two runs in sight cannot be read, and what helps."""
        letter, problem = (
            (self.runs.baseline.letter, one)
            if isinstance(one, StoreError)
            else (self.candidate, other)
        )
        is_one_of_several = letter == self.candidate and len(self.runs.candidates) > 1
        more = " ] shows the next candidate." if is_one_of_several else ""
        return fmt.unread(f"{letter}: {problem}") + more

    def _show_names(self) -> None:
        one = self._totals.get(self.runs.baseline.letter)
        other = self._totals.get(self.candidate)
        table = self._names_table
        if one is None or other is None or isinstance(one, StoreError):
            return
        if isinstance(other, StoreError):
            table.resize_content(f"✗ {fmt.plain(str(other), 300)}")
            return
        order = columns.ORDERS[self._order]
        self._changes = sorted(span_stats.span_changes(one, other), key=order.key)
        table.set_columns(columns.name_columns(self.candidate))
        table.show_keys(range(len(self._changes)), is_new=True)
        table.fill({at: columns.name_cells(change) for at, change in enumerate(self._changes)})
        if not self._changes:
            table.resize_content(NO_SPANS)
        said = f" {len(self._changes):,} names, by {order.name}"
        title = [Piece(" Spans by name", "title"), Piece(f" {said}", "muted")]
        self.query_one("#names-title", OneLine).show(title)

    @on(VirtualTable.RowsNeeded, "#names")
    def fill_names(self, event: VirtualTable.RowsNeeded) -> None:
        known = {key: self._changes[key] for key in event.keys if key < len(self._changes)}
        self._names_table.fill({at: columns.name_cells(change) for at, change in known.items()})

    def _show_rows(self, found: Mapping[int, tuple[TracePair, Trace | None, Trace | None]]) -> None:
        self._pairs_table.fill(
            {
                key: columns.pair_cells(pair, one, other, self.candidate)
                for key, (pair, one, other) in found.items()
                if key < len(self._pairs) and self._pairs[key] is pair
            }
        )

    # One pair --------------------------------------------------------------------------------

    @property
    def _opened(self) -> TracePair | None:
        key = self._pairs_table.cursor_key
        return None if key is None or key >= len(self._pairs) else self._pairs[key]

    @on(VirtualList.Chosen, "#pairs")
    def open_pair(self) -> None:
        if (pair := self._opened) is not None:
            self._open(pair)

    def _open(self, pair: TracePair) -> None:
        one, other = pair.baseline, pair.candidate
        if one is None or other is None:
            letter = self.candidate if one is None else self.runs.baseline.letter
            self.notify(f"Only {letter} has this trace.", severity="warning")
            return
        self._show_view((one.id, other.id), _title(pair))

    def _show_view(self, traces: tuple[str, str], title: str) -> None:
        self._shown = traces[0]
        self.query_one("#lists").display = False
        self._view.display = True
        runs = self.runs.baseline, self.state.looked_at
        self._view.open(PairWanted(runs, traces, title))

    def follow(self, traces: Mapping[str, str]) -> None:
        """Show the traces of the baseline and the candidate looked at; others are not shown."""
        if not self._was_read:
            self._asked_for = traces
            return
        self._asked_for = {}
        wanted = [traces.get(run.letter) for run in (self.runs.baseline, self.state.looked_at)]
        one, other = wanted
        if one is None or other is None:
            self.notify("Only one of the two runs has a trace of this sample.", severity="warning")
            return
        pair = self._pair_of(one)
        self._show_view((one, other), "" if pair is None else _title(pair))

    @on(TracePairView.Left)
    def close_pair(self) -> None:
        self._view.display = False
        self.query_one("#lists").display = True
        self.set_focus(self._pairs_table)

    # Actions ---------------------------------------------------------------------------------

    def action_switch_list(self) -> None:
        names, pairs = self._names_table, self._pairs_table
        self.set_focus(pairs if names.has_focus else names)

    def action_sort(self) -> None:
        self._order = (self._order + 1) % len(columns.ORDERS)
        self._show_names()

    @work
    async def action_choose_trace(self) -> None:
        from flowtui.screens.dialogs.commands import Command, CommandsScreen

        pair = self._opened
        one = None if pair is None else pair.baseline
        others = self._named.get(self.candidate, ())
        if one is None or isinstance(others, StoreError) or not others:
            self.notify("There are no two traces to choose here.", timeout=2)
            return
        commands = [
            Command(
                fmt.plain(_title_of(other), 100),
                fmt.plain(f"{other.name} · {fmt.short_id(other.id)}", 100),
                partial(self._show_view, (one.id, other.id), _title_of(one)),
            )
            for other in others
        ]
        title = f"Compare {fmt.plain(_title_of(one), 60)} with"
        chosen = await self.app.push_screen_wait(CommandsScreen(commands, title))
        if chosen is not None:
            chosen.run()

    @work
    async def action_export(self) -> None:
        from flowtui.screens.compare.saving import FORMATS, compared_stem, save_spans

        read = [self._totals.get(run.letter) for run in self.runs.runs]
        problem = next((one for one in read if isinstance(one, StoreError)), None)
        totals = [one for one in read if one is not None and not isinstance(one, StoreError)]
        if len(totals) < len(read):
            self.notify(str(problem or "The spans are still being read."), title="Not saved",
                        severity="warning", markup=False)  # fmt: skip
            return
        names = [run.run.name for run in self.runs.runs]
        await self.export(
            compared_stem(names, "spans"), FORMATS, partial(save_spans, totals, names)
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        views = self.query(TracePairView)
        if action in LIST_ACTIONS and views and views.first().is_open:
            return False
        return super().check_action(action, parameters)


def _title(pair: TracePair) -> str:
    """Return the sample that both traces are of, else their name."""
    if (sample := pair.sample) is not None:
        return f"{sample.dataset_id}/{sample.eval_id}"
    return "" if pair.baseline is None else pair.baseline.name


def _title_of(trace: NamedTrace) -> str:
    """Return the sample that a trace is of, else its name."""
    sample = trace.sample
    return trace.name if sample is None else f"{sample.dataset_id}/{sample.eval_id}"


def _named_traces(of: ComparedRun) -> tuple[NamedTrace, ...]:
    return of.run.ask(trace_pairs.named_traces)


def _span_totals(of: ComparedRun) -> Mapping[str, SpanTotals]:
    return of.run.ask(span_stats.span_totals)


def _read_traces(
    one: ComparedRun, other: ComparedRun, pairs: Mapping[int, TracePair]
) -> dict[int, tuple[TracePair, Trace | None, Trace | None]]:
    """Return the traces of some pairs, by the keys of the pairs."""
    ones = [pair.baseline.rowid for pair in pairs.values() if pair.baseline is not None]
    others = [pair.candidate.rowid for pair in pairs.values() if pair.candidate is not None]
    first = one.run.ask(trace_rows.at, ones)
    second = other.run.ask(trace_rows.at, others)
    return {
        key: (
            pair,
            None if pair.baseline is None else first.get(pair.baseline.rowid),
            None if pair.candidate is None else second.get(pair.candidate.rowid),
        )
        for key, pair in pairs.items()
    }
