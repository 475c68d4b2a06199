"""Whether a run may have a live writer, asked before its folder is taken away from it."""

from __future__ import annotations

import time
from datetime import datetime

from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError
from flowtui.store.liveness import holders
from flowtui.store.liveness.standing import Signs
from flowtui.store.values import Run

SURELY_OVER_S = 86_400.0
"""How long a run that nobody marked as ended must have been silent where locks tell nothing."""

HELD = "a process has its database open, a training or a viewer such as lumlflow: end that first"
MAY_LIVE = "its process may live: end it, or come back when it has written nothing for a day"
_MOMENT_S = 0.05
"""Longer than a read or a write of another viewer takes."""


def why_live(
    meta: Database, experiment: Database, run: Run, signs: Signs | None, now: datetime
) -> str:
    """Return why a run may have a live writer, whose next write would fail; empty if it has none.

    On a local disk under Linux the locks of the run's database tell it (see `signs`). Elsewhere a
    run is taken to have none if it has ended and its database was closed, or if it wrote nothing
    for a day.

    Args:
        meta: The store's meta.db.
        experiment: The run's exp.db, which need not exist.
        run: The run's row, as it was just read.
        signs: Signs of life of its process, if it is active and they are known.
        now: The present moment by this machine's clock.
    """
    is_meta_held, is_held = holders.held([meta.path, experiment.path])
    if is_held:
        if is_held_for_long(experiment):
            return HELD
        is_held = False
    # While somebody has it open, its index is there.
    may_be_open = run.is_active or (is_held is None and experiment.has_shm)
    if not may_be_open or (written_ns := _last_write_ns(experiment)) is None:
        return ""
    if is_held is False and (experiment.has_shm or is_meta_held is False):
        return ""
    seen_at = None if signs is None else signs.written_at
    silent_s = now.timestamp() - (written_ns / 1e9 if seen_at is None else seen_at.timestamp())
    return "" if silent_s >= SURELY_OVER_S else MAY_LIVE


def is_held_for_long(experiment: Database) -> bool:
    """Say whether a process has a run's database open, and not only for a moment, to read it."""
    for is_last in (False, True):
        if not holders.held([experiment.path])[0]:
            return False
        if not is_last:
            time.sleep(_MOMENT_S)
    return True


def _last_write_ns(database: Database) -> int | None:
    """Return when a database was last written, None if there is none."""
    try:
        return database.fingerprint().last_write_ns
    except DatabaseError:
        return None
