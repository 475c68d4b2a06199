"""A body as a stream, unpacked as it is read, with no more than a piece of it held."""

from __future__ import annotations

import importlib.util
import io
import sys
import zlib
from enum import StrEnum
from typing import Protocol

from flowtui.collector.limits import Limits, NotPacked, TooLarge
from flowtui.store.otlp.source import Readable

_ANY_WINDOW = 32 + zlib.MAX_WBITS
"""Of gzip and of deflate: zlib finds out by itself which it is."""
_FED_BYTES = 1_024
"""How many bytes an unpacker is given at a time: zlib copies what it leaves, for each member."""
_ZSTD_FED_BYTES = 64
"""How much of that zstd is given: four bytes may stand for 128 KiB, and all of it comes at once."""
_ZSTD_WINDOW_LOG = 23
"""8 MiB, the most that a zstd body over HTTP may ask for (RFC 9659)."""


class Packing(StrEnum):
    """How a body may be packed, as Content-Encoding names it."""

    GZIP = "gzip"
    DEFLATE = "deflate"
    ZSTD = "zstd"


def can_unpack(packing: Packing) -> bool:
    """Say whether what unpacks it is here: zstd came with Python 3.14."""
    if packing is not Packing.ZSTD or sys.version_info >= (3, 14):
        return True
    return importlib.util.find_spec("zstandard") is not None


def stream(body: bytes, packing: Packing | None, limits: Limits) -> Readable:
    """Return what is in a body.

    Args:
        body: The body as it came.
        packing: How it is packed, None for a plain one; one that `can_unpack`.
        limits: How large it may become, and of how many members it may consist.

    `read` of it raises:
        TooLarge: it is more than it may be when it is unpacked, or packed in too many members.
        NotPacked: it is not what it is said to be, or cut off.
    """
    return io.BytesIO(body) if packing is None else _UnpackedBody(body, packing, limits)


class _Unpacker(Protocol):
    """What unpacks one member of a body, as `zlib.decompressobj` does."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _UnpackedBody:
    """What is in a packed body, which may consist of several members."""

    def __init__(self, body: bytes, packing: Packing, limits: Limits) -> None:
        self._packed = io.BytesIO(body)
        self._packing = packing
        self._limits = limits
        self._unpacker = _unpacker(packing)
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
            parts = "zstd frames" if self._packing is Packing.ZSTD else "gzip members"
            raise TooLarge(f"the body has more than {self._limits.members:,} {parts}")
        self._unpacker = _unpacker(self._packing)
        return True

    def _counted(self, piece: bytes) -> bytes:
        self._count += len(piece)
        if self._count > self._limits.unpacked_bytes:
            limit = self._limits.unpacked_bytes
            raise TooLarge(f"the body is more than {limit:,} bytes when it is unpacked")
        return piece


def _unpacker(packing: Packing) -> _Unpacker:
    return _ZstdFrame() if packing is Packing.ZSTD else zlib.decompressobj(_ANY_WINDOW)


class _ZstdFrame:
    """One frame of zstd. `zstandard` does not bound what comes out of it, so little goes in."""

    unused_data = b""
    """What follows the frame is left in `unconsumed_tail`, too."""

    def __init__(self) -> None:
        self.unconsumed_tail = b""
        self._ready = io.BytesIO()
        if sys.version_info >= (3, 14):
            from compression import zstd

            window = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
            self._frame = zstd.ZstdDecompressor(options=window)
            self._error = zstd.ZstdError
        else:
            import zstandard

            maker = zstandard.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOW_LOG)
            self._frame = maker.decompressobj()
            self._error = zstandard.ZstdError

    @property
    def eof(self) -> bool:
        return self._frame.eof and self._ready.tell() == len(self._ready.getbuffer())

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        self.unconsumed_tail = data
        piece = self._ready.read(max_length)
        if piece or self._frame.eof:
            return piece
        try:
            self._ready = io.BytesIO(self._frame.decompress(data[:_ZSTD_FED_BYTES]))
        except self._error as error:
            raise NotPacked(f"the body is not zstd that can be read: {error}") from error
        self.unconsumed_tail = self._frame.unused_data + data[_ZSTD_FED_BYTES:]
        return self._ready.read(max_length)
