"""Jobs that keys start, done in the order of the keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeAlias

from textual.app import App
from textual.widget import Widget
from textual.worker import get_current_worker

from flowtui.failures import Failure, NoLongerWanted
from flowtui.screens.base import KEY_PATIENCE_S

CHECK_SCREEN_EVERY_S = 0.01
"""How often it is checked whether the screen that a key opens is there."""
Job: TypeAlias = Callable[[], Awaitable[None]]


class Jobs:
    """Does jobs one after the other in a worker of a widget; a job may wait for a modal."""

    def __init__(self, widget: Widget, fail: Callable[[Failure], None]) -> None:
        """Prepare to do jobs; no worker is started yet.

        Args:
            widget: The widget to whose workers the jobs belong.
            fail: Is called with the failure of a job; the next job is done all the same.
        """
        self._widget = widget
        self._fail = fail
        self._waiting: list[tuple[Job, asyncio.Event]] = []
        self._is_at_work = False

    @property
    def is_at_work(self) -> bool:
        return self._is_at_work

    @property
    def waiting_count(self) -> int:
        """How many jobs have not begun yet."""
        return len(self._waiting)

    def put(self, job: Job) -> asyncio.Event:
        """Add a job to those that wait, and return an event that is set when it is over."""
        over = asyncio.Event()
        self._waiting.append((job, over))
        if not self._is_at_work:
            self._is_at_work = True
            self._widget.run_worker(self._do_all())
        return over

    def drop_waiting(self) -> None:
        """Have none of the jobs done that have not begun yet; they are over."""
        for _, over in self._waiting:
            over.set()
        self._waiting.clear()

    async def _do_all(self) -> None:
        worker = get_current_worker()
        try:
            # If this worker is cancelled while a job waits for an answer, only that job ends. So
            # without this check the next job would be started.
            while self._waiting and not worker.is_cancelled:
                job, over = self._waiting.pop(0)
                await self._finish(job)
                over.set()
        finally:
            self._is_at_work = False

    async def _finish(self, job: Job) -> None:
        try:
            await job()
        except NoLongerWanted:
            return
        except Failure as error:
            self._fail(error)


async def until_shown(app: App[None], over: asyncio.Event | None) -> None:
    """Wait until a job has opened a screen of its own, or is over.

    Without this wait, the next keys would be handled before the screen that they are meant for is
    there.

    Args:
        app: The app.
        over: Is set when the job is over; None if there is no job.
    """
    screen, until_s = app.screen, monotonic() + KEY_PATIENCE_S
    while over is not None and not over.is_set() and app.screen is screen:
        if monotonic() > until_s:
            return
        await asyncio.sleep(CHECK_SCREEN_EVERY_S)
