"""The soak: `python -m tests.bench.soak [MINUTES] [--rounds monkey,kill] [--seed N] [--pty]`.

For some minutes, ten unless told otherwise, rounds of several kinds with seeds that are never the
same, unless one is given. Each has a fresh copy of a store. What led to a failure is printed: the
seed, what was done, what went wrong; the exit code is then 1. A round is done again, alone, by
`--rounds KIND --seed N`: the first one has that seed.

Another kind of round is a function of a `Soak` and a seed, with its share of the time, in `ROUNDS`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flowtui.demo import make_demo
from tests.bench.measure import MB
from tests.bench.stores import BIG, TREE, Sizes, make
from tests.conftest import open_store
from tests.pilot import monkey as pilot_monkey
from tests.terminal import killing
from tests.terminal import monkey as terminal_monkey
from tests.terminal.hostile import make_hostile
from tests.unit.store.mutants import make_sound, try_mutant

MINUTES = 10.0
GOES = 100
PATIENCE_S = 600.0
"""Nothing that a monkey does takes so long, however busy the machine is."""
MUTANT_S = 60.0
"""SQLite tries for 10 s to join a log that is damaged, once; all else takes less than 1 s."""
SIZES = Sizes(
    points=20_000, metrics=10, spans=1_000, samples=500, tree=1_000, forest=1_000, many=100
)
DEMO_RUNS = ("support-agent-v3", "resnet50-cosine", "llama-lora-sft")
HOSTILE = "run-1"


@dataclass
class Soak:
    """What all rounds share: a home folder, the stores in it, and when it is over."""

    home: Path
    ends_at: float
    is_on_pty: bool
    """Whether monkeys type into the real program only."""
    stores: list[tuple[Path, str]]
    """Each with the run to open; to be copied before anything is written into one."""

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends_at

    def folder(self, kind: str, seed: int) -> Path:
        """Return a folder for one round alone; it is not there yet."""
        return self.home / f"{kind}-{seed}"


Go = Callable[[Soak, int], list[str]]
"""One round with a seed; returns what went wrong. It is over soon after the soak is."""


def stores(home: Path) -> list[tuple[Path, str]]:
    """Make the stores; return each with the run to open."""
    make_demo(home / "demo", datetime.now(UTC))
    make_hostile(home / "hostile", HOSTILE)
    big = make(home, SIZES)
    demo = [(home / "demo", run) for run in DEMO_RUNS]
    return [*demo, (home / "hostile", HOSTILE), (big, BIG), (big, TREE)]


def let_monkey_loose(soak: Soak, seed: int) -> list[str]:
    """Type and point at random: at the real program, or every other time in this process."""
    directory, run = soak.stores[seed % len(soak.stores)]
    home = soak.folder("monkey", seed)
    copy = Path(shutil.copytree(directory, home / "store"))
    is_on_pty = soak.is_on_pty or seed // len(soak.stores) % 2 == 0
    print(f"  {run}, {'a terminal' if is_on_pty else 'in this process'}", flush=True)
    return (_on_pty if is_on_pty else _in_process)(soak, copy, run, home / "home", seed)


def damage(soak: Soak, seed: int) -> list[str]:
    """Damage a database, and ask and write all that a person would.

    It ends in no traceback, in no error of more than one line, and looking leaves it as it was.
    """
    sound = soak.home / "sound"
    if not sound.exists():
        make_sound(sound)
    began_s = time.monotonic()
    wrong = try_mutant(sound, soak.folder("mutants", seed), seed)
    took_s = time.monotonic() - began_s
    return [*wrong, f"it took {took_s:.0f} s"] if took_s > MUTANT_S else wrong


def _in_process(soak: Soak, directory: Path, run: str, _home: Path, seed: int) -> list[str]:
    with closing(open_store(directory)) as store:
        work = pilot_monkey.let_loose(store, run, seed, GOES, lambda: soak.is_over)
        wrong = asyncio.run(asyncio.wait_for(work, PATIENCE_S))
    # An app takes what is there at its first paint for no garbage ever; there is one a process.
    gc.unfreeze()
    gc.collect()
    return wrong


def _on_pty(soak: Soak, directory: Path, run: str, home: Path, seed: int) -> list[str]:
    said: list[str] = []
    session = terminal_monkey.Session(
        directory,
        open_store(directory).resolve(run).id,
        home,
        GOES * 10,
        collects=True,
        tell=said.append,
        is_over=lambda: soak.is_over,
    )
    wrong = terminal_monkey.let_loose(session, seed)
    print(f"  the program's memory on the way: {', '.join(said)}")
    return wrong


def kill(soak: Soak, seed: int) -> list[str]:
    """Kill the program while it and a training process write into one store."""
    home = soak.folder("kill", seed)
    copy = Path(shutil.copytree(soak.stores[0][0], home / "store"))
    return killing.kill_while_writing(copy, DEMO_RUNS[seed % len(DEMO_RUNS)], home / "home", seed)


ROUNDS: dict[str, tuple[Go, float]] = {
    "monkey": (let_monkey_loose, 3.0),
    "mutants": (damage, 1.0),
    "kill": (kill, 1.0),
}
"""By name, each with its share of the time beside the shares of the others."""


def run_rounds(soak: Soak, kinds: list[str], seed: int) -> bool:
    """Go rounds until the time is over; return whether nothing went wrong.

    Whichever kind is furthest behind its share of the time is next.
    """
    used_s = dict.fromkeys(kinds, 0.0)
    seeds = dict.fromkeys(kinds, seed)
    is_well = True
    while not soak.is_over:
        kind = min(kinds, key=lambda kind: used_s[kind] / ROUNDS[kind][1])
        print(f"{kind}, seed {seeds[kind]}", flush=True)
        started = time.monotonic()
        try:
            wrong = ROUNDS[kind][0](soak, seeds[kind])
        except Exception:
            wrong = [traceback.format_exc()]
        used_s[kind] += time.monotonic() - started
        shutil.rmtree(soak.folder(kind, seeds[kind]), ignore_errors=True)
        print(f"  {used_s[kind]:.0f} s until now, {_in_use()}", *wrong, sep="\n  ", flush=True)
        seeds[kind] += 1
        is_well = is_well and not wrong
    return is_well


def _in_use() -> str:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    used = pages * os.sysconf("SC_PAGE_SIZE") / MB
    return (
        f"{pilot_monkey.open_files()} files, {threading.active_count()} threads, {used:.0f} MB here"
    )


def asked(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line asks for: minutes, rounds, seed, pty."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=MINUTES)
    parser.add_argument("--rounds", default=",".join(ROUNDS), help="kinds, with commas between")
    parser.add_argument("--seed", type=int, help="of the first round of each kind")
    parser.add_argument("--pty", action="store_true", help="monkeys at the real program only")
    found = parser.parse_args(arguments)
    found.rounds = found.rounds.split(",")
    if unknown := set(found.rounds) - set(ROUNDS):
        parser.error(f"no such rounds: {', '.join(unknown)}; there are {', '.join(ROUNDS)}")
    if found.seed is None:
        found.seed = int(time.time())
    return found


def main(arguments: list[str]) -> int:
    """Soak in a home folder of its own; return the exit code."""
    wanted = asked(arguments)
    ends_at = time.monotonic() + wanted.minutes * 60
    with tempfile.TemporaryDirectory(prefix="flow-tui-soak-") as folder:
        home = Path(folder)
        for name in [name for name in os.environ if name.startswith(("XDG_", "SSH_", "TMUX"))]:
            del os.environ[name]
        nowhere = "http://127.0.0.1:9"
        os.environ.update(HOME=folder, FLOW_TUI_OPENER="true", LUML_BASE_URL=nowhere)
        (home / "here").mkdir()
        os.chdir(home / "here")
        soak = Soak(home, ends_at, wanted.pty, stores(home))
        is_well = run_rounds(soak, wanted.rounds, wanted.seed)
        os.chdir("/")
    print("Nothing went wrong." if is_well else "Something went wrong; see above.")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
