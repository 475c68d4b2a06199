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
from flowtui.cli.terminations import Terminated
from flowtui.store.cancelling import signalled, signals_heard
from flowtui.terminal.shutdown import tidy_up

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType


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
    signal.signal(signal.SIGINT, _heed)
    # While Python ends, an interrupt would be shown with where it came.
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
    """End where an interrupt came in the middle of what cannot be left by an exception.

    Python would show it and go on, as if nobody had wished to end.
    """
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os._exit(INTERRUPTED)
    if isinstance(unraisable.exc_value, Terminated):
        tidy_up()
        os._exit(128 + unraisable.exc_value.number)
    sys.__unraisablehook__(unraisable)
