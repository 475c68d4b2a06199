"""The content of the Evals tab: the eval sets and the table of samples, or one sample in full."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens import judgements
from flowtui.screens.annotate.annotated import Annotated, ChangeQuestion
from flowtui.screens.annotate.writing import subject
from flowtui.screens.evals import columns as sample_columns
from flowtui.screens.evals import set_columns
from flowtui.screens.evals.columns import ColumnChoice
from flowtui.screens.evals.reading import (
    ReadList,
    ReadScores,
    SamplesQuery,
    first_score_keys,
    shown_sets,
)
from flowtui.screens.evals.sample_view import SampleView
from flowtui.screens.evals.strip import sample_parts
from flowtui.screens.may_write import none_logged
from flowtui.screens.record_list import RecordList
from flowtui.store.annotations import judgements as judgements_of
from flowtui.store.annotations.agreement import Agreement, agreement
from flowtui.store.annotations.judgements import Judgement, JudgementTally
from flowtui.store.annotations.listing import SAMPLES
from flowtui.store.annotations.values import Change, SampleTarget, Target
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.orders import SampleOrder
from flowtui.store.samples.score_values import ScoreSet, ScoreSummary
from flowtui.store.samples.values import Sample, SamplesView
from flowtui.store.store import Store
from flowtui.widgets import remembered
from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.frame.empty import EmptyText
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.detail_strip import DetailStrip, Question
from flowtui.widgets.lists.view_line import ViewKey, ViewLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable

if TYPE_CHECKING:
    from flowtui.screens.review.samples import SampleReview
    from flowtui.store.filters import Condition

HINT = "text, or an expression: accuracy < 0.5 and outputs.answer != refs.answer"
HOW = " tracker.log_eval_sample(eval_id, dataset_id, inputs, ...) logs one."
COLUMNS_KEY = "evals.columns"
VIEWS = {
    "6": SamplesView.ALL,
    "7": SamplesView.FAILING_FIRST,
    "8": SamplesView.DIFFERING,
    "9": SamplesView.ERRORS,
    "0": SamplesView.NOT_ANNOTATED,
}
SHORT_TITLES = {SamplesView.DIFFERING: "differing"}


class SamplesPane(RecordList[SamplesQuery, Sample], Annotated):
    """Shows samples, and annotates them. Posts `Selected` when other samples are to be read."""

    rows_id = "samples"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "review", "Review", id="annotate.review",
                tooltip="Judge what you have not annotated yet, one after the other"),
        # Every key that is shown takes the room of another one.
        Binding("a", "annotate", "Annotate", show=False, id="annotate.add",
                tooltip="Write feedback or an expectation"),
    ]  # fmt: skip

    @dataclass
    class Selected(Message):
        """Sent by SamplesPane when other samples are selected, or another order of them."""

    def __init__(self, store: Store, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(store, run, id=id)
        self.selected = SamplesQuery()
        self.listed: ReadList | None = None
        self.scores: ReadScores | None = None
        self.known: dict[int, Sample] = {}
        self.sample: Sample | None = None
        """The open sample, or the one under the cursor of the table."""
        self._summaries: dict[str, ScoreSummary] = {}
        self._sets_shown: Sequence[ScoreSet] = ()
        self._column_choice = sample_columns.chosen_from(remembered.get(COLUMNS_KEY))

    def compose(self) -> Iterable[Widget]:
        yield VirtualTable(id="sets")
        yield OneLine(id="tallies")
        yield OneLine(id="agreement")
        titles = {key: SHORT_TITLES.get(view, view.value) for key, view in VIEWS.items()}
        yield ViewLine([ViewKey(key, title) for key, title in titles.items()], id="views")
        yield VirtualTable(id="samples")
        yield EmptyText(id="empty")
        yield SampleView(self._run, id="sample")
        yield DetailStrip(self.strip_question)
        yield FilterLine(HINT, history="evals", id="filter")

    def on_mount(self) -> None:
        self.view.display = False
        self.rows.set_columns(sample_columns.columns([sample_columns.ID], {}, {}))
        self.show_instead("")

    @property
    def sets(self) -> VirtualTable:
        return self.query_one("#sets", VirtualTable)

    @property
    def view(self) -> SampleView:
        return self.query_one(SampleView)

    # Annotating ------------------------------------------------------------------------------

    @property
    def target(self) -> Target | None:
        return None if self.sample is None else self.sample.target

    def describe_target(self) -> str:
        return "" if self.sample is None else f"sample  {fmt.plain(self.sample.id, 60)}"

    def review_source(self) -> SampleReview:
        from flowtui.screens.review.samples import SampleReview

        return SampleReview(self._run, self.selected, self._user)

    def take_sample(self, sample: Sample | None) -> None:
        """Show the annotations of a sample; if they are shown already, they are not read again."""
        self.sample = sample
        self.show_target()

    def what_changed(self, change: Change) -> ChangeQuestion:
        wanted, target = self.selected, subject(change).target

        def read(connection: sqlite3.Connection) -> Callable[[int], object]:
            agreed = agreement(connection, wanted.dataset)
            tallies = judgements_of.tallies(connection, SAMPLES, wanted.dataset)
            rowid = (
                sample_rows.rowid(connection, target) if isinstance(target, SampleTarget) else None
            )
            keys = [] if rowid is None else [rowid]
            said = judgements_of.of_rows(connection, SAMPLES, keys).get(rowid or 0, {})
            return lambda count: self._show_change(target, count, wanted, agreed, tallies, said)

        return read

    def _show_change(
        self,
        target: Target,
        count: int,
        wanted: SamplesQuery,
        agreed: tuple[Agreement, ...],
        tallies: tuple[JudgementTally, ...],
        said: Mapping[str, Judgement],
    ) -> None:
        """Show how many annotations a sample has now, and how far all authors agree."""
        noted = {
            key: replace(one, annotation_count=count, judgements=said)
            for key, one in self.known.items()
            if one.target == target
        }
        self.show_records(noted)
        if self.sample is not None and self.sample.target == target:
            self.sample = replace(self.sample, annotation_count=count, judgements=said)
        self.view.take_count(target, count)
        if self.listed is not None and self.listed.wanted == wanted:
            self.listed = replace(self.listed, agreement=agreed, tallies=tallies)
            self.show_note("")
            self.show_instead(self._why_none(self.listed))
            # A name that is new has a column of its own from now on.
            self._fill_columns()
            self.fill(self.known)
        if self.selected.asks_annotations:
            self.read_selected()

    # Showing what was read -------------------------------------------------------------------

    def show_list(self, found: ReadList) -> None:
        """Show a list of samples, unless other samples are selected now."""
        if found.wanted != self.selected:
            return
        is_new = found.wanted.begins_at_top(None if self.listed is None else self.listed.wanted)
        self.listed = found
        self.rows.show_keys(found.rowids, is_new=is_new)
        if found.held_rowid is not None:
            self.rows.put_cursor(found.held_rowid)
        if self.sample is not None:
            self.view.show_place(self._place_of(found.held_rowid or self.sample.rowid))
        if found.samples:
            self.show_records(found.samples)
        else:
            self.rows.read_again()
            self._fill_columns()
        if self.scores is None:
            self._fill_sets(set_columns.counted(found.datasets))
        self.show_note("")
        self.filter_line.remark(found.remarks)
        self.show_instead(self._why_none(found))

    def _why_none(self, found: ReadList) -> str:
        if found.rowids:
            return ""
        total = sum(one.sample_count for one in found.datasets)
        if not total:
            return none_logged(self._store, self._flow.options, "No samples were evaluated.", HOW)
        if found.wanted.view not in (SamplesView.ALL, SamplesView.FAILING_FIRST):
            view = found.wanted.view.value
            return f"None of the {total:,} samples is in this view ({view}). 6 shows all of them."
        return fmt.none_match(total, "sample")

    def show_scores(self, scores: ReadScores) -> None:
        """Show the scores that were added up, and use them for the columns of the samples."""
        self.scores = scores
        every = next((one for one in scores.sets if one.dataset is None), None)
        self._summaries = {} if every is None else {one.key: one for one in every.scores}
        self._fill_sets(scores.sets)
        self._fill_columns()
        self.fill(self.known)

    def _fill_sets(self, all_sets: Sequence[ScoreSet]) -> None:
        self._sets_shown = shown_sets(all_sets)
        every = next((one for one in all_sets if one.dataset is None), None)
        self.sets.set_columns(set_columns.columns(every, self._sets_shown))
        self.sets.show_keys(range(len(self._sets_shown)))
        columns = self.sets.columns
        self.sets.fill(
            {at: set_columns.cells(one, columns) for at, one in enumerate(self._sets_shown)}
        )

    @property
    def has_scores_to_add(self) -> bool:
        """Whether the number of samples has changed since their scores were added up."""
        if self.scores is None or self.listed is None:
            return True
        counted = next((one.sample_count for one in self.scores.sets if one.dataset is None), 0)
        return counted != sum(one.sample_count for one in self.listed.datasets)

    @property
    def may_add_scores(self) -> bool:
        """Whether the scores may be added up again now."""
        return self.scores is None or monotonic() >= self.scores.due_s

    def show_records(self, records: Mapping[int, Sample]) -> None:
        # The default columns depend on the scores of these samples, and so come before the rows.
        self.known.update(records)
        self._fill_columns()
        super().show_records(records)
        self.take_cursor()

    def show_note(self, note: str) -> None:
        """Show a note above the table; with an empty note, show how many samples there are."""
        if (listed := self.listed) is None:
            return
        total = sum(one.sample_count for one in listed.datasets)
        shown = len(listed.rowids)
        count = f"{shown:,} of {total:,}" if shown != total else fmt.count(total, "sample")
        if self.selected.dataset is not None:
            count = f"{fmt.plain(self.selected.dataset, 40)}   {count}"
        self.query_one(ViewLine).show_view(_key_of(self.selected.view), note or count)
        self.query_one("#tallies", OneLine).show(judgements.tally_line(listed.tallies))
        self.query_one("#agreement", OneLine).show(agreement_line(listed.agreement))

    def show_instead(self, text: str) -> None:
        """Show the table, or a text in its place; if a sample is open, show only the sample."""
        is_open = self.view.is_open
        has_samples = self.listed is not None and any(self.listed.datasets)
        has_agreement = self.listed is not None and bool(self.listed.agreement)
        if text and self.rows.has_focus:
            # Otherwise Textual moves the focus to the sets when the table is hidden.
            self.screen.set_focus(None)
        empty = self.query_one(EmptyText)
        empty.show(text)
        empty.display = bool(text) and not is_open
        self.view.display = is_open
        self.rows.display = not text and not is_open
        self.strip.allow(self.rows.display)
        self.sets.display = self.query_one(ViewLine).display = has_samples and not is_open
        self.query_one("#agreement").display = has_agreement and not is_open
        has_tallies = self.listed is not None and bool(self.listed.tallies)
        self.query_one("#tallies").display = has_tallies and not is_open
        if self.rows.display and self.screen.focused is None:
            self.screen.set_focus(self.rows)

    # Columns ---------------------------------------------------------------------------------

    @property
    def column_keys(self) -> Sequence[str]:
        if self._column_choice.keys:
            return self._column_choice.keys
        scores = list(self._summaries) or first_score_keys(list(self.known.values()))
        datasets = () if self.listed is None else self.listed.datasets
        has_sets = self.selected.dataset is None and len(datasets) > 1
        judged = () if self.listed is None else [one.field for one in self.listed.tallies]
        return sample_columns.default_keys(scores, has_sets, self.size.width, judged)

    @property
    def chosen(self) -> ColumnChoice:
        return self._column_choice

    def choose(self, chosen: ColumnChoice) -> None:
        """Show the chosen columns, and remember the choice."""
        self._column_choice = chosen
        self._fill_columns()
        remembered.put(COLUMNS_KEY, chosen.as_json())

    def on_resize(self) -> None:
        self._fill_columns()
        self.strip.settle()

    def strip_question(self) -> Question | None:
        return None if self.sample is None else partial(sample_parts, self.sample)

    def _fill_columns(self) -> None:
        shown = sample_columns.columns(
            self.column_keys, self._column_choice.widths, self._summaries
        )
        self.rows.set_columns(shown)
        order = self.selected.whole_order
        self.rows.sorted_by = (order.column, order.descending)

    def fill(self, records: Mapping[int, Sample]) -> None:
        shown, summaries = self.rows.columns, self._summaries
        self.rows.fill(
            {key: sample_columns.cells(one, shown, summaries) for key, one in records.items()}
        )

    # Which samples ---------------------------------------------------------------------------

    @property
    def shows_what_is_selected(self) -> bool:
        """Whether the list shows what is selected, not an earlier selection."""
        return self.listed is not None and self.listed.wanted == self.selected

    def read_selected(self) -> None:
        self.post_message(self.Selected())

    def condition_of(self, text: str) -> Condition:
        from flowtui.store.filters import sample_condition

        return sample_condition(text)

    def with_order(self, column: str, descending: bool) -> SamplesQuery:
        view = self.selected.view
        view = SamplesView.ALL if view is SamplesView.FAILING_FIRST else view
        return replace(self.selected, view=view, order=SampleOrder(column, descending))

    @on(VirtualList.Chosen, "#sets")
    def choose_set(self, event: VirtualList.Chosen) -> None:
        dataset = self._sets_shown[event.index].dataset
        self.select(replace(self.selected, dataset=dataset))
        self.rows.focus()

    @on(ViewLine.Picked)
    def pick_view(self, event: ViewLine.Picked) -> None:
        self.select(replace(self.selected, view=VIEWS[event.key]))

    def id_of(self, record: Sample) -> str:
        return record.id

    def document_of(self, record: Sample) -> object:
        from flowtui.reports.samples import sample_document

        return sample_document(record)

    # One of them -----------------------------------------------------------------------------

    @on(VirtualList.CursorMoved, "#samples")
    def take_cursor(self) -> None:
        """Take the sample under the cursor of the table, unless one is open."""
        if not self.view.is_open:
            key = self.rows.cursor_key
            self.take_sample(None if key is None else self.known.get(key))

    def open_sample(self, sample: Sample) -> None:
        """Show one sample in place of the sets and the table."""
        self.take_sample(sample)
        was_open = self.view.is_open
        self.view.open(sample.target, self._place_of(sample.rowid))
        if not was_open:
            self.filter_line.remove_class("-open")
            self.show_instead("")
            self.view.document.focus()

    def _place_of(self, rowid: int) -> str:
        view = "" if self.selected.view is SamplesView.ALL else f" · {self.selected.view.value}"
        at = self.rows.place_of(rowid)
        return "" if at is None else f"sample {at + 1:,} of {self.rows.line_count:,}{view}"

    @on(SampleView.Left)
    def close_sample(self) -> None:
        self.filter_line.set_class(bool(self.filter_line.text), "-open")
        self.show_instead("" if self.listed is None else self._why_none(self.listed))
        self.on_filter_line_left()
        self.take_cursor()


def _key_of(view: SamplesView) -> str:
    return next(key for key, one in VIEWS.items() if one is view)


def agreement_line(agreement: Sequence[Agreement]) -> Line:
    """Return, for each name, the share of samples on which all of several authors agree."""
    pieces = [Piece(" agreement", "muted")]
    for one in agreement:
        share = fmt.percent(one.unanimous_share)
        pieces.append(Piece(f"   {fmt.plain(one.name, 40)} {share}"))
        pieces.append(Piece(f" of {fmt.count(one.sample_count, 'sample')}", "muted"))
    return pieces
