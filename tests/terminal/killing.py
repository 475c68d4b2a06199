"""Kill -9 at any moment: of the program while it annotates, of a training process that it watches.

`python -m tests.terminal.killing EXP_DB` is that training process: it says each step that is
committed. What it said must be there afterwards, and every database sound.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.conftest import open_store
from tests.pilot.monkey import is_sound
from tests.terminal.monkey import faults, harmless, leave
from tests.terminal.terminal import FLOW_TUI, PATIENCE_S, Terminal

KEY = "killed/loss"
PAUSE_S = 0.03
ANNOTATING = ("+", "-", "\x1b[B", "\x1b[A", "u", "4", "3", "2", "1", "\r", "\x1b", "x")


class Training:
    """A process that writes a point a transaction until it is killed."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.terminal.killing", str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        )
        self.last_step = 0
        """The last that it said to be in the store."""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):
                self.last_step = int(line)

    def goes_on(self) -> bool:
        """Wait for another step to be written; return whether one came."""
        seen, deadline = self.last_step, time.monotonic() + PATIENCE_S
        while self.last_step == seen and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
        return self.last_step > seen

    def kill(self) -> None:
        """End it between any two of its instructions, and hear all that it said."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


def kill_while_writing(directory: Path, run: str, home: Path, seed: int) -> list[str]:
    """Kill the program, or the training process that it watches; return what is wrong then.

    Args:
        directory: of the store, which is written into.
        run: the name of the run to open.
        home: a folder for all that the program keeps; made here.
    """
    rng = random.Random(seed)
    (home / "here").mkdir(parents=True)
    run_id = open_store(directory).resolve(run).id
    exp = directory / run_id / "exp.db"
    command = (*FLOW_TUI, run_id, "--store", str(directory), "--tab", "evals")
    with (
        Training(exp) as training,
        Terminal(command, harmless(home), cwd=home / "here") as terminal,
    ):
        terminal.wait_for(lambda text: bool(text.strip()))
        wrong = [] if training.goes_on() else ["the training never began"]
        for _ in range(rng.randrange(5, 60)):
            terminal.send(rng.choice(ANNOTATING))
            terminal.bytes_during(PAUSE_S * rng.random())
        if seed % 2:
            terminal.signal(signal.SIGKILL)
            terminal.wait_exit()
            wrong += [] if training.goes_on() else ["the training stopped when the app was killed"]
            training.kill()
        else:
            training.kill()
            terminal.bytes_during(PAUSE_S)
            wrong += faults(terminal, home) or leave(terminal, home)
    return wrong + unsound(directory, exp, training.last_step) + not_shown(directory, run_id, home)


def unsound(directory: Path, exp: Path, last_step: int) -> list[str]:
    """Say which databases are damaged, and what was written and is not there."""
    wrong = [f"{path} is damaged" for path in directory.rglob("*.db") if not is_sound(path)]
    with closing(sqlite3.connect(exp)) as connection:
        question = "select count(*) from dynamic_metrics where key = ?"
        (count,) = connection.execute(question, (KEY,)).fetchone()
    # It may have been killed between a commit and its word.
    if count not in (last_step, last_step + 1):
        wrong.append(f"{last_step} points were said to be written, and {count} are there")
    return wrong


def not_shown(directory: Path, run_id: str, home: Path) -> list[str]:
    """Say what the program says of the run if it does not show it."""
    command = (*FLOW_TUI, "show", run_id, "--store", str(directory))
    done = subprocess.run(command, env=harmless(home), capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [f"show said: {done.stdout}{done.stderr}"]


def train(path: str) -> None:
    """Write points as the SDK does, and say each step when it is committed."""
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode = wal")
    step = 0
    while True:
        step += 1
        connection.execute(
            "insert into dynamic_metrics (key, value, step) values (?, ?, ?)",
            (KEY, 1.0 / step, step),
        )
        connection.commit()
        print(step, flush=True)
        time.sleep(0.001)


if __name__ == "__main__":
    train(sys.argv[1])
