"""Tables of files as columns: how wide they are, and numbers by their decimal points."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowtui.previews.values import Part, TableColumn, TablePage
from flowtui.widgets.cells import fit
from flowtui.widgets.lists import preview_table


def page(*values: str, name: str = "loss", first_column: int = 0) -> TablePage:
    rows = tuple((value,) for value in values)
    part = Part("row", 0, len(rows), len(rows), None)
    return TablePage((TableColumn(name),), rows, part, 1, first_column)


def drawn(shown: TablePage, more: Sequence[str] = ()) -> list[str]:
    """The cells of the first column as they stand on the screen, those of later rows too."""
    columns = preview_table.columns(shown, 3)
    rows = [*shown.rows, *((value,) for value in more)]
    columns = preview_table.widened(columns, rows)
    column = columns[1]
    cells = [preview_table.cells(row, 0, columns)[1].text for row in rows]
    return [fit(cell, column.width, column.align) for cell in cells]


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (["0.5", "12.25", "100", "-3.125", "1e-05"],
         ["  0.5  ", " 12.25 ", "100    ", " -3.125", "  1e-05"]),
        (["1", "20", "300"], ["   1", "  20", " 300"]),
        (["0.5", "NaN", "", "None", "inf"], ["   0.5", " NaN  ", "      ", "None  ", " inf  "]),
        (["0,5", "12,25"], [" 0,5 ", "12,25"]),
        (["1,234.5", "12"], ["1,234.5", "   12  "]),
        (["5%", "12.5%"], ["   5%", "12.5%"]),
        (["12 B", "1.5 kB"], ["  12 B", "1.5 kB"]),
        ([".5", "+1.25"], ["  .5 ", "+1.25"]),
        (["2024-01-01", "x"], ["2024-01-01", "x         "]),
        (["1", "x"], ["1   ", "x   "]),
    ],
)  # fmt: skip
def test_numbers_stand_in_line_by_their_decimal_points(values: list[str], lines: list[str]) -> None:
    assert drawn(page(*values)) == lines


def test_rows_that_come_later_with_more_digits_cut_no_number() -> None:
    shown = drawn(page("1000.5", "2.5"), more=["3.14159", "100000"])
    assert [line.strip() for line in shown] == ["1000.5", "2.5", "3.14159", "100000"]
    assert len({line.find(".") for line in shown if "." in line}) == 1


def test_a_column_without_a_name_has_its_number_among_all() -> None:
    columns = preview_table.columns(page("1", name="", first_column=400), 3)
    assert columns[1].title == "(401)"
