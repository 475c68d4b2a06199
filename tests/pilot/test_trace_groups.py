"""The Traces tab: groups of traces, and the conversation of a session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.traces.screen import TracesScreen
from flowtui.store.errors import DatabaseError
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.store.traces import groups
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.lists.virtual_list import VirtualList
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.unit.sessions import spans, turn

SESSIONS = ("b", "down", "enter")
"""Group by session: the second of name, session, user and model."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with StoreWriter(tmp_path, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.spans(spans())
    return tmp_path


@pytest.fixture
def store(directory: Path) -> Store:
    return open_store(directory)


async def pressed(pilot: Pilot[None], *keys: str) -> list[str]:
    """Press keys one after the other, and return the lines of the screen between its frame."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)
    return [line.strip() for line in screen_lines(pilot)[3:]]


def filter_text(pilot: Pilot[None]) -> str:
    assert isinstance(pilot.app.screen, TracesScreen)
    return pilot.app.screen.query_one("#filter", FilterLine).text


async def test_a_group_lists_its_traces_and_esc_leads_back(store: Store) -> None:
    async with opened(store, "run", tab="traces") as pilot:
        lines = await pressed(pilot, *SESSIONS)
        assert lines[0] == "2 sessions, 6 traces"
        assert lines[2].split()[:7] == ["one", "4", "✗", "1", "2.0", "s", "4.0"]
        assert lines[3].split()[:2] == ["two", "1"]
        assert lines[4].startswith("(no session)")
        lines = await pressed(pilot, "down", "enter")
        assert "Cancel A-2, please." in lines[1]
        assert filter_text(pilot) == 'session = "two"'
        assert "1 of 6" in lines[-2]
        assert "POST /chat" in (await pressed(pilot, "enter"))[0]
        assert "Cancel A-2, please." in (await pressed(pilot, "escape"))[1]
        assert "Esc Groups" in screen_lines(pilot)[-1]
        assert (await pressed(pilot, "escape"))[0] == "2 sessions, 6 traces"
        assert filter_text(pilot) == ""
        await pressed(pilot, "enter")
        assert filter_text(pilot) == 'session = "two"', "the cursor has stayed on its group"
        await pressed(pilot, "escape", "escape")
        assert "Can it come earlier?" in screen_text(pilot)
        assert "Esc Runs" in screen_lines(pilot)[-1]


async def test_groups_are_of_the_filtered_traces(store: Store) -> None:
    async with opened(store, "run", tab="traces") as pilot:
        await pressed(pilot, "slash", *"errors", "enter")
        lines = await pressed(pilot, *SESSIONS)
        assert lines[0] == "1 session, 1 trace"
        await pressed(pilot, "enter")
        assert filter_text(pilot) == '(errors) and session = "one"'
        assert (await pressed(pilot, "escape"))[0] == "1 session, 1 trace"
        assert filter_text(pilot) == "errors"
        lines = await pressed(pilot, "slash", *["backspace"] * 6, *"input contains A-", "enter")
        assert lines[0] == "2 sessions, 2 traces"


async def test_keys_that_are_typed_ahead_wait_for_the_groups(store: Store) -> None:
    async with opened(store, "run", tab="traces") as pilot:
        await pilot.press(*SESSIONS, "down", "enter")
        await settled(pilot)
        assert filter_text(pilot) == 'session = "two"'


async def test_a_session_is_read_as_one_conversation(store: Store) -> None:
    async with opened(store, "run", tab="traces") as pilot:
        lines = await pressed(pilot, *SESSIONS, "c")
        assert lines[0] == "one  4 traces"
        assert screen_text(pilot).count("Where is order A-1?") == 1
        assert screen_text(pilot).count("yes") == 2
        at = next(n for n, line in enumerate(lines) if "Can it come earlier?" in line)
        await pressed(pilot, *["down"] * (at - 1), "t")
        assert "2.0 s" in screen_lines(pilot)[3]
        assert (await pressed(pilot, "escape"))[0] == "one  4 traces"
        assert (await pressed(pilot, "escape"))[0] == "2 sessions, 6 traces"
        assert "health" in "".join(await pressed(pilot, "escape"))


async def test_a_trace_leads_to_its_session_and_back(store: Store) -> None:
    async with opened(store, "run", tab="traces") as pilot:
        # The second from the top is the last of the session `one`.
        await pressed(pilot, "down", "enter")
        assert "4.0 s" in screen_lines(pilot)[3]
        assert (await pressed(pilot, "c"))[0] == "one  4 traces"
        await pressed(pilot, "escape", "down")
        spans = pilot.app.screen.query_one("#spans", VirtualList)
        assert (spans.has_focus, spans.cursor) == (True, 1)
        assert (await pressed(pilot, "c"))[0] == "one  4 traces"
        # Keys that are typed ahead wait for the conversation.
        await pilot.press("escape", "c", "t")
        await settled(pilot)
        assert "1.0 s" in screen_lines(pilot)[3]
        assert (await pressed(pilot, "escape"))[0] == "one  4 traces"
        # Enter on a heading opens its trace.
        await pressed(pilot, "enter")
        assert "1.0 s" in screen_lines(pilot)[3]
        assert (await pressed(pilot, "escape"))[0] == "one  4 traces"
        await pressed(pilot, "escape")
        assert "4.0 s" in screen_lines(pilot)[3]
        assert "trace" in (await pressed(pilot, "escape"))[0]


async def test_a_trace_without_a_session_says_so(store: Store) -> None:
    async with opened(store, "run", tab="traces") as pilot:
        await pressed(pilot, "G", "enter", "c")
        assert "No span of this trace names a session." in screen_text(pilot)
        assert "health" in screen_lines(pilot)[3]


async def test_groups_and_conversation_grow_with_the_store(directory: Path) -> None:
    async with opened(open_store(directory), "run", tab="traces") as pilot:
        await pressed(pilot, *SESSIONS, "down")
        with StoreWriter(directory) as writer, writer.experiment("run") as experiment:
            experiment.spans(turn(12, "two", (), "And A-3?", "Done, too."))
        await until(lambda: "7 traces" in screen_text(pilot), "the new trace in its group")
        await settled(pilot)
        assert (await pressed(pilot, "c"))[0] == "two  2 traces"
        with StoreWriter(directory) as writer, writer.experiment("run") as experiment:
            experiment.spans(turn(13, "two", (), "And A-4?", "That is too late."))
        await until(lambda: "That is too late." in screen_text(pilot), "the new turn")


async def test_groups_are_sorted_and_copied(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: copied.append(text))
    async with opened(store, "run", tab="traces") as pilot:
        # By the highest p95, the fifth column.
        lines = await pressed(pilot, *SESSIONS, "s", *["down"] * 3, "enter")
        assert "p95 ↓" in lines[1]
        assert [line.split()[0] for line in lines[2:4]] == ["two", "one"]
        await pressed(pilot, "g", "y", "Y")
    assert copied[0] == "two"
    assert json.loads(copied[1])["trace_count"] == 1


async def test_a_run_that_names_no_users_says_what_would(demo: Store) -> None:
    async with opened(demo, "support-agent-v3", tab="traces") as pilot:
        await pressed(pilot, "slash", *'name = "reindex knowledge base"', "enter")
        lines = await pressed(pilot, "b", "down", "down", "enter")
        assert "no user" in screen_text(pilot) or "No trace" in lines[0]


async def test_a_failed_read_is_told_in_place_of_the_groups(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise DatabaseError(Path("exp.db"), "the disk is gone")

    monkeypatch.setattr(groups, "groups", failing)
    async with opened(store, "run", tab="traces") as pilot:
        await pressed(pilot, *SESSIONS)
        assert "the disk is gone" in screen_text(pilot)
        assert "health" in "".join(await pressed(pilot, "escape"))
