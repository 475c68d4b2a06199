"""Weights & Biases: the folder `wandb/` with a folder for each run, or one `.wandb` file.

A run that was resumed has several files, which are read one after the other. A run whose file has
no exit record is still written, or was killed.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flowtui.sources import files, open_files, wandb_log
from flowtui.sources.files import FileStat
from flowtui.sources.records import (
    Mark,
    SourceBatch,
    SourceError,
    SourceFile,
    SourceRun,
    moment,
)
from flowtui.sources.wandb_records import WandbLearnt, WandbReader
from flowtui.store.liveness.standing import Signs
from flowtui.store.schema.mirror import RunRow
from flowtui.store.values import Status

TOOL = "Weights & Biases"
_FILE = re.compile(r"run-(.+)\.wandb")
_STAMP = re.compile(r"run-(\d{8}_\d{6})-")
_LATEST = "latest-run"
"""A link to the newest run's folder."""
_DEPTH = 3
_MOST_FILES = 5_000
_SPACE = uuid.UUID("9c2f7d0e-6a43-5b6e-8a55-0a4b1a1f2c11")


def recognise(path: Path) -> WeightsAndBiases | None:
    """Return the source at a path, None if it has no `.wandb` file in it."""
    if path.is_file():
        return WeightsAndBiases(path) if _is_log(path) else None
    found = any(
        _FILE.fullmatch(entry.name) and _is_log(folder / entry.name)
        for folder, entries in files.walk(path, _DEPTH, files.TO_RECOGNISE)
        for entry in entries
    )
    return WeightsAndBiases(path) if found else None


def _is_log(path: Path) -> bool:
    try:
        with files.opened(path) as file:
            return file.read(len(wandb_log.MAGIC)) == wandb_log.MAGIC
    except OSError:
        return False


