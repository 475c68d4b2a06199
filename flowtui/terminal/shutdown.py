"""Ending on a signal: tidily if possible, and within a second whatever is stuck.

A terminal that takes no more bytes (a dropped link, Ctrl+S) blocks the app's event loop in a write,
and with it any signal handler of that loop. So Python's own signal handling is used, and a timer
ends the process if the app does not.
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
"""How long the app may take to leave in its own way."""
BELOW_ALL = "\x1b[999H\r\n"
"""Moves the cursor to a new line at the bottom of the screen."""
RESTORE = (
    b"\x1b[0m"
    + BELOW_ALL.encode()
    + b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1004l"
    b"\x1b[?2048l\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h"
)
"""Restores colours, mouse, paste, focus, resize reports, wrap, keyboard, screen and cursor."""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
TIDY_S = 0.3
"""How long the functions that are called before the end may take together."""
_tidying: list[Callable[[], object]] = []
"""The functions that are called before the end."""


_restoring: list[Callable[[], str]] = []
"""What else restores the terminal."""


def restore_also(told: Callable[[], str]) -> None:
    """Register a function that returns what else a terminal is sent where the end is not tidy."""
    _restoring.append(told)


def before_the_end(tidy: Callable[[], object]) -> None:
    """Register a function that is called when a signal ends the process without unwinding it."""
    _tidying.append(tidy)


def tidy_up() -> None:
    """Call the registered functions, and wait at most `TIDY_S` for them."""

    def work() -> None:
        for tidy in _tidying:
            with contextlib.suppress(Exception):
                tidy()

    thread = threading.Thread(target=work, name="tidying", daemon=True)
    thread.start()
    thread.join(TIDY_S)


class Shutdown:
    """Ends the app on signals and when its terminal is gone; make it before the app starts."""

    def __init__(self) -> None:
        self._terminal = _terminal()
        self._attributes: list[Any] | None = None
        if self._terminal is not None:
            self._attributes = termios.tcgetattr(self._terminal)

    def take_signals(self, leave: Callable[[int], None]) -> None:
        """Make SIGTERM, SIGHUP and SIGINT call `leave` with the exit code."""

        def heed(number: int, _frame: FrameType | None) -> None:
            self.leave_soon(128 + number, leave)

        for number in SIGNALS:
            signal.signal(number, heed)

    def leave_soon(self, code: int, leave: Callable[[int], None]) -> None:
        """Call `leave`, and end the process if it still runs after `GRACE_S`."""
        timer = threading.Timer(GRACE_S, self.end_now, (code,))
        timer.daemon = True
        timer.start()
        leave(code)

    @property
    def is_terminal_gone(self) -> bool:
        """Whether the terminal on which this process was started is gone."""
        if self._terminal is None:
            return False
        try:
            os.tcgetpgrp(self._terminal)
        except OSError:
            return True
        return False

    def end_now(self, code: int) -> NoReturn:
        """Restore the terminal, and end the process."""
        if self._terminal is not None and self._attributes is not None:
            # Both fail on a terminal that is gone, which needs no restoring.
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._attributes)
                # Opened anew: on the shared descriptor, O_NONBLOCK would make other writes of this
                # process, and those of the shell, fail.
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
                more = "".join(told() for told in _restoring).encode()
                os.write(os.open(os.ttyname(self._terminal), flags), more + RESTORE)
        tidy_up()
        os._exit(code)


def _terminal() -> int | None:
    stdin = sys.__stdin__
    return stdin.fileno() if stdin is not None and stdin.isatty() else None
