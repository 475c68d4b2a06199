"""A terminal for tests: runs a program on a pty and keeps every byte with the time it came.

The screen is drawn by pyte only when somebody looks at it, so that drawing takes no time from the
program that is being watched.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyte
from wcwidth import wcwidth

FLOW_TUI = (sys.executable, "-m", "flowtui")
PATIENCE_S = 15.0
"""How long a busy machine may take for what takes a moment."""
POLL_S = 0.1
# A session leader that opens a terminal gets it as its own, and with it Ctrl+C and hang-ups.
_TAKE_TERMINAL = 'exec "$@" <"$0" >"$0" 2>&1'
_QUERY_SYNC = b"\x1b[?2026$p"
_ANSWER_SYNC = b"\x1b[?2026;2$y"


def environment(home: Path, **changes: str | None) -> dict[str, str]:
    """Return an environment that shares nothing with the person who runs the tests.

    Args:
        home: takes the place of the home folder and of everything XDG.
        changes: variables to set, or to leave out (None).
    """
    variables: dict[str, str | None] = {
        "PATH": os.environ["PATH"],
        # What is tested is the tree that the tests are of, where it is not the installed one.
        "PYTHONPATH": os.environ.get("PYTHONPATH"),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "USER": "ana",
        **changes,
    }
    return {name: value for name, value in variables.items() if value is not None}


class Screen(pyte.Screen):
    """Pyte's screen, which can be read too while half of a wide character is overwritten."""

    @property
    def display(self) -> list[str]:
        rows = (self.buffer[line] for line in range(self.lines))
        return ["".join(self._shown(row)) for row in rows]

    def _shown(self, row: Mapping[int, pyte.screens.Char]) -> Iterator[str]:
        column = 0
        while column < self.columns:
            char = row[column].data or " "
            yield char
            column += 2 if wcwidth(char[0]) == 2 else 1


@dataclass(frozen=True)
class Chunk:
    """Some bytes that came together."""

    at: float
    """`time.monotonic()` when they were read."""
    data: bytes


class Terminal:
    """A program on a pty of its own; leave it by `with`, which ends the program."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        columns: int = 120,
        lines: int = 40,
        cwd: Path | None = None,
    ) -> None:
        self.columns, self.lines = columns, lines
        self._master, self._slave = os.openpty()
        self._set_size()
        self.attributes_before = self.attributes()
        self.chunks: list[Chunk] = []
        self._drawn = 0
        self._screen = Screen(columns, lines)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._came = threading.Condition()
        self._wake, self._waker = os.pipe()
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            ["sh", "-c", _TAKE_TERMINAL, os.ttyname(self._slave), *command],
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._master >= 0:
            self.hang_up()
        os.close(self._slave)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    # What came -------------------------------------------------------------------------------

    @property
    def raw(self) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def byte_count(self) -> int:
        return sum(len(chunk.data) for chunk in self.chunks)

    @property
    def screen(self) -> pyte.Screen:
        """What a person sees now."""
        while self._drawn < len(self.chunks):
            self._draw_next()
        return self._screen

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    @property
    def _drawn_text(self) -> str:
        return "\n".join(self._screen.display)

    def _draw_next(self) -> None:
        self._stream.feed(self._decoder.decode(self.chunks[self._drawn].data))
        self._drawn += 1

    def wait_for(self, what: str | Callable[[str], bool], timeout: float = PATIENCE_S) -> float:
        """Wait until a text is on the screen or a predicate of it is true.

        Each screen that came since the last wait is looked at, also one that is no more.

        Returns:
            When the bytes came that made it so, as `time.monotonic()`; where it was so before, when
            the last ones came.

        Raises:
            AssertionError: it was not in time; shows the screen.
        """
        is_there = what if callable(what) else lambda text: what in text
        deadline = time.monotonic() + timeout
        while True:
            # A predicate may ask about more than this screen, so it is asked without new bytes too.
            if self._drawn and is_there(self._drawn_text):
                return self.chunks[self._drawn - 1].at
            if self._drawn < len(self.chunks):
                self._draw_next()
                continue
            with self._came:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"not seen in {timeout} s: {what!r}\n{self._described()}")
                if self._drawn == len(self.chunks):
                    self._came.wait(min(left, POLL_S) if callable(what) else left)

    def wait_until(self, condition: Callable[[], bool], timeout: float = PATIENCE_S) -> None:
        """Wait until something holds that is not read from the screen, such as bytes that came.

        The screen is then no older than that.

        Raises:
            AssertionError: it was not in time; shows the screen.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"not so in {timeout} s\n{self._described()}"
            with self._came:
                self._came.wait(POLL_S)
        came = len(self.chunks)
        while self._drawn < came:
            self._draw_next()

    def settle(self, quiet_s: float = 0.5, timeout: float = PATIENCE_S) -> int:
        """Wait until nothing has come for a while; return how many bytes came until then."""
        before = self.byte_count
        deadline = time.monotonic() + timeout
        with self._came:
            while self._came.wait(quiet_s):
                if time.monotonic() > deadline:
                    raise AssertionError(f"never quiet for {quiet_s} s\n{self._described()}")
        return self.byte_count - before

    def bytes_during(self, seconds: float) -> int:
        """Return how many bytes come in a stretch of time."""
        before = self.byte_count
        deadline = time.monotonic() + seconds
        with self._came:
            while (left := deadline - time.monotonic()) > 0:
                self._came.wait(left)
        return self.byte_count - before

    def _described(self) -> str:
        frame = "+" + "-" * self.columns + "+"
        state = f"exit {self._process.poll()}, {self.byte_count} bytes"
        return "\n".join([state, frame, *(f"|{line}|" for line in self.screen.display), frame])

    # What is done to it ----------------------------------------------------------------------

    def send(self, keys: str) -> None:
        """Type keys, as the bytes that a terminal sends for them."""
        data = keys.encode()
        # A busy program takes a part at a time.
        while data:
            data = data[os.write(self._master, data) :]

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, and tell the program as a terminal does."""
        self.columns, self.lines = columns, lines
        # What was drawn for the old size is drawn in the old size.
        self.screen.resize(lines, columns)
        self._set_size()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop_reading(self) -> None:
        """Take no more of what the program sends, as a link that is stuck does."""
        os.write(self._waker, b"x")
        self._reader.join()

    def hang_up(self) -> None:
        """Take the terminal away, as a closed window or a lost connection does."""
        self.stop_reading()
        for descriptor in (self._master, self._wake, self._waker):
            os.close(descriptor)
        self._master = -1

    def wait_exit(self, timeout: float = PATIENCE_S) -> int:
        """Wait until the program has ended and all that it sent is read; return its exit code."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            message = f"still running after {timeout} s\n{self._described()}"
            raise AssertionError(message) from None
        if self._reader.is_alive():
            self.settle(0.1)
        return code

    def attributes(self) -> list[Any]:
        """Return the terminal's modes, as termios has them."""
        return list(termios.tcgetattr(self._slave))

    def resident_bytes(self) -> int:
        """Return the memory that the program has in use. Source: /proc/PID/statm."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float:
        """Return how long the program has computed. Source: /proc/PID/stat, utime and stime."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _set_size(self) -> None:
        size = struct.pack("HHHH", self.lines, self.columns, 0, 0)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, size)

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._wake], [], [])
            if self._wake in ready:
                return
            data = os.read(self._master, 65_536)
            if _QUERY_SYNC in data:
                # Most terminals know synchronized output, and it costs bytes.
                os.write(self._master, _ANSWER_SYNC)
            with self._came:
                self.chunks.append(Chunk(time.monotonic(), data))
                self._came.notify_all()