class WeightsAndBiases:
    """One folder of runs, or one file."""

    tool = TOOL
    remarks: Sequence[str] = ()

    def __init__(self, root: Path) -> None:
        """Take the real path of a folder or file."""
        self.root = root
        self._heads: dict[Path, tuple[int, RunRow]] = {}

    def runs(self) -> Sequence[SourceRun]:
        if not self.root.exists():
            raise SourceError(f"{self.root} is not there any more")
        by_id: dict[str, list[Path]] = {}
        for path in self._logs():
            found = _FILE.fullmatch(path.name)
            by_id.setdefault(found[1] if found else path.stem, []).append(path)
        listed = [self._run(run_id, paths) for run_id, paths in by_id.items()]
        runs = [run for run in listed if run is not None]
        return sorted(runs, key=lambda run: run.row.created_at or moment(0), reverse=True)

    def _logs(self) -> Iterator[Path]:
        if self.root.is_file():
            yield self.root
            return
        for folder, entries in files.walk(self.root, _DEPTH):
            if folder.name != _LATEST:
                yield from (folder / entry.name for entry in entries if _FILE.fullmatch(entry.name))

    def _run(self, run_id: str, paths: Sequence[Path]) -> SourceRun | None:
        # Folders begin with the time of their run.
        ordered = sorted(paths, key=lambda path: (_stamp(path), str(path)))
        states = [(path, found) for path in ordered if (found := files.state(path)) is not None]
        if not states:
            return None
        first, (inode, _, mtime_ns) = states[0]
        known = self._heads.get(first)
        if known is None or known[0] != inode:
            row = RunRow(
                id=str(uuid.uuid5(_SPACE, f"{run_id}\0{first.parent.name}")),
                name=run_id,
                group=self.root.parent.name if self.root.name == "wandb" else self.root.name,
                status=Status.ACTIVE,
                created_at=moment(mtime_ns // 1_000_000_000),
                source=str(first.parent),
            )
            known = self._heads[first] = inode, _head(first, row)
        return SourceRun(known[1], tuple(states), sum(state[1] for _, state in states))

    def read(self, run: SourceRun, mark: Mark) -> Iterator[SourceBatch]:
        read = _WandbReading.of(mark)
        states: dict[Path, FileStat] = dict(run.state)  # type: ignore[arg-type]
        for path, (inode, size, _) in states.items():
            before, end = read.ends.get(str(path), (inode, 0))
            if before != inode or end > size:
                read = _WandbReading({}, WandbLearnt())
                yield SourceBatch(read.mark(), starts_anew=True)
                break
        reader = WandbReader(run.row, read.learnt)
        for path, (inode, size, _) in states.items():
            end = max(read.ends.get(str(path), (inode, 0))[1], wandb_log.START)
            while end < size:
                try:
                    with files.opened(path) as file:
                        chunk = wandb_log.chunk(file, end, size)
                except OSError as error:
                    note = f"{path.name} cannot be read: {error.strerror or error}"
                    yield SourceBatch(None, notes={path.name: note})
                    break
                batch = SourceBatch(None)
                for record in chunk.records:
                    reader.take(record, batch)
                is_at_end = chunk.end == end
                end = chunk.end
                read.ends[str(path)] = inode, end
                batch.mark, batch.read_bytes = read.mark(), read.bytes
                if chunk.damaged and not is_at_end:
                    batch.left_out["damaged parts, whose checksum does not fit"] += chunk.damaged
                if chunk.too_large:
                    batch.left_out["records of more than 64 MB"] += chunk.too_large
                yield batch
                if is_at_end:
                    break
        last = SourceBatch(read.mark(), read_bytes=read.bytes, files=_beside(states))
        reader.tell_summary(last)
        yield last

    def signs(self, run: SourceRun, now: datetime) -> Signs | None:
        states: dict[Path, FileStat] = dict(run.state)  # type: ignore[arg-type]
        paths = list(states)
        found = [state for path in paths if (state := files.state(path)) is not None]
        latest_ns = max((state[2] for state in found), default=0)
        written_at = datetime.fromtimestamp(min(latest_ns / 1e9, 2**34), UTC)
        return Signs(now, None, written_at, open_files.is_left(paths, written_at, now))


def _head(path: Path, row: RunRow) -> RunRow:
    """Return what the beginning of a file says of its run."""
    batch = SourceBatch(None)
    reader = WandbReader(row, WandbLearnt())
    try:
        with files.opened(path) as file:
            for record in wandb_log.chunk(file, wandb_log.START, 64_000).records[:20]:
                reader.take(record, batch)
                if batch.row is not None:
                    return batch.row
    except OSError:
        pass
    return row


def _beside(states: dict[Path, FileStat]) -> list[SourceFile]:
    """Return the files that a run saved, media among them; they stay where they are."""
    found: list[SourceFile] = []
    for path in states:
        folder = path.parent / "files"
        for inside, entries in files.walk(folder):
            for entry in entries:
                state = files.state(inside / entry.name)
                if state is not None and len(found) < _MOST_FILES:
                    name = files.safe_name(os.path.relpath(inside / entry.name, folder))
                    when = moment(state[2] // 1_000_000_000)
                    found.append(SourceFile(name, None, inside / entry.name, when))
    return found


def _stamp(path: Path) -> str:
    found = _STAMP.search(path.parent.name)
    return found[1] if found else ""


@dataclass(slots=True)
class _WandbReading:
    """How far the files of a run were read."""

    ends: dict[str, tuple[int, int]]
    """By path: its inode, and where the next record begins."""
    learnt: WandbLearnt

    @classmethod
    def of(cls, mark: Mark) -> _WandbReading:
        ends, learnt = mark.get("ends"), mark.get("learnt")
        if not isinstance(ends, dict) or not isinstance(learnt, list):
            return cls({}, WandbLearnt())
        kept = {path: (int(one[0]), int(one[1])) for path, one in ends.items()}  # type: ignore
        return cls(kept, WandbLearnt(*learnt))  # type: ignore[arg-type]

    def mark(self) -> Mark:
        learnt = self.learnt
        return {
            "ends": {path: list(end) for path, end in self.ends.items()},
            "learnt": [
                dict(learnt.keys),
                learnt.config,
                learnt.summary,
                learnt.started_s,
                learnt.step,
            ],
        }

    @property
    def bytes(self) -> int:
        return sum(end for _, end in self.ends.values())
