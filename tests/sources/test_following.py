"""A source is followed by a child process, which ends with its input."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.sources import private_store
from flowtui.sources.private_store import SourceStore
from flowtui.store.liveness.standing import Activity
from tests.sources.reading import points
from tests.sources.test_tensorboard import STARTED_S, add, events, scalar

Opened = Callable[[Path], SourceStore]
DEADLINE_S = 30.0


def wait_for(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_a_followed_source_shows_what_is_written_and_runs_that_come(
    tmp_path: Path, opened: Opened
) -> None:
    logs = tmp_path / "logs"
    file = events(logs / "one", scalar("loss", 0, 1.0))
    store = opened(logs)
    store.follow()
    run = store.resolve("one")
    wait_for(lambda: "loss" in points(run))
    add(file, scalar("loss", 1, 0.5))
    events(logs / "two", scalar("loss", 0, 1.0))
    wait_for(lambda: len(points(run)["loss"]) == 2)
    wait_for(lambda: len(store.list.ordered()) == 2)
    store.close()


def test_the_child_process_ends_with_its_input(tmp_path: Path) -> None:
    events(tmp_path / "logs", scalar("loss", 0, 1.0))
    child = subprocess.Popen(
        [sys.executable, "-m", "flowtui.sources.following", str(tmp_path / "logs")],
        stdin=subprocess.PIPE,
    )
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(DEADLINE_S) == 0


def test_a_left_run_that_goes_on_in_another_file_is_active_again(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_store, "_LIST_AGAIN_S", 0.0)
    file = events(tmp_path / "logs", scalar("loss", 0, 1.0))
    os.utime(file, (STARTED_S, STARTED_S))
    store = opened(tmp_path / "logs")
    run = store.resolve("logs")
    assert store.standings([run.row], datetime.now(UTC))[run.id].activity is Activity.STOPPED
    store.follow()
    events(tmp_path / "logs", scalar("loss", 1, 1.0), "events.out.tfevents.1750000009.here.2")

    def is_active() -> bool:
        standing = store.standings([run.row], datetime.now(UTC))[run.id]
        return standing.activity is Activity.ACTIVE

    wait_for(is_active)
