"""Helpers to drive the app: start it on a store, wait for conditions, read what it shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.worker import WorkerState

from flowtui.app.app import FlowApp
from flowtui.app.key_queue import KeyQueue
from flowtui.store.store import Store
from flowtui.terminal.keyboard import Keyboard
from flowtui.widgets.host import Options

PATIENCE_S = 20.0
"""Far longer than anything takes; only a broken test waits this long."""
PRESS, DRAG, RELEASE = "\x1b[<0;{};{}M", "\x1b[<32;{};{}M", "\x1b[<0;{};{}m"
CLICK = PRESS + RELEASE


@asynccontextmanager
async def opened(
    store: Store, run: str | None, size: tuple[int, int] = (120, 40), tab: str = "overview"
) -> AsyncIterator[Pilot[None]]:
    """Run the app on a run of a store, or on the list, and wait until it is at rest."""
    chosen = None if run is None else store.resolve(run)
    app = FlowApp(store, chosen, Options(tab=tab, user="ana"))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[None]) -> None:
    """Wait until no worker runs and every message has been handled."""
    for _ in range(3):
        await until(lambda: not _is_working(pilot))
        await pilot.pause()


def _is_working(pilot: Pilot[None]) -> bool:
    if isinstance(pilot.app, KeyQueue) and pilot.app.has_keys_to_take:
        return True
    busy = (WorkerState.PENDING, WorkerState.RUNNING)
    # A modal is awaited by a worker of one of these groups for as long as it is open.
    waits = ("default", "opening")
    reads = [worker for worker in pilot.app.workers if worker.group not in waits]
    return any(worker.state in busy for worker in reads)


async def until(condition: Callable[[], bool], what: str = "the condition") -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it does not in `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come to hold"
        await asyncio.sleep(0.01)


def screen_lines(pilot: Pilot[None]) -> list[str]:
    """Return what the screen shows, as lines without trailing blanks."""
    screen = pilot.app.screen
    strips = screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def screen_text(pilot: Pilot[None]) -> str:
    return "\n".join(screen_lines(pilot))


def send(
    pilot: Pilot[None],
    sequence: str,
    column: int,
    line: int,
    times: int = 1,
    at_s: float | None = None,
) -> None:
    """Send what a terminal sends for the mouse in a cell, all at once; the first cell is 0, 0.

    Where `at_s` is given, it comes at that time of a clock that the machine does not hold up.
    """
    driver = pilot.app._driver
    assert driver is not None
    count = sequence.count("{}") // 2
    for message in Keyboard(lambda: False).feed(
        sequence.format(*(column + 1, line + 1) * count) * times
    ):
        if at_s is not None:
            message.time = at_s
        driver.process_message(message)
