"""One request, decoded in a thread of its own that goes on only when it is given a turn.

A turn ends after a number of bytes and spans, wherever in the body that is. What cannot be left
there, such as one large span, ends its turn late, and others have theirs meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from flowtui.collector import unpacking
from flowtui.collector.limits import Limits, TooLarge
from flowtui.collector.responses import BodyEncoding
from flowtui.collector.unpacking import Packing
from flowtui.store.otlp import proto, text
from flowtui.store.otlp.ingesting import Batch
from flowtui.store.otlp.items import LogEvent, OtlpSpan, Rejected, Skipped, Unreadable
from flowtui.store.otlp.joining import NO_ROOM
from flowtui.store.otlp.signals import Signal
from flowtui.store.otlp.source import Readable, Source

TURN_COST = 8_192
"""What a turn may cost, which takes some milliseconds: its bytes, and `ITEM_COST` for each span."""
ITEM_COST = 128
WHOLE_BYTES = 1 << 16
"""A body of up to this size is parsed at once; see `Source`."""
BATCH_SPANS = 1_000
"""How many spans of a request are written together, which takes some hundredths of a second."""


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """What became of a request that was read and written."""

    spans: int
    rejected: int
    reason: str
    """Of the first that was rejected."""
    events: int = 0
    """Log records that are events of spans."""
    unkept: Mapping[str, int] = field(default_factory=dict)
    """Records of signals that are not kept, by signal."""

    def with_dropped(self, count: int) -> RequestOutcome:
        """Return it after so many of its events were dropped."""
        if not count:
            return self
        return replace(
            self,
            events=self.events - count,
            rejected=self.rejected + count,
            reason=self.reason or NO_ROOM,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """One request, whole."""

    body: bytes
    encoding: BodyEncoding
    packing: Packing | None
    """None for a plain one."""
    client: str = ""
    """The address that it came from."""
    signal: Signal = Signal.TRACES
    outcome: Future[RequestOutcome] = field(default_factory=Future)
    """Set when its spans are on the disk, or when it is clear that they will not be."""


class _Left(Exception):
    """Nobody waits for the request any more."""


class Decoding:
    """Decodes one request; its last batch is left for the writer."""

    def __init__(
        self,
        received: Received,
        write: Callable[[Batch], object],
        limits: Limits,
        turn_over: Callable[[Decoding], None],
    ) -> None:
        """Prepare to decode; nothing is read before the first turn.

        Args:
            received: The request.
            write: Writes a full batch of the request.
            limits: What a request may take.
            turn_over: Called at the end of each turn, in the request's own thread.
        """
        self.received = received
        self.batch = Batch(BATCH_SPANS)
        self.last_name = ""
        self._dropped_before = 0
        """Events of the batches before this one that there was no room for."""
        self.result: RequestOutcome | Exception | None = None
        """None while there is more to read."""
        self._write, self._limits = write, limits
        self._turn_over = turn_over
        self._turn = threading.Semaphore(0)
        self._left_cost = TURN_COST
        self._is_left = False
        self._thread = threading.Thread(target=self._work, name="span-decoding", daemon=True)

    def go_on(self) -> None:
        """Let it have a turn."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._turn.release()

    def leave(self) -> None:
        """Make its thread end without another turn."""
        self._is_left = True
        self._turn.release()

    def spend(self, cost: int) -> None:
        """Count work that was done; where the turn is over, wait for the next.

        Raises:
            TooLarge: The request has used as much processor time as one may.
        """
        self._left_cost -= cost
        if self._left_cost > 0:
            return
        if time.thread_time() > self._limits.decode_s:
            limit = self._limits.decode_s
            raise TooLarge(f"it takes more than {limit:g} s to be read; send fewer spans at a time")
        self._left_cost = TURN_COST
        self._turn_over(self)
        self._turn.acquire()
        if self._is_left:
            raise _Left

    def _work(self) -> None:
        try:
            self.result = self._read()
        except _Left:
            return
        except (ValueError, RecursionError, MemoryError) as error:
            self.result = Unreadable(f"it cannot be read: {type(error).__name__}")
        except Exception as error:
            self.result = error
        self._turn_over(self)

    def _read(self) -> RequestOutcome:
        spans = rejected = events = 0
        reason = ""
        unkept: Counter[str] = Counter()
        received, limits = self.received, self._limits
        stream = _Metered(unpacking.stream(received.body, received.packing, limits), self.spend)
        source = Source(stream, WHOLE_BYTES, limits.span_parts)
        is_protobuf = received.encoding is BodyEncoding.PROTOBUF
        of_signal = received.signal
        items = proto.items(source, signal=of_signal) if is_protobuf else text.request(source)
        for count, item in enumerate(items, 1):
            match item:
                case OtlpSpan():
                    self._room().add(item)
                    self.last_name = item.name
                    spans += 1
                case LogEvent():
                    self._room().add_event(item)
                    events += 1
                case Rejected():
                    rejected += 1
                    reason = reason or item.reason
                case Skipped():
                    unkept[item.signal] += 1
            if count > limits.spans:
                noun = "spans" if of_signal is Signal.TRACES else "records"
                raise TooLarge(f"it has more than {limits.spans:,} {noun}; send fewer at a time")
            self.spend(ITEM_COST)
        outcome = RequestOutcome(spans, rejected, reason, events, unkept)
        return outcome.with_dropped(self._dropped_before)

    def _room(self) -> Batch:
        """Return the batch that the next goes into."""
        if self.batch.is_full:
            # The spans before an error stay written; when they are sent again, they are the same.
            self._write(self.batch)
            self._dropped_before += self.batch.dropped_events
            self.batch = Batch(BATCH_SPANS)
        return self.batch


class _Metered:
    """A stream whose pieces count towards the turn."""

    def __init__(self, stream: Readable, spend: Callable[[int], None]) -> None:
        self._stream = stream
        self._spend = spend

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(min(size, TURN_COST))
        self._spend(len(piece))
        return piece
