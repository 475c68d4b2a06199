"""The same measures of `lumlflow tui`, where it is installed in an environment of its own.

What flow-tui is measured against is a budget; this only says what the other one takes on the same
store, machine and day.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.echoes import has_curve, tab_name, until_shown_s
from tests.bench.measure import MB
from tests.bench.measures import (
    DOWN,
    IDLE_BYTES,
    IDLE_CPU,
    MEMORY,
    PAGE_BYTES,
    PAGE_DOWN,
    PAGE_UP,
    PAINT,
    START_BYTES,
    STEP_BYTES,
    TAB_BYTES,
    bytes_after,
)

VERSION = "0.2.0"
PATIENCE_S = 60.0


def rival(bench: Bench, python: Path) -> Iterator[tuple[str, float]]:
    """Yield what it takes, by the name of the measure of flow-tui that it stands beside.

    Args:
        python: of the environment that it is installed in.
    """
    command = (str(python.with_name("lumlflow")), "tui", "--path")
    # It migrates the store that it opens.
    with bench.on_copy() as copy, copy.terminal(*command, f"sqlite://{copy.store}") as terminal:
        yield PAINT, terminal.wait_for("Groups", PATIENCE_S) - terminal.started_at
        terminal.settle(1.0)
        terminal.send("\r")
        terminal.wait_for("1h 00m", PATIENCE_S)
        terminal.settle(1.0)
        # The big run is the last of the list.
        terminal.send("G")
        terminal.settle(0.5)
        terminal.send("\r")
        terminal.wait_for("Static parameters", PATIENCE_S)
        terminal.settle(1.0)
        yield START_BYTES, terminal.byte_count
        yield MEMORY, terminal.resident_bytes() / MB
        before_s = terminal.cpu_s()
        yield IDLE_BYTES, terminal.bytes_during(bench.seconds)
        yield IDLE_CPU, (terminal.cpu_s() - before_s) / bench.seconds * 100
        tabs = []
        for tab, key, shown in (
            ("Metrics", "2", has_curve),
            ("Traces", "3", lambda text: "19.9 ms" in text),
            ("Evals", "4", lambda text: "sample-" in text),
        ):
            before = terminal.byte_count
            yield tab_name(tab), until_shown_s(terminal, key, shown, PATIENCE_S)
            terminal.settle(2.0)
            tabs.append(terminal.byte_count - before)
            if tab == "Traces":
                # The one table that has the focus when it comes.
                yield STEP_BYTES, max(bytes_after(terminal, key) for key in ("j", DOWN, "k"))
                keys = (PAGE_DOWN, PAGE_DOWN, PAGE_UP)
                yield PAGE_BYTES, max(bytes_after(terminal, key) for key in keys)
        yield f"{MEMORY}, all tabs shown", terminal.resident_bytes() / MB
        tabs += [bytes_after(terminal, key) for key in ("1", "2", "3", "4")]
        yield TAB_BYTES, max(tabs)
