"""Connections that only read, and a check of files that SQLite does not make."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flowtui.store.files.fingerprint import Fingerprint

SQLITE_HEADER_BYTES = 100
"""SQLite takes a shorter file for an empty database."""


def read_only(path: Path, option: str, timeout_s: float) -> sqlite3.Connection:
    """Open a database that exists, for use in any thread.

    Args:
        path: The absolute path.
        option: A parameter of SQLite's URIs that says how it is read.
        timeout_s: How long to wait for locks of others.
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
    # This reads the header, so that SQLite reports a file that is not a database at all.
    connection.execute("pragma schema_version").fetchone()
    (page_bytes,) = connection.execute("pragma page_size").fetchone()
    if found.main is not None and found.main[1] % page_bytes:
        raise sqlite3.DatabaseError("malformed, its last page is cut off")
