"""Opens the files of a source: only regular ones, only to read, never waiting, inside its root."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from flowtui.sources.records import SourceError

FileStat = tuple[int, int, int]
"""Inode, bytes and mtime in ns of a file."""
MOST_ENTRIES = 200_000
"""How many files and folders of a source are looked at."""
TO_RECOGNISE = 20_000
"""How many are looked at to find out whether a tool wrote them, a tenth of a second."""
_MOST_DEPTH = 24
_PART_BYTES = 120
_BAD = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\\]")


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file to read it; a pipe or a device, which might block, is refused.

    Raises:
        OSError: It cannot be opened, or is not a regular file.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(f"{path} is not a regular file")
        yield file


def read_bytes(path: Path, most: int) -> bytes:
    """Return a whole file.

    Raises:
        OSError: It cannot be read.
        SourceError: It is longer than `most` bytes.
    """
    with opened(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise SourceError(f"{path} is larger than {most / 1e6:,.0f} MB, which is not read whole")
    return data


def walk(
    root: Path, depth: int = _MOST_DEPTH, most: int = MOST_ENTRIES
) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """Yield each folder below a root with its entries, links last; links to folders are followed.

    A folder that was met before, which a link may lead back to, is left out, as is one that this
    user may not read. After `most` entries it ends.
    """
    seen: set[tuple[int, int]] = set()
    left = most
    waiting = [(root, 0)]
    while waiting:
        folder, level = waiting.pop()
        with suppress(OSError):
            found = os.stat(folder)
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            with os.scandir(folder) as listed:
                # What a link and a folder of its own lead to is met by its own name.
                entries = sorted(listed, key=lambda entry: (entry.is_symlink(), entry.name))
            left -= len(entries)
            yield folder, entries
            if left <= 0:
                return
            if level < depth:
                waiting += [
                    (folder / entry.name, level + 1)
                    for entry in reversed(entries)
                    if not entry.name.startswith(".") and _is_folder(entry)
                ]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        return entry.is_dir()
    return False


def state(path: Path) -> FileStat | None:
    """Return the state of a file, None where there is no regular one."""
    with suppress(OSError, ValueError):
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode):
            return found.st_ino, found.st_size, found.st_mtime_ns
    return None


def is_inside(path: Path, root: Path) -> bool:
    """Say whether a path, with all links followed, is inside a root, which is a real path."""
    with suppress(OSError, ValueError, RuntimeError):
        return path.resolve().is_relative_to(root)
    return False


def safe_name(*words: str) -> str:
    """Return a relative path made of words from a source, which may hold anything.

    A `/` in a word makes a folder. What would lead elsewhere or upset a terminal is replaced, and
    parts that are too long for a file system are cut.
    """
    parts = []
    for part in "/".join(words).split("/"):
        clean = _BAD.sub("_", part.encode("utf-8", "replace").decode("utf-8", "replace")).strip()
        if clean in ("", ".", ".."):
            clean = "_" * len(clean)
        while len(clean.encode()) > _PART_BYTES:
            stem, dot, suffix = clean.rpartition(".")
            clean = (
                f"{stem[:-1]}.{suffix}" if dot and stem[:-1] and len(suffix) < 16 else clean[:-1]
            )
        if clean:
            parts.append(clean)
    return "/".join(parts) or "_"
