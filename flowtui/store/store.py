"""One LUML store: its list of runs, and the handle by which each of them is asked.

Methods may be called from any thread. All of them raise `DatabaseError`s (see errors.py), or
ReadCancelled where nobody waits any more (see cancelling.py).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from flowtui.store import location, runs
from flowtui.store.attachments.files import AttachmentFiles, AttachmentFolder
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseCorrupt, DatabaseError
from flowtui.store.metrics.numbered_steps import NumberedRuns
from flowtui.store.open_run import OpenRun
from flowtui.store.values import ReadSoFar, Run, StoreLocation

if TYPE_CHECKING:
    from datetime import datetime

    from flowtui.store.liveness.signs import SignsReader
    from flowtui.store.liveness.standing import Signs, Standing
    from flowtui.store.run_list import RunList

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """Reads one LUML store without changing it, and hands out its runs."""

    why_read_only: str = ""
    """Why nothing in it can ever be written, for a person; empty for a folder."""
    why_not_sent: str = ""
    """Why no run of it is uploaded or collected into; empty for a folder and for an artifact."""

    def __init__(self, where: StoreLocation) -> None:
        """Open a store; nothing stays open.

        Raises:
            StoreNotFound: There is no meta.db in that folder.
            DatabaseError: The file meta.db cannot be read, or is not the database of a LUML store.
        """
        self.location = where
        self.directory = location.require(where)
        self.meta = Database(self.directory / "meta.db", "meta.db")
        if not self.ask(runs.has_runs_table):
            raise DatabaseCorrupt(
                self.meta.path, f"{self.meta.path} is not a LUML store: it has no experiments table"
            )
        self._runs: dict[str, OpenRun] = {}
        self._numbered = NumberedRuns()
        self._signs: SignsReader | None = None
        self._lock = threading.Lock()

    @cached_property
    def list(self) -> RunList:
        """Its runs, filtered and ordered; imported for who looks at more than one run."""
        from flowtui.store.run_list import RunList

        return RunList(self.meta, self.run)

    def close(self) -> None:
        """Remove private copies of databases, if any were made."""
        for database in (self.meta, *(run.database for run in self._runs.values())):
            database.close()
        self._numbered.close()

    def follow(self) -> None:
        """Begin to follow what it was read from; a folder is followed by looking at its files."""

    def settle(self) -> None:
        """Wait until all of it was read that there is to read; of a folder nothing is to be read.

        Raises:
            StoreError: It cannot be read.
        """

    def reading(self, run_id: str) -> ReadSoFar | None:
        """Return how far a run was read; None of one that lacks nothing, as all of a folder."""
        return None

    def unread_count(self) -> int:
        """Return how many runs are not wholly read yet; none of a folder."""
        return 0

    def ask(
        self,
        question: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what a question answers from one consistent state of meta.db."""
        return self.meta.read(lambda db: question(db, *args, **kwargs))

    # Runs -----------------------------------------------------------------------------------

    def run(self, run_id: str) -> OpenRun:
        """Return the handle of a run, always the same one; its files need not exist."""
        with self._lock:
            if run_id not in self._runs:
                path = self.run_directory(run_id) / "exp.db"
                goes_on = partial(_goes_on, self.meta, run_id)
                database = Database(path, f"{run_id[:8]}/exp.db", goes_on)
                self._runs[run_id] = OpenRun(
                    run_id, database, self._attachments(run_id), self._numbered
                )
            return self._runs[run_id]

    def opened(self, row: Run) -> OpenRun:
        """Return the handle of a run with its row, as it was just read."""
        run = self.run(row.id)
        run.row = row
        return run

    def run_directory(self, run_id: str) -> Path:
        """Return the folder of one run.

        Raises:
            DatabaseError: The id, which any writer may choose, would lead out of the store.
        """
        parts = Path(run_id).parts
        if not parts or Path(run_id).is_absolute() or ".." in parts or "\0" in run_id:
            message = f"the run id {run_id!r} is not a path inside the store"
            raise DatabaseError(self.directory, message)
        return self.directory / run_id

    def _attachments(self, run_id: str) -> AttachmentFiles:
        return AttachmentFolder(self.run_directory(run_id) / "attachments")

    def resolve(self, word: str) -> OpenRun:
        """Return the run that a word on the command line names: id, prefix, name or `latest`.

        Raises:
            RunNotFound, RunAmbiguous: No run matches, or several do; the text says which come
            close.
        """
        named = self.ask(runs.candidates, word) if word else []
        found = location.choose(word, named, self.directory)
        if found is None and word == location.LATEST:
            found = self.ask(runs.latest)
        if found is None:
            raise location.not_found(word, self.ask(runs.identities), self.directory)
        return self.opened(found)

    def signs(self, runs: Iterable[Run], now: datetime, may_ask: bool = True) -> dict[str, Signs]:
        """Return signs of life of the processes of those runs that are active, by run id.

        Runs about which nothing can be known are left out. It is cheap to call every second.

        Args:
            runs: The runs.
            now: The present moment by this machine's clock.
            may_ask: Whether a child process may be asked, for some 20 ms, who holds the databases
                of runs that have been quiet for long.
        """
        if self._signs is None:
            from flowtui.store.liveness.signs import SignsReader

            self._signs = SignsReader(self.meta, lambda run_id: self.run(run_id).database)
        return self._signs.signs(runs, now, may_ask)

    def standings(self, runs: Sequence[Run], now: datetime) -> dict[str, Standing]:
        """Return the standing of runs at a moment, by run id; see `signs`."""
        from flowtui.store.liveness.standing import standing

        signs = self.signs(runs, now)
        return {run.id: standing(run, signs.get(run.id), now) for run in runs}


def _goes_on(meta: Database, run_id: str) -> bool:
    """Say whether a run must be taken as still being written, by its status."""
    row = meta.read(lambda db: runs.run(db, run_id))
    return row is not None and row.is_active
