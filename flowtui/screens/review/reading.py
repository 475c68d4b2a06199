"""Reads the items of a review, the next one while the present one is looked at."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Generic

from flowtui.failures import Failure
from flowtui.screens.review.queue import Item, ReviewItem, ReviewSource
from flowtui.widgets.asking import Asks, Pending


class ReadingAhead(Generic[Item]):
    """Keeps what was read before it was asked for, of one item."""

    def __init__(self, asks: Asks, source: ReviewSource[Item]) -> None:
        """Take who asks, and where the items are from."""
        self._asks = asks
        self._source = source
        self._ahead: tuple[Item, Pending[ReviewItem | None]] | None = None

    def begin(self, item: Item) -> None:
        """Begin to read what will be asked for next."""
        self._ahead = item, self._asks.begin(partial(self._source.read, item))

    async def read(self, item: Item) -> ReviewItem | None:
        """Return an item, None if it is gone.

        Raises:
            Failure: it cannot be read.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == item:
            # What failed before it was wanted may succeed now.
            with suppress(Failure):
                return await ahead[1].answer()
        return await self._asks.asked(partial(self._source.read, item))
