"""The long soak: `python -m tests.bench.soak MINUTES [FIRST_SEED] [--pty]`, monkey after monkey.

With `--mutants` it is database after database with damage in it that is read and written into.

Each has a seed of its own and a fresh copy of a store that is written while it presses keys: in
this process, or with `--pty` in a session of the real program, ten times as long. What led to a
failure is printed: the seed, the keys, what went wrong; the exit code is then 1.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from flowtui.demo import make_demo
from tests.bench.measure import MB
from tests.bench.stores import BIG, TREE, Sizes, make
from tests.conftest import open_store
from tests.pilot import monkey as pilot_monkey
from tests.terminal import monkey as terminal_monkey
from tests.terminal.hostile import make_hostile
from tests.unit.store.mutants import make_sound, try_mutant

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


def stores(home: Path) -> list[tuple[Path, str]]:
    """Make the stores; return each with the run to open."""
    make_demo(home / "demo", datetime.now(UTC))
    make_hostile(home / "hostile", HOSTILE)
    big = make(home, SIZES)
    demo = [(home / "demo", run) for run in DEMO_RUNS]
    return [*demo, (home / "hostile", HOSTILE), (big, BIG), (big, TREE)]


def soak(home: Path, minutes: float, first_seed: int, is_on_pty: bool) -> bool:
    """Let monkeys loose until the time is over; return whether nothing went wrong."""
    known = stores(home)
    is_well = True
    ends_at = time.monotonic() + minutes * 60
    for seed in count(first_seed):
        if time.monotonic() > ends_at:
            return is_well
        directory, run = known[seed % len(known)]
        copy = Path(shutil.copytree(directory, home / f"seed-{seed}"))
        wrong = (_on_pty if is_on_pty else _in_process)(copy, run, home / f"home-{seed}", seed)
        shutil.rmtree(copy)
        print(f"seed {seed} {run}: {_in_use()}", *wrong, sep="\n  ", flush=True)
        is_well = is_well and not wrong
    return is_well


def mutants(home: Path, minutes: float, first_seed: int) -> bool:
    """Damage databases and ask all of them until the time is over; return whether all was well.

    A mutant ends in no traceback, in no error of more than one line, and as it was.
    """
    sound = make_sound(home / "sound")
    is_well = True
    ends_at = time.monotonic() + minutes * 60
    for seed in count(first_seed):
        if time.monotonic() > ends_at:
            print(f"mutants {first_seed} to {seed - 1}: {_in_use()}", flush=True)
            return is_well
        began_s = time.monotonic()
        try:
            wrong = try_mutant(sound, home / f"mutant-{seed}", seed)
        except Exception:
            wrong = [f"seed {seed}", traceback.format_exc()]
        if time.monotonic() - began_s > MUTANT_S:
            wrong.append(f"seed {seed} took {time.monotonic() - began_s:.0f} s")
        shutil.rmtree(home / f"mutant-{seed}")
        if wrong:
            print(*wrong, sep="\n  ", flush=True)
        is_well = is_well and not wrong
    return is_well


def _in_process(directory: Path, run: str, _home: Path, seed: int) -> list[str]:
    with closing(open_store(directory)) as store:
        work = pilot_monkey.let_loose(store, run, seed, GOES)
        wrong = asyncio.run(asyncio.wait_for(work, PATIENCE_S))
    # An app takes what is there at its first paint for no garbage ever; there is one a process.
    gc.unfreeze()
    gc.collect()
    return wrong


def _on_pty(directory: Path, run: str, home: Path, seed: int) -> list[str]:
    said: list[str] = []
    run_id = open_store(directory).resolve(run).row.id
    wrong = terminal_monkey.let_loose(directory, run_id, home, seed, GOES * 10, tell=said.append)
    print(f"seed {seed}, the program's memory on the way: {', '.join(said)}")
    return wrong


def _in_use() -> str:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    used = pages * os.sysconf("SC_PAGE_SIZE") / MB
    return (
        f"{pilot_monkey.open_files()} files, {threading.active_count()} threads, {used:.0f} MB here"
    )


def main(arguments: list[str]) -> int:
    """Soak in a home folder of its own; return the exit code."""
    numbers = [word for word in arguments if not word.startswith("--")]
    seed = int(numbers[1]) if len(numbers) > 1 else 0
    with tempfile.TemporaryDirectory(prefix="flow-tui-soak-") as folder:
        for name in [name for name in os.environ if name.startswith(("XDG_", "SSH_", "TMUX"))]:
            del os.environ[name]
        os.environ.update(HOME=folder, FLOW_TUI_OPENER="true")
        (Path(folder) / "here").mkdir()
        os.chdir(Path(folder) / "here")
        if "--mutants" in arguments:
            is_well = mutants(Path(folder), float(numbers[0]), seed)
        else:
            is_well = soak(Path(folder), float(numbers[0]), seed, "--pty" in arguments)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
