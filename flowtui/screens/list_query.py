"""Which records of a list a person wants to see: what keys wait for until it is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    # It takes 20 ms to import, and not every list is filtered.
    from flowtui.store.filters import Condition


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What the lists of all kinds of record have in common."""

    condition: Condition | None = None
    """Of the filter."""

    def begins_at_top(self, shown: Self | None) -> bool:
        """Whether the cursor goes to the first record, where another list was shown before.

        It stays on what a filter has found when the filter is cleared.
        """
        return shown is None or (shown != self and replace(shown, condition=None) != self)

    def filtered(self, condition: Condition | None) -> Self:
        """Return the same with another filter."""
        return replace(self, condition=condition)

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The column of the order, and whether downwards."""
        raise NotImplementedError
