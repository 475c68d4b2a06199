"""The listening, the signals, and the end."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from flowtui.collector.limits import LIMITS, Limits

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REPORT_EVERY_S = 0.25


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that ends a connection on which the headers of a request do not come in time."""

    limits = LIMITS
    _giving_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            # An exporter tries again, as after a 503.
            transport.close()
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_watching()

    def _watch(self) -> None:
        # A byte now and then must not put the deadline off, so a watch that runs goes on.
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_watching()
        elif self._giving_up is None and not self.transport.is_closing():
            self._giving_up = self.loop.call_later(self.limits.header_s, self.transport.close)

    def _stop_watching(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None


class _Server(uvicorn.Server):
    """Ends with what is under way at the first signal, and at once at the second."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own would raise the signal again at the end, before the run is ended.
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._stopping()


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that is bound.

    Args:
        host: A name or an address.
        port: 0 for one that is free.

    Raises:
        OSError: The port is taken, or the address is not of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def serve(
    application: Starlette,
    bound: socket.socket,
    ready: Callable[[], None],
    tell: Callable[[], None],
    stopping: Callable[[], None],
    limits: Limits = LIMITS,
) -> None:
    """Answer requests until a signal says to stop, and those that are under way then.

    Args:
        application: What answers.
        bound: The listening socket, which is closed afterwards.
        ready: Called when connections are accepted.
        tell: Called a few times a second.
        stopping: Called when a signal has said to stop.
        limits: What connections, headers and the end may take.
    """
    protocol = type("_Protocol", (ImpatientProtocol,), {"limits": limits})
    config = uvicorn.Config(
        application,
        http=protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(limits.drain_s),
    )
    asyncio.run(_served(_Server(config, stopping), bound, ready, tell))


async def _served(
    server: uvicorn.Server,
    bound: socket.socket,
    ready: Callable[[], None],
    tell: Callable[[], None],
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    is_ready = False
    while not serving.done():
        if server.started and not is_ready:
            is_ready = True
            ready()
        tell()
        await asyncio.wait([serving], timeout=REPORT_EVERY_S if is_ready else 0.01)
    await serving
    tell()
