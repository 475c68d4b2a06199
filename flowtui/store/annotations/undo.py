"""The annotation changes of one run that can be undone, the last one first."""

from __future__ import annotations

import threading
from collections import deque

from flowtui.store.annotations.values import Change
from flowtui.store.annotations.writing import revert
from flowtui.store.database import Database

DEPTH = 100
"""How many changes can be undone; older ones are forgotten."""


class UndoStack:
    """Remembers changes and undoes them; may be used from any thread."""

    def __init__(self, database: Database) -> None:
        """Begin with no changes of the run whose exp.db is given."""
        self._database = database
        self._done: deque[Change] = deque(maxlen=DEPTH)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._done)

    @property
    def last(self) -> Change | None:
        """The change that `undo` would undo."""
        with self._lock:
            return self._done[-1] if self._done else None

    def push(self, change: Change) -> None:
        """Remember a change that was written."""
        with self._lock:
            self._done.append(change)

    def undo(self, overwrite: bool = False) -> Change | None:
        """Undo the last change and return it, None if there is none left.

        A change that could not be undone stays the last one, so that it can be tried again, with
        `overwrite` or without, or left with `skip`.

        Raises:
            AnnotationChanged: Somebody else has changed the annotation; the error carries it.
            TargetGone: The span or sample of a deleted annotation is no longer there.
            DatabaseError: The store cannot be written.
        """
        with self._lock:
            if not self._done:
                return None
            revert(self._database, self._done[-1], overwrite=overwrite)
            return self._done.pop()

    def skip(self) -> Change | None:
        """Forget the last change without undoing it and return it, None if there is none left."""
        with self._lock:
            return self._done.pop() if self._done else None
