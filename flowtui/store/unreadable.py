"""The errors of reading a database that anybody may have written, in words for a person."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

from flowtui.store import cancelling, errors, foreign
from flowtui.store.files.file_systems import is_mounted_read_only
from flowtui.store.files.fingerprint import DatabaseFiles

ERRORS = (sqlite3.Error, ValueError, OverflowError, MemoryError, RecursionError)
"""What reading or writing such a file may raise. Python raises the last four over what is stored,
and over SQLite's own messages where they are not UTF-8.

Among SQLite's errors, `sqlite3.ProgrammingError` is a mistake of ours and not a fault of the file,
so it must be let through before these are caught.
"""
SAVING = "a backup has it whole, or `sqlite3 FILE .recover` what is left of it"


def explained(label: str, files: DatabaseFiles, error: Exception) -> errors.DatabaseError:
    """Return our own error for one that ended a read.

    Args:
        label: The name of the file in messages.
        files: The database's files.
        error: One of `ERRORS`.
    """
    said = text(error)
    lowered = said.lower()
    there = [file for file in (files.main, files.wal, files.shm) if file.exists()]
    if not all(os.access(file, os.R_OK) for file in there):
        return denied(label, files)
    if not isinstance(error, sqlite3.Error):
        return errors.DatabaseCorrupt(files.main, f"{label} is damaged: {said}; {SAVING}")
    if "locked" in lowered or "busy" in lowered:
        message = f"{label} is locked by another process; trying again may help"
        return errors.DatabaseBusy(files.main, message)
    if "not a database" in lowered:
        message = f"{label} is not a SQLite database: {foreign.what_it_is(files.main)}"
        return errors.DatabaseCorrupt(files.main, message)
    if "malformed" in lowered:
        return errors.DatabaseCorrupt(files.main, f"{label} is damaged: {said}; {SAVING}")
    if "no such" in lowered:
        return errors.DatabaseCorrupt(files.main, f"{label} is damaged: {said}")
    return errors.DatabaseError(files.main, f"{label} cannot be read: {said}")


def denied(label: str, files: DatabaseFiles) -> errors.DatabaseDenied:
    """Return our own error for files that this user may not read."""
    message = f"{label}: permission denied; its owner or group can grant read access"
    return errors.DatabaseDenied(files.main, message)


def read_only(label: str, path: Path) -> errors.DatabaseReadOnly:
    """Return the error of ours for a file that this user may not write."""
    return errors.DatabaseReadOnly(path, why_read_only(label, path))


def why_read_only(label: str, path: Path) -> str:
    """Return why a file cannot be written by this user, and what helps."""
    if is_mounted_read_only(path):
        return f"{label} is on a disk that is mounted read-only; mount it writable, or use a copy"
    return (
        f"{label} is read-only for you; its owner can grant write access to the file and its folder"
    )


def is_read_only(error: Exception, path: Path) -> bool:
    """Say whether a write failed since this user may not write a file, or its folder."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_READONLY or (
        code == sqlite3.SQLITE_CANTOPEN and not os.access(path.parent, os.W_OK)
    )


def text(error: Exception) -> str:
    """Return the message of one of `ERRORS` in one line."""
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, RecursionError):
        return "something in it is nested too deeply to be read"
    if isinstance(error, UnicodeDecodeError):
        # SQLite quotes what it failed on, which may not be UTF-8.
        said = error.object.decode("utf-8", "replace")
    else:
        said = str(error)
    return " ".join(said.split())[:500]


def is_no_log_to_join(error: Exception | None) -> bool:
    """Say whether the log of a database does not match its index, which is a sign of damage."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_PROTOCOL


def was_interrupted(error: Exception) -> bool:
    """Say whether a progress handler interrupted SQLite."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_INTERRUPT


def raise_what_was_lost(error: Exception) -> None:
    """Raise what was raised while SQLite was at work, where no handler wished to end it.

    SQLite calls the handler, or a function of ours, Python lets a signal in there, and what is
    raised ends the statement and is lost. Signals come to the main thread alone.
    """
    cancelling.raise_lost()
    if was_interrupted(error) and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt from error
