"""Files to look into: regular ones only, never waited for, read in pieces."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from flowtui.failures import Failure
from flowtui.previews.errors import PreviewFailed
from flowtui.store.files import in_pieces

HEAD_BYTES = 64 * 1024
"""Enough to tell what a file is, and which encoding and columns it has."""

_SPECIAL = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def special_kind(mode: int) -> str | None:
    """Return the kind of a special file, which must not be opened; None for a regular one."""
    if stat.S_ISREG(mode):
        return None
    return next((name for is_kind, name in _SPECIAL if is_kind(mode)), "a special file")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading.

    Raises:
        PreviewFailed: The file is missing or special, or this user may not read it; or it lies
            elsewhere and cannot be fetched.
    """
    if in_pieces.is_in_pieces(path):
        try:
            with in_pieces.opened(path) as file:
                yield file
        except PreviewFailed:
            raise
        except Failure as error:
            raise PreviewFailed(f"It cannot be fetched: {error}.") from error
        return
    try:
        # Opening a pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise PreviewFailed(_why(error)) from error
    kind = special_kind(os.fstat(descriptor).st_mode)
    if kind is not None:
        os.close(descriptor)
        raise PreviewFailed(f"This is {kind}, not a file.")
    with open(descriptor, "rb") as file:
        try:
            yield file
        except OSError as error:
            raise PreviewFailed(_why(error)) from error


def size_of(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def read_at(file: BinaryIO, position: int, count: int) -> bytes:
    """Return up to `count` bytes from a position; fewer only at the end of the file."""
    file.seek(position)
    return file.read(count)


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "The file is missing."
    if isinstance(error, PermissionError):
        return "You may not read this file."
    if isinstance(error, OSError):
        return f"The file cannot be read: {error.strerror}."
    return "No file can have this name."
