"""Changes that can be undone, the last one first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")

DEPTH = 100
"""How many changes can be undone; older ones are forgotten."""


_numbers = count(1)
"""Counts the changes of all stacks, so that stacks can be asked which was changed last."""


class UndoStack(Generic[T]):
    """Remembers changes and undoes them; may be used from any thread."""

    def __init__(self, revert: Callable[[T, bool], object]) -> None:
        """Begin with no changes.

        Args:
            revert: Undoes a change in the store; the second argument says whether it does so even
                if somebody has changed the same since. It raises a `StoreError` if it cannot.
        """
        self._revert = revert
        self._done: deque[tuple[int, T]] = deque(maxlen=DEPTH)
        """Each change with its number."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._done)

    @property
    def last(self) -> T | None:
        """The change that `undo` would undo."""
        with self._lock:
            return self._done[-1][1] if self._done else None

    def push(self, change: T) -> None:
        """Remember a change that was written."""
        with self._lock:
            self._done.append((next(_numbers), change))

    def undo(self, overwrite: bool = False) -> T | None:
        """Undo the last change and return it, None if there is none left.

        A change that could not be undone stays the last one, so that it can be tried again, with
        `overwrite` or without, or left with `skip`.

        Raises:
            StoreError: As what undoes a change raises it.
        """
        with self._lock:
            if not self._done:
                return None
            self._revert(self._done[-1][1], overwrite)
            return self._done.pop()[1]

    def skip(self) -> T | None:
        """Forget the last change without undoing it and return it, None if there is none left."""
        with self._lock:
            return self._done.pop()[1] if self._done else None

    @property
    def last_number(self) -> int:
        """The place of the last change among those of all stacks; 0 if none is left."""
        with self._lock:
            return self._done[-1][0] if self._done else 0
