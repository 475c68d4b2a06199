"""The review queue: what is to be judged, where one is in it, and what became of each.

Nothing here asks a store or draws; items are known by their places in the list, from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, TypeVar

from flowtui.store.annotations.values import (
    AnnotationKind,
    AnnotationName,
    Draft,
    Target,
    Value,
    ValueType,
)
from flowtui.widgets.documents.blocks import Section

Item_contra = TypeVar("Item_contra", contravariant=True)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One thing to judge, as it is shown."""

    target: Target
    title: str
    sections: tuple[Section, ...]
    note: str = ""
    """What stands beside the title, such as where it is from."""


class ReviewSource(Protocol[Item]):
    """Where things to judge come from; both methods are called in threads."""

    noun: str
    """What it has many of: `span`."""

    def items(self) -> Sequence[Item]:
        """Return all that has no annotation by the author yet, in the order of the review.

        Raises:
            StoreError: it cannot be read.
        """
        ...

    def read(self, item: Item) -> ReviewItem | None:
        """Return one of the items to show, None if it is gone.

        Raises:
            StoreError: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is judged: the name, kind and type that the answers have."""

    name: str
    kind: AnnotationKind = AnnotationKind.FEEDBACK
    value_type: ValueType = ValueType.BOOL

    @property
    def is_typed(self) -> bool:
        """Whether answers are typed into a line, all of them or some."""
        return self.value_type is not ValueType.BOOL

    @property
    def sample(self) -> Value:
        """A value of the type."""
        samples: dict[ValueType, Value] = {ValueType.BOOL: True, ValueType.INT: 0}
        return samples.get(self.value_type, "")

    def draft(self, value: Value, rationale: str | None, user: str) -> Draft:
        """Return an answer."""
        return Draft(self.name, self.kind, value, rationale, user)


def question_of(names: Sequence[AnnotationName], default: str) -> Question:
    """Return the question that a run's answers were given to last.

    Args:
        names: in use, last used first.
        default: the name of the feedback to ask for where none of them can be asked for.
    """
    for one in names:
        if one.kind in tuple(AnnotationKind) and one.value_type in tuple(ValueType):
            return Question(one.name, AnnotationKind(one.kind), ValueType(one.value_type))
    return Question(default)


class ReviewOutcome(Enum):
    """What became of an item; those that have none yet are open."""

    ANSWERED = auto()
    SKIPPED = auto()
    ELSEWHERE = auto()
    """The author annotated it somewhere else meanwhile."""
    GONE = auto()
    """It was deleted meanwhile."""


PASSED_OVER = (ReviewOutcome.ELSEWHERE, ReviewOutcome.GONE)


class ReviewQueue:
    """Goes from item to item; the place after the last one is where the review ends."""

    def __init__(self, total: int) -> None:
        """Begin at the first of so many items."""
        self.total = total
        self.place = 0
        self._outcomes: dict[int, ReviewOutcome] = {}

    @property
    def is_over(self) -> bool:
        return self.place >= self.total

    @property
    def outcome(self) -> ReviewOutcome | None:
        """What became of the item at the place, None for what is open."""
        return self._outcomes.get(self.place)

    @property
    def counts(self) -> Counter[ReviewOutcome]:
        """How many items had each outcome."""
        return Counter(self._outcomes.values())

    @property
    def next_open(self) -> int | None:
        """The place of the next open item after this one, then from the first; None without any."""
        if len(self._outcomes) >= self.total:
            return None
        after = range(self.place + 1, self.total)
        before = range(min(self.place, self.total))
        for places in (after, before):
            found = next((place for place in places if place not in self._outcomes), None)
            if found is not None:
                return found
        return None

    def settle(self, place: int, is_annotated: bool) -> None:
        """Take note of whether the author has annotated an item by now."""
        if is_annotated:
            self._outcomes[place] = ReviewOutcome.ANSWERED
        elif self._outcomes.get(place) is ReviewOutcome.ANSWERED:
            del self._outcomes[place]

    def answer(self) -> None:
        """Take the item as answered, and go on to the next open one."""
        self._outcomes[self.place] = ReviewOutcome.ANSWERED
        self._go_on()

    def skip(self) -> None:
        """Leave an open item, and go on to the next open one; from another, just one on."""
        if self.outcome is None and not self.is_over:
            self._outcomes[self.place] = ReviewOutcome.SKIPPED
            self._go_on()
        else:
            self._step(1)

    def back(self) -> bool:
        """Go to the item before, if there is one that is not passed over; return whether."""
        return self._step(-1)

    def pass_over(self, outcome: ReviewOutcome) -> None:
        """Take note that there is nothing to judge at the place, and go on to the next open one."""
        self._outcomes[self.place] = outcome
        self._go_on()

    def mark_gone(self) -> None:
        """Take note that the item at the place is gone, and stay."""
        self._outcomes[self.place] = ReviewOutcome.GONE

    def go_to(self, place: int) -> None:
        """Go to an item, whatever became of it."""
        self.place = place

    def reopen_skipped(self) -> None:
        """Open what was skipped, and go to the first of it."""
        skipped = [at for at, outcome in self._outcomes.items() if outcome is ReviewOutcome.SKIPPED]
        for place in skipped:
            del self._outcomes[place]
        if skipped:
            self.place = min(skipped)

    def _go_on(self) -> None:
        found = self.next_open
        self.place = self.total if found is None else found

    def _step(self, by: int) -> bool:
        place = self.place + by
        while 0 <= place < self.total:
            if self._outcomes.get(place) not in PASSED_OVER:
                self.place = place
                return True
            place += by
        if by > 0:
            self._go_on()
        return False
