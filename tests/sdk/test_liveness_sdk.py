"""What is said of the process of a run, beside the real luml-sdk: at work, asleep, killed, done."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowtui.store.liveness.standing import Activity, Standing, standing
from flowtui.store.store import Store
from tests.conftest import open_store
from tests.sdk.environments import VERSIONS

LATER = timedelta(minutes=25)

TRAIN = """
import sys
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker("sqlite://" + sys.argv[1])
run = tracker.start_experiment(name="trained")
tracker.log_static("lr", 0.001)
for step in range(5):
    tracker.log_dynamic("loss", 1 / (step + 1), step=step)
print("ready", flush=True)
for line in sys.stdin:
    if line == "end\\n":
        tracker.end_experiment(run)
    else:
        tracker.log_dynamic("loss", 0.1, step=5)
    print("ready", flush=True)
"""


@contextmanager
def training(python: Path, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that logs a little and then waits for what it is told."""
    pipe = subprocess.PIPE
    command = [python, "-c", TRAIN, str(directory)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            answered(process)
            yield process
        finally:
            process.kill()


def answered(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def told(process: subprocess.Popen[str], what: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    answered(process)


def later(store: Store) -> Standing:
    """Return how the run stands when 25 minutes have passed."""
    now = datetime.now(UTC) + LATER
    run = store.resolve("trained").row
    return standing(run, store.signs([run], now).get(run.id), now)


@pytest.fixture(params=VERSIONS)
def python(request: pytest.FixtureRequest, sdk_python: Callable[[str], Path]) -> Path:
    return sdk_python(request.param)


def test_one_that_sleeps_is_quiet_and_one_that_is_killed_has_stopped(
    python: Path, tmp_path: Path
) -> None:
    with training(python, tmp_path / "store") as process:
        store = open_store(tmp_path / "store")
        quiet = later(store)
        assert quiet.activity is Activity.QUIET
        assert quiet.elapsed_s is not None
        assert quiet.elapsed_s >= LATER.total_seconds()
        process.kill()
        process.wait()
        # One that was there is not asked about again at once.
        stopped = later(open_store(tmp_path / "store"))
    assert (stopped.activity, stopped.is_rough) == (Activity.STOPPED, True)
    assert stopped.elapsed_s is not None
    assert stopped.elapsed_s < 60
    now = datetime.now(UTC)
    run = store.resolve("trained").row
    assert run.status == "active"
    assert standing(run, store.signs([run], now)[run.id], now).activity is Activity.ACTIVE


def test_one_that_logs_on_is_active_and_one_that_ended_is_what_it_says(
    python: Path, tmp_path: Path
) -> None:
    with training(python, tmp_path / "store") as process:
        store = open_store(tmp_path / "store")
        told(process, "log")
        now = datetime.now(UTC)
        run = store.resolve("trained").row
        assert standing(run, store.signs([run], now)[run.id], now).activity is Activity.ACTIVE
        told(process, "end")
        ended = later(store)
    assert (ended.activity, ended.is_rough) == (None, False)
    assert ended.elapsed_s == store.resolve("trained").row.duration_s
