"""The thread that decodes and writes what was received, several requests in a transaction."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

from flowtui.collector.limits import LIMITS, Limits, NotPacked, TooLarge, unpacked
from flowtui.collector.responses import BodyEncoding
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError
from flowtui.store.otlp import document, proto, text
from flowtui.store.otlp.ingesting import Batch
from flowtui.store.otlp.items import Item, OtlpSpan, Rejected, Unreadable

_GROUP_REQUESTS = 32
"""Requests that are acknowledged together: what waits for one transaction."""


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """What became of a request that was read and written."""

    spans: int
    rejected: int
    reason: str
    """Of the first that was rejected."""


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """One request, whole."""

    body: bytes
    encoding: BodyEncoding
    is_packed: bool
    outcome: Future[RequestOutcome] = field(default_factory=Future)
    """Is set when its spans are on the disk, or when they will not be."""


@dataclass
class WriterTally:
    """What was received so far, for a person."""

    received: int = 0
    """Spans that are on the disk."""
    dropped: int = 0
    """Spans that are none, or not valid."""
    refused: int = 0
    """Requests that were answered with an error."""
    last_name: str = ""
    trouble: str = ""
    """Why the last write failed; empty after one that did not."""


class Full(Exception):
    """There is no place for another request until some are written."""


class Writer:
    """Takes requests from any thread and writes them in one of its own."""

    def __init__(self, database: Database, limits: Limits = LIMITS) -> None:
        self.tally = WriterTally()
        self._database = database
        self._limits = limits
        self._waiting: queue.SimpleQueue[Received | None] = queue.SimpleQueue()
        self._places = threading.Lock()
        self._waiting_bytes = 0
        self._waiting_requests = 0
        self._thread = threading.Thread(target=self._work, name="span-writer")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write all that was taken, and end."""
        self._waiting.put(None)
        self._thread.join()

    def take(self, received: Received) -> None:
        """Take a request.

        Raises:
            Full: others wait that are as many, or as large, as there may be.
        """
        with self._places:
            requests = self._waiting_requests + 1
            size = self._waiting_bytes + len(received.body)
            if requests > self._limits.waiting_requests or size > self._limits.waiting_bytes:
                raise Full(f"{self._waiting_requests:,} requests wait to be written")
            self._waiting_requests, self._waiting_bytes = requests, size
        self._waiting.put(received)

    def _work(self) -> None:
        is_over = False
        while not is_over:
            group = []
            first = self._waiting.get()
            if first is None:
                return
            group.append(first)
            while len(group) < _GROUP_REQUESTS and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    is_over = True
                    break
                group.append(following)
            self._write(group)
            with self._places:
                self._waiting_requests -= len(group)
                self._waiting_bytes -= sum(len(received.body) for received in group)

    def _write(self, group: list[Received]) -> None:
        """Write a group and set its outcomes; one that is not readable does not hinder others."""
        writing = _Writing(self._database)
        outcomes: list[tuple[Received, RequestOutcome | Exception]] = []
        try:
            for received in group:
                outcomes.append((received, _outcome(writing, received, self._limits)))
            writing.flush()
        except DatabaseError as error:
            self.tally.trouble = str(error)
            for received in group:
                received.outcome.set_exception(error)
            return
        self.tally.trouble = ""
        self.tally.last_name = writing.last_name or self.tally.last_name
        for received, outcome in outcomes:
            if isinstance(outcome, RequestOutcome):
                self.tally.received += outcome.spans
                self.tally.dropped += outcome.rejected
                received.outcome.set_result(outcome)
            else:
                received.outcome.set_exception(outcome)


class _Writing:
    """Batches of one group."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batch = Batch()
        self.last_name = ""

    def add(self, span: OtlpSpan) -> None:
        self._batch.add(span)
        self.last_name = span.name
        if self._batch.is_full:
            self.flush()

    def flush(self) -> None:
        self._batch.write(self._database)
        self._batch = Batch()


def _outcome(writing: _Writing, received: Received, limits: Limits) -> RequestOutcome | Exception:
    spans = rejected = 0
    reason = ""
    try:
        for item in _items(received, limits):
            if isinstance(item, OtlpSpan):
                writing.add(item)
                spans += 1
            elif isinstance(item, Rejected):
                rejected += 1
                reason = reason or item.reason
    except (Unreadable, TooLarge, NotPacked) as error:
        return error
    return RequestOutcome(spans, rejected, reason)


def _items(received: Received, limits: Limits) -> Iterator[Item]:
    body = received.body
    if received.is_packed:
        body = unpacked(body, limits.unpacked_bytes)
    if received.encoding is BodyEncoding.PROTOBUF:
        yield from proto.request(body)
    else:
        yield from document.items(text.parsed(body))
