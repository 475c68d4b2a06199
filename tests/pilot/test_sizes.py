"""Every screen in a terminal of any size: too small is unreadable, never an error."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(("tab", "said"), [("evals", "Where is my order"), ("traces", "system")])
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
