"""An hour with one run: `python -m tests.bench.hour [MINUTES] [--seed N]`.

The real luml-sdk logs ten times a second; the program is on a real terminal whose link gets stuck,
whose size changes, and at which somebody types whatever comes; now and then it is stopped and goes
on. In the second half its memory and its files must not grow. The exit code is 1 if anything went
wrong.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measure import MB
from tests.pilot.monkey import SIZES
from tests.sdk.environments import environment as sdk_environment
from tests.terminal.monkey import LEAVES_WITHIN_S, Monkey, faults, harmless, leave
from tests.terminal.slow_link import FAST, SlowTerminal
from tests.terminal.terminal import FLOW_TUI

MINUTES = 60.0
PAUSE_S = 0.3
SAMPLE_EVERY_S = 10.0
GROWTH = 1.05
"""By how much the median of the last quarter may be above that of the third."""
SPARE = 3
"""And by how much more: a file or two may be written for the first time at any time."""
WRITER = """
import sys, time
from luml.experiments.tracker import ExperimentTracker
tracker = ExperimentTracker(f"sqlite://{sys.argv[1]}")
run = tracker.start_experiment(name="hour 日本 🚀")
for number in range(20):
    tracker.log_static(f"param_{number}", number)
print(run, flush=True)
until, step = time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < until:
    for key in ("train/loss", "train/accuracy", "val/loss"):
        tracker.log_dynamic(key, 1 / (1 + step), step=step)
    if step % 10 == 0:
        tracker.log_eval_sample(f"s{step}", "set", {"q": step}, {"a": step}, {}, {"s": step % 2})
    if step % 600 == 0:
        tracker.log_attachment(f"note-{step}.txt", "a note\\n" * 100)
    step += 1
    time.sleep(0.1)
tracker.end_experiment(run)
"""


class SteadyMonkey(Monkey):
    """Types what leaves nothing, on a link that fails now and then."""

    def type_some(self) -> None:
        assert isinstance(self.terminal, SlowTerminal)
        chance = self.rng.random()
        if chance < 0.02:
            self._resize(*self.rng.choice(SIZES))
        elif chance < 0.03:
            self.terminal.get_stuck(self.rng.uniform(0.5, 5.0))
        elif chance < 0.04:
            self.terminal.signal(signal.SIGSTOP)
            time.sleep(self.rng.uniform(0.5, 3.0))
            self.terminal.signal(signal.SIGCONT)
        elif chance < 0.14:
            self._point()
        else:
            self._send("".join(self._key() for _ in range(self.rng.randrange(1, 4))))


@dataclass(slots=True)
class Samples:
    """What was seen of the program, in the order of time."""

    memory_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    own_files: list[int] = field(default_factory=list)
    """Those in its home folder."""

    def take(self, terminal: SlowTerminal, home: Path) -> None:
        self.memory_mb.append(terminal.resident_bytes() / MB)
        self.descriptors.append(len(list(Path(f"/proc/{terminal.pid}/fd").iterdir())))
        self.own_files.append(sum(path.is_file() for path in home.rglob("*")))

    def growths(self) -> dict[str, tuple[float, float]]:
        """Return the medians of the third and of the last quarter of the time."""
        kinds = {
            "memory in MB": self.memory_mb,
            "open files": self.descriptors,
            "own files": self.own_files,
        }
        return {name: (_median(of, 2), _median(of, 3)) for name, of in kinds.items()}


def _median(values: list[float] | list[int], quarter: int) -> float:
    size = max(len(values) // 4, 1)
    return float(statistics.median(values[quarter * size : (quarter + 1) * size] or values[-1:]))


def hour(minutes: float, seed: int, home: Path) -> list[str]:
    """Spend that time with a run; print what is seen, and return what went wrong."""
    rng = random.Random(seed)
    here = home / "here"
    here.mkdir(parents=True)
    store = home.parent / "store"
    command = [sdk_environment("0.4.0"), "-c", WRITER, str(store), str(minutes * 60)]
    samples, typed, wrong = Samples(), [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        run = writer.stdout.readline().strip()
        command = [*FLOW_TUI, run, "--store", str(store), "--user", "ana"]
        with SlowTerminal(command, harmless(home), 120, 40, here, FAST) as terminal:
            terminal.wait_for("1 Overview")
            monkey = SteadyMonkey(terminal, rng, typed)
            began_s = sampled_s = time.monotonic()
            while time.monotonic() < began_s + minutes * 60 and not wrong:
                monkey.type_some()
                terminal.bytes_during(PAUSE_S)
                if time.monotonic() > sampled_s + SAMPLE_EVERY_S:
                    sampled_s = time.monotonic()
                    wrong = faults(terminal, home)
                    if not wrong:
                        samples.take(terminal, home)
                        if len(samples.memory_mb) % 30 == 0:
                            told = f"{(sampled_s - began_s) / 60:.0f} min"
                            print(f"{told}: {samples.memory_mb[-1]:.0f} MB", flush=True)
            bytes_sent = terminal.byte_count
            if not wrong:
                wrong = leave(terminal, home)
        writer.wait(LEAVES_WITHIN_S)
    for name, (before, after) in samples.growths().items():
        print(f"{name}: {before:,.1f} in the third quarter, {after:,.1f} in the last")
        if after > before * GROWTH + SPARE:
            wrong.append(f"{name} grew from {before:,.1f} to {after:,.1f}")
    print(f"{len(typed):,} times typed, {bytes_sent:,} bytes sent; the writer left with", end=" ")
    print(writer.returncode)
    if writer.returncode:
        wrong.append("the writer failed")
    return wrong


def main(arguments: list[str]) -> int:
    """Spend the time, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=MINUTES)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args(arguments)
    print(f"seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        wrong = hour(asked.minutes, asked.seed, Path(folder) / "home")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
