"""Ctrl+c while something is read or printed: clean up, and end without a message."""

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
    """Raises where ctrl+c comes, and again when asked next, since SQLite may swallow the first."""

    def __init__(self) -> None:
        self._came = False

    def heed(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        raise KeyboardInterrupt

    def look(self) -> bool:
        """Raise if it came; an exception in a query's handler ends the query and is lost."""
        if self._came:
            raise KeyboardInterrupt
        return False


@contextmanager
def interrupts_end_quietly(is_interruptible: bool) -> Iterator[None]:
    """Exit as a shell expects when ctrl+c comes and the body does not handle it.

    Args:
        is_interruptible: Whether ctrl+c counts; False where the parent process had it ignored.
    """
    if not is_interruptible:
        yield
        return
    interrupt = _Interrupt()
    signal.signal(signal.SIGINT, interrupt.heed)
    # Without this, an interrupt while Python ends would print a traceback.
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
    """End the process where an interrupt came inside code that no exception can leave.

    Python would print the interrupt and go on as if nobody had pressed ctrl+c.
    """
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os._exit(INTERRUPTED)
    sys.__unraisablehook__(unraisable)
