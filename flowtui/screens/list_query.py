"""The query of a list: which records a person wants to see, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    # It takes 20 ms to import, and not every list is filtered.
    from flowtui.store.filters import Condition


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The part of a query that the lists of all kinds of record share."""

    condition: Condition | None = None
    """The condition of the filter; None shows all records."""

    def begins_at_top(self, shown: Self | None) -> bool:
        """Say whether the cursor goes to the first record when this query replaces another one.

        When a filter is cleared, the cursor stays on the record that was found with it.
        """
        return shown is None or (shown != self and replace(shown, condition=None) != self)

    def filtered(self, condition: Condition | None) -> Self:
        """Return the same with another filter."""
        return replace(self, condition=condition)

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The column of the order, and whether downwards."""
        raise NotImplementedError
