"""A slow link between a person's terminal and the program: late, narrow, and at times stuck.

What is sent arrives later at the program; what the program writes is taken from it only as fast as
the link carries it, and drawn later. Nothing is ever lost or put into another order, as with TCP.
"""

from __future__ import annotations

import os
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

from tests.terminal.answers import Answers
from tests.terminal.terminal import PATIENCE_S, Chunk, Terminal

PIECE_S = 0.02
"""What the link carries in this time is taken from the program at once."""
_STOP, _LOOK = b"x", b"."


@dataclass(frozen=True, slots=True)
class Link:
    """How slow a link is."""

    delay_s: float = 0.1
    """One way; a round trip takes twice as long."""
    bytes_per_s: int = 8_000

    @property
    def piece_bytes(self) -> int:
        return max(int(self.bytes_per_s * PIECE_S), 1)


SLOW = Link()
"""64 kbit/s with 200 ms."""
NARROW = Link(bytes_per_s=2_000)
FAST = Link(0.0, 100_000_000)


class SlowTerminal(Terminal):
    """A terminal at the far end of a link; all that it knows is what has come through by now."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        columns: int = 120,
        lines: int = 40,
        cwd: Path | None = None,
        link: Link = SLOW,
    ) -> None:
        self.link = link
        self._answers = Answers(lambda: (self.columns, self.lines))
        self._down: deque[Chunk] = deque()
        """Under way to the person; `at` is when it arrives."""
        self._up: deque[Chunk] = deque()
        self._sizes: deque[tuple[float, int, int]] = deque()
        self._free_at = self._stuck_until = 0.0
        self._lock = threading.Lock()
        super().__init__(command, environ, columns, lines, cwd)

    # What is done to it ----------------------------------------------------------------------

    def send(self, keys: str) -> None:
        self._send_up(keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self.screen.resize(lines, columns)
        with self._lock:
            self._sizes.append((time.monotonic() + self.link.delay_s, columns, lines))
        self._send_up(self._answers.size_report())

    def get_stuck(self, seconds: float) -> None:
        """Let nothing through for a while, in either direction."""
        with self._lock:
            self._stuck_until = time.monotonic() + seconds

    def wait_exit(self, timeout: float = PATIENCE_S) -> int:
        """Wait until the program has ended and nothing is under way any more."""
        self._process.wait(timeout)
        deadline = time.monotonic() + timeout
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 2 * self.link.delay_s + 5 * PIECE_S:
            if self._is_busy():
                quiet_since = time.monotonic()
                assert quiet_since < deadline, f"never empty\n{self._described()}"
            time.sleep(PIECE_S)
        return super().wait_exit(timeout)

    def _is_busy(self) -> bool:
        return bool(self._down or self._up or select.select([self._master], [], [], 0)[0])

    # The link --------------------------------------------------------------------------------

    def _send_up(self, data: bytes) -> None:
        if data:
            with self._lock:
                self._up.append(Chunk(time.monotonic() + self.link.delay_s, data))
            os.write(self._waker, _LOOK)

    def _read(self) -> None:
        while True:
            now = time.monotonic()
            is_stuck = now < self._stuck_until
            is_free = not is_stuck and now >= self._free_at
            sources = [self._wake, self._master] if is_free else [self._wake]
            ready, _, _ = select.select(sources, [], [], self._next_s(now, is_stuck))
            if self._wake in ready and _STOP in os.read(self._wake, 1_000):
                return
            if self._master in ready:
                self._take_piece()
            if time.monotonic() >= self._stuck_until:
                self._deliver()

    def _next_s(self, now: float, is_stuck: bool) -> float | None:
        """Return how long there is nothing to do unless something comes."""
        if is_stuck:
            return self._stuck_until - now
        with self._lock:
            times = [chunk.at for queue in (self._down, self._up) for chunk in list(queue)[:1]]
            times += [at for at, *_ in list(self._sizes)[:1]]
        times += [self._free_at] if now < self._free_at else []
        return max(min(times) - now, 0.0) if times else None

    def _take_piece(self) -> None:
        data = os.read(self._master, self.link.piece_bytes)
        now = time.monotonic()
        self._free_at = max(now, self._free_at) + len(data) / self.link.bytes_per_s
        self._down.append(Chunk(self._free_at + self.link.delay_s, data))

    def _deliver(self) -> None:
        """Hand over what has arrived on either side."""
        now = time.monotonic()
        while self._down and self._down[0].at <= now:
            data = self._down.popleft().data
            self._send_up(self._answers.to(data))
            with self._came:
                self.chunks.append(Chunk(now, data))
                self._came.notify_all()
        with self._lock:
            while self._sizes and self._sizes[0][0] <= now:
                _, columns, lines = self._sizes.popleft()
                termios.tcsetwinsize(self._slave, (lines, columns))
            while self._up and self._up[0].at <= now:
                os.write(self._master, self._up.popleft().data)


def waiting_input(terminal: Terminal) -> int:
    """Return how many bytes wait to be read by whoever reads the terminal next."""
    count = bytearray(4)
    ioctl(terminal._slave, termios.FIONREAD, count)
    return int.from_bytes(count, "little")
