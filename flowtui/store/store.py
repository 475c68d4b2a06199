"""One store, asked one question at a time; every answer is a frozen value.

It is one file because it is one class, the only door to SQL for everything above it: each method
names its question and leaves the answering to the module of that kind of record.

Methods may be called from any thread. All of them raise `DatabaseError`s (see errors.py) and,
where they take `cancelled`, `ReadCancelled`.
"""

from __future__ import annotations

import sqlite3
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flowtui.store import checks, counts, location, models, params, runs
from flowtui.store.changes import Watcher
from flowtui.store.database import Cancelled, Database
from flowtui.store.errors import DatabaseCorrupt, DatabaseError
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.metrics import listing
from flowtui.store.metrics import summary as metric_summary
from flowtui.store.metrics.steps import Step
from flowtui.store.values import (
    Counts,
    Figures,
    Group,
    LoggedPoint,
    MetricSummary,
    Model,
    Param,
    Run,
    StoreLocation,
)

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from flowtui.store.annotations.agreement import Agreement
    from flowtui.store.annotations.values import (
        Added,
        Annotation,
        AnnotationName,
        Change,
        Deleted,
        Draft,
        Edited,
        SampleTarget,
        SpanTarget,
        Target,
        Value,
    )
    from flowtui.store.attachments.values import Attachments
    from flowtui.store.filters import Condition
    from flowtui.store.liveness.signs import SignsReader
    from flowtui.store.liveness.standing import Signs, Standing
    from flowtui.store.metrics import points
    from flowtui.store.metrics.numbered_steps import NumberedSteps
    from flowtui.store.metrics.values import Extent, Neighbours, Series, Smoothed
    from flowtui.store.samples.orders import SampleOrder
    from flowtui.store.samples.score_values import ScoreSet
    from flowtui.store.samples.values import Dataset, KeyInUse, Sample, SampleGroups
    from flowtui.store.traces.listing import TraceOrder
    from flowtui.store.traces.values import Span, SpanDetail, Trace
    from flowtui.store.uploaded import LocalType, RemoteArtifact

T = TypeVar("T")

NUMBERED_RUNS = 4
"""So many runs keep copies of metrics whose steps are text or bytes."""


