"""Whose turn it is to be read, so that nobody waits for a client that has sent a lot."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class _ClientLines(Generic[T]):
    """A queue for each client; the clients take turns."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[T]] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def put(self, client: str, one: T) -> None:
        self._lines.setdefault(client, deque()).append(one)

    def take(self) -> T:
        client = next(iter(self._lines))
        line = self._lines.pop(client)
        one = line.popleft()
        if line:
            self._lines[client] = line
        return one


class Turns(Generic[T]):
    """Requests that wait for a turn.

    A new request comes before those that have had a turn and are not done, except on every other
    turn, so that these come to their end too.
    """

    def __init__(self) -> None:
        self._new = _ClientLines[T]()
        self._begun = _ClientLines[T]()
        self._was_new = False

    def __bool__(self) -> bool:
        return bool(self._new or self._begun)

    @property
    def has_new(self) -> bool:
        return bool(self._new)

    def put(self, client: str, one: T) -> None:
        """Add a request that is new."""
        self._new.put(client, one)

    def put_back(self, client: str, one: T) -> None:
        """Add one that had a turn."""
        self._begun.put(client, one)

    def take(self) -> T:
        """Return the request whose turn it is; there must be one."""
        self._was_new = bool(self._new) and not (self._was_new and self._begun)
        return (self._new if self._was_new else self._begun).take()
