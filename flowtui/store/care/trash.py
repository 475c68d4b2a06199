"""Deletes runs into the store's trash, and restores them (meta.db; DIR/.trash).

A run that is deleted is a folder DIR/.trash/ID with everything that was in its own, and a file with
its rows of meta.db. Wherever deleting or restoring is interrupted, the run is whole in one of these
states, which the trash lists and restores:

    its rows, and DIR/ID            not deleted yet (DIR/ID may hold the file with the rows already)
    its rows, and DIR/.trash/ID     interrupted: restoring renames the folder
    no rows, and DIR/.trash/ID      deleted: restoring writes the rows, then renames the folder
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flowtui.store import decoding, runs
from flowtui.store.care import folders, rows
from flowtui.store.care.values import RawValue, RecordGone
from flowtui.store.errors import DatabaseError, StoreError
from flowtui.store.files import asking
from flowtui.store.liveness import holders
from flowtui.store.liveness.writers import why_live
from flowtui.store.store import Store
from flowtui.store.transaction import PATIENCE, Patience, write

ROWS = "deleted.json"
"""The file in the folder of a deleted run that holds its rows."""
_FORMAT = 1
_MOST_BYTES = 64_000_000
_ANOTHER = "the trash holds another run of this id: `flow-tui trash --empty` removes it for good"


class NotDeleted(StoreError):
    """A run is not deleted, or not restored; `str()` says why, and what to do."""


@dataclass(frozen=True, slots=True)
class TrashedRun:
    """A run in the trash."""

    id: str
    name: str
    deleted_at: datetime | None
    extent: folders.FolderExtent
    is_interrupted: bool = False
    """Whether its rows are still in the store, since deleting or restoring it was interrupted."""
    why_not: str = ""
    """Why it cannot be restored; empty if it can be."""


def why_not_deleted(store: Store, run_id: str, now: datetime) -> str:
    """Return why a run must not be deleted, whatever a person confirms; empty if it may be.

    Raises:
        DatabaseError: meta.db cannot be read.
    """
    if store.why_read_only:
        return store.why_read_only
    ids = store.ask(runs.ids).values()
    reason = folders.why_not_moved(store.directory, run_id, ids)
    if reason:
        return reason
    row = store.ask(runs.run, run_id)
    if row is None:
        return "it is not in the store any more"
    signs = store.signs([row], now).get(run_id)
    return why_live(store.meta, store.run(run_id).database, row, signs, now)


def delete(
    store: Store, run_id: str, now: datetime, *, patience: Patience = PATIENCE
) -> TrashedRun:
    """Move a run into the trash.

    Raises:
        NotDeleted: It may have a live writer, its folder is no direct, real child of the store, or
            the trash holds another run of its id.
        RecordGone: It is not in the store any more.
        DatabaseError: The store cannot be written.
    """
    reason = why_not_deleted(store, run_id, now)
    if reason:
        raise NotDeleted(reason)
    return _Deletion(store, run_id, now).carried_out(patience)


class _Deletion:
    """One deletion: its rows and its folder go together, or stay."""

    def __init__(self, store: Store, run_id: str, now: datetime) -> None:
        self._meta = store.meta
        self._id = run_id
        self._now = now
        self._folder = store.directory / run_id
        self._trash = store.directory / folders.TRASH
        self._trashed = self._trash / run_id
        self._database = store.run(run_id).database
        self._may_have_moved = False

    def carried_out(self, patience: Patience) -> TrashedRun:
        try:
            self._prepare()
            name = write(self._meta, self._change, patience)
        except BaseException as error:
            self._put_back()
            if isinstance(error, OSError):
                raise NotDeleted(_why(error)) from error
            raise
        return TrashedRun(self._id, name, self._now, folders.FolderExtent())

    def _prepare(self) -> None:
        self._trash.mkdir(exist_ok=True)
        if not folders.is_folder(self._trash):
            raise NotDeleted(f"{self._trash} is not a folder")
        if folders.exists(self._folder) and folders.exists(self._trashed):
            raise NotDeleted(_ANOTHER)

    def _change(self, connection: sqlite3.Connection) -> str:
        document = _saved(connection, self._id, self._now)
        if holders.held([self._database.path])[0]:
            raise NotDeleted("a process has its database open: end that first")
        for one in document["models"]:
            _delete(connection, "remote_artifacts", "local_id", str(one["id"]), "model")
        _delete(connection, "remote_artifacts", "local_id", self._id, "experiment")
        _delete(connection, "models", "experiment_id", self._id)
        _delete(connection, "experiments", "id", self._id)
        # A folder that is gone, or that an interrupted deletion has moved already, need not move.
        place = self._folder if folders.exists(self._folder) else self._trashed
        if place is self._trashed and folders.exists(place):
            self._require_same(document)
        place.mkdir(exist_ok=True)
        _write_rows(place / ROWS, document)
        if place is self._folder:
            self._may_have_moved = True
            folders.move(self._folder, self._trashed)
        return decoding.text(document["experiments"][0].get("name"))

    def _require_same(self, document: Mapping[str, Any]) -> None:
        """Raise unless the folder in the trash is that of the run, moved by an interrupted try."""
        (run,), (trashed,) = (
            one["experiments"] for one in (document, _read_rows(self._trashed / ROWS))
        )
        if run.get("created_at") != trashed.get("created_at"):
            raise NotDeleted(_ANOTHER)

    def _put_back(self) -> None:
        """Undo the renaming, unless the rows are gone or nobody knows whether they are."""
        try:
            if self._may_have_moved and not folders.exists(self._folder):
                if self._meta.read(lambda connection: runs.run(connection, self._id)) is None:
                    return
                folders.move(self._trashed, self._folder)
                (self._folder / ROWS).unlink(missing_ok=True)
            # It is empty if it was made for this run.
            self._trash.rmdir()
        except (OSError, DatabaseError):
            # The trash offers the run, whatever became of its rows.
            return


def restore(store: Store, run_id: str, *, patience: Patience = PATIENCE) -> str:
    """Put a run of the trash back where it was, and return its name.

    Raises:
        NotDeleted: There is no such run in the trash, or the store has one of its id.
        DatabaseError: The store cannot be written.
    """
    if run_id not in _names(store.directory):
        raise NotDeleted(f"there is no run {run_id!r} in the trash; `flow-tui trash` lists them")
    folder, trashed = store.directory / run_id, store.directory / folders.TRASH / run_id
    try:
        document = _read_rows(trashed / ROWS)
        if folders.exists(folder):
            raise NotDeleted(f"the store has a folder {run_id} already: nothing was restored")
        write(store.meta, lambda connection: _insert(connection, run_id, document), patience)
        # After the rows: a run without its folder is in the trash, and can be restored again.
        folders.move(trashed, folder)
        (folder / ROWS).unlink(missing_ok=True)
    except OSError as error:
        raise NotDeleted(_why(error)) from error
    return decoding.text(document["experiments"][0].get("name"))


def trashed_runs(store: Store) -> list[TrashedRun]:
    """Return the runs of the trash, the one that was deleted last first.

    Raises:
        StoreError: The trash or meta.db cannot be read.
        ReadCancelled: Nobody waits for it any more.
    """
    known = set(store.ask(runs.ids).values())
    found = [_trashed(store.directory, one, one in known) for one in _names(store.directory)]
    earliest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda one: one.deleted_at or earliest, reverse=True)


def _names(directory: Path) -> list[str]:
    """Return the names of the folders in a store's trash."""
    trash = directory / folders.TRASH
    if not folders.is_folder(trash):
        return []
    try:
        return [name for name in sorted(os.listdir(trash)) if folders.is_folder(trash / name)]
    except OSError as error:
        raise NotDeleted(_why(error)) from error


