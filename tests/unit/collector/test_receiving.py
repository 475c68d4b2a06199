"""What is answered where there is no place: whose fault it is, and when to come again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from flowtui.collector import unpacking
from flowtui.collector.limits import Limits
from flowtui.collector.receiving import application
from flowtui.collector.server import ImpatientProtocol
from flowtui.collector.writing import Writer
from flowtui.store.database import Database
from tests.unit.otlp_samples import span, traces
from tests.unit.stores import one_run

BODY = traces(span(1)).SerializeToString()


class Posting:
    """A request of a client, whose body comes piece by piece."""

    def __init__(self, app: Any, client: str, packing: str = "identity") -> None:
        self._pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sent: list[dict[str, Any]] = []
        scope = {
            "type": "http", "method": "POST", "path": "/v1/traces", "query_string": b"",
            "headers": [(b"content-type", b"application/x-protobuf"),
                        (b"content-encoding", packing.encode())], "client": (client, 1),
        }  # fmt: skip
        self.task = asyncio.create_task(app(scope, self._pieces.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        self._sent.append(message)

    def give(self, data: bytes, is_last: bool = False) -> Posting:
        self._pieces.put_nowait({"type": "http.request", "body": data, "more_body": not is_last})
        return self

    async def answer(self) -> tuple[int, str | None, bytes]:
        """Return the status, Retry-After, and the body."""
        await self.task
        start, body = self._sent[0], self._sent[1]
        headers = dict(start["headers"])
        again = headers.get(b"retry-after")
        return start["status"], again and again.decode(), body["body"]


def carry_out(
    tmp_path: Path, limits: Limits, work: Callable[[Callable[[str], Posting], Writer], Any]
) -> None:
    async def main() -> None:
        writer = Writer(Database(one_run(tmp_path / "store"), "exp.db"), limits)
        app = application(writer, None, limits)
        await work(lambda client: Posting(app, client), writer)

    asyncio.run(main())


async def until_read(posting: Posting) -> None:
    while not posting._pieces.empty():
        await asyncio.sleep(0)


def test_one_client_that_sends_too_much_keeps_no_other_out(tmp_path: Path) -> None:
    async def work(post: Callable[[str], Posting], writer: Writer) -> None:
        first = post("a").give(BODY, is_last=True)
        await until_read(first)
        status, again, body = await post("a").give(BODY, is_last=True).answer()
        assert (status, again, body[:3]) == (429, "1", b"\x08\x08\x12")
        other = post("b").give(BODY, is_last=True)
        await until_read(other)
        status, again, body = await post("c").give(BODY, is_last=True).answer()
        assert (status, again, body[:3]) == (503, "1", b"\x08\x0e\x12")
        writer.start()
        assert [(await one.answer())[0] for one in (first, other)] == [200, 200]
        assert (await post("c").give(BODY, is_last=True).answer())[0] == 200
        assert writer.tally.refused == 2
        writer.stop()

    carry_out(tmp_path, Limits(all_requests=2, client_requests=1), work)


def test_bodies_that_do_not_end_take_no_more_than_those_that_do(tmp_path: Path) -> None:
    async def work(post: Callable[[str], Posting], writer: Writer) -> None:
        writer.start()
        begun = post("a").give(bytes(800))
        await until_read(begun)
        assert (await post("a").give(bytes(800)).answer())[:2] == (429, "1")
        other = post("b").give(bytes(800))
        await until_read(other)
        assert (await post("c").give(bytes(800)).answer())[:2] == (503, "1")
        assert (await post("c").give(BODY, is_last=True).answer())[0] == 200
        for one in (begun, other):
            one._pieces.put_nowait({"type": "http.disconnect"})
            await one.task
        assert (await post("c").give(bytes(800), is_last=True).answer())[0] == 400
        writer.stop()

    carry_out(tmp_path, Limits(all_bytes=2_000, client_bytes=1_000), work)


class _Transport(asyncio.Transport):
    is_closed = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def test_no_more_connections_are_held_than_may_be() -> None:
    class Few(ImpatientProtocol):
        limits = Limits(connections=2)

    async def main() -> list[bool]:
        config = uvicorn.Config(lambda: None, ws="none", log_config=None)  # type: ignore[arg-type]  # never called
        state = ServerState()
        transports = [_Transport() for _ in range(4)]
        for transport in transports:
            Few(config, state, {}).connection_made(transport)
        return [transport.is_closed for transport in transports]

    assert asyncio.run(main()) == [False, False, True, True]


def test_too_many_spans_are_a_body_that_is_too_large(tmp_path: Path) -> None:
    async def work(post: Callable[[str], Posting], writer: Writer) -> None:
        writer.start()
        many = traces(*map(span, range(11))).SerializeToString()
        status, again, body = await post("a").give(many, is_last=True).answer()
        assert (status, again, body[:3]) == (413, None, b"\x08\x08\x12")
        assert b"more than 10 spans" in body
        writer.stop()

    carry_out(tmp_path, Limits(spans=10), work)


@pytest.mark.parametrize(
    ("packing", "has_zstd", "advice"),
    [
        ("br", True, b"send it plain, as gzip, as deflate or as zstd"),
        ("br", False, b"send it plain, as gzip or as deflate"),
        ("zstd", False, b"[receive]'; without it send it plain, as gzip or as deflate"),
    ],
)
def test_what_cannot_be_unpacked_is_told_what_can(
    packing: str, has_zstd: bool, advice: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_zstd:
        monkeypatch.setattr(unpacking, "sys", SimpleNamespace(version_info=(3, 13)))
        monkeypatch.setattr(unpacking.importlib.util, "find_spec", lambda name: None)

    async def main() -> tuple[int, str | None, bytes]:
        app = application(Writer(Database(one_run(tmp_path / "store"), "exp.db")), None)
        return await Posting(app, "a", packing).give(BODY, is_last=True).answer()

    status, _, body = asyncio.run(main())
    assert status == 415
    assert body.endswith(advice)
