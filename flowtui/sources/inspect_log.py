"""Inspect AI: one log of an evaluation (`.eval`, `.json`), or a folder of them.

A log is a run. An `.eval` log is a zip file, which is written anew at each flush, with all entries
of before and new ones behind them: its header comes last, and until then it has `_journal/`.
Source: inspect_ai/log/_recorders/eval.py, json.py.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from flowtui.sources import files
from flowtui.sources.files import FileStat
from flowtui.sources.inspect_archive import InspectArchive, LogError
from flowtui.sources.inspect_header import row_of
from flowtui.sources.inspect_json import head_of, is_log, read_json
from flowtui.sources.inspect_reading import ArchiveReading
from flowtui.sources.json_values import (
    mapping,
    text,
)
from flowtui.sources.records import Mark, SourceBatch, SourceError, SourceRun, moment
from flowtui.store.liveness.standing import Signs
from flowtui.store.schema.mirror import RunRow
from flowtui.store.values import JsonValue, Status

Header: TypeAlias = Mapping[str, JsonValue]
TOOL = "Inspect"
_EVAL, _JSON = ".eval", ".json"
_MAGIC = b"PK\3\4"
_DEPTH = 8
_MOST_JSON = 500
"""In so many files that end in .json a log is looked for, since many tools write such."""
_NAME = re.compile(r"\d{4}-\d\d-\d\dT[\d-]+(?:[+-][\d-]+)?_(.+)_[^_]+")
"""What Inspect calls its logs by: time, task, id."""
_LOST_S = 86_400.0
"""After this time of silence it is taken that nobody writes a log: a sample may take hours, and the
log is not open meanwhile."""
_SPACE = uuid.UUID("6a1d0b52-95a3-5f0e-8b07-2d3e6cf1a9b4")


def recognise(path: Path) -> InspectLogs | None:
    """Return the source at a path, None if there is no log of Inspect."""
    if path.is_file():
        return InspectLogs(path) if _is_log(path) else None
    left = _MOST_JSON
    for folder, entries in files.walk(path, _DEPTH, files.TO_RECOGNISE):
        for entry in entries:
            if entry.name.endswith(_JSON):
                left -= 1
            elif not entry.name.endswith(_EVAL):
                continue
            if left >= 0 and _is_log(folder / entry.name):
                return InspectLogs(path)
    return None


def _is_log(path: Path) -> bool:
    if path.suffix not in (_EVAL, _JSON):
        return False
    try:
        with files.opened(path) as file:
            return file.read(4) == _MAGIC if path.suffix == _EVAL else is_log(file)
    except OSError:
        return False


class InspectLogs:
    """One folder of logs, or one log."""

    tool = TOOL
    remarks: Sequence[str] = ()

    def __init__(self, root: Path) -> None:
        """Take the real path of a folder or file."""
        self.root = root
        self._listed: dict[Path, tuple[FileStat, tuple[str, RunRow] | None]] = {}
        """By path: its state, and what stands for the evaluation with the row of its run."""

    def runs(self) -> Sequence[SourceRun]:
        if not self.root.exists():
            raise SourceError(f"{self.root} is not there any more")
        found: dict[str, SourceRun] = {}
        for path in self._logs():
            state = files.state(path)
            known = None if state is None else self._known(path, state)
            if state is None or known is None:
                continue
            word, row = known
            # The id goes with a log that is moved; a copy of it is a run of its own.
            row = replace(row, id=_id(word, path.name))
            if row.id in found:
                row = replace(row, id=_id(word, os.path.relpath(path, self.root)))
            found[row.id] = SourceRun(row, ((path, state),), state[1])
        return sorted(found.values(), key=lambda run: run.row.created_at or moment(0), reverse=True)

    def _logs(self) -> Iterator[Path]:
        if self.root.is_file():
            yield self.root
            return
        for folder, entries in files.walk(self.root, _DEPTH):
            yield from (
                folder / entry.name for entry in entries if entry.name.endswith((_EVAL, _JSON))
            )

    def _known(self, path: Path, state: FileStat) -> tuple[str, RunRow] | None:
        """Return what a log says of itself, None of a file that is no log."""
        known = self._listed.get(path)
        if known is None or known[0] != state:
            head = _head(path, state)
            known = self._listed[path] = state, head and _row(path, state, *head)
        return known[1]

    def read(self, run: SourceRun, mark: Mark) -> Iterator[SourceBatch]:
        ((path, state),) = _states(run)
        try:
            if path.suffix == _JSON:
                yield from read_json(path, run.row, mark)
            else:
                yield from ArchiveReading(InspectArchive(path, state), run.row, mark).batches()
        except LogError as error:
            raise SourceError(f"{path.name} {error}") from error
        except OSError as error:
            raise SourceError(f"{path.name} cannot be read: {error.strerror or error}") from error

    def signs(self, run: SourceRun, now: datetime) -> Signs | None:
        ((path, _),) = _states(run)
        found = files.state(path)
        written_at = datetime.fromtimestamp(min((found[2] if found else 0) / 1e9, 2**34), UTC)
        is_gone = (now - written_at).total_seconds() > _LOST_S
        return Signs(now, None, written_at, is_gone)


def _states(run: SourceRun) -> list[tuple[Path, FileStat]]:
    return list(run.state)  # type: ignore[arg-type]


def _id(*words: str) -> str:
    return str(uuid.uuid5(_SPACE, "\0".join(words)))


def _row(path: Path, state: FileStat, header: Header) -> tuple[str, RunRow]:
    named = _NAME.fullmatch(path.stem)
    task = named[1] if named else path.stem
    row = RunRow(
        id="",
        name=task,
        group=task,
        status=Status.ACTIVE,
        created_at=moment(state[2] // 1_000_000_000),
        source=str(path),
    )
    if header:
        row = row_of(header, row)
    return text(mapping(header.get("eval")).get("eval_id")), row


def _head(path: Path, state: FileStat) -> tuple[Header] | None:
    """Return what a log says of itself, empty where that is not there yet; None of no log."""
    try:
        if path.suffix == _JSON:
            with files.opened(path) as file:
                return (head_of(file),) if is_log(file) else None
        return (InspectArchive(path, state).header(),)
    except (LogError, OSError):
        return ({},)
