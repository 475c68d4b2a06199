"""Writes runs that are read from elsewhere: many rows of runs at once, and records that come again.

The SDK writes each record once. Where a run is followed in another tool's files, a point may be
written a second time, a run may be resumed at an earlier step, and everything may begin anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from flowtui.store.closing import Closes
from flowtui.store.liveness.signs import logged_at
from flowtui.store.metrics.listing import DISTINCT_KEYS
from flowtui.store.schema.create import (
    create_experiment_db,
    create_store,
    make_folder,
    open_for_writing,
    writing,
)
from flowtui.store.schema.experiment import ExperimentWriter, uuid4
from flowtui.store.schema.rows import LinkRow, MetricRow, SpanAnnotationRow, timestamp

_EMPTY = "empty.db"
"""A database without records, which those of runs begin as copies of: making one takes 5 ms."""
_CONTENT = (
    "span_annotations",
    "eval_annotations",
    "eval_traces_bridge",
    "evals",
    "spans",
    "attachments",
    "dynamic_metrics",
    "static_params",
)
_ROW = (
    "INSERT INTO experiments (id, name, created_at, status, tags, group_id, duration, description,"
    " source, upload_status) VALUES (:id, :name, :created_at, :status, :tags, :group_id, :duration,"
    " :description, :source, 'not_uploaded') ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
    " created_at = excluded.created_at, status = excluded.status, tags = excluded.tags,"
    " group_id = excluded.group_id, duration = excluded.duration,"
    " description = excluded.description, source = excluded.source"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """What meta.db's experiments says of a run."""

    id: str
    name: str
    group: str
    status: str
    created_at: datetime | None = None
    duration_s: float | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """What exp.db's attachments says of a file."""

    name: str
    size_bytes: int
    created_at: datetime


class MirrorWriter(Closes):
    """Keeps the runs of a store the same as those of a source. Every method is one transaction."""

    def __init__(self, directory: Path, *, logs: bool = True, is_made: bool = False) -> None:
        """Open meta.db, which is made if it is missing.

        Args:
            directory: The store's folder.
            logs: Whether its databases may have a write-ahead log; on a file system that other
                machines share they may not.
            is_made: Whether it is known to be there.

        Raises:
            DatabaseError: It cannot be written.
        """
        self._directory, self._logs = directory, logs
        if not is_made:
            create_store(directory, durable=False, logs=logs)
        self._path = directory / "meta.db"
        self._database = open_for_writing(self._path, durable=False, logs=logs)

    def close(self) -> None:
        """Close meta.db."""
        self._database.close()

    def ids(self) -> set[str]:
        """Return the ids of all runs."""
        return {row[0] for row in self._database.execute("SELECT id FROM experiments")}

    def put(self, rows: Sequence[RunRow]) -> None:
        """Add runs, with empty records, or change what is said of them: experiments, groups."""
        empty = self._directory / _EMPTY
        create_experiment_db(empty, durable=False, logs=self._logs)
        for row in rows:
            target = self._directory / row.id / "exp.db"
            if not target.exists():
                make_folder(target.parent)
                shutil.copyfile(empty, target)
        with writing(self._database, self._path) as connection:
            for group in {row.group for row in rows}:
                connection.execute(
                    "INSERT INTO experiment_groups (id, name) SELECT ?, ? WHERE NOT EXISTS"
                    " (SELECT 1 FROM experiment_groups WHERE name = ?)",
                    (uuid4(), group, group),
                )
            groups = dict(connection.execute("SELECT name, id FROM experiment_groups").fetchall())
            connection.executemany(_ROW, [_columns(row, groups[row.group]) for row in rows])

    def put_copies(self, run_id: str, experiment: MirrorExperiment) -> None:
        """Copy a run's parameters and last metrics, which lists are fast with: see `end_run`."""
        params, metrics = experiment.param_copy(), experiment.last_values()
        with writing(self._database, self._path) as connection:
            connection.execute(
                "UPDATE experiments SET static_params = ?, dynamic_params = ? WHERE id = ?",
                (json.dumps(params), json.dumps(metrics), run_id),
            )

    def remove(self, run_ids: Iterable[str]) -> None:
        """Remove runs with their folders."""
        ids = list(run_ids)
        with writing(self._database, self._path) as connection:
            connection.executemany("DELETE FROM experiments WHERE id = ?", [(one,) for one in ids])
        for run_id in ids:
            shutil.rmtree(self._directory / run_id, ignore_errors=True)


