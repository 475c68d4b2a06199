"""Signs of life of the processes behind active runs: stamps of files and records, and locks.

A process of luml-sdk (0.1.0 to 0.4.0) keeps the database of a run that it started open until it
ends the run, save that its pool of ten connections may close one that it opens again to log; and
it keeps meta.db open for as long as it has a tracker. So a process is gone for certain where

    exp.db has a -shm that nobody holds      it was killed; a close would have taken the file away
    exp.db has no -shm, nobody holds meta.db it left without ending this run, or it was killed and
                                             another program has opened and closed exp.db since

A log without a `-shm` is a copy of something that may well go on elsewhere, and tells nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flowtui.store import decoding
from flowtui.store.database import Database, table_columns
from flowtui.store.errors import DatabaseError, DatabaseMissing
from flowtui.store.files import file_systems
from flowtui.store.files.fingerprint import CLOCK_SLACK_NS, Fingerprint
from flowtui.store.liveness import holders
from flowtui.store.liveness.standing import Signs
from flowtui.store.values import Run

ASK_AFTER_S = 60.0
"""Without a record, before a process is looked for: most runs log more often."""
ASK_EVERY_S = 30.0
"""Between two questions about a process that is there and quiet."""
_STAMPS = (
    # The SDK replaces rows, so the highest rowid is what came last.
    ("dynamic_metrics", "logged_at"),
    ("spans", "created_at"),
    ("evals", "updated_at"),
    ("eval_traces_bridge", "created_at"),
    ("attachments", "created_at"),
)


def logged_at(connection: sqlite3.Connection) -> datetime | None:
    """Return when the last record came, None where none has a time.

    Instant at any size. Source: exp.db, the times of the last rows of all tables but parameters,
    which have none, and annotations, which people write.
    """
    found = []
    for table, column in _STAMPS:
        if column in table_columns(connection, table):
            sql = f"select {column} from {table} order by rowid desc limit 1"
            found += [decoding.timestamp(value, column, []) for (value,) in connection.execute(sql)]
    return max((moment for moment in found if moment is not None), default=None)


@dataclass(frozen=True, slots=True)
class _Files:
    """What the files of one run say."""

    fingerprint: Fingerprint | None
    """None where there is no exp.db."""
    first_seen_at: datetime
    """When they were first found as they are."""
    logged_at: datetime | None = None
    """Out of exp.db."""
    is_read: bool = False
    """Whether that need not be read again while the files are the same."""

    @property
    def is_copy(self) -> bool:
        """Whether there is a log with something in it, provided that it has no `-shm`."""
        return self.fingerprint is not None and self.fingerprint.has_log


class SignsReader:
    """Reads signs, and keeps what need not be read or asked again; for any thread."""

    def __init__(self, meta: Database, experiment: Callable[[str], Database]) -> None:
        """Take the store's meta.db, and what returns the database of a run."""
        self._meta = meta
        self._experiment = experiment
        self._files: dict[str, _Files] = {}
        self._local: dict[str, bool] = {}
        self._models: tuple[Fingerprint, dict[str, datetime]] | None = None
        self._asked_s: dict[str, float] = {}
        self._gone: dict[str, Signs] = {}
        """Of runs whose processes were found gone: a process that is dead stays dead."""

    def signs(self, runs: Iterable[Run], now: datetime, may_ask: bool) -> dict[str, Signs]:
        """Return signs by run id; see `Store.signs`."""
        active = {run.id: run for run in runs if run.is_active}
        found = {}
        for run_id in active:
            try:
                found[run_id] = self._read(run_id, now)
            except DatabaseError:
                continue
        if may_ask:
            doubtful = [run for run in active.values() if self._is_doubtful(run, found.get(run.id))]
            self._ask([run.id for run in doubtful], found)
        return {
            run_id: replace(signs, is_gone=True) if self._is_known_gone(run_id, signs) else signs
            for run_id, signs in found.items()
        }

    def _is_known_gone(self, run_id: str, signs: Signs) -> bool:
        gone = self._gone.get(run_id)
        # Whoever logs again is another process, or the same that came back.
        return gone is not None and gone.logged_at == signs.logged_at

    def _is_doubtful(self, run: Run, signs: Signs | None) -> bool:
        if signs is None:
            return False
        since = signs.heard_at or signs.written_at or run.created_at
        if since is None or signs.seen_at - since < timedelta(seconds=ASK_AFTER_S):
            return False
        if self._is_known_gone(run.id, signs):
            return self._gone[run.id].written_at != signs.written_at
        asked_s = self._asked_s.get(run.id)
        return asked_s is None or time.monotonic() - asked_s >= ASK_EVERY_S

    def _ask(self, run_ids: Sequence[str], found: dict[str, Signs]) -> None:
        """Find out which of the processes are gone for certain."""
        if not run_ids:
            return
        databases = [self._experiment(run_id) for run_id in run_ids]
        answers = holders.held([self._meta.path, *(one.path for one in databases)])
        self._asked_s |= dict.fromkeys(run_ids, time.monotonic())
        is_meta_held, *are_held = answers
        for run_id, database, is_held in zip(run_ids, databases, are_held, strict=True):
            may_be_held = is_meta_held is not False or self._files[run_id].is_copy
            if is_held:
                self._gone.pop(run_id, None)
            elif is_held is False and (
                database.has_shm or not may_be_held or self._is_known_gone(run_id, found[run_id])
            ):
                self._gone[run_id] = found[run_id]

    # Files -----------------------------------------------------------------------------------

    def _read(self, run_id: str, now: datetime) -> Signs:
        files = self._current(run_id, self._experiment(run_id), now)
        self._files[run_id] = files
        stamps = [stamp for stamp in (files.logged_at, self._model_logged_at(run_id)) if stamp]
        return Signs(now, max(stamps, default=None), self._written_at(run_id, files, now))

    def _current(self, run_id: str, database: Database, now: datetime) -> _Files:
        try:
            fingerprint = database.fingerprint()
        except DatabaseMissing:
            return _Files(None, now, is_read=True)
        known = self._files.get(run_id)
        is_same = known is not None and known.fingerprint == fingerprint
        if known is not None and is_same and known.is_read:
            return known
        first_seen_at = known.first_seen_at if known is not None and is_same else now
        try:
            stamp = database.read(logged_at)
        except DatabaseError:
            return _Files(fingerprint, first_seen_at)
        return _Files(fingerprint, first_seen_at, stamp, is_read=fingerprint.is_settled)

    def _written_at(self, run_id: str, files: _Files, now: datetime) -> datetime | None:
        """Return when files were last written, by this machine's clock."""
        if files.fingerprint is None:
            return None
        if run_id not in self._local:
            sharing = self._experiment(run_id).sharing
            self._local[run_id] = sharing is not file_systems.Sharing.SHARED
        last_write_s = (files.fingerprint.last_write_ns or 0) / 1e9
        # Where another machine's clock stamps files, only what is seen to change is known.
        if not self._local[run_id] or last_write_s > now.timestamp() + CLOCK_SLACK_NS / 1e9:
            return files.first_seen_at
        return datetime.fromtimestamp(last_write_s, UTC)

    def _model_logged_at(self, run_id: str) -> datetime | None:
        meta = self._meta
        fingerprint = meta.fingerprint()
        if self._models is None or self._models[0] != fingerprint:
            self._models = fingerprint, meta.read(_models_logged_at)
        return self._models[1].get(run_id)


def _models_logged_at(connection: sqlite3.Connection) -> dict[str, datetime]:
    """Return when the last model of each run was logged. Source: meta.db models.created_at."""
    if "experiment_id" not in table_columns(connection, "models"):
        return {}
    rows = connection.execute(
        "select experiment_id, max(created_at) from models group by experiment_id"
    )
    stamps = ((of, decoding.timestamp(value, "created_at", [])) for of, value in rows)
    return {decoding.text(of): stamp for of, stamp in stamps if stamp is not None}
