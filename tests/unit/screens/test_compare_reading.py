"""What the Overview of a comparison reads: of which runs, and what it keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.screens.compare.overview_reading import ReadFacts, read_facts
from flowtui.store.compare import fact_reading
from flowtui.store.compare.fact_reading import read_all
from flowtui.store.compare.fact_values import FactValue, MetricFigures
from flowtui.store.compare.facts import FactKind, fact_table
from flowtui.store.compare.paths import Root
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.values import Kind
from tests.conftest import open_store
from tests.unit.stores import NOW, one_run, writer

ALL = frozenset({Kind.PARAMS, Kind.METRICS, Kind.MODELS, Kind.RUN})


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[RunSet]:
    """Three runs with parameters and metrics."""
    for number, run_id in enumerate(("one", "other", "third")):
        points: Mapping[str, Mapping[float, float]] = {"loss": {1: 0.5 + number, 2: math.nan}}
        one_run(tmp_path, {"lr": number}, points, run_id)
    with closing(open_store(tmp_path)) as store:
        yield RunSet.of([(store, store.resolve(name)) for name in ("one", "other", "third")])


def last(steps: Iterator[ReadFacts]) -> ReadFacts:
    *_, found = steps
    assert found.is_last
    return found


def test_what_was_read_piece_by_piece_is_what_is_read_at_once(runs: RunSet) -> None:
    steps = list(read_facts(runs, ReadFacts.nothing(3), ALL, "ABC", {"loss": "higher"}))
    assert [step.is_last for step in steps] == [False] * (len(steps) - 1) + [True]
    whole = fact_table(read_all(runs), {"loss": "higher"})
    shown = steps[-1].table
    assert [(row.kind, row.path, row.sameness, row.direction) for row in shown.rows] == [
        (row.kind, row.path, row.sameness, row.direction) for row in whole.rows
    ]


def test_only_what_has_changed_is_read_again(
    runs: RunSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    read_params = fact_reading.read_params

    def noted(run: ComparedRun) -> Mapping[Root, FactValue]:
        asked.append(run.letter)
        return read_params(run)

    monkeypatch.setattr(fact_reading, "read_params", noted)
    known = last(read_facts(runs, ReadFacts.nothing(3), ALL, "", {}))
    assert asked == ["A", "B", "C"]
    with writer(tmp_path) as store, store.experiment("other") as experiment:
        experiment.params({"lr": 9, "more": 1})
        experiment.metrics([("loss", 0.25, 3, NOW)])
    now = last(read_facts(runs, known, {Kind.PARAMS}, "B", {}))
    assert asked == ["A", "B", "C", "B"]
    (lr, more) = now.rows[FactKind.PARAMETERS]
    assert [cell.value for cell in lr.cells if isinstance(cell, FactValue)] == [0, 9, 2]
    assert more.letters == "B"
    assert now.rows[FactKind.METRICS] is known.rows[FactKind.METRICS]
    now = last(read_facts(runs, now, {Kind.METRICS}, "B", {}))
    (loss,) = now.rows[FactKind.METRICS]
    cell = loss.cells[1]
    assert isinstance(cell, MetricFigures)
    assert cell.summary is not None
    assert (cell.summary.count, cell.summary.minimum) == (3, cell.last)
    # What a read gave that was left in between has changed nothing of what was known.
    assert known.summaries[1]["loss"].count == 2


def test_a_direction_is_taken_without_reading_anything(
    runs: RunSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = last(read_facts(runs, ReadFacts.nothing(3), ALL, "ABC", {}))
    monkeypatch.setattr(fact_reading, "read_last_points", pytest.fail)
    (row,) = last(read_facts(runs, known, {Kind.METRICS}, "", {"loss": "higher"})).rows[
        FactKind.METRICS
    ]
    assert str(row.direction) == "higher"
