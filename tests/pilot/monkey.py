"""A monkey at the keyboard: seeded keys on a run that is being written, and what must hold.

The same seed presses the same keys as long as the app answers alike; what led to a failure is in
`Monkey.pressed`.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from flowtui.app.app import FlowApp
from flowtui.app.crash import crash_directory
from flowtui.screens.dialogs.commands import CommandLines, CommandsScreen
from flowtui.store.schema import EvalRow, ExperimentWriter, SpanRow, StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.pilot.pilot import CLICK, DRAG, PRESS, RELEASE, screen_text, send, settled

SIZES = ((40, 10), (80, 24), (120, 40), (300, 80))
TINY = (1, 1)
LEAVES = ("upload", "collect", "suspend_process")
"""Actions that reach beyond the store."""
LETTERS = "abcxyz0159 .,<>=()'\"*%_é漢"
IN_AN_INPUT = ("enter", "escape", "tab", "up", "down", "left", "right", "backspace", "ctrl+s")
ANYWHERE = ("ctrl+p", "ctrl+c", "ctrl+l")
TEXTS = ("loss", "a\nb", "\x00\x07", "[bold]x[/bold]", "é漢" * 40, "accuracy > 0.5")
POINTING = (CLICK, CLICK + CLICK, PRESS, RELEASE, "\x1b[<64;{};{}M", "\x1b[<65;{};{}M")
NOT_BY_NAME = ("upload", "collect", "suspend")
"""What is called so in the palette reaches beyond the store too."""
MOST_WIDGETS = 1_000
MOST_THREADS = 60
MOST_FILES = 60
"""How many an app may have more than there were before it; it has a tenth to a third of them."""


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def crash_logs() -> list[Path]:
    return sorted(crash_directory().glob("crash-*.log"))


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
        """Press a few keys at a go, point, paste, or turn the terminal to another size."""
        chance = self.rng.random()
        if chance < 0.03:
            await self._resize(*self.rng.choice(SIZES))
        elif chance < 0.05:
            await self._resize(*TINY)
            await self._press(self._pick())
            await self._resize(*self.rng.choice(SIZES))
        elif chance < 0.12:
            self._point()
        elif chance < 0.14:
            text = self.rng.choice(TEXTS)
            self.pressed.append(f"<pastes {text!r}>")
            # A paste has no place.
            send(self.pilot, f"\x1b[200~{text}\x1b[201~", 0, 0)
        elif chance < 0.18:
            await self._press(self.rng.choice(ANYWHERE))
        for _ in range(self.rng.randrange(1, 5)):
            await self._press(self._pick())

    async def _press(self, key: str) -> None:
        self.pressed.append(key)
        await self.pilot.press(key)

    async def _resize(self, columns: int, lines: int) -> None:
        self.pressed.append(f"<{columns}x{lines}>")
        await self.pilot.resize_terminal(columns, lines)

    def _point(self) -> None:
        size = self.pilot.app.size
        place = self.rng.randrange(max(size.width, 1)), self.rng.randrange(max(size.height, 1))
        if self.rng.random() < 0.3:
            self.pressed.append(f"<press at {place}, drag>")
            send(self.pilot, PRESS, *place)
            place = self.rng.randrange(max(size.width, 1)), self.rng.randrange(max(size.height, 1))
            sequence = DRAG + RELEASE
        else:
            sequence = self.rng.choice(POINTING)
        self.pressed.append(f"<{sequence!r} at {place}>")
        send(self.pilot, sequence, *place)

    def _pick(self) -> str:
        app = self.pilot.app
        keys = IN_AN_INPUT
        if isinstance(app.screen, CommandsScreen):
            command = app.screen.query_one(CommandLines).command
            if command is not None and command.name.lower() in NOT_BY_NAME:
                keys = tuple(key for key in keys if key != "enter")
        if isinstance(app.focused, Input | TextArea):
            return self.rng.choice(LETTERS if self.rng.random() < 0.6 else keys)
        bound = sorted(
            key
            for key, active in app.screen.active_bindings.items()
            if active.enabled and not any(word in active.binding.action for word in LEAVES)
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


async def let_loose(
    store: Store, run: str, seed: int, goes: int, is_over: Callable[[], bool] = lambda: False
) -> list[str]:
    """Let a monkey with this seed work on a run while it is written; return what went wrong.

    Args:
        goes: how often it presses some keys.
        is_over: whether it is to end sooner.
    """
    rng = random.Random(seed)
    logs = crash_logs()
    before = Use(open_files(), threading.active_count(), 0)
    chosen = store.resolve(run)
    app = FlowApp(store, chosen, Options(tab=rng.choice(("overview", "evals")), user="ana"))
    # There is one a monkey: what it is told to leave by does so up to here.
    app.exit = lambda *_, **__: None  # type: ignore[method-assign]
    with closing(Logging(store.directory, chosen.id, rng)) as logging:
        async with app.run_test(size=rng.choice(SIZES), notifications=True) as pilot:
            monkey = Monkey(pilot, rng)
            wrong: list[str] = []
            for go in range(goes):
                if is_over():
                    break
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
