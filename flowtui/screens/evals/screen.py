"""The Evals tab: the scores of each eval set, the table of samples, and one sample in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.worker import Worker

from flowtui import format as fmt
from flowtui.screens.annotate.annotated import Annotated
from flowtui.screens.base import SHORT, TabScreen
from flowtui.screens.dialogs.choose import Choice
from flowtui.screens.evals import columns
from flowtui.screens.evals.choosing import choose_columns, choose_group
from flowtui.screens.evals.reading import (
    ReadList,
    ReadScores,
    SamplesQuery,
    read_list,
    read_samples,
    read_scores,
)
from flowtui.screens.evals.sample_view import SampleView, go_to_trace
from flowtui.screens.evals.samples_pane import VIEWS, SamplesPane
from flowtui.screens.exporting import Exports
from flowtui.store.annotations.values import SampleTarget, Target
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.values import Sample, SamplesView
from flowtui.store.store import Store
from flowtui.store.values import Kind
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable

if TYPE_CHECKING:
    from flowtui.screens.dialogs.export import Export

TABLE_ACTIONS = (
    "filter", "sort", "columns", "group", "show_view", "copy", "copy_row", "trace", "next_pane",
    "export", "strip",
)  # fmt: skip
FILTER_WORDS = ("dataset_id", "annotated", "errors", "annotations.", "created_at")
NARROW_BELOW = 100
FIRST_ROWS = 100
"""How many samples are read with the first list: more than a terminal shows.

