"""What people said as a column of Traces and Evals, in the head of Evals, and as a group."""

from __future__ import annotations

import csv
from pathlib import Path

from flowtui.store.store import Store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until

RUN = "support-agent-v3"


async def test_names_are_columns_where_there_is_room(demo: Store) -> None:
    async with opened(demo, RUN, size=(170, 30), tab="traces") as pilot:
        head = screen_lines(pilot)[3]
        assert head.index("output") < head.index("✎ quality") < head.index("state")
    async with opened(demo, RUN, size=(170, 30), tab="evals") as pilot:
        await settled(pilot)
        assert "✎ quality 72 % of 126" in screen_text(pilot)
        head = next(line for line in screen_lines(pilot) if line.startswith("  id "))
        assert head.index("correct") < head.index("✎ quality") < head.index("inputs")


async def test_an_own_annotation_is_in_its_column_and_in_the_tally(demo_copy: Path) -> None:
    from tests.conftest import open_store

    async with opened(open_store(demo_copy), RUN, size=(170, 30), tab="evals") as pilot:
        await settled(pilot)
        row = next(line for line in screen_lines(pilot) if "faq-0001" in line)
        before = row.count("✓ true")
        await pilot.press("plus")
        await settled(pilot)
        await until(lambda: "of 127" in screen_text(pilot), "the tally with one more")
        row = next(line for line in screen_lines(pilot) if "faq-0001" in line)
        assert row.count("✓ true") == before + 1


async def test_traces_are_grouped_by_what_people_said_and_a_group_is_entered(demo: Store) -> None:
    async with opened(demo, RUN, tab="traces") as pilot:
        await pilot.press("b", *["down"] * 4, "enter")
        await settled(pilot)
        assert "groups by ✎ quality" in screen_text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "annotations.`feedback.quality` = " in screen_text(pilot)
        assert "21 of 46" in screen_text(pilot)


async def test_the_list_of_traces_is_saved_with_what_people_said(
    demo: Store, tmp_path: Path
) -> None:
    file = tmp_path / "t.csv"
    async with opened(demo, RUN, tab="traces") as pilot:
        await pilot.press("x", "ctrl+u", *str(file), "enter")
        await settled(pilot)
        await until(file.exists, "the file")
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert len(rows) == 46
    assert {row["annotations.feedback.quality"] for row in rows} >= {"true", "false", ""}
