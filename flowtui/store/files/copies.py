"""Private copies of databases that cannot be read where they are."""

from __future__ import annotations

import errno
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from flowtui.store.errors import DatabaseBusy, DatabaseDenied, DatabaseError
from flowtui.store.files import asking
from flowtui.store.files.asking import Cancelled
from flowtui.store.files.fingerprint import DatabaseFiles, Fingerprint


class PrivateCopy:
    """The latest copy of a database, in one file that never changes; usable from any thread."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._lock = threading.Lock()
        self._kept: tuple[Fingerprint, tempfile.TemporaryDirectory[str]] | None = None
        """The copy and what it is a copy of."""

    def connected(
        self,
        files: DatabaseFiles,
        wanted: Fingerprint,
        is_sound: bool,
        cancelled: Cancelled,
        connect: Callable[[Path], sqlite3.Connection],
    ) -> tuple[sqlite3.Connection, Fingerprint]:
        """Return a connection to a copy of the files, and the state that it is a copy of.

        Args:
            files: The files.
            wanted: The state that they were last seen in. A new copy may be of a later one.
            is_sound: Whether a copy counts if its log had the same salts before and after. Else it
                counts only if the files had not just been written, and the caller checks that they
                are the same afterwards.
            cancelled: Ends copying with ReadCancelled.
            connect: Opens a file as a database.

        Raises:
            DatabaseError: The copy cannot be made.
        """
        with self._lock:
            # A copy made while the files changed may not be of any single state.
            counts = is_sound or wanted.is_settled
            if self._kept is None or self._kept[0] != wanted or not counts:
                folder = tempfile.TemporaryDirectory(prefix="flow-tui-")
                try:
                    found = self._copy(files, Path(folder.name), cancelled)
                except BaseException:
                    folder.cleanup()
                    raise
                if self._kept is not None:
                    self._kept[1].cleanup()
                self._kept = (found if is_sound else wanted), folder
            of, kept = self._kept
            # Another thread may remove the copy at once; an open connection keeps it.
            return connect(Path(kept.name, files.main.name)), of

    def forget(self) -> None:
        """Remove the copy, if there is one."""
        with self._lock:
            if self._kept is not None:
                self._kept[1].cleanup()
                self._kept = None

    def _copy(self, files: DatabaseFiles, folder: Path, cancelled: Cancelled) -> Fingerprint:
        try:
            found = asking.copy(files, folder, cancelled)
        except PermissionError as error:
            message = f"{self._label}: permission denied; its owner or group can grant read access"
            raise DatabaseDenied(files.main, message) from error
        except OSError as error:
            raise DatabaseError(files.main, self._why_not(error, folder)) from error
        if found is None:
            message = f"{self._label} is being written too fast to be copied; try again"
            raise DatabaseBusy(files.main, message)
        # This checkpoints the log, or rolls the journal back, once; if each thread did, they would
        # collide.
        with closing(sqlite3.connect(folder / files.main.name)) as connection:
            connection.execute("pragma trusted_schema = 0")
            connection.execute("pragma journal_mode = delete")
        return found

    def _why_not(self, error: OSError, folder: Path) -> str:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return (
                f"{self._label} must be copied to be read, and there is no room in {folder.parent};"
                " free some, or set TMPDIR to a folder that has it"
            )
        return f"{self._label} must be copied to be read, and that failed: {error.strerror}"
