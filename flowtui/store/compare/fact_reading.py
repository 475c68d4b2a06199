"""What is asked of each run for the table of facts; every answer may be a `StoreError` instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from flowtui import clock
from flowtui.store import models as logged_models
from flowtui.store import runs as run_rows
from flowtui.store.compare.fact_values import FactValue, MetricFigures
from flowtui.store.compare.files import ComparedFiles, FileDigests, compared_files
from flowtui.store.compare.parameters import Parameters, whole_params
from flowtui.store.compare.paths import Root
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.errors import RunNotFound, StoreError
from flowtui.store.liveness.standing import Standing
from flowtui.store.values import JsonValue, Model, Run

GONE = "it is not in its store any more"
K = TypeVar("K")
T = TypeVar("T")
Answer: TypeAlias = Mapping[K, T] | StoreError | None
"""What was read of one run, or why it could not be; None while it is not read yet."""
ABOUT = ("status", "duration", "group", "tags", "source", "description")
"""The facts about a run itself, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class FactAnswers:
    """What was read of the compared runs: of each kind an answer a run, the baseline first."""

    params: tuple[Answer[Root, FactValue], ...]
    metrics: tuple[Answer[str, MetricFigures], ...]
    about: tuple[Answer[Root, FactValue], ...]
    models: tuple[Answer[Root, FactValue], ...]
    files: ComparedFiles | None = None
    """The attachments; None while they are not read yet."""


def read_all(runs: RunSet) -> FactAnswers:
    """Return all that the table of facts is made of, each part of each run read for itself.

    Raises:
        ReadCancelled: Nobody waits any more.
    """
    return FactAnswers(
        runs.asked(read_params),
        runs.asked(read_metrics),
        runs.asked(read_about),
        runs.asked(read_models),
        compared_files(runs, FileDigests()),
    )


def read_params(run: ComparedRun) -> Parameters:
    """Return the parameters of a run. Source: static_params."""
    return run.run.ask(whole_params)


def read_last_points(run: ComparedRun) -> Mapping[str, MetricFigures]:
    """Return the metrics of a run with their last points, which is instant."""
    return {key: MetricFigures(last) for key, last in run.run.metrics.last_points().items()}


def read_metrics(run: ComparedRun) -> Mapping[str, MetricFigures]:
    """Return the metrics of a run with their summaries, which takes a pass over all points."""
    found = dict(read_last_points(run))
    for summary in run.run.metrics.summaries({}):
        found[summary.key] = MetricFigures(summary.last, summary)
    return found


def read_about(run: ComparedRun) -> Mapping[Root, FactValue]:
    """Return facts about a run. Source: meta.db experiments, and signs of its process."""
    row = run.store.ask(run_rows.run, run.run.id)
    if row is None:
        raise RunNotFound(GONE)
    return _about(row, run.store.standings([row], clock.now())[row.id])


def _about(row: Run, standing: Standing) -> Mapping[Root, FactValue]:
    tags: list[JsonValue] = [*dict.fromkeys(row.tags)]
    known: dict[str, JsonValue] = {
        "status": str(standing.activity or row.status),
        "duration": standing.elapsed_s,
        "group": row.group_name or None,
        "tags": tags or None,
        "source": row.source or None,
        "description": row.description or None,
    }
    found: dict[Root, FactValue] = {
        name: FactValue(value) for name, value in known.items() if value is not None
    }
    if tags:
        # Which of them stands first means nothing.
        found["tags"] = FactValue(tags, stored=tuple(sorted(set(row.tags))))
    return found


def read_models(run: ComparedRun) -> Mapping[Root, FactValue]:
    """Return the logged models of a run by name; several of one name are numbered.

    Source: meta.db models.
    """
    found: dict[Root, FactValue] = {}
    counts: dict[str, int] = {}
    for model in run.store.ask(logged_models.models, run.run.id) or ():
        count = counts[model.name] = counts.get(model.name, 0) + 1
        root = model.name if count == 1 else f"{model.name} · {count}"
        found[root] = _model_value(model)
    return found


def _model_value(model: Model) -> FactValue:
    tags: list[JsonValue] = [*sorted(set(model.tags))]
    said: dict[str, JsonValue] = {
        "size_bytes": model.size_bytes,
        "tags": tags,
        "source": model.source,
        "description": model.description,
    }
    # Two models of one size may hold other weights.
    return FactValue(said, model.problem, is_certain=False)
