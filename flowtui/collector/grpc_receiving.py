"""OTLP over gRPC: one call, from its headers to its answer.

A call takes the same way as a request over HTTP: the same places, limits and turns. Its message is
read only once the headers are found right, and it is unpacked here and not by gRPC, which would
unpack any amount before it is counted. Where there is no place for it, its status tells when to
come again, without which exporters take a call for lost.

Spec: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

# Or its own log would stand among what a person is told.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
import grpc.aio

from flowtui.collector import responses
from flowtui.collector.decoding import Received, RequestOutcome
from flowtui.collector.limits import LIMITS, Full, Limits
from flowtui.collector.listening import CannotListen, GrpcPlace, is_bearer
from flowtui.collector.places import RequestPlaces
from flowtui.collector.receiving import ERRORS, Refused, status_of
from flowtui.collector.responses import BodyEncoding
from flowtui.collector.unpacking import Packing
from flowtui.collector.writing import Writer
from flowtui.store.otlp.signals import Signal

READ_AT_ONCE = 16
"""Messages that come in at a time: gRPC holds each whole before it can be counted."""
_IDLE_MS = 300_000
_SERVICES = {
    Signal.TRACES: trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"].full_name,
    Signal.LOGS: logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"].full_name,
    Signal.METRICS: metrics_service_pb2.DESCRIPTOR.services_by_name["MetricsService"].full_name,
}
_PACKED = (b"\x1f", b"\x78")
"""How gzip and deflate begin, and no request does."""
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_Calls = Callable[[AsyncIterator[bytes], Any], Awaitable[bytes]]


class GrpcReceiver:
    """Answers calls beside what answers requests; all is called in the loop of both."""

    def __init__(
        self,
        where: GrpcPlace,
        writer: Writer,
        places: RequestPlaces,
        token: str | None,
        limits: Limits = LIMITS,
    ) -> None:
        """Prepare; nothing listens before `start`.

        Args:
            where: to listen; its port is the one that is free where none was given.
            writer: is running.
            places: those of the requests over HTTP, too.
            token: what exporters must send as a bearer; None where they need not.
            limits: of each call, and of all that are under way.
        """
        self._where = where
        self._writer, self._places, self._token, self._limits = writer, places, token, limits
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._calls = 0
        self._tasks: set[asyncio.Task[RequestOutcome]] = set()
        self._server: Any = None

    async def start(self) -> None:
        """Listen.

        Raises:
            CannotListen: the port is taken, or the host is not of this machine.
        """
        limits = self._limits
        server = grpc.aio.server(
            options=[
                ("grpc.per_message_decompression", 0),
                ("grpc.max_receive_message_length", limits.body_bytes),
                ("grpc.so_reuseport", 0),
                ("grpc.max_concurrent_streams", limits.connections),
                ("grpc.max_connection_idle_ms", _IDLE_MS),
                ("grpc.server_handshake_timeout_ms", int(limits.header_s * 1000)),
            ]
        )
        server.add_generic_rpc_handlers(
            [
                grpc.method_handlers_generic_handler(
                    name, {"Export": grpc.stream_unary_rpc_method_handler(self._exporting(signal))}
                )
                for signal, name in _SERVICES.items()
            ]
        )
        where = self._where
        shown = f"[{where.host}]" if ":" in where.host else where.host
        try:
            where.port = server.add_insecure_port(f"{shown}:{where.port}")
        except RuntimeError as error:
            await server.stop(None)
            message = f"cannot listen on {shown}:{where.port}; another --grpc-port may do"
            raise CannotListen(message) from error
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """End with the calls that are under way, as far as they are done in `Limits.drain_s`."""
        await self._server.stop(self._limits.drain_s)

    def _exporting(self, signal: Signal) -> _Calls:
        async def export(messages: AsyncIterator[bytes], context: Any) -> bytes:
            self._calls += 1
            try:
                outcome = await self._taken(messages, context, signal)
            except ERRORS as error:
                self._writer.tally.refused += 1
                await _abort(context, error)
                raise AssertionError("a call that was aborted goes on") from error
            finally:
                self._calls -= 1
            answer = responses.export_response(signal, outcome.rejected, outcome.reason)
            return answer.SerializeToString()

        return export

    async def _taken(
        self, messages: AsyncIterator[bytes], context: Any, signal: Signal
    ) -> RequestOutcome:
        headers = dict(context.invocation_metadata())
        if self._token is not None and not is_bearer(
            str(headers.get("authorization", "")), self._token
        ):
            raise Refused(HTTPStatus.UNAUTHORIZED, "the bearer token is missing or wrong")
        if self._calls > self._limits.connections:
            raise Full(f"more than {self._limits.connections:,} calls are under way")
        client = _address(context.peer())
        with ExitStack() as held:
            place = held.enter_context(self._places.place(client))
            body = await self._message(messages)
            place.receive(len(body))
            place.wait()
            # Which of the two it is, zlib finds out.
            packing = Packing.GZIP if body.startswith(_PACKED) else None
            received = Received(body, BodyEncoding.PROTOBUF, packing, client, signal)
            self._writer.take(received)
            # A client that does not wait any longer takes no place from what it has sent.
            written = asyncio.create_task(_outcome(received, held.pop_all()))
        self._tasks.add(written)
        written.add_done_callback(self._done)
        return await asyncio.shield(written)

    def _done(self, task: asyncio.Task[RequestOutcome]) -> None:
        self._tasks.discard(task)
        # Or asyncio would tell of it where its client has left.
        if not task.cancelled():
            task.exception()

    async def _message(self, messages: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._limits.body_s), self._reading:
                async for message in messages:
                    return message
        except TimeoutError:
            said = f"the message did not come within {self._limits.body_s:g} s"
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, said) from None
        raise Refused(HTTPStatus.BAD_REQUEST, "the call has no message")


async def _outcome(received: Received, held: ExitStack) -> RequestOutcome:
    with held:
        return await asyncio.wrap_future(received.outcome)


async def _abort(context: Any, error: Exception) -> None:
    code, message, details = responses.rpc_failure(status_of(error), str(error))
    trailing = (("grpc-status-details-bin", details),)
    await context.abort(_CODES[code], message, trailing_metadata=trailing)


def _address(peer: str) -> str:
    """Return the address of a client, as HTTP has it."""
    host = unquote(peer.partition(":")[2]).rpartition(":")[0]
    return host.strip("[]") or peer
