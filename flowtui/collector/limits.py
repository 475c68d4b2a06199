"""How much a request may take; what is refused can be sent again by the exporter."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Limits:
    """For one receiver; exporters send some hundred kilobytes at a time."""

    body_bytes: int = 16 << 20
    unpacked_bytes: int = 64 << 20
    waiting_bytes: int = 64 << 20
    """Bodies that were read and wait to be written."""
    waiting_requests: int = 256
    header_s: float = 10.0
    """From a connection, or its last answer, to the end of the next request's headers."""
    body_s: float = 10.0
    """From the headers to the end of the body."""
    drain_s: float = 5.0
    """For requests that are under way when the receiver is told to stop."""


LIMITS = Limits()


class TooLarge(Exception):
    """A body is longer than it may be; `str()` says by which limit."""


class NotPacked(Exception):
    """A body is not what its Content-Encoding says."""


def unpacked(body: bytes, limit: int) -> bytes:
    """Return what is in a gzip body, which may consist of several members.

    Raises:
        TooLarge: it is more than `limit` bytes; no more than these are ever held.
        NotPacked: it is no gzip, or cut off.
    """
    pieces = []
    left = limit
    while body:
        unpacker = zlib.decompressobj(_GZIP_WINDOW)
        try:
            piece = unpacker.decompress(body, left + 1)
        except zlib.error as error:
            raise NotPacked(f"the body is no gzip: {error}") from error
        if len(piece) > left:
            raise TooLarge(f"the body is more than {limit:,} bytes when it is unpacked")
        if not unpacker.eof:
            raise NotPacked("the gzip body is cut off")
        pieces.append(piece)
        left -= len(piece)
        body = unpacker.unused_data
    return b"".join(pieces)
