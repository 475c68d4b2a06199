"""The thread that has requests decoded turn by turn, and writes them, several in a transaction."""

from __future__ import annotations

import math
import queue
import threading
import time
from dataclasses import dataclass

from flowtui.collector.decoding import BATCH_SPANS, Decoding, Received, RequestOutcome
from flowtui.collector.limits import LIMITS, Full, Limits
from flowtui.collector.turns import Turns
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError
from flowtui.store.otlp.ingesting import Batch
from flowtui.store.otlp.signals import Signal
from flowtui.store.transaction import Patience

_GROUP_REQUESTS = 32
"""How many requests are written in one transaction and acknowledged together."""
_GROUP_TURNS = 4
"""How many turns of others a request waits at most, once it is decoded, for some to join it."""
_LATE_S = 0.05
"""A turn that takes longer goes on beside those of others."""
_ENDING = "the receiver is ending; come again"


@dataclass
class WriterTally:
    """What was received so far, for a person."""

    received: int = 0
    """Spans that are on the disk."""
    events: int = 0
    """Log events that are with their spans, or wait for them on the disk."""
    logs: int = 0
    """Log records that are no events of spans, and are not kept."""
    metrics: int = 0
    """Metrics, which are not kept."""
    dropped: int = 0
    """Spans and events that are not valid, or that there was no room for."""
    refused: int = 0
    """Requests that were answered with an error."""
    last_name: str = ""
    trouble: str = ""
    """Why the last write failed; empty after one that did not."""
    hint: str = ""
    """What to change where an exporter comes to the wrong port."""


