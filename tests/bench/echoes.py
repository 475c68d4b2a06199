"""How soon a key is answered: 95th percentiles from a key to the next bytes, and tabs' contents."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from tests.bench.bench import Bench
from tests.bench.listing import SAMPLE_ORDER, TRACES, raw
from tests.bench.measure import KB, Measure
from tests.bench.measures import PAGE_DOWN, PAGE_UP
from tests.bench.reading import CARD_COLUMNS, medians, open_store, scan
from tests.bench.stores import BIG, FILES, FOREST, MANY, RUNNING, TREE, Sizes, metric_key
from tests.terminal.terminal import PATIENCE_S, Terminal

BRAILLE = range(0x2800, 0x2900)
Seen = Callable[[str], bool]


def echoes(bench: Bench, sizes: Sizes) -> Iterator[Measure]:
    """Yield every measure of a key as it is made."""
    yield while_written(bench)
    yield while_a_grid_loads(bench)
    yield from in_a_tree(bench, TREE, "")
    yield from in_a_tree(bench, FOREST, " of 200,000 spans")
    yield quitting(bench)
    yield to_the_end_of_a_grid(bench)
    yield in_the_samples(bench)
    yield while_previews_load(bench)
    yield from tabs(bench, sizes)


def while_written(bench: Bench) -> Measure:
    """Keys on the Overview of a run into which 1,000 rows a second are logged."""
    with bench.on_copy() as copy:
        command = [sys.executable, "-m", "tests.bench.writer"]
        command += [str(copy.store / RUNNING / "exp.db"), str(bench.seconds * 4), "1000"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL), copy.flow(RUNNING) as terminal:
            terminal.wait_for("param_9")
            terminal.send("\t")
            terminal.bytes_during(0.5)
            echoes_ms = [echo_ms(terminal, "j" if index % 8 < 4 else "k") for index in range(40)]
    return Measure("key echo beside 1,000 rows/s, p95", p95(echoes_ms), None, 50, "ms")


def while_a_grid_loads(bench: Bench) -> Measure:
    """Keys from the moment on when the first chart of a grid has a name."""
    echoes_ms = []
    for _ in range(3):
        with bench.flow(BIG, "metrics") as terminal:
            terminal.wait_for("metric_0")
            echoes_ms += [echo_ms(terminal, key) for key in ("\x1b[C", "\x1b[D") * 6]
    return Measure("key echo while a grid loads, p95", p95(echoes_ms), None, 50, "ms")


def in_a_tree(bench: Bench, run: str, which: str) -> Iterator[Measure]:
    """Keys in a large trace: cursor and folds, and the bytes for a cursor step."""
    with bench.flow(run, "traces") as terminal:
        terminal.wait_for("span_0")
        terminal.settle(1.0)
        terminal.send("\r")
        terminal.wait_for("spans ·")
        terminal.settle(1.5)
        keys = ("j", "j", "k", "\x1b[D", "\x1b[C", "z", "z", "G", "g") * 5
        echoes_ms = [echo_ms(terminal, key) for key in keys]
        yield Measure(f"key echo in a tree{which}, p95", p95(echoes_ms), None, 50, "ms")
        terminal.settle(0.5)
        counts = []
        for _ in range(8):
            terminal.send("j")
            counts.append(terminal.settle(0.5))
        # How much the details differ depends on the spans, so it is what is usual that counts.
        usual = statistics.median(counts)
        yield Measure(f"bytes for a span and its detail{which}", usual, None, 1.5 * KB, "B")


def quitting(bench: Bench) -> Measure:
    """From q to the end of the process, while a trace of 200,000 spans is read."""
    with bench.flow(FOREST, "traces") as terminal:
        terminal.wait_for("span_0")
        terminal.settle(1.0)
        terminal.send("\r")
        terminal.bytes_during(0.2)
        begun = time.monotonic()
        terminal.send("q")
        terminal.wait_exit()
        return Measure("quitting while a trace is read", time.monotonic() - begun, None, 0.3, "s")


def to_the_end_of_a_grid(bench: Bench) -> Measure:
    """From End to the last chart's name, among 3,000 metrics."""
    with bench.flow(MANY, "metrics") as terminal:
        terminal.wait_for("0000")
        terminal.settle(1.0)
        begun = time.monotonic()
        terminal.send("G")
        shown = terminal.wait_for("2999")
        return Measure("End among 3,000 metrics", shown - begun, None, 0.3, "s")


