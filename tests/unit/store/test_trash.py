"""Deleting runs and restoring them: what is refused, what is kept, and what a crash leaves."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flowtui.store import runs as run_rows
from flowtui.store.care import editing, folders, models, saved_rows, trash
from flowtui.store.care.values import NotDeleted, RecordEdit, RecordGone, RecordTable
from flowtui.store.errors import DatabaseError, DatabaseReadOnly
from flowtui.store.store import Store
from tests.unit.stores import NOW, age, execute, held, killed, opened, writer

LATER = NOW + timedelta(hours=1)


def filled(directory: Path) -> Path:
    """Make a store with an ended run that has everything, and another run."""
    with writer(directory) as store:
        store.start_run("run-1", "first", group="sweep", tags=["a"], description="d")
        with store.experiment("run-1") as experiment:
            experiment.params({"lr": 0.1})
        store.model("run-1", "net.luml", b"12345", name="net")
        store.end_run("run-1", status="completed", duration=3.0)
        store.uploaded("run-1", orbit_id="orbit", artifact_id="artifact")
        store.start_run("run-2", "second")
    execute(directory / "meta.db", "insert into remote_artifacts select 'model', id, 'o', 'a',"
            " null from models")  # fmt: skip
    execute(directory / "meta.db", "update experiments set description = cast(x'ff41' as text),"
            " metadata = x'00ff' where id = 'run-1'")  # fmt: skip
    (directory / "run-1" / "attachments" / "notes.txt").write_text("hello")
    (directory / "run-1" / "attachments" / "link").symlink_to("/etc")
    return directory


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return filled(tmp_path / "store")


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with opened(directory) as store:
        yield store


TABLES = ("experiments", "models", "remote_artifacts", "experiment_groups")


def rows(directory: Path, *tables: str) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(directory / "meta.db")) as connection:
        connection.text_factory = bytes
        return {
            table: sorted(connection.execute(f"select * from {table}"), key=repr)
            for table in tables or TABLES
        }


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): os.readlink(path).encode()
        if path.is_symlink()
        else path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if (path.is_symlink() or path.is_file()) and not path.name.startswith("meta.db")
    }


def test_a_run_goes_with_everything_and_comes_back_to_the_last_byte(
    store: Store, directory: Path
) -> None:
    rows_before, files_before = rows(directory), files(directory)
    assert trash.delete(store, "run-1", LATER) == "first"
    assert [row[0] for row in rows(directory)["experiments"]] == [b"run-2"]
    assert rows(directory, "models", "remote_artifacts") == {"models": [], "remote_artifacts": []}
    assert not (directory / "run-1").exists()
    (one,) = trash.trashed_runs(store)
    assert (one.id, one.name, one.deleted_at, one.why_not) == ("run-1", "first", LATER, "")
    assert one.extent == folders.extent(directory / ".trash" / "run-1")
    assert trash.restore(store, "run-1") == "first"
    assert (rows(directory), files(directory)) == (rows_before, files_before)
    assert trash.trashed_runs(store) == []
    assert not (directory / ".trash").exists()


def test_a_run_whose_group_is_gone_comes_back_with_it(store: Store, directory: Path) -> None:
    before = rows(directory)
    trash.delete(store, "run-1", LATER)
    ids = [row[0].decode() for row in before["experiment_groups"] if row[1] == b"sweep"]
    editing.delete_group(store.meta, ids[0])
    trash.restore(store, "run-1")
    assert rows(directory) == before
    trash.delete(store, "run-1", LATER)
    editing.delete_group(store.meta, ids[0])
    # There is another group of that name by now.
    editing.edit(store.meta, RecordTable.RUNS, ["run-2"], RecordEdit(group="sweep"))
    trash.restore(store, "run-1")
    row = store.ask(run_rows.run, "run-1")
    assert row is not None
    assert row.group_name == "sweep"


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "a/b", "/", "x/..", "../other", ".trash", ".TRASH"]
)
def test_an_id_that_names_no_folder_of_its_own_is_refused(
    store: Store, directory: Path, run_id: str
) -> None:
    execute(directory / "meta.db", "insert into experiments (id, name, status) values"
            " (?, 'x', 'completed')", [(run_id,)])  # fmt: skip
    (directory / "a" / "b").mkdir(parents=True)
    before = rows(directory), files(directory)
    with pytest.raises(NotDeleted, match=r"name a folder|folder of the trash"):
        trash.delete(store, run_id, LATER)
    assert (rows(directory), files(directory)) == before
    assert not (directory / ".trash").exists()


def test_links_and_folders_that_hold_other_runs_are_refused(
    store: Store, directory: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("x")
    (directory / "linked").symlink_to(tmp_path / "elsewhere")
    (directory / "file").write_text("x")
    values = [(one,) for one in ("linked", "file", "outer", "outer/inner", "RUN-1")]
    execute(directory / "meta.db", "insert into experiments (id, name, status) values"
            " (?, 'x', 'completed')", values)  # fmt: skip
    for run_id, said in (
        ("linked", "linked is a link"),
        ("file", "file is not a folder"),
        ("outer", "the folder of the run 'outer/inner' is the same or inside it"),
        ("run-1", "the folder of the run 'RUN-1' is the same or inside it"),
    ):
        with pytest.raises(NotDeleted, match=said):
            trash.delete(store, run_id, LATER)
    assert (tmp_path / "elsewhere" / "precious").exists()


def test_a_run_with_a_live_writer_is_refused(store: Store, directory: Path) -> None:
    before = rows(directory), files(directory)
    with held(directory / "run-2" / "exp.db"), pytest.raises(NotDeleted, match="database open"):
        trash.delete(store, "run-2", LATER)
    assert (rows(directory), files(directory)) == before


def test_an_ended_run_that_somebody_writes_again_is_refused(store: Store, directory: Path) -> None:
    with held(directory / "run-1" / "exp.db"), pytest.raises(NotDeleted, match="database open"):
        trash.delete(store, "run-1", LATER)


def test_a_run_whose_process_was_killed_is_deleted_at_once(store: Store, directory: Path) -> None:
    killed(directory / "run-2" / "exp.db")
    trash.delete(store, "run-2", LATER)
    assert not (directory / "run-2").exists()
    trash.restore(store, "run-2")
    assert (directory / "run-2" / "exp.db-wal").exists()


def test_where_a_tracker_lives_an_active_run_is_deleted_only_after_a_day(
    store: Store, directory: Path
) -> None:
    age(directory)
    with held(directory / "meta.db"):
        with pytest.raises(NotDeleted, match="its process may live"):
            # As far as the clock knows, it was just written.
            trash.delete(store, "run-2", NOW.replace(year=2023, month=11, day=14, hour=23))
        trash.delete(store, "run-2", NOW)


def test_where_locks_tell_nothing_an_active_run_is_deleted_only_after_a_day(
    store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(directory)
    monkeypatch.setattr("flowtui.store.liveness.holders.is_local", lambda _path: False)
    with pytest.raises(NotDeleted, match="its process may live"):
        trash.delete(store, "run-2", NOW.replace(year=2023, month=11, day=14, hour=23))
    trash.delete(store, "run-2", NOW)


def test_where_locks_tell_nothing_an_ended_run_is_deleted_once_it_was_closed(
    store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowtui.store.liveness.holders.is_local", lambda _path: False)
    with held(directory / "run-1" / "exp.db"), pytest.raises(NotDeleted, match="may live"):
        trash.delete(store, "run-1", datetime.now(UTC))
    trash.delete(store, "run-1", datetime.now(UTC))


def test_an_id_that_exists_is_not_restored_over(store: Store, directory: Path) -> None:
    trash.delete(store, "run-1", LATER)
    with writer(directory) as again:
        again.start_run("run-1", "another")
    before = rows(directory), files(directory)
    with pytest.raises(NotDeleted, match="has a folder run-1 already: nothing was restored"):
        trash.restore(store, "run-1")
    (one,) = trash.trashed_runs(store)
    assert one.why_not == "the store has a run of this id"
    shutil.rmtree(directory / "run-1")
    execute(directory / "meta.db", "update experiments set created_at = '2020-01-01 00:00:00'"
            " where id = 'run-1'")  # fmt: skip
    with pytest.raises(NotDeleted, match="the store has a run run-1 already"):
        trash.restore(store, "run-1")
    with pytest.raises(NotDeleted, match="the trash holds another run of this id"):
        trash.delete(store, "run-1", LATER)
    assert set(rows(directory)["experiments"][0][:1]) == {b"run-1"}
    assert before[1]


def test_the_trash_holds_one_run_of_an_id(store: Store, directory: Path) -> None:
    trash.delete(store, "run-1", LATER)
    with writer(directory) as again:
        again.start_run("run-1", "another")
        again.end_run("run-1", status="completed", duration=1.0)
    before = rows(directory), files(directory)
    with pytest.raises(NotDeleted, match="the trash holds another run of this id"):
        trash.delete(store, "run-1", LATER)
    assert (rows(directory), files(directory)) == before


def test_a_run_without_its_folder_is_deleted_and_restored(store: Store, directory: Path) -> None:
    shutil.rmtree(directory / "run-1")
    before = rows(directory)
    trash.delete(store, "run-1", LATER)
    trash.restore(store, "run-1")
    assert rows(directory) == before


def test_what_is_not_in_the_store_or_the_trash_is_told(store: Store) -> None:
    with pytest.raises(NotDeleted, match="not in the store any more"):
        trash.delete(store, "gone", LATER)
    for run_id in ("gone", "../run-1", "..", "", "run-1"):
        with pytest.raises(NotDeleted, match="there is no run"):
            trash.restore(store, run_id)


def test_emptying_removes_for_good_and_follows_no_link(
    store: Store, directory: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (directory / "run-1" / "attachments" / "out").symlink_to(outside)
    trash.delete(store, "run-1", LATER)
    told: list[str] = []
    assert trash.empty(store, told.append) == 1
    assert told == ["run-1"]
    assert (outside / "precious").exists()
    assert not (directory / ".trash").exists()
    assert trash.empty(store) == 0


def test_a_trash_that_is_a_link_is_not_used(store: Store, directory: Path, tmp_path: Path) -> None:
    (directory / ".trash").symlink_to(tmp_path)
    before = rows(directory)
    with pytest.raises(NotDeleted, match="is not a folder"):
        trash.delete(store, "run-1", LATER)
    assert rows(directory) == before
    assert trash.trashed_runs(store) == []


def test_rows_that_somebody_else_wrote_are_not_restored(store: Store, directory: Path) -> None:
    trash.delete(store, "run-1", LATER)
    path = directory / ".trash" / "run-1" / saved_rows.ROWS
    document = json.loads(path.read_text())
    for broken in ("", "[]", '{"format": 1}', json.dumps({**document, "experiments": [{"id": 3}]}),
                   json.dumps({**document, "format": 2})):  # fmt: skip
        path.write_text(broken)
        with pytest.raises(NotDeleted, match="not what flow-tui writes"):
            trash.restore(store, "run-1")
        (one,) = trash.trashed_runs(store)
        assert "not what flow-tui writes" in one.why_not
    path.unlink()
    (one,) = trash.trashed_runs(store)
    assert one.why_not == "its rows are missing: emptying the trash was interrupted"


def test_where_nothing_can_be_written_nothing_moves(store: Store, directory: Path) -> None:
    execute(directory / "meta.db", "create trigger t after delete on experiments begin"
            " select 1; end")  # fmt: skip
    before = rows(directory), files(directory)
    with pytest.raises(DatabaseReadOnly, match="the trigger t would run"):
        trash.delete(store, "run-1", LATER)
    assert (rows(directory), files(directory)) == before
    assert not (directory / ".trash").exists()


def test_a_folder_that_cannot_be_renamed_keeps_its_rows(
    store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(directory)

    def refuse(*_paths: object) -> None:
        raise PermissionError(1, "Operation not permitted", "run-1")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(NotDeleted, match="run-1: Operation not permitted"):
        trash.delete(store, "run-1", LATER)
    assert rows(directory) == before


def test_a_disk_without_room_for_the_rows_keeps_everything(
    store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(directory), files(directory)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotDeleted, match="No space left on device"):
        trash.delete(store, "run-1", LATER)
    assert (rows(directory), files(directory)) == before


def test_a_commit_that_fails_brings_the_folder_back(
    store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(directory), files(directory)
    move = folders.move

    def moved(folder: Path, to: Path) -> None:
        move(folder, to)
        if to.parent.name == ".trash":
            raise MemoryError

    monkeypatch.setattr(folders, "move", moved)
    with pytest.raises(DatabaseError):
        trash.delete(store, "run-1", LATER)
    assert (rows(directory), files(directory)) == before
    assert not (directory / ".trash").exists()


def test_a_deletion_that_was_interrupted_can_be_finished(store: Store, directory: Path) -> None:
    before = rows(directory)
    trash.delete(store, "run-1", LATER)
    saved = (directory / ".trash" / "run-1" / saved_rows.ROWS).read_bytes()
    trash.restore(store, "run-1")
    # As a crash between the renaming and the commit leaves it.
    (directory / "run-1" / saved_rows.ROWS).write_bytes(saved)
    (directory / ".trash").mkdir(exist_ok=True)
    (directory / "run-1").rename(directory / ".trash" / "run-1")
    (one,) = trash.trashed_runs(store)
    assert one.is_interrupted
    assert trash.empty(store) == 0
    trash.delete(store, "run-1", LATER)
    assert [row[0] for row in rows(directory)["experiments"]] == [b"run-2"]
    trash.restore(store, "run-1")
    assert rows(directory) == before


def test_what_a_run_without_a_folder_left_in_the_trash_is_no_other_run(
    store: Store, directory: Path
) -> None:
    shutil.rmtree(directory / "run-1")
    (directory / ".trash" / "run-1").mkdir(parents=True)
    (one,) = trash.trashed_runs(store)
    assert one.is_interrupted
    assert trash.empty(store) == 0
    trash.delete(store, "run-1", LATER)
    assert [one.why_not for one in trash.trashed_runs(store)] == [""]


def test_counting_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"12345")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    size = os.lstat(tmp_path / "a" / "loop").st_size
    assert folders.extent(tmp_path / "a") == folders.FolderExtent(2, 5 + size)
    assert stat.S_ISLNK(os.lstat(tmp_path / "a" / "loop").st_mode)


# Logged models ---------------------------------------------------------------------------------


def model_id(directory: Path) -> str:
    return str(rows(directory, "models")["models"][0][0].decode())


def test_a_model_goes_with_its_file_and_where_it_was_uploaded_to(
    store: Store, directory: Path
) -> None:
    found = model_id(directory)
    done = models.delete_model(store, found)
    assert (done.freed_bytes, done.why_file_stays) == (5, "")
    assert not (directory / "run-1" / "models" / "net.luml").exists()
    left = rows(directory)
    assert left["models"] == []
    assert [row[0] for row in left["remote_artifacts"]] == [b"experiment"]
    with pytest.raises(RecordGone):
        models.delete_model(store, found)


@pytest.mark.parametrize(
    "path",
    ["meta.db", "run-2/exp.db", "run-1/exp.db", "../x", "/etc/hostname", "run-1/models/../exp.db",
     "run-1/attachments/notes.txt", "run-1/models/linked/notes.txt", "run-1/models/gone"],
)  # fmt: skip
def test_a_row_that_names_another_file_takes_only_itself_away(
    store: Store, directory: Path, path: str
) -> None:
    (directory / "run-1" / "models" / "linked").symlink_to(directory / "run-1" / "attachments")
    execute(directory / "meta.db", "update models set path = ?", [(path,)])
    before = files(directory)
    models.delete_model(store, model_id(directory))
    assert files(directory) == before
    assert rows(directory)["models"] == []


def test_a_file_of_two_models_stays(store: Store, directory: Path) -> None:
    execute(directory / "meta.db", "insert into models (id, path, experiment_id)"
            " select 'again', path, experiment_id from models")  # fmt: skip
    done = models.delete_model(store, "again")
    assert done.why_file_stays == "another model has the same file"
    assert (directory / "run-1" / "models" / "net.luml").exists()
