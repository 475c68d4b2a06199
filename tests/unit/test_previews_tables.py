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


def test_very_many_columns_are_cut_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [[f"c{n}" for n in range(5_000)], list(range(5_000))])
    page = shown(path)
    assert (len(page.columns), page.column_count) == (MAX_COLUMNS, 5_000)
    assert len(page.rows[0]) == MAX_COLUMNS


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
known = {"position": 0, "count": 1, "is_last": True, "columns": 9, "cell_chars": 9}
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
