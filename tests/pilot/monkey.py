"""A monkey at the keyboard: seeded keys on a run that is being written, and what must hold.

The same seed presses the same keys as long as the app answers alike; what led to a failure is in
`Monkey.pressed`.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platformdirs import user_log_path
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from flowtui.app.app import FlowApp
from flowtui.store.schema import EvalRow, ExperimentWriter, SpanRow, StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.pilot.pilot import screen_text, settled

SIZES = ((40, 10), (80, 24), (120, 40), (300, 80))
LEAVES = ("quit", "upload", "collect", "suspend_process", "command_palette")
"""Actions that end the monkey's work, or reach beyond the store."""
LEAVE_ANYWHERE = ("ctrl+c", "ctrl+q")
LETTERS = "abcxyz0159 .,<>=()'\"*%_é漢"
IN_AN_INPUT = ("enter", "escape", "tab", "up", "down", "left", "right", "backspace", "ctrl+s")
IN_A_PALETTE = ("escape", "up", "down", "backspace")
MOST_WIDGETS = 1_000
MOST_THREADS = 60
MOST_FILES = 60
"""How many an app may have more than there were before it; it has a tenth to a third of them."""


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def crash_logs() -> list[Path]:
    return sorted(user_log_path("flow-tui").glob("crash-*.log"))


class Logging:
    """A training process that logs a little of everything whenever it is asked to."""

    def __init__(self, directory: Path, run: str, rng: random.Random) -> None:
        self._rng = rng
        self._step = 10_000_000
        self._files = ExitStack()
        writer = self._files.enter_context(StoreWriter(directory, durable=False))
        self._run: ExperimentWriter = self._files.enter_context(writer.experiment(run))

    def close(self) -> None:
        self._files.close()

    def log(self) -> None:
        """Log some records of a kind that chance picks."""
        self._step += 1
        what = self._rng.randrange(5)
        now = datetime.now(UTC) + timedelta(seconds=self._rng.randrange(-100, 100))
        if what == 0:
            value = self._rng.choice((1.5, float("nan"), float("inf"), -1e300))
            self._run.metrics([(f"soak/{self._rng.randrange(9)}", value, self._step, now)])
        elif what == 1:
            self._run.spans([self._span(number) for number in range(self._rng.randrange(1, 5))])
        elif what == 2:
            scores = {"exact": self._rng.random() > 0.5, f"s{self._rng.randrange(4)}": 0.5}
            sample = f"soak-{self._step}"
            self._run.evals([EvalRow(id=sample, dataset_id="soak", inputs={"q": 1}, scores=scores)])
        elif what == 3:
            self._run.params({f"soak_{self._rng.randrange(5)}": self._step})
        else:
            self._run.attachment(f"soak/{self._step % 5}.txt", b"soak\n" * self._rng.randrange(99))

    def _span(self, number: int) -> SpanRow:
        return SpanRow(
            trace_id=f"{0x50A0000 + self._step % 7:032x}",
            span_id=f"{self._step * 8 + number:016x}",
            parent_span_id=None if number == 0 else f"{self._step * 8 + number - 1:016x}",
            name=f"soak {number}",
            start_ns=self._step,
            end_ns=self._step + number * 1_000_000,
            status_code=self._rng.randrange(3),
        )


@dataclass
class Monkey:
    """Presses keys that are bound where it is, and types where there is something to type into."""

    pilot: Pilot[None]
    rng: random.Random
    pressed: list[str] = field(default_factory=list)

    async def press_some(self) -> None:
        """Press a few keys at a go, or turn the terminal to another size."""
        if self.rng.random() < 0.03:
            columns, lines = self.rng.choice(SIZES)
            self.pressed.append(f"<{columns}x{lines}>")
            await self.pilot.resize_terminal(columns, lines)
        for _ in range(self.rng.randrange(1, 5)):
            key = self._pick()
            self.pressed.append(key)
            await self.pilot.press(key)

    def _pick(self) -> str:
        app = self.pilot.app
        keys = IN_A_PALETTE if isinstance(app.screen, CommandPalette) else IN_AN_INPUT
        if isinstance(app.focused, Input | TextArea):
            return self.rng.choice(LETTERS if self.rng.random() < 0.6 else keys)
        bound = sorted(
            key
            for key, active in app.screen.active_bindings.items()
            if active.enabled
            and key not in LEAVE_ANYWHERE
            and not any(word in active.binding.action for word in LEAVES)
        )
        if not bound:
            return "escape"
        # Tabs and screens are where most happens; by chance alone it would stay on one.
        return self.rng.choice("12345") if self.rng.random() < 0.05 else self.rng.choice(bound)


@dataclass(frozen=True, slots=True)
class Use:
    """What the process has in use."""

    files: int
    threads: int
    widgets: int


def use(pilot: Pilot[None]) -> Use:
    return Use(open_files(), threading.active_count(), len(list(pilot.app._registry)))


def faults(pilot: Pilot[None], before: Use) -> list[str]:
    """Say what is wrong with the app as it is now."""
    app, found = pilot.app, []
    if app._exception is not None:
        found.append(f"exception: {app._exception!r}")
    if app._exit:
        found.append("it left")
    odd = {char for char in screen_text(pilot) if not (char.isprintable() or char == "\n")}
    if odd:
        found.append(f"on screen: {odd}")
    now = use(pilot)
    if now.files - before.files > MOST_FILES:
        found.append(f"open files: {before.files}, now {now.files}")
    if now.threads - before.threads > MOST_THREADS:
        found.append(f"threads: {before.threads}, now {now.threads}")
    if now.widgets > MOST_WIDGETS:
        found.append(f"widgets: {now.widgets}")
    return found


async def let_loose(store: Store, run: str, seed: int, goes: int) -> list[str]:
    """Let a monkey with this seed work on a run while it is written; return what went wrong.

    Args:
        goes: how often it presses some keys.
    """
    rng = random.Random(seed)
    logs = crash_logs()
    before = Use(open_files(), threading.active_count(), 0)
    chosen = store.resolve(run).row
    app = FlowApp(
        store, store.opened(chosen), Options(tab=rng.choice(("overview", "evals")), user="ana")
    )
    with closing(Logging(store.directory, chosen.id, rng)) as logging:
        async with app.run_test(size=rng.choice(SIZES), notifications=True) as pilot:
            monkey = Monkey(pilot, rng)
            wrong: list[str] = []
            for go in range(goes):
                await monkey.press_some()
                if go % 3 == 0:
                    logging.log()
                if go % 10 == 0:
                    await settled(pilot)
                wrong = faults(pilot, before)
                wrong += [log.read_text("utf-8") for log in crash_logs() if log not in logs]
                if wrong:
                    break
    return [f"seed {seed}: {' '.join(monkey.pressed)}", *wrong] if wrong else []


def is_sound(path: Path) -> bool:
    """Say whether SQLite finds nothing wrong with a database file."""
    with closing(sqlite3.connect(path)) as connection:
        return [row for (row,) in connection.execute("pragma integrity_check")] == ["ok"]
