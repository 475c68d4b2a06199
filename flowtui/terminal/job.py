"""Ctrl+Z: to stand still as a job of the shell until that goes on with it."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import time

STOPS_WITHIN_S = 0.3
"""By when a stop has come that one has asked for; the clock stands still for who is stopped."""


def stop() -> bool:
    """Stop all programs of this job, as the terminal would; return when it is gone on with.

    Returns:
        Whether it was stopped: the kernel stops none that no shell could go on with, such as what
        a window was opened for.
    """
    is_continued = False

    def note(*_: object) -> None:
        nonlocal is_continued
        is_continued = True

    asked = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    resumed = signal.signal(signal.SIGCONT, note)
    try:
        os.killpg(0, signal.SIGTSTP)
        # Another thread may get it, some moments later.
        left_s = STOPS_WITHIN_S
        while not is_continued and left_s > 0:
            time.sleep(0.01)
            left_s -= 0.01
    finally:
        signal.signal(signal.SIGCONT, resumed)
        signal.signal(signal.SIGTSTP, asked)
    return is_continued


def wait_for_terminal(terminal: int) -> None:
    """Return when the terminal is this job's: one that goes on in the background is stopped.

    Args:
        terminal: a file descriptor of it.
    """
    with contextlib.suppress(termios.error):
        # The kernel stops who does this from the background.
        termios.tcsetattr(terminal, termios.TCSANOW, termios.tcgetattr(terminal))


def read_by_character(terminal: int) -> None:
    """Have what comes from a terminal read as it comes, and not by lines.

    Args:
        terminal: a file descriptor of it, in whatever modes.
    """
    with contextlib.suppress(termios.error):
        modes = termios.tcgetattr(terminal)
        modes[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(terminal, termios.TCSANOW, modes)