class Writer:
    """Takes requests from any thread and has them written in one of its own.

    What is taken before it is started waits; the place for it is that of all requests.
    """

    def __init__(self, database: Database | None, limits: Limits = LIMITS) -> None:
        """Prepare; a database that is not known yet is told to `start`."""
        self.tally = WriterTally()
        self._target: tuple[Database | None, bool] = database, False
        """Where to, and whether rows of the SDK are spared."""
        self._limits = limits
        self._patience = Patience(clock=self._clock)
        self._events: queue.SimpleQueue[Received | Decoding | None] = queue.SimpleQueue()
        """Requests that are new, those whose turn is over, and the wish to end."""
        self._turns = Turns[Decoding]()
        self._out: set[Decoding] = set()
        """Those that have a turn."""
        self._decoded: list[Decoding] = []
        self._turns_since_decoded = 0
        self._ends_at = math.inf
        self._is_stopping = self._is_closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="span-writer", daemon=True)

    def start(self, database: Database | None = None, *, spares_sdk: bool = False) -> None:
        """Write from now on, into a database if it was not known before; see `Batch.write`."""
        if database is not None:
            self.turn_to(database, spares_sdk=spares_sdk)
        self._thread.start()

    def turn_to(self, database: Database, *, spares_sdk: bool) -> None:
        """Write into another database from the next transaction on."""
        self._target = database, spares_sdk

    @property
    def has_waiting(self) -> bool:
        """Whether requests have come that nothing was done about yet."""
        return not self._events.empty()

    def hurry(self) -> None:
        """Make it end within `Limits.drain_s`; what is not written by then is refused."""
        if self._ends_at == math.inf:
            self._ends_at = time.monotonic() + self._limits.drain_s
            self._events.put(None)

    def stop(self) -> None:
        """End with what was taken, and in no more time than after `hurry`.

        A disk that does not answer is not waited for.
        """
        self._is_stopping = True
        if self._thread.ident is None:
            self._refuse_rest()
            return
        self.hurry()
        self._events.put(None)
        self._thread.join(max(0.0, self._ends_at - time.monotonic()) + self._limits.drain_s / 2)

    def take(self, received: Received) -> None:
        """Take a request; its outcome tells what becomes of it.

        Raises:
            Full: The writer has ended.
        """
        # Otherwise a client that stops waiting would cancel it.
        received.outcome.set_running_or_notify_cancel()
        with self._closing:
            if self._is_closed:
                raise Full(_ENDING)
            self._events.put(received)

    def _work(self) -> None:
        while not self._is_over():
            self._listen()
            if self._turns:
                self._give_turn(self._turns.take())
            if self._is_flush_due():
                self._flush()
        self._refuse_rest()

    def _is_over(self) -> bool:
        if time.monotonic() >= self._ends_at:
            return True
        is_idle = self._events.empty() and not (self._turns or self._out or self._decoded)
        return self._is_stopping and is_idle

    def _listen(self) -> None:
        """Take in what has happened; wait for something where there is nothing to do."""
        if not self._turns and not self._decoded:
            left_s = self._ends_at - time.monotonic()
            try:
                self._note(self._events.get(timeout=None if left_s == math.inf else max(0, left_s)))
            except queue.Empty:
                return
        while not self._events.empty():
            self._note(self._events.get())

    def _note(self, event: Received | Decoding | None) -> None:
        if isinstance(event, Received):
            self._turns.put(event.client, self._decoding(event))
        elif event is not None:
            self._out.discard(event)
            if event.result is None:
                self._turns.put_back(event.received.client, event)
            elif isinstance(event.result, RequestOutcome):
                self._decoded.append(event)
            else:
                self._fail(event, event.result)

    def _decoding(self, received: Received) -> Decoding:
        return Decoding(received, self._write, self._limits, self._events.put)

    def _write(self, batch: Batch) -> None:
        database, spares_sdk = self._target
        assert database is not None
        batch.write(database, self._patience, spares_sdk=spares_sdk)

    def _give_turn(self, decoding: Decoding) -> None:
        """Let a request go on, and wait until its turn is over or is late."""
        self._turns_since_decoded += bool(self._decoded)
        self._out.add(decoding)
        try:
            decoding.go_on()
        except RuntimeError:
            # The system has no thread left for it.
            self._out.discard(decoding)
            self._fail(decoding, Full("there is no room for another request; come again"))
        while decoding in self._out:
            try:
                self._note(self._events.get(timeout=_LATE_S))
            except queue.Empty:
                return

    def _is_flush_due(self) -> bool:
        if not self._decoded:
            return False
        return (
            not self._turns.has_new
            or len(self._decoded) >= _GROUP_REQUESTS
            or self._turns_since_decoded >= _GROUP_TURNS
            or sum(len(decoding.batch) for decoding in self._decoded) >= BATCH_SPANS
        )

    def _flush(self) -> None:
        """Write what was decoded, and only then acknowledge it."""
        group, self._decoded, self._turns_since_decoded = self._decoded, [], 0
        whole = Batch()
        for decoding in group:
            whole.extend(decoding.batch)
        try:
            self._write(whole)
        except Exception as error:
            # Whatever the error is, this thread must be there for the requests that follow.
            for decoding in group:
                self._fail(decoding, error)
            return
        self.tally.trouble = ""
        for decoding in group:
            assert isinstance(decoding.result, RequestOutcome)
            outcome = decoding.result.with_dropped(decoding.batch.dropped_events)
            self.tally.events += outcome.events
            self.tally.logs += outcome.unkept.get(Signal.LOGS, 0)
            self.tally.metrics += outcome.unkept.get(Signal.METRICS, 0)
            self.tally.received += outcome.spans
            self.tally.dropped += outcome.rejected
            self.tally.last_name = decoding.last_name or self.tally.last_name
            decoding.received.outcome.set_result(outcome)

    def _fail(self, decoding: Decoding, error: Exception) -> None:
        if isinstance(error, DatabaseError):
            self.tally.trouble = str(error)
        decoding.received.outcome.set_exception(error)

    def _refuse_rest(self) -> None:
        with self._closing:
            self._is_closed = True
        while not self._events.empty():
            self._note(self._events.get())
        while self._turns:
            self._out.add(self._turns.take())
        for decoding in (*self._out, *self._decoded):
            decoding.leave()
            decoding.received.outcome.set_exception(Full(_ENDING))
        self._out.clear()
        self._decoded.clear()

    def _clock(self) -> float:
        """Return the time for writes, infinite when they must no longer wait for a busy store."""
        now = time.monotonic()
        return now if now < self._ends_at else math.inf
