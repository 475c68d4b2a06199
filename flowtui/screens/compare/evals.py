"""Evals of a comparison: what became of the scores of the runs' samples, and which ones broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

from flowtui import format as fmt
from flowtui.screens.annotate.annotated import Annotated
from flowtui.screens.base import SHORT
from flowtui.screens.compare.base import CompareScreen, CompareState
from flowtui.screens.compare.chosen_directions import chosen_directions
from flowtui.screens.compare.evals_pane import NARROW_BELOW, VIEWS, ComparedPane
from flowtui.screens.compare.evals_reading import ComparisonReader, ReadComparison
from flowtui.screens.compare.evals_sample import ComparedSampleView
from flowtui.screens.dialogs.choose import Choice
from flowtui.screens.exporting import Exports
from flowtui.store.compare.run_set import ComparedRun
from flowtui.store.compare.sample_page import page
from flowtui.store.compare.sample_views import DELTA, ID_COLUMN, ComparedView
from flowtui.store.compare.samples import by_direction
from flowtui.store.compare.significance import EXACT_BELOW, FEWEST_DISCORDANT
from flowtui.store.errors import StoreError
from flowtui.store.samples import keys as sample_keys
from flowtui.store.values import Kind
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable

if TYPE_CHECKING:
    from flowtui.screens.dialogs.export import Export

TABLE_ACTIONS = frozenset({
    "filter", "sort", "show_view", "export", "join_by", "choose_direction",
})  # fmt: skip
FIRST_ROWS = 60
"""How many samples are read with the first list: more than a terminal shows."""
METHOD = (
    "Each score is tested over the samples that both runs have, two-sided. True and false:"
    " McNemar's exact test of the pairs that differ. Numbers: Wilcoxon's signed-rank test, exact"
    f" below {EXACT_BELOW} pairs that differ, else its normal form, corrected for ties. With fewer"
    f" than {FEWEST_DISCORDANT} pairs that differ there are too few to tell. p is how often chance"
    " alone would make a difference as large; of many scores tested, some look unlikely by chance."
)
FILTER_WORDS = ("dataset_id", "annotated", "errors", "annotations.")


class CompareEvals(Exports, CompareScreen):
    """The fourth tab of a comparison: samples joined, what got worse first."""

    CSS_PATH = "evals.tcss"
    tab = "evals"
    reads = frozenset({Kind.SAMPLES, Kind.ANNOTATIONS})
    needs_records = TABLE_ACTIONS
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (NARROW_BELOW, "-normal"),
    ]
    VERTICAL_BREAKPOINTS = SHORT  # an instance's, as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="compare_evals.filter",
                tooltip="Filter by text or an expression: A.x is of run A, x of any run"),
        Binding("s", "sort", "Sort", id="compare_evals.sort",
                tooltip="Sort by the change of a score; again: reverse"),
        *(
            Binding(key, f"show_view('{view.name}')", view.value.capitalize(), show=False,
                    id=f"compare_evals.view_{view.name.lower()}",
                    tooltip=f"Show the samples: {view.value}")
            for key, view in VIEWS.items()
        ),
        Binding("shift+tab", "next_pane", "Scores", show=False, id="compare_evals.pane",
                tooltip="Switch between the scores and the samples"),
        Binding("T", "tell_tests", "Tests", show=False, id="compare_evals.tests",
                tooltip="Tested by McNemar (pass-fail) and Wilcoxon (numbers): say how"),
        Binding("m", "choose_direction", "Better", show=False, id="compare_evals.direction",
                tooltip="Say whether higher or lower is better of this score"),
        Binding("J", "join_by", "Join", show=False, id="compare_evals.join",
                tooltip="Join on equal inputs instead of on ids, or back"),
        Binding("t", "trace", "Trace", show=False, id="compare_evals.trace",
                tooltip="Show the traces of the sample in both runs, side by side"),
        Binding("x", "export", "Export", show=False, id="compare_evals.export",
                tooltip="Save the table with the focus as CSV, JSON lines or Markdown"),
        Binding("y", "copy", "Copy id", show=False, id="compare_evals.copy",
                tooltip="Copy the sample's id"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="compare_evals.copy_row",
                tooltip="Copy the sample in all runs as JSON"),
    ]  # fmt: skip

    def __init__(self, state: CompareState) -> None:
        super().__init__(state)
        self._comparison = ComparisonReader(self.runs)
        self._changes = Counter(run.letter for run in self.runs.runs)
        """How often the samples of a run may have changed, by letter."""
        self._read_changes: Counter[str] = Counter()
        """The same, as of what was read last."""
        self._whole: set[str] = set()
        """The letters of the runs of which everything is to be read again."""
        self._late: Timer | None = None
        """The timer that ends the rest before added samples are joined."""
        self._saver: Worker[None] | None = None

    def compose_tab(self) -> Iterable[Widget]:
        yield ComparedPane(self.state, id="pane")

    @property
    def pane(self) -> ComparedPane:
        return self.query_one(ComparedPane)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        pane, whole = self.pane, frozenset(self._whole)
        is_due = whole or self._rest_s <= 0
        changes = Counter(self._changes if is_due else self._read_changes)
        stale = {letter for letter, n in changes.items() if n != self._read_changes[letter]}
        # With the first samples in the list, the table need not be drawn empty and ask for them.
        first_rows = FIRST_ROWS if pane.listed is None else 0
        found = self._comparison.read(pane.selected, pane.higher, stale, whole, first_rows)
        yield partial(self._take, found, changes, whole)
        if found.of.differing_inputs is None:
            yield partial(pane.show_inputs, self._comparison.with_inputs(found))

    def _take(self, found: ReadComparison, changes: Counter[str], whole: frozenset[str]) -> None:
        self._read_changes = changes
        self._whole -= whole
        if self.pane.listed is None and self._look_at_a_readable_one(found.problems):
            return
        self.pane.show_list(found)
        self.take_whether_any(bool(found.all_count))
        if found.problems:
            self.offer_again()
        outcomes = found.of.outcomes
        worse, better = outcomes.regressed_count(), outcomes.improved_count()
        is_known = found.of.letter not in found.problems
        if is_known:
            self.tell_count(f"{worse:,} worse {better:,} better", f"{worse:,}✗ {better:,}✓")
        else:
            self.tell_count("✗")
        if self._read_changes != self._changes:
            self._read_late()

    def _look_at_a_readable_one(self, problems: Mapping[str, StoreError]) -> bool:
        """Look at the first candidate that can be read, if nobody has chosen another than B."""
        letters = [run.letter for run in self.runs.candidates]
        readable = next((letter for letter in letters if letter not in problems), None)
        if self.candidate != letters[0] or letters[0] not in problems or readable is None:
            return False
        self.state.candidate = readable
        self.show_state()
        self.candidate_changed()
        return True

    @on(ComparedPane.Selected)
    def read_selected(self) -> None:
        self.want({Kind.SAMPLES})

    @on(VirtualTable.RowsNeeded, "#samples")
    def read_rows(self, event: VirtualTable.RowsNeeded) -> None:
        if (listed := self.pane.listed) is not None:
            of = listed.of
            question = partial(page, self.runs, of.samples, event.keys, (0, of.candidate))
            self.ask(question, self.pane.show_records, group="rows", replaces=False)

    def store_changed(self, changed: Mapping[str, frozenset[Kind]]) -> None:
        for letter, kinds in changed.items():
            if Kind.SAMPLES in kinds:
                self._changes[letter] += 1
            if kinds >= self.reads:
                # So it is when a person asks for a look. The watch reports what was added.
                self._whole.add(letter)
        is_of_samples_alone = all(
            kinds & self.reads <= {Kind.SAMPLES} for kinds in changed.values()
        )
        if is_of_samples_alone and not self._whole and self._rest_s > 0:
            self._read_late()
        else:
            super().store_changed(changed)

    @property
    def _rest_s(self) -> float:
        """How long samples that are added are not joined again, so that this takes few cycles."""
        listed = self.pane.listed if self.is_composed else None
        return 0.0 if listed is None else listed.due_s - monotonic()

    def _read_late(self) -> None:
        """Read what was added when its rest is over."""
        if self._late is None:
            self._late = self.set_timer(max(self._rest_s, 0.0), self._end_rest)

    def _end_rest(self) -> None:
        self._late = None
        self.want({Kind.SAMPLES})

    @property
    def has_content(self) -> bool:
        return self.is_composed and self.pane.shows_what_is_selected

    @property
    def is_opening(self) -> bool:
        return super().is_opening or (self.is_composed and self.pane.view.is_opening)

    def show_reading(self) -> None:
        if self.is_composed and self.pane.listed is None:
            self.pane.show_instead("reading…")

    def show_failure(self, reason: str) -> None:
        self.pane.show_instead(fmt.unread(reason))

    # Which samples ---------------------------------------------------------------------------

    @property
    def steps_candidates(self) -> bool:
        # In an open sample these keys take another sample.
        return super().steps_candidates and not self.pane.view.is_open

    @on(VirtualList.Chosen, "#samples")
    @on(ComparedSampleView.Left)
    def show_what_keys_do(self) -> None:
        self.show_state()

    def candidate_changed(self) -> None:
        self.pane.show_candidate(self.candidate)

    def on_screen_resume(self) -> None:
        # Another tab may have taken another candidate meanwhile.
        if self.is_composed and self.pane.selected.letter != self.candidate:
            self.candidate_changed()

    def action_show_view(self, name: str) -> None:
        self.pane.show_view(ComparedView[name])

    def action_join_by(self) -> None:
        self.pane.join_otherwise()

    def action_tell_tests(self) -> None:
        self.notify(METHOD, title="Tests of scores", timeout=20, markup=False)

    def action_next_pane(self) -> None:
        self.pane.next_pane()

    async def action_filter(self) -> None:
        self.pane.filter_line.names_of = self._names
        await self.pane.action_filter()

    def _names(self) -> Sequence[str]:
        keys = self.runs.baseline.run.ask(sample_keys.keys)
        letters = [run.letter for run in self.runs.runs]
        prefixed = [f"{letter}.{key.name}" for letter in letters for key in keys]
        return (*prefixed, *(key.name for key in keys), *FILTER_WORDS)

    @work
    async def action_sort(self) -> None:
        if (listed := self.pane.listed) is None:
            return
        directions = {one.name: one.higher for one in listed.of.scores}
        choices = [Choice(f"{DELTA}{name}", f"Δ {fmt.plain(name, 60)}") for name in directions]
        choices.append(Choice(ID_COLUMN, "id"))

        def falls(column: str) -> bool:
            return directions.get(column.removeprefix(DELTA)) is False

        await self.pane.sort(choices, falls)

    @work
    async def action_choose_direction(self) -> None:
        from flowtui.screens.compare.chosen_directions import ask_direction

        pane = self.pane
        if (listed := pane.listed) is None or not listed.of.scores:
            return
        if await ask_direction(self.flow, listed.of.scores[pane.scores.cursor].name):
            pane.higher = by_direction(chosen_directions())
            self._comparison.compare_anew()
            self.read_selected()

    # Actions ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Bindings are also checked before the screen is composed; then there is no view.
        views = self.query(ComparedSampleView)
        if not views or (action in TABLE_ACTIONS and views.first().is_open):
            return False
        return super().check_action(action, parameters)

    @on(Annotated.ReviewAsked)
    @work
    async def review(self, message: Annotated.ReviewAsked) -> None:
        from flowtui.screens.review.review import review

        judged: ComparedRun = message.source.judged  # type: ignore[attr-defined]
        await review(self.flow, judged.store, judged.run, message.source, message.undo)
        self.store_changed({judged.letter: frozenset({Kind.ANNOTATIONS})})

    def action_trace(self) -> None:
        if (sample := self.pane.sample) is None:
            return
        looked_at = (self.runs.baseline.letter, self.candidate)
        traces = {
            run.letter: of.trace_ids[0]
            for run, of in zip(self.runs.runs, sample.samples, strict=True)
            if run.letter in looked_at and of is not None and of.trace_ids
        }
        if traces:
            self.flow.compare_traces(traces)
        else:
            self.notify("No trace is linked to this sample.", timeout=2)

    def action_copy(self) -> None:
        self.pane.action_copy()

    def action_copy_row(self) -> None:
        if (sample := self.pane.sample) is not None:
            from flowtui.reports.runs import dumps

            self.flow.copy(dumps(self.pane.document_of(sample)))

    @work
    async def action_export(self) -> None:
        from flowtui.reports.comparison.samples import save_samples, save_scores
        from flowtui.reports.saving import file_stem
        from flowtui.screens.evals.saving import FORMATS

        pane = self.pane
        if (listed := pane.listed) is None:
            return
        has_scores = pane.scores.has_focus

        def save(chosen: Export) -> str:
            if has_scores:
                return save_scores(listed.of, chosen.format_key, chosen.path)
            return save_samples(
                self.runs, listed.of, listed.numbers, pane.higher, chosen.format_key, chosen.path,
                self._say_progress,
            )  # fmt: skip

        names = f"{self.runs.baseline.run.name}-{self.state.looked_at.run.name}"
        stem = file_stem(names, "scores" if has_scores else "samples")
        self._saver = await self.export(stem, FORMATS, save)

    def _say_progress(self, done: int, total: int) -> None:
        note = f"saving {done:,} of {total:,}   Esc cancels"
        self.meanwhile(lambda: self.pane.show_note(note))

    def export_ended(self) -> None:
        self._saver = None
        self.pane.show_note("")

    def action_leave(self) -> None:
        if self._saver is not None:
            self._saver.cancel()
        else:
            super().action_leave()
