"""A link between a program and a server on the loopback: late and narrow, as the internet is."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

_PIECE_BYTES = 16 << 10
_WAITING = 64
"""How many pieces are on their way at most; who sends more waits, as TCP has it."""


@dataclass(slots=True)
class InternetLink:
    """What all connections over it share."""

    round_trip_s: float
    bytes_per_s: float
    """In each direction."""
    _free_at: dict[bool, float] = field(default_factory=dict)
    """When each direction has carried what it has taken."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrival(self, is_answer: bool, size_bytes: int) -> float:
        """Return when a piece that is sent now is there, by the monotonic clock."""
        with self._lock:
            begins = max(self._free_at.get(is_answer, 0.0), time.monotonic())
            self._free_at[is_answer] = begins + size_bytes / self.bytes_per_s
            return self._free_at[is_answer] + self.round_trip_s / 2


@contextmanager
def linked(port: int, link: InternetLink) -> Iterator[int]:
    """Give a port of the loopback at which the server at another port is, over a link."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=_take, args=(listener, port, link), daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            # Closing alone does not wake who waits in `accept`.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _take(listener: socket.socket, port: int, link: InternetLink) -> None:
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            threading.Thread(target=_connect, args=(near, port, link), daemon=True).start()


def _connect(near: socket.socket, port: int, link: InternetLink) -> None:
    """Carry what both ends of a connection send, until both have ended it."""
    with near, socket.create_connection(("127.0.0.1", port)) as far:
        ways = [*_carry(near, far, link, False), *_carry(far, near, link, True)]
        for way in ways:
            way.start()
        for way in ways:
            way.join()


def _carry(
    source: socket.socket, target: socket.socket, link: InternetLink, is_answer: bool
) -> list[threading.Thread]:
    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    way: queue.Queue[tuple[float, bytes]] = queue.Queue(_WAITING)

    def take() -> None:
        piece = b"."
        while piece:
            try:
                piece = source.recv(_PIECE_BYTES)
            except OSError:
                piece = b""
            way.put((link.arrival(is_answer, len(piece)), piece))

    def give() -> None:
        while True:
            at, piece = way.get()
            time.sleep(max(at - time.monotonic(), 0.0))
            with suppress(OSError):
                if not piece:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(piece)

    return [threading.Thread(target=work, daemon=True) for work in (take, give)]
