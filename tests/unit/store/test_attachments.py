"""Attachments: rows of every schema, the files beside them, paths that lead out, and the tree."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.store.attachments import listing
from flowtui.store.attachments.values import (
    Attachment,
    AttachmentRefused,
    AttachmentRow,
    FileNode,
    FileState,
    FolderNode,
)
from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from tests.unit.previewed import cpu_at_most
from tests.unit.stores import execute, one_run, opened

OLD_TABLE = (
    "create table attachments (id text primary key, name text not null, file_path text,"
    " created_at timestamp default current_timestamp)"
)


def row(path: str, size: int | None = None) -> AttachmentRow:
    return AttachmentRow(path, path, path, None, size)


def put(folder: Path, path: str, data: bytes = b"x") -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def listed(folder: Path, *paths: str) -> dict[str, Attachment]:
    found = listing.on_disk([row(path) for path in paths], folder)
    return {file.path: file for file in (*found.files, *found.orphans)}


def test_rows_come_with_the_size_and_time_of_their_files(tmp_path: Path) -> None:
    database = one_run(tmp_path)
    folder = database.parent / "attachments"
    os.utime(put(folder, "plots/a.png", b"12345"), (1_700_000_000, 1_700_000_000))
    execute(
        database,
        "insert into attachments (id, name, file_path, created_at, size) values (?, ?, ?, ?, ?)",
        [("1", "plots/a.png", "plots/a.png", "2026-06-01 10:00:00", 4)],
    )
    with opened(tmp_path) as store:
        found = store.run("run-1").attachments()
        assert store.run("run-1").files.path("plots/a.png").read_bytes() == b"12345"
    assert found is not None
    (file,) = found.files
    assert (file.name, file.state, file.size_bytes) == ("plots/a.png", FileState.PRESENT, 5)
    assert file.row is not None
    assert file.row.size_bytes == 4
    assert file.row.created_at == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert file.modified_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert found.orphans == ()


def test_a_schema_without_sizes_or_without_the_table_is_read() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        assert listing.attachments(database) is None
        database.execute(OLD_TABLE)
        database.execute("insert into attachments values (null, 'a', null, 'yesterday')")
        (found,) = listing.attachments(database) or ()
    assert (found.id, found.name, found.file_path, found.size_bytes) == ("", "a", "", None)
    assert found.problem == "created_at is not a time: 'yesterday'"


def test_a_missing_file_keeps_the_size_of_its_row(tmp_path: Path) -> None:
    found = listing.on_disk([row("gone.bin", 7)], tmp_path / "attachments")
    (file,) = found.files
    assert file.is_missing
    assert file.size_bytes == 7


def test_files_that_no_row_names_are_orphans(tmp_path: Path) -> None:
    put(tmp_path, "known.txt")
    put(tmp_path, "deep/er/left.txt", b"123")
    found = listing.on_disk([row("./known.txt")], tmp_path)
    assert [file.path for file in found.files] == ["known.txt"]
    assert [(file.path, file.size_bytes, file.is_orphan) for file in found.orphans] == [
        ("deep/er/left.txt", 3, True)
    ]


LEADING_OUT = ["/etc/passwd", "../secret", "a/../../secret", "a/..", "", ".", "nul\0byte"]


@pytest.mark.parametrize("path", [*LEADING_OUT, pytest.param("d/" + "x" * 5000, id="long")])
def test_a_path_that_leads_out_or_nowhere_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(AttachmentRefused):
        listing.resolved(tmp_path, path)
    assert listing.on_disk([row(path)], tmp_path).files[0].state is FileState.REFUSED


def test_links_are_followed_inside_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "attachments"
    inside = put(folder, "real.txt", b"1234")
    secret = put(tmp_path, "secret/key", b"secret")
    (folder / "good").symlink_to(inside)
    (folder / "bad").symlink_to(secret)
    (folder / "badfolder").symlink_to(secret.parent)
    (folder / "circle").symlink_to(folder / "circle")
    assert listing.resolved(folder, "good") == inside.resolve()
    for path in ("bad", "badfolder/key", "circle"):
        with pytest.raises(AttachmentRefused):
            listing.resolved(folder, path)
    files = listed(folder, "good", "bad", "badfolder/key", "circle")
    assert files["good"].size_bytes == 4
    assert {path for path, file in files.items() if file.state is FileState.REFUSED} == {
        "bad", "badfolder", "badfolder/key", "circle"
    }  # fmt: skip
    assert "leads out" in (files["bad"].problem or "")


def test_special_files_are_refused_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "sock"))
        (tmp_path / "folder").mkdir()
        files = listed(tmp_path, "pipe", "sock", "folder")
    assert {file.state for file in files.values()} == {FileState.REFUSED}


def test_names_that_are_no_utf8_find_their_files(tmp_path: Path) -> None:
    path = os.fsdecode(b"caf\xe9.txt")
    put(tmp_path, path)
    assert listed(tmp_path, path)[path].state is FileState.PRESENT


def sample() -> FolderNode:
    return listing.tree(files_of([("b.txt", 5), ("plots/z.png", 1), ("plots/in/a.png", 20),
                                      ("A.txt", 9), ("empty/e", 0)]))  # fmt: skip


def files_of(sizes: Iterable[tuple[str, int]]) -> list[Attachment]:
    return [
        Attachment(row(path, size), path, FileState.PRESENT, size,
                   datetime.fromtimestamp(size, UTC))
        for path, size in sizes
    ]  # fmt: skip


def names(folder: FolderNode) -> list[str]:
    return [node.name for node in folder.children]


def test_the_tree_has_folders_first_with_totals() -> None:
    root = sample()
    assert names(root) == ["empty", "plots", "A.txt", "b.txt"]
    assert (root.file_count, root.size_bytes) == (5, 35)
    plots = root.children[1]
    assert isinstance(plots, FolderNode)
    assert (plots.path, plots.file_count, plots.size_bytes) == ("plots", 2, 21)
    assert plots.latest_at == datetime.fromtimestamp(20, UTC)
    assert names(plots) == ["in", "z.png"]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("name", ["plots", "empty", "b.txt", "A.txt"]),
        ("size", ["plots", "empty", "A.txt", "b.txt"]),
        ("time", ["plots", "empty", "A.txt", "b.txt"]),
    ],
)
def test_the_tree_is_sorted_the_other_way_round(by: listing.By, expected: list[str]) -> None:
    files = files_of([("b.txt", 5), ("plots/a.png", 20), ("A.txt", 9), ("empty/e", 0)])
    assert names(listing.tree(files, by, is_descending=True)) == expected


def test_refused_and_very_deep_paths_have_a_place_in_the_tree() -> None:
    deep = "/".join(["d"] * 500)
    files = [
        Attachment(row("../x"), "../x", FileState.REFUSED),
        *files_of([(deep, 1), ("name", 1), ("name/below", 1)]),
    ]
    root = listing.tree(files)
    assert names(root) == ["d", "name", "../x", "name"]
    node: FolderNode | FileNode = root
    levels = 0
    while isinstance(node, FolderNode):
        node, levels = node.children[0], levels + 1
    assert levels <= 64
    assert node.attachment.path == deep
    assert listing.tree([]).children == ()


def test_leaving_ends_the_walk(tmp_path: Path) -> None:
    with cancelling(lambda: True), pytest.raises(ReadCancelled):
        listing.on_disk([row(str(n)) for n in range(2_000)], tmp_path)


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_listed_in_time(tmp_path: Path) -> None:
    for number in range(100):
        put(tmp_path, f"f{number}/x")
    rows = [row(f"f{number % 100}/{number}", number) for number in range(100_000)]
    with cpu_at_most(6.0):
        found = listing.on_disk(rows, tmp_path)
        root = listing.tree((*found.files, *found.orphans), "size")
    assert (root.file_count, len(root.children)) == (100_100, 100)
