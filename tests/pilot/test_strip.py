"""The strip below the lists: what the cursor is on, in the list of runs, Traces and Evals."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from flowtui.store.store import Store
from flowtui.widgets.lists.detail_strip import DetailStrip
from flowtui.widgets.lists.virtual_table import VirtualTable
from tests.pilot.pilot import opened, screen_lines, settled, still, until

LISTS = [(None, "overview", "#runs"), ("support-agent-v3", "traces", "#traces"),
         ("support-agent-v3", "evals", "#samples")]  # fmt: skip


def strip_text(pilot: Pilot[None]) -> str:
    strip = pilot.app.screen.query_one(DetailStrip)
    top = strip.region.y
    return "\n".join(screen_lines(pilot)[top : top + strip.region.height]) if strip.display else ""


@pytest.mark.parametrize(("run", "tab", "rows"), LISTS)
async def test_it_is_open_on_a_high_screen_and_a_key_closes_it_for_all_lists(
    demo: Store, run: str | None, tab: str, rows: str
) -> None:
    async with opened(demo, run, size=(120, 36), tab=tab) as pilot:
        await still(pilot)
        table = pilot.app.screen.query_one(rows, VirtualTable)
        assert strip_text(pilot).strip("─\n ")
        height = table.size.height
        await pilot.press("i")
        await settled(pilot)
        assert strip_text(pilot) == ""
        assert table.size.height > height
    async with opened(demo, run, size=(120, 36), tab=tab) as pilot:
        await settled(pilot)
        assert strip_text(pilot) == "", "remembered"


@pytest.mark.parametrize(("run", "tab", "rows"), LISTS)
async def test_a_low_screen_opens_it_by_the_key_and_the_list_does_not_jump(
    demo: Store, run: str | None, tab: str, rows: str
) -> None:
    async with opened(demo, run, size=(100, 24), tab=tab) as pilot:
        assert strip_text(pilot) == ""
        await pilot.press("i")
        await still(pilot)
        table = pilot.app.screen.query_one(rows, VirtualTable)
        height, before = table.size.height, strip_text(pilot)
        assert before.strip("─\n ")
        await pilot.press("down")
        await still(pilot)
        assert (table.size.height, round(table.scroll_y)) == (height, 0)
        await until(lambda: strip_text(pilot) != before, "the strip is about the next row")


async def test_what_is_in_it_is_of_the_run_under_the_cursor(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        rows = pilot.app.screen.query_one("#runs", VirtualTable)
        rows.put_cursor(demo.resolve("resnet50-cosine").row.rowid)
        await still(pilot)
        assert "lr=0.08" in strip_text(pilot)
        assert "val/accuracy ★0.8714" in " ".join(strip_text(pilot).split())


async def test_it_is_of_the_list_alone(demo: Store) -> None:
    async with opened(demo, "support-agent-v3", tab="traces") as pilot:
        await still(pilot)
        assert "output" in strip_text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert strip_text(pilot) == ""
        await pilot.press("escape")
        await settled(pilot)
        assert strip_text(pilot)
