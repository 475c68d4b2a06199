"""Work that keys ask for, done in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from textual.widget import Widget
from textual.worker import get_current_worker

from flowtui.failures import Failure, NoLongerWanted

Job: TypeAlias = Callable[[], Awaitable[None]]


class Jobs:
    """Does jobs one after the other, as workers of a widget; a job may wait for a modal."""

    def __init__(self, widget: Widget, fail: Callable[[Failure], None]) -> None:
        """Take the widget.

        Args:
            widget: has the workers.
            fail: is told what a job could not do; the next one is done all the same.
        """
        self._widget = widget
        self._fail = fail
        self._waiting: list[tuple[Job, asyncio.Event]] = []
        self._is_at_work = False

    @property
    def is_at_work(self) -> bool:
        return self._is_at_work

    def put(self, job: Job) -> asyncio.Event:
        """Have a job done after those that wait, and return what is set when it is over."""
        over = asyncio.Event()
        self._waiting.append((job, over))
        if not self._is_at_work:
            self._is_at_work = True
            self._widget.run_worker(self._work_off())
        return over

    async def _work_off(self) -> None:
        worker = get_current_worker()
        try:
            # Its end may come up as the end of what a job waits for, which ends that job alone.
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
