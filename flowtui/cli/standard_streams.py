"""Standard output that arrives in full, or an error that says that it did not."""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

INTERRUPTED = 128 + signal.SIGINT
"""The exit code that a shell expects of what ctrl+c ended."""
_SIGNALLED = (INTERRUPTED, 128 + signal.SIGTERM, 128 + signal.SIGHUP)
_STDOUT, _STDERR = 1, 2


class OutputFailed(Exception):
    """Standard output cannot be written; `str()` says why."""

    def __init__(self, cause: OSError) -> None:
        from flowtui.reports.saving import reason

        why = "it is closed" if cause.errno == errno.EBADF else reason(cause)
        super().__init__(f"standard output could not be written in full: {why}")


class _Output(io.FileIO):
    """Standard output, whose errors can be told from those of other files."""

    def write(self, data: Any, /) -> int:
        try:
            while (count := super().write(data)) is None:
                # Another process that shares the pipe may have made it non-blocking.
                select.select([], [self], [])
            return count
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputFailed(error) from error

    def check_close(self) -> None:
        """Raise what closing would: some file systems report a full disk only then."""
        try:
            os.close(os.dup(self.fileno()))
        except OSError as error:
            raise OutputFailed(error) from error


class _Messages(io.FileIO):
    """Standard error: a message that cannot be written does not stop the program."""

    def write(self, data: Any, /) -> int:
        with suppress(OSError):
            super().write(data)
        return len(data)


def take_over() -> None:
    """Make this process print through streams that report their errors, whatever it was given.

    A stream that somebody put in place of the process's own is left alone.
    """
    # Otherwise a file opened later could get the number of a closed stream, and be printed into.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115  # It is open as long as the process is.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Output(_STDOUT, "wb", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        raw = _Messages(_STDERR, "wb", closefd=False)
        sys.stderr = _text(raw, sys.stderr, is_told_at_once=True)


def _text(raw: io.FileIO, old: Any, is_told_at_once: bool = False) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=old.encoding if old is not None else "utf-8",
        # A locale without UTF-8 must not stop a table in the middle.
        errors="backslashreplace" if is_told_at_once else "replace",
        line_buffering=is_told_at_once or raw.isatty(),
    )


@contextmanager
def printed_to_the_end() -> Iterator[None]:
    """Leave the body only when everything that it printed has been written, or a signal came.

    Raises:
        OutputFailed: The output could not be written.
        BrokenPipeError: Nobody reads the output.
    """
    try:
        yield
    except SystemExit as end:
        if end.code in _SIGNALLED:
            # Whoever reads it may take no more, for ever.
            print_no_more()
        else:
            _flush()
        raise
    _flush()


def _flush() -> None:
    sys.stdout.flush()
    if isinstance(output := getattr(getattr(sys.stdout, "buffer", None), "raw", None), _Output):
        output.check_close()


def print_no_more() -> None:
    """Discard the rest of the output, on which Python would fail again while it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
