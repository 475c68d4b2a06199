"""Where private stores are: a folder for each source in the cache folder, with one writer.

    sources/KEY/source.json   which path it is of, and when it was last opened
    sources/KEY/writer.lock   held by the process that writes it; says who was the last to do so
    sources/KEY/listed.json   the runs that the list in the private store has, if that is known
    sources/KEY/remarks       what of the source is in none of its runs, a sentence a line
    sources/KEY/why           why the source is not followed, if that is so
    sources/KEY/store/        the private store
    sources/KEY/state/ID.json how far each run was read, and what has no place

The key is made of the real path and of the identity of the file or folder there, so that another
one in its place is not taken for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flowtui import person
from flowtui.sources.records import SourceError
from flowtui.store.files.file_systems import Sharing, sharing

MAX_BYTES = 10 << 30
"""The private stores that were not opened for the longest time go when there is more than this."""
VERSION = 1
"""Of what is kept; what another version has kept is read anew."""
_ABOUT = "source.json"
_LISTED = "listed.json"
_REMARKS = "remarks"


@dataclass(frozen=True, slots=True)
class PrivatePlace:
    """The folder of one source's private store."""

    folder: Path

    @property
    def store(self) -> Path:
        """The private store's folder."""
        return self.folder / "store"

    @property
    def may_log(self) -> bool:
        """Whether its databases may have a write-ahead log; not on a disk of other machines."""
        return sharing(os.path.realpath(self.folder)) is not Sharing.SHARED

    def state(self, run_id: str) -> Path:
        """The file that says how far a run was read."""
        return self.folder / "state" / f"{run_id}.json"

    def has_listed(self, rows: list[object]) -> bool:
        """Say whether the private store is known to have exactly these rows of runs."""
        with suppress(OSError, ValueError, RecursionError):
            listed = json.loads((self.folder / _LISTED).read_bytes())
            return bool(listed == rows) and (self.store / "meta.db").exists()
        return False

    def note_listed(self, rows: list[object]) -> None:
        """Note which rows of runs the private store has; none where that is not certain."""
        (self.folder / _LISTED).write_text(json.dumps(rows))

    @property
    def why(self) -> Path:
        """The file that says why the source is not followed; it is missing where it is."""
        return self.folder / "why"

    def note_remarks(self, remarks: Iterable[str]) -> None:
        """Note sentences about what of the source is in none of its runs."""
        (self.folder / _REMARKS).write_text("\n".join(remarks), "utf-8", "replace")

    def remarks(self) -> tuple[str, ...]:
        """Return why the source is not followed, and what of it is in none of its runs."""
        said: list[str] = []
        with suppress(OSError):
            said.append(self.why.read_text("utf-8", "replace"))
        with suppress(OSError):
            said += (self.folder / _REMARKS).read_text("utf-8", "replace").splitlines()
        return tuple(said)

    def note_writer(self, name: str) -> None:
        """Note who writes it from now on; only whoever holds the lock does so."""
        self._lock.write_text(name)

    def last_writer(self) -> str:
        """Return who wrote it last."""
        return self._lock.read_text()

    @property
    def _lock(self) -> Path:
        return self.folder / "writer.lock"

    @contextmanager
    def writing(self, *, waits: bool) -> Iterator[bool]:
        """Hold the lock of the one writer, if nobody else does; it ends with the process.

        Args:
            waits: Whether to wait until nobody else holds it.
        """
        with self._lock.open("a") as file:
            how = fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB
            try:
                fcntl.flock(file, how)
            except BlockingIOError:
                yield False
                return
            except OSError:
                # This disk has no locks; each write is one transaction all the same.
                pass
            yield True


def directory() -> Path:
    """Return the folder of all private stores, which need not exist.

    Raises:
        OSError: There is no place for it.
    """
    return person.kept_folder() / "sources"


def place(tool: str, root: Path) -> PrivatePlace:
    """Return the place for a source, whose folders are made if they are missing.

    Raises:
        SourceError: They cannot be made, or the source is not there.
    """
    try:
        found = root.stat()
        words = (str(VERSION), tool, str(root), str(found.st_dev), str(found.st_ino))
        key = hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        made = PrivatePlace(directory() / key)
        (made.folder / "state").mkdir(mode=0o700, parents=True, exist_ok=True)
        made.store.mkdir(mode=0o700, exist_ok=True)
        for private in (directory(), made.folder):
            private.chmod(0o700)
        about = made.folder / _ABOUT
        about.write_text(json.dumps({"tool": tool, "path": str(root)}))
    except OSError as error:
        where = error.filename or root
        raise SourceError(
            f"{root} cannot be shown: {where}: {error.strerror or error}; FLOW_TUI_CACHE names"
            " another folder for what is read of it"
        ) from error
    return made


def size_bytes() -> int:
    """Return how much the private stores take."""
    with suppress(OSError):
        return _size(directory())
    return 0


def clear() -> None:
    """Remove all private stores that no process writes.

    Raises:
        OSError: Something cannot be removed.
    """
    with suppress(FileNotFoundError):
        for one in _all():
            _remove(one)


def prune(besides: PrivatePlace) -> None:
    """Remove what was not opened for the longest time, while there is too much.

    It takes a look at all files that are kept, and so is for those who are about to add to them.
    """
    with suppress(OSError):
        sizes = {one: _size(one.folder) for one in _all()}
        total = sum(sizes.values())
        for one in sorted(sizes, key=_opened_at):
            if total <= MAX_BYTES:
                return
            if one != besides and _remove(one):
                total -= sizes[one]


def _all() -> list[PrivatePlace]:
    return [PrivatePlace(folder) for folder in directory().iterdir() if folder.is_dir()]


def _remove(one: PrivatePlace) -> bool:
    """Remove a private store, unless a process writes it."""
    with one.writing(waits=False) as is_mine:
        if is_mine:
            shutil.rmtree(one.folder)
        return is_mine


def _size(folder: Path) -> int:
    total = 0
    for place_, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place_, name)).st_size
    return total


def _opened_at(one: PrivatePlace) -> float:
    with suppress(OSError):
        return (one.folder / _ABOUT).stat().st_mtime
    return 0.0
