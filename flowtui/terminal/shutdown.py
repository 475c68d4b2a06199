"""How it ends when it is told to from outside: tidily, and within a second whatever is stuck.

A terminal that takes no more bytes (a dropped link, Ctrl+S) blocks the app's loop in a write, and
with it everything that a loop does about signals. So the handler runs where Python runs signals,
and a timer stands behind it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

GRACE_S = 0.8
"""How long the app has to leave in its own way."""
BELOW_ALL = "\x1b[999H\r\n"
"""Leads to a new line at the bottom."""
RESTORE = (
    b"\x1b[0m"
    + BELOW_ALL.encode()
    + b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1004l"
    b"\x1b[?2048l\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h"
)
"""Colours, mouse, paste, focus, resize reports, wrap, keyboard, screen and cursor as they were."""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
TIDY_S = 0.3
"""For what is to be removed before the process ends, whatever else it is at."""
_tidying: list[Callable[[], object]] = []


def before_the_end(tidy: Callable[[], object]) -> None:
    """Have something called where a signal ends the process without leaving all that it is at."""
    _tidying.append(tidy)


def tidy_up() -> None:
    """Call what is to be called before the end, and wait for it, though not for long."""

    def work() -> None:
        for tidy in _tidying:
            with contextlib.suppress(Exception):
                tidy()

    thread = threading.Thread(target=work, name="tidying", daemon=True)
    thread.start()
    thread.join(TIDY_S)


class Shutdown:
    """Leaves the app on signals and when its terminal is gone; make it before the app starts."""

    def __init__(self) -> None:
        self._terminal = _terminal()
        self._attributes: list[Any] | None = None
        if self._terminal is not None:
            self._attributes = termios.tcgetattr(self._terminal)

    def take_signals(self, leave: Callable[[int], None]) -> None:
        """Have SIGTERM, SIGHUP and SIGINT call `leave` with the exit code."""

        def heed(number: int, _frame: FrameType | None) -> None:
            self.leave_soon(128 + number, leave)

        for number in SIGNALS:
            signal.signal(number, heed)

    def leave_soon(self, code: int, leave: Callable[[int], None]) -> None:
        """Call `leave`; should the process still be there after `GRACE_S`, end it."""
        timer = threading.Timer(GRACE_S, self.end_now, (code,))
        timer.daemon = True
        timer.start()
        leave(code)

    @property
    def is_terminal_gone(self) -> bool:
        """Whether the terminal that this process was started on has been taken away."""
        if self._terminal is None:
            return False
        try:
            os.tcgetpgrp(self._terminal)
        except OSError:
            return True
        return False

    def end_now(self, code: int) -> NoReturn:
        """Give the terminal back as it was, and end the process."""
        if self._terminal is not None and self._attributes is not None:
            # Both fail on a terminal that is gone, and then there is nothing to restore.
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._attributes)
                # Opened anew, so that only this write and no other of the process gives up.
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
                os.write(os.open(os.ttyname(self._terminal), flags), RESTORE)
        tidy_up()
        os._exit(code)


def _terminal() -> int | None:
    stdin = sys.__stdin__
    return stdin.fileno() if stdin is not None and stdin.isatty() else None
