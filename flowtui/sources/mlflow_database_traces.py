"""Traces in MLflow's database: which run each belongs to, what of it changes, and its records."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from flowtui.sources import files
from flowtui.sources.mlflow_reads import Row, ShortReads, Tables, chosen
from flowtui.sources.mlflow_records import artifacts, whole
from flowtui.sources.mlflow_traces import Assessment, MlflowTrace
from flowtui.sources.records import SourceError
from flowtui.store.values import JsonValue

MOST_TRACES = 200_000
"""More of them are not read: each costs a third of a kilobyte of memory while they are followed."""
_SOURCE_RUN = "mlflow.sourceRun"
_IN_COLUMNS = ("mlflow.trace.session", "mlflow.trace.clientRequestId")
_MOST_SPANS_BYTES = 256 << 20
_LOAD_S = 0.03
_LOAD_BYTES = 4 << 20
_ASSESSMENT = ("assessment_id", "name", "assessment_type", "value", "error", "source_type",
               "source_id", "span_id", "rationale", "created_timestamp", "valid")  # fmt: skip
_ENDED = ("OK", "ERROR", "TRACE_STATUS_OK", "TRACE_STATUS_ERROR")


@dataclass(slots=True)
class DatabaseTrace:
    """What the database says of a trace, without its spans."""

    experiment_id: object
    first_ms: object
    runs: list[str]
    version: list[object]


Without = dict[object, tuple[object, dict[str, str]]]
"""By experiment: when its first trace without a run began, and the version of each."""


@dataclass(slots=True)
class DatabaseTraces:
    """The traces of one database."""

    reads: ShortReads
    around: Path
    """The folder of the database."""
    remarks: list[str] = field(default_factory=list)
    _tables: Tables = field(default_factory=dict)
    _found: dict[str, DatabaseTrace] = field(default_factory=dict)
    _seen: list[Row] | None = None
    """What tells whether traces have changed, as of the last pass over all of them."""

    def by_run(
        self, tables: Tables, runs: AbstractSet[str], deleted: AbstractSet[str]
    ) -> tuple[dict[str, dict[str, str]], Without]:
        """Return the versions of all traces by run, and of those that belong to none.

        Args:
            tables: Of the database.
            runs: The ids of the runs that are shown.
            deleted: Those of runs that are not; their traces are not shown either.
        """
        self._tables = tables
        if not {"request_id", "experiment_id"} <= tables.get("trace_info", frozenset()):
            return {}, {}
        seen = self._state()
        if seen != self._seen:
            self._found = self._pass()
            self._seen = seen if all(one.version[0] for one in self._found.values()) else None
        by_run: dict[str, dict[str, str]] = {}
        without: Without = {}
        for trace_id, one in self._found.items():
            version = json.dumps(one.version)
            shown = [run_id for run_id in one.runs if run_id in runs]
            for run_id in shown:
                by_run.setdefault(run_id, {})[trace_id] = version
            if not shown and deleted.isdisjoint(one.runs):
                first_ms, versions = without.setdefault(one.experiment_id, (one.first_ms, {}))
                versions[trace_id] = version
                earlier = min(whole(first_ms) or 0, whole(one.first_ms) or 0)
                without[one.experiment_id] = earlier, versions
        return by_run, without

    def _state(self) -> list[Row]:
        """Return what is different after almost any change; a span may be changed in its place."""
        parts = []
        for table in ("trace_info", "trace_request_metadata", "spans", "entity_associations"):
            if table in self._tables:
                parts.append(f"SELECT max(rowid), 0 FROM {table}")
        parts.append("SELECT count(*), 0 FROM trace_info")
        if "last_updated_timestamp" in self._tables.get("assessments", ()):
            parts.append("SELECT max(last_updated_timestamp), 0 FROM assessments")
            parts.append("SELECT count(*), max(rowid) FROM assessments")
        return self.reads.ask(
            lambda connection: [tuple(connection.execute(sql).fetchone()) for sql in parts]
        )

    def _pass(self) -> dict[str, DatabaseTrace]:
        """Look at all traces, the newest first."""
        wanted = ("experiment_id", "timestamp_ms", "status", "execution_time_ms",
                  "db_payload_generation")  # fmt: skip
        source = "NULL"
        if "request_id" in self._tables.get("trace_request_metadata", ()):
            source = (
                "(SELECT value FROM trace_request_metadata WHERE request_id = t.request_id"
                f" AND key = '{_SOURCE_RUN}')"
            )
        sql = (
            f"SELECT rowid, request_id, {source}, {chosen(self._tables, 'trace_info', wanted)}"
            " FROM trace_info AS t WHERE rowid < :after ORDER BY rowid DESC"
        )
        found: dict[str, DatabaseTrace] = {}
        self.remarks = []
        for rows in self.reads.pages(sql, {}, 2**63 - 1):
            for _, trace_id, run_id, experiment_id, first_ms, status, took_ms, generation in rows:
                found[str(trace_id)] = DatabaseTrace(
                    experiment_id,
                    first_ms,
                    [str(run_id)] if run_id else [],
                    [status in _ENDED, took_ms, generation],
                )
            if len(found) >= MOST_TRACES:
                self.remarks = [f"only the newest {len(found):,} of its traces are shown"]
                break
        self._add_links(found)
        self._add_spans(found)
        self._add_assessments(found)
        return found

    def _add_links(self, found: dict[str, DatabaseTrace]) -> None:
        """Add the runs that traces were linked to afterwards, as evaluations do."""
        needed = {"source_type", "source_id", "destination_type", "destination_id"}
        if not needed <= self._tables.get("entity_associations", frozenset()):
            return
        sql = (
            "SELECT rowid, source_id, destination_id FROM entity_associations WHERE rowid > :after"
            " AND source_type = 'trace' AND destination_type = 'run' ORDER BY rowid"
        )
        for rows in self.reads.pages(sql, {}, -1):
            for _, trace_id, run_id in rows:
                one = found.get(str(trace_id))
                if one is not None and str(run_id) not in one.runs:
                    one.runs.append(str(run_id))

    def _add_spans(self, found: dict[str, DatabaseTrace]) -> None:
        if not {"trace_id", "content"} <= self._tables.get("spans", frozenset()):
            return
        # The index of the primary key has all that this asks for.
        sql = (
            "SELECT trace_id, count(*), max(rowid) FROM spans WHERE trace_id > :after"
            " GROUP BY trace_id ORDER BY trace_id"
        )
        for rows in self.reads.pages(sql, {}, ""):
            for trace_id, number, last in rows:
                if (one := found.get(str(trace_id))) is not None:
                    one.version += [number, last]

    def _add_assessments(self, found: dict[str, DatabaseTrace]) -> None:
        if not {"assessment_id", "trace_id"} <= self._tables.get("assessments", frozenset()):
            return
        names = ("last_updated_timestamp", "valid")
        sql = (
            f"SELECT rowid, trace_id, assessment_id, {chosen(self._tables, 'assessments', names)}"
            " FROM assessments WHERE rowid > :after ORDER BY rowid"
        )
        for rows in self.reads.pages(sql, {}, -1):
            for _, trace_id, *said in rows:
                if (one := found.get(str(trace_id))) is not None:
                    one.version.append(said)

    def load(self, trace_ids: Sequence[str]) -> list[tuple[MlflowTrace, int]]:
        """Return the first of some traces, or more of them, with their sizes in bytes.

        Raises:
            SourceError: The database cannot be read.
        """

        def some(connection: sqlite3.Connection) -> list[tuple[MlflowTrace, int, str]]:
            until_s = time.monotonic() + _LOAD_S
            found: list[tuple[MlflowTrace, int, str]] = []
            size = 0
            for trace_id in trace_ids:
                found.append(self._trace(connection, trace_id))
                size += found[-1][1]
                if size > _LOAD_BYTES or time.monotonic() > until_s:
                    break
            return found

        loaded = []
        for trace, size, location in self.reads.ask(some):
            if not trace.spans and location:
                # Older versions kept the spans of a trace in a file.
                trace.spans, size = self._in_file(location)
            loaded.append((trace, size))
        return loaded

    def _trace(self, connection: sqlite3.Connection, trace_id: str) -> tuple[MlflowTrace, int, str]:
        spans: list[object] = []
        size = 0
        if {"trace_id", "content"} <= self._tables.get("spans", frozenset()):
            sql = "SELECT content FROM spans WHERE trace_id = ? ORDER BY rowid"
            for (content,) in connection.execute(sql, (trace_id,)):
                size += len(content) if isinstance(content, str) else 0
                spans.append(_json(content))
        metadata = self._texts(connection, "trace_request_metadata", trace_id)
        columns = chosen(self._tables, "trace_info", ("session_id", "client_request_id"))
        sql = f"SELECT {columns} FROM trace_info WHERE request_id = ?"
        for row in connection.execute(sql, (trace_id,)):
            # Newer versions keep in columns what older ones kept among the metadata.
            for key, value in zip(_IN_COLUMNS, row, strict=True):
                if value:
                    metadata.setdefault(key, str(value))
        tags = self._texts(connection, "trace_tags", trace_id)
        said: Iterable[Assessment] = ()
        if {"assessment_id", "trace_id"} <= self._tables.get("assessments", frozenset()):
            sql = (
                f"SELECT {chosen(self._tables, 'assessments', _ASSESSMENT)} FROM assessments"
                " WHERE trace_id = ? ORDER BY created_timestamp, assessment_id"
            )
            said = [_assessment(row) for row in connection.execute(sql, (trace_id,))]
        location = tags.get("mlflow.artifactLocation", "")
        return MlflowTrace(trace_id, spans, metadata, tags, tuple(said)), size, location

    def _texts(self, connection: sqlite3.Connection, table: str, trace_id: str) -> dict[str, str]:
        if not {"key", "value", "request_id"} <= self._tables.get(table, frozenset()):
            return {}
        sql = f"SELECT key, value FROM {table} WHERE request_id = ?"
        return {str(key): str(value) for key, value in connection.execute(sql, (trace_id,))}

    def _in_file(self, location: str) -> tuple[list[object], int]:
        folder = artifacts(location, self.around, ()).folder
        if folder is not None:
            with suppress(OSError, SourceError):
                data = files.read_bytes(folder / "traces.json", _MOST_SPANS_BYTES)
                whole_trace = _json(data)
                spans = whole_trace.get("spans") if isinstance(whole_trace, dict) else None
                if isinstance(spans, list):
                    return list(spans), len(data)
        return [], 0


def _json(text: object) -> JsonValue:
    try:
        found: JsonValue = json.loads(text)  # type: ignore[arg-type]
        return found
    except (TypeError, ValueError, RecursionError):
        return None


def _assessment(row: Sequence[object]) -> Assessment:
    said = dict(zip(_ASSESSMENT, row, strict=True))
    error = said["error"]
    return Assessment(
        id=str(said["assessment_id"]),
        name=str(said["name"] or ""),
        is_feedback=said["assessment_type"] != "expectation",
        value=_json(said["value"]),
        error=None if error is None else _json(error),
        source_type=str(said["source_type"] or ""),
        source_id=str(said["source_id"] or ""),
        span_id=str(said["span_id"] or ""),
        rationale=str(said["rationale"] or ""),
        created_ms=whole(said["created_timestamp"]) or 0,
        is_valid=said["valid"] != 0,
    )
