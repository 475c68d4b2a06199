"""Adds, edits, deletes and restores annotations, row for row as the SDK writes them.

Every function is one transaction, retried on a busy store, and raises what `transaction.write`
does. Callers give the annotation as they know it: if its row has changed since, nothing is written
and `AnnotationChanged` carries the current one, unless the caller says to overwrite it.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from flowtui.store.annotations import marks
from flowtui.store.annotations.errors import AnnotationChanged
from flowtui.store.annotations.listing import TABLES, AnnotationTable, annotation_by_id, table_of
from flowtui.store.annotations.values import (
    Added,
    Annotation,
    Change,
    Deleted,
    Draft,
    Edited,
    Target,
    Value,
    check_text,
    check_value,
    raw_text,
)
from flowtui.store.database import Database, table_columns
from flowtui.store.decoding import as_sql
from flowtui.store.errors import NoAnnotationTables, TargetGone
from flowtui.store.schema import ddl
from flowtui.store.schema.rows import timestamp
from flowtui.store.transaction import PATIENCE, Patience, write
from flowtui.store.undo import UndoStack

ChangeT = TypeVar("ChangeT", Added, Edited, Deleted, Added | Edited)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def add(
    database: Database,
    target: Target,
    draft: Draft,
    *,
    now: Callable[[], datetime] = _utc_now,
    patience: Patience = PATIENCE,
) -> Added:
    """Add an annotation to a span or sample.

    Raises:
        InvalidAnnotation: The draft is not valid.
        TargetGone: The span or sample is not in the run.
        NoAnnotationTables: The tables are missing; `create_tables` makes them.
        DatabaseError: The store cannot be written, as for every write.
    """
    draft.check()
    moment = now()
    annotation = Annotation(
        id=str(uuid.uuid4()),
        target=target,
        name=draft.name,
        kind=draft.kind,
        value_type=draft.value_type,
        value=draft.value,
        raw_value=raw_text(draft.value),
        user=draft.user,
        rationale=draft.rationale or None,
        created_at=moment,
        raw_created_at=timestamp(moment),
    )

    def change(connection: sqlite3.Connection) -> Added:
        _require_tables(connection, database)
        return Added(_insert(connection, annotation))

    return _noted(database, write(database, change, patience))


def edit(
    database: Database,
    known: Annotation,
    value: Value,
    rationale: str | None,
    *,
    overwrite: bool = False,
    patience: Patience = PATIENCE,
) -> Added | Edited:
    """Set an annotation's value and rationale; nothing else of it can change.

    Args:
        database: The run's exp.db.
        known: The annotation as it was when the edit began.
        value: A value of the annotation's own type.
        rationale: The rationale; None or an empty text for none.
        overwrite: Whether to write even if the row has changed since; one that is gone is then
            restored, and `Added` is returned.
        patience: How to wait for a busy store.

    Raises:
        InvalidAnnotation: The value is not of the annotation's type.
        AnnotationChanged: The row differs from `known`, or is gone.
        DatabaseError: The store cannot be written, as for every write.
    """
    check_value(value, known.kind, known.value_type)
    check_text("rationale", rationale or "")
    wanted = known._replace(raw_value=raw_text(value), rationale=rationale or None)
    return _put(database, wanted, known, overwrite, patience)


def delete(
    database: Database,
    known: Annotation,
    *,
    overwrite: bool = False,
    patience: Patience = PATIENCE,
) -> Deleted | None:
    """Delete an annotation.

    Args:
        database: The run's exp.db.
        known: The annotation as it was last seen.
        overwrite: Whether to delete it even if it has changed since.
        patience: How to wait for a busy store.

    Returns:
        The annotation that was deleted; None if it was gone already and `overwrite` is set.

    Raises:
        AnnotationChanged: The row differs from `known`, or is gone.
        DatabaseError: The store cannot be written, as for every write.
    """
    table = table_of(known.target)

    def change(connection: sqlite3.Connection) -> Deleted | None:
        _require_tables(connection, database)
        current = annotation_by_id(connection, table, known.id)
        if current != known and not overwrite:
            raise AnnotationChanged(current)
        connection.execute(
            f"delete from {table.name} where id = cast(? as text)", [as_sql(known.id)]
        )
        return None if current is None else Deleted(current)

    deleted = write(database, change, patience)
    return None if deleted is None else _noted(database, deleted)


def restore(
    database: Database,
    deleted: Annotation,
    *,
    overwrite: bool = False,
    patience: Patience = PATIENCE,
) -> Added | Edited:
    """Restore an annotation that was deleted, with the id and the time that it had.

    Raises:
        AnnotationChanged: Somebody else has restored it; `overwrite` sets its value and rationale.
        TargetGone: The span or sample is no longer in the run.
        DatabaseError: The store cannot be written, as for every write.
    """
    return _put(database, deleted, None, overwrite, patience)


def revert(
    database: Database, change: Change, *, overwrite: bool = False, patience: Patience = PATIENCE
) -> None:
    """Undo exactly what a change did.

    Raises:
        AnnotationChanged: Somebody else has changed the same annotation since.
        TargetGone: The span or sample of a deleted one is no longer in the run.
        DatabaseError: The store cannot be written, as for every write.
    """
    match change:
        case Added(annotation):
            delete(database, annotation, overwrite=overwrite, patience=patience)
        case Edited(before, after):
            _put(database, before, after, overwrite, patience)
        case Deleted(annotation):
            restore(database, annotation, overwrite=overwrite, patience=patience)


def undo_stack(database: Database) -> UndoStack[Change]:
    """Return an empty stack of the annotation changes of the run whose exp.db is given."""
    return UndoStack(lambda change, overwrite: revert(database, change, overwrite=overwrite))


def create_tables(
    database: Database,
    *,
    now: Callable[[], datetime] = _utc_now,
    patience: Patience = PATIENCE,
) -> None:
    """Make the annotation tables in a store that is older than them.

    The result is what the SDK's first migration makes, and is recorded in exp_schema_migrations and
    user_version. The second one, attachments.size, is recorded only where the column exists, so
    that an SDK that opens the store later migrates on from the right version. Existing records stay
    as they are, and a second call changes nothing.

    Raises:
        DatabaseError: The store cannot be written, as for every write.
    """
    applied_at = timestamp(now())

    def change(connection: sqlite3.Connection) -> None:
        for statement in ddl.EXPERIMENT_TABLES:
            connection.execute(statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
        version = 2 if "size" in table_columns(connection, "attachments") else 1
        connection.executemany(
            f"insert or ignore into {ddl.EXPERIMENT_MIGRATIONS_TABLE} values (?, ?)",
            [(number, applied_at) for number in range(1, version + 1)],
        )
        # The SDK knows by user_version alone whether the annotation tables exist.
        (stored,) = connection.execute("pragma user_version").fetchone()
        if stored < version:
            connection.execute(f"pragma user_version = {version}")

    write(database, change, patience)


def _put(
    database: Database,
    wanted: Annotation,
    expected: Annotation | None,
    overwrite: bool,
    patience: Patience,
) -> Added | Edited:
    """Set the raw value and rationale of an annotation's row, inserting it if it is gone."""
    table = table_of(wanted.target)

    def change(connection: sqlite3.Connection) -> Added | Edited:
        _require_tables(connection, database)
        current = annotation_by_id(connection, table, wanted.id)
        if current != expected and not overwrite:
            raise AnnotationChanged(current)
        if current is None:
            return Added(_insert(connection, wanted))
        connection.execute(
            f"update {table.name} set value = cast(? as text), rationale = cast(? as text)"
            " where id = cast(? as text)",
            [as_sql(wanted.raw_value), _optional(wanted.rationale), as_sql(wanted.id)],
        )
        return Edited(current, _stored(connection, table, wanted.id))

    return _noted(database, write(database, change, patience))


