"""The places of requests that are under way, and of the bytes of their bodies.

A body counts from its first byte until its request is answered: many that are begun and not ended
take no more room than those that are. A request counts once its body is here, so that those that
never end keep nobody out. Everything is called in the thread of the event loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flowtui.collector.limits import Full, Limits, TooMuch


@dataclass
class _Load:
    requests: int = 0
    size_bytes: int = 0
    places: int = 0


class RequestPlaces:
    """Counts what is under way, of all clients and of each."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all = _Load()
        self._clients: dict[str, _Load] = {}

    @contextmanager
    def place(self, client: str) -> Iterator[Place]:
        """Yield what counts a request, and take back what it counted when the body is left.

        Args:
            client: The address of the one who sends it.
        """
        own = self._clients.setdefault(client, _Load())
        own.places += 1
        place = Place(own, self._all, self._limits)
        try:
            yield place
        finally:
            place.give_back()
            own.places -= 1
            if not own.places:
                del self._clients[client]


class Place:
    """The place of one request."""

    def __init__(self, own: _Load, all_: _Load, limits: Limits) -> None:
        self._own, self._all, self._limits = own, all_, limits
        self._counted = _Load()

    def receive(self, count: int) -> None:
        """Count bytes of the body.

        Raises:
            TooMuch: Its client has as many bytes under way as a client may.
            Full: There are as many as there may be.
        """
        limits = self._limits
        if self._own.size_bytes + count > limits.client_bytes:
            raise TooMuch(f"more than {limits.client_bytes:,} bytes of yours are under way")
        if self._all.size_bytes + count > limits.all_bytes:
            raise Full(f"more than {limits.all_bytes:,} bytes are under way")
        for load in (self._own, self._all, self._counted):
            load.size_bytes += count

    def wait(self) -> None:
        """Count the request, whose body is complete.

        Raises:
            TooMuch: Its client has as many requests waiting as a client may.
            Full: There are as many as there may be.
        """
        limits = self._limits
        if self._own.requests >= limits.client_requests:
            raise TooMuch(f"{self._own.requests:,} of your requests wait to be written")
        if self._all.requests >= limits.all_requests:
            raise Full(f"{self._all.requests:,} requests wait to be written")
        for load in (self._own, self._all, self._counted):
            load.requests += 1

    def give_back(self) -> None:
        for load in (self._own, self._all):
            load.requests -= self._counted.requests
            load.size_bytes -= self._counted.size_bytes
