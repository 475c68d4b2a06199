"""Editing and deleting from the list of runs and from Overview, and undoing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from flowtui.app.app import FlowApp
from flowtui.screens.attachments.file_screen import FileScreen
from flowtui.screens.care.form import CareForm
from flowtui.screens.dialogs.confirm import ConfirmScreen, ConflictScreen
from flowtui.screens.dialogs.delete import DeleteScreen
from flowtui.screens.runs.screen import RunsScreen
from flowtui.store.care import trash
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from flowtui.widgets.lists.group_list import GroupList
from flowtui.widgets.lists.virtual_table import VirtualTable
from tests.conftest import open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.unit.stores import execute, held

RUN, OTHER = "run-1", "run-2"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    with StoreWriter(path, durable=False) as writer:
        writer.start_run(RUN, "first", tags=["a"], description="as it was")
        writer.start_run(OTHER, "second", group="sweep")
        writer.model(RUN, "net.luml", b"12345", name="net", description="# Card\n\nWeights of it.")
        for run_id in (RUN, OTHER):
            writer.end_run(run_id, status="completed", duration=1.0)
    return path


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    store = open_store(directory)
    yield store
    store.close()


def query(directory: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(directory / "meta.db")) as connection:
        return connection.execute(sql).fetchall()


async def type_over(pilot: Pilot[None], field: str, text: str) -> None:
    """Put the cursor into a field of the form, and type another text."""
    line = pilot.app.screen.query_one(f"#{field}", Input)
    line.focus()
    await pilot.press("end", "ctrl+u", *("space" if char == " " else char for char in text))


async def on(pilot: Pilot[None], kind: type[Screen[Any]]) -> None:
    """Wait until a screen of a kind is open, and drawn."""
    await until(lambda: isinstance(pilot.app.screen, kind), f"a {kind.__name__}")
    await settled(pilot)


async def saved(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+s")
    await until(lambda: not isinstance(pilot.app.screen, CareForm), "the form to close")
    await settled(pilot)


async def test_a_rename_shows_everywhere_at_once_and_is_undone(
    store: Store, directory: Path
) -> None:
    async with opened(store, RUN) as pilot:
        await pilot.press("e")
        await on(pilot, CareForm)
        await type_over(pilot, "name", "renamed it")
        await saved(pilot)
        assert "renamed it" in screen_lines(pilot)[0]
        assert "name of renamed it   u undoes" in screen_text(pilot)
        await pilot.press("2")
        await settled(pilot)
        assert "renamed it" in screen_lines(pilot)[0]
        await pilot.press("escape")
        await settled(pilot)
        assert "renamed it" in screen_text(pilot)
        await pilot.press("u")
        await until(lambda: "first" in screen_text(pilot), "the old name in the list")
        await pilot.press("1")
        await until(lambda: "first" in screen_lines(pilot)[0], "the old name above the tab")
    assert query(directory, "select name from experiments where id = 'run-1'") == [("first",)]


async def test_tags_group_and_description_are_edited_in_one_form(
    store: Store, directory: Path
) -> None:
    async with opened(store, RUN) as pilot:
        await pilot.press("e")
        await on(pilot, CareForm)
        await type_over(pilot, "tags", 'a, "b, c", new')
        # The suggestion is taken.
        await type_over(pilot, "group", "swe")
        await settled(pilot)
        await pilot.press("right")
        pilot.app.screen.query_one("#description").focus()
        await pilot.press("enter", *"more")
        await saved(pilot)
        assert "sweep" in screen_text(pilot)
    (row,) = query(
        directory,
        "select r.tags, g.name, r.description from experiments r join experiment_groups g"
        " on g.id = r.group_id where r.id = 'run-1'",
    )
    assert (json.loads(row[0]), *row[1:]) == (["a", "b, c", "new"], "sweep", "as it was\nmore")


async def test_marked_runs_move_to_a_group_and_are_tagged(store: Store, directory: Path) -> None:
    async with opened(store, None) as pilot:
        await pilot.press("asterisk")
        await settled(pilot)
        await pilot.press("e")
        await on(pilot, CareForm)
        assert "Edit the 2 marked runs" in screen_text(pilot)
        await type_over(pilot, "group", "fresh")
        await settled(pilot)
        assert "a new group, which is made" in screen_text(pilot)
        await type_over(pilot, "tags", "t1")
        await type_over(pilot, "untag", "a")
        await saved(pilot)
        assert "tags, group of 2 runs   u undoes" in screen_text(pilot)
        after = query(
            directory,
            "select r.id, g.name, r.tags from experiments r join experiment_groups g"
            " on g.id = r.group_id order by 1",
        )
        assert after == [(RUN, "fresh", '["t1"]'), (OTHER, "fresh", '["t1"]')]
        await pilot.press("u")
        await until(lambda: "Undone: tags, group of 2 runs" in screen_text(pilot))
    assert query(directory, "select name from experiment_groups order by 1") == [
        ("default",), ("sweep",)
    ]  # fmt: skip


async def test_what_was_typed_is_not_lost_without_a_question(store: Store) -> None:
    async with opened(store, RUN) as pilot:
        await pilot.press("e")
        await on(pilot, CareForm)
        await type_over(pilot, "name", " ")
        await pilot.press("ctrl+s")
        await until(lambda: "the name is empty" in screen_text(pilot))
        await pilot.press("escape")
        await on(pilot, ConfirmScreen)
        await pilot.press("n", "escape", "y")
        await until(lambda: len(pilot.app.screen_stack) == 1)
        # Where nothing was typed, nothing is asked or written.
        await pilot.press("e")
        await on(pilot, CareForm)
        await pilot.press("ctrl+s")
        await until(lambda: len(pilot.app.screen_stack) == 1)


async def test_somebody_elses_name_is_shown_before_it_is_overwritten(
    store: Store, directory: Path
) -> None:
    async with opened(store, RUN) as pilot:
        await pilot.press("e")
        await on(pilot, CareForm)
        execute(directory / "meta.db", "update experiments set name = 'theirs' where id = 'run-1'")
        await type_over(pilot, "name", "mine")
        await pilot.press("ctrl+s")
        await until(lambda: "somebody else has changed its name" in screen_text(pilot))
        assert "now  theirs" in screen_text(pilot)
        await saved(pilot)
        execute(directory / "meta.db", "update experiments set name = 'again' where id = 'run-1'")
        await pilot.press("u")
        await on(pilot, ConflictScreen)
        await pilot.press("o")
        await until(lambda: "Undone: name of mine" in screen_text(pilot))
    assert query(directory, "select name from experiments where id = 'run-1'") == [("theirs",)]


async def test_nothing_is_written_with_read_only(directory: Path, store: Store) -> None:
    app = FlowApp(store, store.resolve(RUN), Options(read_only=True, user="ana"))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        for key in ("e", "D", "u"):
            await pilot.press(key)
            await until(lambda: "started with --read-only" in screen_text(pilot))
            assert len(app.screen_stack) == 1
            app.clear_notifications()
            await settled(pilot)


async def test_a_run_is_deleted_from_the_list_once_its_name_is_typed(
    store: Store, directory: Path
) -> None:
    async with opened(store, None) as pilot:
        rows = pilot.app.screen.query_one(VirtualTable)
        rows.cursor = 1
        await settled(pilot)
        await pilot.press("space", "D")
        await on(pilot, DeleteScreen)
        shown = screen_text(pilot)
        assert "Delete first (run-1)?" in shown
        assert "1 model, 2 files" in shown
        await pilot.press("enter")
        assert " type delete or first" in screen_text(pilot)
        await pilot.press(*"firs", "enter")
        assert " type delete or first" in screen_text(pilot)
        await pilot.press("t", "enter")
        await until(lambda: "Deleted first (run-1)" in screen_text(pilot))
        await settled(pilot)
        assert "Runs 1" in screen_lines(pilot)[0]
        assert "marked" not in screen_lines(pilot)[0]
    assert [one.id for one in trash.trashed_runs(store)] == [RUN]


async def test_in_few_lines_the_question_the_field_and_what_it_takes_are_in_sight(
    store: Store,
) -> None:
    async with opened(store, RUN, size=(40, 10)) as pilot:
        await pilot.press("D")
        await on(pilot, DeleteScreen)
        await pilot.press("x", "enter")
        await settled(pilot)
        lines = [line.strip(" │") for line in screen_lines(pilot)]
    for shown in (
        "Delete first (run-1)?", "Type delete or its name:", "x", "type delete or first",
        "Enter Delete  Esc Cancel",
    ):  # fmt: skip
        assert shown in lines


async def test_deleting_the_open_run_leads_back_to_the_list(store: Store) -> None:
    async with opened(store, RUN) as pilot:
        await pilot.press("3", "1", "D")
        await on(pilot, DeleteScreen)
        await pilot.press(*"delete", "enter")
        await on(pilot, RunsScreen)
        await settled(pilot)
        assert "Runs 1" in screen_lines(pilot)[0]
        await pilot.press("2")
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunsScreen)
        # The other run opens as ever.
        await pilot.press("enter")
        await until(lambda: "second" in screen_lines(pilot)[0])
        await settled(pilot)


async def test_marked_runs_are_deleted_but_those_that_live(store: Store, directory: Path) -> None:
    with held(directory / OTHER / "exp.db"):
        async with opened(store, None) as pilot:
            await pilot.press("asterisk")
            await settled(pilot)
            await pilot.press("D")
            await on(pilot, DeleteScreen)
            shown = screen_text(pilot)
            assert "stays: second (run-2): a process has its database open" in shown
            await pilot.press(*"delete", "enter")
            await until(lambda: "Deleted first (run-1)" in screen_text(pilot))
            await settled(pilot)
            # A run that lives alone is not even asked about.
            await pilot.press("D")
            await until(lambda: "Not deleted: second" in screen_text(pilot))
    assert [one.id for one in trash.trashed_runs(store)] == [RUN]


async def test_a_model_shows_its_card_and_is_edited_and_deleted(
    store: Store, directory: Path
) -> None:
    async with opened(store, RUN) as pilot:
        await pilot.press("tab", "tab", "enter")
        await on(pilot, FileScreen)
        await settled(pilot)
        assert "Weights of it." in screen_text(pilot)
        await pilot.press("escape", "e")
        await on(pilot, CareForm)
        assert "Edit the model net" in screen_text(pilot)
        assert not pilot.app.screen.query("#group")
        await type_over(pilot, "name", "best")
        await saved(pilot)
        await until(lambda: " best " in screen_text(pilot), "the model's new name")
        await pilot.press("D")
        await on(pilot, DeleteScreen)
        await pilot.press(*"best", "enter")
        await until(lambda: "Deleted the model best; freed 5 B" in screen_text(pilot))
        await until(lambda: "none logged: tracker.log_model(path)" in screen_text(pilot))
    assert not (directory / RUN / "models" / "net.luml").exists()


async def test_a_group_is_renamed_and_deleted_once_it_is_empty(
    store: Store, directory: Path
) -> None:
    async with opened(store, None) as pilot:
        await pilot.press("tab", "down", "down", "D")
        await until(lambda: "The group sweep has 1 run" in screen_text(pilot))
        await pilot.press("e")
        await on(pilot, CareForm)
        await type_over(pilot, "name", "grid")
        await saved(pilot)
        await until(lambda: "grid" in screen_text(pilot), "the group's new name")
        execute(directory / "meta.db", "update experiments set group_id = (select id from"
                " experiment_groups where name = 'default')")  # fmt: skip
        await pilot.press("r")
        await settled(pilot)
        groups = pilot.app.screen.query_one(GroupList)
        assert groups.group is not None
        assert (groups.group.name, groups.group.run_count) == ("grid", 0)
        await pilot.press("D")
        await on(pilot, ConfirmScreen)
        await pilot.press("y")
        await until(lambda: "Deleted the group grid." in screen_text(pilot))
        await settled(pilot)
        assert groups.line_count == 2
    assert query(directory, "select name from experiment_groups") == [("default",)]
