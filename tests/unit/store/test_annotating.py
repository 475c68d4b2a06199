"""Writing annotations: rows as the SDK writes them, busy and unwritable stores, other writers."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.store import transaction
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.errors import AnnotationChanged
from flowtui.store.annotations.values import (
    Added,
    Annotation,
    Deleted,
    Draft,
    Edited,
    SampleTarget,
    SpanTarget,
    Target,
)
from flowtui.store.database import Database
from flowtui.store.errors import (
    DatabaseBusy,
    DatabaseCorrupt,
    DatabaseError,
    DatabaseMissing,
    DiskFull,
    InvalidAnnotation,
    NoAnnotationTables,
    TargetGone,
)
from flowtui.store.transaction import Patience
from tests.unit.annotated import RUN, SAMPLE, SPAN, annotatable, expectation, feedback
from tests.unit.stores import NOW, as_another_user, contents, execute, opened


class Clock:
    """Time that only passes while somebody sleeps."""

    def __init__(self, on_sleep: Callable[[], None] = lambda: None) -> None:
        self.now_s = 0.0
        self._on_sleep = on_sleep

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self._on_sleep()

    def patience(self) -> Patience:
        return Patience(clock=lambda: self.now_s, sleep=self.sleep)


@pytest.fixture
def exp_db(tmp_path: Path) -> Path:
    return annotatable(tmp_path)


@pytest.fixture
def database(exp_db: Path) -> Iterator[Database]:
    with closing(Database(exp_db, "run-1/exp.db")) as database:
        yield database


def rows(path: Path, table: str = "span_annotations") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"select * from {table} order by rowid").fetchall()


def added(database: Database, draft: Draft | None = None, target: Target = SPAN) -> Annotation:
    return writing.add(database, target, draft or feedback(), now=lambda: NOW).annotation


def elsewhere(path: Path, sql: str = "update span_annotations set value = 'false'") -> None:
    """Writes as another viewer would."""
    execute(path, sql)


@pytest.mark.parametrize(
    ("draft", "value_type", "raw"),
    [
        (feedback(True), "bool", "true"),
        (feedback(False, rationale="too\nslow"), "bool", "false"),
        (expectation(-(2**63)), "int", "-9223372036854775808"),
        (expectation("true 日本\x00"), "string", "true 日本\x00"),
    ],
    ids=["true", "false", "int", "string"],
)
@pytest.mark.parametrize(
    ("target", "table"), [(SPAN, "span_annotations"), (SAMPLE, "eval_annotations")]
)
def test_an_annotation_is_one_row_of_text(
    database: Database, draft: Draft, value_type: str, raw: str, target: Target, table: str
) -> None:
    annotation = added(database, draft, target)
    (row,) = rows(database.path, table)
    assert row == (
        annotation.id, *target.key, draft.name, draft.kind, value_type, raw, draft.user,
        draft.rationale, "2026-06-01 12:00:00",
    )  # fmt: skip
    assert str(uuid.UUID(annotation.id, version=4)) == annotation.id
    assert (annotation.value, annotation.created_at) == (draft.value, NOW)
    with opened(database.path.parents[1]) as store:
        assert store.run(RUN).ask(annotation_rows.of_target, target) == (annotation,)


def test_an_empty_rationale_is_none(database: Database) -> None:
    annotation = added(database, feedback(rationale=""))
    assert annotation.rationale is None
    edited = writing.edit(database, annotation, False, "")
    assert isinstance(edited, Edited)
    assert edited.after.rationale is None


def test_what_a_draft_must_not_say_is_not_written(database: Database) -> None:
    with pytest.raises(InvalidAnnotation):
        added(database, feedback(name=""))
    annotation = added(database)
    with pytest.raises(InvalidAnnotation, match="true or false"):
        writing.edit(database, annotation, "yes", None)
    assert len(rows(database.path)) == 1


@pytest.mark.parametrize(
    "target", [SpanTarget("a" * 32, "0" * 16), SampleTarget("set", "no such")], ids=str
)
def test_a_target_that_is_gone_is_named(database: Database, target: Target) -> None:
    with pytest.raises(TargetGone, match=f"the {target} is not in this run"):
        added(database, target=target)


def test_an_edit_sets_value_and_rationale_and_nothing_else(database: Database) -> None:
    before = added(database)
    change = writing.edit(database, before, False, "on reflection")
    assert isinstance(change, Edited)
    assert change.before == before
    assert change.after == before._replace(
        value=False, raw_value="false", rationale="on reflection"
    )


def test_a_deleted_annotation_comes_back_with_its_id_and_time(database: Database) -> None:
    annotation = added(database, feedback(rationale="why"))
    stamp = "2026-01-01T00:00:00.123456+02:00"
    elsewhere(database.path, f"update span_annotations set created_at = '{stamp}'")
    with opened(database.path.parents[1]) as store:
        (annotation,) = store.run(RUN).ask(annotation_rows.of_target, SPAN)
    before = rows(database.path)
    assert writing.delete(database, annotation) == Deleted(annotation)
    assert rows(database.path) == []
    assert writing.restore(database, annotation) == Added(annotation)
    assert rows(database.path) == before


@pytest.mark.parametrize(
    "act",
    [
        lambda database, known: writing.edit(database, known, True, "mine"),
        lambda database, known: writing.delete(database, known),
        lambda database, known: writing.revert(database, Added(known)),
        lambda database, known: writing.revert(database, Edited(known, known)),
    ],
    ids=["edit", "delete", "undo of an add", "undo of an edit"],
)
def test_a_row_that_somebody_changed_is_left_and_told(
    database: Database, act: Callable[[Database, Annotation], object]
) -> None:
    known = added(database)
    elsewhere(database.path)
    theirs = rows(database.path)
    with pytest.raises(AnnotationChanged, match="changed by somebody") as raised:
        act(database, known)
    assert raised.value.current == known._replace(value=False, raw_value="false")
    assert rows(database.path) == theirs
    elsewhere(database.path, "delete from span_annotations")
    with pytest.raises(AnnotationChanged, match="deleted by somebody") as raised:
        act(database, known)
    assert raised.value.current is None
    assert rows(database.path) == []


def test_overwriting_answers_with_what_was_overwritten(database: Database) -> None:
    known = added(database)
    elsewhere(database.path, "update span_annotations set rationale = 'theirs'")
    theirs = known._replace(rationale="theirs")
    edited = writing.edit(database, known, False, "mine", overwrite=True)
    assert edited == Edited(
        theirs, known._replace(value=False, raw_value="false", rationale="mine")
    )
    assert isinstance(edited, Edited)
    assert writing.delete(database, known, overwrite=True) == Deleted(edited.after)
    assert writing.delete(database, known, overwrite=True) is None


def test_an_edit_that_overwrites_a_deletion_puts_the_annotation_back(database: Database) -> None:
    known = added(database)
    elsewhere(database.path, "delete from span_annotations")
    change = writing.edit(database, known, False, "mine", overwrite=True)
    assert change == Added(known._replace(value=False, raw_value="false", rationale="mine"))


def test_an_annotation_is_not_put_back_over_another(database: Database) -> None:
    known = added(database)
    elsewhere(database.path)
    with pytest.raises(AnnotationChanged):
        writing.restore(database, known)
    change = writing.restore(database, known, overwrite=True)
    assert isinstance(change, Edited)
    assert change.after == known


def test_a_broken_value_survives_deletion_and_undo(database: Database) -> None:
    added(database, expectation("x"))
    elsewhere(database.path, "update span_annotations set value = cast(x'ff41' as text)")
    before = rows_as_bytes(database.path)
    with opened(database.path.parents[1]) as store:
        (known,) = store.run(RUN).ask(annotation_rows.of_target, SPAN)
    writing.revert(database, writing.delete(database, known) or Added(known))
    assert rows_as_bytes(database.path) == before


def rows_as_bytes(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return connection.execute("select * from span_annotations").fetchall()


# A busy store


def test_a_busy_store_is_tried_until_it_is_free(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("begin immediate")

        def free_after_a_second() -> None:
            if clock.now_s >= 1 and other.in_transaction:
                other.execute("commit")

        clock = Clock(free_after_a_second)
        writing.add(database, SPAN, feedback(), patience=clock.patience())
    assert 1 <= clock.now_s < 1.1
    assert len(rows(database.path)) == 1


def test_a_store_that_stays_busy_is_given_up_after_five_seconds(database: Database) -> None:
    clock = Clock()
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(DatabaseBusy, match="busy for 5 s"):
            writing.add(database, SPAN, feedback(), patience=clock.patience())
    assert 5 <= clock.now_s < 5.1
    assert rows(database.path) == []


# Stores that cannot be written


def test_a_missing_database_is_not_created(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "exp.db", "run-1/exp.db")) as database:
        with pytest.raises(DatabaseMissing):
            added(database)
        with pytest.raises(DatabaseMissing):
            writing.create_tables(database)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"no database at all" * 100], ids=["empty", "other"])
def test_what_is_no_database_stays_as_it_is(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "exp.db"
    path.write_bytes(data)
    with closing(Database(path, "run-1/exp.db")) as database, pytest.raises(DatabaseCorrupt):
        writing.create_tables(database)
    assert path.read_bytes() == data


@pytest.mark.parametrize("locked", ["file", "folder", "both"])
def test_a_store_that_is_read_only_for_this_user_says_so(folder: Path, locked: str) -> None:
    path = annotatable(folder)
    path.chmod(0o666 if locked == "folder" else 0o444)
    path.parent.chmod(0o777 if locked == "file" else 0o555)
    before = contents(folder)
    with closing(Database(path, "run-1/exp.db")) as database:
        kind, text = as_another_user(lambda: failure(database))
    assert (kind, text) == (
        "DatabaseReadOnly",
        "run-1/exp.db is read-only for you; its owner can grant write access to the file"
        " and its folder",
    )
    assert contents(folder) == before
    path.parent.chmod(0o755)


def failure(database: Database) -> tuple[str, str]:
    """Gives the kind and the text of the error that adding ends with."""
    try:
        added(database)
    except DatabaseError as error:
        return type(error).__name__, str(error)
    return "", ""


def test_a_full_disk_says_so_and_leaves_nothing_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = transaction._connect

    def connect_to_a_full_disk(database: Database) -> sqlite3.Connection:
        connection = connect(database)
        (pages,) = connection.execute("pragma page_count").fetchone()
        connection.execute(f"pragma max_page_count = {pages}")
        return connection

    monkeypatch.setattr(transaction, "_connect", connect_to_a_full_disk)
    with pytest.raises(DiskFull, match="no room left on the disk"):
        added(database, expectation("x" * 1_000_000))
    assert rows(database.path) == []


# Files beside the database


def test_no_file_is_left_and_the_journal_mode_stays(database: Database) -> None:
    annotation = added(database)
    writing.delete(database, annotation)
    assert [path.name for path in database.path.parent.glob("exp.db*")] == ["exp.db"]
    execute(database.path, "pragma journal_mode = delete")
    added(database)
    with closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("delete",)


def test_the_log_of_a_writer_that_has_the_database_open_stays_its_own(database: Database) -> None:
    with closing(sqlite3.connect(database.path)) as sdk:
        sdk.execute("select count(*) from spans").fetchone()
        added(database)
        assert database.path.with_name("exp.db-wal").exists()
        assert sdk.execute("select count(*) from span_annotations").fetchone() == (1,)
    assert [path.name for path in database.path.parent.glob("exp.db*")] == ["exp.db"]


def test_a_reader_under_way_does_not_leave_the_log_behind(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from spans").fetchone()
        clock = Clock(reader.close)
        writing.add(database, SPAN, feedback(), patience=clock.patience())
    assert [path.name for path in database.path.parent.glob("exp.db*")] == ["exp.db"]
    assert len(rows(database.path)) == 1


def test_a_refused_write_does_not_leave_the_log_behind_either(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as reader:

        def refuse(connection: sqlite3.Connection) -> None:
            # Joined now, it keeps the connection that is refused from removing the log.
            reader.execute("begin")
            reader.execute("select count(*) from spans").fetchone()
            raise TargetGone("gone")

        clock = Clock(reader.close)
        with pytest.raises(TargetGone):
            transaction.write(database, refuse, clock.patience())
    assert clock.now_s > 0
    assert [path.name for path in database.path.parent.glob("exp.db*")] == ["exp.db"]


# Stores without the tables


@pytest.fixture
def old(database: Database) -> Database:
    """A run as the SDK left it before it knew annotations."""
    for table in ("span_annotations", "eval_annotations", "exp_schema_migrations"):
        execute(database.path, f"drop table {table}")
    execute(database.path, "alter table attachments drop column size")
    execute(database.path, "pragma user_version = 0")
    return database


def test_an_old_run_is_not_migrated_unasked(old: Database) -> None:
    before = contents(old.path.parent)
    with pytest.raises(NoAnnotationTables, match="tables must be made"):
        added(old)
    assert contents(old.path.parent) == before


@pytest.mark.parametrize("has_size", [False, True])
def test_the_tables_of_an_old_run_are_made_as_the_first_migration_would(
    old: Database, has_size: bool
) -> None:
    if has_size:
        execute(old.path, "alter table attachments add column size integer")
    writing.create_tables(old, now=lambda: NOW)
    version = 2 if has_size else 1
    assert rows(old.path, "exp_schema_migrations") == [
        (number, "2026-06-01 12:00:00") for number in range(1, version + 1)
    ]
    with closing(sqlite3.connect(old.path)) as connection:
        assert connection.execute("pragma user_version").fetchone() == (version,)
        columns = connection.execute("select name from pragma_table_info('attachments')")
        assert (("size",) in columns.fetchall()) == has_size
    assert added(old).target == SPAN
    assert added(old, target=SAMPLE).target == SAMPLE


def test_making_tables_twice_changes_nothing(old: Database) -> None:
    writing.create_tables(old)
    annotation = added(old)
    with closing(sqlite3.connect(old.path)) as connection:
        before = list(connection.iterdump())
    writing.create_tables(old)
    with closing(sqlite3.connect(old.path)) as connection:
        assert list(connection.iterdump()) == before
    assert writing.delete(old, annotation) == Deleted(annotation)


def test_a_store_writes_by_run(exp_db: Path, tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        annotation = annotating.add(store.run(RUN).database, SAMPLE, feedback()).annotation
        edited = annotating.edit(store.run(RUN).database, annotation, False, None)
        assert isinstance(edited, Edited)
        assert annotating.delete(store.run(RUN).database, edited.after) == Deleted(edited.after)
        assert annotating.restore(store.run(RUN).database, edited.after) == Added(edited.after)
        annotating.create_tables(store.run(RUN).database)
        assert store.run(RUN).ask(annotation_rows.of_target, SAMPLE) == (edited.after,)
