"""Servers that drip bytes, so that no timeout of a connection ever comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from flowtui.registry.client import Registry
from flowtui.registry.errors import Unreachable
from flowtui.registry.http import RequestPatience
from flowtui.registry.storage import Storage
from flowtui.registry.values import Secret, UploadTarget
from tests.unit.fake_registry import KEY

QUIET = 100
"""So many pieces, each of which takes a second by the clock of the test."""
AT_MOST = 5_000


@dataclass
class Dripping:
    url: str
    pieces: int = 0

    @property
    def patience(self) -> RequestPatience:
        return RequestPatience(tries=1, quiet_s=QUIET, clock=lambda: float(self.pieces))


@contextmanager
def dripping(step: Callable[[socket.socket, int], object]) -> Iterator[Dripping]:
    """Serve each connection by a step again and again, until that raises or the test is over."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Dripping(f"http://127.0.0.1:{listening.getsockname()[1]}")

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    for number in count():
                        if number == AT_MOST or is_over.wait(0.001):
                            return
                        step(connection, number)
                        served.pieces += 1

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            is_over.set()
            listening.close()
            thread.join()


def answering(head: bytes, piece: bytes) -> Callable[[socket.socket, int], object]:
    def step(connection: socket.socket, number: int) -> None:
        connection.sendall(piece if number else head)

    return step


GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"a:b\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (GOOD + b"Content-Length: 10000000\r\n\r\n", b"x"),
        (GOOD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["headers", "nothing final", "a body", "chunks"],
)
def test_an_answer_that_drips_is_given_up(head: bytes, piece: bytes) -> None:
    with (
        dripping(answering(head, piece)) as server,
        Registry(Secret(KEY), server.url, patience=server.patience) as registry,
    ):
        with pytest.raises(Unreachable, match="it answers too slowly"):
            registry.organizations()
        assert QUIET < server.pieces < AT_MOST


def test_an_answer_that_gets_on_is_waited_for() -> None:
    body = b"[" + b" " * 199_998 + b"]"
    pieces = [body[at : at + 1_000] for at in range(0, len(body), 1_000)]

    def step(connection: socket.socket, number: int) -> None:
        head = GOOD + b"Content-Length: %d\r\n\r\n" % len(body)
        if number <= len(pieces):
            connection.sendall(head if number == 0 else pieces[number - 1])

    with (
        dripping(step) as server,
        Registry(Secret(KEY), server.url, patience=server.patience) as registry,
    ):
        assert registry.organizations() == ()
        assert server.pieces > QUIET


def test_a_storage_that_takes_a_file_in_drops_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    sent: list[int] = []
    with (
        dripping(lambda connection, _: connection.recv(100)) as server,
        Storage(server.patience) as storage,
    ):
        target = UploadTarget("s3", Secret(f"{server.url}/x"), False, "", "")
        with pytest.raises(Unreachable, match="it answers too slowly"):
            storage.put_file(target, path, 50_000_000, sent.append, lambda: False)
    # What was sent of a try that failed is taken back.
    assert sum(sent) == 0
