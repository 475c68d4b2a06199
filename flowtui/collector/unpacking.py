"""A body as a stream, unpacked as it is read, with no more than a piece of it held."""

from __future__ import annotations

import io
import zlib

from flowtui.collector.limits import Limits, NotPacked, TooLarge
from flowtui.store.otlp.source import Readable

_ANY_WINDOW = 32 + zlib.MAX_WBITS
"""Of gzip and of deflate: zlib finds out by itself which it is."""
_FED_BYTES = 1_024
"""How many bytes zlib is given at a time: it copies what it leaves, for each member anew."""


def stream(body: bytes, is_packed: bool, limits: Limits) -> Readable:
    """Return what is in a body.

    `read` of it raises:
        TooLarge: it is more than it may be when it is unpacked, or packed in too many members.
        NotPacked: it is neither gzip nor deflate, or cut off.
    """
    return _UnpackedBody(body, limits) if is_packed else io.BytesIO(body)


class _UnpackedBody:
    """What is in a gzip body, which may consist of several members, or in a deflate body."""

    def __init__(self, body: bytes, limits: Limits) -> None:
        self._packed = io.BytesIO(body)
        self._limits = limits
        self._unpacker = zlib.decompressobj(_ANY_WINDOW)
        self._fed = self._packed.read(_FED_BYTES)
        self._members = 1 if self._fed else 0
        self._count = 0

    def read(self, size: int, /) -> bytes:
        while self._members:
            if self._unpacker.eof and not self._next_member():
                break
            is_last = not self._fed
            try:
                piece = self._unpacker.decompress(self._fed, size)
            except zlib.error as error:
                raise NotPacked(f"the body is neither gzip nor deflate: {error}") from error
            rest = self._unpacker.unused_data or self._unpacker.unconsumed_tail
            self._fed = rest or self._packed.read(_FED_BYTES)
            if piece:
                return self._counted(piece)
            # zlib may hold some output when all input was fed; with nothing left to feed, this was
            # all.
            if is_last and not self._unpacker.eof:
                raise NotPacked("the packed body is cut off")
        return b""

    def _next_member(self) -> bool:
        if not self._fed:
            return False
        self._members += 1
        if self._members > self._limits.members:
            raise TooLarge(f"the body has more than {self._limits.members:,} gzip members")
        self._unpacker = zlib.decompressobj(_ANY_WINDOW)
        return True

    def _counted(self, piece: bytes) -> bytes:
        self._count += len(piece)
        if self._count > self._limits.unpacked_bytes:
            limit = self._limits.unpacked_bytes
            raise TooLarge(f"the body is more than {limit:,} bytes when it is unpacked")
        return piece
