"""What a viewer costs the process that writes the run, and what the writer costs the viewer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.bench import Bench
from tests.bench.echoes import echo_ms, p95
from tests.bench.measure import Measure
from tests.bench.stores import RUNNING
from tests.sdk.environments import WRITER

TURNS = 3


def beside_the_writer(bench: Bench) -> Iterator[Measure]:
    """How fast a stand-in of the SDK logs with and without a viewer; interleaved."""
    alone, watched, failed = 0.0, 0.0, 0.0
    with bench.on_copy() as copy:
        written(copy)
        for _ in range(TURNS):
            alone += written(copy)["written"]
            with copy.flow(RUNNING) as terminal:
                terminal.wait_for("train/loss")
                seen = written(copy)
            watched += seen["written"]
            failed += seen["failed"]
    seconds = TURNS * bench.seconds
    yield slower("writer's time for a row, watched", seconds, watched, alone)
    yield Measure("writes that failed", failed, None, 0, "")


def slower(what: str, seconds: float, watched: float, alone: float) -> Measure:
    """Return how long one of so many steps in a stretch of time takes, in microseconds."""
    return Measure(what, seconds / watched * 1e6, seconds / alone * 1e6, 1.05, "µs")


def written(bench: Bench) -> dict[str, float]:
    """Run the stand-in on the running run and return what it says."""
    command = [sys.executable, "-m", "tests.bench.writer"]
    command += [str(bench.store / RUNNING / "exp.db"), str(bench.seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    said: dict[str, float] = json.loads(done.stdout)
    return said


class Training:
    """A process of the real SDK that logs into a run of its own as fast as it can."""

    def __init__(self, store: Path, python: Path, seconds: float) -> None:
        """Start it; `python` is that of an environment with luml-sdk."""
        command: list[str | Path] = [python, WRITER, store, "--live", str(seconds)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        self.run = self._line()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()
        self._process.communicate()

    def report(self) -> dict[str, float]:
        """Wait for its end and return what it says of itself."""
        said: dict[str, float] = json.loads(self._line())
        return said

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def beside_the_sdk(bench: Bench, python: Path) -> Iterator[Measure]:
    """The same with the real SDK at full speed, and the echo of keys beside it."""
    alone, watched, failed = 0.0, 0.0, 0.0
    echoes_ms = []
    # The viewer starts beside it, which takes a third of a second of a core.
    logging_s = bench.seconds * 4
    with bench.on_copy() as copy:
        for _ in range(TURNS):
            with Training(copy.store, python, logging_s) as training:
                alone += training.report()["written"]
            with (
                Training(copy.store, python, logging_s) as training,
                copy.flow(training.run) as terminal,
            ):
                terminal.wait_for("train/loss")
                # A run of one metric and no parameters: from pane to pane.
                echoes_ms += [echo_ms(terminal, "\t") for _ in range(16)]
                said = training.report()
            watched += said["written"]
            failed += said["errors"]
    seconds = TURNS * logging_s
    yield slower("the SDK's time for a step, watched", seconds, watched, alone)
    yield Measure("the SDK's writes that failed", failed, None, 0, "")
    yield Measure("key echo beside the SDK, p95", p95(echoes_ms), None, 50, "ms")
