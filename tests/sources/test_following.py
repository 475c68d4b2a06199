"""A source is followed by a child process, which ends with its input."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flowtui.sources.private_store import SourceStore
from tests.sources.reading import points
from tests.sources.test_tensorboard import add, events, scalar

DEADLINE_S = 30.0


def wait_for(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_a_followed_source_shows_what_is_written_and_runs_that_come(
    tmp_path: Path, opened: Callable[[Path], SourceStore]
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
