"""Deletes runs into the store's trash, and restores them (meta.db; DIR/.trash).

A run that is deleted is a folder DIR/.trash/ID with everything that was in its own, and a file with
its rows of meta.db. Wherever deleting or restoring is interrupted, the run is whole in one of these
states, which the trash lists and restores:

    its rows, and DIR/ID            not deleted yet (DIR/ID may hold the file with the rows already)
    its rows, and DIR/.trash/ID     interrupted: restoring renames the folder
    no rows, and DIR/.trash/ID      deleted: restoring writes the rows, then renames the folder
"""

from __future__ import annotations

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
from flowtui.store.care import folders, saved_rows
from flowtui.store.care.saved_rows import ROWS
from flowtui.store.care.values import NotDeleted
from flowtui.store.errors import DatabaseError
from flowtui.store.liveness.writers import HELD, is_held_for_long, why_live
from flowtui.store.store import Store
from flowtui.store.transaction import PATIENCE, Patience, write

_ANOTHER = "the trash holds another run of this id: `flow-tui trash --empty` removes it for good"


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


def run_folders(store: Store) -> folders.RunFolders:
    """Return which runs of a store have which folders.

    Raises:
        DatabaseError: meta.db cannot be read.
    """
    return folders.RunFolders(store.ask(runs.ids).values())


def why_not_deleted(store: Store, run_id: str, now: datetime, known: folders.RunFolders) -> str:
    """Return why a run must not be deleted, whatever a person confirms; empty if it may be.

    Args:
        store: The store of the run.
        run_id: The run.
        now: The present moment.
        known: The runs of the store, from `run_folders`.

    Raises:
        DatabaseError: meta.db cannot be read.
    """
    if store.why_read_only:
        return store.why_read_only
    reason = folders.why_not_moved(store.directory, run_id, known)
    if reason:
        return reason
    row = store.ask(runs.run, run_id)
    if row is None:
        return "it is not in the store any more"
    signs = store.signs([row], now).get(run_id)
    return why_live(store.meta, store.run(run_id).database, row, signs, now)


def delete(store: Store, run_id: str, now: datetime, *, patience: Patience = PATIENCE) -> str:
    """Move a run into the trash, and return its name.

    Raises:
        NotDeleted: It may have a live writer, its folder is no direct, real child of the store, or
            the trash holds another run of its id.
        RecordGone: It is not in the store any more.
        DatabaseError: The store cannot be written.
    """
    reason = why_not_deleted(store, run_id, now, run_folders(store))
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

    def carried_out(self, patience: Patience) -> str:
        try:
            self._prepare()
            return write(self._meta, self._change, patience)
        except BaseException as error:
            self._put_back()
            if isinstance(error, OSError):
                raise NotDeleted(_why(error)) from error
            raise

    def _prepare(self) -> None:
        self._trash.mkdir(exist_ok=True)
        if not folders.is_folder(self._trash):
            raise NotDeleted(f"{self._trash} is not a folder")
        if folders.exists(self._folder) and folders.exists(self._trashed):
            raise NotDeleted(_ANOTHER)

    def _change(self, connection: sqlite3.Connection) -> str:
        document = saved_rows.saved(connection, self._id, self._now)
        if is_held_for_long(self._database):
            raise NotDeleted(HELD)
        saved_rows.delete_rows(connection, self._id, document)
        # A folder that is gone, or that an interrupted deletion has moved already, need not move.
        place = self._folder if folders.exists(self._folder) else self._trashed
        if place is self._trashed and folders.exists(place):
            self._require_same(document)
        place.mkdir(exist_ok=True)
        saved_rows.write_file(place / ROWS, document)
        if place is self._folder:
            self._may_have_moved = True
            folders.move(self._folder, self._trashed)
        return decoding.text(document["experiments"][0].get("name"))

    def _require_same(self, document: Mapping[str, Any]) -> None:
        """Raise unless the folder in the trash is that of the run, left by an interrupted try."""
        if not os.listdir(self._trashed):
            return
        (run,), (trashed,) = (
            one["experiments"] for one in (document, saved_rows.read_file(self._trashed / ROWS))
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
    if run_id not in trashed_ids(store.directory):
        raise NotDeleted(f"there is no run {run_id!r} in the trash; `flow-tui trash` lists them")
    folder, trashed = store.directory / run_id, store.directory / folders.TRASH / run_id
    try:
        document = saved_rows.read_file(trashed / ROWS)
        if folders.exists(folder):
            message = f"the store has a folder {run_id} already: nothing was restored"
            raise NotDeleted(message)
        write(
            store.meta,
            lambda connection: saved_rows.insert_rows(connection, run_id, document),
            patience,
        )
        # After the rows: a run without its folder is in the trash, and can be restored again.
        folders.move(trashed, folder)
        (folder / ROWS).unlink(missing_ok=True)
        _remove_if_empty(trashed.parent)
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
    found = [_trashed(store.directory, one, one in known) for one in trashed_ids(store.directory)]
    earliest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda one: one.deleted_at or earliest, reverse=True)


def trashed_ids(directory: Path) -> list[str]:
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
    is_back = folders.exists(directory / run_id)
    is_interrupted = is_known and not is_back
    one = TrashedRun(run_id, run_id, None, extent, is_interrupted)
    try:
        document = saved_rows.read_file(folder / ROWS)
    except (OSError, NotDeleted) as error:
        return replace(one, why_not=_why(error) if isinstance(error, OSError) else str(error))
    return replace(
        one,
        name=decoding.text(document["experiments"][0].get("name")) or run_id,
        deleted_at=decoding.timestamp(document.get("deleted_at"), "deleted_at", []),
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
    _remove_if_empty(store.directory / folders.TRASH)
    return count


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _why(error: OSError) -> str:
    named = "" if error.filename is None else f"{error.filename}: "
    return f"{named}{error.strerror or error}"
