"""Helpers to drive the app: start it on a store, wait for conditions, read what it shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual._context import active_app, visible_screen_stack
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.worker import WorkerState

from flowtui.app.app import FlowApp
from flowtui.app.key_queue import CHECK_KEY_EVERY_S, KeyQueue
from flowtui.store.store import Store
from flowtui.terminal.keyboard import Keyboard
from flowtui.widgets.host import Options

PATIENCE_S = 20.0
"""Far longer than anything takes; only a broken test waits this long."""
PRESS, DRAG, RELEASE = "\x1b[<0;{};{}M", "\x1b[<32;{};{}M", "\x1b[<0;{};{}m"
CLICK = PRESS + RELEASE
GOES_ON_S = 0.5
"""What is not done so soon after a key is not waited for."""
LOOKS_AT_REST = 3
"""How often in a row nothing is to be done when all is done: one thing may ask for the next."""
SHORT_S = 0.75
"""Longer than any rest after which something is read; a toast stays for longer."""


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


@asynccontextmanager
async def compared(
    store: Store, *runs: str, size: tuple[int, int] = (120, 40), tab: str = "overview"
) -> AsyncIterator[Pilot[None]]:
    """Run the app on a comparison of runs of a store, the baseline first; wait until it rests."""
    chosen = [(store, store.resolve(run)) for run in runs]
    app = FlowApp(store, None, Options(tab=tab, user="ana"), chosen)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield pilot


async def after_a_key(*_of_cpu_time: float) -> None:
    """Take the place of Textual's `wait_for_idle`, which waits 20 ms at the least, twice a key.

    It waits until nothing is to be done; what goes on for longer is left to go on, as there.
    """
    app = active_app.get()
    until_s = time.monotonic() + GOES_ON_S
    looks = 0
    while looks < LOOKS_AT_REST:
        await asyncio.sleep(0)
        if time.monotonic() > until_s:
            return
        if app._exit or not app.screen_stack:
            return
        if _is_to_be_drawn(app.screen):
            app.screen.call_later(app.screen._on_timer_update)
        looks = 0 if _is_working(app) or _has_messages(app) else looks + 1
        await asyncio.sleep(0 if looks else 0.001)


async def settled(pilot: Pilot[None]) -> None:
    """Wait until no worker runs, every message is handled, and what they changed is drawn.

    Raises:
        AssertionError: that does not come, as in an app that has ended by an error.
    """
    looks = 0
    deadline = time.monotonic() + 3 * PATIENCE_S
    while looks < LOOKS_AT_REST:
        assert time.monotonic() < deadline, "the app did not come to rest"
        await until(lambda: not _is_working(pilot.app))
        # With a time of its own it doesn't wait until the process "is idle": one that gets no turn
        # on a busy machine would be taken for one that has nothing to do.
        await pilot.pause(0)
        looks = 0 if _is_working(pilot.app) or _has_messages(pilot.app) else looks + 1


async def still(pilot: Pilot[None]) -> None:
    """Wait until the screen stays as it is: nothing waits, and what comes after a rest has come.

    Reads may go on that never end; what waits for these to be called slow has come too.
    """
    shown: list[str] = []

    def stays() -> bool:
        nonlocal shown
        before, shown = shown, screen_lines(pilot)
        # What the strip below a list reads comes after a rest, and always ends.
        is_read = all(one.group != "strip" or one.is_finished for one in pilot.app.workers)
        return (
            shown == before
            and is_read
            and not (_has_messages(pilot.app) or _has_short_timer(pilot))
        )

    await pilot.pause(0)
    await until(stays, "a screen that stays as it is")
    await pilot.pause(0)


def _has_messages(app: App[None]) -> bool:
    """Whether something waits in a queue, or for the next time that the screen is drawn."""
    return (
        any(pump.message_queue_size for pump in (app, *app._registry))
        or bool(app.screen._callbacks)
        or _is_to_be_drawn(app.screen)
    )


def _is_to_be_drawn(screen: Screen[object]) -> bool:
    return bool(screen._layout_required or screen._repaint_required or screen._dirty_widgets)


def _has_short_timer(pilot: Pilot[None]) -> bool:
    """Whether something waits for a rest, as what is read of the line under the cursor does."""
    timers = (timer for pump in (pilot.app, *pilot.app._registry) for timer in list(pump._timers))
    return any(
        timer._repeat is not None
        # The queue of keys checks again and again whether what they open is there.
        and CHECK_KEY_EVERY_S < timer._interval < SHORT_S
        and timer._task is not None
        and not timer._task.done()
        for timer in timers
    )


def _is_working(app: App[None]) -> bool:
    if isinstance(app, KeyQueue) and app.has_keys_to_take:
        return True
    busy = (WorkerState.PENDING, WorkerState.RUNNING)
    # A screen over another is awaited by a worker of one of these groups as long as it is open; a
    # worker that goes on after its answer works.
    waits = ("default", "opening") if len(app.screen_stack) > 1 else ()
    working = [worker for worker in app.workers if worker.group not in waits]
    return any(worker.state in busy for worker in working)


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
    # A modal that has to draw its background asks here for what is below it, and keeps the answer.
    visible_screen_stack.set(pilot.app._background_screens)
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
