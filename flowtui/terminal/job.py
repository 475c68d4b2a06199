"""Ctrl+Z: stopping as a job of the shell until the shell continues it."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import time

STOPS_WITHIN_S = 0.3
"""How long a stop may take to come; time while the process is stopped is not counted."""


def stop() -> bool:
    """Stop all processes of this job, as the terminal would; return when the job is continued.

    Returns:
        Whether it was stopped: the kernel stops no job that no shell could continue, such as the
        program for which a terminal window was opened.
    """
    is_continued = False

    def note(*_: object) -> None:
        nonlocal is_continued
        is_continued = True

    asked = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    resumed = signal.signal(signal.SIGCONT, note)
    try:
        os.killpg(0, signal.SIGTSTP)
        # The signal may go to another thread, and stop the process some moments later.
        left_s = STOPS_WITHIN_S
        while not is_continued and left_s > 0:
            time.sleep(0.01)
            left_s -= 0.01
    finally:
        signal.signal(signal.SIGCONT, resumed)
        signal.signal(signal.SIGTSTP, asked)
    return is_continued


def wait_for_terminal(terminal: int) -> None:
    """Return when this job is in the foreground of its terminal.

    Args:
        terminal: A file descriptor of the terminal.
    """
    with contextlib.suppress(termios.error):
        # The kernel stops a background job that does this, until it comes to the foreground.
        termios.tcsetattr(terminal, termios.TCSANOW, termios.tcgetattr(terminal))


def read_by_character(terminal: int) -> None:
    """Make a terminal hand on each character at once, not only whole lines.

    Args:
        terminal: A file descriptor of the terminal, in any modes.
    """
    with contextlib.suppress(termios.error):
        modes = termios.tcgetattr(terminal)
        modes[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(terminal, termios.TCSANOW, modes)