def _noted(database: Database, change: ChangeT) -> ChangeT:
    marks.note(database, change)
    return change


def _insert(connection: sqlite3.Connection, annotation: Annotation) -> Annotation:
    table = table_of(annotation.target)
    target = [as_sql(part) for part in annotation.target.key]
    first, second = table.parent_key
    parents = connection.execute(
        f"select 1 from {table.parent}"
        f" where {first} = cast(? as text) and {second} = cast(? as text)",
        target,
    )
    if parents.fetchone() is None:
        message = (
            f"the {annotation.target} is not in this run any more; r shows the present records"
        )
        raise TargetGone(message)
    columns = (
        "id, name, annotation_kind, value_type, value, user, rationale, created_at,"
        f" {table.key[0]}, {table.key[1]}"
    )
    connection.execute(
        f"insert into {table.name} ({columns}) values ({', '.join(['cast(? as text)'] * 10)})",
        [
            as_sql(annotation.id),
            as_sql(annotation.name),
            as_sql(annotation.kind),
            as_sql(annotation.value_type),
            as_sql(annotation.raw_value),
            as_sql(annotation.user),
            _optional(annotation.rationale),
            _optional(annotation.raw_created_at),
            *target,
        ],
    )
    return _stored(connection, table, annotation.id)


def _stored(connection: sqlite3.Connection, table: AnnotationTable, id_: str) -> Annotation:
    annotation = annotation_by_id(connection, table, id_)
    assert annotation is not None
    return annotation


def _optional(value: str | None) -> bytes | None:
    return None if value is None else as_sql(value)


def _require_tables(connection: sqlite3.Connection, database: Database) -> None:
    if not all(table_columns(connection, table.name) for table in TABLES):
        message = (
            f"{database.label} was written by an SDK without annotations; their tables must be made"
        )
        raise NoAnnotationTables(database.path, message)
