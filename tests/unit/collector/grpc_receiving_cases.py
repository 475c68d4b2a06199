"""Calls take the places of requests, and are told when to come again where there is none.

test_grpc_receiving.py carries each out in a process of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from flowtui.collector.grpc_receiving import GrpcReceiver
from flowtui.collector.limits import Limits
from flowtui.collector.listening import GrpcPlace
from flowtui.collector.places import RequestPlaces
from flowtui.collector.writing import Writer
from flowtui.store.database import Database
from tests.unit.otlp_samples import span, traces
from tests.unit.stores import one_run

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
BODY = traces(span(1)).SerializeToString()
DEADLINE_S = 20.0
Work = Callable[[Any, Writer, RequestPlaces], Awaitable[None]]


def carry_out(tmp_path: Path, limits: Limits, work: Work) -> None:
    async def main() -> None:
        writer = Writer(Database(one_run(tmp_path / "store"), "exp.db"), limits)
        places = RequestPlaces(limits)
        where = GrpcPlace("127.0.0.1", 0)
        receiver = GrpcReceiver(where, writer, places, None, limits)
        await receiver.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{where.port}") as channel:
                await work(channel, writer, places)
        finally:
            writer.hurry()
            await receiver.stop()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def load(places: RequestPlaces) -> tuple[int, int]:
    return places._all.requests, places._all.size_bytes


async def refusal(call: Awaitable[bytes]) -> tuple[str, float]:
    """Return the status of a call, and in how many seconds to come again, 0 for never."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    trailing = dict(tuple(caught.value.trailing_metadata() or ()))
    status = Status.FromString(trailing["grpc-status-details-bin"])
    assert (status.code, status.message) == (caught.value.code().value[0], caught.value.details())
    again = 0.0
    for detail in status.details:
        retry = RetryInfo()
        assert detail.Unpack(retry)
        again = retry.retry_delay.ToTimedelta().total_seconds()
    return caught.value.code().name, again


@pytest.mark.parametrize("limits", [Limits(all_requests=1), Limits(client_requests=1)])
def test_where_there_is_no_place_it_is_told_when_to_come_again(
    tmp_path: Path, limits: Limits
) -> None:
    async def work(channel: Any, writer: Writer, places: RequestPlaces) -> None:
        export = channel.unary_unary(METHOD)
        first = asyncio.ensure_future(export(BODY, timeout=DEADLINE_S))
        await until(lambda: load(places) == (1, len(BODY)))
        assert await refusal(export(BODY, timeout=DEADLINE_S)) == ("RESOURCE_EXHAUSTED", 1.0)
        writer.start()
        assert await first == b""
        assert await export(BODY, timeout=DEADLINE_S) == b""
        assert load(places) == (0, 0)
        assert writer.tally.refused == 1

    carry_out(tmp_path, limits, work)


def test_a_client_that_leaves_takes_no_place_from_what_it_sent(tmp_path: Path) -> None:
    async def work(channel: Any, writer: Writer, places: RequestPlaces) -> None:
        call = channel.unary_unary(METHOD)(BODY)
        await until(lambda: load(places) == (1, len(BODY)))
        call.cancel()
        # What is answered after it shows that the end of the first is known.
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary("/nobody/Knows")(b"", timeout=DEADLINE_S)
        assert load(places) == (1, len(BODY))
        writer.start()
        await until(lambda: load(places) == (0, 0))
        assert writer.tally.received == 1

    carry_out(tmp_path, Limits(), work)


def test_a_call_whose_message_does_not_come_is_left(tmp_path: Path) -> None:
    async def work(channel: Any, writer: Writer, places: RequestPlaces) -> None:
        writer.start()
        never = asyncio.Event()

        async def nothing() -> AsyncIterator[bytes]:
            await never.wait()
            yield b""

        export = channel.stream_unary(METHOD)
        stalled = [export(nothing(), timeout=DEADLINE_S) for _ in range(40)]
        assert {await refusal(call) for call in stalled} == {("DEADLINE_EXCEEDED", 0.0)}
        assert await channel.unary_unary(METHOD)(BODY, timeout=DEADLINE_S) == b""

    carry_out(tmp_path, Limits(body_s=0.2), work)
