"""SIGTERM, and SIGHUP of a terminal that goes away: remove what was unpacked before the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from flowtui.cli.standard_streams import print_no_more
from flowtui.store.cancelling import signalled, signals_heard
from flowtui.terminal.shutdown import tidy_up

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
GRACE_S = 1.0
"""How long leaving what is under way may take; a query that SQLite is running cannot be left."""


class Terminated(BaseException):
    """A signal came that asks for the end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def terminations_end_tidily() -> Iterator[None]:
    """Exit as a shell expects when a signal comes that the parent process does not ignore."""
    heeded = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    if not heeded:
        yield
        return
    for number in heeded:
        signal.signal(number, _leave)
    _watch()
    try:
        with signals_heard():
            yield
    except Terminated as terminated:
        print_no_more()
        tidy_up()
        sys.exit(128 + terminated.number)


def _leave(number: int, frame: FrameType | None) -> None:
    # The next signal ends the process at once.
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    signalled(Terminated(number))


def _watch() -> None:
    """End the process where the main thread does not come to handle a signal.

    A thread waits for what the handler in C writes, which it does whatever the main thread is at.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def wait() -> None:
        while data := os.read(reading, 1):
            number = data[0]
            if number not in SIGNALS or signal.getsignal(number) is not _leave:
                continue
            time.sleep(GRACE_S)
            if signal.getsignal(number) is _leave:
                tidy_up()
                os._exit(128 + number)

    threading.Thread(target=wait, name="termination", daemon=True).start()
