"""`edit`, `delete` and `trash`: what they do, what they say, and their exit codes."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.test_cli import Run, run
from tests.unit.stores import held, writer

__all__ = ["run"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with writer(tmp_path / "store") as store:
        for run_id, name in (("run-1", "first"), ("run-2", "second"), ("other", "first")):
            store.start_run(run_id, name, tags=["a"])
            store.end_run(run_id, status="completed", duration=1.0)
    return tmp_path / "store"


def query(directory: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(directory / "meta.db")) as connection:
        return connection.execute(sql).fetchall()


def test_a_run_is_edited(run: Run, directory: Path) -> None:
    done = run("edit", "run-1", "-s", directory, "--name", "new", "--tag", "b", "--tag", "c",
               "--untag", "a", "--untag", "z", "--group", "g",
               "--description", "two\nlines")  # fmt: skip
    assert (done.code, done.out) == (0, "new (run-1): changed name, description, tags, group\n")
    assert done.error == "it has no tag z"
    assert query(
        directory,
        "select r.name, r.description, r.tags, g.name from experiments r"
        " join experiment_groups g on g.id = r.group_id where r.id = 'run-1'",
    ) == [("new", "two\nlines", '["b", "c"]', "g")]
    done = run("edit", "run-1", "-s", directory, "--group", "g", "--tag", "b")
    assert (done.code, done.out) == (0, "new (run-1): nothing to change\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give what to change: --name, --description, --tag, --untag or --group"),
        (["--name", " "], "the name is empty"),
        (["--group", ""], "the group is empty"),
        (["--tag", "a", "--untag", "a"], "--tag and --untag 'a': give one of them"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    run: Run, directory: Path, arguments: list[str], said: str
) -> None:
    done = run("edit", "run-1", "-s", directory, *arguments)
    assert (done.code, done.error) == (2, said)


def test_a_column_that_is_not_there_is_a_failure(run: Run, directory: Path) -> None:
    with closing(sqlite3.connect(directory / "meta.db")) as connection, connection:
        connection.execute("alter table experiments drop column description")
    done = run("edit", "run-1", "-s", directory, "--description", "x")
    assert (done.code, done.error) == (
        1, "a run of this store has no description: its schema is older"
    )  # fmt: skip


def test_a_run_is_deleted_restored_and_removed(run: Run, directory: Path) -> None:
    done = run("delete", "run-1", "-s", directory)
    assert done.code == 2
    assert "nobody can be asked here: give --yes to delete" in done.err
    done = run("delete", "run-1", "-s", directory, "--yes")
    assert done.code == 0
    assert done.out == (
        "deleted first (run-1); flow-tui trash --restore run-1 brings it back\n"
    )  # fmt: skip
    size = sum(p.stat().st_size for p in (directory / ".trash" / "run-1").rglob("exp.db"))
    assert done.err == f"delete first (run-1): 1 file, {size / 1000:.3g} kB\n"
    done = run("trash", "-s", directory)
    assert done.code == 0
    assert done.out.startswith("run-1  first  ")
    assert "2 files" in done.out
    done = run("trash", "-s", directory, "--restore", "first")
    assert (done.code, done.out) == (0, "restored first (run-1)\n")
    for run_id in ("run-1", "run-2", "other"):
        assert run("delete", run_id, "-s", directory, "-y").code == 0
    done = run("trash", "-s", directory, "--restore", "run-")
    assert (done.code, done.error) == (
        1, "'run-' could be any of run-1, run-2: give more of the id"
    )  # fmt: skip
    done = run("trash", "-s", directory, "--empty")
    assert done.code == 2
    done = run("trash", "-s", directory, "--empty", "--yes")
    assert done.code == 0
    assert done.out.startswith("removed 3 runs, ")
    done = run("trash", "-s", directory)
    assert (done.code, done.out, done.err) == (0, "", "the trash is empty\n")
    assert not (directory / ".trash").exists()


def test_a_live_run_is_refused_whatever_is_confirmed(run: Run, directory: Path) -> None:
    with held(directory / "run-1" / "exp.db"):
        done = run("delete", "run-1", "-s", directory, "--yes")
    assert (done.code, done.error) == (
        1, "first is not deleted: a process has its database open, a training or a viewer such as"
        " lumlflow: end that first"
    )  # fmt: skip
    assert (directory / "run-1" / "exp.db").exists()


def test_the_trash_takes_one_wish_and_tells_what_it_lacks(run: Run, directory: Path) -> None:
    assert run("trash", "-s", directory, "--restore", "x", "--empty").code == 2
    done = run("trash", "-s", directory, "--restore", "gone")
    assert (done.code, done.error) == (
        1, "there is no run 'gone' in the trash; `flow-tui trash` lists them"
    )  # fmt: skip


def test_an_artifact_is_a_copy_and_stays_as_it_is(run: Run, directory: Path) -> None:
    assert run("export", "run-1", "-s", directory, "-o", "copy.luml").code == 0
    for arguments in (["edit", "copy.luml", "--name", "x"], ["delete", "copy.luml", "--yes"],
                      ["trash", "-s", "copy.luml", "--empty", "-y"]):  # fmt: skip
        done = run(*arguments)
        assert done.code == 2
        assert "copy.luml is an exported run, a copy" in done.error


class Typist(StringIO):
    """A terminal at which somebody has typed already."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code"), [("first\n", 0), ("delete\n", 0), ("y\n", 1), ("\n", 1), ("", 1)]
)
def test_its_name_or_the_word_agrees_and_nothing_else(
    run: Run, directory: Path, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Typist(typed))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    done = run("delete", "run-1", "-s", directory)
    assert done.code == code
    assert "Type first or delete to go on: " in done.err
    assert (directory / "run-1").exists() == bool(code)
    assert ("flow-tui: nothing was deleted" in done.err) == bool(code)
