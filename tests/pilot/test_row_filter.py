"""Filtering the rows of a table in a preview."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from flowtui.screens.attachments.find_line import FindsInPreview
from flowtui.store.store import Store
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.lists.table_pane import TablePane
from tests.pilot.attached import attached, files, preview, shown
from tests.pilot.pilot import opened, screen_text, settled, until

TAB = "attachments"
ROWS = "\n".join(f"{n},{n % 5 == 0},{'pho' if n % 2 else 'ramen'}" for n in range(3_000))
FILES = {
    "a.csv": f"n,right,dish\n{ROWS}\n".encode(),
    "b.txt": b"pho\n",
    "c.csv": b"x,y\n1,2\n3,4\n",
}


def store(directory: Path) -> Store:
    return attached(directory, FILES)


def table(pilot: Pilot[None]) -> TablePane:
    return pilot.app.screen.query_one(TablePane)


def line(pilot: Pilot[None]) -> FilterLine:
    assert isinstance(pilot.app.screen, FindsInPreview)
    return pilot.app.screen.query_one("#rows", FilterLine)


async def in_table(pilot: Pilot[None]) -> None:
    files(pilot).go_to("a.csv")
    await shown(pilot, "3,000 rows")
    await pilot.press("enter")


async def typed(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash")
    await until(lambda: line(pilot).is_open and line(pilot).has_focus_within, "the line")
    await pilot.press(*("space" if char == " " else char for char in text))


async def test_rows_that_meet_an_expression_are_shown_with_their_numbers(tmp_path: Path) -> None:
    async with opened(store(tmp_path), "run", tab=TAB) as pilot:
        await in_table(pilot)
        await typed(pilot, "right = true and dish = pho")
        await shown(pilot, "300 of 3,000 rows")
        # Both in the title, and beside what is typed.
        await until(lambda: screen_text(pilot).count("300 of 3,000 rows") == 2, "the note")
        assert [table(pilot)._keys[at] for at in range(3)] == [5, 15, 25]
        await pilot.press("enter")
        await until(lambda: table(pilot).has_focus, "the table")
        await pilot.press("down", "G")
        await settled(pilot)
        assert table(pilot).copy_text == "2995\tTrue\tpho"
        assert "2,996" in screen_text(pilot)
        # Esc shows all rows again and keeps the cursor on its row; then it goes to the files.
        await pilot.press("escape")
        await shown(pilot, "CSV · 3 columns · 3,000 rows")
        assert table(pilot).cursor_key == 2_995
        assert not line(pilot).is_open
        await pilot.press("escape")
        await until(lambda: files(pilot).has_focus, "the files")


async def test_none_a_mistake_and_a_text(tmp_path: Path) -> None:
    async with opened(store(tmp_path), "run", tab=TAB) as pilot:
        await in_table(pilot)
        await typed(pilot, "nn > 3")
        await shown(pilot, "There is no column 'nn'")
        await pilot.press("home", "delete")
        await shown(pilot, "2,996 of 3,000 rows")
        assert not line(pilot).is_mistaken
        await pilot.press("end", "0", "0", "0")
        await shown(pilot, "None of the 3,000 rows match. / changes the filter.")
        await pilot.press("ctrl+u", *"ram")
        await shown(pilot, "1,500 of 3,000 rows")
        await pilot.press("escape")
        await shown(pilot, "CSV · 3 columns · 3,000 rows")


async def test_another_file_or_form_ends_the_filter(tmp_path: Path) -> None:
    async with opened(store(tmp_path), "run", tab=TAB) as pilot:
        await in_table(pilot)
        await typed(pilot, "pho")
        await shown(pilot, "1,500 of 3,000 rows")
        await pilot.press("enter", "p")
        await shown(pilot, "n,right,dish")
        assert not line(pilot).is_open
        await pilot.press("p")
        await shown(pilot, "CSV · 3 columns · 3,000 rows")
        await typed(pilot, "pho")
        await shown(pilot, "1,500 of 3,000 rows")
        await pilot.press("enter", "tab")
        files(pilot).go_to("c.csv")
        await shown(pilot, "c.csv  CSV · 2 columns · 2 rows")
        assert (preview(pilot).row_filter, line(pilot).is_open) == ("", False)


async def test_a_file_that_changes_keeps_its_filter(tmp_path: Path) -> None:
    async with opened(store(tmp_path), "run", tab=TAB) as pilot:
        await in_table(pilot)
        await typed(pilot, "right = true")
        await shown(pilot, "600 of 3,000 rows")
        await pilot.press("enter")
        path = tmp_path / "run" / "attachments" / "a.csv"
        path.write_bytes(path.read_bytes() + b"3000,True,pho\n3001,True,pho\n")
        await pilot.press("r")
        await shown(pilot, "602 of 3,002 rows")


async def test_a_very_wide_table_says_which_columns_are_looked_at(tmp_path: Path) -> None:
    head = ",".join(f"c{n}" for n in range(450))
    row = ",".join(str(n) for n in range(450))
    wide = attached(tmp_path, {"a.csv": f"{head}\n{row}\n".encode()})
    async with opened(wide, "run", tab=TAB) as pilot:
        files(pilot).go_to("a.csv")
        await shown(pilot, "450 columns")
        await pilot.press("enter")
        await typed(pilot, "c3 = 3")
        await shown(pilot, "Looks at columns 1 to 200 of 450.")
        await shown(pilot, "1 of 1 row")
