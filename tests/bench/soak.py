"""The long soak: `python -m tests.bench.soak MINUTES [FIRST_SEED]`, monkeys one after the other.

Each has a seed of its own and a fresh copy of a store that is written while it presses keys. What
led to a failure is printed: the seed, the keys, what went wrong; the exit code is then 1.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from flowtui.store.demo import make_demo
from tests.bench.measure import MB
from tests.bench.stores import BIG, TREE, Sizes, make
from tests.conftest import open_store
from tests.pilot.monkey import let_loose, open_files
from tests.terminal.hostile import make_hostile

GOES = 100
PATIENCE_S = 600.0
"""Nothing that a monkey does takes so long, however busy the machine is."""
SIZES = Sizes(points=20_000, metrics=10, spans=1_000, samples=500, tree=1_000)
DEMO_RUNS = ("support-agent-v3", "resnet50-cosine", "llama-lora-sft")
HOSTILE = "run-1"


def stores(home: Path) -> list[tuple[Path, str]]:
    """Make the stores; return each with the run to open."""
    make_demo(home / "demo", datetime.now(UTC))
    make_hostile(home / "hostile", HOSTILE)
    big = make(home, SIZES)
    demo = [(home / "demo", run) for run in DEMO_RUNS]
    return [*demo, (home / "hostile", HOSTILE), (big, BIG), (big, TREE)]


async def soak(home: Path, minutes: float, seed: int) -> bool:
    """Let monkeys loose until the time is over; return whether nothing went wrong."""
    known = stores(home)
    is_well = True
    ends_at = time.monotonic() + minutes * 60
    while time.monotonic() < ends_at:
        directory, run = known[seed % len(known)]
        copy = Path(shutil.copytree(directory, home / f"seed-{seed}"))
        with closing(open_store(copy)) as store:
            wrong = await asyncio.wait_for(let_loose(store, run, seed, GOES), PATIENCE_S)
        shutil.rmtree(copy)
        print(
            f"seed {seed} {run}: {open_files()} files, {threading.active_count()} threads, "
            f"{_resident_bytes() / MB:.0f} MB",
            *wrong,
            sep="\n  ",
            flush=True,
        )
        is_well = is_well and not wrong
        seed += 1
    return is_well


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(minutes: float, seed: int) -> int:
    """Soak in a home folder of its own; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="flow-tui-soak-") as folder:
        for name in [name for name in os.environ if name.startswith(("XDG_", "SSH_", "TMUX"))]:
            del os.environ[name]
        os.environ.update(HOME=folder, FLOW_TUI_OPENER="true")
        (Path(folder) / "here").mkdir()
        os.chdir(Path(folder) / "here")
        return 0 if asyncio.run(soak(Path(folder), minutes, seed)) else 1


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    sys.exit(main(float(sys.argv[1]), first))
