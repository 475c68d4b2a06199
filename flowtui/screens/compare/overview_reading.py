"""What the Overview of a comparison reads: only of the runs that changed, and only what did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from time import monotonic
from typing import TypeVar

from flowtui.store.compare import fact_reading
from flowtui.store.compare.fact_reading import Answer, FactAnswers
from flowtui.store.compare.fact_values import FactValue, MetricFigures
from flowtui.store.compare.facts import (
    FactKind,
    FactRow,
    FactTable,
    about_rows,
    metric_rows,
    model_rows,
    parameter_rows,
    problems,
)
from flowtui.store.compare.paths import Root
from flowtui.store.compare.run_set import ComparedRun, RunSet, answered
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.values import Kind, MetricSummary

T = TypeVar("T")

SHOWN_EVERY_S = 0.1
"""The first interval at which metrics are shown while their points are read."""
SHOWN_AT_LEAST_EVERY_S = 1.6
"""The longest such interval, which doubles each time: thousands of metrics take long to show."""


class FactReader:
    """Keeps what was read of the runs; one read at a time uses it, in whichever thread."""

    def __init__(self, runs: RunSet) -> None:
        self._runs = runs
        count = len(runs.runs)
        self._params: list[Answer[Root, FactValue]] = [None] * count
        self._metrics: list[Answer[str, MetricFigures]] = [None] * count
        self._about: list[Answer[Root, FactValue]] = [None] * count
        self._models: list[Answer[Root, FactValue]] = [None] * count
        self._summaries: list[dict[str, MetricSummary]] = [{} for _ in range(count)]
        self._rows: dict[FactKind, tuple[FactRow, ...]] = {}

    def tables(
        self, kinds: Collection[Kind], letters: Collection[str], chosen: Mapping[str, str]
    ) -> Iterator[FactTable]:
        """Yield the table as soon as it can be shown, and then as metrics are read.

        Args:
            kinds: What is to be read.
            letters: The letters of the runs that it is to be read of.
            chosen: The directions of metrics that a person has chosen.
        """
        stale = [(at, run) for at, run in enumerate(self._runs.runs) if run.letter in letters]
        if Kind.PARAMS in kinds:
            _read(stale, self._params, fact_reading.read_params)
            self._rows[FactKind.PARAMETERS] = parameter_rows(self._params)
        if Kind.RUN in kinds:
            _read(stale, self._about, fact_reading.read_about)
            self._rows[FactKind.ABOUT] = about_rows(self._about)
        if Kind.MODELS in kinds:
            _read(stale, self._models, fact_reading.read_models)
            self._rows[FactKind.MODELS] = model_rows(self._models)
        if Kind.METRICS in kinds:
            for at, run in stale:
                self._metrics[at] = answered(partial(self._last_points, at), run)
            self._rows[FactKind.METRICS] = metric_rows(self._metrics, chosen)
        yield self._table()
        if Kind.METRICS not in kinds:
            return
        pause_s = SHOWN_EVERY_S
        due = monotonic() + pause_s
        for at, run in stale:
            for _ in self._read_summaries(at, run):
                if monotonic() >= due:
                    self._rows[FactKind.METRICS] = metric_rows(self._metrics, chosen)
                    yield self._table()
                    pause_s = min(2 * pause_s, SHOWN_AT_LEAST_EVERY_S)
                    due = monotonic() + pause_s
        if stale:
            self._rows[FactKind.METRICS] = metric_rows(self._metrics, chosen)
            yield self._table()

    def _last_points(self, at: int, run: ComparedRun) -> dict[str, MetricFigures]:
        found = fact_reading.read_last_points(run)
        known = self._summaries[at]
        self._summaries[at] = {key: known[key] for key in found if key in known}
        return {
            key: MetricFigures(figures.last, self._summaries[at].get(key))
            for key, figures in found.items()
        }

    def _read_summaries(self, at: int, run: ComparedRun) -> Iterator[None]:
        answer = self._metrics[at]
        if answer is None or isinstance(answer, StoreError):
            return
        found = dict(answer)
        try:
            for summary in run.run.metrics.summaries(self._summaries[at]):
                self._summaries[at][summary.key] = summary
                found[summary.key] = MetricFigures(summary.last, summary)
                self._metrics[at] = found
                yield
        except ReadCancelled:
            raise
        except StoreError as error:
            self._metrics[at] = error

    def _table(self) -> FactTable:
        answers = FactAnswers(
            tuple(self._params), tuple(self._metrics), tuple(self._about), tuple(self._models)
        )
        rows = [row for kind in FactKind for row in self._rows.get(kind, ())]
        return FactTable(tuple(rows), problems(answers))


def _read(
    stale: list[tuple[int, ComparedRun]],
    answers: list[T | StoreError | None],
    question: Callable[[ComparedRun], T],
) -> None:
    for at, run in stale:
        answers[at] = answered(question, run)
