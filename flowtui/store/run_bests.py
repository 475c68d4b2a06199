"""The extremes of metrics over whole runs, which only the runs' own databases know.

meta.db has copies of last values only. A run is read again only when its files have changed.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flowtui.store.compare.directions import Direction
from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql
from flowtui.store.errors import DatabaseError
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.metrics import summary as summarizing
from flowtui.store.metrics.steps import IS_STEP
from flowtui.store.values import MetricSummary

if TYPE_CHECKING:
    from flowtui.store.open_run import OpenRun

KEPT_SUMMARIES = 2_000
"""How many metrics of runs are kept with the buckets of their sparklines."""
Extremes = tuple[float, float] | None
"""The lowest and the highest finite value; None if there is none."""

_EXTREMES = f"""
select min(number), max(number) from (
  select case when typeof(value) in ('real', 'integer')
    and abs(value) <= 1.7976931348623157e308 then value end as number
  from dynamic_metrics where key = cast(? as text) and {IS_STEP})"""


def extremes(connection: sqlite3.Connection, key: str) -> Extremes:
    """Return the extremes of one metric, by a pass over its points (dynamic_metrics.value)."""
    if not table_columns(connection, "dynamic_metrics"):
        return None
    low, high = connection.execute(_EXTREMES, [as_sql(key)]).fetchone()
    return None if low is None else (float(low), float(high))


def best_of(found: Extremes, better: Direction | None) -> float | None:
    """Return the better of two extremes, None where it is not known which that is."""
    if found is None or better is None:
        return None
    return found[0] if better is Direction.LOWER else found[1]


class RunBests:
    """Reads the extremes and summaries of metrics of many runs, callable from any thread."""

    def __init__(self, run: Callable[[str], OpenRun]) -> None:
        """Take a function that opens a run by its id."""
        self._run = run
        self._extremes: dict[tuple[str, str], tuple[Fingerprint, Extremes]] = {}
        self._summaries: OrderedDict[tuple[str, str], tuple[Fingerprint, MetricSummary | None]] = (
            OrderedDict()
        )

    def extremes(self, run_id: str, key: str) -> Extremes:
        """Return the extremes of a metric of a run.

        Raises:
            DatabaseError: The run's database cannot be read.
            ReadCancelled: Nobody waits any more.
        """
        run = self._run(run_id)
        now = run.database.fingerprint()
        known = self._extremes.get((run_id, key))
        if known is not None and known[0] == now:
            return known[1]
        summary = self._summaries.get((run_id, key))
        if summary is not None and summary[0].is_settled and summary[0] == now:
            found = _extremes_of(summary[1])
        else:
            found = run.metrics.ask(key, extremes, key)
        if now.is_settled:
            self._extremes[run_id, key] = now, found
        return found

    def summaries(self, run_id: str, keys: Iterable[str]) -> dict[str, MetricSummary] | None:
        """Return the summaries of metrics of a run by key, None if the run cannot be read.

        Of a run that is being written only the new points are read again.
        """
        found = {}
        try:
            for key in keys:
                summary = self._summary(run_id, key)
                if summary is not None:
                    found[key] = summary
        except DatabaseError:
            return None
        return found

    def _summary(self, run_id: str, key: str) -> MetricSummary | None:
        run = self._run(run_id)
        now = run.database.fingerprint()
        before, known = self._summaries.get((run_id, key), (None, None))
        if before is not None and before.is_settled and before == now:
            return known
        found = run.metrics.ask(key, _summary, key, known)
        self._summaries[run_id, key] = now, found
        self._summaries.move_to_end((run_id, key))
        while len(self._summaries) > KEPT_SUMMARIES:
            self._summaries.popitem(last=False)
        return found


def _summary(
    connection: sqlite3.Connection, key: str, known: MetricSummary | None
) -> MetricSummary | None:
    if not table_columns(connection, "dynamic_metrics"):
        return None
    return summarizing.summary(connection, key, known)


def _extremes_of(summary: MetricSummary | None) -> Extremes:
    if summary is None or summary.minimum is None or summary.maximum is None:
        return None
    return summary.minimum.value, summary.maximum.value


def best_in(summary: MetricSummary | None, better: Direction | None) -> float | None:
    """Return the best finite value of a metric, None where none is or where that is not known."""
    return best_of(_extremes_of(summary), better)
