"""Schemas with programs in them: what is said of them, and that no write runs one."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.store import checks, counts, errors
from flowtui.store.annotations import writing
from flowtui.store.annotations.values import AnnotationKind, Draft, SampleTarget
from flowtui.store.database import Database
from flowtui.store.lost_records import lost_records
from flowtui.store.new_run import new_run
from flowtui.store.schema import EvalRow, ddl
from flowtui.store.transaction import Patience, write
from tests.unit.stores import contents, execute, one_run, opened, writer

DRAFT = Draft("quality", AnnotationKind.FEEDBACK, True, None, "ana")
SAMPLE = SampleTarget("set", "1")
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n"
ENDLESS_SPANS = ENDLESS.replace("select i from", "select i as trace_id, i as span_id from")
INSTEAD_OF_A_TABLE = "drop table eval_annotations"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    path = one_run(tmp_path)
    with writer(tmp_path) as store, store.experiment("run-1") as experiment:
        experiment.evals([EvalRow(dataset_id="set", id="1", inputs={})])
    return Database(path, "run/exp.db")


def said(database: Database) -> list[str]:
    return database.read(checks.oddities)


def test_the_tables_that_are_looked_at_are_those_of_the_sdk() -> None:
    made = "\n".join((*ddl.META_TABLES, *ddl.EXPERIMENT_TABLES))
    named = set(re.findall(r"^CREATE TABLE (\w+)", made, re.MULTILINE))
    assert named | {ddl.EXPERIMENT_MIGRATIONS_TABLE} == checks.TABLES


def test_a_store_of_the_sdk_has_nothing_odd_in_it(database: Database) -> None:
    assert said(database) == []
    with opened(database.path.parents[1]) as store:
        assert store.meta.read(checks.oddities) == []


def test_a_read_of_a_view_without_end_is_given_up_and_says_why(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(database.path, "drop table spans")
    execute(database.path, f"create view Spans as {ENDLESS_SPANS}")
    monkeypatch.setattr(checks, "READ_S", 0)
    for sql in ("select count(*) from spans", "select max(trace_id) from (select * from SPANS)"):
        with pytest.raises(
            errors.DatabaseError, match=r"reading spans took more than .* is a view"
        ):
            database.read(lambda connection, sql=sql: connection.execute(sql).fetchone())
    # What a table has ends, however long it takes.
    counted = "with recursive n(i) as (select 1 union all select i + 1 from n limit 1000000)"
    sql = f"{counted} select count(*) + (select count(*) from evals) from n"
    assert database.read(lambda connection: connection.execute(sql).fetchone()) == (1_000_001,)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            ["drop table spans", f"create view spans as {ENDLESS_SPANS}"],
            "spans is a view, not the table",
        ),
        (["drop table evals", "create virtual table evals using fts4(id)"], "evals is a virtual"),
        (
            ["alter table spans add column more text generated always as (name || '!')"],
            "spans.more is a generated column",
        ),
        (
            ["create trigger late after insert on EVALS begin select 1; end"],
            "nothing is written into evals: the trigger late would run",
        ),
    ],
)
def test_what_stands_in_place_of_a_table_is_said(
    database: Database, statements: list[str], words: str
) -> None:
    with closing(sqlite3.connect(database.path)) as connection:
        for statement in statements:
            connection.execute(statement)
    (text,) = said(database)
    assert text.startswith(words)
    with opened(database.path.parents[1]) as store:
        assert text in lost_records(store.meta, store.run("run-1"))


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            [f"create trigger slow after insert on eval_annotations begin {ENDLESS}; end"],
            "the trigger slow would run with each write into eval_annotations",
        ),
        (
            ["create trigger odd before insert on Eval_Annotations begin delete from evals; end"],
            "the trigger odd would run",
        ),
        (
            [
                INSTEAD_OF_A_TABLE,
                "create view eval_annotations as select * from span_annotations",
                "create trigger taken instead of insert on eval_annotations begin select 1; end",
            ],
            "eval_annotations is a view",
        ),
        (
            [
                INSTEAD_OF_A_TABLE,
                "create virtual table eval_annotations using fts4(id, name, annotation_kind,"
                " value_type, value, user, rationale, created_at, dataset_id, eval_id)",
            ],
            "eval_annotations is a virtual table",
        ),
    ],
)
def test_nothing_is_written_where_a_program_would_run(
    database: Database, statements: list[str], words: str
) -> None:
    with closing(sqlite3.connect(database.path)) as connection:
        for statement in statements:
            connection.execute(statement)
    before = contents(database.path.parent)
    with pytest.raises(errors.DatabaseReadOnly, match=words):
        writing.add(database, SAMPLE, DRAFT)
    assert contents(database.path.parent) == before


def test_a_trigger_elsewhere_keeps_nobody_from_annotating(database: Database) -> None:
    execute(database.path, "create trigger other after insert on spans begin select 1; end")
    assert writing.add(database, SAMPLE, DRAFT).annotation.name == "quality"


def test_a_new_run_is_made_only_where_no_program_would_run(database: Database) -> None:
    directory = database.path.parents[1]
    execute(
        directory / "meta.db",
        f"create trigger slow after insert on experiments begin {ENDLESS}; end",
    )
    with (
        pytest.raises(errors.DatabaseReadOnly, match="the trigger slow would run"),
        new_run(directory, "another"),
    ):
        pass
    execute(directory / "meta.db", "drop trigger slow")
    with new_run(directory, "another") as run_id, opened(directory) as store:
        assert store.resolve(run_id).row.name == "another"


class Clock:
    """Goes on by a tenth of a second with each look at it."""

    def __init__(self) -> None:
        self.ticks = iter(range(1_000_000))

    def __call__(self) -> float:
        return next(self.ticks) / 10


def test_a_write_that_takes_long_is_undone_and_gives_the_lock_back(database: Database) -> None:
    execute(database.path, f"create view slow as {ENDLESS}")

    def change(connection: sqlite3.Connection) -> None:
        connection.execute("delete from evals")
        connection.execute("select count(*) from slow").fetchone()

    with pytest.raises(errors.DatabaseError, match="took more than 4 s and was undone"):
        write(database, change, Patience(clock=Clock()))
    execute(database.path, "insert into evals (id, dataset_id, inputs) values ('2', 'set', '{}')")
    rows = database.read(lambda db: db.execute("select count(*) from evals").fetchone())
    assert rows == (2,)


def test_what_is_odd_about_the_list_of_runs_is_said_with_a_run(database: Database) -> None:
    directory = database.path.parents[1]
    execute(directory / "meta.db", "create trigger t after update on models begin select 1; end")
    with opened(directory) as store:
        (text,) = lost_records(store.meta, store.run("run-1"))
    assert text.startswith("nothing is written into models: the trigger t would run")


def test_what_has_no_end_is_not_counted(database: Database) -> None:
    with closing(sqlite3.connect(database.path)) as connection:
        for table in ("spans", "dynamic_metrics"):
            connection.execute(f"drop table {table}")
            connection.execute(f"create view {table} as {ENDLESS_SPANS}")
    found = database.read(counts.counts)
    assert (found.spans, found.traces, found.metrics, found.samples) == (None, None, None, 1)
