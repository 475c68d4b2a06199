"""The folders of runs that may be moved away: direct, real children of the store.

luml-sdk takes any text for an id and joins it to the store's path: the folder of `.` is the store
itself, that of `..` lies above it, and that of `a/b` is inside the folder of the run `a`.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flowtui.store import cancelling

TRASH = ".trash"
"""The folder of the store that holds the runs that were deleted."""
_FILES_BETWEEN_CANCEL_CHECKS = 500


@dataclass(frozen=True, slots=True)
class FolderExtent:
    """What is in a folder."""

    files: int = 0
    size_bytes: int = 0


class RunFolders:
    """The runs of a store by the folder in it that holds theirs, as any file system sees it."""

    def __init__(self, run_ids: Iterable[str]) -> None:
        self._by_folder: dict[str, list[str]] = defaultdict(list)
        for run_id in run_ids:
            self._by_folder[_folded(run_id.split("/", 1)[0])].append(run_id)

    def beside(self, run_id: str) -> list[str]:
        """Return the ids of other runs whose folder is that of a run, or inside it."""
        return [other for other in self._by_folder.get(_folded(run_id), ()) if other != run_id]


def why_not_moved(directory: Path, run_id: str, known: RunFolders) -> str:
    """Return why the folder of a run must not be moved; an empty text if it may be.

    Args:
        directory: The store's folder.
        run_id: The run's id, which any writer may choose; its folder need not exist.
        known: The runs of the store.
    """
    if run_id in ("", ".", "..") or os.sep in run_id or "/" in run_id or "\0" in run_id:
        return f"the id {run_id!r} does not name a folder directly in the store"
    if _folded(run_id) == TRASH:
        return f"the id {run_id!r} names the folder of the trash"
    if others := known.beside(run_id):
        return f"the folder of the run {others[0]!r} is the same or inside it"
    found = _mode(directory / run_id)
    if found is None:
        return ""
    if stat.S_ISLNK(found):
        return f"{run_id} is a link, not a folder of the store"
    if not stat.S_ISDIR(found):
        return f"{run_id} is not a folder"
    if run_id not in os.listdir(directory):
        # File systems may take a name in other letters, or in another Unicode form, for the same.
        return f"the folder of {run_id!r} has another name"
    return ""


def extent(folder: Path) -> FolderExtent:
    """Return how many files are below a folder, and their bytes; links are counted, not followed.

    Raises:
        OSError: A folder cannot be read.
        ReadCancelled: Nobody waits for it any more.
    """
    files = size_bytes = 0
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    continue
                files += 1
                size_bytes += entry.stat(follow_symlinks=False).st_size
                if files % _FILES_BETWEEN_CANCEL_CHECKS == 0:
                    cancelling.check()
    return FolderExtent(files, size_bytes)


def exists(path: Path) -> bool:
    """Say whether anything is at a path, a broken link included."""
    return _mode(path) is not None


def is_folder(path: Path) -> bool:
    """Say whether a folder is at a path, and not a link to one."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def move(folder: Path, to: Path) -> None:
    """Rename a folder, so that after a crash of the machine it is at one of both places.

    Raises:
        OSError: It cannot be renamed; nothing has changed.
    """
    os.rename(folder, to)
    for above in {folder.parent, to.parent}:
        sync(above)


def sync(folder: Path) -> None:
    """Have the entries of a folder on the disk, as far as its file system can do that."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        os.fsync(opened)
    except OSError:
        pass
    finally:
        os.close(opened)


def _mode(path: Path) -> int | None:
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _folded(name: str) -> str:
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", name).casefold()
