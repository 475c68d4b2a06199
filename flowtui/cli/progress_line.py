"""One line on stderr that shows how far a command is, rewritten where that is a terminal."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from flowtui import format as fmt
from flowtui.cli.standard_streams import INTERRUPTED
from flowtui.store.cancelling import cancelling
from flowtui.terminal.shutdown import SIGNALS

REWRITE_EVERY_S = 0.2
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Shows a step, its bytes and what is left; where stderr is not a terminal, only each step."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._is_terminal = self._out.isatty()
        self._step = ""
        self._next_s = 0.0

    def show(
        self, step: str, done: int = 0, total: int = 0, rate_bytes_s: float | None = None
    ) -> None:
        """Show how far a step is; cheap to call as often as one likes."""
        is_new = step != self._step
        if not self._is_terminal:
            if is_new:
                print(step, file=self._out, flush=True)
            self._step = step
            return
        now = time.monotonic()
        if not is_new and now < self._next_s:
            return
        self._step, self._next_s = step, now + REWRITE_EVERY_S
        self._out.write(_CLEAR + _line(step, done, total, rate_bytes_s))
        self._out.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._is_terminal and self._step:
            self._out.write(_CLEAR)
            self._out.flush()
        self._step = ""


class Cancel(threading.Event):
    """Set by a signal, of which it knows what a shell expects as the exit code."""

    exit_code = INTERRUPTED


@contextmanager
def signals_as_cancel(event: Cancel) -> Iterator[None]:
    """Have ctrl+c, a polite kill and the end of the terminal set an event, unless ignored.

    So what is under way can clean up. What is read of a store inside ends with it, in
    ReadCancelled.
    """

    def cancel(number: int, frame: FrameType | None) -> None:
        if not event.is_set():
            event.exit_code = 128 + number
        event.set()

    heeded = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {number: signal.signal(number, cancel) for number in heeded}
    try:
        with cancelling(event.is_set):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _line(step: str, done: int, total: int, rate_bytes_s: float | None) -> str:
    if not total:
        return step
    parts = [step, f"{100 * done // total} %", f"{fmt.size(done)} of {fmt.size(total)}"]
    if rate_bytes_s:
        parts.append(f"{fmt.size(round(rate_bytes_s))}/s")
        parts.append(f"{fmt.duration((total - done) / rate_bytes_s)} left")
    return "  ".join(parts)
