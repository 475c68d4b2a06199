"""Evals of a comparison: what became of the scores of the runs' samples, and which ones broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

from flowtui import format as fmt
from flowtui.screens.annotate.annotated import ANNOTATING, Annotated
from flowtui.screens.base import SHORT
from flowtui.screens.compare import evals_columns as columns
from flowtui.screens.compare.base import CompareScreen, CompareState
from flowtui.screens.compare.chosen_directions import chosen_directions
from flowtui.screens.compare.evals_notes import RunNotes
from flowtui.screens.compare.evals_reading import ComparedQuery, ComparisonReader, ReadComparison
from flowtui.screens.compare.evals_sample import ComparedSampleView
from flowtui.screens.dialogs.choose import Choice
from flowtui.screens.exporting import Exports
from flowtui.screens.record_list import RecordList
from flowtui.store.compare.joined_samples import JoinedBy
from flowtui.store.compare.run_set import ComparedRun
from flowtui.store.compare.sample_page import ComparedSample, page
from flowtui.store.compare.sample_views import DELTA, ID_COLUMN, ComparedOrder, ComparedView
from flowtui.store.compare.samples import by_direction
from flowtui.store.samples import keys as sample_keys
from flowtui.store.values import Kind
from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.frame.empty import EmptyText
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.view_line import ViewKey, ViewLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable

if TYPE_CHECKING:
    from flowtui.screens.compare.evals_review import RegressedReview
    from flowtui.screens.dialogs.export import Export
    from flowtui.store.filters import Condition

HINT = 'text, or an expression: B.scores.correct < A.scores.correct and topic = "refund"'
NONE_LOGGED = "None of these runs has evaluated samples."
VIEWS = {
    "6": ComparedView.ALL,
    "7": ComparedView.REGRESSED_FIRST,
    "8": ComparedView.IMPROVED_FIRST,
    "9": ComparedView.OUTPUTS_DIFFER,
    "0": ComparedView.ONLY_IN_ONE,
}
SHORT_TITLES = {ComparedView.OUTPUTS_DIFFER: "differ"}
TABLE_ACTIONS = (
    "filter", "sort", "show_view", "export", "join_by", "step_candidate",
    "choose_direction",
)  # fmt: skip
NARROW_BELOW = 100
FIRST_ROWS = 60
"""How many samples are read with the first list: more than a terminal shows."""
FILTER_WORDS = ("dataset_id", "annotated", "errors", "annotations.")


class CompareEvals(RecordList[ComparedQuery, ComparedSample], Exports, CompareScreen):
    """The fourth tab of a comparison: samples joined, what got worse first."""

    CSS_PATH = "evals.tcss"
    tab = "evals"
    rows_id = "samples"
    reads = frozenset({Kind.SAMPLES, Kind.ANNOTATIONS})
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
        Binding("tab", "next_run", "Run", key_display="Tab", id="compare_evals.run",
                tooltip="Annotate the sample in the other run"),
        Binding("shift+tab", "next_pane", "Scores", show=False, id="compare_evals.pane",
                tooltip="Switch between the scores and the samples. Scores are tested in pairs: "
                "pass-fail with McNemar's exact test, numbers with Wilcoxon's signed-rank test"),
        Binding("m", "choose_direction", "Better", show=False, id="compare_evals.direction",
                tooltip="Say whether higher or lower is better of the score under the cursor"),
        Binding("J", "join_by", "Join", show=False, id="compare_evals.join",
                tooltip="Join the samples on equal inputs instead of on their ids, or back"),
        Binding("t", "trace", "Trace", show=False, id="compare_evals.trace",
                tooltip="Show the traces of the sample in both runs, side by side"),
        Binding("x", "export", "Export", show=False, id="compare_evals.export",
                tooltip="Save the table with the focus as CSV, JSON lines or Markdown"),
        Binding("y", "copy", "Copy id", show=False, id="compare_evals.copy",
                tooltip="Copy the sample's id"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="compare_evals.copy_row",
                tooltip="Copy the sample in all runs as JSON"),
        *Annotated.BINDINGS,
    ]  # fmt: skip

    def __init__(self, state: CompareState) -> None:
        super().__init__(state)
        self.selected = ComparedQuery(letter=state.candidate)
        self.known: dict[int, ComparedSample] = {}
        self.listed: ReadComparison | None = None
        self.noted = state.candidate
        """The letter of the run that is annotated."""
        self._comparison = ComparisonReader(self.runs)
        self._changes = Counter(run.letter for run in self.runs.runs)
        """How often the samples of a run may have changed, by letter."""
        self._read_changes: Counter[str] = Counter()
        """The same, as of what was read last."""
        self._whole: set[str] = set()
        """The letters of the runs of which everything is to be read again."""
        self.higher = by_direction(chosen_directions())
        """Says of a score what is better, as far as its name or the person has said so."""
        self._late: Timer | None = None
        """The timer that ends the rest before added samples are joined."""
        self._saver: Worker[None] | None = None

    def compose_tab(self) -> Iterable[Widget]:
        yield VirtualTable(id="scores")
        yield OneLine(id="tested")
        yield OneLine(id="joined")
        titles = {key: SHORT_TITLES.get(view, view.value) for key, view in VIEWS.items()}
        yield ViewLine([ViewKey(key, title) for key, title in titles.items()], id="views")
        yield VirtualTable(id="samples")
        yield EmptyText(id="empty")
        yield ComparedSampleView(self.runs, id="sample")
        yield FilterLine(HINT, history="compare_evals", id="filter")

    def on_mount(self) -> None:
        if not self.is_composed:
            return
        for run in self.runs.runs:
            self.view.notes(run.letter).source = partial(self._review_source, run)
        self.view.display = False
        self._show_instead("")

    @property
    def view(self) -> ComparedSampleView:
        return self.query_one(ComparedSampleView)

    @property
    def scores(self) -> VirtualTable:
        return self.query_one("#scores", VirtualTable)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        whole = frozenset(self._whole)
        is_due = whole or self._rest_s <= 0
        changes = Counter(self._changes if is_due else self._read_changes)
        stale = {letter for letter, n in changes.items() if n != self._read_changes[letter]}
        # With the first samples in the list, the table need not be drawn empty and ask for them.
        first_rows = FIRST_ROWS if self.listed is None else 0
        found = self._comparison.read(self.selected, self.higher, stale, whole, first_rows)
        yield partial(self._take, found, changes, whole)

    def _take(self, found: ReadComparison, changes: Counter[str], whole: frozenset[str]) -> None:
        self._read_changes = changes
        self._whole -= whole
        if found.wanted == self.selected:
            self._show_list(found)
        if self._read_changes != self._changes:
            self._read_late()

    @on(VirtualTable.RowsNeeded, "#samples")
    def read_rows(self, event: VirtualTable.RowsNeeded) -> None:
        if (listed := self.listed) is not None:
            of = listed.of
            question = partial(page, self.runs, of.samples, event.keys, (0, of.candidate))
            self.ask(question, self.show_records, group="rows", replaces=False)

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
        return 0.0 if self.listed is None else self.listed.due_s - monotonic()

    def _read_late(self) -> None:
        """Read what was added when its rest is over."""
        if self._late is None:
            self._late = self.set_timer(max(self._rest_s, 0.0), self._end_rest)

    def _end_rest(self) -> None:
        self._late = None
        self.want({Kind.SAMPLES})

    @property
    def has_content(self) -> bool:
        return (
            self.is_composed and self.listed is not None and (self.listed.wanted == self.selected)
        )

    @property
    def is_opening(self) -> bool:
        return super().is_opening or (self.is_composed and self.view.is_opening)

    def show_reading(self) -> None:
        if self.is_composed and self.listed is None:
            self._show_instead("reading…")

    def show_failure(self, reason: str) -> None:
        self._show_instead(f"✗ {fmt.plain(reason)}\n\nr tries again.")

    # Showing ---------------------------------------------------------------------------------

    def _show_list(self, found: ReadComparison) -> None:
        is_new = found.wanted.begins_at_top(None if self.listed is None else self.listed.wanted)
        is_other = self.listed is not None and self.listed.wanted.by is not found.wanted.by
        is_other_letter = self.listed is None or self.listed.of.letter != found.of.letter
        self.listed = found
        if is_other or is_other_letter:
            self.known.clear()
            # The cells that the table holds are of other samples with these numbers.
            self.rows.set_columns(())
        self._fill_scores()
        self._fill_columns()
        self.rows.show_keys(found.numbers, is_new=is_new or is_other)
        if found.first:
            self.show_records(found.first)
        else:
            self.rows.read_again()
        outcomes = found.of.outcomes
        worse, better = outcomes.regressed_count(), outcomes.improved_count()
        is_known = found.of.letter not in found.problems
        self.tell_count(f"{worse:,} worse {better:,} better" if is_known else "✗")
        self._show_note("")
        self.query_one("#joined", OneLine).show(joined_line(found))
        self.filter_line.remark(found.remarks)
        self._show_instead(self._why_none(found))
        if self.view.number is not None:
            # Not what is under the cursor: the open sample may not be in the list any more.
            self._open(self.view.number)

    def _why_none(self, found: ReadComparison) -> str:
        if (why := found.problems.get(found.of.letter)) is not None:
            return f"✗ {found.of.letter}: {fmt.plain(str(why))}\n\nr tries again."
        if found.numbers:
            return ""
        samples = found.samples
        if not samples.sample_count(0) and not samples.sample_count(found.of.candidate):
            return NONE_LOGGED
        if found.wanted.condition is not None:
            return "None of the samples match. / changes the filter."
        return f"No sample is in this view ({found.wanted.view.value}). 6 shows all of them."

    def _fill_scores(self) -> None:
        if (listed := self.listed) is None:
            return
        scores = listed.of.scores
        shown = columns.score_columns(scores, listed.of.letter)
        self.scores.set_columns(shown)
        self.scores.show_keys(range(len(scores)))
        self.scores.fill({at: columns.score_cells(one, shown) for at, one in enumerate(scores)})
        self._show_test()

    @on(VirtualList.CursorMoved, "#scores")
    def _show_test(self) -> None:
        """Show the test of the score under the cursor in words."""
        scores = () if self.listed is None else self.listed.of.scores
        at = self.scores.cursor
        line = columns.tested_line(scores[at]) if at < len(scores) else []
        self.query_one("#tested", OneLine).show(line)

    def _fill_columns(self) -> None:
        if (listed := self.listed) is None:
            return
        wanted = listed.wanted
        has_sets = wanted.dataset is None and len(listed.samples.datasets()) > 1
        self.rows.set_columns(
            columns.sample_columns(listed.of.scores, listed.of.letter, self.size.width, has_sets)
        )
        self.rows.sorted_by = (wanted.order.column, wanted.order.descending)

    def fill(self, records: Mapping[int, ComparedSample]) -> None:
        if (listed := self.listed) is None:
            return
        of, shown = listed.of, self.rows.columns
        self.rows.fill(
            {
                number: columns.sample_cells(
                    one, shown, of.candidate, self.higher, of.letter, self.size.width
                )
                for number, one in records.items()
            }
        )

    def show_records(self, records: Mapping[int, ComparedSample]) -> None:
        super().show_records(records)
        self._take_target()

    def _show_note(self, note: str) -> None:
        """Show a note above the table; with an empty note, show how many samples there are."""
        if (listed := self.listed) is None:
            return
        shown, total = len(listed.numbers), listed.all_count
        count = f"{shown:,}" if shown == total else f"{shown:,} of {total:,}"
        if self.size.width >= NARROW_BELOW:
            count = fmt.count(total, "sample") if shown == total else count
        if listed.wanted.dataset is not None:
            count = f"{fmt.plain(listed.wanted.dataset, 40)}   {count}"
        count = f"{count}   ✎ {self.noted}"
        key = next(key for key, view in VIEWS.items() if view is listed.wanted.view)
        self.query_one(ViewLine).show_view(key, note or count)

    def _show_instead(self, text: str) -> None:
        """Show the table, or a text in its place; if a sample is open, show only the sample."""
        is_open = self.view.is_open
        has_rows = self.listed is not None and not (text and self.listed.problems)
        if text and self.rows.has_focus:
            # Otherwise Textual moves the focus to the scores when the table is hidden.
            self.set_focus(None)
        empty = self.query_one(EmptyText)
        empty.show(text)
        empty.display = bool(text) and not is_open
        self.view.display = is_open
        self.rows.display = not text and not is_open
        lines = (self.query_one(f"#{name}") for name in ("scores", "tested", "joined", "views"))
        for part in lines:
            part.display = has_rows and not is_open
        if self.rows.display and self.focused is None:
            self.set_focus(self.rows)

    def on_resize(self) -> None:
        if self.is_composed and self.listed is not None:
            self._fill_scores()
            self._fill_columns()
            self.fill(self.known)

    # Which samples ---------------------------------------------------------------------------

    def read_selected(self) -> None:
        self.want({Kind.SAMPLES})

    def candidate_changed(self) -> None:
        if self.noted != self.runs.baseline.letter:
            self.noted = self.candidate
        self.select(replace(self.selected, letter=self.candidate))

    def on_screen_resume(self) -> None:
        # Another tab may have taken another candidate meanwhile.
        if self.is_composed and self.selected.letter != self.candidate:
            self.candidate_changed()

    def condition_of(self, text: str) -> Condition:
        from flowtui.store.compare.sample_filter import compared_condition

        letters = [run.letter for run in self.runs.runs]
        return compared_condition(text, letters)  # type: ignore[return-value]

    def with_order(self, column: str, descending: bool) -> ComparedQuery:
        return replace(self.selected, order=ComparedOrder(column, descending))

    def action_show_view(self, name: str) -> None:
        self.select(replace(self.selected, view=ComparedView[name], order=ComparedOrder()))

    @on(ViewLine.Picked)
    def pick_view(self, event: ViewLine.Picked) -> None:
        self.action_show_view(VIEWS[event.key].name)

    @on(VirtualList.Chosen, "#scores")
    def choose_set(self, event: VirtualList.Chosen) -> None:
        """Show the samples of the set, sorted by the change of the score; worst first."""
        if (listed := self.listed) is None:
            return
        score = listed.of.scores[event.index]
        order = ComparedOrder(f"{DELTA}{score.name}", score.higher is False)
        self.select(replace(self.selected, dataset=score.dataset, order=order))
        self.rows.focus()

    @work
    async def action_choose_direction(self) -> None:
        from flowtui.screens.compare.chosen_directions import ask_direction

        if (listed := self.listed) is None or not listed.of.scores:
            return
        if await ask_direction(self.flow, listed.of.scores[self.scores.cursor].name):
            self.higher = by_direction(chosen_directions())
            self._comparison.compare_anew()
            self.read_selected()

    def action_join_by(self) -> None:
        is_by_key = self.selected.by is JoinedBy.KEY
        by = JoinedBy.INPUTS if is_by_key else JoinedBy.KEY
        self.select(replace(self.selected, by=by))

    async def action_filter(self) -> None:
        self.filter_line.names_of = self._names
        await super().action_filter()

    def _names(self) -> Sequence[str]:
        keys = self.runs.baseline.run.ask(sample_keys.keys)
        letters = [run.letter for run in self.runs.runs]
        prefixed = [f"{letter}.{key.name}" for letter in letters for key in keys]
        return (*prefixed, *(key.name for key in keys), *FILTER_WORDS)

    @work
    async def action_sort(self) -> None:
        if (listed := self.listed) is None:
            return
        directions = {one.name: one.higher for one in listed.of.scores}
        choices = [Choice(f"{DELTA}{name}", f"Δ {fmt.plain(name, 60)}") for name in directions]
        choices.append(Choice(ID_COLUMN, "id"))

        def falls(column: str) -> bool:
            return directions.get(column.removeprefix(DELTA)) is False

        await self.sort(choices, falls)

    # One of them -----------------------------------------------------------------------------

    @on(VirtualList.Chosen, "#samples")
    def open_under_cursor(self) -> None:
        self._open_under_cursor()

    def _open_under_cursor(self) -> None:
        if (number := self.rows.cursor_key) is not None:
            self._open(number)

    def _open(self, number: int) -> None:
        if (listed := self.listed) is None:
            return
        was_open = self.view.is_open
        at = self.rows.place_of(number)
        parts = ["not in the list any more"]
        if at is not None:
            view = listed.wanted.view.value
            parts = [f"sample {at + 1:,} of {len(listed.numbers):,} · {view}"]
        if dataset := fmt.plain(listed.samples.key(number)[0], 40):
            parts.append(f"set {dataset}")
        self.view.open(listed, number, self.higher, "   ".join(parts))
        self._take_target()
        if not was_open:
            self.view.show_notes(self.noted)
            self.filter_line.remove_class("-open")
            self._show_instead("")
            self.view.document.focus()

    @on(ComparedSampleView.StepWanted)
    def step_sample(self, event: ComparedSampleView.StepWanted) -> None:
        if (listed := self.listed) is None:
            return
        place = self.rows.cursor + event.by
        while 0 <= place < len(listed.numbers):
            if self._is_about(listed, listed.numbers[place]):
                self.rows.cursor = place
                self._open_under_cursor()
                return
            place += event.by
        words = "next" if event.by > 0 else "earlier"
        self.notify(f"There is no {words} sample of this kind in the list.", timeout=2)

    def _is_about(self, listed: ReadComparison, number: int) -> bool:
        """Say whether the view is about a sample, or lists it only after those that it is about."""
        match listed.wanted.view:
            case ComparedView.IMPROVED_FIRST:
                return listed.of.outcomes.better[number] > 0
            case ComparedView.REGRESSED_FIRST | ComparedView.ALL:
                return listed.of.outcomes.worse[number] > 0
            case _:
                return True

    @on(ComparedSampleView.Left)
    def close_sample(self) -> None:
        self.filter_line.set_class(bool(self.filter_line.text), "-open")
        self._show_instead("" if self.listed is None else self._why_none(self.listed))
        self.on_filter_line_left()
        self._take_target()

    @property
    def _sample(self) -> ComparedSample | None:
        """The open sample, or the one under the cursor."""
        if self.view.is_open:
            return None if self.view.read is None else self.view.read.sample
        return self.record

    def action_trace(self) -> None:
        if (sample := self._sample) is None:
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

    # Annotating ------------------------------------------------------------------------------

    @on(VirtualList.CursorMoved, "#samples")
    def _take_target(self) -> None:
        """Have the sample under the cursor annotated, in the run that is annotated."""
        sample = self.record
        for at, run in enumerate(self.runs.runs):
            of = None if sample is None else sample.samples[at]
            if not self.view.is_open:
                self.view.notes(run.letter).take(None if of is None else of.target)

    def action_next_run(self) -> None:
        letters = [run.letter for run in self.runs.runs]
        if not self.view.is_open:
            letters = [letters[0], self.candidate]
        at = letters.index(self.noted) + 1 if self.noted in letters else 0
        self.noted = letters[at % len(letters)]
        self.view.show_notes(self.noted)
        self._show_note("")

    @property
    def _notes(self) -> RunNotes:
        return self.view.notes(self.noted)

    def _may_annotate(self) -> bool:
        if self._sample is not None and self._notes.target is None and not self._notes.why_not:
            words = f"This sample is not in {self.noted}. Tab takes another run."
            self.notify(words, severity="warning", timeout=5)
            return False
        return True

    def action_give_feedback(self, value: bool) -> None:
        if self._may_annotate():
            self._notes.action_give_feedback(value)

    async def action_annotate(self) -> None:
        if self._may_annotate():
            await self._notes.action_annotate()

    async def action_edit_annotation(self) -> None:
        if self._may_annotate():
            await self._notes.action_edit_annotation()

    async def action_delete_annotation(self) -> None:
        if self._may_annotate():
            await self._notes.action_delete_annotation()

    def action_undo_annotation(self) -> None:
        self._notes.action_undo_annotation()

    def action_review(self) -> None:
        self._notes.action_review()

    @on(RunNotes.Counted)
    def show_count(self, event: RunNotes.Counted) -> None:
        """Show how many annotations a sample has now."""
        at = [run.letter for run in self.runs.runs].index(event.letter)
        noted: dict[int, ComparedSample] = {}
        for number, one in self.known.items():
            of = one.samples[at]
            if of is not None and of.target == event.target:
                changed = replace(of, annotation_count=event.count)
                others = (*one.samples[:at], changed, *one.samples[at + 1 :])
                noted[number] = replace(one, samples=others)
        self.show_records(noted)
        if self.selected.asks_annotations:
            self.read_selected()

    def _review_source(self, run: ComparedRun) -> RegressedReview | None:
        from flowtui.screens.compare.evals_review import RegressedReview

        if (listed := self.listed) is None:
            return None
        worse = listed.of.outcomes.worse
        regressed = [number for number in listed.numbers if worse[number] > 0]
        user = self.flow.options.user
        return RegressedReview(self.runs, run, listed, regressed, self.higher, user)

    @on(Annotated.ReviewAsked)
    @work
    async def review(self, message: Annotated.ReviewAsked) -> None:
        from flowtui.screens.review.review import review

        judged: ComparedRun = message.source.judged  # type: ignore[attr-defined]
        await review(self.flow, judged.store, judged.run, message.source, message.undo)
        self.store_changed({judged.letter: frozenset({Kind.ANNOTATIONS})})

    # Actions ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Bindings are also checked before the screen is composed; then there is no view.
        views = self.query(ComparedSampleView)
        if not views or (action in TABLE_ACTIONS and views.first().is_open):
            return False
        if action in ANNOTATING and any(field.has_focus for field in self.query("Input")):
            return False
        return super().check_action(action, parameters)

    def action_next_pane(self) -> None:
        if self.view.is_open:
            self.view.next_pane()
        else:
            (self.rows if self.scores.has_focus else self.scores).focus()

    def id_of(self, record: ComparedSample) -> str:
        return record.key[1]

    def action_copy_row(self) -> None:
        if (sample := self._sample) is not None:
            from flowtui.reports.runs import dumps

            self.flow.copy(dumps(self.document_of(sample)))

    def document_of(self, record: ComparedSample) -> object:
        from flowtui.reports.comparison.samples import compared_document

        return compared_document([run.letter for run in self.runs.runs], record)

    @work
    async def action_export(self) -> None:
        from flowtui.reports.comparison.samples import save_samples, save_scores
        from flowtui.reports.saving import file_stem
        from flowtui.screens.evals.saving import FORMATS

        if (listed := self.listed) is None:
            return
        of = listed.of
        names = [self.runs.baseline.run.name, self.state.looked_at.run.name]
        if self.scores.has_focus:

            def save(chosen: Export) -> str:
                return save_scores(of, chosen.format_key, chosen.path)

            stem = file_stem("-".join(names), "scores")
        else:

            def save(chosen: Export) -> str:
                return save_samples(
                    self.runs, of, listed.numbers, self.higher, chosen.format_key, chosen.path,
                    self._say_progress,
                )  # fmt: skip

            stem = file_stem("-".join(names), "samples")
        self._saver = await self.export(stem, FORMATS, save)

    def _say_progress(self, done: int, total: int) -> None:
        note = f"saving {done:,} of {total:,}   Esc cancels"
        self.meanwhile(lambda: self._show_note(note))

    def export_ended(self) -> None:
        self._saver = None
        self._show_note("")

    def action_leave(self) -> None:
        if self._saver is not None:
            self._saver.cancel()
        else:
            super().action_leave()


def joined_line(found: ReadComparison) -> Line:
    """Return what was joined how, how many scores were tested, and what to know about both."""
    samples, of = found.samples, found.of
    shared = samples.shared(of.candidate)
    on_what = "set and id" if samples.by is JoinedBy.KEY else "equal inputs"
    pieces = [Piece(f" {shared:,} joined on {on_what}", "muted")]
    if samples.offers_inputs(of.candidate):
        words = "fewer than half: J joins on equal inputs"
        pieces.append(Piece(f" · {words}", "attention"))
    elif samples.by is JoinedBy.INPUTS:
        pieces.append(Piece(" · J joins on ids again", "muted"))
    only = [(samples.sample_count(at) - shared, letter)
            for at, letter in ((0, "A"), (of.candidate, of.letter))]  # fmt: skip
    pieces += [
        Piece(f" · {count:,} only in {letter}", "attention") for count, letter in only if count
    ]
    if of.tested_count:
        pieces.append(Piece(f" · {fmt.count(of.tested_count, 'score')} tested", "muted"))
    if samples.doubled:
        keys = fmt.count(samples.doubled, "key occurs", "keys occur")
        pieces.append(Piece(f" · {keys} more than once: paired in order", "attention"))
    unreadable = sum(len(run.unreadable) for run in samples.runs if run is not None)
    if unreadable:
        words = fmt.count(unreadable, "sample has scores", "samples have scores")
        pieces.append(Piece(f" · ▲ {words} that cannot be read", "attention"))
    for letter, why in found.problems.items():
        pieces.append(Piece(f" · ✗ {letter}: {fmt.plain(str(why), 120)}", "error"))
    return pieces
