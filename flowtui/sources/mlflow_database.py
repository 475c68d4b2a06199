"""MLflow's tracking store in a database of SQLite, `mlflow.db`.

Its tables change with most versions: what is read is what there is. Rows of metrics are only ever
added, so that a mark is the number of the last row that was read, and what that row said.
Source: mlflow/store/tracking/dbmodels/models.py.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from flowtui import format as fmt
from flowtui.sources import files
from flowtui.sources.mlflow_database_traces import DatabaseTraces
from flowtui.sources.mlflow_progress import RunProgress
from flowtui.sources.mlflow_reads import Row, ShortReads, Tables, chosen
from flowtui.sources.mlflow_records import (
    TOOL,
    Artifacts,
    RunFacts,
    artifacts,
    metric,
    param,
    traces_row,
    whole,
)
from flowtui.sources.open_files import LOST_S
from flowtui.sources.records import Mark, SourceBatch, SourceError, SourceRun, moment
from flowtui.store.liveness.standing import Signs
from flowtui.store.schema.mirror import RunRow
from flowtui.store.schema.rows import MetricRow
from flowtui.store.values import JsonValue, Status

_SETTLED_NS = 100_000_000
"""A file that was written more recently may be written again without another time."""
_MOST_STEP = 2**62
_RUN = ("name", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri",
        "experiment_id", "user_id", "source_name")  # fmt: skip
_RUNS_AT_ONCE = 200
_NEEDED = (
    ("runs", "run_uuid"),
    ("metrics", "run_uuid"),
    ("params", "run_uuid"),
    ("experiments", "experiment_id"),
)
"""Tables and columns of every version so far."""
_OTHERS = {
    "registered_models": "registered models and prompts",
    "evaluation_datasets": "evaluation datasets",
    "scorers": "scorers",
}
"""Tables of what belongs to no run."""


def is_tracking_store(path: Path) -> bool:
    """Say whether a database of SQLite has MLflow's tables."""
    with suppress(SourceError), closing(ShortReads(path)) as reads:
        return _is_mlflows(reads.tables())
    return False


def _is_mlflows(tables: Tables) -> bool:
    return all(column in tables.get(table, ()) for table, column in _NEEDED)


@dataclass(slots=True)
class DatabaseRun:
    """One run, as listing saw it."""

    row: RunRow
    facts: RunFacts | None
    """None for the run that stands for the traces of none."""
    artifacts: Artifacts = field(default_factory=lambda: Artifacts(None))
    last_rows: tuple[int, int] = (0, 0)
    """The numbers of its last rows in metrics and params."""
    traces: dict[str, str] = field(default_factory=dict)
    """Version by id."""
    counts: tuple[int, int] = (0, 0)
    """How many models it logged, and how many inputs and outputs it has."""
    last_ms: int | None = None
    """When the last point came, of a run that goes on."""

    def small(self) -> list[object]:
        """Return what changes when anything but metrics and traces does."""
        tags = [] if self.facts is None else sorted(self.facts.tags.items())
        where = self.artifacts.state(self.row.status == Status.ACTIVE)
        return [self.last_rows[1], self.counts, tags, where, self.artifacts.note]

    def listed(self) -> SourceRun:
        """Return what the list is told."""
        state = json.dumps(
            [
                self.last_rows[0],
                self.small(),
                sorted(self.traces.items()),
            ]
        )
        return SourceRun(self.row, (hashlib.sha256(state.encode()).hexdigest(),))


