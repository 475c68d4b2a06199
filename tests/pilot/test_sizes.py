"""Every screen in a terminal of any size: too small is unreadable, never an error."""

from __future__ import annotations

import pytest

from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.upload.key import KeyScreen
from flowtui.store.store import Store
from tests.pilot.pilot import opened, screen_text, settled, until

AGENT = "support-agent-v3"
SIZES = [(columns, 9) for columns in (1, 4, 9, 16, 18, 20, 28, 37, 44)]
SIZES += [(1, 1), (20, 3), (120, 2), (300, 80), (80, 24)]
FEW_LINES = (40, 10)
PLACES = {
    "overview": [],
    "overview, filtering": ["slash"],
    "runs": ["escape"],
    "runs, columns": ["escape", "c"],
    "metrics": ["2"],
    "one metric": ["2", "enter", "plus", "v"],
    "traces": ["3"],
    "one trace": ["3", "enter"],
    "one trace, its detail": ["3", "enter", "tab"],
    "annotation form": ["3", "enter", "a"],
    "export": ["3", "enter", "x"],
    "evals": ["4"],
    "evals, columns": ["4", "c"],
    "one sample": ["4", "enter"],
    "review": ["4", "R"],
    "attachments": ["5"],
    "one attachment": ["5", "down", "down", "tab"],
    "keys": ["question_mark"],
}


@pytest.mark.parametrize("place", PLACES)
async def test_no_size_is_an_error(demo: Store, place: str) -> None:
    async with opened(demo, AGENT) as pilot:
        for key in PLACES[place]:
            await pilot.press(key)
            await settled(pilot)
        for columns, lines in SIZES:
            await pilot.resize_terminal(columns, lines)
            await pilot.pause()
            assert pilot.app._exception is None, (columns, lines)
        await settled(pilot)


async def test_in_few_lines_the_pane_with_the_keys_gets_the_room(demo: Store) -> None:
    async with opened(demo, AGENT, FEW_LINES, tab="evals") as pilot:
        assert "faq-0003" in screen_text(pilot)
        await pilot.press("tab")
        await settled(pilot)
        assert "hard_v2" in screen_text(pilot)
        await pilot.press("tab")
        await settled(pilot)
        assert "faq-0003" in screen_text(pilot)


@pytest.mark.parametrize(("tab", "said"), [("evals", "Output and reference"), ("traces", "system")])
async def test_in_few_lines_what_is_judged_is_in_sight(demo: Store, tab: str, said: str) -> None:
    async with opened(demo, AGENT, FEW_LINES, tab=tab) as pilot:
        await pilot.press(*["enter"] * (tab == "traces"), "R")
        await until(lambda: "judging" in screen_text(pilot), "the review")
        await until(lambda: said in screen_text(pilot), "what is judged")


async def test_in_few_lines_dialogs_show_their_keys(demo: Store) -> None:
    async with opened(demo, AGENT, FEW_LINES, tab="evals") as pilot:
        await pilot.press("s")
        await until(lambda: "Enter Choose" in screen_text(pilot), "the keys of the choice")
        await pilot.press("escape", "U")
        await until(lambda: "Enter Check" in screen_text(pilot), "the keys of the form")
        assert "Key  " in screen_text(pilot)


async def test_the_answers_to_a_question_are_in_sight_however_long_it_is(demo: Store) -> None:
    details = [f"detail {number} " + "word " * 10 for number in range(4)]
    async with opened(demo, AGENT, size=(40, 10)) as pilot:
        answers: list[bool | None] = []
        question = ConfirmScreen("Is this what is to be done with all of it?", details)
        pilot.app.push_screen(question, answers.append)
        await settled(pilot)
        assert "y Yes" in screen_text(pilot)
        assert "↓ More" in screen_text(pilot)
        assert "detail 3" not in screen_text(pilot)
        await pilot.press(*["down"] * 12)
        await settled(pilot)
        assert "detail 3" in screen_text(pilot)
        assert "y Yes" in screen_text(pilot)
        await pilot.press("y")
        assert answers == [True]
        pilot.app.push_screen(ConfirmScreen("Is it?", ["short"]))
        await settled(pilot)
        assert "More" not in screen_text(pilot)


async def test_a_key_is_asked_for_with_its_field_and_keys_in_sight(demo: Store) -> None:
    async with opened(demo, AGENT, size=(40, 10)) as pilot:
        pilot.app.push_screen(KeyScreen("https://registry.test", "No key was found."))
        await settled(pilot)
        assert "Enter Check" in screen_text(pilot)
        assert "No key was found." in screen_text(pilot)
        assert pilot.app.focused is not None
        assert pilot.app.focused.region.bottom < 10


async def test_an_annotation_is_written_with_the_keys_in_sight(demo: Store) -> None:
    async with opened(demo, AGENT, size=(40, 10), tab="evals") as pilot:
        for key in ("enter", "a"):
            await pilot.press(key)
            await settled(pilot)
        assert "^S Save  Esc Cancel" in screen_text(pilot)
