"""The measures, each side by side with what it is compared with, in one run on one machine."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import Measure
from tests.bench.stores import BIG, FILES, LONG, LONG_KEY, RUNNING, SMALL, TREE
from tests.terminal.terminal import FLOW_TUI, Terminal, environment

HELLO = (sys.executable, "-m", "tests.bench.hello")
HELLO_TEXT = "hello, world"
KB = 1_000
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Bench:
    """What to measure with: a store, how often, how long."""

    store: Path
    rounds: int
    seconds: float
    home: Path

    def terminal(self, *command: str) -> Terminal:
        """Start a command in a terminal of 120 by 40."""
        return Terminal(command, environment(self.home))

    def flow(self, run: str, tab: str = "overview") -> Terminal:
        return self.terminal(*FLOW_TUI, run, "--store", str(self.store), "--tab", tab)

    def measures(self) -> Iterator[Measure]:
        """Yield every measure as it is made."""
        yield from self.first_paint()
        yield from self.wire()
        yield self.memory()
        yield from self.writer_pace()
        yield self.key_echo()
        yield self.grid_echo()
        yield self.crosshair()
        yield from self.tree()
        yield self.table_echo()
        yield self.preview_echo()

    def first_paint(self) -> Iterator[Measure]:
        """From the start of the process until its text is on the screen; medians, interleaved."""

        def paint(start: Callable[[], Terminal], text: str) -> float:
            with start() as terminal:
                # Drawing what came would take time from the program that is being watched.
                terminal.settle(0.3)
                return terminal.wait_for(text) - terminal.started_at

        # The first start of each writes its modules' bytecode.
        for start in (lambda: self.terminal(*HELLO), lambda: self.flow(SMALL)):
            with start() as terminal:
                terminal.settle(0.5)
        hello, small, big = [], [], []
        for _ in range(self.rounds):
            hello.append(paint(lambda: self.terminal(*HELLO), HELLO_TEXT))
            small.append(paint(lambda: self.flow(SMALL), "1 Overview"))
            big.append(paint(lambda: self.flow(BIG), "1 Overview"))
        base = statistics.median(hello)
        for name, times in (("10 parameters", small), ("the big run", big)):
            yield Measure(f"first paint, {name}", statistics.median(times), base, 1.5, "s")

    def wire(self) -> Iterator[Measure]:
        """Bytes at 120x40 in truecolor."""
        with self.flow(BIG) as terminal:
            terminal.wait_for("metric_9")
            terminal.settle(1.0)
            yield Measure("bytes to start", terminal.byte_count, None, 25 * KB, "B")

            def after(keys: str) -> int:
                terminal.send(keys)
                return terminal.settle()

            after("2")
            yield Measure("bytes for a tab switch", after("1"), None, 20 * KB, "B")
            yield Measure("bytes for a cursor step", after("j"), None, 1 * KB, "B")
            idle = terminal.bytes_during(self.seconds)
            yield Measure("bytes while nothing happens", idle, None, 0, "B")

    def memory(self) -> Measure:
        """Resident memory with the big run read, over 1.5 times a bare app's, in MB."""
        with self.terminal(*HELLO) as terminal:
            terminal.wait_for(HELLO_TEXT)
            bare = terminal.resident_bytes() / MB
        with self.flow(BIG) as terminal:
            terminal.wait_for("metric_9")
            terminal.settle(1.0)
            used = terminal.resident_bytes() / MB
        return Measure("memory, over 1.5 x a bare app's", used - 1.5 * bare, None, 40, "MB")

    def writer_pace(self) -> Iterator[Measure]:
        """How fast a training process logs with and without a viewer; interleaved."""
        alone, watched, failed = 0.0, 0.0, 0.0
        with tempfile.TemporaryDirectory() as folder:
            store = Path(shutil.copytree(self.store, Path(folder) / "store"))
            quiet = Bench(store, self.rounds, self.seconds, self.home)
            quiet.written()
            for _ in range(3):
                alone += quiet.written()["written"]
                with quiet.flow(RUNNING) as terminal:
                    terminal.wait_for("train/loss")
                    seen = quiet.written()
                watched += seen["written"]
                failed += seen["failed"]
        yield Measure("writer's time for a row, watched", 1 / watched, 1 / alone, 1.05, "")
        yield Measure("writes that failed", failed, None, 0, "")

    def written(self, pace: float | None = None) -> dict[str, float]:
        """Run the writer on the running run and return what it says."""
        command = [sys.executable, "-m", "tests.bench.writer"]
        command += [str(self.store / RUNNING / "exp.db"), str(self.seconds)]
        command += [] if pace is None else [str(pace)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        said: dict[str, float] = json.loads(done.stdout)
        return said

    def key_echo(self) -> Measure:
        """95th percentile from a key to what it changes, while 1,000 rows a second are logged."""
        with tempfile.TemporaryDirectory() as folder:
            store = Path(shutil.copytree(self.store, Path(folder) / "store"))
            command = [sys.executable, "-m", "tests.bench.writer"]
            command += [str(store / RUNNING / "exp.db"), str(self.seconds * 4), "1000"]
            bench = Bench(store, self.rounds, self.seconds, self.home)
            echoes_ms = []
            with subprocess.Popen(command, stdout=subprocess.DEVNULL), bench.flow(RUNNING) as term:
                term.wait_for("param_9")
                term.send("\t")
                term.bytes_during(0.5)
                for index in range(40):
                    echoes_ms.append(_echo_ms(term, "j" if index % 8 < 4 else "k"))
        return Measure("key echo, p95", statistics.quantiles(echoes_ms, n=20)[-1], None, 50, "ms")

    def grid_echo(self) -> Measure:
        """95th percentile from a key to the next bytes, while the charts of a grid are read."""
        echoes_ms = []
        for _ in range(3):
            with self.flow(BIG, "metrics") as terminal:
                terminal.wait_for("metric_0")
                echoes_ms += [_echo_ms(terminal, key) for key in ("\x1b[C", "\x1b[D") * 6]
        p95_ms = statistics.quantiles(echoes_ms, n=20)[-1]
        return Measure("key echo while a grid loads, p95", p95_ms, None, 50, "ms")

    def crosshair(self) -> Measure:
        """Bytes when the crosshair goes one point on in a chart of the whole terminal, at most.

        Several points share a column of cells, so it moves by one only now and then.
        """
        with self.flow(LONG, "metrics") as terminal:
            terminal.wait_for(LONG_KEY.split("/")[1])
            terminal.settle(1.0)
            terminal.send("\r")
            terminal.wait_for(" step ")
            terminal.settle(1.0)
            counts = []
            for _ in range(12):
                terminal.send("\x1b[D")
                counts.append(terminal.settle(0.3))
            return Measure("bytes for a crosshair step", max(counts), None, 1 * KB, "B")

    def tree(self) -> Iterator[Measure]:
        """Keys in a trace of 30,000 spans: cursor and folds, and the bytes for a cursor step."""
        with self.flow(TREE, "traces") as terminal:
            terminal.wait_for("span_0")
            terminal.settle(1.0)
            terminal.send("\r")
            terminal.wait_for("duration")
            terminal.settle(1.5)
            keys = ("j", "j", "k", "\x1b[D", "\x1b[C", "z", "z", "G", "g") * 5
            echoes_ms = [_echo_ms(terminal, key) for key in keys]
            p95_ms = statistics.quantiles(echoes_ms, n=20)[-1]
            yield Measure("key echo in a tree, p95", p95_ms, None, 50, "ms")
            terminal.settle(0.5)
            counts = []
            for _ in range(8):
                terminal.send("j")
                counts.append(terminal.settle(0.5))
            # How much the details differ depends on the spans, so it is what is usual that counts.
            usual = statistics.median(counts)
            yield Measure("bytes for a span and its detail", usual, None, 1.5 * KB, "B")

    def table_echo(self) -> Measure:
        """95th percentile from a key to the next bytes in the table of samples."""
        with self.flow(BIG, "evals") as terminal:
            terminal.wait_for("sample-0")
            terminal.settle(2.0)
            keys = ("j", "j", "\x1b[6~", "\x1b[6~", "k", "\x1b[5~", "G", "g") * 5
            echoes_ms = [_echo_ms(terminal, key) for key in keys]
        p95_ms = statistics.quantiles(echoes_ms, n=20)[-1]
        return Measure("key echo in the table of samples, p95", p95_ms, None, 50, "ms")

    def preview_echo(self) -> Measure:
        """95th percentile from a key to the next bytes, while a large file is looked into.

        Each step waits long enough for the cursor to rest, so that the one after it finds a
        preview under way.
        """
        echoes_ms = []
        with self.flow(FILES, "attachments") as terminal:
            terminal.wait_for("a.csv")
            terminal.settle(2.0)
            for key in ("j", "j", "k", "k") * 6:
                echoes_ms.append(_echo_ms(terminal, key))
                terminal.bytes_during(0.25)
        p95_ms = statistics.quantiles(echoes_ms, n=20)[-1]
        return Measure("key echo while previews load, p95", p95_ms, None, 50, "ms")


def _echo_ms(terminal: Terminal, key: str) -> float:
    """Press a key, wait for the bytes that come next, and a little for the rest of them."""
    came, pressed_at = terminal.byte_count, time.monotonic()
    terminal.send(key)
    echo_ms = (_next_bytes_at(terminal, came) - pressed_at) * 1e3
    terminal.bytes_during(0.03)
    return echo_ms


def _next_bytes_at(terminal: Terminal, count: int) -> float:
    """Return when more than `count` bytes have come."""
    deadline = time.monotonic() + 5
    while terminal.byte_count == count and time.monotonic() < deadline:
        time.sleep(0.001)
    return time.monotonic()
