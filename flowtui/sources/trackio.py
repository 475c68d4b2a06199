"""Trackio: a folder with a database for each project, or one of them.

A run is what has rows of one run_id in a project; its end is recorded nowhere.
Source: trackio/sqlite_storage.py, trackio/run.py.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flowtui.sources import files, trackio_tables
from flowtui.sources.json_values import mapping, text, when
from flowtui.sources.records import Mark, SourceBatch, SourceError, SourceFile, SourceRun, moment
from flowtui.sources.trackio_tables import RunInTables
from flowtui.sources.trackio_traces import take_trace
from flowtui.sources.trackio_values import RowAt, config_params, parsed, take_metrics
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError, DatabaseMissing
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.liveness.standing import Signs
from flowtui.store.schema.mirror import RunRow
from flowtui.store.values import JsonValue, Status

TOOL = "Trackio"
_SUFFIX = ".db"
_MOST_LOOKED_AT = 50
"""So many databases are opened to find one of Trackio; each takes about a millisecond."""
_MOST_COPIED_BYTES = 1 << 30
"""Of a database that could only be read as a copy, for it may be of any program."""
_SPACE = uuid.UUID("2f8d6b1c-0a57-5e0e-9c3b-5d41c7e2a8f0")
_SILENT_S, _INTERVALS = 600.0, 30.0
"""A run is taken to have stopped after this time without a row, and this many times the mean time
between its rows: nothing else tells, since Trackio opens its database for each write."""
_MOST_STEP = 2**62


def recognise(path: Path) -> Trackio | None:
    """Return the source at a path, None if there is no project of Trackio."""
    if path.is_file():
        return Trackio(path) if _is_project(path) else None
    left = _MOST_LOOKED_AT
    for folder, entries in files.walk(path, 1, files.TO_RECOGNISE):
        for entry in entries:
            if entry.name.endswith(_SUFFIX) and left:
                left -= 1
                if _is_project(folder / entry.name):
                    return Trackio(path)
    return None


def _is_project(path: Path) -> bool:
    if path.suffix != _SUFFIX or files.state(path) is None:
        return False
    database = trackio_tables.project_database(path)
    try:
        is_copied = database.fingerprint().has_log and not database.has_shm
        if is_copied and database.fingerprint().size_bytes > _MOST_COPIED_BYTES:
            return False
        return trackio_tables.has_tables(database)
    except DatabaseError:
        return False
    finally:
        database.close()


@dataclass(slots=True)
class _Project:
    """One database, and its runs as they were last listed."""

    database: Database
    is_project: bool = False
    seen: Fingerprint | None = None
    runs: Sequence[RunInTables] = ()


class Trackio:
    """A folder of projects, or the database of one."""

    tool = TOOL
    remarks: Sequence[str] = ()

    def __init__(self, root: Path) -> None:
        """Take the real path of a folder or file."""
        self.root = root
        self._projects: dict[Path, _Project] = {}

    def runs(self) -> Sequence[SourceRun]:
        if not self.root.exists():
            raise SourceError(f"{self.root} is not there any more")
        paths = [self.root] if self.root.is_file() else list(self._databases())
        failures: list[DatabaseError] = []
        found: list[SourceRun] = []
        for path in paths:
            project = self._projects.setdefault(
                path, _Project(trackio_tables.project_database(path))
            )
            try:
                self._look(project)
            except DatabaseError as error:
                # What was listed before stays, as of a database that is being written anew.
                failures.append(error)
            found += [self._run(path, run) for run in project.runs]
        for path in self._projects.keys() - set(paths):
            self._projects.pop(path).database.close()
        if failures and not found:
            raise SourceError(str(failures[0])) from failures[0]
        return sorted(found, key=lambda run: run.row.created_at or moment(0), reverse=True)

    def _databases(self) -> Iterator[Path]:
        for folder, entries in files.walk(self.root, 1):
            yield from (folder / entry.name for entry in entries if entry.name.endswith(_SUFFIX))

    def _look(self, project: _Project) -> None:
        """List the runs of a project anew, if its files have changed.

        Raises:
            DatabaseError: The database cannot be read.
        """
        try:
            state = project.database.fingerprint()
        except DatabaseMissing:
            project.runs, project.seen = (), None
            return
        if project.seen is not None and project.seen == state and project.seen.is_settled:
            return
        project.is_project = project.is_project or trackio_tables.has_tables(project.database)
        if project.is_project:
            project.runs = project.database.read(trackio_tables.listed)
        project.seen = state

    def _run(self, path: Path, run: RunInTables) -> SourceRun:
        config = mapping(parsed(run.config))
        row = RunRow(
            id=str(uuid.uuid5(_SPACE, f"{text(path.stem)}\0{text(run.key)}")),
            name=text(run.name) or text(run.key),
            group=text(config.get("_Group")) or path.stem,
            status=Status.ACTIVE,
            created_at=when(config.get("_Created")) or when(run.began),
            source=str(path),
        )
        # Rows are added, with higher numbers; the bytes of one run's rows are not known.
        return SourceRun(row, (str(path), run.key, sorted(run.spans.items()), run.artifacts))

    def read(self, run: SourceRun, mark: Mark) -> Iterator[SourceBatch]:
        path, tables = self._found(run)
        reading = _TrackioReading(self.root, path, tables, run.row, mark)
        try:
            yield from reading.batches(self._projects[path].database)
        except DatabaseError as error:
            raise SourceError(str(error)) from error

    def _found(self, run: SourceRun) -> tuple[Path, RunInTables]:
        path = Path(str(run.state[0]))
        for one in self._projects[path].runs if path in self._projects else ():
            if one.key == run.state[1]:
                return path, one
        raise SourceError(f"the run {run.row.name} is not in {path.name} any more")

    def signs(self, run: SourceRun, now: datetime) -> Signs | None:
        try:
            _, found = self._found(run)
        except SourceError:
            return None
        began, ended = when(found.began), when(found.ended)
        if began is None or ended is None:
            return Signs(now, None, None)
        interval_s = (ended - began).total_seconds() / max(found.row_count - 1, 1)
        silent_s = (now - ended).total_seconds()
        is_gone = silent_s > max(_SILENT_S, _INTERVALS * interval_s)
        return Signs(now, None, ended, is_gone, has_own_clock=True)


class _TrackioReading:
    """Reads what a run has beyond a mark, table by table."""

    def __init__(self, root: Path, path: Path, run: RunInTables, row: RunRow, mark: Mark) -> None:
        self._run, self._row = run, row
        self._project = path.stem
        self._root = root if root.is_dir() else root.parent
        self._media = path.parent / "media"
        self._ends = {name: _numbers(end) for name, end in mapping(mark.get("ends")).items()}
        began = when(mark.get("began")) or row.created_at or moment(0)
        self._began = began
        self._artifacts = mark.get("artifacts")

    def batches(self, database: Database) -> Iterator[SourceBatch]:
        """Yield all that is new.

        Raises:
            DatabaseError: The database cannot be read.
        """
        if any(self._is_other(table, end) for table, end in self._ends.items()):
            self._ends, self._artifacts = {}, None
            yield SourceBatch({}, starts_anew=True)
        for table, (wanted, take) in _TAKERS.items():
            after = self._ends.get(table, (0, 0))[1]
            for found, at in trackio_tables.rows(database, self._run, table, after, wanted):
                batch = SourceBatch(None)
                for row in found:
                    take(self, row, batch)
                self._ends[table] = self._run.spans[table][0], at
                batch.mark = self._mark()
                yield batch
        last = SourceBatch(None)
        before = self._artifacts if isinstance(self._artifacts, int) else 0
        if self._run.artifacts > before:
            last.left_out["uses of artifacts"] += self._run.artifacts - before
        self._artifacts = self._run.artifacts
        last.mark = self._mark()
        yield last

    def _is_other(self, table: str, end: tuple[int, int]) -> bool:
        """Say whether a table has other rows of the run than those that were read."""
        first, last = self._run.spans.get(table, (0, 0))
        # A config that changes is a new row in the place of the old one.
        return end[1] > last or (end[0] != first and table != "configs")

    def _mark(self) -> Mark:
        return {
            "ends": {name: list(end) for name, end in self._ends.items()},
            "began": self._began.isoformat(),
            "artifacts": self._artifacts,
        }

    def _where(self, at: object, step: object) -> RowAt:
        found = when(at if isinstance(at, str) else None) or self._began
        if not isinstance(step, int) or abs(step) > _MOST_STEP:
            # What has no step was logged so many seconds after the run began.
            step = max(int((found - self._began).total_seconds()), 0)
        return RowAt(step, found, self._media, self._root)

    def _take_metrics(self, row: tuple[object, ...], batch: SourceBatch) -> None:
        number, at, step, metrics = row
        where = self._where(at, step)

        def take(key: str, given: Mapping[str, JsonValue]) -> None:
            # Before 0.25 traces stood among the metrics.
            take_trace(f"{self._row.id} {number} {key}", key, given, where, batch)

        take_metrics(metrics, where, batch, take)

    def _take_system(self, row: tuple[object, ...], batch: SourceBatch) -> None:
        _, at, metrics = row
        take_metrics(metrics, self._where(at, None), batch, lambda *_: None, "system/")

    def _take_trace(self, row: tuple[object, ...], batch: SourceBatch) -> None:
        _, own, at, step, key, place, messages, metadata, spans = row
        name = text(key if isinstance(key, str) else None) or "trace"
        if isinstance(place, int):
            name = f"{name} {place}"
        given = {
            "messages": parsed(messages), "metadata": parsed(metadata), "spans": parsed(spans),
        }  # fmt: skip
        if messages is None:
            batch.left_out["traces of more than 32 MB"] += 1
            return
        take_trace(f"{self._row.id} {own}", name, given, self._where(at, step), batch)

    def _take_alert(self, row: tuple[object, ...], batch: SourceBatch) -> None:
        _, at, title, said, level, step = row
        line = {"at": at, "level": level, "title": title, "text": said, "step": step}
        texts = {
            key: text(value) if isinstance(value, str) else value
            for key, value in line.items()
            if isinstance(value, (str, int))
        }
        data = (json.dumps(texts, ensure_ascii=False) + "\n").encode()
        when_s = self._where(at, None).at
        batch.files.append(SourceFile("alerts.jsonl", data, None, when_s, is_appended=True))

    def _take_config(self, row: tuple[object, ...], batch: SourceBatch) -> None:
        batch.params.update(config_params(parsed(row[1])))


_TAKERS = {
    "configs": (("config",), _TrackioReading._take_config),
    "metrics": (("timestamp", "step", "metrics"), _TrackioReading._take_metrics),
    "system_metrics": (("timestamp", "metrics"), _TrackioReading._take_system),
    "traces": (
        ("id", "timestamp", "step", "key", "trace_index", "messages", "metadata", "spans"),
        _TrackioReading._take_trace,
    ),
    "alerts": (("timestamp", "title", "text", "level", "step"), _TrackioReading._take_alert),
}
"""By table: the columns that are read, and what they become."""


def _numbers(value: JsonValue) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2:
        first, last = value
        if isinstance(first, int) and isinstance(last, int):
            return first, last
    return 0, 0
