"""What a person is told of a run: each event once, and nothing that was so before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flowtui import clock
from flowtui.store.filters import run_condition
from flowtui.store.liveness.standing import QUIET_AFTER_S
from flowtui.store.open_run import OpenRun
from flowtui.store.run_alarm import RunAlarm
from flowtui.store.store import Store
from tests.unit.stores import NOW, execute, held, killed, opened, writer

NAN = float("nan")


@pytest.fixture
def made(folder: Path) -> Iterator[tuple[Store, OpenRun]]:
    """Yield a store with an active run whose process lives."""
    with writer(folder) as store:
        store.start_run("it", "it")
    log(folder, [("loss", NAN, 0), ("loss", 0.9, 1)])
    with held(folder / "meta.db"), opened(folder) as store:
        yield store, store.resolve("it")


def log(folder: Path, points: list[tuple[str, float, int]]) -> None:
    with writer(folder) as store, store.experiment("it") as run:
        run.metrics((*point, NOW) for point in points)


def test_a_nan_is_told_once_for_each_metric_and_earlier_ones_are_not(
    made: tuple[Store, OpenRun],
) -> None:
    store, run = made
    alarm = RunAlarm(store, run)
    assert alarm.news() == []
    log(store.directory, [("loss", NAN, 2), ("grad", NAN, 2), ("lr", 0.1, 2)])
    assert alarm.news() == ["grad is NaN", "loss is NaN"]
    log(store.directory, [("loss", NAN, 3)])
    assert alarm.news() == []
    assert not alarm.is_over


def test_a_condition_is_told_and_ends_it(made: tuple[Store, OpenRun]) -> None:
    store, run = made
    alarm = RunAlarm(store, run, run_condition("step > 5"), "step > 5")
    assert alarm.news() == []
    log(store.directory, [("loss", 0.5, 6)])
    assert alarm.news() == ["step > 5 holds"]
    assert alarm.is_over


@pytest.mark.parametrize(
    ("status", "said"), [("completed", "the run has ended well"), ("error", "the run has failed")]
)
def test_an_end_is_told_and_ends_it(made: tuple[Store, OpenRun], status: str, said: str) -> None:
    store, run = made
    alarm = RunAlarm(store, run)
    alarm.news()
    with writer(store.directory) as writing:
        writing.end_run("it", status=status, duration=1.0)
    assert alarm.news() == [said]
    assert alarm.is_over


def test_a_process_that_is_gone_is_told(made: tuple[Store, OpenRun]) -> None:
    store, run = made
    killed(run.database.path)
    alarm = RunAlarm(store, run)
    (said,) = alarm.news()
    assert "process is gone" in said
    assert alarm.is_over


def test_silence_is_told_once(made: tuple[Store, OpenRun], monkeypatch: pytest.MonkeyPatch) -> None:
    store, run = made
    alarm = RunAlarm(store, run)
    now = clock.now()
    assert alarm.news() == []
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=QUIET_AFTER_S + 5))
    assert alarm.news() == ["the run has gone quiet"]
    assert alarm.news() == []
    assert not alarm.is_over


def test_a_run_that_is_deleted_is_told(made: tuple[Store, OpenRun]) -> None:
    store, run = made
    alarm = RunAlarm(store, run)
    alarm.news()
    execute(store.directory / "meta.db", "delete from experiments")
    (said,) = alarm.news()
    assert "deleted" in said
    assert alarm.is_over
