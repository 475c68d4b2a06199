"""The content of a comparison's Evals tab: scores by set and joined samples, or one sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.compare import evals_columns as columns
from flowtui.screens.compare.base import CompareState
from flowtui.screens.compare.chosen_directions import chosen_directions
from flowtui.screens.compare.evals_annotating import AnnotatingRuns, with_count
from flowtui.screens.compare.evals_notes import RunNotes
from flowtui.screens.compare.evals_reading import ComparedQuery, ReadComparison
from flowtui.screens.compare.evals_sample import ComparedSampleView
from flowtui.screens.record_list import RecordList
from flowtui.store.compare.joined_samples import JoinedBy
from flowtui.store.compare.run_set import ComparedRun
from flowtui.store.compare.sample_page import ComparedSample
from flowtui.store.compare.sample_views import DELTA, ComparedOrder, ComparedView
from flowtui.store.compare.samples import by_direction
from flowtui.widgets.frame.empty import EmptyText
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.view_line import ViewKey, ViewLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable

if TYPE_CHECKING:
    from flowtui.screens.compare.evals_review import RegressedReview
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
NARROW_BELOW = 100


class ComparedPane(RecordList[ComparedQuery, ComparedSample], AnnotatingRuns):
    """Shows joined samples. Posts `Selected` when other samples are to be read."""

    rows_id = "samples"

    @dataclass
    class Selected(Message):
        """Sent by ComparedPane when other samples are selected, or another order of them."""

    def __init__(self, state: CompareState, *, id: str | None = None) -> None:
        super().__init__(state, id=id)
        self.selected = ComparedQuery(letter=state.candidate)
        self.known: dict[int, ComparedSample] = {}
        self.listed: ReadComparison | None = None
        self._score_names: list[tuple[str | None, str]] = []
        """The set and the name of each score in the upper table."""
        self.higher = by_direction(chosen_directions())
        """Says of a score what is better, as far as its name or the person has said so."""

    def compose(self) -> Iterable[Widget]:
        yield VirtualTable(id="scores")
        yield OneLine(id="tested")
        yield OneLine(id="joined")
        titles = {key: SHORT_TITLES.get(view, view.value) for key, view in VIEWS.items()}
        yield ViewLine([ViewKey(key, title) for key, title in titles.items()], id="views")
        yield VirtualTable(id="samples")
        yield EmptyText(id="empty")
        yield ComparedSampleView(self.state.runs, self.jobs, id="sample")
        yield FilterLine(HINT, history="compare_evals", id="filter")

    def on_mount(self) -> None:
        for run in self.state.runs.runs:
            self.view.notes(run.letter).source = partial(self._review_source, run)
        self.view.display = False
        self.show_instead("")

    @property
    def scores(self) -> VirtualTable:
        return self.query_one("#scores", VirtualTable)

    # Showing what was read -------------------------------------------------------------------

    @property
    def shows_what_is_selected(self) -> bool:
        """Whether the list shows what is selected, not an earlier selection."""
        return self.listed is not None and self.listed.wanted == self.selected

    def show_list(self, found: ReadComparison) -> None:
        """Show a list of samples, unless other samples are selected now."""
        if found.wanted != self.selected:
            return
        before, self.listed = self.listed, found
        is_new = found.wanted.begins_at_top(None if before is None else before.wanted)
        has_other_numbers = before is None or before.wanted.by is not found.wanted.by
        if has_other_numbers or (before is not None and before.of.letter != found.of.letter):
            # What the table holds is of other samples, or of another candidate.
            self.known.clear()
            self.rows.set_columns(())
        self._fill_scores()
        self._fill_columns()
        self.rows.show_keys(found.numbers, is_new=is_new or has_other_numbers)
        if found.first:
            self.show_records(found.first)
        else:
            self.rows.read_again()
        self.show_noted()
        self.query_one("#joined", OneLine).show(columns.joined_line(found))
        self.filter_line.remark(found.remarks)
        self.show_instead(self._why_none(found))
        if self.view.number is not None:
            # Not what is under the cursor: the open sample may not be in the list any more.
            self._open(self.view.number)

    def show_inputs(self, found: ReadComparison) -> None:
        """Show whose inputs differ, which is read after the list."""
        if (listed := self.listed) is None or listed.samples is not found.samples:
            return
        if listed.of.letter == found.of.letter:
            of = replace(listed.of, differing_inputs=found.of.differing_inputs)
            self.listed = replace(listed, of=of)
            self.query_one("#joined", OneLine).show(columns.joined_line(self.listed))
            self.fill(self.known)

    def _why_none(self, found: ReadComparison) -> str:
        if (why := found.problems.get(found.of.letter)) is not None:
            following = self.state.following
            other = f" ] shows {following}." if following != found.of.letter else ""
            return fmt.unread(f"{found.of.letter}: {why}") + other
        if found.numbers:
            return ""
        if not found.all_count:
            return NONE_LOGGED
        if found.wanted.condition is not None:
            return fmt.none_match(found.all_count, "sample")
        return f"No sample is in this view ({found.wanted.view.value}). 6 shows all of them."

    def _fill_scores(self) -> None:
        if (listed := self.listed) is None:
            return
        scores = listed.of.scores
        held = self._score_under_cursor
        self._score_names = [(one.dataset, one.name) for one in scores]
        shown = columns.score_columns(scores, listed.of.letter)
        self.scores.set_columns(shown)
        self.scores.show_keys(range(len(scores)))
        self.scores.fill({at: columns.score_cells(one, shown) for at, one in enumerate(scores)})
        if held is not None and held in self._score_names:
            # Its place may be another: those that are tested come first.
            self.scores.put_cursor(self._score_names.index(held))
        self._show_test()

    @property
    def _score_under_cursor(self) -> tuple[str | None, str] | None:
        """The set and the name of the score under the cursor, None if there is none."""
        at = self.scores.cursor
        return self._score_names[at] if at < len(self._score_names) else None

    @on(VirtualList.CursorMoved, "#scores")
    def _show_test(self) -> None:
        """Show the test of the score under the cursor in words."""
        scores = () if self.listed is None else self.listed.of.scores
        at = self.scores.cursor
        line = columns.tested_line(scores[at], self.size.width) if at < len(scores) else []
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
        of, shown, width = listed.of, self.rows.columns, self.size.width
        self.rows.fill(
            {
                number: columns.sample_cells(one, shown, of, self.higher, width)
                for number, one in records.items()
            }
        )

    def show_records(self, records: Mapping[int, ComparedSample]) -> None:
        super().show_records(records)
        self.take_target()

    def show_noted(self) -> None:
        self.show_note("")

    def show_note(self, note: str) -> None:
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

    def show_instead(self, text: str) -> None:
        """Show the table, or a text in its place; if a sample is open, show only the sample."""
        is_open = self.view.is_open
        has_rows = self.listed is not None and not (text and self.listed.problems)
        if text and self.rows.has_focus:
            # Otherwise Textual moves the focus to the scores when the table is hidden.
            self.screen.set_focus(None)
        empty = self.query_one(EmptyText)
        empty.show(text)
        empty.display = bool(text) and not is_open
        self.view.display = is_open
        self.rows.display = not text and not is_open
        for name in ("scores", "tested", "joined", "views"):
            self.query_one(f"#{name}").display = has_rows and not is_open
        if self.rows.display and self.screen.focused is None:
            self.screen.set_focus(self.rows)

    def on_resize(self) -> None:
        self._fill_scores()
        self._fill_columns()
        self.fill(self.known)
        self.show_noted()

    # Which samples ---------------------------------------------------------------------------

    def read_selected(self) -> None:
        self.post_message(self.Selected())

    def condition_of(self, text: str) -> Condition:
        from flowtui.store.compare.sample_filter import compared_condition

        letters = [run.letter for run in self.state.runs.runs]
        return compared_condition(text, letters)  # type: ignore[return-value]

    def with_order(self, column: str, descending: bool) -> ComparedQuery:
        return replace(self.selected, order=ComparedOrder(column, descending))

    def show_view(self, view: ComparedView) -> None:
        """Show the samples of a view in its own order."""
        self.select(replace(self.selected, view=view, order=ComparedOrder()))

    def show_candidate(self, letter: str) -> None:
        """Show another candidate beside the baseline."""
        if self.noted != self.state.runs.baseline.letter:
            self.noted = letter
        self.select(replace(self.selected, letter=letter))

    def join_otherwise(self) -> None:
        """Join samples on equal inputs instead of on their ids, or back."""
        is_by_key = self.selected.by is JoinedBy.KEY
        by = JoinedBy.INPUTS if is_by_key else JoinedBy.KEY
        self.select(replace(self.selected, by=by))

    @on(ViewLine.Picked)
    def pick_view(self, event: ViewLine.Picked) -> None:
        self.show_view(VIEWS[event.key])

    @on(VirtualList.Chosen, "#scores")
    def choose_set(self, event: VirtualList.Chosen) -> None:
        """Show the samples of the set, sorted by the change of the score; worst first."""
        if (listed := self.listed) is None:
            return
        score = listed.of.scores[event.index]
        order = ComparedOrder(f"{DELTA}{score.name}", score.higher is False)
        self.select(replace(self.selected, dataset=score.dataset, order=order))
        self.rows.focus()

    # One of them -----------------------------------------------------------------------------

    @property
    def sample(self) -> ComparedSample | None:
        if self.view.is_open:
            return None if self.view.read is None else self.view.read.sample
        return self.record

    @on(VirtualList.CursorMoved, "#samples")
    def take_cursor(self) -> None:
        self.take_target()

    @on(VirtualList.Chosen, "#samples")
    def open_under_cursor(self) -> None:
        """Show the sample under the cursor in place of the tables."""
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
        if not was_open:
            self.view.show_notes(self.noted)
            self.filter_line.remove_class("-open")
            self.show_instead("")
            self.view.document.focus()

    @on(ComparedSampleView.StepWanted)
    def step_sample(self, event: ComparedSampleView.StepWanted) -> None:
        if (listed := self.listed) is None:
            return
        place = self.rows.cursor + event.by
        while 0 <= place < len(listed.numbers):
            if listed.is_about(listed.numbers[place]):
                self.rows.cursor = place
                self.open_under_cursor()
                return
            place += event.by
        words = "next" if event.by > 0 else "earlier"
        self.notify(f"There is no {words} sample of this kind in the list.", timeout=2)

    @on(ComparedSampleView.Left)
    def close_sample(self) -> None:
        if self.noted not in (self.state.runs.baseline.letter, self.state.candidate):
            # The table has the samples of these two alone.
            self.noted = self.state.candidate
            self.show_noted()
        self.filter_line.set_class(bool(self.filter_line.text), "-open")
        self.show_instead("" if self.listed is None else self._why_none(self.listed))
        self.on_filter_line_left()
        self.take_target()

    def next_pane(self) -> None:
        """Go from the samples to the scores, or back; in an open sample, to its annotations."""
        if self.view.is_open:
            self.view.next_pane()
        else:
            (self.rows if self.scores.has_focus else self.scores).focus()

    def id_of(self, record: ComparedSample) -> str:
        return record.key[1]

    def document_of(self, record: ComparedSample) -> object:
        from flowtui.reports.comparison.samples import compared_document

        return compared_document([run.letter for run in self.state.runs.runs], record)

    # Annotating ------------------------------------------------------------------------------

    def show_count(self, letter: str, changed: RunNotes.Counted) -> None:
        at = [run.letter for run in self.state.runs.runs].index(letter)
        self.show_records(
            {number: with_count(one, at, changed) for number, one in self.known.items()}
        )
        if self.selected.asks_annotations:
            self.read_selected()

    def _review_source(self, run: ComparedRun) -> RegressedReview | None:
        from flowtui.screens.compare.evals_review import RegressedReview

        if (listed := self.listed) is None:
            return None
        worse = listed.of.outcomes.worse
        regressed = [number for number in listed.numbers if worse[number] > 0]
        user = self._host.options.user
        return RegressedReview(self.state.runs, run, listed, regressed, self.higher, user)