class Store:
    """Reads one LUML store without changing it; writes annotations, one transaction each."""

    why_read_only: str = ""
    """Why nothing in it can ever be written, for a person; empty for a folder."""

    def __init__(self, where: StoreLocation) -> None:
        """Open a store; nothing stays open.

        Raises:
            StoreNotFound: there is no meta.db at that place.
            DatabaseError: meta.db cannot be read, or is not the database of a LUML store.
        """
        self.location = where
        self.directory = location.require(where)
        self.meta = Database(self.directory / "meta.db", "meta.db")
        if not self.meta.read(runs.has_runs_table):
            raise DatabaseCorrupt(
                self.meta.path, f"{self.meta.path} is no LUML store: it has no experiments table"
            )
        self._experiments: dict[str, Database] = {}
        self._figures: dict[str, tuple[Fingerprint, Figures]] = {}
        self._caught_up: dict[str, dict[str, tuple[MetricSummary, MetricSummary]]] = {}
        """By run and key: a summary that was asked with, and the same of all that was there."""
        self._remarks: dict[tuple[str, ...], tuple[Fingerprint, tuple[str, ...]]] = {}
        """By run, list and keys: what no record has, and when that was so."""
        self._signs: SignsReader | None = None
        self._numbered: OrderedDict[str, NumberedSteps] = OrderedDict()
        """By run, the last used last."""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Remove private copies of databases, if any were made."""
        for database in (self.meta, *self._experiments.values()):
            database.close()
        for numbered in self._numbered.values():
            numbered.close()

    def experiment(self, run_id: str) -> Database:
        """Return the database of one run; the file need not exist."""
        with self._lock:
            if run_id not in self._experiments:
                path = self.run_directory(run_id) / "exp.db"
                self._experiments[run_id] = Database(
                    path,
                    f"{run_id[:8]}/exp.db",
                    partial(_goes_on, self.meta, run_id),
                )
            return self._experiments[run_id]

    def run_directory(self, run_id: str) -> Path:
        """Return the folder of one run.

        Raises:
            DatabaseError: the id, which any writer may choose, would lead out of the store.
        """
        parts = Path(run_id).parts
        if not parts or Path(run_id).is_absolute() or ".." in parts or "\0" in run_id:
            message = f"the run id {run_id!r} is no path inside the store"
            raise DatabaseError(self.directory, message)
        return self.directory / run_id

    # Runs -----------------------------------------------------------------------------------

    def run(self, run_id: str) -> Run | None:
        return self.meta.read(lambda db: runs.run(db, run_id))

    def resolve(self, word: str) -> Run:
        """Return the run that a word on the command line names: id, prefix, name or `latest`.

        Raises:
            RunNotFound, RunAmbiguous: with what was searched and what came close.
        """
        found = location.choose(
            word,
            self.meta.read(lambda db: runs.candidates(db, word)) if word else [],
            self.directory,
        )
        if found is None and word == location.LATEST:
            found = self.meta.read(runs.latest)
        if found is None:
            raise location.not_found(word, self.identities(), self.directory)
        return found

    def identities(self) -> list[tuple[str, str]]:
        """Return (id, name) of all runs, newest first."""
        return self.meta.read(runs.identities)

    def groups(self) -> tuple[Group, ...]:
        return self.meta.read(runs.groups)

    def run_order(
        self,
        condition: Condition | None = None,
        order: runs.RunOrder | None = None,
        cancelled: Cancelled | None = None,
    ) -> array[int]:
        """Return the rowids of the runs that meet a condition, in order.

        Where the condition or the order asks for parameters or metrics, those of runs that
        meta.db has none of are read from their own databases: about 1 ms a run the first time.

        Args:
            condition: None for all.
            order: newest first unless given.
            cancelled: ends the read with ReadCancelled.
        """
        wanted = order or runs.RunOrder()
        figures: Mapping[str, Figures] = {}
        if runs.needs_figures(condition, wanted):
            missing = self.meta.read(runs.without_figures, cancelled)
            figures = self.figures(missing, cancelled)
        return self.meta.read(lambda db: runs.ordered(db, condition, wanted, figures), cancelled)

    def run_remarks(
        self, condition: Condition | None, cancelled: Cancelled | None = None
    ) -> tuple[str, ...]:
        """Return sentences about a filter: each key that no run has, words that are only text."""
        if condition is None:
            return ()
        from flowtui.store import names_in_use

        if not condition.asked:
            return names_in_use.as_text(condition)
        missing = self.meta.read(runs.without_figures, cancelled)
        figures = self.figures(missing, cancelled)
        unknown = self.meta.read(lambda db: runs.remarks(db, condition, figures), cancelled)
        return (*unknown, *names_in_use.as_text(condition))

    def _records_remarks(
        self,
        place: tuple[str, ...],
        condition: Condition | None,
        ask: Callable[[sqlite3.Connection, Condition], tuple[str, ...]],
        cancelled: Cancelled | None,
    ) -> tuple[str, ...]:
        """Return sentences about a filter of records, looking for its keys only where it must.

        Args:
            place: the run, the kind of record and what else it depends on.
            condition: of the filter; None has none.
            ask: the store's question.
            cancelled: ends the read with ReadCancelled.
        """
        if condition is None:
            return ()
        from flowtui.store import names_in_use

        unknown: tuple[str, ...] = ()
        if condition.asked:
            database = self.experiment(place[0])
            key = (*place, *(asked.name for asked in condition.asked))
            fingerprint = database.fingerprint()
            known = self._remarks.get(key)
            # What one record has, some record has as long as the list is looked at.
            if known is None or (known[1] and known[0] != fingerprint):
                known = fingerprint, database.read(lambda db: ask(db, condition), cancelled)
                if fingerprint.is_settled or not known[1]:
                    self._remarks[key] = known
            unknown = known[1]
        return (*unknown, *names_in_use.as_text(condition))

    def figure_keys(self) -> tuple[list[str], list[str]]:
        """Return the keys of parameters and of metrics of completed runs, most common first."""
        return self.meta.read(runs.figure_keys)

    def runs(self, rowids: Sequence[int]) -> dict[int, Run]:
        """Return runs by rowid; those that are gone are left out."""
        return self.meta.read(lambda db: runs.at(db, rowids))

    def figures(
        self, run_ids: Sequence[str], cancelled: Cancelled | None = None
    ) -> dict[str, Figures]:
        """Return parameters and last metric values by run id.

        A completed run's come from its copies in meta.db, all others from their own databases,
        which are read again only when they changed.
        """
        found = self.meta.read(lambda db: runs.copied_figures(db, run_ids), cancelled)
        missing = [run_id for run_id in run_ids if run_id not in found]
        return found | self.live_figures(missing, cancelled)

    def live_figures(
        self, run_ids: Sequence[str], cancelled: Cancelled | None = None
    ) -> dict[str, Figures]:
        """Return figures from the runs' own databases, reading only those that changed."""
        return {run_id: self._own_figures(run_id, cancelled) for run_id in run_ids}

    def _own_figures(self, run_id: str, cancelled: Cancelled | None) -> Figures:
        try:
            database = self.experiment(run_id)
            fingerprint = database.fingerprint()
            known = self._figures.get(run_id)
            if known is not None and known[0] == fingerprint:
                return known[1]
            logged, listed = database.read(
                lambda db: (params.params(db), listing.listed(db)), cancelled
            )
            last = self._with_odd_steps(run_id, listed, cancelled)
        except DatabaseError as error:
            return Figures(problem=str(error))
        figures = Figures(
            {param.key: param.value for param in logged or ()},
            {key: None if point is None else point.value for key, point in last.items()},
        )
        if fingerprint.is_settled:
            self._figures[run_id] = fingerprint, figures
        return figures

    def signs(self, runs: Iterable[Run], now: datetime, may_ask: bool = True) -> dict[str, Signs]:
        """Return signs of life of the processes of those runs that are active, by run id.

        Runs of which nothing can be known are left out. Cheap to call every second.

        Args:
            runs: which.
            now: the moment, by this machine's clock.
            may_ask: whether a child process may be asked, for some 20 ms, who holds the databases
                of runs that have been quiet for long.
        """
        if self._signs is None:
            from flowtui.store.liveness.signs import SignsReader

            self._signs = SignsReader(self.meta, self.experiment)
        return self._signs.signs(runs, now, may_ask)

    def standings(self, runs: Sequence[Run], now: datetime) -> dict[str, Standing]:
        """Return how far runs are at a moment, by run id; see `signs`."""
        from flowtui.store.liveness.standing import standing

        signs = self.signs(runs, now)
        return {run.id: standing(run, signs.get(run.id), now) for run in runs}

    # One run --------------------------------------------------------------------------------

    def params(self, run_id: str) -> tuple[Param, ...] | None:
        """Return a run's parameters by key, None where its schema has no such table."""
        return self.experiment(run_id).read(params.params)

    def models(self, run_id: str) -> tuple[Model, ...] | None:
        """Return a run's models, oldest first, None where the schema has no such table."""
        return self.meta.read(lambda db: models.models(db, run_id))

    def counts(self, run_id: str, cancelled: Cancelled | None = None) -> Counts:
        """Return how many records of each kind exp.db holds."""
        return self.experiment(run_id).read(counts.counts, cancelled)

    def last_points(self, run_id: str) -> dict[str, LoggedPoint | None]:
        """Return the last point of every metric by key, None where no row of it has a step.

        Instant at any number of points whose steps are stored as numbers.
        """
        return self._with_odd_steps(run_id, self.experiment(run_id).read(listing.listed))

    def _with_odd_steps(
        self,
        run_id: str,
        listed: Sequence[listing.ListedMetric],
        cancelled: Cancelled | None = None,
    ) -> dict[str, LoggedPoint | None]:
        found = {}
        for key, point, is_odd in listed:
            if is_odd:
                ask = partial(listing.last_point, key=key)
                point = self._numbered_steps(run_id).read_copy(key, ask, cancelled)
            found[key] = point
        return found

    def _numbered_steps(self, run_id: str) -> NumberedSteps:
        from flowtui.store.metrics.numbered_steps import NumberedSteps

        database = self.experiment(run_id)
        with self._lock:
            numbered = self._numbered.setdefault(run_id, NumberedSteps(database))
            self._numbered.move_to_end(run_id)
            is_full = len(self._numbered) > NUMBERED_RUNS
            oldest = self._numbered.popitem(last=False)[1] if is_full else None
        if oldest is not None:
            oldest.close()
        return numbered

    def _read_metric(
        self,
        run_id: str,
        key: str,
        question: Callable[[sqlite3.Connection], T],
        cancelled: Cancelled | None = None,
    ) -> T:
        return self._numbered_steps(run_id).read(key, question, cancelled)

    def lost_records(self, run_id: str) -> list[str]:
        """Return sentences about what no list has in it, or not as it was logged, and why."""
        said: list[str] = []
        for database in (self.meta, self.experiment(run_id)):
            said += [*database.remarks(), *database.read(checks.oddities)]
            said += database.read(counts.damage)
        return said + self.experiment(run_id).read(counts.lost_records)

    def metric_summaries(
        self,
        run_id: str,
        known: Mapping[str, MetricSummary],
        cancelled: Cancelled | None = None,
    ) -> Iterator[MetricSummary]:
        """Yield the summaries of the metrics that have points which `known` does not cover.

        Each metric is a read of its own, so that no read lasts longer than one metric takes.
        """
        database = self.experiment(run_id)
        current = self._current_summaries(run_id, known)
        stale = database.read(lambda db: listing.stale(db, current), cancelled)
        # Without this the rows since the metric that was logged longest ago are read each time.
        self._caught_up[run_id] = {
            key: (known[key], replace(summary, mark=stale.mark))
            for key, summary in current.items()
            if key not in stale.keys
        }
        for key in stale.keys:
            ask = partial(metric_summary.summary, key=key, known=current.get(key))
            summary = self._read_metric(run_id, key, ask, cancelled)
            if summary is not None:
                yield summary

    def _current_summaries(
        self, run_id: str, known: Mapping[str, MetricSummary]
    ) -> dict[str, MetricSummary]:
        caught_up = self._caught_up.get(run_id, {})
        current = {}
        for key, summary in known.items():
            asked, later = caught_up.get(key, (None, summary))
            current[key] = later if asked is summary else summary
        return current

    # One metric of one run ------------------------------------------------------------------
    # From here on each method loads what it needs: no start of the app asks for it.

    def series(
        self,
        run_id: str,
        key: str,
        window: tuple[Step, Step] | None,
        columns: int,
        cancelled: Cancelled | None = None,
    ) -> Series | None:
        """Return a metric over a window of steps in columns, None without points.

        One pass over the window's points; see `series.series` for the columns.
        """
        from flowtui.store.metrics import series

        return self._read_metric(
            run_id, key, lambda db: series.series(db, key, window, columns), cancelled
        )

    def extended_series(
        self, run_id: str, known: Series, cancelled: Cancelled | None = None
    ) -> Series | None:
        """Return what `series` would now, reading only new points if they were appended."""
        from flowtui.store.metrics import series

        return self._read_metric(
            run_id, known.key, lambda db: series.extended(db, known), cancelled
        )

    def smoothed_series(
        self,
        run_id: str,
        series: Series,
        weight: float,
        known: Smoothed | None = None,
        cancelled: Cancelled | None = None,
    ) -> Smoothed:
        """Return the moving average of a series over all its points.

        One pass over the points; only over those after the `known` average where that goes on.
        """
        from flowtui.store.metrics import smoothing

        return self._read_metric(
            run_id, series.key, lambda db: smoothing.smoothed(db, series, weight, known), cancelled
        )

    def extent(self, run_id: str, key: str) -> Extent | None:
        """Return where a metric begins and ends and its points' number, None without points."""
        from flowtui.store.metrics import points

        return self._read_metric(run_id, key, lambda db: points.extent(db, key))

    def point_count(
        self,
        run_id: str,
        key: str,
        window: tuple[Step, Step],
        cancelled: Cancelled | None = None,
    ) -> int:
        """Return how many points of a metric a window of steps has."""
        from flowtui.store.metrics import points

        return self._read_metric(run_id, key, lambda db: points.count(db, key, *window), cancelled)

    def neighbours(self, run_id: str, key: str, step: Step) -> Neighbours:
        """Return the point at a step, if there is one, and the nearest on both sides."""
        from flowtui.store.metrics import points

        return self._read_metric(run_id, key, lambda db: points.point_at(db, key, step))

    def next_point(
        self,
        run_id: str,
        key: str,
        step: Step,
        direction: points.Direction = "after",
        kind: points.Kind = "any",
        cancelled: Cancelled | None = None,
    ) -> LoggedPoint | None:
        """Return the nearest point of a kind before or after a step, None if there is none."""
        from flowtui.store.metrics import points

        return self._read_metric(
            run_id, key, lambda db: points.next_point(db, key, step, direction, kind), cancelled
        )

    def points(
        self,
        run_id: str,
        key: str,
        window: tuple[Step, Step],
        cancelled: Cancelled | None = None,
    ) -> Iterator[LoggedPoint]:
        """Yield all points of a window in order of steps, however many there are.

        Every `points.PAGE_POINTS` are a read of their own, so that no writer waits and memory
        does not grow. Each page is of one state of the store, and no point comes twice; what is
        logged meanwhile comes if its step is still ahead.
        """
        from flowtui.store.metrics import points

        start, end = window
        after_rowid = None
        while True:
            ask = partial(points.page, key=key, start=start, end=end, after_rowid=after_rowid)
            page = self._read_metric(run_id, key, ask, cancelled)
            yield from page.points
            if page.is_last:
                return
            start, after_rowid = page.points[-1].step, page.last_rowid

    # Traces ---------------------------------------------------------------------------------

    def trace_order(
        self,
        run_id: str,
        condition: Condition | None = None,
        order: TraceOrder | None = None,
        cancelled: Cancelled | None = None,
    ) -> array[int]:
        """Return the keys of the traces that meet a condition, in order, latest first unless given.

        About 100 ms for 100,000 spans; text conditions and the order by tokens read attributes.
        """
        from flowtui.store.traces import listing as traces

        wanted = order or traces.TraceOrder()
        return self.experiment(run_id).read(
            lambda db: traces.ordered(db, condition, wanted), cancelled
        )

    def trace_remarks(
        self, run_id: str, condition: Condition | None, cancelled: Cancelled | None = None
    ) -> tuple[str, ...]:
        """Return sentences about a filter: each key that no trace has, words that are only text."""
        from flowtui.store.traces import listing as traces

        return self._records_remarks((run_id, "traces"), condition, traces.remarks, cancelled)

    def traces(
        self, run_id: str, keys: Sequence[int], cancelled: Cancelled | None = None
    ) -> dict[int, Trace]:
        """Return traces by key; those that are gone are left out."""
        from flowtui.store.traces import listing as traces

        return self.experiment(run_id).read(lambda db: traces.at(db, keys), cancelled)

    def spans(
        self, run_id: str, trace_id: str, cancelled: Cancelled | None = None
    ) -> tuple[Span, ...]:
        """Return all spans of a trace in the order of their starts; see `spans.spans`."""
        from flowtui.store.traces import spans as span_rows

        return self.experiment(run_id).read(lambda db: span_rows.spans(db, trace_id), cancelled)

    def span_mark(self, run_id: str, trace_id: str) -> tuple[int, int]:
        """Return what tells whether a trace has new spans; see `spans.mark`."""
        from flowtui.store.traces import spans as span_rows

        return self.experiment(run_id).read(lambda db: span_rows.mark(db, trace_id))

    def linked_samples(self, run_id: str, trace_id: str) -> tuple[SampleTarget, ...]:
        """Return the samples of eval sets that are linked to a trace."""
        from flowtui.store.traces import spans as span_rows

        return self.experiment(run_id).read(lambda db: span_rows.samples(db, trace_id))

    def matching_spans(
        self,
        run_id: str,
        trace_id: str,
        condition: Condition,
        cancelled: Cancelled | None = None,
    ) -> frozenset[str]:
        """Return the ids of the spans of a trace that meet a condition of `span_condition`."""
        from flowtui.store.traces import search

        return self.experiment(run_id).read(
            lambda db: search.matching(db, trace_id, condition), cancelled
        )

    def span_remarks(
        self,
        run_id: str,
        trace_id: str,
        condition: Condition,
        cancelled: Cancelled | None = None,
    ) -> tuple[str, ...]:
        """Return sentences about a search: each key that no span has, words that are only text."""
        from flowtui.store.traces import search

        return self._records_remarks(
            (run_id, "spans", trace_id),
            condition,
            lambda db, asking: search.remarks(db, trace_id, asking),
            cancelled,
        )

    def span_names(self, run_id: str, trace_id: str | None = None) -> tuple[str, ...]:
        """Return what a filter of traces may ask for, or a search of the spans of one."""
        from flowtui.store import names_in_use

        found = self.experiment(run_id).read(lambda db: names_in_use.of_spans(db, trace_id))
        return tuple(name.whole for name in found)

    def unannotated_spans(
        self,
        run_id: str,
        trace_id: str,
        user: str,
        condition: Condition | None = None,
        cancelled: Cancelled | None = None,
    ) -> array[int]:
        """Return the rowids of a trace's spans without an annotation by an author, by start."""
        from flowtui.store.traces import search

        return self.experiment(run_id).read(
            lambda db: search.unannotated(db, trace_id, condition, user), cancelled
        )

    def unannotated_roots(
        self,
        run_id: str,
        keys: Sequence[int],
        user: str,
        cancelled: Cancelled | None = None,
    ) -> array[int]:
        """Return the rowids of the roots of traces, without those that an author annotated.

        About 0.3 s for 100,000 traces; `keys` and their order are those of `trace_order`.
        """
        from flowtui.store.traces import search

        return self.experiment(run_id).read(
            lambda db: search.unannotated_roots(db, keys, user), cancelled
        )

    def span_at(self, run_id: str, rowid: int) -> SpanTarget | None:
        """Return which span a row of `unannotated_spans` is, None if it is gone."""
        from flowtui.store.traces import search

        return self.experiment(run_id).read(lambda db: search.target_at(db, rowid))

    def span_detail(
        self, run_id: str, trace_id: str, span_id: str, whole: bool = False
    ) -> SpanDetail | None:
        """Return everything of one span, None if there is none; see `span_details`."""
        return self.span_details(run_id, trace_id, [span_id], whole).get(span_id)

    def span_details(
        self, run_id: str, trace_id: str, span_ids: Sequence[str], whole: bool = False
    ) -> dict[str, SpanDetail]:
        """Return everything of some spans by id, in one read.

        JSON of more than 32 MB is only parsed if it is wanted `whole`.
        """
        from flowtui.store.traces import details as span_details

        return self.experiment(run_id).read(
            lambda db: span_details.details(db, trace_id, span_ids, whole)
        )

    def present_spans(self, run_id: str, trace_id: str, span_ids: Sequence[str]) -> frozenset[str]:
        """Return which of some spans of a trace are there."""
        from flowtui.store.traces import details as span_details

        return self.experiment(run_id).read(
            lambda db: span_details.present_ids(db, trace_id, span_ids)
        )

    # Annotations ----------------------------------------------------------------------------

    def annotations(self, run_id: str, target: Target) -> tuple[Annotation, ...]:
        """Return the annotations of a span or sample, oldest first."""
        from flowtui.store.annotations import listing as annotation_rows

        return self.experiment(run_id).read(lambda db: annotation_rows.of_target(db, target))

    def trace_annotations(self, run_id: str, trace_id: str) -> dict[str, tuple[Annotation, ...]]:
        """Return the annotations of all spans of a trace by span id, oldest first."""
        from flowtui.store.annotations import listing as annotation_rows

        return self.experiment(run_id).read(lambda db: annotation_rows.of_trace(db, trace_id))

    def annotation_counts(
        self, run_id: str, trace_id: str, user: str | None = None
    ) -> dict[SpanTarget, int]:
        """Return how many annotations each annotated span of a trace has, or has by one author."""
        from flowtui.store.annotations import listing as annotation_rows

        return self.experiment(run_id).read(
            lambda db: annotation_rows.span_counts(db, trace_id, user)
        )

    def sample_annotation_counts(
        self, run_id: str, samples: Sequence[SampleTarget], user: str | None = None
    ) -> dict[SampleTarget, int]:
        """Return how many annotations each annotated sample among some has, or by one author."""
        from flowtui.store.annotations import listing as annotation_rows

        return self.experiment(run_id).read(
            lambda db: annotation_rows.sample_counts(db, samples, user)
        )

    def annotation_names(self, run_id: str, user: str | None = None) -> tuple[AnnotationName, ...]:
        """Return the names in use in a run, or by one author in it, last used first."""
        from flowtui.store.annotations import listing as annotation_rows

        return self.experiment(run_id).read(lambda db: annotation_rows.names(db, user))

    def annotation_authors(self, run_id: str) -> tuple[str, ...]:
        """Return who annotated in a run, the last one first."""
        from flowtui.store.annotations import listing as annotation_rows

        return self.experiment(run_id).read(annotation_rows.authors)

    def add_annotation(
        self,
        run_id: str,
        target: Target,
        draft: Draft,
        now: Callable[[], datetime] | None = None,
    ) -> Added:
        """Add an annotation; see `annotating.add` for what it raises."""
        from flowtui.store.annotations import writing

        database = self.experiment(run_id)
        if now is None:
            return writing.add(database, target, draft)
        return writing.add(database, target, draft, now=now)

    def edit_annotation(
        self,
        run_id: str,
        known: Annotation,
        value: Value,
        rationale: str | None,
        overwrite: bool = False,
    ) -> Added | Edited:
        """Set an annotation's value and rationale; see `annotating.edit` for what it raises."""
        from flowtui.store.annotations import writing

        database = self.experiment(run_id)
        return writing.edit(database, known, value, rationale, overwrite=overwrite)

    def delete_annotation(
        self, run_id: str, known: Annotation, overwrite: bool = False
    ) -> Deleted | None:
        """Delete an annotation; see `annotating.delete` for what it raises."""
        from flowtui.store.annotations import writing

        return writing.delete(self.experiment(run_id), known, overwrite=overwrite)

    def restore_annotation(
        self, run_id: str, deleted: Annotation, overwrite: bool = False
    ) -> Added | Edited:
        """Put back a deleted annotation; see `annotating.restore` for what it raises."""
        from flowtui.store.annotations import writing

        return writing.restore(self.experiment(run_id), deleted, overwrite=overwrite)

    def revert_annotation_change(
        self, run_id: str, change: Change, overwrite: bool = False
    ) -> None:
        """Undo a change; see `annotating.revert` for what it raises, `UndoStack` for several."""
        from flowtui.store.annotations import writing

        writing.revert(self.experiment(run_id), change, overwrite=overwrite)

    def create_annotation_tables(self, run_id: str) -> None:
        """Make the annotation tables of a run that is older than they are."""
        from flowtui.store.annotations import writing

        writing.create_tables(self.experiment(run_id))

    # Samples --------------------------------------------------------------------------------

    def datasets(self, run_id: str, cancelled: Cancelled | None = None) -> tuple[Dataset, ...]:
        """Return a run's eval sets by id, with their numbers of samples."""
        from flowtui.store.samples import listing as samples

        return self.experiment(run_id).read(samples.datasets, cancelled)

    def sample_order(
        self,
        run_id: str,
        dataset: str | None = None,
        condition: Condition | None = None,
        order: SampleOrder | None = None,
        cancelled: Cancelled | None = None,
    ) -> array[int]:
        """Return the keys of the samples that meet a condition, in order, oldest first at first.

        About 0.25 s for 100,000 samples by a score; see `samples.ordered`.
        """
        from flowtui.store.samples import listing as samples
        from flowtui.store.samples import orders

        wanted = order or orders.SampleOrder()
        return self.experiment(run_id).read(
            lambda db: samples.ordered(db, dataset, condition, wanted), cancelled
        )

    def sample_remarks(
        self, run_id: str, condition: Condition | None, cancelled: Cancelled | None = None
    ) -> tuple[str, ...]:
        """Return sentences about a filter: each key that no sample has, words that are text."""
        from flowtui.store.samples import listing as samples

        return self._records_remarks((run_id, "samples"), condition, samples.remarks, cancelled)

    def samples(
        self,
        run_id: str,
        keys: Sequence[int],
        whole: bool = False,
        cancelled: Cancelled | None = None,
    ) -> dict[int, Sample]:
        """Return samples by key; those that are gone are left out, texts are cut unless `whole`."""
        from flowtui.store.samples import listing as samples

        bounds = samples.WHOLE if whole else samples.LISTED
        return self.experiment(run_id).read(lambda db: samples.at(db, keys, bounds), cancelled)

    def samples_annotated_by(self, run_id: str, user: str) -> frozenset[int]:
        """Return the keys of the samples that an author has annotated."""
        from flowtui.store.samples import listing as samples

        return self.experiment(run_id).read(lambda db: samples.annotated_by(db, user))

    def sample_rowid(self, run_id: str, target: SampleTarget) -> int | None:
        """Return the key that a sample has now, None if there is none."""
        from flowtui.store.samples import listing as samples

        return self.experiment(run_id).read(lambda db: samples.rowid(db, target))

    def sample_detail(self, run_id: str, target: SampleTarget) -> Sample | None:
        """Return one sample with all that is stored of it, None if there is none."""
        from flowtui.store.samples import listing as samples

        return self.experiment(run_id).read(lambda db: samples.detail(db, target))

    def sample_keys(
        self,
        run_id: str,
        dataset: str | None = None,
        columns: Sequence[str] = ("scores", "metadata", "inputs", "outputs", "refs"),
        cancelled: Cancelled | None = None,
    ) -> tuple[KeyInUse, ...]:
        """Return the keys at the top of JSON columns of samples; see `sample_keys.keys`."""
        from flowtui.store.samples import keys as sample_keys

        return self.experiment(run_id).read(
            lambda db: sample_keys.keys(db, dataset, columns), cancelled
        )

    def sample_groups(
        self,
        run_id: str,
        key: str,
        dataset: str | None = None,
        condition: Condition | None = None,
        cancelled: Cancelled | None = None,
    ) -> SampleGroups:
        """Return how many samples have each value under a key; see `sample_keys.groups`."""
        from flowtui.store.samples import keys as sample_keys

        return self.experiment(run_id).read(
            lambda db: sample_keys.groups(db, dataset, condition, key), cancelled
        )

    def score_sets(
        self,
        run_id: str,
        dataset: str | None = None,
        condition: Condition | None = None,
        cancelled: Cancelled | None = None,
    ) -> tuple[ScoreSet, ...]:
        """Return what scores add up to, of all eval sets and of each; see `scores.score_sets`."""
        from flowtui.store.samples import scores

        return self.experiment(run_id).read(
            lambda db: scores.score_sets(db, dataset, condition), cancelled
        )

    # Attachments ----------------------------------------------------------------------------

    def attachments(self, run_id: str, cancelled: Cancelled | None = None) -> Attachments | None:
        """Return a run's attachments, None where its schema has none; see `attachments.on_disk`.

        About 1 s for 100,000 files.
        """
        from flowtui.store.attachments import listing as attachments

        rows = self.experiment(run_id).read(attachments.attachments, cancelled)
        if rows is None:
            return None
        return attachments.on_disk(rows, self.attachments_directory(run_id), cancelled)

    def attachments_directory(self, run_id: str) -> Path:
        """Return the folder of a run's attachments; it need not exist."""
        return self.run_directory(run_id) / "attachments"

    def attachment_path(self, run_id: str, file_path: str) -> Path:
        """Return where an attachment lies; see `attachments.resolved` for what it refuses."""
        from flowtui.store.attachments import listing as attachments

        return attachments.resolved(self.attachments_directory(run_id), file_path)

    # Uploads --------------------------------------------------------------------------------

    def remote_artifacts(self, local_id: str) -> tuple[RemoteArtifact, ...] | None:
        """Return where a run or model was uploaded, latest first; None in an older schema."""
        from flowtui.store import uploaded

        return self.meta.read(lambda db: uploaded.remote_artifacts(db, local_id))

    def record_upload(
        self, kind: LocalType, local_id: str, orbit_id: str, artifact_id: str, now: datetime
    ) -> None:
        """Note that a run or model is in the registry; see `recording.record_upload`."""
        from flowtui.store import upload_record

        upload_record.record_upload(self.meta, kind, local_id, orbit_id, artifact_id, now)

    def record_upload_failure(self, run_id: str) -> None:
        """Note that a run's upload failed; see `recording.record_failure`."""
        from flowtui.store import upload_record

        upload_record.record_failure(self.meta, run_id)

    def agreement(self, run_id: str, dataset: str | None = None) -> tuple[Agreement, ...]:
        """Return, by name, how far authors agree on samples that several of them annotated."""
        from flowtui.store.annotations import agreement

        return self.experiment(run_id).read(lambda db: agreement.agreement(db, dataset))

    def watcher(self, run_id: str | None = None) -> Watcher:
        """Return a watcher of the list of runs and, if one is named, of that run's records."""
        return Watcher(self.meta, run_id, None if run_id is None else self.experiment(run_id))


def _goes_on(meta: Database, run_id: str) -> bool:
    """Say whether a run is to be taken for one that is still written, by its status."""
    row = meta.read(lambda db: runs.run(db, run_id))
    return row is not None and row.is_active
