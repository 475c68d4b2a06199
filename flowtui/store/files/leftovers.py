"""What a write leaves beside a database where the disk is full."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

from flowtui.store.files import fingerprint
from flowtui.store.files.file_systems import Sharing, sharing
from flowtui.store.files.fingerprint import DatabaseFiles


def remove_empty_log(files: DatabaseFiles) -> None:
    """Remove a log with nothing in it, and its index, where nobody has the database open.

    SQLite leaves both where it makes them and there is no room for the index.
    """
    # Whatever is the matter, what is left is in nobody's way.
    with suppress(sqlite3.Error, OSError, ValueError):
        if fingerprint.look(files).has_log or sharing(str(files.main)) is Sharing.SHARED:
            return
        uri = f"{files.main.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as connection:
            # Such a connection locks out all others, and its index is in this process. It removes
            # the log when it closes.
            connection.execute("pragma locking_mode = exclusive")
            connection.execute("select count(*) from sqlite_master").fetchone()
            files.shm.unlink(missing_ok=True)
