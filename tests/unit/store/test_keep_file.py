"""A file that is added to a run's attachments."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.store.attachments.writing import keep_file
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError
from tests.conftest import open_store
from tests.unit.stores import execute, one_run


def test_it_is_an_attachment_as_the_sdk_would_write_it(tmp_path: Path) -> None:
    database = one_run(tmp_path / "store")
    folder = database.parent / "attachments"
    source = tmp_path / "output"
    source.write_bytes(b"a line\n")
    names = [keep_file(Database(database, "exp.db"), folder, "console.log", source) for _ in "ab"]
    assert names == ["console.log", "console-2.log"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    run = open_store(tmp_path / "store").resolve("run-1")
    rows = run.ask(
        lambda db: db.execute("select name, file_path, size from attachments").fetchall()
    )
    assert sorted(rows) == sorted((name, name, 7) for name in names)


def test_without_its_row_the_file_is_not_there(tmp_path: Path) -> None:
    database = one_run(tmp_path / "store")
    execute(database, "drop table attachments")
    folder = database.parent / "attachments"
    source = tmp_path / "output"
    source.write_bytes(b"a line\n")
    with pytest.raises(DatabaseError):
        keep_file(Database(database, "exp.db"), folder, "console.log", source)
    assert list(folder.iterdir()) == []