def _trashed(directory: Path, run_id: str, is_known: bool) -> TrashedRun:
    folder = directory / folders.TRASH / run_id
    try:
        extent = folders.extent(folder)
    except OSError:
        extent = folders.FolderExtent()
    one = TrashedRun(run_id, run_id, None, extent)
    try:
        document = _read_rows(folder / ROWS)
    except (OSError, NotDeleted) as error:
        return replace(one, why_not=_why(error) if isinstance(error, OSError) else str(error))
    name = decoding.text(document["experiments"][0].get("name"))
    deleted_at = decoding.timestamp(document.get("deleted_at"), "deleted_at", [])
    is_back = folders.exists(directory / run_id)
    return TrashedRun(
        run_id,
        name or run_id,
        deleted_at,
        extent,
        is_interrupted=is_known and not is_back,
        why_not="the store has a run of this id" if is_back else "",
    )


def empty(store: Store, told: Callable[[str], object] = lambda _id: None) -> int:
    """Remove what is in the trash for good, and return how many runs that were.

    A run whose rows are still in the store, since deleting it was interrupted, stays.

    Args:
        store: The store.
        told: Is called with the id of each run when it is gone.

    Raises:
        StoreError: Something cannot be removed; what was removed before is gone.
    """
    count = 0
    for one in trashed_runs(store):
        if one.is_interrupted:
            continue
        folder = store.directory / folders.TRASH / one.id
        try:
            # First, so that a run of which only a part is left is never offered for restoring.
            (folder / ROWS).unlink(missing_ok=True)
            folders.sync(folder)
            shutil.rmtree(folder)
        except OSError as error:
            raise NotDeleted(_why(error)) from error
        count += 1
        told(one.id)
    with suppress(OSError):
        (store.directory / folders.TRASH).rmdir()
    return count