All other samples are read when the table asks for their rows.
"""
MIN_REST_S = 0.5
"""How long the scores are not added up again at least, however few samples there are."""


class EvalsScreen(Exports, TabScreen):
    """The fourth tab: the run's eval sets and samples, as `flow-tui evals` prints them."""

    CSS_PATH = "screen.tcss"
    tab = "evals"
    reads = frozenset({Kind.SAMPLES, Kind.ANNOTATIONS})
    needs_records = frozenset(TABLE_ACTIONS)
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (NARROW_BELOW, "-normal"),
    ]
    VERTICAL_BREAKPOINTS = SHORT  # an instance's, as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="evals.filter",
                tooltip="Filter by text, or an expression: accuracy < 0.5 and outputs.a != refs.a"),
        Binding("s", "sort", "Sort", id="evals.sort", tooltip="Sort by a column; again: reverse"),
        *(
            Binding(key, f"show_view('{view.name}')", view.value.capitalize(), show=False,
                    id=f"evals.view_{view.name.lower()}",
                    tooltip=f"Show the samples: {view.value}")
            for key, view in VIEWS.items()
        ),
        Binding("c", "columns", "Columns", show=False, id="evals.columns",
                tooltip="Choose the columns, move them, make them wider"),
        Binding("b", "group", "By value", show=False, id="evals.group",
                tooltip="Group the samples by a score or by metadata, and show one group"),
        Binding("tab,shift+tab", "next_pane", "Sets", key_display="Tab", show=False,
                id="evals.pane", tooltip="Switch between the eval sets and the samples"),
        Binding("x", "export", "Export", show=False, id="evals.export",
                tooltip="Save the samples of this view as CSV, JSON lines or Markdown"),
        Binding("i", "strip", "Details", show=False, id="evals.strip",
                tooltip="Show below the list what the cursor is on, or close that"),
        Binding("t", "trace", "Trace", show=False, id="evals.trace",
                tooltip="Show the trace that is linked to the sample; Esc comes back"),
        Binding("y", "copy", "Copy id", show=False, id="evals.copy",
                tooltip="Copy the sample's id"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="evals.copy_row",
                tooltip="Copy the sample as JSON"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: OpenRun) -> None:
        super().__init__(store, run)
        self._saver: Worker[None] | None = None
        self._back_to = ""
        """The tab from which the open sample was reached; empty if it was the table."""

    def compose_tab(self) -> Iterable[Widget]:
        yield SamplesPane(self.store, self.run, id="pane")

    @property
    def _pane(self) -> SamplesPane:
        return self.query_one(SamplesPane)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        pane = self._pane
        # With the first samples in the list, the table need not be drawn empty and ask for them.
        first_rows = FIRST_ROWS if pane.listed is None else 0
        own_changes = pane.own_changes
        found = read_list(self.run, pane.selected, pane.sample, first_rows)
        yield partial(self._show_list, found, own_changes)
        if pane.may_add_scores:
            yield partial(self._show_scores, read_scores(self.run))

    @on(SamplesPane.Selected)
    def read_selected(self) -> None:
        self.want({Kind.SAMPLES})

    @on(VirtualTable.RowsNeeded, "#samples")
    def read_rows(self, event: VirtualTable.RowsNeeded) -> None:
        question = partial(read_samples, self.run, event.keys)
        show = partial(self._show_rows, self._pane.own_changes)
        self.ask(question, show, self._fail, group="rows", replaces=False)

    def _show_rows(self, own_changes: int, samples: Mapping[int, Sample]) -> None:
        self._pane.show_records(samples)
        if own_changes != self._pane.own_changes:
            # They may have been read before a change that was written here meanwhile.
            self._pane.rows.read_again()

    def store_changed(self, kinds: frozenset[Kind]) -> None:
        super().store_changed(kinds)
        if kinds & self.reads and self.is_composed:
            self._pane.annotations_changed()
            self._pane.view.read_again()

    @property
    def has_content(self) -> bool:
        return self.is_composed and self._pane.shows_what_is_selected

    @property
    def is_opening(self) -> bool:
        return super().is_opening or (self.is_composed and self._pane.view.is_opening)

    def show_reading(self) -> None:
        if self.is_composed and self._pane.listed is None:
            self._pane.show_instead("reading…")

    def _show_list(self, found: ReadList, own_changes: int) -> None:
        self.take_whether_any(any(found.datasets))
        self._pane.show_list(found)
        if own_changes != self._pane.own_changes:
            # It may have been read before a change that was written here meanwhile.
            self.want({Kind.SAMPLES})

    def _show_scores(self, scores: ReadScores) -> None:
        self._pane.show_scores(scores)
        rest_s = scores.due_s - monotonic()
        self.set_timer(max(rest_s, MIN_REST_S), self._add_scores_again)

    def _add_scores_again(self) -> None:
        """Add the scores up again if the number of samples has changed meanwhile."""
        if self._pane.has_scores_to_add:
            self.want({Kind.SAMPLES})

    def show_failure(self, reason: str) -> None:
        self.take_whether_any(False)
        self._pane.show_instead(fmt.unread(reason))

    # One sample ------------------------------------------------------------------------------

    @on(VirtualList.Chosen, "#samples")
    def open_under_cursor(self) -> None:
        pane = self._pane
        if (key := pane.rows.cursor_key) is None:
            return
        if key in pane.known:
            pane.open_sample(pane.known[key])
        else:
            self._find(key)

    @on(SampleView.StepWanted)
    def step_sample(self, event: SampleView.StepWanted) -> None:
        self._pane.rows.cursor += event.by
        self.open_under_cursor()

    def follow(self, target: Target, back_to: str) -> None:
        if isinstance(target, SampleTarget):
            self._back_to = back_to
            self._find(target)

    def _find(self, wanted: int | SampleTarget) -> None:
        """Open a sample by its key in the table, or the target that another tab leads to."""

        def read() -> Sample | None:
            if isinstance(wanted, int):
                return read_samples(self.run, [wanted]).get(wanted)
            return self.run.ask(sample_rows.detail, wanted)

        show = partial(self._open_found, is_followed=not isinstance(wanted, int))
        self.open_with(self.ask(read, show, self.show_failure, group="open"))

    def _open_found(self, sample: Sample | None, is_followed: bool) -> None:
        if sample is None:
            return
        rows = self._pane.rows
        if is_followed:
            rows.put_cursor(sample.rowid)
        # The cursor may have moved to another row meanwhile.
        if is_followed or sample.rowid == rows.cursor_key:
            self._pane.open_sample(sample)

    @on(SampleView.Left)
    def go_back(self) -> None:
        if self._back_to:
            self.flow.show_tab(self._back_to)
            self._back_to = ""

    # Actions ---------------------------------------------------------------------------------

    @on(Annotated.ReviewAsked)
    @work
    async def review(self, message: Annotated.ReviewAsked) -> None:
        from flowtui.screens.review.review import review

        await review(self.flow, self.store, self.run, message.source, message.undo)
        self.store_changed(frozenset({Kind.ANNOTATIONS}))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Bindings are also checked before the screen is composed; then there is no view.
        views = self.query(SampleView)
        if action in TABLE_ACTIONS and (not views or views.first().is_open):
            return False
        return super().check_action(action, parameters)

    def action_next_pane(self) -> None:
        pane = self._pane
        (pane.rows if pane.sets.has_focus else pane.sets).focus()

    def action_show_view(self, name: str) -> None:
        self._pane.select(replace(self._pane.selected, view=SamplesView[name]))

    async def action_filter(self) -> None:
        self._pane.filter_line.names_of = self._names
        await self._pane.action_filter()

    def _names(self) -> Sequence[str]:
        keys = self.run.ask(sample_keys.keys)
        return (*(key.name for key in keys), *(key.key for key in keys), *FILTER_WORDS)

    @work
    async def action_sort(self) -> None:
        pane = self._pane
        choices = [Choice(key, columns.title(key)) for key in (*pane.column_keys, "updated")]
        await pane.sort(choices, lambda key: "." in key)

    @work
    async def action_columns(self) -> None:
        pane = self._pane
        shown = list(pane.column_keys)
        with self.failures_told():
            chosen = await choose_columns(self, self.run, shown, pane.chosen)
            if chosen is not None:
                pane.choose(chosen)

    @work
    async def action_group(self) -> None:
        with self.failures_told():
            found = await choose_group(self, self.run, self._pane.selected)
            if found is not None:
                await self._pane.filter_line.open(found, is_typed=False)

    @work
    async def action_trace(self) -> None:
        if (sample := self._pane.sample) is not None:
            await go_to_trace(self.flow, sample)

    def action_strip(self) -> None:
        self._pane.action_strip()

    def action_copy(self) -> None:
        self._pane.action_copy()

    def action_copy_row(self) -> None:
        self._pane.action_copy_row()

    # Saving ----------------------------------------------------------------------------------

    @work
    async def action_export(self) -> None:
        from flowtui.reports.saving import file_stem
        from flowtui.screens.evals.saving import FORMATS

        pane = self._pane
        keys = [column.key for column in pane.rows.columns]
        stem = file_stem(self.run.name, pane.selected.dataset or "samples")
        self._saver = await self.export(stem, FORMATS, partial(self._save, pane.selected, keys))

    def _save(self, wanted: SamplesQuery, keys: Sequence[str], chosen: Export) -> str:
        from flowtui.screens.evals.saving import save

        condition, order = wanted.whole_condition, wanted.whole_order
        return save(self.run, wanted.dataset, condition, order, keys, chosen, self._say_progress)

    def _say_progress(self, done: int, total: int) -> None:
        note = f"saving {done:,} of {total:,}   Esc cancels"
        self.meanwhile(lambda: self._pane.show_note(note))

    def export_ended(self) -> None:
        self._saver = None
        self._pane.show_note("")

    def action_leave(self) -> None:
        if self._saver is not None:
            self._saver.cancel()
        else:
            super().action_leave()
