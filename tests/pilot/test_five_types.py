"""The app over a store that has a value of each type of SQLite in every column that is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import open_store
from tests.pilot.monkey import crash_logs
from tests.pilot.pilot import opened, screen_text, settled
from tests.unit.store.test_five_types import COLUMNS, make_store

ROWS = 8
"""How many rows of a list are opened, each a page after the one before."""


@pytest.mark.parametrize("tab", ["overview", "metrics", "traces", "evals", "attachments"])
@pytest.mark.parametrize("has_types", [True, False], ids=["typed", "bare"])
async def test_rows_of_a_tab_can_be_opened_and_left(
    tmp_path: Path, tab: str, has_types: bool
) -> None:
    make_store(tmp_path, COLUMNS, has_types)
    logs = crash_logs()
    async with opened(open_store(tmp_path), "sound-run", tab=tab) as pilot:
        for _ in range(ROWS):
            await pilot.press("pagedown")
            await settled(pilot)
            before = screen_text(pilot)
            await pilot.press("enter")
            await settled(pilot)
            if screen_text(pilot) != before:
                await pilot.press("escape")
                await settled(pilot)
        assert "sound run" in screen_text(pilot)
    assert crash_logs() == logs


@pytest.mark.parametrize("has_types", [True, False], ids=["typed", "bare"])
async def test_the_list_of_runs_shows_all_of_them(tmp_path: Path, has_types: bool) -> None:
    make_store(tmp_path, COLUMNS, has_types)
    logs = crash_logs()
    async with opened(open_store(tmp_path), None) as pilot:
        for _ in range(ROWS):
            await pilot.press("pagedown")
            await settled(pilot)
            await pilot.press("enter")
            await settled(pilot)
            await pilot.press("escape")
            await settled(pilot)
        assert "odd0-" in screen_text(pilot)
    assert crash_logs() == logs
