"""A stream of bytes of any length that is looked at and taken in pieces."""

from __future__ import annotations

from typing import Protocol

from flowtui.store.otlp import items as otlp
from flowtui.store.otlp.items import Broken

PIECE_BYTES = 1 << 18
_MAX_VARINT_BYTES = 10


class Readable(Protocol):
    """What has bytes to read: a file, a pipe, a decompressor."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


class Source:
    """Bytes in their order; holds the piece that is being looked at."""

    def __init__(
        self, stream: Readable, whole_bytes: int | None = None, span_parts: int | None = None
    ) -> None:
        """Begin to read.

        Args:
            stream: The stream, which is read and not closed.
            whole_bytes: How much is parsed at once and not in parts; None for `WHOLE_BYTES`.
            span_parts: How many attributes, events, links and values a span may have; None for
                any number.
        """
        self._stream = stream
        self.whole_bytes = otlp.WHOLE_BYTES if whole_bytes is None else whole_bytes
        self.span_parts = span_parts
        self._held = b""
        self._at = 0
        self._before = 0
        """How many bytes were taken and dropped before the held ones."""

    @property
    def position(self) -> int:
        """How many bytes were taken."""
        return self._before + self._at

    def peek(self, count: int) -> bytes:
        """Return the next bytes without taking them; fewer only at the end."""
        self._hold(count)
        return self._held[self._at : self._at + count]

    def is_at_end(self) -> bool:
        return self._at >= len(self._held) and not self.peek(1)

    def take(self, count: int) -> bytes:
        """Take and return exactly `count` bytes.

        Raises:
            Broken: The stream ends before that.
        """
        taken = self.take_up_to(count)
        if len(taken) < count:
            raise Broken(f"it ends {count - len(taken):,} bytes too early")
        return taken

    def take_up_to(self, count: int) -> bytes:
        """Take and return `count` bytes, or those that are left."""
        taken = self.peek(count)
        self._at += len(taken)
        return taken

    def skip(self, count: int) -> None:
        """Skip bytes without holding them.

        Raises:
            Broken: The stream ends before that.
        """
        while count > 0:
            count -= len(self.take(min(count, PIECE_BYTES)))

    def line(self, limit: int) -> bytes | None:
        """Take a line with its end, empty at the end; None, and take nothing, if it is longer."""
        searched = 0
        while True:
            end = self._held.find(b"\n", self._at + searched)
            if end >= 0 and end < self._at + limit:
                return self.take(end + 1 - self._at)
            searched = len(self._held) - self._at
            if searched >= limit:
                return None
            if not self._hold(searched + 1):
                return self.take_up_to(searched)

    def skip_line(self) -> None:
        """Skip the rest of a line, whatever its length."""
        while self.line(PIECE_BYTES) is None:
            self.skip(PIECE_BYTES)

    def varint(self) -> int:
        """Take and return a number in protobuf's encoding.

        Raises:
            Broken: The number is longer than it may be, or cut off.
        """
        value = shift = 0
        for _ in range(_MAX_VARINT_BYTES):
            if self._at >= len(self._held):
                self._hold(1)
            if self._at >= len(self._held):
                raise Broken("it ends inside a number")
            byte = self._held[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise Broken("there is a number of more than 64 bits")

    def _hold(self, count: int) -> bool:
        """Read until `count` bytes are held, and say whether they are."""
        missing = self._at + count - len(self._held)
        if missing <= 0:
            return True
        pieces = [self._held[self._at :]]
        try:
            while missing > 0 and (piece := self._stream.read(max(PIECE_BYTES, missing))):
                pieces.append(piece)
                missing -= len(piece)
        finally:
            # Even if the stream breaks off, bytes that were taken are not held again: they would be
            # read for ever.
            self._held = b"".join(pieces)
            self._before += self._at
            self._at = 0
        return missing <= 0


class ByteSection:
    """The next bytes of a source, as a stream of their own."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self.left = size

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes.

        Raises:
            Broken: The source ends before the section does.
        """
        piece = self._source.take_up_to(min(size, self.left))
        if not piece and self.left and size:
            raise Broken(f"it ends {self.left:,} bytes too early")
        self.left -= len(piece)
        return piece
