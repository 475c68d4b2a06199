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
from flowtui.cli.terminations import Terminated
from flowtui.store.cancelling import signalled, signals_heard
from flowtui.terminal.shutdown import tidy_up

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType


@contextmanager
def interrupts_end_quietly(is_interruptible: bool) -> Iterator[None]:
    """Exit as a shell expects when ctrl+c comes and the body does not handle it.

    Args:
        is_interruptible: Whether ctrl+c counts; False where the parent process had it ignored.
    """
    if not is_interruptible:
        yield
        return
    signal.signal(signal.SIGINT, _heed)
    # Without this, an interrupt while Python ends would print a traceback.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)
    sys.unraisablehook = _end_if_interrupted
    try:
        with signals_heard():
            yield
    except KeyboardInterrupt:
        print_no_more()
        sys.exit(INTERRUPTED)
    finally:
        sys.unraisablehook = sys.__unraisablehook__


def _heed(number: int, frame: FrameType | None) -> None:
    signalled(KeyboardInterrupt())


def _end_if_interrupted(unraisable: UnraisableHookArgs) -> None:
    """End the process where an interrupt came inside code that no exception can leave.

    Python would print the interrupt and go on as if nobody had pressed ctrl+c.
    """
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os._exit(INTERRUPTED)
    if isinstance(unraisable.exc_value, Terminated):
        tidy_up()
        os._exit(128 + unraisable.exc_value.number)
    sys.__unraisablehook__(unraisable)
