"""What is felt over a slow link: `python -m tests.bench.slow_link [STORE RUN]` prints a table.

Each thing is done on a fast link and over 64 kbit/s with a round trip of 200 ms: in 24-bit colours
and with `--slow`. What `ssh -C` would make of it is beside the bytes.
"""

from __future__ import annotations

import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flowtui.demo import make_demo
from tests.terminal.slow_link import FAST, SLOW, Link, SlowTerminal
from tests.terminal.terminal import FLOW_TUI, Chunk, environment

DEMO_RUN = "support-agent-v3"
SSH_ZLIB_LEVEL = 6
QUIET_S = 1.0
STEPS = (
    ("tab: metrics", "2"),
    ("tab: traces", "3"),
    ("tab: evals", "4"),
    ("tab: attachments", "5"),
    ("tab: overview, again", "1"),
    ("tab: traces, again", "3"),
    ("page", "\x1b[6~"),
    ("cursor step", "j"),
    ("open a trace", "\r"),
    ("back to the list", "\x1b"),
    ("list of runs", "\x1b"),
)
"""What is done one after the other, after the start, and its key."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one thing took over a link."""

    what: str
    sent_bytes: int
    compressed_bytes: int
    seconds: float
    """Until the last of it was there."""


class Compression:
    """Counts what `ssh -C` makes of a stream: one dictionary, and a flush after each packet."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(SSH_ZLIB_LEVEL)

    def size(self, chunks: list[Chunk]) -> int:
        """Return how many bytes the next chunks take."""
        packets = (
            self._stream.compress(chunk.data) + self._stream.flush(zlib.Z_SYNC_FLUSH)
            for chunk in chunks
        )
        return sum(map(len, packets))


def costs(store: Path, run: str, link: Link, *options: str) -> Iterator[Cost]:
    """Yield what the start and each step cost, in a home of their own."""
    with tempfile.TemporaryDirectory() as home:
        command = [*FLOW_TUI, run, "--store", str(store), *options]
        with SlowTerminal(command, environment(Path(home)), link=link) as terminal:
            compression = Compression()
            terminal.wait_for("1 Overview")
            terminal.settle(QUIET_S)
            yield _cost("start", terminal, 0, terminal.started_at, compression)
            for what, key in STEPS:
                before, sent_at = len(terminal.chunks), time.monotonic()
                terminal.send(key)
                terminal.settle(QUIET_S)
                yield _cost(what, terminal, before, sent_at, compression)


def _cost(
    what: str, terminal: SlowTerminal, before: int, since: float, compression: Compression
) -> Cost:
    came = terminal.chunks[before:]
    sent_bytes = sum(len(chunk.data) for chunk in came)
    seconds = came[-1].at - since if came else 0.0
    return Cost(what, sent_bytes, compression.size(came), seconds)


def main(arguments: list[str]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as home:
        if arguments:
            store, run = Path(arguments[0]), arguments[1]
        else:
            store, run = Path(home) / "demo", DEMO_RUN
            make_demo(store, datetime.now(UTC))
        print(f"{run}, 120x40; 64 kbit/s, 200 ms there and back; zlib as in ssh -C")
        print(f"{'':<24}{'fast link':>10}{'slow link':>27}{'slow link, --slow':>27}")
        print(f"{'':<24}{'s':>10}" + f"{'B':>10}{'zlib B':>9}{'s':>8}" * 2)
        fast = list(costs(store, run, FAST))
        there = list(costs(store, run, SLOW))
        calm = list(costs(store, run, SLOW, "--slow"))
        for one, two, three in zip(fast, there, calm, strict=True):
            numbers = (f"{c.sent_bytes:>10,}{c.compressed_bytes:>9,}{c.seconds:>8.2f}"
                       for c in (two, three))  # fmt: skip
            print(f"{one.what:<24}{one.seconds:>10.2f}" + "".join(numbers))
        for name, session in (("24-bit colours", there), ("--slow", calm)):
            sent = sum(cost.sent_bytes for cost in session)
            small = sum(cost.compressed_bytes for cost in session)
            print(f"whole session, {name}: {sent:,} B, compressed {small:,} B ({small / sent:.0%})")


if __name__ == "__main__":
    main(sys.argv[1:])
