"""Ctrl+c while something is read or printed: it is cleaned up after, and nothing is said."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flowtui.cli.standard_streams import INTERRUPTED, print_no_more
from flowtui.store.cancelling import cancelling

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType


class _Interrupt:
    """Ctrl+c, which raises where it comes, and where SQLite swallowed that, at the next look."""

    def __init__(self) -> None:
        self._came = False

    def heed(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        raise KeyboardInterrupt

    def look(self) -> bool:
        """Raise if it came; what is raised in the middle of a query ends the query, and no more."""
        if self._came:
            raise KeyboardInterrupt
        return False


@contextmanager
def interrupts_end_quietly(is_interruptible: bool) -> Iterator[None]:
    """Leave with what a shell expects when ctrl+c comes and the body does not deal with it.

    Args:
        is_interruptible: whether it is to be heeded; not where whoever began this process had it
            ignored.
    """
    if not is_interruptible:
        yield
        return
    interrupt = _Interrupt()
    signal.signal(signal.SIGINT, interrupt.heed)
    # While Python ends, an interrupt would be shown with where it came.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)
    sys.unraisablehook = _end_if_interrupted
    try:
        with cancelling(interrupt.look):
            yield
    except KeyboardInterrupt:
        print_no_more()
        sys.exit(INTERRUPTED)
    finally:
        sys.unraisablehook = sys.__unraisablehook__


def _end_if_interrupted(unraisable: UnraisableHookArgs) -> None:
    """End where an interrupt came in the middle of what cannot be left by an exception.

    Python would show it and go on, as if nobody had wished to end.
    """
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os._exit(INTERRUPTED)
    sys.__unraisablehook__(unraisable)
