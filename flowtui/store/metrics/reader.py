"""The metrics of one run, asked one question at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Concatenate, ParamSpec, TypeVar

from flowtui.store.database import Database
from flowtui.store.metrics import listing
from flowtui.store.metrics.numbered_steps import NumberedRuns
from flowtui.store.metrics.steps import Step
from flowtui.store.values import LoggedPoint, MetricSummary

P = ParamSpec("P")
T = TypeVar("T")


class MetricReader:
    """Asks about metrics with steps as numbers, whichever of SQLite's types they are stored in."""

    def __init__(self, database: Database, numbered: NumberedRuns) -> None:
        self._database = database
        self._numbered = numbered
        self._caught_up: dict[str, tuple[MetricSummary, MetricSummary]] = {}
        """By key: a summary that a caller knew, and the same summary brought up to date."""

    def ask(
        self,
        key: str,
        question: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return the answer to a question about one metric.

        Args:
            key: The metric that it is about, whose steps decide where it is asked.
            question: Takes a connection, and the arguments that follow.
            args: Further arguments of the question.
            kwargs: Further arguments by name.
        """
        numbered = self._numbered.of(self._database)
        return numbered.read(key, lambda db: question(db, *args, **kwargs))

    def last_points(self) -> dict[str, LoggedPoint | None]:
        """Return the last point of every metric by key, None where no row of it has a step.

        It is instant at any number of points, if their steps are stored as numbers.
        """
        return self.last_of(self._database.read(listing.listed))

    def last_of(self, listed: Sequence[listing.ListedMetric]) -> dict[str, LoggedPoint | None]:
        """Return the last points of metrics that were listed."""
        found = {}
        for key, point, is_odd in listed:
            if is_odd:
                point = self.ask(key, listing.last_point, key)
            found[key] = point
        return found

    def summaries(self, known: Mapping[str, MetricSummary]) -> Iterator[MetricSummary]:
        """Yield the summaries of the metrics that have points which `known` does not include.

        Each metric is a read of its own, so that no read lasts longer than one metric takes.
        """
        from flowtui.store.metrics import summary as summarizing

        current = self._current(known)
        stale = self._database.read(lambda db: listing.stale(db, current))
        # Without this, all rows since the metric that was logged longest ago would be read each
        # time.
        self._caught_up = {
            key: (known[key], replace(summary, mark=stale.mark))
            for key, summary in current.items()
            if key not in stale.keys
        }
        for key in stale.keys:
            summary = self.ask(key, summarizing.summary, key, current.get(key))
            if summary is not None:
                yield summary

    def _current(self, known: Mapping[str, MetricSummary]) -> dict[str, MetricSummary]:
        current = {}
        for key, summary in known.items():
            asked, later = self._caught_up.get(key, (None, summary))
            current[key] = later if asked is summary else summary
        return current

    def points(self, key: str, window: tuple[Step, Step]) -> Iterator[LoggedPoint]:
        """Yield all points of a window in order of steps, however many there are.

        Every `points.PAGE_POINTS` are a read of their own, so that no writer waits and memory does
        not grow. Each page is of one state of the store, and no point occurs twice; a point that is
        logged meanwhile is included if its step is still ahead.
        """
        from flowtui.store.metrics import points

        start, end = window
        after_rowid = None
        while True:
            page = self.ask(key, points.page, key, start, end, after_rowid)
            yield from page.points
            if page.is_last:
                return
            start, after_rowid = page.points[-1].step, page.last_rowid
