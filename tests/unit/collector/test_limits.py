"""What a receiver lets in: of all, of each client, and of what is packed in a body."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
import zstandard

from flowtui.collector import unpacking
from flowtui.collector.limits import Full, Limits, NotPacked, TooLarge, TooMuch
from flowtui.collector.places import RequestPlaces
from flowtui.collector.turns import Turns
from flowtui.collector.unpacking import Packing


def test_bodies_that_are_not_here_to_their_end_count_too() -> None:
    places = RequestPlaces(Limits(all_bytes=100, client_bytes=60))
    with ExitStack() as under_way:
        one, other, third = (under_way.enter_context(places.place(name)) for name in "abc")
        one.receive(60)
        with pytest.raises(TooMuch, match="60 bytes of yours"):
            one.receive(1)
        other.receive(30)
        third.receive(10)
        with pytest.raises(Full, match="100 bytes"):
            third.receive(1)
    with places.place("a") as again:
        again.receive(60)


def test_requests_count_once_they_are_here() -> None:
    places = RequestPlaces(Limits(all_requests=3, client_requests=2))
    with ExitStack() as under_way:
        stalled = [under_way.enter_context(places.place("a")) for _ in range(10)]
        for place in stalled[:2]:
            place.wait()
        with pytest.raises(TooMuch, match="2 of your requests"):
            stalled[2].wait()
        with places.place("b") as other:
            other.wait()
            with places.place("c") as third, pytest.raises(Full, match="3 requests"):
                third.wait()
        with places.place("c") as third:
            third.wait()


def taken(turns: Turns[str], count: int) -> str:
    """Take so many turns; those with a capital letter need one more."""
    order = ""
    for _ in range(count):
        one = turns.take()
        order += one
        if one.isupper():
            turns.put_back(one, one)
    return order


def test_what_is_new_comes_before_what_had_a_turn_but_for_every_other_time() -> None:
    turns = Turns[str]()
    for name in "ABC":
        turns.put(name, name)
    assert taken(turns, 6) == "AABACB"
    for name in "xyz":
        turns.put(name, name)
    assert taken(turns, 7) == "xAyCzBA"


def test_clients_take_turns() -> None:
    turns = Turns[str]()
    for name in "aaab":
        turns.put(name, name)
    assert taken(turns, 4) == "abaa"
    assert not turns


def read(body: bytes, limits: Limits, packing: Packing = Packing.GZIP) -> bytes:
    stream = unpacking.stream(body, packing, limits)
    pieces = list(iter(lambda: stream.read(500), b""))
    assert all(len(piece) <= 500 for piece in pieces)
    return b"".join(pieces)


MEMBERS = [b"", b"first", b"", bytes(100_000), os.urandom(5_000), b"last", b""]
PACK: dict[Packing, Callable[[bytes], bytes]] = {
    Packing.GZIP: gzip.compress,
    Packing.ZSTD: zstandard.ZstdCompressor(write_checksum=True).compress,
}


@pytest.mark.parametrize("packing", PACK)
def test_a_body_of_several_members_is_one_stream(packing: Packing) -> None:
    body = b"".join(map(PACK[packing], MEMBERS))
    assert read(body, Limits(), packing) == b"".join(MEMBERS)
    assert read(b"", Limits(), packing) == b""
    for cut in (1, 7, len(body) // 2, len(body) - 1):
        with pytest.raises(NotPacked):
            read(body[:cut], Limits(), packing)
    with pytest.raises(NotPacked):
        read(body + b"x", Limits(), packing)
    with pytest.raises(TooLarge, match=r"more than 6 (gzip members|zstd frames)"):
        read(body, Limits(members=6), packing)


def test_zstd_unpacks_to_no_more_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make = zstandard.ZstdDecompressor

    class Frame:
        def __init__(self, frame: Any) -> None:
            self._frame = frame

        def decompress(self, data: bytes) -> bytes:
            made.append(len(piece := self._frame.decompress(data)))
            return piece

        def __getattr__(self, name: str) -> Any:
            return getattr(self._frame, name)

    class Counting:
        def __init__(self, max_window_size: int) -> None:
            self._maker = make(max_window_size=max_window_size)

        def decompressobj(self) -> Frame:
            return Frame(self._maker.decompressobj())

    monkeypatch.setattr(zstandard, "ZstdDecompressor", Counting)
    with pytest.raises(TooLarge, match="more than 3,000 bytes when it is unpacked"):
        read(zstandard.compress(bytes(50_000_000)), Limits(unpacked_bytes=3_000), Packing.ZSTD)
    assert len(made) == 1
    assert sum(made) < 3_000_000


def test_zstd_that_asks_for_much_memory_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=24, write_content_size=False)
    frame = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    body = frame.compress(bytes(20_000_000)) + frame.flush()
    with pytest.raises(NotPacked, match="not zstd that can be read"):
        read(body, Limits(), Packing.ZSTD)


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes zlib was given, each time."""
    given: list[int] = []
    make = zlib.decompressobj

    class Counting:
        def __init__(self, window: int) -> None:
            self._unpacker = make(window)

        def decompress(self, data: bytes, most: int) -> bytes:
            given.append(len(data))
            return self._unpacker.decompress(data, most)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._unpacker, name)

    monkeypatch.setattr(unpacking.zlib, "decompressobj", Counting)
    return given


def test_members_cost_what_they_are_long_and_end(fed: list[int]) -> None:
    body = gzip.compress(b"") * 5_000
    assert read(body, Limits(members=5_000)) == b""
    # A member is 20 bytes; what comes after it is not given to zlib for each of them.
    assert sum(fed) < 5_000 * 1_100
    fed.clear()
    with pytest.raises(TooLarge, match="more than 1,000 gzip members"):
        read(body, Limits())
    assert len(fed) < 2_100


def test_no_more_is_unpacked_than_may_be(fed: list[int]) -> None:
    with pytest.raises(TooLarge, match="more than 3,000 bytes when it is unpacked"):
        read(gzip.compress(bytes(50_000_000)), Limits(unpacked_bytes=3_000))
    assert len(fed) <= 8
