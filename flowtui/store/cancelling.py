"""Who waits for what a thread reads, and whether anybody still does.

What is being waited for is known where the thread begins, at a key or a command; the reads happen
many calls further down. So it is set once for the thread, and every read of a store asks here: no
question may be one that cannot be cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flowtui.store.errors import ReadCancelled

Cancelled = Callable[[], bool]

_current: ContextVar[Cancelled | None] = ContextVar("cancelled", default=None)


@contextmanager
def cancelling(cancelled: Cancelled) -> Iterator[None]:
    """Let `cancelled` end reads of this thread inside the block, which then raise ReadCancelled.

    Args:
        cancelled: Is asked about every millisecond of work; True ends the read.
    """
    token = _current.set(cancelled)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Cancelled | None:
    """Return what may cancel the reads of this thread, None where nothing may."""
    return _current.get()


def is_left() -> bool:
    """Say whether nobody waits any more for the reads of this thread."""
    cancelled = _current.get()
    return cancelled is not None and cancelled()


def check() -> None:
    """Raise ReadCancelled where nobody waits any more; for loops that do not ask a database."""
    if is_left():
        raise ReadCancelled("the read was left")
