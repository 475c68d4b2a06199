"""What was written since the last look, for the cost of a few `stat` calls if nothing was.

A commit changes the size or the time of a database's files, so an unchanged fingerprint means that
nothing happened. `pragma data_version` would tell the same, but only on a connection that is kept
open, and that has a price: see `flowtui.store.database`.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from flowtui.store import decoding
from flowtui.store.database import Database, table_columns
from flowtui.store.errors import DatabaseError, DatabaseMissing
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.open_run import OpenRun
from flowtui.store.values import Kind, Status

_EXPERIMENT_MARKS = {
    # The SDK replaces rows, which gives them new rowids; where it updates rows, a sum shows it.
    Kind.PARAMS: ("static_params", "count(*), max(rowid)"),
    Kind.METRICS: ("dynamic_metrics", "max(rowid)"),
    Kind.SPANS: ("spans", "max(rowid)"),
    Kind.SAMPLES: ("evals", "max(rowid)"),
    Kind.ATTACHMENTS: ("attachments", "count(*), max(rowid), total(size)"),
}

Mark = tuple[object, ...]
Marks = dict[Kind, Mark]


class Changes(NamedTuple):
    """What a look found new; false if nothing was."""

    added: frozenset[str] = frozenset()
    """Ids of runs that were not there before."""
    removed: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    """Ids of runs that were active and are not any more."""
    updated: frozenset[str] = frozenset()
    """Ids of runs whose row differs, those that ended included."""
    kinds: frozenset[Kind] = frozenset()
    """Kinds of record of the watched run that differ."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.updated or self.kinds)

    @property
    def touches_list(self) -> bool:
        return bool(self.added or self.removed or self.updated)


class Watcher:
    """Compares a store with what it was at the last look; belongs to one thread at a time.

    It notes the state of the files when it is made, so make it before the first read whose answer
    it keeps fresh: the first look then reports what was written in between.
    """

    def __init__(self, meta: Database, run: OpenRun | None = None) -> None:
        """Watch the list of runs in meta.db and, if a run is given, its records."""
        self._run_id = None if run is None else run.id
        self._meta = _Watched(meta)
        self._experiment = None if run is None else _Watched(run.database)
        self._rows: dict[str, _RunRow] = {}
        self._model_mark: Mark = ()
        self._marks: Marks = {}

    def look(self) -> Changes:
        """Return what changed since the last look, or since the watcher was made.

        Raises:
            DatabaseError: A database that changed cannot be read; the next look tries again.
        """
        changes = self._look_at_meta() if self._meta.differs() else Changes()
        if self._experiment is None or not self._experiment.differs():
            return changes
        try:
            kinds = self._look_at_experiment()
        except DatabaseError:
            # Changes in meta.db are reported only once, whereas the failure comes again with the
            # next look.
            if changes:
                return changes
            raise
        return changes._replace(kinds=changes.kinds | kinds)

    def _look_at_meta(self) -> Changes:
        def ask(connection: sqlite3.Connection) -> tuple[dict[str, _RunRow], Mark]:
            return _rows(connection), _model_mark(connection, self._run_id)

        rows, model_mark = self._meta.database.read(ask)
        is_baseline = self._meta.settle()
        before, self._rows = self._rows, rows
        models_differ = model_mark != self._model_mark
        self._model_mark = model_mark
        if is_baseline:
            return Changes()
        common = rows.keys() & before.keys()
        updated = frozenset(run_id for run_id in common if rows[run_id] != before[run_id])
        changes = Changes(
            added=frozenset(rows.keys() - before.keys()),
            removed=frozenset(before.keys() - rows.keys()),
            ended=frozenset(
                run_id
                for run_id in updated
                if before[run_id].status == Status.ACTIVE != rows[run_id].status
            ),
            updated=updated,
        )
        kinds = {Kind.MODELS} if models_differ else set()
        if self._run_id in changes.added | changes.removed | changes.updated:
            kinds.add(Kind.RUN)
        return changes._replace(kinds=frozenset(kinds))

    def _look_at_experiment(self) -> frozenset[Kind]:
        # Imported here, since the first look comes after the first paint.
        from flowtui.store.annotations import marks as annotation_marks

        assert self._experiment is not None
        database = self._experiment.database
        noted_count = len(database.own_moves)
        is_missing = self._experiment.pending is None
        marks = {} if is_missing else database.read(_marks)
        is_replaced = self._experiment.is_replaced
        is_baseline = self._experiment.settle()
        before, self._marks = self._marks, marks
        is_annotated = annotation_marks.changed_by_others(
            database, noted_count, before.get(Kind.ANNOTATIONS), marks.get(Kind.ANNOTATIONS)
        )
        if is_baseline:
            return frozenset()
        kinds = before.keys() | marks.keys()
        if is_replaced:
            return frozenset(kinds)
        differing = {kind for kind in kinds if before.get(kind) != marks.get(kind)}
        annotated = {Kind.ANNOTATIONS} if is_annotated else set()
        return frozenset((differing - {Kind.ANNOTATIONS}) | annotated)


