"""The listening, the signals, and the end."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from flowtui.collector.limits import LIMITS, Limits

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TOLD_EVERY_S = 0.25
_HTTP_2 = b"PRI * HTTP/2.0"


class Beside(Protocol):
    """What answers another protocol in the same loop."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that ends a connection on which the headers of a request do not come in time."""

    limits = LIMITS
    knocked: Callable[[], None] = staticmethod(lambda: None)
    """Is called when a client speaks HTTP/2, as one of gRPC does."""
    _giving_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            # An exporter tries again, as after a 503.
            transport.close()
        self._watch()

    def data_received(self, data: bytes) -> None:
        if data.startswith(_HTTP_2):
            self.knocked()
            self.transport.close()
            return
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


def serve(
    application: Starlette,
    bound: socket.socket,
    ready: Callable[[], None],
    tell: Callable[[], None],
    stopping: Callable[[], None],
    limits: Limits = LIMITS,
    knocked: Callable[[], None] = lambda: None,
    beside: Callable[[], Beside] | None = None,
) -> None:
    """Answer requests until a signal says to stop, and those that are under way then.

    Args:
        application: what answers.
        bound: where; it is closed afterwards.
        ready: is called when connections are accepted.
        tell: is called a few times a second.
        stopping: is called when a signal has said so.
        limits: for connections, headers, and the end.
        knocked: is called when a client of gRPC has come here.
        beside: makes what answers another protocol, in the loop.
    """
    members = {"limits": limits, "knocked": staticmethod(knocked)}
    protocol = type("_Protocol", (ImpatientProtocol,), members)
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
    asyncio.run(_served(_Server(config, stopping), bound, ready, tell, beside))


async def _served(
    server: uvicorn.Server,
    bound: socket.socket,
    ready: Callable[[], None],
    tell: Callable[[], None],
    beside: Callable[[], Beside] | None,
) -> None:
    other = None if beside is None else beside()
    if other is not None:
        await other.start()
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    ending: asyncio.Task[None] | None = None
    is_ready = False
    while not serving.done():
        if server.started and not is_ready:
            is_ready = True
            ready()
        tell()
        if server.should_exit and ending is None and other is not None:
            ending = asyncio.create_task(other.stop())
        await asyncio.wait([serving], timeout=TOLD_EVERY_S if is_ready else 0.01)
    await serving
    if other is not None:
        await (ending or other.stop())
    tell()