class MirrorExperiment(ExperimentWriter):
    """Adds rows to one run's exp.db, and takes back what was void."""

    def clear(self) -> None:
        """Remove all records."""
        with writing(self._database, self._path) as connection:
            for table in _CONTENT:
                connection.execute(f"DELETE FROM {table}")

    def drop_points(self, from_step: int) -> int:
        """Remove the points of a step and of later ones, and return how many there were."""
        with writing(self._database, self._path) as connection:
            return connection.execute(
                "DELETE FROM dynamic_metrics WHERE step >= ?", (from_step,)
            ).rowcount

    def points(self, points: Sequence[MetricRow], last_steps: dict[str, int]) -> int:
        """Add points, of which a later one replaces an earlier one of its key and step.

        Args:
            points: Key, value, step and time of each, in the order of writing.
            last_steps: The highest step of each key so far, which is kept true.

        Returns:
            How many points replaced others that differed from them.
        """
        ahead: list[MetricRow] = []
        back: list[MetricRow] = []
        for point in points:
            key, step = point[0], point[2]
            # Most points are of a step that was not there before, which is known without a look.
            if step > last_steps.get(key, step - 1):
                ahead.append(point)
                last_steps[key] = step
            else:
                back.append(point)
        if ahead:
            self.metrics(ahead)
        return self._write_again(back) if back else 0

    def _write_again(self, points: Sequence[MetricRow]) -> int:
        replaced = 0
        with writing(self._database, self._path) as connection:
            for key, value, step, at in points:
                row = (float(value), timestamp(at))
                before = connection.execute(
                    "SELECT value, logged_at FROM dynamic_metrics WHERE key = ? AND step = ?",
                    (key, step),
                ).fetchone()
                # A NaN is kept as NULL.
                kept = (None if row[0] != row[0] else row[0], row[1])
                replaced += before is not None and tuple(before) != kept
                connection.execute(
                    "INSERT OR REPLACE INTO dynamic_metrics (key, value, step, logged_at)"
                    " VALUES (?, ?, ?, ?)",
                    (key, row[0], step, row[1]),
                )
        return replaced

    def judge(self, judged: Mapping[str, Sequence[SpanAnnotationRow]]) -> None:
        """Make annotations those of some traces, in place of all that these had: span_annotations.

        Args:
            judged: By trace id, of spans that are there; none where they were deleted.
        """
        with writing(self._database, self._path) as connection:
            connection.executemany(
                "DELETE FROM span_annotations WHERE trace_id = ?", [(one,) for one in judged]
            )
            self._put_span_annotations(connection, chain.from_iterable(judged.values()))

    def links(self, rows: Iterable[LinkRow]) -> None:
        # What was written before a process was killed that had not noted so comes again.
        known = set(
            self._database.execute(
                "SELECT eval_dataset_id, eval_id, trace_id FROM eval_traces_bridge"
            )
        )
        super().links(
            row for row in rows if (row.dataset_id, row.eval_id, row.trace_id) not in known
        )

    def files(self, rows: Sequence[FileRow]) -> None:
        """Add the rows of attachments, which are in files of their names already."""
        with writing(self._database, self._path) as connection:
            known = dict(connection.execute("SELECT name, id FROM attachments").fetchall())
            connection.executemany(
                "INSERT OR REPLACE INTO attachments (id, name, file_path, created_at, size)"
                " VALUES (?, ?, ?, ?, ?)",
                [
                    (known.get(row.name) or self._new_id(), row.name, row.name,
                     timestamp(row.created_at), row.size_bytes)
                    for row in rows
                ],
            )  # fmt: skip

    def logged_at(self) -> datetime | None:
        """Return when the last record came; see `signs.logged_at`."""
        return logged_at(self._database.conn)

    def last_steps(self) -> dict[str, int]:
        """Return the highest step of each metric: dynamic_metrics."""
        rows = self._database.execute(
            f"{DISTINCT_KEYS} SELECT key, (SELECT max(step) FROM dynamic_metrics"
            " WHERE key = keys.key) FROM keys WHERE key IS NOT NULL"
        )
        return {key: step for key, step in rows.fetchall() if isinstance(step, int)}


def _columns(row: RunRow, group_id: str) -> Mapping[str, object]:
    created_at = None
    if row.created_at is not None:
        with suppress(ValueError):
            created_at = timestamp(row.created_at)
    return {
        "id": row.id,
        "name": row.name,
        "created_at": created_at,
        "status": row.status,
        "tags": json.dumps(list(row.tags)) if row.tags else None,
        "group_id": group_id,
        "duration": row.duration_s,
        "description": row.description,
        "source": row.source,
    }
