"""What is missing from the lists of a run, or not as it was logged, and why."""

from __future__ import annotations

from flowtui.store import checks, counts
from flowtui.store.database import Database
from flowtui.store.open_run import OpenRun


def damage(meta: Database, run: OpenRun) -> list[str]:
    """Return what SQLite's own check of a run's databases finds, a sentence for each.

    Args:
        meta: Of the store.
        run: Which run.

    Raises:
        DatabaseError: one of the databases cannot be read.
    """
    return [text for database in (meta, run.database) for text in database.read(counts.damage)]


def lost_records(meta: Database, run: OpenRun) -> list[str]:
    """Return sentences about what is missing or not as it was logged.

    Args:
        meta: The store's meta.db.
        run: The run.

    Raises:
        DatabaseError: One of the databases cannot be read.
    """
    said: list[str] = []
    for database in (meta, run.database):
        said += [*database.remarks(), *database.read(checks.oddities)]
    return said + run.ask(counts.lost_records)
