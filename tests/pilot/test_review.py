"""The review: one thing after the other, judged with one key each."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.review.question import QuestionScreen
from flowtui.screens.review.queue import ReviewItem
from flowtui.screens.review.review import ReviewScreen, review
from flowtui.screens.review.spans import SpanReview
from flowtui.screens.review.view import ReviewView
from flowtui.store.annotations import writing
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import Added, Change, Draft, SpanTarget
from flowtui.store.schema import SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import search as span_search
from flowtui.store.traces.listing import TraceOrder
from flowtui.store.transaction import Patience
from flowtui.store.undo import UndoStack
from flowtui.widgets.host import Options
from tests.conftest import NOW, open_store
from tests.pilot.pilot import screen_lines, screen_text, settled, until
from tests.unit.annotated import expectation, feedback
from tests.unit.stores import execute, writer

RUN = "run-1"
START_NS = int(NOW.timestamp()) * 1_000_000_000
TRACE = "a" * 32
SPANS = [f"{number:016x}" for number in range(1, 6)]
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.input.messages": (
        '[{"role":"user","parts":[{"type":"text","content":"Where is parcel 17?"}]}]'
    ),
    "gen_ai.output.messages": (
        '[{"role":"assistant","parts":[{"type":"text","content":"It left Zurich at noon."}]}]'
    ),
}


def span(number: int, trace: str = TRACE, parent: int | None = None) -> SpanRow:
    return SpanRow(
        trace_id=trace,
        span_id=f"{number:016x}",
        parent_span_id=None if parent is None else f"{parent:016x}",
        name=f"call {number}",
        start_ns=START_NS + number,
        end_ns=START_NS + number + 1_700_000_000,
        attributes=CHAT if number == 2 else None,
    )


def written(directory: Path, spans: Sequence[SpanRow]) -> Path:
    with writer(directory) as store:
        store.start_run(RUN, "first")
        with store.experiment(RUN) as experiment:
            experiment.spans(spans)
    return directory / RUN / "exp.db"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    written(tmp_path, [span(1), *(span(number, parent=1) for number in range(2, 6))])
    with closing(open_store(tmp_path)) as store:
        yield store


@dataclass
class Reviewing:
    """The app with a review on top, and the run's database."""

    pilot: Pilot[None]
    view: ReviewView[int]
    path: Path
    undo: UndoStack[Change]
    said: list[str | None] = field(default_factory=list)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.rest()

    async def rest(self) -> None:
        """Wait until what was asked for is done, or waits for an answer."""
        await until(
            lambda: not self.view._jobs.is_at_work or not self.is_at_review, "the end of the jobs"
        )
        await settled(self.pilot)

    @property
    def is_at_review(self) -> bool:
        return isinstance(self.pilot.app.screen, ReviewScreen)

    @property
    def shown(self) -> str:
        return screen_text(self.pilot)

    @property
    def words(self) -> str:
        return " ".join(self.shown.split())

    @property
    def head(self) -> str:
        return screen_lines(self.pilot)[0]

    @property
    def notes(self) -> str:
        return "\n".join(note.message for note in self.pilot.app._notifications)

    def rows(self) -> list[tuple[object, ...]]:
        """Return (span, name, value, rationale) of all annotations by ana, in order."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(
                "select cast(span_id as integer), name, value, rationale from span_annotations"
                " where user = 'ana' order by rowid"
            ).fetchall()

    def values(self) -> list[tuple[object, ...]]:
        return [(row[0], row[2]) for row in self.rows()]


@asynccontextmanager
async def reviewing(
    store: Store,
    search: str = "",
    size: tuple[int, int] = (80, 24),
    source: SpanReview | None = None,
) -> AsyncIterator[Reviewing]:
    run = store.resolve(RUN).row
    app = FlowApp(store, store.opened(run), Options(user="ana"))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        chosen = source or SpanReview.of_trace(store.run(RUN), TRACE, search, "ana")
        undo = annotating.undo_stack(store.run(RUN).database)
        screen: ReviewScreen[int] = ReviewScreen(store, store.opened(run), chosen, undo)
        said: list[str | None] = []
        await app.push_screen(screen, said.append)
        await settled(pilot)
        view = screen.query_one(ReviewView)
        it = Reviewing(pilot, view, store.run(RUN).database.path, undo, said)
        await it.rest()
        yield it


# One key an answer


async def test_each_answer_is_written_and_the_next_item_comes(store: Store) -> None:
    async with reviewing(store) as it:
        assert it.head.startswith(" Review  1 of 5   judging quality (feedback)")
        assert " call 1  root of 5 spans in 1.7 s" in it.shown
        await it.press("+")
        assert it.head == " Review  2 of 5   judging quality (feedback)   1 answered"
        assert "Where is parcel 17?" in it.shown
        await it.press("-")
        assert it.values() == [(1, "true"), (2, "false")]
        assert " call 3  in call 1, 5 spans" in it.shown


async def test_there_is_no_review_within_a_review(store: Store) -> None:
    async with reviewing(store) as it:
        assert "R" not in it.pilot.app.screen.active_bindings
        await it.press("R")
        assert it.pilot.app.screen.query_one(ReviewView) is it.view


async def test_keys_pressed_fast_are_answers_in_order(store: Store) -> None:
    async with reviewing(store) as it:
        for key in "+-++-":
            it.pilot.app.simulate_key(key.replace("+", "plus").replace("-", "minus"))
        await it.rest()
        await until(lambda: len(it.rows()) == 5, "the answers")
        await it.rest()
        values = ["true", "false", "true", "true", "false"]
        assert it.values() == list(enumerate(values, start=1))
        assert "That was all: 5 spans" in it.shown


class HeldSource(SpanReview):
    """Reads an item when the test opens the gate."""

    gate: threading.Event

    def read(self, item: int) -> ReviewItem | None:
        assert self.gate.wait(20)
        return super().read(item)


async def test_a_typed_ahead_answer_waits_until_its_item_is_shown(store: Store) -> None:
    items = partial(store.run(RUN).ask, span_search.unannotated, TRACE, None, "ana")
    source = HeldSource(store.run(RUN), items)
    source.gate = threading.Event()
    source.gate.set()
    async with reviewing(store, source=source) as it:
        source.gate.clear()
        await it.pilot.press("s")
        await until(lambda: " call 2  in call 1" in it.shown, "the item that was read ahead")
        await it.pilot.press("+", "+")
        await until(lambda: it.values() == [(2, "true")], "the answer for what is shown")
        await until(lambda: "reading" in it.head, "the word for it")
        assert " call 2  in call 1" in it.shown
        assert it.values() == [(2, "true")]
        source.gate.set()
        await until(lambda: len(it.values()) == 2, "the next answer")
        await it.rest()
        assert it.values() == [(2, "true"), (3, "true")]


async def test_leaving_does_not_wait_for_what_is_read(store: Store) -> None:
    source = HeldSource(
        store.run(RUN), partial(store.run(RUN).ask, span_search.unannotated, TRACE, None, "ana")
    )
    source.gate = threading.Event()
    source.gate.set()
    async with reviewing(store, source=source) as it:
        source.gate.clear()
        await it.pilot.press("s", "s")
        await until(lambda: "reading" in it.head, "the word for it")
        await it.pilot.press("escape")
        await until(lambda: not it.is_at_review, "the tab")
        source.gate.set()
        assert it.said == ["2 skipped"]


async def test_digits_answer_an_integer_question(store: Store) -> None:
    answered(store, expectation(3, name="score"))
    async with reviewing(store) as it:
        assert "judging score (expectation, integer)" in it.head
        assert "+ Good" not in it.shown
        await it.press("4", "0", "+")
        assert it.rows()[1:] == [(1, "score", "4", None), (2, "score", "0", None)]
        await it.press("enter", *"-12x", "enter")
        assert "must be a whole number" in it.words
        await it.press("backspace", "enter")
        assert it.values()[-1] == (3, "-12")
        await it.press("number_sign", *"100", "enter")
        assert it.values()[-1] == (4, "100")


def answered(store: Store, draft: Draft) -> None:
    """Write an annotation to a span of another trace, so that its name is in use."""
    other = SpanTarget("e" * 32, f"{9:016x}")
    with writer(store.directory) as more, more.experiment(RUN) as experiment:
        experiment.spans([span(9, trace=other.trace_id)])
    annotating.add(store.run(RUN).database, other, draft)


async def test_a_text_is_typed_and_saved_with_enter(store: Store) -> None:
    answered(store, expectation("x", name="answer"))
    async with reviewing(store) as it:
        assert "judging answer (expectation, text)" in it.head
        await it.press("enter", "enter")
        assert "Type an answer first" in it.words
        await it.press(*"at noon", "enter")
        assert it.values()[1:] == [(1, "at noon")]
        assert " 2 of 5" in it.head
        await it.press("b", "enter", *"!", "enter")
        assert it.values()[1:] == [(1, "at noon!")]


async def test_a_note_is_saved_with_the_next_answer_alone(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("i", *"wrong city", "enter")
        assert "note wrong city  saved with the answer" in it.shown
        await it.press("-", "+")
        assert it.rows() == [
            (1, "quality", "false", "wrong city"),
            (2, "quality", "true", None),
        ]
        assert "wrong city" not in it.shown


async def test_a_note_typed_right_behind_an_answer_is_for_the_next_item(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("+", "i", *"why", "enter", "-")
        assert it.rows() == [(1, "quality", "true", None), (2, "quality", "false", "why")]


async def test_a_note_waits_while_its_item_is_skipped(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("i", *"why", "enter", "s", "+", "escape")
        assert isinstance(it.pilot.app.screen, ConfirmScreen)
        await it.press("n", "b", "b")
        assert "note why" in it.shown
        await it.press("+")
        assert it.rows()[-1] == (1, "quality", "true", "why")


async def test_escape_leaves_a_line_without_its_text(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("i", *"why", "escape")
        assert it.is_at_review
        await it.press("+")
        assert it.rows() == [(1, "quality", "true", None)]


# Going about


async def test_back_shows_the_answer_and_answering_again_edits_it(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("i", *"why", "enter", "+", "+", "b", "b")
        assert " 1 of 5" in it.head
        assert "answered ✓ true" in it.shown
        await it.press("-")
        assert it.rows() == [(1, "quality", "false", "why"), (2, "quality", "true", None)]
        assert " 3 of 5" in it.head


async def test_undo_goes_back_to_its_item(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("+", "-", "u")
        assert it.values() == [(1, "true")]
        assert " 2 of 5" in it.head
        assert "1 answered" in it.head
        await it.press("u")
        assert it.values() == []
        assert it.head.endswith("judging quality (feedback)")
        await it.press("u")
        assert "There is nothing to undo." in it.notes


async def test_the_tab_can_undo_what_was_answered(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("+", "s", "escape")
        assert it.said == ["1 answered, 1 skipped"]
        assert len(it.undo) == 1
        it.undo.undo()
        assert it.values() == []


async def test_the_end_says_what_was_done_and_shows_the_skipped_again(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("+", "s", "-", "s", "+")
        assert "That was all: 5 spans" in it.shown
        assert "at the end" in it.head
        assert "3 answered · 2 skipped" in it.head
        assert "s goes through the skipped ones again" in it.words
        await it.press("+")
        assert len(it.rows()) == 3
        await it.press("s")
        assert " 2 of 5" in it.head
        await it.press("+", "+", "escape")
        assert it.said == ["5 answered"]


async def test_keys_typed_ahead_of_the_end_do_not_begin_again(store: Store) -> None:
    async with reviewing(store) as it:
        for _ in range(8):
            it.pilot.app.simulate_key("s")
        await until(lambda: "That was all" in it.shown, "the end")
        await it.rest()
        assert "That was all" in it.shown


async def test_an_empty_queue_says_so(store: Store) -> None:
    async with reviewing(store, search="no such text") as it:
        assert "There is nothing to judge" in it.shown
        await it.press("+", "s", "escape")
        assert it.said == ["nothing answered"]


async def test_another_question_is_chosen_or_made(store: Store) -> None:
    annotating.add(
        store.run(RUN).database, SpanTarget(TRACE, SPANS[4]), feedback(name="tone", user="sam")
    )
    async with reviewing(store) as it:
        assert "judging tone (feedback)" in it.head
        await it.press("c")
        assert isinstance(it.pilot.app.screen, QuestionScreen)
        await it.press(*"score", "tab", "e", "tab", "i", "ctrl+s")
        assert "judging score (expectation, integer)" in it.head
        await it.press("7", "c", "t", "tab", "enter", "-")
        assert it.rows() == [(1, "score", "7", None), (2, "tone", "false", None)]


async def test_the_form_writes_anything_else_and_stays(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("a", *"tone", "ctrl+s")
        assert it.rows() == [(1, "tone", "true", None)]
        assert " 1 of 5" in it.head
        assert "1 answered" in it.head


# What others do meanwhile, and what fails


async def test_what_was_deleted_or_annotated_meanwhile_is_passed_over(store: Store) -> None:
    async with reviewing(store) as it:
        execute(it.path, "delete from spans where span_id like '%3'")
        annotating.add(store.run(RUN).database, SpanTarget(TRACE, SPANS[1]), feedback())
        await it.press("+")
        assert " 4 of 5" in it.head
        await it.press("+", "+")
        assert "annotated elsewhere meanwhile" in it.shown
        assert "deleted meanwhile" in it.shown


async def test_a_failed_write_keeps_the_item_the_note_and_the_reason(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "add", partial(writing.add, patience=Patience(limit_s=0.0)))
    async with reviewing(store) as it:
        await it.press("i", *"why", "enter")
        with closing(sqlite3.connect(it.path, isolation_level=None)) as other:
            other.execute("begin immediate")
            for key in ("plus", "minus"):
                it.pilot.app.simulate_key(key)
            await settled(it.pilot)
            await it.rest()
            assert "another process is writing" in it.words
            assert " 1 of 5" in it.head
            assert "note why" in it.shown
        assert it.rows() == []
        await it.press("-")
        assert it.rows() == [(1, "quality", "false", "why")]
        assert "another process" not in it.words


async def test_a_typed_answer_that_fails_stands_in_its_line_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(store, expectation("x"))
    monkeypatch.setattr(writing, "add", partial(writing.add, patience=Patience(limit_s=0.0)))
    async with reviewing(store) as it:
        with closing(sqlite3.connect(it.path, isolation_level=None)) as other:
            other.execute("begin immediate")
            await it.press("enter", *"noon", "enter")
            assert "another process is writing" in it.words
        await it.press("enter")
        assert it.values()[1:] == [(1, "noon")]


async def test_tables_that_are_declined_drop_what_was_typed_ahead(store: Store) -> None:
    path = store.run(RUN).database.path
    for table in ("span_annotations", "eval_annotations", "exp_schema_migrations"):
        execute(path, f"drop table {table}")
    execute(path, "pragma user_version = 0")
    async with reviewing(store) as it:
        for key in ("plus", "plus"):
            it.pilot.app.simulate_key(key)
        await until(lambda: not it.is_at_review, "the question")
        await it.press("n")
        assert it.is_at_review
        assert " 1 of 5" in it.head
        await it.press("+", "y")
        assert it.values() == [(1, "true")]
        assert " 2 of 5" in it.head


async def test_an_item_that_goes_while_it_is_shown_is_counted_as_gone(store: Store) -> None:
    async with reviewing(store) as it:
        execute(it.path, "delete from spans where span_id like '%1'")
        await it.press("+")
        assert "is not in this run any more" in it.words
        assert " 1 of 5" in it.head
        await it.press("s")
        assert " 2 of 5" in it.head
        assert "1 gone" in it.head
        assert it.rows() == []


async def test_an_answer_is_on_the_stack_that_was_passed_in(store: Store) -> None:
    async with reviewing(store) as it:
        await it.press("+")
        assert isinstance(it.undo.last, Added)
        assert it.undo.last.annotation.target == SpanTarget(TRACE, SPANS[0])


# The source


async def test_a_list_of_traces_gives_one_root_each(tmp_path: Path) -> None:
    spans = [span(number, trace=f"{number:032x}") for number in range(1, 20_001)]
    written(tmp_path, [*spans, span(30_000, trace=f"{1:032x}", parent=1)])
    with closing(open_store(tmp_path)) as store:
        source = SpanReview.of_list(store.run(RUN), None, TraceOrder(descending=False), "ana")
        annotating.add(store.run(RUN).database, SpanTarget(f"{2:032x}", f"{2:016x}"), feedback())
        async with reviewing(store, source=source) as it:
            assert " 1 of 19,999" in it.head
            await it.press("+", "-")
            assert it.values()[1:] == [(1, "true"), (3, "false")]


@pytest.mark.parametrize("options", [Options(user=" "), Options(user="ana", read_only=True)])
async def test_a_review_that_could_write_nothing_says_why(store: Store, options: Options) -> None:
    run = store.resolve(RUN)
    app = FlowApp(store, run, options)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        source = SpanReview.of_trace(store.run(RUN), TRACE, "", "ana")
        assert (
            await review(app, store, run, source, annotating.undo_stack(store.run(RUN).database))
            == ""
        )
        await settled(pilot)
        words = "\n".join(note.message for note in app._notifications)
        assert "--read-only" in words or "FLOW_TUI_USER" in words


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=str)
async def test_it_fits(store: Store, size: tuple[int, int]) -> None:
    async with reviewing(store, size=size) as it:
        await it.press("+")
        for words in ("Review  2 of 5", "parcel 17", "Annotations", "+ Good", "? Keys"):
            assert words in it.shown
