"""Rows of tables of all kinds, found page by page."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import openpyxl
import pytest

from flowtui.previews.preview import preview
from flowtui.previews.values import Request, TablePage
from flowtui.screens.attachments import tables
from flowtui.screens.attachments.tables import TableSource
from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.filters.cells import row_filter
from flowtui.widgets.lists import found_rows
from flowtui.widgets.lists.found_rows import FoundRows, RowNumbers

COUNT = 12_500
LINES = [f"{n},{n % 7},{'ä' if n % 100 else 'rare'}" for n in range(COUNT)]
TEXT = "n,rest,word\n" + "\n".join(LINES) + "\n"
WANTED = [n for n in range(COUNT) if n % 100 == 0 and n % 7 > 3]


def workbook(path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in TEXT.splitlines():
        sheet.append([int(cell) if cell.isdigit() else cell for cell in line.split(",")])
    book.save(path)


def parquet(path: Path) -> None:
    source = path.with_suffix(".csv")
    source.write_text(TEXT)
    with duckdb.connect() as database:
        database.execute(f"copy (from '{source}') to '{path}' (format parquet)")


KINDS: dict[str, Callable[[Path], object]] = {
    "plain.csv": lambda path: path.write_text(TEXT),
    "tabs.tsv": lambda path: path.write_text(TEXT.replace(",", "\t")),
    "wide.csv": lambda path: path.write_text(TEXT, "utf-16"),
    "packed.csv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
    "book.xlsx": workbook,
    "columns.parquet": parquet,
}


def source_of(path: Path) -> TableSource:
    read = preview(path, path.name, Request(), lambda: False)
    return TableSource(path, path.name, Request(), read)


def found(source: TableSource, text: str) -> list[FoundRows]:
    assert isinstance(source.first, TablePage)
    wanted = row_filter(text, [column.name for column in source.first.columns])
    assert wanted is not None
    return list(source.matching(wanted))


def numbers(found: Iterable[FoundRows]) -> list[int]:
    return [number for some in found for number in some.numbers]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("is_large", [False, True])
def test_rows_are_found_in_tables_of_any_kind_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_large: bool
) -> None:
    if is_large:
        monkeypatch.setattr(tables, "INDEXED_BELOW_BYTES", 0)
    monkeypatch.setattr(found_rows, "TOLD_EVERY_S", 0)
    KINDS[name](tmp_path / name)
    source = source_of(tmp_path / name)
    some = found(source, "word = rare and rest > 3")
    assert numbers(some) == WANTED
    assert [one.is_done for one in some] == [False] * (len(some) - 1) + [True]
    assert (some[-1].read_count, source.known_rows, some[-1].is_cut) == (COUNT, COUNT, False)
    texts = {number: row for one in some for number, row in one.texts.items()}
    assert {number: row[0] for number, row in texts.items()} == {n: str(n) for n in WANTED}
    # Those that are not kept are read again, by their numbers.
    assert source.rows(WANTED[-1])[WANTED[-1]] == texts[WANTED[-1]]


def test_no_more_than_a_million_rows_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_rows, "MAX_FOUND", 1_500)
    monkeypatch.setattr(found_rows, "KEPT_ROWS", 10)
    (tmp_path / "a.csv").write_text(TEXT)
    last = found(source_of(tmp_path / "a.csv"), "n >= 0")[-1]
    assert (last.is_done, last.is_cut, last.read_count) == (True, True, 2_000)


def test_a_search_ends_when_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    source = source_of(tmp_path / "a.csv")
    wanted = row_filter("n > 3", ["n", "rest", "word"])
    assert wanted is not None
    asked: list[int] = []

    def first_and_on() -> None:
        for one in source.matching(wanted):
            asked.append(one.read_count)

    with cancelling(lambda: bool(asked)), pytest.raises(ReadCancelled):
        first_and_on()
    assert asked == [tables.PAGE_ROWS]


def test_numbers_are_a_sequence_that_is_searched_quickly() -> None:
    rows = RowNumbers()
    assert (len(rows), 3 in rows) == (0, False)
    rows.extend(found_rows.array("q", [3, 8, 20]))
    assert (list(rows), rows[1], list(rows[1:])) == ([3, 8, 20], 8, [8, 20])
    assert (8 in rows, 9 in rows, rows.index(20)) == (True, False, 2)
    with pytest.raises(ValueError, match="9 is not"):
        rows.index(9)
