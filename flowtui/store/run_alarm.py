"""What a person wants to be told of a run: its end, its silence, a NaN, a condition that holds."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from flowtui import clock
from flowtui.store import decoding
from flowtui.store.database import table_columns
from flowtui.store.errors import RunNotFound
from flowtui.store.liveness.standing import Activity, standing
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.waiting import Outlook, look

if TYPE_CHECKING:
    from flowtui.store.filters import Condition


class RunAlarm:
    """Looks at one run again and again; belongs to one thread at a time.

    What was so before the first look is no news, but for the end of the run and the condition.
    """

    def __init__(
        self, store: Store, run: OpenRun, condition: Condition | None = None, text: str = ""
    ) -> None:
        """Watch a run.

        Args:
            store: The store of the run.
            run: The run.
            condition: What to tell of besides the end; None for nothing.
            text: The condition as it was typed.
        """
        self.run = run
        self.text = text
        self.is_over = False
        """Whether nothing more will be told."""
        self._store = store
        self._condition = condition
        self._mark: int | None = None
        self._with_nan: set[str] = set()
        self._is_quiet: bool | None = None

    def news(self) -> list[str]:
        """Return what is new since the last look, a sentence each.

        Raises:
            DatabaseError: The run cannot be read now.
        """
        try:
            outlook = look(self._store, self.run, self._condition)
        except RunNotFound as error:
            self.is_over = True
            return [str(error)]
        found = self._news_of_values()
        if outlook is not Outlook.WAITING:
            self.is_over = True
            said = f"{self.text} holds" if outlook is Outlook.HOLDS else outlook.value
            return [*found, said]
        return [*found, *self._news_of_silence()]

    def _news_of_values(self) -> list[str]:
        mark, keys = self.run.ask(new_nans, self._mark)
        is_first, self._mark = self._mark is None, mark
        news = [] if is_first else [key for key in keys if key not in self._with_nan]
        self._with_nan.update(keys)
        return [f"{key} is NaN" for key in news]

    def _news_of_silence(self) -> list[str]:
        now = clock.now()
        signs = self._store.signs([self.run.row], now).get(self.run.id)
        is_quiet = standing(self.run.row, signs, now).activity is Activity.QUIET
        before, self._is_quiet = self._is_quiet, is_quiet
        return ["the run has gone quiet"] if is_quiet and before is False else []


def new_nans(connection: sqlite3.Connection, mark: int | None) -> tuple[int, tuple[str, ...]]:
    """Return the metrics with a NaN in the rows after a mark, and the mark of the last row.

    Args:
        connection: A connection to exp.db.
        mark: What this returned before; None for the first time, when no row is looked at.

    Source: dynamic_metrics, where a NaN is stored as NULL.
    """
    if not table_columns(connection, "dynamic_metrics"):
        return 0, ()
    (last,) = connection.execute("select coalesce(max(rowid), 0) from dynamic_metrics").fetchone()
    if mark is None:
        return last, ()
    rows = connection.execute(
        "select distinct key from dynamic_metrics where rowid > ? and value is null", [mark]
    )
    return last, tuple(sorted(decoding.text(key) for (key,) in rows))
