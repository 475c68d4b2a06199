"""Files that are written whole or not at all, and names for them."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TextIO, TypeVar

from flowtui import format as fmt

T = TypeVar("T")

MAX_STEM = 80
MAX_STEM_BYTES = 200
"""File systems allow 255 bytes a name; the rest is for a suffix."""
PATH_CHARACTERS = 300
_REASONS = {
    errno.ENOENT: "there is no such folder",
    errno.ENOTDIR: "there is no such folder",
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not write there",
    errno.EROFS: "the disk is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "this user's share of the disk is full",
    errno.ENAMETOOLONG: "the name is too long",
}


class SaveFailed(Exception):
    """A file was not written; `str()` says which and why, and nothing of it is left behind."""


def write_atomically(path: Path, write: Callable[[TextIO], T]) -> T:
    """Write a text file in UTF-8, so that nobody ever sees a part of it.

    Args:
        path: the file; one that exists is replaced and keeps its mode, a link is followed.
        write: is given the stream; what it returns is returned.

    Raises:
        SaveFailed: the folder is not there, is full, is not this user's, or the path is no file.
    """
    try:
        return _replace(Path(os.path.realpath(path)), write)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or "it cannot be written")
        raise SaveFailed(f"not saved to {_shown(path)}: {reason}") from error


def _replace(target: Path, write: Callable[[TextIO], T]) -> T:
    is_there = target.exists()
    if is_there and not target.is_file():
        # A rename would put a file in the place of a device.
        raise SaveFailed(f"not saved to {_shown(target)}: it is not a file")
    temporary = target.with_name(f".flow-tui-{secrets.token_hex(4)}.part")
    out = temporary.open("x", encoding="utf-8", newline="")
    try:
        with out:
            answer = write(out)
            out.flush()
            os.fsync(out.fileno())
        if is_there:
            shutil.copymode(target, temporary)
        temporary.replace(target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return answer


def _shown(path: Path) -> str:
    return fmt.plain(str(path), PATH_CHARACTERS)


def file_stem(*parts: str) -> str:
    """Return a file name without suffix made of names: letters, digits, `.`, `_` and `-`.

    Args:
        *parts: joined by `-`, the empty ones left out.
    """
    joined = unicodedata.normalize("NFC", "-".join(part for part in parts if part))
    safe = (char if char.isalnum() or char in "._" else "-" for char in joined[: 4 * MAX_STEM])
    # One dash for a row of them.
    text = "".join("-" if char == "-" else "".join(row) for char, row in groupby(safe))
    short = text.lstrip(".-")[:MAX_STEM].encode()[:MAX_STEM_BYTES].decode(errors="ignore")
    return short.rstrip(".-") or "export"
