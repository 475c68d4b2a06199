"""What a file in place of a database is, in words for a person."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from flowtui.store.files import asking

HEAD_BYTES = 4096
_BEGINNINGS = (
    (b"SQLite format 3\0", "the beginning of one, and the rest is missing"),
    (b"version https://git-lfs", "a Git LFS pointer; `git lfs pull` brings the file itself"),
    (b"/annex/objects/", "a git-annex pointer; `git annex get` brings the file itself"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ\0", "packed with xz"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"\x37\x7f\x06\x82", "the write-ahead log of a database"),
    (b"\x37\x7f\x06\x83", "the write-ahead log of a database"),
)
_HTML = (b"<!doctype html", b"<html")


def why_no_file(paths: Iterable[Path]) -> str:
    """Return which of these paths is not a file, and what it is; empty if all are files or missing.

    Raises:
        OSError: One of them may not be looked at.
    """
    for path in paths:
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not stat.S_ISREG(mode):
            return f"{path.name} is {_special(mode)}, not a file"
    return ""


def _special(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def what_it_is(path: Path) -> str:
    """Return what a regular file is that SQLite does not accept as a database: `it is text`."""
    kind = _kind(asking.head(path, HEAD_BYTES))
    return f"it is {kind}" if kind else "it may be encrypted, or its beginning is damaged"


def _kind(head: bytes) -> str:
    for beginning, words in _BEGINNINGS:
        if head.startswith(beginning):
            return words
    if head.lstrip()[:20].lower().startswith(_HTML):
        return "an HTML page, as a failed download leaves"
    if head and not head.strip(b"\0"):
        return "nothing but zeros at its beginning"
    try:
        text = head[: len(head) - 3 if len(head) == HEAD_BYTES else None].decode()
    except UnicodeDecodeError:
        return ""
    is_text = all(char.isprintable() or char in "\t\r\n\f" for char in text)
    return "text" if text and is_text else ""
