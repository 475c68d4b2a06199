"""A program's output on the terminal as it comes, and what is typed there to the program."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from flowtui.launch.link import ProgramLink

_PIECE_BYTES = 1 << 16
_STDIN, _STDOUT = 0, 1


def terminal_size() -> tuple[int, int]:
    """Return lines and columns of the terminal."""
    size = shutil.get_terminal_size()
    return size.lines, size.columns


def pass_through(
    link: ProgramLink, until: Callable[[], bool], most_before: int | None = None
) -> None:
    """Be a program's terminal until a condition holds of its state, or the link ends.

    Everything that it has put out by then is on the terminal.

    Args:
        link: The program.
        until: The condition.
        most_before: How many bytes are shown at most of what it has put out before.
    """
    # They stay open, since the thread of the link may be about to write.
    waking, wake = os.pipe()
    os.set_blocking(wake, False)

    def woken() -> None:
        with suppress(BlockingIOError):
            os.write(wake, b".")

    link.changed = woken
    size: tuple[int, int] | None = None
    try:
        with open(link.folder.output, "rb") as output, _raw(), _woken_by_resizes(woken):
            if most_before is not None:
                output.seek(max(output.seek(0, os.SEEK_END) - most_before, 0))
            watched = [waking, _STDIN]
            last = b"\n"
            while True:
                is_last = link.is_over or until()
                while piece := output.read(_PIECE_BYTES):
                    _put(piece)
                    last = piece[-1:]
                if is_last:
                    if last != b"\n":
                        # What comes next, in another hour perhaps, does not belong to that line.
                        _put(b"\r\n")
                    return
                if size != (size := terminal_size()):
                    link.resize(*size)
                ready, _, _ = select.select(watched, [], [], 1.0)
                if waking in ready:
                    os.read(waking, 4096)
                if _STDIN in ready:
                    if typed := os.read(_STDIN, 4096):
                        link.type(typed)
                    else:
                        watched.remove(_STDIN)
    finally:
        link.changed = lambda: None


def _put(data: bytes) -> None:
    sys.stdout.flush()
    while data:
        data = data[os.write(_STDOUT, data) :]


@contextmanager
def _raw() -> Iterator[None]:
    """Hand every key on, those included that a terminal acts on itself."""
    before = termios.tcgetattr(_STDIN)
    tty.setraw(_STDIN)
    try:
        yield
    finally:
        # One that is gone needs no restoring.
        with suppress(termios.error):
            termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


@contextmanager
def _woken_by_resizes(woken: Callable[[], None]) -> Iterator[None]:
    def resized(number: int, frame: FrameType | None) -> None:
        woken()

    before = signal.signal(signal.SIGWINCH, resized)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
