"""Reading the items of a review: the next item is read while the present one is shown."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Generic

from flowtui.failures import Failure
from flowtui.screens.review.queue import Item, ReviewItem, ReviewSource
from flowtui.widgets.asking import Asks, Pending


class ReadingAhead(Generic[Item]):
    """Reads one item ahead of the review."""

    def __init__(self, asks: Asks, source: ReviewSource[Item]) -> None:
        """Prepare to read; nothing is read yet.

        Args:
            asks: The widget that asks.
            source: The source of the items.
        """
        self._asks = asks
        self._source = source
        self._ahead: tuple[Item, Pending[ReviewItem | None]] | None = None

    def begin(self, item: Item) -> None:
        """Begin to read the item that will be wanted next."""
        self._ahead = item, self._asks.begin(partial(self._source.read, item))

    async def read(self, item: Item) -> ReviewItem | None:
        """Return an item; None if it is not in the store any more.

        Raises:
            Failure: The item cannot be read.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == item:
            # If reading ahead has failed, reading now may succeed, so it is tried again.
            with suppress(Failure):
                return await ahead[1].answer()
        return await self._asks.asked(partial(self._source.read, item))
