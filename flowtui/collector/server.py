"""The listening, the signals, and the end."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from flowtui.collector.limits import LIMITS, Limits
from flowtui.collector.relaying import relayed

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TOLD_EVERY_S = 0.25
_LOOK_EVERY_S = 0.05
_HTTP_2 = b"PRI * HTTP/2.0"


class Beside(Protocol):
    """What answers another protocol in the same loop."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that ends a connection on which the headers of a request do not come in time."""

    limits = LIMITS
    knocked: Callable[[], int | None] = staticmethod(lambda: None)
    """Is called when a client speaks HTTP/2, as one of gRPC does.

    It returns the port of this machine to which the connection is handed on; None ends it.
    """
    _giving_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            # An exporter tries again, as after a 503.
            transport.close()
        self._watch()

    def data_received(self, data: bytes) -> None:
        if data.startswith(_HTTP_2):
            port = self.knocked()
            if port is None:
                self.transport.close()
                return
            self._stop_watching()
            self.connections.discard(self)
            self.tasks.add(handing := self.loop.create_task(relayed(self.transport, data, port)))
            handing.add_done_callback(self.tasks.discard)
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

    def __init__(
        self,
        config: uvicorn.Config,
        stopping: Callable[[], None],
        ending: threading.Event | None,
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._ending = ending

    @property
    def has_signals(self) -> bool:
        return self._ending is None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if not self.has_signals:
            # Whoever sets it takes the signals, too.
            yield
            return
        # uvicorn's own would raise the signal again at the end, before the run is ended.
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def look(self) -> None:
        """Stop if somebody wants the end."""
        if self._ending is not None and self._ending.is_set() and not self.should_exit:
            self._stop()

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
    knocked: Callable[[], int | None] = lambda: None,
    beside: Callable[[], Beside] | None = None,
    ending: threading.Event | None = None,
) -> None:
    """Answer requests until a signal says to stop, and those that are under way then.

    Args:
        application: what answers.
        bound: where; it is closed afterwards.
        ready: is called when connections are accepted.
        tell: is called a few times a second.
        stopping: is called when a signal has said so.
        limits: for connections, headers, and the end.
        knocked: is called when a client of gRPC has come here; returns the port of this machine
            that answers it, None where none does.
        beside: makes what answers another protocol, in the loop.
        ending: ends it when it is set, in place of signals; then any thread may serve.
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
    asyncio.run(_served(_Server(config, stopping, ending), bound, ready, tell, beside))


async def _served(
    server: _Server,
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
    every_s = TOLD_EVERY_S if server.has_signals else _LOOK_EVERY_S
    while not serving.done():
        if server.started and not is_ready:
            is_ready = True
            ready()
        tell()
        server.look()
        if server.should_exit and ending is None and other is not None:
            ending = asyncio.create_task(other.stop())
        await asyncio.wait([serving], timeout=every_s if is_ready else 0.01)
    await serving
    if other is not None:
        await (ending or other.stop())
    tell()
