"""The first paint, bytes, memory and time at rest, each beside what it is compared with."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from tests.bench.bench import HELLO, HELLO_TEXT, Bench
from tests.bench.measure import KB, MB, Measure
from tests.bench.stores import BIG, LONG, LONG_KEY, SMALL
from tests.terminal.terminal import Terminal

PAINT = "first paint, the big run"
START_BYTES = "bytes to start"
TAB_BYTES = "bytes for a tab switch, at most"
PAGE_BYTES = "bytes for a page, at most"
STEP_BYTES = "bytes for a cursor step, at most"
IDLE_BYTES = "bytes while nothing happens"
IDLE_CPU = "share of a core while nothing happens"
MEMORY = "memory with the big run"
LEFT, DOWN, PAGE_DOWN, PAGE_UP = "\x1b[D", "\x1b[B", "\x1b[6~", "\x1b[5~"


def measures(bench: Bench) -> Iterator[Measure]:
    """Yield every measure of a session with the big run as it is made."""
    yield from first_paint(bench)
    yield from wire(bench)
    yield crosshair(bench)
    yield from memory(bench)


def first_paint(bench: Bench) -> Iterator[Measure]:
    """From the start of the process until its text is on the screen; medians, interleaved."""

    def paint(start: Callable[[], Terminal], text: str) -> float:
        with start() as terminal:
            # Drawing what came would take time from the program that is being watched.
            terminal.settle(0.3)
            return terminal.wait_for(text) - terminal.started_at

    # The first start of each writes its modules' bytecode.
    for start in (lambda: bench.terminal(*HELLO), lambda: bench.flow(SMALL)):
        with start() as terminal:
            terminal.settle(0.5)
    hello, small, big = [], [], []
    for _ in range(bench.rounds):
        hello.append(paint(lambda: bench.terminal(*HELLO), HELLO_TEXT))
        small.append(paint(lambda: bench.flow(SMALL), "1 Overview"))
        big.append(paint(lambda: bench.flow(BIG), "1 Overview"))
    base = statistics.median(hello)
    for name, times in (("first paint, 10 parameters", small), (PAINT, big)):
        yield Measure(name, statistics.median(times), base, 1.5, "s")


def wire(bench: Bench) -> Iterator[Measure]:
    """Bytes at 120x40 in truecolor, and what it costs to be open."""
    with bench.flow(BIG) as terminal:
        terminal.wait_for("metric_9")
        terminal.settle(1.0)
        yield Measure(START_BYTES, terminal.byte_count, None, 25 * KB, "B")
        tabs = [bytes_after(terminal, key) for key in ("2", "3", "4", "5", "1")]
        # Each is shown for the first time and read; then only shown.
        tabs += [bytes_after(terminal, key) for key in ("2", "3", "4", "5", "1")]
        yield Measure(TAB_BYTES, max(tabs), None, 20 * KB, "B")
        steps = [bytes_after(terminal, key) for key in ("j", "j", DOWN, "k")]
        pages = []
        for tab in ("3", "4"):
            bytes_after(terminal, tab)
            steps += [bytes_after(terminal, key) for key in ("j", DOWN, "k")]
            pages += [bytes_after(terminal, key) for key in (PAGE_DOWN, PAGE_DOWN, PAGE_UP)]
        yield Measure(PAGE_BYTES, max(pages), None, 20 * KB, "B")
        yield Measure(STEP_BYTES, max(steps), None, 1 * KB, "B")
        terminal.settle(1.0)
        before_s = terminal.cpu_s()
        yield Measure(IDLE_BYTES, terminal.bytes_during(bench.seconds), None, 0, "B")
        used = (terminal.cpu_s() - before_s) / bench.seconds
        yield Measure(IDLE_CPU, used * 100, None, 2, "%")


def bytes_after(terminal: Terminal, keys: str) -> int:
    """Return how many bytes keys bring, the bytes of what they have read included."""
    before = terminal.byte_count
    terminal.send(keys)
    terminal.settle(0.7)
    return terminal.byte_count - before


def crosshair(bench: Bench) -> Measure:
    """Bytes when the crosshair goes one point on in a chart of the whole terminal, at most.

    Several points share a column of cells, so it moves by one only now and then.
    """
    with bench.flow(LONG, "metrics") as terminal:
        terminal.wait_for(LONG_KEY.split("/")[1])
        terminal.settle(1.0)
        terminal.send("\r")
        terminal.wait_for(" step ")
        terminal.settle(1.0)
        counts = []
        for _ in range(12):
            terminal.send(LEFT)
            counts.append(terminal.settle(0.3))
        return Measure("bytes for a crosshair step, at most", max(counts), None, 1 * KB, "B")


def memory(bench: Bench) -> Iterator[Measure]:
    """Resident memory with the big run read, after each of its tabs was shown."""
    with bench.terminal(*HELLO) as terminal:
        terminal.wait_for(HELLO_TEXT)
        bare = terminal.resident_bytes() / MB
    with bench.flow(BIG) as terminal:
        terminal.wait_for("metric_9")
        terminal.settle(1.0)
        read = terminal.resident_bytes() / MB
        for key in "23451":
            bytes_after(terminal, key)
        walked = terminal.resident_bytes() / MB
    yield Measure(MEMORY, read, None, 1.5 * bare + 40, "MB")
    yield Measure(f"{MEMORY}, all tabs shown", walked, None, 1.5 * bare + 40, "MB")
