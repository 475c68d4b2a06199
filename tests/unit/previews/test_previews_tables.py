"""Text tables of any size and shape, and Parquet."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from flowtui.previews import csv_rows, isolated
from flowtui.previews.errors import PreviewCancelled, PreviewFailed
from flowtui.previews.preview import preview
from flowtui.previews.tables import CELL_CHARS, MAX_COLUMNS, CsvFile
from flowtui.previews.values import Request, TablePage, never
from tests.unit.previewed import cpu_at_most, outcome_within_budget


def written(path: Path, rows: Sequence[Sequence[object]], delimiter: str = ",") -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def shown(path: Path, request: Request | None = None) -> TablePage:
    page = preview(path, path.name, request or Request(), never).shown
    assert isinstance(page, TablePage)
    return page


def names(page: TablePage) -> list[str]:
    return [column.name for column in page.columns]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_and_the_header_are_detected(tmp_path: Path, delimiter: str) -> None:
    rows: list[list[object]] = [
        ["epoch", "loss"],
        [1, "0,5" if delimiter != "," else "0.5"],
        [2, "0.25"],
    ]
    page = shown(written(tmp_path / "a.csv", rows, delimiter))
    assert (page.delimiter, page.has_header, names(page)) == (delimiter, True, ["epoch", "loss"])
    assert page.rows[1] == ("2", "0.25")
    assert (page.part.first, page.part.count, page.part.total) == (0, 2, 2)


def test_a_table_of_numbers_has_no_header(tmp_path: Path) -> None:
    page = shown(written(tmp_path / "a.csv", [[1, 2], [3, 4]]))
    assert not page.has_header
    assert names(page) == ["", ""]
    assert page.rows == (("1", "2"), ("3", "4"))


def test_pages_follow_one_another_and_any_page_is_found_by_its_row(tmp_path: Path) -> None:
    rows = [[n, f'say "{n}"', "two\nlines" if n % 7 == 0 else "x"] for n in range(30_000)]
    path = written(tmp_path / "a.csv", [["n", "quoted", "lines"], *rows])
    expected = [tuple(map(str, row)) for row in rows]
    first = shown(path)
    assert first.rows == tuple(expected[:1000])
    assert first.part.next_position is not None
    second = shown(path, Request(position=first.part.next_position, index=1000))
    assert (second.part.first, second.rows) == (1000, tuple(expected[1000:2000]))
    table = CsvFile(path)
    for row in (0, 29_990, 12_345):
        page = table.page(row, 20)
        assert page.rows == tuple(expected[row : row + 20])
        assert page.part.first == row
    assert table.grow_index(never) == 30_000
    assert table.page(5, 5).part.total == 30_000
    last = table.last(3)
    assert (last.rows, last.part.first) == (tuple(expected[-3:]), 29_997)


def test_the_last_page_is_right_wherever_the_tail_begins(tmp_path: Path) -> None:
    rows = [[n, "a, b\n\n1,2\n" * 20, n] for n in range(3_000)]
    path = written(tmp_path / "a.csv", [["n", "text", "m"], *rows])
    page = shown(path, Request(is_last=True, count=50))
    assert page.rows[0][0] == "2950"
    assert page.rows[-1][2] == "2999"
    assert page.part.first is None


def test_the_ends_of_a_two_gigabyte_file_are_shown_without_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    rows = "".join(f"{n},{n / 3}\n" for n in range(20_000))
    with path.open("w") as file:
        file.write("step,loss\n" + rows)
        # A hole: nothing of it is on the disk, and reading it would take seconds.
        file.truncate(2_000_000_000)
        file.seek(0, 2)
        file.write("\n" + rows)
    with cpu_at_most(0.5):
        first, last = shown(path), shown(path, Request(is_last=True))
    assert first.rows[0] == ("0", "0.0")
    assert last.rows[-1][0] == "19999"
    assert (last.part.first, last.part.total) == (None, None)


def test_indexing_is_left_between_two_steps_and_goes_on_from_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,2\n" * 1_000_000)
    table = CsvFile(path)
    calls = 0

    def leaves() -> bool:
        nonlocal calls
        calls += 1
        return calls > 3

    with pytest.raises(PreviewCancelled):
        table.grow_index(leaves)
    known = table.index.row_count
    assert 0 < known < 1_000_000
    with cpu_at_most(1.0):
        assert table.grow_index(never) == 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell",
    [
        "plain", "a, b", 'say ""so""', "two\nlines", '5" pipe', '"', "\n" * 3, 'x"\n"y', "",
        "long\n" * 20_000, '"' + "longer\n" * 40_000,
    ],
    ids=range(11),
)  # fmt: skip
def test_the_index_counts_the_rows_that_reading_gives(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "a.csv"
    row = f'1,{cell},"{cell}",3\r\n'
    path.write_bytes(("a,b,c,d\n" + row * max(600_000 // len(row), 3)).encode())
    table = CsvFile(path)
    with path.open("rb") as file:
        read = list(csv_rows.rows(file, table.index.start, table.encoding, table.delimiter))
    assert table.grow_index(never) == len(read)
    for row_number in (len(read) // 2, len(read) - 1):
        page = table.page(row_number, 1)
        expected = tuple(cell[:CELL_CHARS] for cell in read[row_number].cells[:MAX_COLUMNS])
        assert tuple(cell[:CELL_CHARS] for cell in page.rows[0]) == expected


def test_hostile_cells_do_not_break_the_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"a,b\n1,\0x\n2,3,4,5\n6\n\n" + b"7," + b"y" * 3_000_000 + b"\n8,bare\rreturn\n"
        b'9,"never closed\n' + b"10,x\n" * 50_000 + b"end,\xff\n"
    )
    table = CsvFile(path)
    page = table.first(8)
    # The page ends with the row that is larger than a page.
    assert page.part.next_position is not None
    following = table.at(page.part.next_position, 5, 3)
    assert page.rows[:4] == (("1", "\0x"), ("2", "3", "4", "5"), ("6",), ())
    assert len(page.rows[4][1]) == CELL_CHARS + 1
    assert following.rows[0] == ("8", "bare␍return")
    assert following.rows[1] == ("9", '"never closed')
    assert following.rows[2] == ("10", "x")
    assert len(page.columns) == 4
    assert table.grow_index(never) == 50_008
    assert table.last(1).rows[0][0] == "end"
    assert table.page(50_007, 1).rows[0][0] == "end"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_of_very_many_columns_any_can_be_had(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        written(path, [[f"c{n}" for n in range(1_000)], list(range(1_000))])
    else:
        import duckdb

        with duckdb.connect() as database:
            columns = ", ".join(f"{n} as c{n}" for n in range(1_000))
            database.execute(f"copy (select {columns}) to '{path}' (format parquet)")
    for first in (0, 1, 195, 800, 950):
        page = shown(path, Request(first_column=first))
        expected = range(first, min(first + MAX_COLUMNS, 1_000))
        assert names(page) == [f"c{n}" for n in expected]
        assert page.rows == (tuple(map(str, expected)),)
        assert (page.first_column, page.column_count) == (first, 1_000)


TABLE = "epoch,loss,note\n1,0.5,good\n2,0.25,better\n"


@pytest.mark.parametrize(
    ("above", "count"),
    [
        ("# made by hand\n# seed=1, lr=0.1\n", 2), ("#\n\n# a, b, c\n", 3),
        ("sep=,\n", 1), ('"sep=,"\n# x\n', 2), ("Training report\n", 1),
        ("Training report\n\n", 2), ("Training report,,\n", 1), ("\n\n", 2),
        ("Run,vision-baseline\nSeed,1\n\n", 3), ("Report\nRun,a\n,,\n", 3), ("", 0),
        ('"A title, of ""two""\nlines"\n', 1),
        # As many cells as the table has.
        ("Experiment: foo, bar, baz\n\n", 2), ("Run,a\nOf: foo, bar, baz\nBy: x, y, z\n\n", 4),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_stands_above_a_table_does_not_become_its_header(
    tmp_path: Path, above: str, count: int, mark: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"{mark}{above}{TABLE}".replace("\n", "\r\n").encode())
    page = shown(path)
    assert names(page) == ["epoch", "loss", "note"]
    assert page.rows == (("1", "0.5", "good"), ("2", "0.25", "better"))
    assert (page.part.total, page.column_count) == (2, 3)
    assert page.note == {0: "", 1: "1 line above it"}.get(count, f"{count} lines above it")
    assert CsvFile(path).grow_index(never) == 2


@pytest.mark.parametrize("row", ["{0};1,{0};0", "{0};1,{0};0,5", "{0};1,{0};0,5;a, b, c"])
@pytest.mark.parametrize("count", [2, 9])
@pytest.mark.parametrize(
    "above",
    ["Report generated today\nModel: resnet, size 50\n\n", "Of: a, b\n\n",
     "Of: a, b\nBy: c, d\n\n"],
)  # fmt: skip
def test_commas_above_a_table_and_in_its_numbers_part_no_cells(
    tmp_path: Path, above: str, count: int, row: str
) -> None:
    path = tmp_path / "a.csv"
    rows = [row.format(at) for at in range(count)]
    head = ";".join(["epoch", "loss", "acc", "note"][: row.count(";") + 1])
    path.write_text(f"{above}{head}\n" + "".join(f"{one}\n" for one in rows))
    page = shown(path)
    assert (page.delimiter, ";".join(names(page))) == (";", head)
    assert [";".join(cells) for cells in page.rows] == rows


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("epoch,loss\n\n1,2\n3,4\n", "epoch loss", 3), ("name,city\n\nann,oslo\n", "name city", 2),
        ("a,b\n1,2\n\nc,d\n3,4\n", "a b", 4), ("a,b\n\n1,2\n\n3,4,5\n", "a b", 4),
        ("a;b\n1;x, y\n2;z, w\n\nBy: c, d\nOf: e, f\n", "a b", 5),
    ],
)  # fmt: skip
def test_a_table_with_empty_lines_begins_where_its_names_are(
    tmp_path: Path, text: str, columns: str, rows: int
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    page = shown(path)
    assert names(page)[:2] == columns.split()
    assert (page.note, page.part.total) == ("", rows)


def test_a_first_line_for_excel_names_the_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\nname;text\na;1,5,7\nb;2,5,8\n")
    page = shown(path)
    assert (page.delimiter, names(page)) == (";", ["name", "text"])
    assert page.rows[0] == ("a", "1,5,7")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("##fileformat=VCFv4.2\n#CHROM\tPOS\tREF\n1\t100\tA\n2\t200\tC\n", "CHROM POS REF"),
        ("# x, y\n0.5,1\n0.25,2\n", "x y"),
        ("#name,city\nann,oslo\nbob,rome\n", "name city"),
        ("# by ann, bob\nname,city\nann,oslo\nbob,rome\n", "name city"),
    ],
)
def test_names_of_columns_in_a_comment_are_names(tmp_path: Path, text: str, columns: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    page = shown(path)
    assert names(page) == columns.split()
    assert len(page.rows) == 2


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        # The first row has fewer cells, or but one that is filled.
        ("a,b\n1,2,3\n4,5,6\n", 2), (",,5\n1,2,3\n4,5,6\n", 3), ("5\n1,2\n3,4\n", 3),
        ("only\none\ncolumn\n", 2), ("#a,1\n#b,2\n#c,3\n", 3), ("a,b\n,\n1,2\n", 2),
        ("x,\n1,2\n", 1), ("ann,,\nbob,,\neve,1,2\n", 3),
    ],
)  # fmt: skip
def test_rows_of_a_table_are_not_taken_for_what_is_above_it(
    tmp_path: Path, text: str, rows: int
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    page = shown(path)
    assert page.note == ""
    assert (len(page.rows), page.part.total) == (rows, rows)


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig", "latin-1"])
def test_tables_of_other_encodings_are_read(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("nom;ville\nZo\xe9;Orl\xe9ans\n".encode(codec))
    page = shown(path)
    assert names(page) == ["nom", "ville"]
    assert page.rows == (("Zo\xe9", "Orl\xe9ans"),)
    assert page.encoding == {"utf-16": "UTF-16LE", "utf-8-sig": "UTF-8"}.get(codec, "Windows-1252")


def test_old_macintosh_line_ends_are_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\r1,2\r3,4\r")
    assert shown(tmp_path / "a.csv").rows == (("1", "2"), ("3", "4"))


@pytest.mark.slow
def test_a_ten_megabyte_table_is_there_in_half_a_second(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [["a", "b"], *([n, f"text {n}"] for n in range(600_000))])
    assert path.stat().st_size > 10_000_000
    with cpu_at_most(0.5):
        assert len(shown(path).rows) == 1000


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import duckdb

    # A name that would stand for others, were it taken for a pattern.
    path = tmp_path_factory.mktemp("parquet") / "a[1]*'.parquet"
    with duckdb.connect() as database:
        database.execute(
            'copy (select i as id, \'name \' || i as "a ""name", [i, null] as list,'
            " null::integer as none from range(20000) t(i)) to"
            f" '{str(path).replace(chr(39), 2 * chr(39))}' (format parquet)"
        )
    return path


def test_parquet_is_paged_by_row_with_the_types_of_its_columns(parquet: Path) -> None:
    page = shown(parquet, Request(position=15_000, count=2))
    assert [(column.name, column.type) for column in page.columns] == [
        ("id", "BIGINT"), ('a "name', "VARCHAR"), ("list", "BIGINT[]"), ("none", "INTEGER"),
    ]  # fmt: skip
    assert page.rows[0] == ("15000", "name 15000", "[15000, NULL]", "")
    part = page.part
    assert (part.first, part.total, part.next_position) == (15_000, 20_000, 15_002)
    last = shown(parquet, Request(is_last=True, count=1))
    assert (last.rows[0][0], last.part.next_position) == ("19999", None)


def test_a_page_of_parquet_keeps_to_the_budget(parquet: Path) -> None:
    assert outcome_within_budget(parquet) == "TablePage"


def test_a_broken_parquet_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1" + b"\xff" * 1000 + b"PAR1")
    with pytest.raises(PreviewFailed, match="The Parquet file cannot be read"):
        shown(path)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts mapped pages with /proc")
def test_reading_parquet_maps_less_than_its_limit_however_busy_its_threads_are(
    parquet: Path,
) -> None:
    measured = """
import sys
from pathlib import Path
import duckdb
from flowtui.previews.child import _mapped_bytes
from flowtui.previews.parsers.parquet import in_child

before = _mapped_bytes()
known = {"position": 0, "count": 1, "is_last": True, "first_column": 0, "columns": 9,
         "cell_chars": 9, "cells": 9}
in_child(Path(sys.argv[1]), known)
peak_kb = next(
    line.split()[1]
    for line in Path("/proc/self/status").read_text("ascii").splitlines()
    if line.startswith("VmPeak")
)
print(int(peak_kb) * 1024 - before)
"""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", measured, str(parquet)],
            env=isolated._environment(),
            capture_output=True,
            check=True,
        )
        assert int(done.stdout) < 0.75 * isolated.MEMORY_BYTES
