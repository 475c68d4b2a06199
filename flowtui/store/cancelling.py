"""Who waits for what a thread reads, and whether anybody still does.

What is being waited for is known where the thread begins, at a key or a command; the reads happen
many calls further down. So it is told once, for the thread, and every read of a store asks here:
a question that could not be ended is not to be written.
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
    """Have `cancelled` end what is read inside, in this thread; it raises ReadCancelled then.

    Args:
        cancelled: Is asked about every millisecond of work; True ends the read.
    """
    token = _current.set(cancelled)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Cancelled | None:
    """Return what may end what this thread reads, None where nothing may."""
    return _current.get()


def is_left() -> bool:
    """Say whether nobody waits any more for what this thread reads."""
    cancelled = _current.get()
    return cancelled is not None and cancelled()


def check() -> None:
    """Raise ReadCancelled where nobody waits any more; for loops that ask no database."""
    if is_left():
        raise ReadCancelled("the read was left")
