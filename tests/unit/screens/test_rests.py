"""How long what takes long to read is left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flowtui.screens.compare import evals_reading as compared_reading
from flowtui.screens.evals import reading as evals_reading
from flowtui.screens.traces import reading as traces_reading
from tests.unit.compared_samples import run_set
from tests.unit.stores import one_run, opened


@pytest.mark.parametrize(("took_s", "rest_s"), [(0.1, 0.4), (3600.0, 5.0)])
def test_a_trace_rests_for_as_long_as_it_took_to_read_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, took_s: float, rest_s: float
) -> None:
    one_run(tmp_path)
    with opened(tmp_path) as store:
        read = traces_reading.read_trace(store.run("run-1"), "a" * 32, None)
    monkeypatch.setattr(traces_reading.time, "monotonic", lambda: 1.0)
    assert replace(read, took_s=took_s, read_at_s=1.0).rest_s == pytest.approx(rest_s)


@pytest.mark.parametrize(("took_s", "rest_s"), [(0.1, 0.9), (3600.0, 5.0)])
def test_sums_of_scores_rest_for_as_long_as_they_took_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, took_s: float, rest_s: float
) -> None:
    clock = ticks(took_s)
    one_run(tmp_path)
    with opened(tmp_path) as store:
        monkeypatch.setattr(evals_reading, "monotonic", lambda: next(clock))
        scores = evals_reading.read_scores(store.run("run-1"))
        assert scores.due_s - took_s == pytest.approx(rest_s)


@pytest.mark.parametrize(("took_s", "rest_s"), [(0.1, 0.9), (3600.0, 5.0)])
def test_joined_samples_rest_for_as_long_as_they_took_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, took_s: float, rest_s: float
) -> None:
    clock = ticks(took_s)
    with run_set(tmp_path, {"one": [], "other": []}) as runs:
        monkeypatch.setattr(compared_reading, "monotonic", lambda: next(clock))
        reader = compared_reading.ComparisonReader(runs)
        read = reader.read(compared_reading.ComparedQuery(), lambda *_: None, {"A"}, ())
        assert read.due_s - took_s == pytest.approx(rest_s)
        # What reads nothing again leaves the rest as it is.
        again = reader.read(compared_reading.ComparedQuery(), lambda *_: None, (), ())
        assert again.due_s == read.due_s


def ticks(step_s: float) -> Iterator[float]:
    """Gives the times of a clock that goes on by so much whenever somebody looks."""
    now_s = 0.0
    while True:
        yield now_s
        now_s += step_s
