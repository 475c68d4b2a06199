"""A source as a store that nobody can write, whose records are kept in the cache folder."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from shlex import quote

from flowtui.sources import files, places, standing
from flowtui.sources.files import FileStat
from flowtui.sources.filling import Filling
from flowtui.sources.places import PrivatePlace
from flowtui.sources.records import SourceError, moment
from flowtui.sources.source import RunSource
from flowtui.sources.standing import ReadState
from flowtui.store import cancelling, runs
from flowtui.store.attachments import listing
from flowtui.store.attachments.files import AttachmentFiles
from flowtui.store.attachments.values import (
    Attachment,
    AttachmentRefused,
    AttachmentRow,
    Attachments,
    FileState,
)
from flowtui.store.errors import DatabaseError
from flowtui.store.liveness.signs import logged_at
from flowtui.store.liveness.standing import Signs
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import ReadSoFar, Run, StoreLocation

Progress = Callable[[str, int, int], object]
"""Is told the name of a run, or how many runs, and how many of how many bytes were read."""

_LIST_AGAIN_S = 10.0
_LOOK_AGAIN_S = 1.0
"""How long what a look found is good enough for reading runs one after the other."""
_START_AGAIN_S = 10.0
_OTHER_WRITER_S = 10.0
"""How long to wait for what another process reads."""
_POLL_S = 0.05


def open_source(source: RunSource, *, waits: bool, told: Progress | None = None) -> SourceStore:
    """Open a source, listing its runs now and reading them when they are asked for.

    Args:
        source: It.
        waits: Whether a run that is asked for by name is read to its end before it is shown.
        told: Is told how far that is.

    Raises:
        SourceError: It cannot be read, or there is no room for what is read.
        DatabaseError: The private store cannot be written.
    """
    place = places.place(source.tool, source.root)
    filling = Filling(source, place)
    with place.writing(waits=False) as is_writer:
        if is_writer:
            try:
                filling.look()
            finally:
                filling.rest()
        else:
            _wait(lambda: (place.store / "meta.db").exists(), place)
    return SourceStore(filling, waits, told)


def _wait(has_come: Callable[[], bool], place: PrivatePlace) -> None:
    """Wait for what another process writes, which has the lock of the one writer."""
    until_s = time.monotonic() + _OTHER_WRITER_S
    while not has_come():
        cancelling.check()
        if time.monotonic() > until_s:
            raise SourceError(f"another process has not yet read what {place.folder} is for")
        time.sleep(_POLL_S)


class SourceStore(Store):
    """The runs of a source. While it is followed, a child process reads what is new in them."""

    def __init__(self, filling: Filling, waits: bool, told: Progress | None) -> None:
        """Take what fills the private store of a source, in which the runs are listed already.

        Args:
            filling: It; it has looked, unless another process does so.
            waits: As in `open_source`.
            told: As in `open_source`.
        """
        source, place = filling.source, filling.place
        self._source, self._place, self._filling = source, place, filling
        self._looked_s = time.monotonic()
        self._waits, self._told = waits, told
        self._source_lock = threading.Lock()
        self._listed = filling.runs()
        self._listed_s = self._looked_s if self._listed else -1e9
        self._started_s = -1e9
        self._listed_with: dict[str, FileStat | None] = {}
        """By run id: the state of the file of its `ReadState` when the runs were last listed."""
        self._states: dict[str, tuple[FileStat | None, ReadState]] = {}
        """By run id: how far it was read, and the state of the file that says so."""
        self._child: subprocess.Popen[bytes] | None = None
        self._follows = False
        self._wanted = ""
        self.progress_ends: Callable[[], object] = lambda: None
        """Is called when what was to be read has been read."""
        super().__init__(StoreLocation(place.store, source.tool))
        # People see where the source is; no database is looked for there.
        self.directory = source.root
        self.location = StoreLocation(source.root, source.tool)
        self.why_read_only = (
            f"this is a run of {source.tool}, read where it is: `flow-tui import"
            f" {quote(str(source.root))}` makes it a run of a store, which can be annotated and"
            " uploaded"
        )
        self.why_not_sent = self.why_read_only
        self.meta.why_read_only = self.why_read_only
        self.meta.lacking = place.remarks

    # How it is read ----------------------------------------------------------------------------

    def follow(self) -> None:
        """Begin to read in a child process: the run that was asked for last, then all others."""
        self._follows = True
        self._start()

    def settle(self) -> None:
        self._read(None)

    def close(self) -> None:
        self._follows = False
        super().close()
        if self._child is not None and self._child.stdin is not None:
            with suppress(OSError):
                # It ends with its input, also where this process is killed.
                self._child.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(1.0)
            if self._child.poll() is None:
                self._child.kill()
                self._child.wait()
            self._child = None

    def _start(self) -> None:
        self._started_s = time.monotonic()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "flowtui.sources.following", str(self._source.root)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self._want(self._wanted)

    def _want(self, run_id: str) -> None:
        """Have a run read before all others."""
        self._wanted = run_id
        if run_id and self._child is not None and self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.write(f"{run_id}\n".encode())
                self._child.stdin.flush()

    def _read(self, run_id: str | None) -> None:
        """Read a run to its end, or all runs where it is None; in this process."""
        with self._source_lock, self._place.writing(waits=False) as is_writer:
            if not is_writer:
                wanted = [run_id] if run_id else list(self.ask(runs.ids).values())
                _wait(lambda: all(self._state(one).seen for one in wanted), self._place)
                return
            if not self._filling.is_alone:
                self._filling, self._looked_s = Filling(self._source, self._place), -1e9
            try:
                if time.monotonic() - self._looked_s > _LOOK_AGAIN_S:
                    self._filling.look()
                    self._looked_s = time.monotonic()
                    self._listed = self._filling.runs()
                pending = [one for one in self._filling.pending() if run_id in (None, one)]
                if pending:
                    places.prune(self._place)
                self._fill(pending)
            finally:
                self._filling.rest()
                self.progress_ends()

    def _fill(self, run_ids: Sequence[str]) -> None:
        listed = self._filling.runs()
        total = sum(listed[run_id].size_bytes for run_id in run_ids)
        before = 0
        for run_id in run_ids:
            run = listed[run_id]
            what = run.row.name if len(run_ids) == 1 else f"{len(run_ids):,} runs"

            def goes_on(run_id: str = run_id, what: str = what, before: int = before) -> bool:
                cancelling.check()
                if self._told is not None:
                    self._told(what, before + self._state(run_id).read_bytes, total)
                return True

            self._filling.fill(run_id, goes_on)
            before += run.size_bytes

    def _state(self, run_id: str) -> ReadState:
        """Return how far a run was read, for the price of a `stat` while that is the same."""
        path = self._place.state(run_id)
        stat = files.state(path)
        known = self._states.get(run_id)
        if known is None or known[0] != stat:
            known = self._states[run_id] = stat, standing.load(path)
            # It may be long, and only whoever reads on needs it.
            known[1].mark = {}
        return known[1]

    # What a store is asked ---------------------------------------------------------------------

    def run(self, run_id: str) -> OpenRun:
        run = super().run(run_id)
        run.database.why_read_only = self.why_read_only
        run.database.lacking = lambda: self._state(run_id).problems()
        return run

    def reading(self, run_id: str) -> ReadSoFar | None:
        state = self._state(run_id)
        return None if state.seen or state.why else ReadSoFar(state.read_bytes, state.size_bytes)

    def unread_count(self) -> int:
        return sum(self.reading(run_id) is not None for run_id in self.ask(runs.ids).values())

    def opened(self, row: Run) -> OpenRun:
        if self._waits and not self._follows:
            self._read(row.id)
        self._want(row.id)
        return super().opened(self.ask(runs.run, row.id) or row)

    def run_directory(self, run_id: str) -> Path:
        # Ids are made by this package, whatever a source calls its runs.
        return self._place.store / Path(run_id).name

    def signs(self, runs: Iterable[Run], now: datetime, may_ask: bool = True) -> dict[str, Signs]:
        is_due = time.monotonic() - self._started_s > _START_AGAIN_S
        if self._follows and is_due and self._child is not None and self._child.poll() is not None:
            self._start()
        read = {run.id: files.state(self._place.state(run.id)) for run in runs if run.is_active}
        with self._source_lock:
            # What was read since may be of files that came, or of rows that listing told of.
            if any(
                run_id not in self._listed or self._listed_with.get(run_id) != state
                for run_id, state in read.items()
            ):
                self._list(read)
            found = {}
            for run_id in read:
                listed = self._listed.get(run_id)
                signs = None if listed is None else self._source.signs(listed, now)
                if signs is not None and signs.is_gone:
                    signs = signs._replace(logged_at=self._last_at(run_id))
                if signs is not None:
                    found[run_id] = signs
            return found

    def _last_at(self, run_id: str) -> datetime | None:
        """Return when the last record came, until which a run lasted whose process is gone."""
        state = self._state(run_id)
        if state.seen and state.logged_at is None:
            with suppress(DatabaseError):
                last = self.run(run_id).ask(logged_at)
                state.logged_at = "" if last is None else last.isoformat()
        return datetime.fromisoformat(state.logged_at) if state.logged_at else None

    def _list(self, read: Mapping[str, FileStat | None]) -> None:
        if time.monotonic() - self._listed_s > _LIST_AGAIN_S:
            self._listed_s = time.monotonic()
            self._listed_with |= read
            with suppress(SourceError):
                self._listed = {run.row.id: run for run in self._source.runs()}

    def _attachments(self, run_id: str) -> AttachmentFiles:
        return SourceFiles(
            self.run_directory(run_id) / "attachments",
            self._source.root,
            lambda: self._state(run_id).paths,
        )


class SourceFiles:
    """The attachments of a run: those taken out of its files, and those that stay in the source."""

    def __init__(self, folder: Path, root: Path, paths: Callable[[], dict[str, str]]) -> None:
        """Take the folder of the former, and what says where the latter are, below a root."""
        self.folder = folder
        self._root = root
        self._paths = paths

    def listed(self, rows: Iterable[AttachmentRow]) -> Attachments:
        """Return rows with the state of their files, wherever these are."""
        paths = self._paths()
        by_place = list(rows)
        here = listing.on_disk([row for row in by_place if row.name not in paths], self.folder)
        there = [self._there(row, paths[row.name]) for row in by_place if row.name in paths]
        return Attachments((*here.files, *there), here.orphans)

    def path(self, file_path: str) -> Path:
        """Return the path of an attachment.

        Raises:
            AttachmentRefused: It is not there any more, or leads out of the source.
        """
        elsewhere = self._paths().get(file_path)
        if elsewhere is None:
            return listing.resolved(self.folder, file_path)
        return inside(self._root, Path(elsewhere))

    def glance(self, file_path: str) -> Path:
        return self.path(file_path)

    def _there(self, row: AttachmentRow, path: str) -> Attachment:
        try:
            found = inside(self._root, Path(path)).stat()
        except AttachmentRefused as error:
            return Attachment(row, row.file_path, FileState.REFUSED, problem=str(error))
        except OSError:
            return Attachment(row, row.file_path, FileState.MISSING)
        modified_at = moment(found.st_mtime_ns // 1_000_000_000)
        return Attachment(row, row.file_path, FileState.PRESENT, found.st_size, modified_at)


def inside(root: Path, path: Path) -> Path:
    """Return the real path of a file of a source.

    Raises:
        AttachmentRefused: It is not there any more, or is not a file below the root.
    """
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise AttachmentRefused("the file is not there any more") from error
    if not real.is_relative_to(root if root.is_dir() else root.parent) or not real.is_file():
        raise AttachmentRefused("its path leads out of the source")
    return real
