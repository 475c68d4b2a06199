"""TensorBoard's log folders: a run is a folder with event files, read one after the other.

An event file tells neither how its run stands nor when it ended: while it is written, a process
has it open. Source: tensorboard/backend/event_processing, whose runs and values these are.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flowtui.sources import event_records, files, open_files
from flowtui.sources.event_values import EventReader, Learnt
from flowtui.sources.files import FileStat
from flowtui.sources.records import Mark, SourceBatch, SourceError, SourceRun, moment
from flowtui.store.liveness.standing import Signs
from flowtui.store.schema.mirror import RunRow
from flowtui.store.values import Status

TOOL = "TensorBoard"
_EVENTS = "tfevents"
_STAMP = re.compile(r"tfevents\.(\d{9,10})\.")
_HPARAMS_FOLDER = re.compile(r"\d{9,10}\.\d+")
"""What torch and tensorboardX call the folder that they keep hyperparameters in."""
_SPACE = uuid.UUID("5b0c2d6e-3f0a-5c1e-9d0a-7e1f4f6d7a10")
_RECOGNISED_DEPTH = 5


def recognise(path: Path) -> TensorBoard | None:
    """Return the source at a path, None if it is no log folder and no event file."""
    if path.is_file():
        return TensorBoard(path.resolve()) if _EVENTS in path.name else None
    for _, entries in files.walk(path, _RECOGNISED_DEPTH, files.TO_RECOGNISE):
        if any(_is_event_file(entry) for entry in entries):
            return TensorBoard(path.resolve())
    return None


class TensorBoard:
    """One log folder, or one event file."""

    tool = TOOL
    remarks: Sequence[str] = ()

    def __init__(self, root: Path) -> None:
        """Take the real path of a folder or file."""
        self.root = root
        self._known: dict[str, SourceRun] = {}
        """By name: the runs as they were last listed."""

    def runs(self) -> Sequence[SourceRun]:
        if self.root.is_file():
            found = [self._run(self.root.parent, self.root.name, [self.root])]
            return [run for run in found if run is not None]
        if not self.root.is_dir():
            raise SourceError(f"{self.root} is not there any more")
        by_folder: dict[Path, list[Path]] = {}
        for folder, entries in files.walk(self.root):
            if events := [folder / entry.name for entry in entries if _is_event_file(entry)]:
                # Folders come before those inside them.
                is_part = _HPARAMS_FOLDER.fullmatch(folder.name) and folder.parent in by_folder
                by_folder.setdefault(folder.parent if is_part else folder, []).extend(events)
        found = [
            self._run(folder, self._name(folder), paths) for folder, paths in by_folder.items()
        ]
        listed = [run for run in found if run is not None]
        self._known = {run.row.name: run for run in listed}
        return sorted(listed, key=lambda run: run.row.created_at or moment(0), reverse=True)

    def _name(self, folder: Path) -> str:
        relative = folder.relative_to(self.root)
        return str(relative) if relative.parts else self.root.name

    def _run(self, folder: Path, name: str, paths: Sequence[Path]) -> SourceRun | None:
        states = [(path, state) for path in paths if (state := files.state(path)) is not None]
        if not states:
            return None
        known = self._known.get(name)
        if known is not None and known.state == tuple(states):
            # Most runs of a folder are as they were at the last look.
            return known
        first, (_, _, mtime_ns) = states[0]
        stamp = _STAMP.search(first.name)
        group = name.rpartition("/")[0] or self.root.name
        row = RunRow(
            # The name of an event file has its second, machine and process in it: so a folder that
            # was moved holds the same runs.
            id=str(uuid.uuid5(_SPACE, f"{name}\0{first.name}")),
            name=name,
            group=group,
            status=Status.ACTIVE,
            created_at=moment(int(stamp[1]) if stamp else mtime_ns // 1_000_000_000),
            source=str(folder),
        )
        return SourceRun(row, tuple(states), sum(state[1] for _, state in states))

    def read(self, run: SourceRun, mark: Mark) -> Iterator[SourceBatch]:
        read = _Reading.of(mark)
        paths: list[Path] = [path for path, _ in _states(run)]
        known = {str(path): state for path, state in _states(run)}
        for name, (inode, end) in read.ends.items():
            if name in known and (known[name][0] != inode or known[name][1] < end):
                # It was written anew, and what was read of it may be in no file any more.
                read = _Reading({}, Learnt())
                yield SourceBatch(read.mark(), starts_anew=True)
                break
        reader = EventReader(read.learnt)
        for path in paths:
            inode, size, _ = known[str(path)]
            start = read.ends.get(str(path), (inode, 0))[1]
            if start < size:
                yield from self._read_file(path, (inode, start, size), read, reader)

    def _read_file(
        self, path: Path, part: tuple[int, int, int], read: _Reading, reader: EventReader
    ) -> Iterator[SourceBatch]:
        inode, start, size = part
        while True:
            # The file is open only while a chunk is read, and not while it is written down.
            try:
                with files.opened(path) as file:
                    chunk = next(event_records.chunks(file, start, size), None)
            except OSError as error:
                note = f"{path.name} cannot be read: {error.strerror or error}"
                yield SourceBatch(read.mark(), notes={path.name: note}, read_bytes=read.bytes)
                return
            if chunk is None:
                return
            start = chunk.end
            read.ends[str(path)] = inode, start
            yield from _batches(path, chunk, read, reader)
            if chunk.is_broken:
                return

    def signs(self, run: SourceRun, now: datetime) -> Signs | None:
        states = [files.state(path) for path, _ in _states(run)]
        latest_ns = max((state[2] for state in states if state is not None), default=0)
        written_at = datetime.fromtimestamp(min(latest_ns / 1e9, 2**34), UTC)
        is_gone = open_files.is_left([path for path, _ in _states(run)], written_at, now)
        return Signs(now, None, written_at, is_gone)


def _batches(
    path: Path, chunk: event_records.Chunk, read: _Reading, reader: EventReader
) -> Iterator[SourceBatch]:
    batch = SourceBatch(None, read_bytes=read.bytes)
    for record in chunk.records:
        restarts_at = reader.take(record, batch)
        if restarts_at is not None:
            # All that came before is written first; the mark goes with the last batch of a chunk.
            yield batch
            batch = SourceBatch(None, restarts_at=restarts_at, read_bytes=read.bytes)
    batch.mark = read.mark()
    if chunk.damaged:
        batch.left_out["damaged records, whose checksum does not fit"] += chunk.damaged
    if chunk.too_large:
        batch.left_out["records of more than 64 MB"] += chunk.too_large
    if chunk.is_broken:
        batch.notes[path.name] = (
            f"{path.name} is damaged at byte {chunk.end:,}: what comes after it cannot be read"
        )
    yield batch


@dataclass(slots=True)
class _Reading:
    """How far the files of a run were read."""

    ends: dict[str, tuple[int, int]]
    """By path: its inode, and where the next record begins."""
    learnt: Learnt

    @classmethod
    def of(cls, mark: Mark) -> _Reading:
        ends, learnt = mark.get("ends"), mark.get("learnt")
        if not isinstance(ends, dict) or not isinstance(learnt, list):
            return cls({}, Learnt())
        kept = {path: (int(one[0]), int(one[1])) for path, one in ends.items()}  # type: ignore
        return cls(kept, Learnt(*learnt))  # type: ignore[arg-type]

    def mark(self) -> Mark:
        learnt = self.learnt
        return {
            "ends": {path: list(end) for path, end in self.ends.items()},
            "learnt": [dict(learnt.plugins), learnt.files, learnt.file_bytes],
        }

    @property
    def bytes(self) -> int:
        return sum(end for _, end in self.ends.values())


def _states(run: SourceRun) -> list[tuple[Path, FileStat]]:
    return list(run.state)  # type: ignore[arg-type]


def _is_event_file(entry: os.DirEntry[str]) -> bool:
    return _EVENTS in entry.name and not entry.name.endswith(".profile-empty")
