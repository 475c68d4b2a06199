"""SQLite databases: their tables, and databases that would run something when asked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.previews import sqlite as reader
from flowtui.previews.document_blocks import Heading, Item, Paragraph, Table
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import DocumentPage, Request
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown


def database(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as made:
        made.executescript(script)
        made.commit()
    return path


def page(path: Path, request: Request | None = None) -> DocumentPage:
    found = shown(path, request).shown
    assert isinstance(found, DocumentPage)
    return found


SCRIPT = """
create table points (step integer primary key, value real, note, data blob);
insert into points values (1, 0.5, 'a', x'0011'), (2, null, 'żółw', null), (3, 9e999, 7, 'text');
create table "odd ""name" (a);
create view latest as select max(step) from points;
create trigger t after insert on points begin select 1; end;
"""

MORE = "insert into points select step + 9, 1, hex(randomblob(900)), 1 from points;"


def test_tables_are_shown_with_counts_and_first_rows(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", SCRIPT)
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert shown(path).kind is PreviewKind.SQLITE
    assert page(path).blocks == (
        Heading(1, "points"),
        Paragraph("3 rows, 4 columns"),
        Table(
            (
                ("step INTEGER", "value REAL", "note", "data BLOB"),
                ("1", "0.5", "a", "blob of 2 bytes"),
                ("2", "NULL", "żółw", "NULL"),
                ("3", "Inf", "7", "text"),
            ),
            4,
        ),
        Heading(1, 'odd "name'),
        Paragraph("0 rows, 1 column"),
        Table((("a",),), 1),
        Heading(1, "Not asked"),
        Item("view latest", 0),
        Item("trigger t", 0),
    )
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.db"]


def test_many_tables_are_read_page_by_page(tmp_path: Path) -> None:
    script = "".join(f"create table t{n} (a); insert into t{n} values ({n});" for n in range(120))
    path = database(tmp_path / "a.db", script)
    part = page(path).part
    assert (part.unit, part.count, part.total, part.next_position) == ("table", 50, 120, 50)
    last = page(path, Request(position=100, index=100))
    assert (last.blocks[0], last.part.next_position) == (Heading(1, "t100"), None)
    assert page(path, Request(is_last=True, count=1)).blocks[0] == Heading(1, "t119")


def test_a_database_that_is_written_is_read_without_its_log(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.executescript("pragma journal_mode = wal; create table t (a);")
        writer.execute("pragma wal_checkpoint(truncate)")
        writer.execute("begin immediate")
        writer.execute("insert into t values (1)")
        found = page(path)
        assert found.blocks[1] == Paragraph("0 rows, 1 column")
        writer.execute("commit")
        assert page(path).note == "without what is only in its -wal file"
        assert writer.execute("select count(*) from t").fetchone() == (1,)


@pytest.mark.parametrize("copied", [10_000_000, 0])
def test_large_databases_are_read_in_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: int
) -> None:
    monkeypatch.setattr(reader, "COPIED_BYTES", copied)
    path = database(tmp_path / "odd name? #%41.db", SCRIPT)
    assert page(path).blocks[0] == Heading(1, "points")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_rows_that_take_long_to_count_are_not_counted(tmp_path: Path) -> None:
    rows = "with recursive n(x) as (select 1 union all select x + 1 from n where x < 4000000)"
    path = database(
        tmp_path / "a.db", f"create table t (a, b); insert into t {rows} select x, x from n;"
    )
    found = page(path)
    counts = ("many rows, which are not counted", "4,000,000 rows")
    assert found.blocks[1] in [Paragraph(f"{count}, 2 columns") for count in counts]
    assert outcome_within_budget(path) == "DocumentPage"


def test_what_would_run_for_ever_is_not_asked(tmp_path: Path) -> None:
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n"
    path = database(
        tmp_path / "a.db",
        f"create view v as {endless};"
        " create table g (a, b generated always as (abs(a) || hex(zeroblob(9000000))) virtual);"
        " insert into g (a) values (1); create virtual table f using fts5(text);",
    )
    with cpu_at_most(2):
        blocks = page(path).blocks
    assert blocks[:3] == (Heading(1, "g"), Paragraph("1 row, 1 column"), Table((("a",), ("1",)), 2))
    assert Item("view v", 0) in blocks
    assert Item("virtual table f", 0) in blocks


@pytest.mark.parametrize("at", [100, 1_000, 5_000])
def test_a_broken_database_is_said_to_be(tmp_path: Path, at: int) -> None:
    path = database(
        tmp_path / "a.db",
        SCRIPT + "insert into points select step + 9, 1, hex(randomblob(900)), 1 from points;",
    )
    data = path.read_bytes()
    path.write_bytes(data[:at] + b"\xff" * 2_000 + data[at + 2_000 :])
    outcome = outcome_within_budget(path)
    assert outcome == "DocumentPage" or outcome.startswith("The database cannot be read")
    path.write_bytes(data[:200])
    with pytest.raises(PreviewFailed, match="cannot be read"):
        shown(path)
