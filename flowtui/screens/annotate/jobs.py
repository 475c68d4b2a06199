"""Work that keys ask for, done in their order, with the store asked in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from textual.widget import Widget
from textual.worker import Worker, WorkerCancelled, WorkerFailed, get_current_worker

from flowtui.store.errors import StoreError

T = TypeVar("T")
Job: TypeAlias = Callable[[], Awaitable[None]]

WAITING_SAID_AFTER_S = 0.5


class Jobs:
    """Does jobs one after the other, as workers of a widget; a job may wait for a modal."""

    def __init__(
        self, widget: Widget, fail: Callable[[StoreError], None], wait: Callable[[], None]
    ) -> None:
        """Take the widget.

        Args:
            widget: has the workers, those of threads in the group `annotations`.
            fail: is told what a job could not do; the next one is done all the same.
            wait: is called where the store has not answered after `WAITING_SAID_AFTER_S`.
        """
        self._widget = widget
        self._fail = fail
        self._wait = wait
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

    async def in_thread(self, ask: Callable[[], T]) -> T:
        """Return what a thread was answered.

        Raises:
            StoreError: as `ask` does.
            WorkerFailed: `ask` ended in another error, which the widget is told by an event.
        """

        def answer() -> T | StoreError:
            try:
                return ask()
            except StoreError as error:
                return error

        worker: Worker[T | StoreError] = self._widget.run_worker(
            answer, thread=True, group="annotations", exit_on_error=False
        )
        timer = self._widget.set_timer(WAITING_SAID_AFTER_S, self._wait)
        try:
            found = await worker.wait()
        finally:
            timer.stop()
        if isinstance(found, StoreError):
            raise found
        return found

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
        except StoreError as error:
            self._fail(error)
        except (WorkerFailed, WorkerCancelled):
            # The widget is told of the one by an event; the other is its own end.
            return
