"""What the Overview of a comparison reads: only of the runs that changed, and only what did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import TypeVar

from flowtui.store.compare import fact_reading
from flowtui.store.compare.fact_reading import Answer, FactAnswers
from flowtui.store.compare.fact_values import MetricFigures
from flowtui.store.compare.facts import (
    FactKind,
    FactRow,
    FactTable,
    about_rows,
    file_rows,
    metric_rows,
    model_rows,
    parameter_rows,
    problems,
)
from flowtui.store.compare.files import FileDigests, compared_files
from flowtui.store.compare.run_set import ComparedRun, RunSet, answered
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.values import Kind, MetricSummary

K = TypeVar("K")
T = TypeVar("T")

SHOWN_EVERY_S = 0.1
"""The first interval at which metrics are shown while their points are read."""
SHOWN_AT_LEAST_EVERY_S = 1.6
"""The longest such interval, which doubles each time: thousands of metrics take long to show."""


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """What has been read of the runs, and the rows made of it."""

    answers: FactAnswers
    summaries: tuple[Mapping[str, MetricSummary], ...]
    """By run and key: summaries that later reads of new points begin with."""
    rows: Mapping[FactKind, tuple[FactRow, ...]] = field(default_factory=dict)
    is_last: bool = False
    """Whether all that was asked for has been read."""
    digests: FileDigests = field(default_factory=FileDigests)
    """The digests of files that were read before."""

    @classmethod
    def nothing(cls, run_count: int) -> ReadFacts:
        """Return what is known before anything was read."""
        unread = (None,) * run_count
        return cls(FactAnswers(unread, unread, unread, unread), ({},) * run_count)

    @property
    def table(self) -> FactTable:
        rows = [row for kind in FactKind for row in self.rows.get(kind, ())]
        return FactTable(tuple(rows), problems(self.answers))


def read_facts(
    runs: RunSet,
    known: ReadFacts,
    kinds: Collection[Kind],
    letters: Collection[str],
    chosen: Mapping[str, str],
) -> Iterator[ReadFacts]:
    """Yield what is known as soon as all but the metrics' points is read, and then as these are.

    Args:
        runs: The compared runs.
        known: What is known; of a run about which it is not, everything is read.
        kinds: What is to be read.
        letters: The letters of the runs that it is to be read of.
        chosen: The directions of metrics that a person has chosen.
    """
    answers, rows = known.answers, dict(known.rows)
    read = partial(_read, runs, letters)
    if Kind.PARAMS in kinds:
        answers = replace(answers, params=read(answers.params, fact_reading.read_params))
        rows[FactKind.PARAMETERS] = parameter_rows(answers.params)
    if Kind.RUN in kinds:
        answers = replace(answers, about=read(answers.about, fact_reading.read_about))
        rows[FactKind.ABOUT] = about_rows(answers.about)
    if Kind.ATTACHMENTS in kinds:
        answers = replace(answers, files=compared_files(runs, known.digests))
        rows[FactKind.FILES] = file_rows(answers.files)
    if Kind.MODELS in kinds:
        answers = replace(answers, models=read(answers.models, fact_reading.read_models))
        rows[FactKind.MODELS] = model_rows(answers.models)
    made = replace(known, answers=answers, rows=rows, is_last=Kind.METRICS not in kinds)
    if made.is_last:
        yield made
    else:
        yield from _read_metrics(runs, made, letters, chosen)


def _read_metrics(
    runs: RunSet, known: ReadFacts, letters: Collection[str], chosen: Mapping[str, str]
) -> Iterator[ReadFacts]:
    metrics = list(known.answers.metrics)
    summaries = [dict(of_run) for of_run in known.summaries]
    stale = [at for at, run in enumerate(runs.runs) if run.letter in letters or metrics[at] is None]

    def now(is_last: bool = False) -> ReadFacts:
        return ReadFacts(
            replace(known.answers, metrics=tuple(metrics)),
            tuple(map(dict, summaries)),
            {**known.rows, FactKind.METRICS: metric_rows(metrics, chosen)},
            is_last,
            known.digests,
        )

    for at in stale:
        metrics[at] = answered(partial(_last_points, summaries[at]), runs.runs[at])
    yield now(not stale)
    pause_s = SHOWN_EVERY_S
    due = monotonic() + pause_s
    for at in stale:
        for answer in _with_summaries(runs.runs[at], metrics[at], summaries[at]):
            metrics[at] = answer
            if monotonic() >= due:
                yield now()
                pause_s = min(2 * pause_s, SHOWN_AT_LEAST_EVERY_S)
                due = monotonic() + pause_s
    if stale:
        yield now(is_last=True)


def _last_points(
    summaries: dict[str, MetricSummary], run: ComparedRun
) -> Mapping[str, MetricFigures]:
    """Return a run's metrics with what is known of their points; forget those that are gone."""
    found = fact_reading.read_last_points(run)
    for gone in summaries.keys() - found.keys():
        del summaries[gone]
    return {key: MetricFigures(of.last, summaries.get(key)) for key, of in found.items()}


def _with_summaries(
    run: ComparedRun, answer: Answer[str, MetricFigures], summaries: dict[str, MetricSummary]
) -> Iterator[Answer[str, MetricFigures]]:
    """Yield a run's metrics again and again, each time with one more summary that is new."""
    if answer is None or isinstance(answer, StoreError):
        return
    found = dict(answer)
    try:
        for summary in run.run.metrics.summaries(dict(summaries)):
            summaries[summary.key] = summary
            found[summary.key] = MetricFigures(summary.last, summary)
            yield found
    except ReadCancelled:
        raise
    except StoreError as error:
        yield error


def _read(
    runs: RunSet,
    letters: Collection[str],
    known: tuple[Answer[K, T], ...],
    question: Callable[[ComparedRun], Mapping[K, T]],
) -> tuple[Answer[K, T], ...]:
    return tuple(
        answered(question, run) if run.letter in letters or answer is None else answer
        for run, answer in zip(runs.runs, known, strict=True)
    )
