"""Edits runs, groups and logged models, as luml-sdk's own tables have them (meta.db).

Every function is one transaction, retried on a busy store, and raises what `transaction.write`
does. Columns that an older store lacks are never made.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from flowtui.store.care import rows, states
from flowtui.store.care.values import (
    GROUP_COLUMNS,
    InvalidEdit,
    RawValue,
    RecordChanged,
    RecordEdit,
    RecordGone,
    RecordsEdited,
    RecordState,
    RecordTable,
    RowEdit,
    changed_tags,
    tag_items,
)
from flowtui.store.database import Database, table_columns
from flowtui.store.decoding import as_sql, text
from flowtui.store.schema.rows import timestamp
from flowtui.store.transaction import PATIENCE, Patience, write
from flowtui.store.undo import UndoStack

MOST_ROWS = 5_000
"""How many rows are edited at once: what waits for the lock meanwhile must not give up."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def edit(
    meta: Database,
    table: RecordTable,
    ids: Sequence[str],
    wanted: RecordEdit,
    *,
    known: Mapping[str, RecordState] | None = None,
    now: Callable[[], datetime] = _utc_now,
    patience: Patience = PATIENCE,
) -> RecordsEdited | None:
    """Edit rows, all of them or none, and return what changed; None if nothing did.

    Args:
        meta: The store's meta.db.
        table: Whose rows.
        ids: Which rows.
        wanted: What to set in each of them.
        known: The rows as the person who edits saw them, by id: where somebody has changed a field
            since that is to be set, nothing is written. None to set it in any case.
        now: Gives the moment for groups that are made or whose runs change.
        patience: How to wait for a busy store.

    Raises:
        InvalidEdit: A text is invalid, a name of a group is taken, the store has no such column, or
            there are too many rows.
        RecordGone: A row is not there any more.
        RecordChanged: A row is not as it was known.
        DatabaseError: The store cannot be written.
    """
    wanted.check()
    if len(ids) > MOST_ROWS:
        what = f"{len(ids):,} {table.noun}s"
        raise InvalidEdit("", f"{what} are too many for one edit: at most {MOST_ROWS:,} at once")
    moment = timestamp(now())

    def change(connection: sqlite3.Connection) -> RecordsEdited | None:
        return _Editing(connection, table, wanted, moment).edited(ids, known or {})

    return write(meta, change, patience)


class _Editing:
    """One edit, inside its transaction."""

    def __init__(
        self, connection: sqlite3.Connection, table: RecordTable, wanted: RecordEdit, now: str
    ) -> None:
        self._connection = connection
        self._table = table
        self._wanted = wanted
        self._now = now
        self._columns = states.editable(connection, table)
        self._made: list[str] = []
        self._require_columns()

    def edited(self, ids: Sequence[str], known: Mapping[str, RecordState]) -> RecordsEdited | None:
        group = self._group_value()
        found = states.stored(self._connection, self._table, ids, self._columns)
        edits = []
        for id_ in ids:
            row = found.get(id_)
            if row is None:
                raise RecordGone(f"the {self._table.noun} {id_} is not in the store any more")
            after = self._after(row, group)
            if after:
                self._require_known(id_, row, after, known.get(id_))
                before = {column: row[column] for column in after}
                edits.append(RowEdit(id_, text(row.get("name")), before, after))
        if not edits:
            return None
        rows.update(self._connection, self._table, [(one.id, one.after) for one in edits])
        _touch(self._connection, self._table, edits, self._now)
        return RecordsEdited(self._table, tuple(edits), tuple(self._made))

    def _require_columns(self) -> None:
        wanted = self._wanted
        tags = wanted.tags is not None or wanted.added_tags or wanted.removed_tags
        asked = {
            "name": wanted.name is not None,
            "description": wanted.description is not None,
            "tags": bool(tags),
            "group": wanted.group is not None,
        }
        present = {"group" if one in GROUP_COLUMNS else one for one in self._columns}
        for field in (field for field, is_asked in asked.items() if is_asked):
            if field not in present:
                message = f"a {self._table.noun} of this store has no {field}: its schema is older"
                raise InvalidEdit(field, message)

    def _after(self, row: Mapping[str, RawValue], group: RawValue) -> dict[str, RawValue]:
        """Return the columns of a row that differ after the edit."""
        wanted, after = self._wanted, dict[str, RawValue]()
        for column in ("name", "description"):
            value = getattr(wanted, column)
            # No description and an empty one are the same to a person.
            if value is not None and value != text(row[column]):
                after[column] = value
        if wanted.tags is not None or wanted.added_tags or wanted.removed_tags:
            try:
                items = tag_items(row["tags"])
            except (ValueError, RecursionError) as error:
                name = text(row.get("name"))
                message = f"the tags of {name} are not the JSON list that luml-sdk writes"
                raise InvalidEdit("tags", message) from error
            changed = changed_tags(items, wanted)
            if changed != items:
                after["tags"] = json.dumps(changed)
        if wanted.group is not None:
            column = next(one for one in GROUP_COLUMNS if one in self._columns)
            if row[column] != group:
                after[column] = group
        return after

    def _require_known(
        self,
        id_: str,
        row: Mapping[str, RawValue],
        after: Mapping[str, RawValue],
        known: RecordState | None,
    ) -> None:
        if self._table is RecordTable.GROUPS and "name" in after:
            self._require_free(str(after["name"]))
        if known is None or all(known.raw.get(column) == row[column] for column in after):
            return
        current = states.state(self._connection, self._table, id_)
        assert current is not None
        fields = [column for column in after if known.raw.get(column) != row[column]]
        said = " and ".join("group" if one in GROUP_COLUMNS else one for one in fields)
        raise RecordChanged(f"somebody else has changed its {said} meanwhile", current)

    def _require_free(self, name: str) -> None:
        if _group_id(self._connection, name) is not None:
            raise InvalidEdit("name", f"there is a group {name!r} already")

    def _group_value(self) -> RawValue:
        """Return what the column of a run's group is set to; a missing group is made."""
        name = self._wanted.group
        if name is None or "group_id" not in self._columns:
            return name
        found = _group_id(self._connection, name)
        if found is None:
            found = str(uuid.uuid4())
            row = {"id": found, "name": name, "created_at": self._now, "last_modified": self._now}
            rows.insert(self._connection, "experiment_groups", row)
            self._made.append(found)
        return found


