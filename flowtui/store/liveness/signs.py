"""Signs of life of the processes behind active runs: stamps of files and records, and locks.

A process of luml-sdk (0.1.0 to 0.4.0) keeps the database of a run that it started open until it
ends the run, save that its pool of ten connections may close one that it opens again to log; and it
keeps meta.db open for as long as it has a tracker. So a process is certainly gone where

    exp.db has a -shm that nobody holds      it was killed; a close would have taken the file away
    exp.db has no -shm, nobody holds meta.db it left without ending this run, or it was killed and
                                             another program has opened and closed exp.db since

A log without a `-shm` is a copy of a run that may go on elsewhere, and tells nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from flowtui.store import decoding
from flowtui.store.database import Database, table_columns
from flowtui.store.errors import DatabaseError, DatabaseMissing
from flowtui.store.files import file_systems
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.liveness import holders
from flowtui.store.liveness.standing import CLOCK_SLACK, Signs
from flowtui.store.values import Run

ASK_AFTER_S = 60.0
"""How long after the last record a process is looked for; most runs log more often."""
ASK_EVERY_S = 30.0
"""How often a process that lives and is quiet is looked for again."""
CLOCKS_AGREE = timedelta(seconds=5)
"""A stamp further than this outside the time in which it was made comes from another clock."""
_FAR_S = 32_503_680_000.0
"""The year 3000."""
_STAMPS = (
    # The SDK replaces rows, so the row with the highest rowid came last.
    ("dynamic_metrics", "logged_at"),
    ("spans", "created_at"),
    ("evals", "updated_at"),
    ("eval_traces_bridge", "created_at"),
    ("attachments", "created_at"),
)


def logged_at(connection: sqlite3.Connection) -> datetime | None:
    """Return when the last record came, None if no record has a time.

    Instant at any size. Source: exp.db, the times of the last rows of all tables but parameters,
    which have none, and annotations, which people write.
    """
    found = []
    for table, column in _STAMPS:
        if column in table_columns(connection, table):
            sql = f"select {column} from {table} order by rowid desc limit 1"
            found += [decoding.timestamp(value, column, []) for (value,) in connection.execute(sql)]
    return max((moment for moment in found if moment is not None), default=None)


class _Files(NamedTuple):
    """What is known from the files of one run."""

    fingerprint: Fingerprint | None
    """None where there is no exp.db."""
    first_seen_at: datetime
    """When they were first seen in this state."""
    has_changed: bool = False
    """Whether they were seen to change into this state, and not in it at the first look."""
    logged_at: datetime | None = None
    """When the last record came, from exp.db."""
    is_read: bool = False
    """Whether `logged_at` need not be read again while the files are the same."""

    @property
    def is_copy(self) -> bool:
        """Whether there is a log with something in it; asked only where there is no `-shm`."""
        return self.fingerprint is not None and self.fingerprint.has_log


class SignsReader:
    """Reads signs and keeps what need not be read or asked again; usable from any thread."""

    def __init__(self, meta: Database, experiment: Callable[[str], Database]) -> None:
        """Take the store's meta.db, and a function that returns the database of a run."""
        self._meta = meta
        self._experiment = experiment
        self._files: dict[str, _Files] = {}
        self._local: dict[str, bool] = {}
        """Whether this machine's clock stamps the files of a run."""
        self._looked_at: dict[str, datetime] = {}
        self._models_seen: dict[str, tuple[datetime | None, datetime | None]] = {}
        """The date of the last model of a run, and when it was seen to change."""
        self._models: tuple[Fingerprint, dict[str, datetime]] | None = None
        self._asked_s: dict[str, float] = {}
        self._gone: dict[str, Signs] = {}
        """The signs of runs whose processes were found gone, since a dead process stays dead."""

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
            run_id: signs._replace(is_gone=True) if self._is_known_gone(run_id, signs) else signs
            for run_id, signs in found.items()
        }

    def _is_known_gone(self, run_id: str, signs: Signs) -> bool:
        gone = self._gone.get(run_id)
        # If there is a new record, another process writes it, or the process was alive after all.
        return gone is not None and gone.logged_at == signs.logged_at

    def _is_doubtful(self, run: Run, signs: Signs | None) -> bool:
        if signs is None:
            return False
        # The earlier of the two, since a clock that is ahead would put the question off.
        heard = [moment for moment in (signs.heard_at, signs.written_at) if moment is not None]
        since = min(heard, default=run.created_at)
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
        self._looked_at[run_id] = now
        model_at = self._model_logged_at(run_id)
        stamps = [stamp for stamp in (files.logged_at, model_at) if stamp]
        stamp = _stamp(files.fingerprint)
        is_here = self._is_stamped_here(run_id, stamp, now)
        written_at = stamp if is_here or stamp is None else files.first_seen_at
        model_seen_at = self._model_seen_at(run_id, model_at, is_here, now)
        if written_at is not None and model_seen_at is not None:
            written_at = max(written_at, model_seen_at)
        unseen = None if is_here or files.has_changed else stamp
        # One stamp that lies ahead, as of a file that was touched, tells nothing of when it began.
        has_own_clock = not self._local[run_id]
        last_at = max(stamps, default=None)
        return Signs(now, last_at, written_at, stamped_at=unseen, has_own_clock=has_own_clock)

    def _current(self, run_id: str, database: Database, now: datetime) -> _Files:
        try:
            fingerprint = database.fingerprint()
        except DatabaseMissing:
            return _Files(None, now, is_read=True)
        known = self._files.get(run_id)
        is_same = known is not None and known.fingerprint == fingerprint
        if known is not None and is_same and known.is_read:
            return known
        if known is None or is_same:
            first_seen_at = now if known is None else known.first_seen_at
            found = _Files(fingerprint, first_seen_at, known is not None and known.has_changed)
        else:
            found = _Files(fingerprint, now, has_changed=True)
            self._compare_clocks(run_id, fingerprint, now)
        try:
            stamp = database.read(logged_at)
        except DatabaseError:
            return found
        return found._replace(logged_at=stamp, is_read=fingerprint.is_settled)

    def _model_seen_at(
        self, run_id: str, model_at: datetime | None, is_here: bool, now: datetime
    ) -> datetime | None:
        """Return when the last model was logged, by this machine's clock: only meta.db has it."""
        if run_id not in self._models_seen or self._models_seen[run_id][0] != model_at:
            seen_at = now if run_id in self._models_seen else None
            self._models_seen[run_id] = model_at, seen_at
        is_known = is_here and model_at is not None and model_at <= now
        return model_at if is_known else self._models_seen[run_id][1]

    def _compare_clocks(self, run_id: str, fingerprint: Fingerprint, now: datetime) -> None:
        """Find out, from a change between two looks, whose clock stamps the files."""
        stamp, looked_at = _stamp(fingerprint), self._looked_at.get(run_id)
        if stamp is None or looked_at is None:
            return
        if not looked_at - CLOCKS_AGREE <= stamp <= now + CLOCKS_AGREE:
            self._local[run_id] = False

    def _is_stamped_here(self, run_id: str, stamp: datetime | None, now: datetime) -> bool:
        """Say whether this machine's clock stamps the files, as far as can be known."""
        if run_id not in self._local:
            sharing = self._experiment(run_id).sharing
            self._local[run_id] = sharing is not file_systems.Sharing.SHARED
        is_ahead = stamp is not None and stamp > now + CLOCK_SLACK
        return self._local[run_id] and not is_ahead

    def _model_logged_at(self, run_id: str) -> datetime | None:
        meta = self._meta
        fingerprint = meta.fingerprint()
        if self._models is None or self._models[0] != fingerprint:
            self._models = fingerprint, meta.read(_models_logged_at)
        return self._models[1].get(run_id)


def _stamp(fingerprint: Fingerprint | None) -> datetime | None:
    """Return when files were last written, by the clock that stamps them."""
    last_write_ns = None if fingerprint is None else fingerprint.last_write_ns
    if last_write_ns is None:
        return None
    # A file may have any stamp, even one of a year that Python cannot represent.
    return datetime.fromtimestamp(min(max(last_write_ns / 1e9, 0.0), _FAR_S), UTC)


def _models_logged_at(connection: sqlite3.Connection) -> dict[str, datetime]:
    """Return when the last model of each run was logged. Source: meta.db models.created_at."""
    if "experiment_id" not in table_columns(connection, "models"):
        return {}
    rows = connection.execute(
        "select experiment_id, max(created_at) from models group by experiment_id"
    )
    stamps = ((of, decoding.timestamp(value, "created_at", [])) for of, value in rows)
    return {decoding.text(of): stamp for of, stamp in stamps if stamp is not None}
