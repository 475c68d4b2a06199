"""The review queue: the items to judge, the place in it, and the outcome of each item.

Nothing here reads a store or draws. Items are known by their places in the list, which start at 0.
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
    whole_number,
)
from flowtui.store.errors import InvalidAnnotation
from flowtui.widgets.documents.blocks import Section

Item_contra = TypeVar("Item_contra", contravariant=True)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A span or sample to judge, as it is shown."""

    target: Target
    title: str
    sections: tuple[Section, ...]
    note: str = ""
    """A note beside the title, such as where the item is from."""


class ReviewSource(Protocol[Item]):
    """Gives the items of a review; both methods are called in threads."""

    noun: str
    """What an item is, such as `span`."""

    def items(self) -> Sequence[Item]:
        """Return all items without an annotation by the author, in the order of the review.

        Raises:
            StoreError: The items cannot be read.
        """
        ...

    def read(self, item: Item) -> ReviewItem | None:
        """Return an item as it is shown; None if it is not in the store any more.

        Raises:
            StoreError: The item cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """The question of a review: the name, the kind and the type of value of its answers."""

    name: str
    kind: AnnotationKind = AnnotationKind.FEEDBACK
    value_type: ValueType = ValueType.BOOL

    @property
    def is_typed(self) -> bool:
        """Whether answers can be typed into a line; integers of one digit also have keys."""
        return self.value_type is not ValueType.BOOL

    @property
    def sample(self) -> Value:
        """Any value of the type, for a draft that only stands for an answer."""
        samples: dict[ValueType, Value] = {ValueType.BOOL: True, ValueType.INT: 0}
        return samples.get(self.value_type, "")

    def typed_value(self, text: str) -> Value:
        """Return the value of an answer that was typed.

        Raises:
            InvalidAnnotation: The text is no answer to this question.
        """
        if self.value_type is ValueType.INT:
            return whole_number(text)
        if not text:
            raise InvalidAnnotation("value", "Type an answer first. Esc leaves the line.")
        return text

    def draft(self, value: Value, rationale: str | None, user: str) -> Draft:
        """Return an answer to this question."""
        return Draft(self.name, self.kind, value, rationale, user)


def question_of(names: Sequence[AnnotationName], default: str) -> Question:
    """Return the question that was last answered in a run.

    Args:
        names: The names in use, the last used one first.
        default: The name to ask for feedback under if none of the names can be used.
    """
    for one in names:
        if one.kind in tuple(AnnotationKind) and one.value_type in tuple(ValueType):
            return Question(one.name, AnnotationKind(one.kind), ValueType(one.value_type))
    return Question(default)


class ReviewOutcome(Enum):
    """The outcome of an item; an item without one is open."""

    ANSWERED = auto()
    SKIPPED = auto()
    ELSEWHERE = auto()
    """The author has annotated it elsewhere since the review began."""
    GONE = auto()
    """It has been deleted since the review began."""


PASSED_OVER = (ReviewOutcome.ELSEWHERE, ReviewOutcome.GONE)
"""The outcomes of items that are not gone back to."""


class ReviewQueue:
    """Goes from item to item; the review is at its end when the place is after the last item."""

    def __init__(self, total: int) -> None:
        """Begin at the first of `total` items."""
        self.total = total
        self.place = 0
        self._outcomes: dict[int, ReviewOutcome] = {}

    @property
    def is_over(self) -> bool:
        return self.place >= self.total

    @property
    def outcome(self) -> ReviewOutcome | None:
        """The outcome of the item at the present place; None if it is open."""
        return self._outcomes.get(self.place)

    @property
    def counts(self) -> Counter[ReviewOutcome]:
        """How many items had each outcome."""
        return Counter(self._outcomes.values())

    @property
    def next_open(self) -> int | None:
        """The place of the next open item, after the last item again from the first; or None."""
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
        """Record whether the author has annotated an item."""
        if is_annotated:
            self._outcomes[place] = ReviewOutcome.ANSWERED
        elif self._outcomes.get(place) is ReviewOutcome.ANSWERED:
            del self._outcomes[place]

    def answer(self) -> None:
        """Record that the item is answered, and go to the next open one."""
        self._outcomes[self.place] = ReviewOutcome.ANSWERED
        self._go_on()

    def skip(self) -> None:
        """Skip the item if it is open, and go to the next open one; else go to the next item."""
        if self.outcome is None and not self.is_over:
            self._outcomes[self.place] = ReviewOutcome.SKIPPED
            self._go_on()
        else:
            self._step(1)

    def back(self) -> bool:
        """Go to the previous item that is not passed over; return whether there is one."""
        return self._step(-1)

    def pass_over(self, outcome: ReviewOutcome) -> None:
        """Record that the item cannot be judged, and go to the next open one."""
        self._outcomes[self.place] = outcome
        self._go_on()

    def mark_gone(self) -> None:
        """Record that the item was deleted, and stay at its place."""
        self._outcomes[self.place] = ReviewOutcome.GONE

    def go_to(self, place: int) -> None:
        """Go to an item, whatever its outcome."""
        self.place = place

    def reopen_skipped(self) -> None:
        """Open all skipped items again, and go to the first of them."""
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
