"""A program on a pseudo-terminal of its own, whose output goes into a file."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from flowtui.launch.request import LaunchFailed, exit_code

_PIECE_BYTES = 1 << 16
_DRAIN_S = 1.0
"""How long output is read after the end, if what the program left running goes on writing."""
_QUIET_S = 0.1
_INPUT_BYTES = 1 << 16
"""How much may wait for a program that does not read."""


class PtyProgram:
    """Starts the program; `Popen` cannot give it a terminal of its own."""

    def __init__(
        self, words: Sequence[str], environ: Mapping[str, str], output: Path, size: tuple[int, int]
    ) -> None:
        """Start it; there must be one thread only.

        Args:
            words: The program and its arguments.
            environ: Its environment.
            output: The file that its output is appended to.
            size: Lines and columns of its terminal.

        Raises:
            LaunchFailed: It cannot be started.
        """
        self.output_bytes = self.lost_bytes = 0
        self._waiting = bytearray()
        self._is_over = threading.Event()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(output, flags, 0o600)
        reading, writing = os.pipe()
        self.pid, self.master = pty.fork()
        if self.pid == pty.CHILD:
            _become(words, environ, size, writing)
        os.close(writing)
        os.set_inheritable(self.master, False)
        with open(reading, "rb") as told:
            number = told.read()
        if number:
            os.waitpid(self.pid, 0)
            os.close(self.master)
            os.close(self._file)
            raise LaunchFailed.by(words[0], OSError(int(number), os.strerror(int(number))))
        os.set_blocking(self.master, False)

    def follow(self, changed: Callable[[], None]) -> int:
        """Write its output into the file until it has ended, and return its exit code.

        Args:
            changed: Is called when more of the output is in the file.
        """
        reader = threading.Thread(target=self._read, args=(changed,), name="output", daemon=True)
        reader.start()
        code = exit_code(os.waitpid(self.pid, 0)[1])
        self._is_over.set()
        reader.join()
        os.close(self._file)
        return code

    def _read(self, changed: Callable[[], None]) -> None:
        ends_s: float | None = None
        while True:
            if self._is_over.is_set() and ends_s is None:
                ends_s = time.monotonic() + _DRAIN_S
            ready, _, _ = select.select([self.master], [], [], _QUIET_S)
            if not ready:
                if ends_s is not None:
                    return
                continue
            try:
                data = os.read(self.master, _PIECE_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                # Linux says so when nobody has the other side open any more.
                return
            if not data:
                return
            self._keep(data)
            changed()
            if ends_s is not None and time.monotonic() > ends_s:
                return

    def _keep(self, data: bytes) -> None:
        try:
            written = os.write(self._file, data)
        except OSError:
            # A disk that is full must not stop the program.
            written = 0
        self.output_bytes += written
        self.lost_bytes += len(data) - written

    # What goes to it -------------------------------------------------------------------------

    def type(self, data: bytes) -> bool:
        """Give it input, as if it was typed; return whether some waits until it reads more."""
        if len(self._waiting) + len(data) <= _INPUT_BYTES:
            self._waiting += data
        return self.type_on()

    def type_on(self) -> bool:
        """Give it what waits, and return whether some still does."""
        while self._waiting:
            try:
                count = os.write(self.master, self._waiting[:1024])
            except BlockingIOError:
                return True
            except OSError:
                self._waiting.clear()
                return False
            del self._waiting[:count]
        return False

    def resize(self, lines: int, columns: int) -> None:
        """Give its terminal a size, of which the system tells it."""
        _set_size(self.master, (lines, columns))

    def end(self, number: int) -> None:
        """Send a signal to the program and to what it has in front of its terminal."""
        groups = {self.pid}
        with suppress(OSError):
            groups.add(os.tcgetpgrp(self.master))
        for group in groups:
            if group > 1:
                with suppress(OSError):
                    os.killpg(group, number)

    def close(self) -> None:
        """Take its terminal away."""
        os.close(self.master)


def _set_size(terminal: int, size: tuple[int, int]) -> None:
    lines, columns = (max(1, min(number, 10_000)) for number in size)
    with suppress(OSError):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def _become(
    words: Sequence[str], environ: Mapping[str, str], size: tuple[int, int], told: int
) -> None:
    """Become the program, or tell why that failed."""
    number = errno.EINVAL
    try:
        _set_size(0, size)
        for one in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_DFL)
        os.execvpe(words[0], list(words), dict(environ))
    except OSError as error:
        number = error.errno or number
    except ValueError:
        # An argument has a NUL in it.
        pass
    finally:
        os.write(told, str(number).encode())
        os._exit(127)
