"""Changes that can be undone, the last one first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

DEPTH = 100
"""How many changes can be undone; older ones are forgotten."""


class UndoStack(Generic[T]):
    """Remembers changes and undoes them; may be used from any thread."""

    def __init__(self, revert: Callable[[T, bool], object]) -> None:
        """Begin with no changes.

        Args:
            revert: Undoes a change in the store; the second argument says whether it does so even
                if somebody has changed the same since. It raises a `StoreError` if it cannot.
        """
        self._revert = revert
        self._done: deque[T] = deque(maxlen=DEPTH)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._done)

    @property
    def last(self) -> T | None:
        """The change that `undo` would undo."""
        with self._lock:
            return self._done[-1] if self._done else None

    def push(self, change: T) -> None:
        """Remember a change that was written."""
        with self._lock:
            self._done.append(change)

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
            self._revert(self._done[-1], overwrite)
            return self._done.pop()

    def skip(self) -> T | None:
        """Forget the last change without undoing it and return it, None if there is none left."""
        with self._lock:
            return self._done.pop() if self._done else None
