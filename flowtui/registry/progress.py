"""How far an upload is, as frozen values that any thread may read."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

RATE_WINDOW_S = 5.0
"""The last seconds, over which the rate is measured."""
_SAMPLE_EVERY_S = 0.1


class Phase(StrEnum):
    """The steps of an upload, in their order."""

    WAITING = "waiting"
    PACKING = "packing"
    HASHING = "hashing"
    CREATING = "creating"
    SENDING = "sending"
    VERIFYING = "verifying"
    CONFIRMING = "confirming"
    DONE = "done"
    FAILED = "failed"
    """It can go on from where it was."""
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self in (Phase.DONE, Phase.FAILED, Phase.CANCELLED)


@dataclass(frozen=True, slots=True)
class Progress:
    """The phase that an upload is in, and how much of it is done."""

    phase: Phase = Phase.WAITING
    done_bytes: int = 0
    total_bytes: int = 0
    """How many bytes the phase has; 0 if it is not counted in bytes."""
    rate_bytes_s: float | None = None
    """Over the last seconds; None before it can be known."""

    @property
    def fraction(self) -> float | None:
        return self.done_bytes / self.total_bytes if self.total_bytes else None

    @property
    def left_s(self) -> float | None:
        """Seconds to the end of the phase at this rate."""
        if not self.rate_bytes_s or not self.total_bytes:
            return None
        return (self.total_bytes - self.done_bytes) / self.rate_bytes_s


class Meter:
    """Counts the bytes of one phase after the other, from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._phase = Phase.WAITING
        self._done = self._total = 0
        self._samples: deque[tuple[float, int]] = deque()
        self._ticket = 0

    def enter(self, phase: Phase, total_bytes: int = 0, done_bytes: int = 0) -> None:
        """Begin a phase; what is still reported for an earlier one is ignored."""
        with self._lock:
            self._phase, self._total, self._done = phase, total_bytes, done_bytes
            self._samples.clear()
            self._samples.append((self._clock(), done_bytes))
            self._ticket += 1

    def set(self, done_bytes: int, total_bytes: int) -> None:
        """Set how much of the phase is done, and of how much."""
        with self._lock:
            self._total = total_bytes
            self._count(done_bytes)

    def counter(self) -> Callable[[int], None]:
        """Return a function that counts bytes of this phase, and none once another has begun."""
        ticket = self._ticket

        def count(more: int) -> None:
            with self._lock:
                if self._ticket == ticket:
                    self._count(self._done + more)

        return count

    def read(self) -> Progress:
        with self._lock:
            now = self._clock()
            while len(self._samples) > 1 and now - self._samples[0][0] > RATE_WINDOW_S:
                self._samples.popleft()
            started_s, started_bytes = self._samples[0] if self._samples else (now, 0)
            elapsed = now - started_s
            rate = None
            if elapsed >= 2 * _SAMPLE_EVERY_S and self._total:
                rate = max(0.0, (self._done - started_bytes) / elapsed)
            # Where a part is sent again before its lost try is taken back, both count for a while.
            done = min(max(0, self._done), self._total)
            return Progress(self._phase, done, self._total, rate)

    def _count(self, done_bytes: int) -> None:
        self._done = done_bytes
        now = self._clock()
        if not self._samples or now - self._samples[-1][0] >= _SAMPLE_EVERY_S:
            self._samples.append((now, self._done))