def in_the_samples(bench: Bench) -> Measure:
    """Steps, pages and ends of the table of samples."""
    with bench.flow(BIG, "evals") as terminal:
        terminal.wait_for("sample-0")
        terminal.settle(2.0)
        keys = ("j", "j", PAGE_DOWN, PAGE_DOWN, "k", PAGE_UP, "G", "g") * 5
        echoes_ms = [echo_ms(terminal, key) for key in keys]
    return Measure("key echo in the table of samples, p95", p95(echoes_ms), None, 50, "ms")


def while_previews_load(bench: Bench) -> Measure:
    """Steps from file to file, while a large one is looked into.

    Each step waits long enough for the cursor to rest, so that the one after it finds a preview
    under way.
    """
    echoes_ms = []
    with bench.flow(FILES, "attachments") as terminal:
        terminal.wait_for("a.csv")
        terminal.settle(2.0)
        for key in ("j", "j", "k", "k") * 6:
            echoes_ms.append(echo_ms(terminal, key))
            terminal.bytes_during(0.25)
    return Measure("key echo while previews load, p95", p95(echoes_ms), None, 50, "ms")


def has_curve(text: str) -> bool:
    return any(ord(char) in BRAILLE for char in text)


def tab_name(tab: str) -> str:
    """Return what the measure of a tab's first content is called."""
    return f"first content of {tab}, over its raw SQL"


def tabs(bench: Bench, sizes: Sizes) -> Iterator[Measure]:
    """From the key of a tab to the first of its content on the screen, over what SQL takes."""
    store = open_store(bench.store)
    first, steps = metric_key(0), (0, sizes.points // sizes.metrics - 1)
    one_metric = scan(store, BIG, f"= '{first}'", steps, CARD_COLUMNS)
    wanted: tuple[tuple[str, str, str | Seen, Callable[[], object]], ...] = (
        ("Metrics", "2", has_curve, one_metric),
        ("Traces", "3", "step_0", raw(store, BIG, TRACES)),
        ("Evals", "4", "sample-0", raw(store, BIG, SAMPLE_ORDER)),
    )
    rounds = max(bench.rounds // 3, 1)
    for tab, key, shown, sql in wanted:
        times = []
        for _ in range(rounds):
            with bench.flow(BIG) as terminal:
                terminal.wait_for("metric_9")
                terminal.settle(1.0)
                times.append(until_shown_s(terminal, key, shown))
        base, _ = medians(rounds, sql, lambda: None)
        yield Measure(tab_name(tab), statistics.median(times) - base, None, 0.3, "s")


def until_shown_s(
    terminal: Terminal, key: str, shown: str | Seen, patience_s: float = PATIENCE_S
) -> float:
    """Press a key and return after how many seconds what it leads to came."""
    pressed_at = time.monotonic()
    terminal.send(key)
    return terminal.wait_for(shown, patience_s) - pressed_at


def p95(echoes_ms: list[float]) -> float:
    return statistics.quantiles(echoes_ms, n=20)[-1]


def echo_ms(terminal: Terminal, key: str) -> float:
    """Press a key, wait for the bytes that come next, and a little for the rest of them."""
    came, pressed_at = terminal.byte_count, time.monotonic()
    terminal.send(key)
    took_ms = (_next_bytes_at(terminal, came) - pressed_at) * 1e3
    terminal.bytes_during(0.03)
    return took_ms


def _next_bytes_at(terminal: Terminal, count: int) -> float:
    """Return when more than `count` bytes have come."""
    deadline = time.monotonic() + 5
    while terminal.byte_count == count and time.monotonic() < deadline:
        time.sleep(0.001)
    return time.monotonic()
