"""Workbooks, sheet by sheet, and those that are broken or made to harm."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from flowtui.previews.errors import PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Request, TablePage
from flowtui.screens.attachments.tables import TableSource
from tests.unit.previewed import outcome_within_budget, shown


def workbook(path: Path, rows: int = 3) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "runs"
    sheet.append(["name", "loss", "when", "good"])
    for number in range(rows):
        sheet.append([f"run {number}", number / 4, date(2026, 2, 1 + number % 20), number % 2 == 0])
    other = book.create_sheet("Numbers & more")
    other.append([1, 2.5, None, datetime(2026, 2, 3, 4, 5)])
    other.append(["x"])
    book.create_sheet("empty")
    book.save(path)
    return path


def page(path: Path, request: Request | None = None) -> TablePage:
    found = shown(path, request).shown
    assert isinstance(found, TablePage)
    return found


def test_a_workbook_is_a_table_for_each_sheet(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx")
    assert shown(path).kind is PreviewKind.EXCEL
    first = page(path)
    assert (first.sheets, first.sheet) == (("runs", "Numbers & more", "empty"), 0)
    assert [column.name for column in first.columns] == ["name", "loss", "when", "good"]
    assert first.rows[:2] == (
        ("run 0", "0", "2026-02-01", "TRUE"), ("run 1", "0.25", "2026-02-02", "FALSE"),
    )  # fmt: skip
    assert (first.part.total, first.part.next_position) == (3, None)
    second = page(path, Request(sheet=1))
    assert [column.name for column in second.columns] == ["A", "B", "C", "D"]
    assert second.rows == (("1", "2.5", "", "2026-02-03 04:05:00"), ("x", "", "", ""))
    assert not second.has_header
    assert page(path, Request(sheet=2)).rows == ()
    assert page(path, Request(sheet=9)).sheet == 2


def test_rows_and_columns_of_a_sheet_are_read_as_they_come_into_sight(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", 2_500)
    request = Request(width=80, height=20)
    read = shown(path, request)
    source = TableSource(path, path.name, request, read)
    assert source.known_rows == 2_500
    assert source.rows(2_400)[2_400][0] == "run 2400"
    assert source.with_columns(1, 0).first.columns[0].name == "loss"
    last = page(path, Request(is_last=True, count=1))
    assert last.rows[0][0] == "run 2499"


def test_a_workbook_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    data = workbook(tmp_path / "b.xlsx").read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(PreviewFailed, match="broken"):
        shown(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(PreviewFailed, match=r"broken|no sheets"):
        shown(path)
    old = tmp_path / "a.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2_000)
    with pytest.raises(PreviewFailed, match="broken"):
        shown(old)


@pytest.mark.slow
def test_bombs_in_a_workbook_are_refused(tmp_path: Path) -> None:
    data = workbook(tmp_path / "b.xlsx")
    path = tmp_path / "a.xlsx"
    rows = b"<row><c r='XFD1048576'><v>1</v></c></row>" * 100_000
    bombs = {
        "xl/worksheets/sheet1.xml": b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>",
        "xl/sharedStrings.xml": b"<sst><si><t>" + b"x" * 400_000_000 + b"</t></si></sst>",
    }
    for name, content in bombs.items():
        with zipfile.ZipFile(data) as source, zipfile.ZipFile(path, "w", 8) as target:
            for info in source.infolist():
                own = content if info.filename == name else source.read(info)
                target.writestr(info.filename, own)
        outcome = outcome_within_budget(path)
        refusals = ("The parser gave up", "The workbook", "This file")
        assert outcome == "TablePage" or outcome.startswith(refusals), name