def revert(
    meta: Database,
    change: RecordsEdited,
    overwrite: bool = False,
    *,
    now: Callable[[], datetime] = _utc_now,
    patience: Patience = PATIENCE,
) -> None:
    """Undo an edit, of all its rows or of none; groups that it made and that are empty go too.

    Args:
        meta: The store's meta.db.
        change: What to undo.
        overwrite: Whether to undo it even where somebody has changed the same fields since.
        now: Gives the moment for groups whose runs change.
        patience: How to wait for a busy store.

    Raises:
        RecordGone: A row, or the group that a run was in, is not there any more.
        RecordChanged: A row is not as the edit left it.
        DatabaseError: The store cannot be written.
    """
    moment = timestamp(now())

    def undo(connection: sqlite3.Connection) -> None:
        columns = {column for row in change.rows for column in row.after}
        found = states.stored(connection, change.table, [one.id for one in change.rows], columns)
        groups = states.group_names(connection)
        for row in change.rows:
            if row.id not in found:
                raise RecordGone(f"{row.name} is not in the store any more")
            current = {column: found[row.id][column] for column in row.after}
            if current != row.after and not overwrite:
                now_there = states.state(connection, change.table, row.id)
                assert now_there is not None
                raise RecordChanged(f"somebody else has changed {row.name} meanwhile", now_there)
            group = row.before.get("group_id")
            if isinstance(group, str) and group not in groups:
                raise RecordGone(f"the group that {row.name} was in is gone")
        rows.update(connection, change.table, [(one.id, one.before) for one in change.rows])
        _touch(connection, change.table, change.rows, moment)
        for group_id in change.made_groups:
            if not states.run_count(connection, group_id):
                connection.execute(
                    "delete from experiment_groups where id = cast(? as text)", [as_sql(group_id)]
                )

    write(meta, undo, patience)


def undo_stack(meta: Database) -> UndoStack[RecordsEdited]:
    """Return an empty stack of the edits of a store."""
    return UndoStack(lambda change, overwrite: revert(meta, change, overwrite))


def delete_group(meta: Database, group_id: str, patience: Patience = PATIENCE) -> None:
    """Delete a group that has no runs.

    Raises:
        RecordGone: There is no such group.
        InvalidEdit: It has runs.
        DatabaseError: The store cannot be written.
    """

    def change(connection: sqlite3.Connection) -> None:
        count = states.run_count(connection, group_id)
        if count:
            runs = "1 run" if count == 1 else f"{count:,} runs"
            raise InvalidEdit("group", f"the group has {runs}: move or delete them first")
        done = connection.execute(
            "delete from experiment_groups where id = cast(? as text)", [as_sql(group_id)]
        )
        if not done.rowcount:
            raise RecordGone("the group is not in the store any more")

    write(meta, change, patience)


def _group_id(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute(
        "select id from experiment_groups where name = cast(? as text)", [as_sql(name)]
    ).fetchone()
    return None if row is None else text(row[0])


def _touch(
    connection: sqlite3.Connection, table: RecordTable, edits: Iterable[RowEdit], now: str
) -> None:
    """Move last_modified of groups that runs came into or left, as luml-sdk does at a run's end.

    luml-sdk does so for a group that is edited, too.
    """
    if "last_modified" not in table_columns(connection, "experiment_groups"):
        return
    if table is RecordTable.GROUPS:
        touched = {one.id for one in edits}
    else:
        sides = (side for one in edits for side in (one.before, one.after))
        touched = {group for side in sides if isinstance(group := side.get("group_id"), str)}
    connection.executemany(
        "update experiment_groups set last_modified = ? where id = cast(? as text)",
        [(now, as_sql(group_id)) for group_id in sorted(touched)],
    )
