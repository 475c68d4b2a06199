"""What a run that goes on costs while one looks at it, tab by tab.

`python -m tests.bench.live EXP_DB SECONDS ACCENT` is the stand-in that writes: ten steps a second
into three metrics, and each second a trace of two spans and a sample, with names in the manner of
the accent.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from flowtui.store.schema import EvalRow, SpanRow
from flowtui.store.schema.experiment import ExperimentWriter, utc_now
from flowtui.store.schema.rows import MetricRow
from tests.bench.bench import Bench
from tests.bench.beside import TURNS, slower, written
from tests.bench.measure import KB, Measure
from tests.bench.stores import RUNNING, SMALL_SIZES, make
from tests.terminal.terminal import Terminal

STEPS_A_SECOND = 10
BEFORE = 1_000
"""Steps that are there when it begins."""
WIDE = "損失🚀"
BUDGETS = {"Overview": 0.6 * KB, "Metrics": 1 * KB, "Traces": 1 * KB, "Evals": 1 * KB,
           "Attachments": 0.6 * KB}  # fmt: skip
"""Bytes a second of each tab, in the order of their keys."""
VIEWED = "overview", "metrics", "traces"
"""The tabs of three viewers."""


def live(bench: Bench) -> Iterator[Measure]:
    """Yield what each tab sends and computes in a second, with plain and with wide names."""
    for accent, told in (("", ""), (WIDE, ", wide names")):
        with _on_small(bench) as small, _goes_on(small, accent), small.flow(RUNNING) as terminal:
            terminal.wait_for(f"{accent}loss")
            for key, (tab, budget) in enumerate(BUDGETS.items(), start=1):
                terminal.send(str(key))
                # What it reads first, and what the clocks and axes do then, is not what stays.
                terminal.bytes_during(2.0)
                a_second, share = _while_watched(terminal, bench.seconds * 2)
                yield Measure(f"bytes a second, live {tab}{told}", a_second, None, budget, "B")
                yield Measure(f"share of a core, live {tab}{told}", share, None, 5, "%")
    yield beside_viewers(bench)


def _while_watched(terminal: Terminal, seconds: float) -> tuple[float, float]:
    """Return bytes a second, and how much of a core was used, in percent."""
    before_s = terminal.cpu_s()
    count = terminal.bytes_during(seconds)
    return count / seconds, (terminal.cpu_s() - before_s) / seconds * 100


def beside_viewers(bench: Bench) -> Measure:
    """How fast the stand-in of the SDK logs with three viewers and with none; interleaved."""
    alone, watched = 0.0, 0.0
    with _on_small(bench) as small:
        written(small)
        for _ in range(TURNS):
            alone += written(small)["written"]
            with ExitStack() as stack:
                for tab in VIEWED:
                    stack.enter_context(small.flow(RUNNING, tab)).wait_for("1 Overview")
                watched += written(small)["written"]
    return slower("writer's time for a row, three viewers", TURNS * bench.seconds, watched, alone)


@contextmanager
def _on_small(bench: Bench) -> Iterator[Bench]:
    """Give the same with a small store of its own, to write into."""
    with tempfile.TemporaryDirectory() as folder:
        yield replace(bench, store=make(Path(folder), SMALL_SIZES))


@contextmanager
def _goes_on(bench: Bench, accent: str) -> Iterator[None]:
    """Have the stand-in write into the running run until the block ends."""
    command = [sys.executable, "-m", "tests.bench.live"]
    command += [str(bench.store / RUNNING / "exp.db"), str(bench.seconds * 60), accent]
    with subprocess.Popen(command) as writer:
        try:
            yield
        finally:
            writer.terminate()


def write(path: Path, seconds: float, accent: str) -> None:
    """Log at a steady pace for a while."""
    with closing(ExperimentWriter(path)) as run:
        step = BEFORE
        run.metrics(point for at in range(step) for point in _points(at, accent))
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < seconds:
            if step - BEFORE > elapsed * STEPS_A_SECOND:
                time.sleep(0.2 / STEPS_A_SECOND)
                continue
            step += 1
            run.metrics(_points(step, accent))
            if step % STEPS_A_SECOND == 0:
                run.spans(_trace(step, accent))
                run.evals([
                    EvalRow(
                        dataset_id=f"{accent}questions", id=str(step),
                        inputs={"q": f"{accent}{step}"},
                        outputs={"a": f"{step} {accent}"}, scores={"exact": step % 3 / 2},
                    )
                ])  # fmt: skip


def _points(step: int, accent: str) -> Iterator[MetricRow]:
    for at, key in enumerate(("train/{}loss", "train/{}accuracy", "val/{}loss")):
        value = math.exp(-step / 300) + math.sin(step * 7 + at) / 20
        yield key.format(accent), value, step, utc_now()


def _trace(step: int, accent: str) -> Iterator[SpanRow]:
    """Yield a trace of two spans that ends now."""
    now = time.time_ns()
    for at in range(2):
        yield SpanRow(
            trace_id=f"{step:032x}",
            span_id=f"{2 * step + at:016x}",
            parent_span_id=f"{2 * step:016x}" if at else None,
            name=f"{accent}step {at}",
            start_ns=now - (2 - at) * 40_000_000,
            end_ns=now,
            attributes={"step": step},
        )


if __name__ == "__main__":
    write(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
