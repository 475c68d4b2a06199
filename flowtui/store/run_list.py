"""The list of a store's runs: their order, and the figures that it is filtered and sorted by."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from flowtui.store import params, runs
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.metrics import listing
from flowtui.store.values import Figures

if TYPE_CHECKING:
    from flowtui.store.filters import Condition
    from flowtui.store.open_run import OpenRun


class RunList:
    """Reads meta.db, and the runs' own databases for what meta.db has no copies of."""

    def __init__(self, meta: Database, run: Callable[[str], OpenRun]) -> None:
        """Take meta.db, and a function that opens a run by its id."""
        self._meta = meta
        self._run = run
        self._figures: dict[str, tuple[Fingerprint, Figures]] = {}

    def ordered(
        self, condition: Condition | None = None, order: runs.RunOrder | None = None
    ) -> array[int]:
        """Return the rowids of the runs that meet a condition, in order.

        Where the condition or the order asks for parameters or metrics, runs that meta.db has no
        copies for are read from their own databases: about 1 ms a run the first time.

        Args:
            condition: None for all.
            order: Newest first unless given.
        """
        wanted = order or runs.RunOrder()
        figures: Mapping[str, Figures] = {}
        if runs.needs_figures(condition, wanted):
            figures = self.figures(self._meta.read(runs.without_figures))
        return self._meta.read(lambda db: runs.ordered(db, condition, wanted, figures))

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
