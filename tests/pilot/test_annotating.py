"""Annotating from the keyboard: the form, the one-key feedback, edit, delete, undo, refusals."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Label, Static, TextArea

from flowtui.app.app import FlowApp
from flowtui.screens.annotate.annotated import Annotated, ChangeQuestion
from flowtui.screens.annotate.form import AnnotationForm
from flowtui.screens.annotate.writing import subject
from flowtui.screens.dialogs.confirm import ConfirmScreen, ConflictScreen
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import Added, Change, Deleted, Edited, SpanTarget, Target
from flowtui.store.schema import SpanRow
from flowtui.store.store import Store
from flowtui.store.transaction import Patience
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.host import Options
from flowtui.widgets.lists.annotation_list import AnnotationList
from flowtui.widgets.paint import ROLE_CLASSES
from tests.conftest import NOW, open_store
from tests.pilot.pilot import screen_text, settled, until
from tests.unit.annotated import RUN, TRACE, annotatable, expectation, feedback
from tests.unit.stores import execute, writer

TARGETS = [SpanTarget(TRACE, digit * 16) for digit in "bcdef"]
FIRST = TARGETS[0]


class Cursor(Static, can_focus=True):
    """Stands for the tree or table that has the targets."""


class Spans(Annotated):
    """Annotates five spans, of which n goes to the next one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("n", "go_on", "Next")]
    index = 0
    changes: list[tuple[Target, Change]]

    def compose(self) -> ComposeResult:
        self.changes = []
        yield Cursor("spans")
        yield AnnotationList()

    @property
    def target(self) -> Target | None:
        return TARGETS[self.index]

    def describe_target(self) -> str:
        return f"span  call {self.index}"

    def action_go_on(self) -> None:
        self.index = (self.index + 1) % len(TARGETS)
        self.show_target()

    def what_changed(self, change: Change) -> ChangeQuestion:
        self.changes.append((subject(change).target, change))
        return super().what_changed(change)


class Bench(Screen[None]):
    """A screen with nothing but targets and their annotations."""

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Cursor"

    def __init__(self, spans: Spans) -> None:
        super().__init__()
        self.spans = spans

    def compose(self) -> ComposeResult:
        yield self.spans
        yield KeyLine()

    def on_mount(self) -> None:
        self.spans.show_target()


