"""Reads the items of a review, the next one while the present one is looked at."""

from __future__ import annotations

from functools import partial
from typing import Generic

from textual.widget import Widget
from textual.worker import Worker

from flowtui.screens.annotate.jobs import Jobs
from flowtui.screens.review.queue import Item, ReviewItem, ReviewSource
from flowtui.store.errors import StoreError


class ReadingAhead(Generic[Item]):
    """Keeps what was read before it was asked for, of one item."""

    def __init__(self, widget: Widget, jobs: Jobs, source: ReviewSource[Item]) -> None:
        """Take the widget that has the workers, and where the items are from."""
        self._widget = widget
        self._jobs = jobs
        self._source = source
        self._ahead: tuple[Item, Worker[ReviewItem | StoreError | None]] | None = None

    def begin(self, item: Item) -> None:
        """Begin to read what will be asked for next."""

        def read() -> ReviewItem | StoreError | None:
            try:
                return self._source.read(item)
            except StoreError as error:
                return error

        worker: Worker[ReviewItem | StoreError | None] = self._widget.run_worker(
            read, thread=True, group="annotations", exit_on_error=False
        )
        self._ahead = item, worker

    async def read(self, item: Item) -> ReviewItem | None:
        """Return an item, None if it is gone.

        Raises:
            StoreError: it cannot be read.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == item:
            found = await ahead[1].wait()
            # What failed before it was wanted may succeed now.
            if not isinstance(found, StoreError):
                return found
        return await self._jobs.in_thread(partial(self._source.read, item))
