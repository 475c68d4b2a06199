"""Who waits for what a thread reads, and whether anybody still does.

What is being waited for is known where the thread begins, at a key or a command; the reads happen
many calls further down. So it is told once, for the thread, and every read of a store asks here:
a question that could not be ended is not to be written.

SQLite asks while it is at work, and calls functions of ours. What is raised there ends the
statement and is lost, so it is kept here, and raised when the statement has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

from flowtui.failures import Failure
from flowtui.store.errors import ReadCancelled

P = ParamSpec("P")
T = TypeVar("T")
Cancelled = Callable[[], bool]

_current: ContextVar[Cancelled | None] = ContextVar("cancelled", default=None)
_signalled: BaseException | None = None
_lost = threading.local()


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


def is_left() -> bool:
    """Say whether nobody waits any more for what this thread reads.

    Raises:
        BaseException: what a signal stands for that came, in the main thread.
    """
    _raise_signalled()
    cancelled = _current.get()
    return cancelled is not None and cancelled()


def check() -> None:
    """Raise ReadCancelled where nobody waits any more; for loops that do not ask a database."""
    if is_left():
        raise ReadCancelled("the read was left")


@contextmanager
def signals_heard() -> Iterator[None]:
    """Forget after the body what `signalled` was told in it."""
    global _signalled
    try:
        yield
    finally:
        _signalled = None


def signalled(by: BaseException) -> NoReturn:
    """Raise what a signal stands for, now and wherever this thread, the main one, looks again."""
    global _signalled
    _signalled = by
    raise by


def not_lost(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function for SQLite to call, whose failures `raise_lost` raises."""

    @wraps(function)
    def called(*given: P.args, **named: P.kwargs) -> T:
        try:
            return function(*given, **named)
        except Failure as error:
            _lost.error = error
            raise

    return called


def forget_lost() -> None:
    """Forget what was raised in a statement whose failure nobody was told of."""
    _lost.error = None


def raise_lost() -> None:
    """Raise what a signal or a function of ours raised while SQLite was at work in this thread."""
    _raise_signalled()
    error: Failure | None = getattr(_lost, "error", None)
    _lost.error = None
    if error is not None:
        raise error


def _raise_signalled() -> None:
    if _signalled is not None and threading.current_thread() is threading.main_thread():
        raise _signalled