@dataclass
class Annotating:
    """The app over a bench, and the run's database."""

    pilot: Pilot[None]
    spans: Spans
    path: Path
    bugs: list[BaseException] = field(default_factory=list)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.rest()

    async def rest(self) -> None:
        """Wait until what was asked for is done, or waits for an answer."""
        screen = self.pilot.app.screen
        await until(lambda: not self.spans._jobs.is_at_work or self.pilot.app.screen is not screen
                    or not isinstance(screen, Bench), "the jobs")  # fmt: skip
        await settled(self.pilot)

    @property
    def form(self) -> AnnotationForm:
        screen = self.pilot.app.screen
        assert isinstance(screen, AnnotationForm)
        return screen

    @property
    def is_at_bench(self) -> bool:
        return isinstance(self.pilot.app.screen, Bench)

    @property
    def shown(self) -> str:
        return screen_text(self.pilot)

    @property
    def said(self) -> str:
        return "\n".join(note.message for note in self.pilot.app._notifications)

    def rows(self) -> list[tuple[object, ...]]:
        """Return (name, kind, type, value, user, rationale, target) of all, in order."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(
                "select name, annotation_kind, value_type, value, user, rationale, span_id"
                " from span_annotations order by rowid"
            ).fetchall()

    def values(self) -> list[tuple[object, ...]]:
        return [(row[0], row[3]) for row in self.rows()]


@pytest.fixture
def exp_db(tmp_path: Path) -> Path:
    path = annotatable(tmp_path)
    with writer(tmp_path) as store, store.experiment(RUN) as experiment:
        experiment.spans(
            SpanRow(trace_id=TRACE, span_id=span.span_id, name="s", start_ns=1, end_ns=2)
            for span in TARGETS[2:]
        )
    return path


@pytest.fixture
def store(exp_db: Path) -> Iterator[Store]:
    with closing(open_store(exp_db.parents[1])) as store:
        yield store


@asynccontextmanager
async def annotating_in(
    store: Store, options: Options | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Annotating]:
    run = store.resolve(RUN)
    app = FlowApp(store, run, options or Options(user="ana"))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        spans = Spans(store, run)
        await app.push_screen(Bench(spans))
        await settled(pilot)
        yield Annotating(pilot, spans, store.run(RUN).database.path)


# Writing with the form


async def test_feedback_is_written_from_the_keyboard(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a")
        assert "Annotate span  call 0" in it.shown
        await it.press(*"helpful", "tab", "space", "tab", *"wrong", "enter", *"parcel", "ctrl+s")
        assert it.is_at_bench
        assert it.rows() == [
            ("helpful", "feedback", "bool", "false", "ana", "wrong\nparcel", "b" * 16)
        ]
        assert "✗ helpful false   u undoes" in it.said
        assert "✗ false  helpful  ana" in it.shown
        ((target, change),) = it.spans.changes
        assert target == FIRST
        assert isinstance(change, Added)


@pytest.mark.parametrize(
    ("keys", "value_type", "value"),
    [
        (["tab", *"two", "enter", *"lines"], "string", "two\nlines"),
        (["i", "tab", *"-12"], "int", "-12"),
        (["b", "tab", "n"], "bool", "false"),
    ],
    ids=["text", "integer", "boolean"],
)
async def test_an_expectation_has_a_value_of_its_type(
    store: Store, keys: list[str], value_type: str, value: str
) -> None:
    async with annotating_in(store) as it:
        await it.press("a", *"answer", "shift+tab", "e", "tab", "tab", *keys, "ctrl+s")
        assert it.rows() == [("answer", "expectation", value_type, value, "ana", None, "b" * 16)]


async def test_the_kind_goes_back_and_forth_with_arrows(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a", "shift+tab")
        assert "(•) feedback    ( ) expectation" in it.shown
        await it.press("right")
        assert "( ) feedback    (•) expectation" in it.shown
        assert "integer" in it.shown
        await it.press("left")
        assert "(•) feedback" in it.shown
        assert "integer" not in it.shown


async def test_a_number_is_checked_while_it_is_typed(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a", *"answer", "shift+tab", "e", "tab", "tab", "i", "tab", *"4x")
        assert "^ the value must be a whole number, such as 4 or -12" in it.shown
        await it.press("tab", "ctrl+s")
        assert it.rows() == []
        focused = it.form.focused
        assert focused is not None
        assert focused.id == "number"
        await it.press("backspace")
        assert "^ the value" not in it.shown
        await it.press("ctrl+s")
        assert it.values() == [("answer", "4")]


async def test_an_empty_text_is_saved_when_told_again(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a", *"answer", "shift+tab", "e", "ctrl+s")
        assert "the value is empty; ^S again" in it.shown
        assert it.rows() == []
        await it.press("ctrl+s")
        assert it.values() == [("answer", "")]
        assert "= (empty)  answer  ana" in it.shown


async def test_an_empty_name_is_pointed_at(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a", "tab", "ctrl+s")
        assert "the name is empty" in it.shown
        assert isinstance(it.form.focused, Input)
        await it.press("x", "ctrl+s")
        assert it.values() == [("x", "true")]


# Names in use


async def test_a_name_in_use_is_completed_with_its_kind_and_type(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(name="correct"))
    annotating.add(store.run(RUN).database, FIRST, expectation(3, name="helpful"))
    annotating.add(store.run(RUN).database, FIRST, feedback(name="tone"))
    async with annotating_in(store) as it:
        await it.press("n", "a")
        assert "tone · helpful · correct" in it.shown
        await it.press("h")
        assert "correct" not in it.shown
        await it.press("tab")
        assert it.form.query_one("#name", Input).value == "helpful"
        await it.press("tab", "tab", *"7", "ctrl+s")
        assert it.rows()[-1][:4] == ("helpful", "expectation", "int", "7")


@pytest.mark.parametrize("keys", [["h", "right"], ["down", "down", "enter"]], ids=str)
async def test_a_name_is_taken_by_arrows_too(store: Store, keys: list[str]) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(name="helpful"))
    annotating.add(store.run(RUN).database, FIRST, expectation("x", name="tone"))
    async with annotating_in(store) as it:
        await it.press("a", *keys)
        assert it.form.query_one("#name", Input).value == "helpful"
        await it.press("ctrl+s")
        assert it.rows()[-1][:4] == ("helpful", "feedback", "bool", "true")


async def test_a_taken_name_is_not_completed_to_a_longer_one(store: Store) -> None:
    for name in ("tone of voice", "tone"):
        annotating.add(store.run(RUN).database, FIRST, feedback(name=name))
    async with annotating_in(store) as it:
        await it.press("a", "t", "tab", "tab", "n", "ctrl+s")
        assert it.values()[-1] == ("tone", "false")


async def test_the_label_of_the_field_in_use_is_lit(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a")
        lit = []
        for _ in range(4):
            (row,) = it.form.query(".-current")
            lit.append(str(row.query(Label).first().content))
            await it.press("tab")
        assert lit == ["Name", "Value", "Rationale", "Kind"]


async def test_a_choice_is_made_with_the_mouse_too(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a")
        await it.pilot.click("#truth", offset=(16, 0))
        assert "(•) ✗ false" in it.shown
        await it.pilot.click("#truth", offset=(2, 0))
        assert "(•) ✓ true" in it.shown


async def test_a_beginning_of_a_name_can_be_a_name(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(name="helpful"))
    async with annotating_in(store) as it:
        await it.press("a", *"help", "enter", "f", "ctrl+s")
        assert it.values()[-1] == ("help", "false")


# Leaving, and what keeps the form open


async def test_leaving_asks_only_if_something_was_typed(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a", "escape")
        assert it.is_at_bench
        await it.press("a", "tab", "tab", "escape")
        assert it.is_at_bench
        await it.press("a", "x", "tab", "tab", "escape")
        assert isinstance(it.pilot.app.screen, ConfirmScreen)
        await it.press("n")
        assert it.form.query_one("#name", Input).value == "x"
        await it.press("escape", "y")
        assert it.is_at_bench
        assert it.rows() == []


@pytest.mark.parametrize("answer", ["y", "ctrl+c"])
async def test_quitting_asks_too_if_something_was_typed(store: Store, answer: str) -> None:
    async with annotating_in(store) as it:
        app = it.pilot.app
        await it.press("a", "x", "ctrl+c")
        assert isinstance(app.screen, ConfirmScreen)
        assert "Leave without saving what you typed?" in it.shown
        await it.press("n")
        assert it.form.query_one("#name", Input).value == "x"
        await it.press("ctrl+c")
        assert app.is_running
        await it.pilot.press(answer)
        await until(lambda: app._exit, "the end")


async def test_a_busy_store_keeps_the_form_and_what_was_typed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = partial(writing.add, patience=Patience(limit_s=0.0))
    monkeypatch.setattr(writing, "add", impatient)
    async with annotating_in(store) as it:
        await it.press("a", *"helpful", "tab", "tab", *"why")
        with closing(sqlite3.connect(it.path, isolation_level=None)) as other:
            other.execute("begin immediate")
            await it.press("ctrl+s")
            assert "another process is writing" in " ".join(it.shown.split())
            assert "helpful" in it.shown
            assert it.rows() == []
        await it.press("ctrl+s")
        assert it.rows()[0][:6] == ("helpful", "feedback", "bool", "true", "ana", "why")


async def test_what_waits_for_a_busy_store_says_so_and_is_done(store: Store) -> None:
    async with annotating_in(store) as it:
        with closing(sqlite3.connect(it.path, isolation_level=None)) as other:
            other.execute("begin immediate")
            await it.pilot.press("+")
            await until(lambda: "Waiting for the store" in it.said, "the word")
            assert it.rows() == []
        await it.rest()
        assert it.rows()[0][3] == "true"


async def test_a_target_that_is_gone_keeps_the_form(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("a", *"helpful")
        execute(it.path, "delete from spans where span_id = 'bbbbbbbbbbbbbbbb'")
        await it.press("ctrl+s")
        assert "is not in this run any more" in " ".join(it.shown.split())
        assert it.form.query_one("#name", Input).value == "helpful"


def make_old(path: Path) -> None:
    """Make the run one of an SDK without annotations."""
    for table in ("span_annotations", "eval_annotations", "exp_schema_migrations"):
        execute(path, f"drop table {table}")
    execute(path, "pragma user_version = 0")


async def test_tables_are_made_only_after_a_yes(store: Store) -> None:
    make_old(store.run(RUN).database.path)
    async with annotating_in(store) as it:
        await it.press("a", "x", "ctrl+s")
        assert "Create the tables" in it.shown
        await it.press("n")
        assert "Not saved" in it.shown
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            it.rows()
        await it.press("ctrl+s", "y")
        assert it.values() == [("x", "true")]


async def test_one_key_feedback_offers_the_tables_too(store: Store) -> None:
    make_old(store.run(RUN).database.path)
    async with annotating_in(store) as it:
        await it.press("+")
        assert isinstance(it.pilot.app.screen, ConfirmScreen)
        await it.press("y")
        assert it.values() == [("quality", "true")]


# Editing


async def test_an_edit_begins_with_what_is_there(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, expectation("a\nb", name="answer"))
    async with annotating_in(store) as it:
        await it.press("e")
        assert "Edit the annotation of span" in it.shown
        assert not it.form.query("#name")
        assert it.form.query_one("#text", TextArea).text == "a\nb"
        await it.press("c", "tab", *"why", "ctrl+s")
        assert it.rows()[0][:6] == ("answer", "expectation", "string", "a\nbc", "ana", "why")
        ((_, change),) = it.spans.changes
        assert isinstance(change, Edited)


async def test_an_edit_that_changes_nothing_writes_nothing(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(True, rationale="why"))
    async with annotating_in(store) as it:
        await it.press("e", "space", "space", "ctrl+s")
        assert it.is_at_bench
        assert it.spans.changes == []
        assert len(it.spans.undo) == 0


async def test_a_conflict_shows_what_is_there_and_overwrites_when_told_again(
    store: Store,
) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(True))
    async with annotating_in(store) as it:
        await it.press("e", "tab", *"mine")
        execute(it.path, "update span_annotations set value = 'false', rationale = 'theirs'")
        await it.press("ctrl+s")
        shown = " ".join(it.shown.split())
        assert "changed by somebody else" in shown
        assert "now ✗ false theirs" in shown
        assert it.rows()[0][5] == "theirs"
        await it.press("ctrl+s")
        assert (it.rows()[0][3], it.rows()[0][5]) == ("true", "mine")
        ((_, change),) = it.spans.changes
        assert isinstance(change, Edited)
        assert change.before.rationale == "theirs"


async def test_an_edit_of_what_was_deleted_puts_it_back_when_told_again(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(True))
    async with annotating_in(store) as it:
        await it.press("e", "f")
        execute(it.path, "delete from span_annotations")
        await it.press("ctrl+s")
        assert "deleted by somebody else" in it.shown
        await it.press("ctrl+s")
        assert it.values() == [("quality", "false")]


async def test_a_text_that_cannot_be_shown_stays_as_it_is(store: Store) -> None:
    text = "a\x1b[31mb"
    annotating.add(store.run(RUN).database, FIRST, expectation(text, name="answer"))
    async with annotating_in(store) as it:
        await it.press("e", "x", "tab", *"why", "ctrl+s")
        assert (it.rows()[0][3], it.rows()[0][5]) == (text, "why")


async def test_which_one_is_asked_where_there_are_several(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(name="one", user="sam"))
    annotating.add(store.run(RUN).database, FIRST, feedback(name="two", user="kim"))
    async with annotating_in(store) as it:
        await it.press("e")
        assert "Edit which annotation?" in it.shown
        await it.press("down", "enter")
        assert "Edit the annotation of" in it.shown
        await it.press("f", "ctrl+s")
        assert it.values() == [("one", "true"), ("two", "false")]


async def test_what_asks_which_one_has_keys_of_its_own(store: Store) -> None:
    for name in ("one", "two"):
        annotating.add(store.run(RUN).database, FIRST, feedback(name=name, user="sam"))
    async with annotating_in(store) as it:
        await it.press("d")
        assert "Delete which annotation?" in it.shown
        assert "Enter Choose" in it.shown
        assert not {"Open", "Reverse"} & set(it.shown.split())
        await it.press("s")
        assert "Delete which annotation?" in it.shown
        await it.press("escape")
        assert [row[0] for row in it.values()] == ["one", "two"]


async def test_the_one_under_the_cursor_is_meant_in_the_list(store: Store) -> None:
    for name in ("one", "two"):
        annotating.add(store.run(RUN).database, FIRST, feedback(name=name))
    async with annotating_in(store) as it:
        it.spans.query_one(AnnotationList).focus()
        await it.press("down", "d", "y")
        assert it.values() == [("one", "true")]


# One key


async def test_one_key_writes_true_or_false_under_the_last_name(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("+")
        assert it.values() == [("quality", "true")]
        await it.press("n", "a", *"tone", "ctrl+s", "n", "-")
        assert it.values()[-1] == ("tone", "false")


async def test_one_key_five_times_writes_five_in_order(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.pilot.press(*"+n" * 5)
        await it.rest()
        assert [row[6] for row in it.rows()] == [target.span_id for target in TARGETS]
        assert [target for target, _ in it.spans.changes] == TARGETS


async def test_one_key_again_says_so_and_the_other_key_edits(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("+", "+")
        assert "✓ quality true: your annotation has this value already." in it.said
        await it.press("-")
        assert it.values() == [("quality", "false")]
        assert "✗ false" in it.shown


async def test_one_key_leaves_what_others_said(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(user="sam"))
    async with annotating_in(store) as it:
        await it.press("-")
        assert [(row[3], row[4]) for row in it.rows()] == [("true", "sam"), ("false", "ana")]


# Deleting and undoing


async def test_deleting_takes_a_yes(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback(rationale="why not"))
    async with annotating_in(store) as it:
        await it.press("d")
        assert "Delete this annotation?" in it.shown
        assert "why not" in it.shown
        await it.press("n")
        assert len(it.rows()) == 1
        await it.press("d", "y")
        assert it.rows() == []
        assert "none yet   a annotates" in it.shown


async def test_what_changed_meanwhile_is_not_deleted_unseen(store: Store) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback())
    async with annotating_in(store) as it:
        await it.press("d")
        execute(it.path, "update span_annotations set rationale = 'theirs'")
        await it.press("y")
        assert "theirs" in it.shown
        assert len(it.rows()) == 1
        await it.press("y")
        assert it.rows() == []


async def test_undo_goes_several_deep(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("+", "-", "n", "+", "d", "y", "n", "-")
        assert len(it.rows()) == 2
        states = []
        for _ in range(5):
            await it.press("u")
            states.append([(row[3], row[6][0]) for row in it.rows()])  # type: ignore[index]
        assert states == [
            [("false", "b")],
            [("false", "b"), ("true", "c")],
            [("false", "b")],
            [("true", "b")],
            [],
        ]
        assert "Undone: deleted ✓ quality true." in it.said
        await it.press("u")
        assert "There is nothing to undo." in it.said
        assert isinstance(it.spans.changes[-1][1], Deleted)


@pytest.mark.parametrize(
    ("answer", "left"), [("o", 0), ("s", 1), ("escape", 1)], ids=["overwrite", "skip", "cancel"]
)
async def test_an_undo_over_somebody_elses_change_asks(
    store: Store, answer: str, left: int
) -> None:
    async with annotating_in(store) as it:
        await it.press("+")
        execute(it.path, "update span_annotations set value = 'false'")
        await it.press("u")
        assert isinstance(it.pilot.app.screen, ConflictScreen)
        assert "✗ quality false" in it.shown
        await it.press(answer)
        assert len(it.rows()) == left
        assert len(it.spans.undo) == (1 if answer == "escape" else 0)


async def test_what_can_never_be_undone_is_left(store: Store) -> None:
    async with annotating_in(store) as it:
        await it.press("n", "+", "n", "+", "d", "y")
        execute(it.path, f"delete from spans where span_id = '{TARGETS[2].span_id}'")
        await it.press("u")
        assert "Not undone" in it.said
        assert len(it.spans.undo) == 2


# Refusals


@pytest.mark.parametrize("key", list("aed+-u"))
async def test_every_key_says_why_it_does_nothing(store: Store, key: str) -> None:
    annotating.add(store.run(RUN).database, FIRST, feedback())
    async with annotating_in(store, Options(user="ana", read_only=True)) as it:
        await it.press(key)
        assert "started with --read-only" in it.said
        assert it.is_at_bench
        assert len(it.rows()) == 1
        await it.press("n")
        assert "none yet   flow-tui was started with --read-only" in it.shown


async def test_an_author_is_needed(store: Store) -> None:
    async with annotating_in(store, Options(user=" ")) as it:
        await it.press("+")
        assert "FLOW_TUI_USER" in it.said
        assert it.rows() == []


async def test_a_run_that_cannot_be_written_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowtui.screens.annotate.writing.os.access", lambda *_: False)
    async with annotating_in(store) as it:
        await it.press("a")
        assert "exp.db is read-only for you" in it.said
        assert it.is_at_bench


# How it looks


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=str)
async def test_the_form_fits(store: Store, size: tuple[int, int]) -> None:
    annotating.add(store.run(RUN).database, FIRST, expectation(3, name="helpful"))
    async with annotating_in(store, size=size) as it:
        await it.press("n", "a", "h", "tab")
        for words in ("Kind", "Name", "Type", "Value", "Rationale", "Author", "^S Save", "Esc"):
            assert words in it.shown


async def test_ages_count_from_the_apps_clock(store: Store, stopped_clock: object) -> None:
    async with annotating_in(store) as it:
        await it.press("+")
        assert "ana · now" in it.shown
        (annotation,) = store.run(RUN).ask(annotation_rows.of_target, FIRST)
        assert annotation.created_at == NOW


async def test_quitting_asks_about_what_was_typed(store: Store) -> None:
    async with annotating_in(store) as one:
        pilot, app = one.pilot, one.pilot.app
        await pilot.press("a")
        await until(lambda: isinstance(app.screen, AnnotationForm), "the form")
        await pilot.press("x", "ctrl+c")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the question")
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, AnnotationForm), "the form again")
        assert app.screen.query_one("#name", Input).value == "x"
        await pilot.press("ctrl+c", "y")
        await until(lambda: not app.is_running, "the end")


async def test_few_lines_show_how_to_save(store: Store) -> None:
    async with annotating_in(store, size=(40, 10)) as one:
        await one.pilot.press("a")
        await until(lambda: "^S Save" in screen_text(one.pilot), "the keys of the form")
