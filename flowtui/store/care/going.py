"""What goes with a run that is deleted, counted before a person is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flowtui.store import counts as counting
from flowtui.store import runs as run_rows
from flowtui.store.care import folders, trash
from flowtui.store.care.values import RecordGone
from flowtui.store.errors import DatabaseError, ReadCancelled
from flowtui.store.models import models
from flowtui.store.store import Store
from flowtui.store.values import Counts, Run


@dataclass(frozen=True, slots=True)
class RunGoing:
    """A run that is about to be deleted."""

    run: Run
    counts: Counts
    """Of its records; empty where they cannot be read."""
    extent: folders.FolderExtent
    problem: str = ""
    """Why something could not be counted; empty where everything was."""
    why_not: str = ""
    """Why it must not be deleted, whatever is confirmed; empty if it may be."""

    @property
    def name(self) -> str:
        return self.run.name or self.run.id


def going(store: Store, run_ids: Iterable[str], now: datetime) -> list[RunGoing]:
    """Return what goes with runs, in their order.

    Raises:
        RecordGone: One of them is not in the store any more.
        DatabaseError: meta.db cannot be read.
        ReadCancelled: Nobody waits for it any more.
    """
    known = trash.run_folders(store)
    return [_going(store, run_id, now, known) for run_id in run_ids]


def _going(store: Store, run_id: str, now: datetime, known: folders.RunFolders) -> RunGoing:
    row = store.ask(run_rows.run, run_id)
    if row is None:
        raise RecordGone(f"the run {run_id} is not in the store any more")
    why_not = trash.why_not_deleted(store, run_id, now, known)
    if why_not:
        # Its folder may be that of the whole store.
        return RunGoing(row, Counts(), folders.FolderExtent(), why_not=why_not)
    problem, counts, extent = "", Counts(), folders.FolderExtent()
    try:
        extent = folders.extent(store.directory / run_id)
    except OSError as error:
        problem = f"its files cannot be counted: {error.strerror or error}"
    try:
        found = store.run(run_id).ask(counting.counts)
        logged = store.ask(models, run_id)
        counts = Counts(
            traces=found.traces,
            spans=found.spans,
            samples=found.samples,
            metrics=found.metrics,
            annotations=found.annotations,
            models=None if logged is None else len(logged),
        )
    except ReadCancelled:
        raise
    except DatabaseError as error:
        problem = problem or str(error)
    return RunGoing(row, counts, extent, problem)
