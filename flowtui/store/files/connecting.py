"""Connections that only read, and what SQLite does not notice of a file that it opens."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flowtui.store.files.fingerprint import Fingerprint

SQLITE_HEADER_BYTES = 100
"""SQLite takes a shorter file for one that is still to be written."""


def read_only(path: Path, option: str, timeout_s: float) -> sqlite3.Connection:
    """Open a database that is there, for any thread.

    Args:
        path: absolute.
        option: of SQLite's URIs: how it is read.
        timeout_s: how long a lock of others is waited for.
    """
    return sqlite3.connect(
        f"{path.as_uri()}?mode=ro&{option}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )


def refuse_half_a_page(connection: sqlite3.Connection, found: Fingerprint) -> None:
    """Raise for a file that was cut off inside its last page, which SQLite fills with zeros."""
    if found.main is not None and found.main[1] < SQLITE_HEADER_BYTES:
        raise sqlite3.DatabaseError("file is not a database")
    # Reads the header: of what is no database at all, SQLite then says so.
    connection.execute("pragma schema_version").fetchone()
    (page_bytes,) = connection.execute("pragma page_size").fetchone()
    if found.main is not None and found.main[1] % page_bytes:
        raise sqlite3.DatabaseError("malformed, its last page is cut off")
