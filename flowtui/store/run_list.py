"""The list of a store's runs: their order, and the figures that it is filtered and sorted by."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from flowtui.store import cancelling, leaderboard, params, runs
from flowtui.store.compare.directions import Direction, by_name
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.leaderboard import GroupSum
from flowtui.store.metrics import listing
from flowtui.store.run_bests import RunBests, best_of
from flowtui.store.values import Figures

if TYPE_CHECKING:
    from flowtui.store.filters import Condition
    from flowtui.store.open_run import OpenRun


Progress = Callable[[int, int], object]
"""Is told how many of how many runs were read."""
TOLD_EVERY = 50
"""After how many runs the progress is told."""


class RunList:
    """Reads meta.db, and the runs' own databases for what meta.db has no copies of."""

    def __init__(self, meta: Database, run: Callable[[str], OpenRun]) -> None:
        """Take meta.db, and a function that opens a run by its id."""
        self._meta = meta
        self._run = run
        self.bests = RunBests(run)
        self._figures: dict[str, tuple[Fingerprint, Figures]] = {}

    def ordered(
        self,
        condition: Condition | None = None,
        order: runs.RunOrder | None = None,
        told: Progress | None = None,
    ) -> array[int]:
        """Return the rowids of the runs that meet a condition, in order.

        Where the condition or the order asks for parameters or metrics, runs that meta.db has no
        copies for are read from their own databases: about 1 ms a run the first time. An order by
        the best value of a metric (`best.KEY`) reads all of them.

        Args:
            condition: None for all.
            order: Newest first unless given.
            told: Is told in this thread how far such an order has come.
        """
        wanted = order or runs.RunOrder()
        if wanted.column.startswith(runs.BEST):
            return self._by_best(self.ordered(condition), wanted, told)
        figures: Mapping[str, Figures] = {}
        if runs.needs_figures(condition, wanted):
            figures = self.figures(self._meta.read(runs.without_figures))
        return self._meta.read(lambda db: runs.ordered(db, condition, wanted, figures))

    def _by_best(
        self, rowids: array[int], order: runs.RunOrder, told: Progress | None
    ) -> array[int]:
        found = self.best_values(rowids, order.column.removeprefix(runs.BEST), order.better, told)

        def place(at: int) -> tuple[bool, float]:
            value = found.get(rowids[at])
            if value is None:
                return True, 0.0
            return False, -value if order.descending else value

        return array("q", (rowids[at] for at in sorted(range(len(rowids)), key=place)))

    def best_values(
        self,
        rowids: Sequence[int],
        key: str,
        better: Direction | None = None,
        told: Progress | None = None,
    ) -> dict[int, float]:
        """Return the best value of a metric by rowid, from the runs' own databases.

        Runs without a finite value, and those that cannot be read, are left out.

        Args:
            rowids: The runs.
            key: The metric.
            better: In which direction it is better; without one its name decides.
            told: Is told in this thread how many runs were read.
        """
        better = better or by_name(key)
        ids = self._meta.read(runs.ids)
        found = {}
        for count, rowid in enumerate(rowids):
            cancelling.check()
            if told is not None and count % TOLD_EVERY == 0:
                told(count, len(rowids))
            try:
                best = best_of(self.bests.extremes(ids[rowid], key), better)
            except (DatabaseError, KeyError):
                # A run without a database has no values; one that was deleted meanwhile neither.
                continue
            if best is not None:
                found[rowid] = best
        return found

    def best_runs(self, rowids: Sequence[int], better: Mapping[str, Direction]) -> dict[str, float]:
        """Return by metric the best of the last values of some runs; see `leaderboard`."""
        if not better:
            return {}
        figures = self.figures(self._meta.read(runs.without_figures))
        at = self._meta.read(lambda db: leaderboard.best_runs(db, rowids, better, figures))
        rows = self._meta.read(lambda db: runs.at(db, list(at.values())))
        of_runs = self.figures([run.id for run in rows.values()])
        values = {
            key: of_runs[rows[rowid].id].metrics.get(key)
            for key, rowid in at.items()
            if rowid in rows
        }
        return {key: value for key, value in values.items() if value is not None}

    def group_sums(
        self, condition: Condition | None, metric: str = ""
    ) -> dict[tuple[str | None, str], GroupSum]:
        """Return how many runs of each group meet a condition; see `leaderboard`."""
        figures: Mapping[str, Figures] = {}
        if metric or runs.needs_figures(condition, runs.RunOrder()):
            figures = self.figures(self._meta.read(runs.without_figures))
        return self._meta.read(lambda db: leaderboard.group_sums(db, condition, metric, figures))

    def unread(
        self, condition: Condition | None = None, order: runs.RunOrder | None = None
    ) -> list[str]:
        """Return why figures that `ordered` asks for cannot be read, a sentence a run."""
        if not runs.needs_figures(condition, order or runs.RunOrder()):
            return []
        figures = self.figures(self._meta.read(runs.without_figures))
        return [of_run.problem for of_run in figures.values() if of_run.problem]

    def remarks(self, condition: Condition | None) -> tuple[str, ...]:
        """Return sentences about a filter's unknown keys, and words searched for as text."""
        if condition is None:
            return ()
        from flowtui.store import names_in_use

        if not condition.asked:
            return names_in_use.as_text(condition)
        figures = self.figures(self._meta.read(runs.without_figures))
        unknown = self._meta.read(lambda db: runs.remarks(db, condition, figures))
        return (*unknown, *names_in_use.as_text(condition))

    def figures(self, run_ids: Sequence[str]) -> dict[str, Figures]:
        """Return parameters and last metric values by run id.

        Those of a completed run come from its copies in meta.db, all others from the runs' own
        databases, which are read again only when they changed.
        """
        found = self._meta.read(lambda db: runs.copied_figures(db, run_ids))
        return found | self.live_figures([run_id for run_id in run_ids if run_id not in found])

    def live_figures(self, run_ids: Sequence[str]) -> dict[str, Figures]:
        """Return figures from the runs' own databases, reading only those that changed."""
        return {run_id: self._live_figures(run_id) for run_id in run_ids}

    def _live_figures(self, run_id: str) -> Figures:
        try:
            run = self._run(run_id)
            fingerprint = run.database.fingerprint()
            known = self._figures.get(run_id)
            if known is not None and known[0] == fingerprint:
                return known[1]
            logged, listed = run.ask(lambda db: (params.params(db), listing.listed(db)))
            last = run.metrics.last_of(listed)
        except DatabaseError as error:
            return Figures(problem=str(error))
        figures = Figures(
            {param.key: param.value for param in logged or ()},
            {key: None if point is None else point.value for key, point in last.items()},
        )
        if fingerprint.is_settled:
            self._figures[run_id] = fingerprint, figures
        return figures
