"""A connection that came to the port of HTTP and is handed on to the one that answers gRPC."""

from __future__ import annotations

import asyncio

_HOST = "127.0.0.1"
_WAITING_BYTES = 1 << 20
"""What a client may send before its connection has been handed on."""


class _End(asyncio.Protocol):
    """One end of a relay; what comes here is sent from the other one."""

    def __init__(self) -> None:
        self.other: asyncio.Transport | None = None
        self.transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def join(self, other: asyncio.Transport, first: bytes = b"") -> None:
        """Send on to the other end from now on, what has come meanwhile included."""
        self.other = other
        other.write(first + b"".join(self._waiting))
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > _WAITING_BYTES and self.transport is not None:
            self.transport.close()

    def eof_received(self) -> None:
        if self.other is not None and self.other.can_write_eof():
            self.other.write_eof()

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None:
            self.other.close()

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.resume_reading()


async def relayed(transport: asyncio.Transport, first: bytes, port: int) -> None:
    """Hand a connection on; afterwards the loop goes on with it by itself.

    Args:
        transport: the connection of the client.
        first: what has come on it already.
        port: of this machine, which answers it.
    """
    near = _End()
    near.connection_made(transport)
    transport.set_protocol(near)
    loop = asyncio.get_running_loop()
    try:
        away, far = await loop.create_connection(_End, _HOST, port)
    except OSError:
        transport.close()
        return
    if transport.is_closing():
        away.close()
        return
    far.join(transport)
    near.join(away, first)