# Rows ----------------------------------------------------------------------------------------


def _saved(connection: sqlite3.Connection, run_id: str, now: datetime) -> dict[str, Any]:
    """Return the rows of a run; its group's too, which may be gone when it is restored."""
    experiments = rows.select(connection, "experiments", "id", run_id)
    if not experiments:
        raise RecordGone("the run is not in the store any more")
    models = rows.select(connection, "models", "experiment_id", run_id)
    artifacts = _artifacts(connection, run_id, "experiment")
    for model in models:
        artifacts += _artifacts(connection, decoding.text(model["id"]), "model")
    group = experiments[0].get("group_id")
    groups = rows.select(connection, "experiment_groups", "id", decoding.text(group))
    return {
        "format": _FORMAT,
        "deleted_at": now.isoformat(),
        "experiments": experiments,
        "models": models,
        "remote_artifacts": artifacts,
        "experiment_groups": groups,
    }


def _artifacts(
    connection: sqlite3.Connection, local_id: str, kind: str
) -> list[dict[str, RawValue]]:
    found = rows.select(connection, "remote_artifacts", "local_id", local_id)
    return [row for row in found if row["local_type"] == kind]


def _delete(
    connection: sqlite3.Connection, table: str, column: str, value: str, kind: str = ""
) -> None:
    if not rows.select(connection, table, column, value):
        return
    of_kind = "and local_type = :kind" if kind else ""
    connection.execute(
        f"delete from {table} where {column} = cast(:value as text) {of_kind}",
        {"value": decoding.as_sql(value), "kind": kind},
    )


def _insert(connection: sqlite3.Connection, run_id: str, document: Mapping[str, Any]) -> None:
    (run,) = document["experiments"]
    there = rows.select(connection, "experiments", "id", run_id)
    if there and there[0].get("created_at") != run.get("created_at"):
        raise NotDeleted(f"the store has a run {run_id} already: nothing was restored")
    if there:
        # Deleting it was interrupted before its rows were gone.
        return
    for group in document["experiment_groups"]:
        found = rows.select(connection, "experiment_groups", "id", decoding.text(group["id"]))
        named = rows.select(
            connection, "experiment_groups", "name", decoding.text(group.get("name"))
        )
        if not found and named:
            run = {**run, "group_id": named[0]["id"]}
        elif not found:
            rows.insert(connection, "experiment_groups", group)
    rows.insert(connection, "experiments", run)
    for model in document["models"]:
        if rows.select(connection, "models", "id", decoding.text(model["id"])):
            raise NotDeleted(f"the store has a model {model['id']} already: nothing was restored")
        rows.insert(connection, "models", model)
    for artifact in document["remote_artifacts"]:
        rows.insert(connection, "remote_artifacts", artifact, unless_there=True)


_SAVED_TABLES = ("experiments", "models", "remote_artifacts", "experiment_groups")


def _write_rows(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file with the rows of a run, whole or not at all."""
    saved = {key: rows.to_json(value) if key in _SAVED_TABLES else value
             for key, value in document.items()}  # fmt: skip
    beside = path.with_name(f"{path.name}.new")
    # What an earlier try left; a link there, which would be followed, goes too.
    beside.unlink(missing_ok=True)
    with beside.open("x", encoding="ascii") as out:
        json.dump(saved, out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, path)
    folders.sync(path.parent)


def _read_rows(path: Path) -> dict[str, Any]:
    """Return the rows of a run in the trash.

    Raises:
        NotDeleted: The file is missing or not what was written.
        OSError: It cannot be read.
    """
    if not folders.exists(path):
        raise NotDeleted("its rows are missing: emptying the trash was interrupted")
    data = asking.head(path, _MOST_BYTES)
    try:
        parsed = json.loads(data)
        document = {table: rows.from_json(parsed[table]) for table in _SAVED_TABLES}
        (run,) = document["experiments"]
        if decoding.text(run["id"]) != path.parent.name or parsed["format"] != _FORMAT:
            raise ValueError("not the rows of this run")
        return {**document, "deleted_at": parsed["deleted_at"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotDeleted(f"{ROWS} is not what flow-tui writes: {error}") from error


def _why(error: OSError) -> str:
    named = "" if error.filename is None else f"{error.filename}: "
    return f"{named}{error.strerror or error}"