class _Watched:
    """A database and its fingerprint when its content was last read."""

    def __init__(self, database: Database) -> None:
        self.database = database
        try:
            self.pending = self._fingerprint()
        except DatabaseError:
            # The first look raises this; the caller that makes a watcher could not show it.
            self.pending = None
        self._seen = self.pending
        self._is_certain = self._is_settled()
        self._was_read = False

    def differs(self) -> bool:
        """Say whether the content must be read, and note the fingerprint that it is read under."""
        self.pending = self._fingerprint()
        return not self._was_read or self.pending != self._seen or not self._is_certain

    @property
    def is_replaced(self) -> bool:
        """Whether another file took the place of the one whose content was last read.

        Its marks may be the same by chance: a restored backup has as many records.
        """
        before, now = self._seen, self.pending
        if before is None or now is None or before.main is None or now.main is None:
            return False
        return before.main[0] != now.main[0]

    def settle(self) -> bool:
        """Note that the content was read, and say whether it is what it was in the beginning.

        The first content has nothing to be compared with. So it counts as new unless the files are
        the same after it was read, too: a write between the look at them and the read was read.

        Raises:
            DatabaseError: The files cannot be looked at; nothing is noted.
        """
        is_baseline = (
            not self._was_read
            and self._is_certain
            and self.pending == self._seen
            and self._fingerprint() == self._seen
        )
        self._seen = self.pending
        self._is_certain = self._is_settled()
        self._was_read = True
        return is_baseline

    def _fingerprint(self) -> Fingerprint | None:
        try:
            return self.database.fingerprint()
        except DatabaseMissing:
            return None

    def _is_settled(self) -> bool:
        return self.pending is None or self.pending.is_settled


class _RunRow(NamedTuple):
    status: str
    digest: int
    """A digest of every column of the row and of its group's name."""


def _rows(connection: sqlite3.Connection) -> dict[str, _RunRow]:
    columns = table_columns(connection, "experiments")
    if not columns:
        return {}
    group = "null"
    if "group_id" in columns and table_columns(connection, "experiment_groups"):
        group = "(select name from experiment_groups where id = experiments.group_id)"
    rows = connection.execute(f"select id, status, {group}, * from experiments")
    return {decoding.text(row[0]): _RunRow(decoding.text(row[1]), hash(row)) for row in rows}


def _model_mark(connection: sqlite3.Connection, run_id: str | None) -> Mark:
    if run_id is None or not table_columns(connection, "models"):
        return ()
    rows = connection.execute(
        "select * from models where experiment_id = cast(? as text)", (decoding.as_sql(run_id),)
    )
    return tuple(hash(row) for row in rows)


def _marks(connection: sqlite3.Connection) -> Marks:
    from flowtui.store.annotations import marks as annotation_marks

    marks: Marks = {}
    for kind, (table, what) in _EXPERIMENT_MARKS.items():
        columns = table_columns(connection, table)
        if columns:
            # attachments.size came with exp.db version 2.
            what = what if "size" in columns else what.replace("total(size)", "null")
            marks[kind] = connection.execute(f"select {what} from {table}").fetchone()
    if table_columns(connection, "eval_traces_bridge"):
        bridge = connection.execute("select max(rowid) from eval_traces_bridge").fetchone()
        marks[Kind.SAMPLES] = (*marks.get(Kind.SAMPLES, ()), *bridge)
    marks[Kind.ANNOTATIONS] = annotation_marks.mark(connection)
    return marks
