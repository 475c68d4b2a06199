"""Which run is a program's own: the one whose exp.db it, or a process that it started, has open.

Linux tells the open files of each process. Elsewhere it is the active run of the store that was
made last since the program was started.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flowtui import clock
from flowtui.store import runs as run_rows
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError, StoreError
from flowtui.store.values import Run

MARK = "FLOW_TUI_LAUNCH"
"""The variable by which a process is known that has left the one that started it."""
_PROCESSES = Path("/proc")
_FILE = "exp.db"
_KERNEL = (0, 2)
"""The parents of the kernel's own threads, which have no environment."""
_SLACK = timedelta(seconds=2)
"""By how much the clock of a program's records may be behind."""
_PARENT, _STARTED = 1, 19
"""Places in /proc/PID/stat, counted from what follows the name."""


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """The run of a program."""

    directory: Path
    """The store's folder."""
    run_id: str
    name: str
    is_ours: bool = False
    """Whether it was made here, for a program that logs spans only."""

    @property
    def database(self) -> Database:
        return Database(self.directory / self.run_id / _FILE, f"{self.run_id[:8]}/{_FILE}")


class RunSearch:
    """Looks for the run of one program; belongs to one thread."""

    def __init__(self, store: Callable[[], Path]) -> None:
        """Prepare.

        Args:
            store: Returns the folder of the store to look in where open files are not told; it may
                raise a StoreError.
        """
        self.mark = uuid.uuid4().hex
        self._store = store
        self._started_at = clock.now() - _SLACK
        self._processes = Descendants(self.mark)

    def look(self, pid: int, besides: ProgramRun | None = None) -> ProgramRun | None:
        """Return the run of the program with that number, None if there is none as yet.

        Args:
            pid: The number.
            besides: A run that is not its own, whoever writes it.
        """
        if not is_told():
            newest = self._newest()
            return None if newest and besides and newest.run_id == besides.run_id else newest
        opened = dict.fromkeys(opened_by(self._processes.of(pid)))
        found = [run for path in opened if (run := _active(path)) is not None]
        # A run that was there before may be open only to be read.
        chosen = max(found, key=lambda one: (self._is_new(one[1]), _made_at(one[1])), default=None)
        return None if chosen is None else _program_run(*chosen)

    def _is_new(self, run: Run) -> bool:
        return run.created_at is not None and run.created_at >= self._started_at

    def _newest(self) -> ProgramRun | None:
        try:
            directory = self._store()
            meta = Database(directory / "meta.db", "meta.db")
            run = meta.read(run_rows.latest)
        except StoreError:
            return None
        is_its = run is not None and run.is_active and self._is_new(run)
        return _program_run(directory, run) if run is not None and is_its else None


class Descendants:
    """Knows which processes descend from a program; looks at each process once."""

    def __init__(self, mark: str) -> None:
        """Take the value of `MARK` in the program's environment."""
        self._mark = f"{MARK}={mark}".encode()
        self._known: dict[int, tuple[str, bool]] = {}
        """When each process was started, and whether it descends from the program."""

    def of(self, program: int) -> list[int]:
        """Return the living ones, the program included."""
        present = [int(name) for name in os.listdir(_PROCESSES) if name.isdecimal()]
        self._known = {pid: self._known[pid] for pid in present if pid in self._known}
        for pid in sorted(present):
            if pid not in self._known and (stat := _stat(pid)) is not None:
                is_ours = self._descends(pid, program, stat)
                if is_ours is not None:
                    self._known[pid] = stat[_STARTED], is_ours
        ours = [pid for pid, (_, is_ours) in self._known.items() if is_ours]
        # A number may have been given to another process since.
        return [
            pid for pid in ours if (stat := _stat(pid)) and stat[_STARTED] == self._known[pid][0]
        ]

    def _descends(self, pid: int, program: int, stat: list[str]) -> bool | None:
        """Say whether a process descends from the program; None if it only just begins."""
        parent = int(stat[_PARENT])
        if pid == program or self._known.get(parent, ("", False))[1]:
            return True
        try:
            variables = (_PROCESSES / str(pid) / "environ").read_bytes()
        except OSError:
            return False
        if not variables and parent not in _KERNEL:
            return None
        return self._mark in variables.split(b"\0")


def is_told() -> bool:
    """Say whether this system tells which files a process has open."""
    return (_PROCESSES / "self" / "fd").is_dir()


def opened_by(pids: Iterable[int]) -> Iterator[Path]:
    """Yield the databases of runs that processes have open."""
    for pid in pids:
        folder = f"{_PROCESSES}/{pid}/fd"
        # A process may end at any moment.
        with suppress(OSError):
            for number in os.listdir(folder):
                with suppress(OSError):
                    target = os.readlink(f"{folder}/{number}")
                    if target.endswith(f"/{_FILE}"):
                        yield Path(target)


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROCESSES / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name may have anything in it, brackets and spaces included.
    fields = text.rpartition(")")[2].split()
    return fields if len(fields) > _STARTED else None


def _active(path: Path) -> tuple[Path, Run] | None:
    """Return the store and the active run that a database is of, None if there is none."""
    directory, run_id = path.parent.parent, path.parent.name
    try:
        row = Database(directory / "meta.db", "meta.db").read(lambda db: run_rows.run(db, run_id))
    except DatabaseError:
        return None
    return (directory, row) if row is not None and row.is_active else None


def _made_at(run: Run) -> datetime:
    return run.created_at or datetime.min.replace(tzinfo=UTC)


def _program_run(directory: Path, run: Run) -> ProgramRun:
    return ProgramRun(directory, run.id, run.name)