class MlflowDatabase:
    """One database."""

    tool = TOOL
    remarks: Sequence[str] = ()

    def __init__(self, root: Path) -> None:
        """Take the real path of a file."""
        self.root = root
        self._reads = ShortReads(root)
        self._traces = DatabaseTraces(self._reads, root.parent)
        self._found: dict[str, DatabaseRun] = {}
        self._seen: tuple[object, ...] = ()
        self._points = ""
        """Asks for the points of a run, as this version of the tables has them."""

    def runs(self) -> Sequence[SourceRun]:
        now_ns = time.time_ns()
        log = self.root.with_name(f"{self.root.name}-wal")
        states = files.state(self.root), files.state(log)
        if states[0] is None:
            raise SourceError(f"{self.root} is not there any more")
        if states != self._seen:
            with closing(self._reads):
                self._list()
            written_ns = max(state[2] for state in states if state is not None)
            self._seen = states if written_ns < now_ns - _SETTLED_NS else ()
        listed = [found.listed() for found in self._found.values()]
        return sorted(listed, key=lambda run: run.row.created_at or moment(0), reverse=True)

    def _list(self) -> None:
        tables = self._reads.tables()
        if not _is_mlflows(tables):
            raise SourceError(f"{self.root} has not the tables of MLflow any more")
        points = chosen(tables, "metrics", ("key", "value", "timestamp", "step", "is_nan"))
        self._points = f"SELECT rowid, {points} FROM metrics WHERE run_uuid = :run"
        experiments = self._experiments(tables)
        tags: dict[str, dict[str, str]] = {}
        if {"key", "value", "run_uuid"} <= tables.get("tags", frozenset()):
            sql = "SELECT rowid, run_uuid, key, value FROM tags WHERE rowid > :after ORDER BY rowid"
            for rows in self._reads.pages(sql, {}, -1):
                for _, run_id, key, value in rows:
                    tags.setdefault(str(run_id), {})[str(key)] = _text(value)
        found: dict[str, DatabaseRun] = {}
        deleted: set[str] = set()
        sql = (
            f"SELECT rowid, run_uuid, {chosen(tables, 'runs', _RUN)} FROM runs"
            " WHERE rowid > :after ORDER BY rowid"
        )
        for rows in self._reads.pages(sql, {}, -1):
            for _, run_id, *columns in rows:
                said = dict(zip(_RUN, columns, strict=True))
                experiment, is_active = experiments.get(said["experiment_id"], ("", True))
                if said["lifecycle_stage"] == "deleted" or not is_active:
                    deleted.add(str(run_id))
                    continue
                run = self._run(str(run_id), said, experiment, tags.get(str(run_id), {}))
                found[str(run_id)] = run
        self._add_last_rows(found)
        self._add_counts(found, tables)
        by_run, without = self._traces.by_run(tables, found.keys(), deleted)
        for run_id, versions in by_run.items():
            found[run_id].traces = versions
        for experiment_id, (first_ms, versions) in without.items():
            name, is_active = experiments.get(experiment_id, (str(experiment_id), True))
            if is_active:
                row = traces_row(str(experiment_id), name, first_ms, str(self.root))
                found[f"traces of {experiment_id}"] = DatabaseRun(row, None, traces=versions)
        self._found = {one.row.id: one for one in found.values()}
        self.remarks = self._remarks(len(deleted), tables)

    def _experiments(self, tables: Tables) -> dict[object, tuple[str, bool]]:
        """Return the name of each experiment, and whether it is not deleted."""
        columns = chosen(tables, "experiments", ("experiment_id", "name", "lifecycle_stage"))
        sql = f"SELECT rowid, {columns} FROM experiments WHERE rowid > :after ORDER BY rowid"
        return {
            key: (_text(name), stage != "deleted")
            for rows in self._reads.pages(sql, {}, -1)
            for _, key, name, stage in rows
        }

    def _run(
        self, run_id: str, said: Mapping[str, object], experiment: str, tags: Mapping[str, str]
    ) -> DatabaseRun:
        if said["source_name"]:
            tags = {"mlflow.source.name": _text(said["source_name"]), **tags}
        facts = RunFacts(
            run_id=run_id,
            experiment=experiment,
            name=_text(said["name"]),
            status=_text(said["status"]),
            start_ms=said["start_time"],
            end_ms=said["end_time"],
            user=_text(said["user_id"]),
            tags=tags,
        )
        around = self.root.parent
        tail = Path(_safe(said["experiment_id"]), _safe(run_id), "artifacts")
        others = [around / folder / tail for folder in ("mlruns", "mlartifacts")]
        where = artifacts(_text(said["artifact_uri"]), around, others)
        return DatabaseRun(facts.row(str(self.root)), facts, where)

    def _add_last_rows(self, found: Mapping[str, DatabaseRun]) -> None:
        """Find the last row of each run in metrics and in params, and when a point last came."""
        last: dict[str, dict[str, int]] = {}
        for table in ("metrics", "params"):
            if self._reads.is_quick(table, "run_uuid"):
                last[table] = self._last_rows(table, list(found))
            else:
                # Databases of old versions lack the index.
                sql = f"SELECT run_uuid, max(rowid) FROM {table} GROUP BY run_uuid"
                last[table] = {str(key): cast(int, row) for key, row in self._reads.rows(sql)}
        for run_id, one in found.items():
            row = last["metrics"].get(run_id, 0)
            one.last_rows = row, last["params"].get(run_id, 0)
            if one.row.status == Status.ACTIVE and row:
                sql = "SELECT timestamp FROM metrics WHERE rowid = :row"
                for (at_ms,) in self._reads.rows(sql, {"row": row}):
                    one.last_ms = whole(at_ms)

    def _last_rows(self, table: str, run_ids: Sequence[str]) -> dict[str, int]:
        sql = f"SELECT rowid FROM {table} WHERE run_uuid = ? ORDER BY rowid DESC LIMIT 1"
        found: dict[str, int] = {}
        for start in range(0, len(run_ids), _RUNS_AT_ONCE):
            some = run_ids[start : start + _RUNS_AT_ONCE]

            def ask(connection: sqlite3.Connection, some: Sequence[str] = some) -> dict[str, int]:
                rows = {one: connection.execute(sql, (one,)).fetchone() for one in some}
                return {one: int(row[0]) for one, row in rows.items() if row is not None}

            found |= self._reads.ask(ask)
        return found

    def _add_counts(self, found: Mapping[str, DatabaseRun], tables: Tables) -> None:
        """Count what belongs to runs and has no place."""
        models: Counter[str] = Counter()
        inputs: Counter[str] = Counter()
        if "source_run_id" in tables.get("logged_models", ()):
            sql = (
                "SELECT rowid, source_run_id FROM logged_models WHERE rowid > :after ORDER BY rowid"
            )
            for rows in self._reads.pages(sql, {}, -1):
                models.update(str(run_id) for _, run_id in rows)
        wanted = ("source_type", "source_id", "destination_type", "destination_id")
        if tables.get("inputs", frozenset()).issuperset(wanted):
            sql = (
                f"SELECT rowid, {', '.join(wanted)} FROM inputs WHERE rowid > :after ORDER BY rowid"
            )
            for rows in self._reads.pages(sql, {}, -1):
                for _, source, source_id, target, target_id in rows:
                    inputs[str(target_id if str(target).startswith("RUN") else source_id)] += str(
                        target
                    ).startswith("RUN") or str(source).startswith("RUN")
        for run_id, one in found.items():
            one.counts = models[run_id], inputs[run_id]

    def _remarks(self, deleted: int, tables: Tables) -> list[str]:
        said = []
        if deleted:
            said.append(f"not listed, since deleted in MLflow: {fmt.count(deleted, 'run')}")
        for table, what in _OTHERS.items():
            if table in tables:
                ((number,),) = self._reads.rows(f"SELECT count(*) FROM {table}")
                if number:
                    said.append(f"not listed, since they belong to no run: {number:,} {what}")
        return said + self._traces.remarks

    def read(self, run: SourceRun, mark: Mark) -> Iterator[SourceBatch]:
        with closing(self._reads):
            yield from self._read(run, mark)

    def _read(self, run: SourceRun, mark: Mark) -> Iterator[SourceBatch]:
        found = self._found.get(run.row.id)
        if found is None:
            raise SourceError(f"{run.row.name} is not there any more")
        progress = RunProgress(mark)
        last = mark.get("last")
        if self._is_void(found, progress, last):
            progress, last = RunProgress({}), None
            yield SourceBatch({}, starts_anew=True)
        number = int(cast(int, last[0])) if isinstance(last, list) else 0

        def marked() -> Mark:
            return {"last": last, **progress.mark()}

        first = SourceBatch(None)
        if found.facts is not None and not progress.has_told(found.small()):
            sql = "SELECT key, value FROM params WHERE run_uuid = :run LIMIT 100000"
            for key, value in self._reads.rows(sql, {"run": found.facts.run_id}):
                first.params[_text(key)] = param(_text(value))
            progress.facts(found.facts, *found.counts, first)
            found.artifacts.listed(first)
        first.mark = marked()
        yield first
        if found.facts is not None and found.last_rows[0] > number:
            sql = f"{self._points} AND rowid > :after AND rowid <= :end ORDER BY rowid"
            # What comes meanwhile is read after the next look.
            values = {"run": found.facts.run_id, "end": found.last_rows[0]}
            for rows in self._reads.pages(sql, values, number):
                batch = SourceBatch(None)
                for row in rows:
                    _take(row, batch)
                last = cast("list[JsonValue]", list(rows[-1]))
                batch.mark = marked()
                yield batch
        for batch in progress.traces(found.traces, self._traces.load):
            batch.mark = marked()
            yield batch

    def _is_void(self, found: DatabaseRun, progress: RunProgress, last: object) -> bool:
        """Say whether rows were removed, or have other numbers since the file was rewritten."""
        if progress.versions.keys() - found.traces.keys():
            return True
        if not isinstance(last, list) or found.facts is None:
            return False
        sql = f"{self._points} AND rowid = :row"
        values = {"row": last[0], "run": found.facts.run_id}
        return [list(row) for row in self._reads.rows(sql, values)] != [last]

    def signs(self, run: SourceRun, now: datetime) -> Signs | None:
        found = self._found.get(run.row.id)
        if found is None or found.facts is None:
            return None
        # A server may write it, or the disk be another machine's: so only long silence tells.
        last_ms = found.last_ms if found.last_ms is not None else whole(found.facts.start_ms)
        written_at = moment((last_ms or 0) // 1_000)
        return Signs(now, None, written_at, now - written_at > timedelta(seconds=LOST_S))


def _take(row: Row, batch: SourceBatch) -> None:
    _, key, kept, timestamp, kept_step, is_nan = row
    # The oldest tables have no steps.
    step = 0 if kept_step is None else whole(kept_step)
    value, time_ms = metric(kept, is_nan), whole(timestamp)
    if value is None or step is None or abs(step) >= _MOST_STEP:
        batch.left_out["metrics that are no numbers"] += 1
        return
    point: MetricRow = (_text(key), value, step, moment((time_ms or 0) // 1_000))
    batch.points.append(point)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _safe(value: object) -> str:
    return files.safe_name(_text(value).replace("/", "_"))
