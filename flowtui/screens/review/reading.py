"""Reading what a review shows: its items and its question, and then item after item.

The next item is read while the present one is shown.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Generic

from flowtui.failures import Failure
from flowtui.screens.annotate.writing import DEFAULT_NAME, own_annotations, refusal
from flowtui.screens.review.queue import (
    Item,
    Question,
    ReviewItem,
    ReviewOutcome,
    ReviewQueue,
    ReviewSource,
    question_of,
)
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import Annotation, Target
from flowtui.store.open_run import OpenRun
from flowtui.widgets.asking import Asks, Pending


@dataclass(frozen=True, slots=True)
class ReviewBeginning:
    """What a review begins with."""

    item_count: int
    question: Question
    """The question that the author has last answered, or else anybody."""
    refusal: str
    """Why the run's database cannot be written; empty if it seems possible."""


@dataclass(frozen=True, slots=True)
class ReadItem:
    """An item as it was read, its place in the queue, and the annotations that it had then."""

    place: int
    item: ReviewItem
    annotations: tuple[Annotation, ...]


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


class ReviewReader(Generic[Item]):
    """Reads the items of a review, and passes over those that cannot be judged any more."""

    def __init__(self, asks: Asks, run: OpenRun, source: ReviewSource[Item]) -> None:
        """Prepare to read; nothing is read yet.

        Args:
            asks: The widget that asks.
            run: The run whose spans or samples are judged.
            source: The source of the items.
        """
        self._asks = asks
        self._run = run
        self._source = source
        self._items: Sequence[Item] = ()
        self._ahead = ReadingAhead(asks, source)

    async def begin(self, user: str) -> ReviewBeginning:
        """Read which items there are, and what is asked about them.

        Raises:
            Failure: They cannot be read.
        """

        def read() -> tuple[Sequence[Item], ReviewBeginning]:
            own = self._run.ask(annotation_rows.names, user)
            used = own or self._run.ask(annotation_rows.names)
            items = self._source.items()
            question = question_of(used, DEFAULT_NAME)
            return items, ReviewBeginning(len(items), question, refusal(self._run))

        self._items, begun = await self._asks.asked(read)
        return begun

    async def read_next(
        self, queue: ReviewQueue, seen: Container[Target], user: str
    ) -> ReadItem | None:
        """Return the item at the queue's place, or the next one that can be judged.

        Args:
            queue: The queue, in which those that cannot be judged are passed over.
            seen: The targets that were shown; these are shown again whoever has annotated them.
            user: The author of the answers.

        Returns:
            The item; None if the queue has come to its end.

        Raises:
            Failure: It cannot be read.
        """
        while not queue.is_over:
            place = queue.place
            item = await self._ahead.read(self._items[place])
            if item is None:
                queue.pass_over(ReviewOutcome.GONE)
                continue
            annotations = await self._asks.asked(
                partial(self._run.ask, annotation_rows.of_target, item.target)
            )
            if item.target not in seen and own_annotations(annotations, user):
                queue.pass_over(ReviewOutcome.ELSEWHERE)
                continue
            return ReadItem(place, item, annotations)
        return None

    def read_ahead(self, queue: ReviewQueue) -> None:
        """Begin to read the next open item of the queue, if there is one."""
        place = queue.next_open
        if place is not None:
            self._ahead.begin(self._items[place])
