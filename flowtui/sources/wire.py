"""Messages of protobuf without their descriptors, and the checksum that records are kept with.

Source: protobuf.dev, "Encoding"; RFC 3720, appendix B.4, for CRC-32C.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FEW = 16
"""Below so many records of one length, their checksums are made one by one."""
_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8


class WireError(ValueError):
    """Bytes that are no message."""


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Yield (number, wire type, value) of each field, in the order of writing.

    The value is an int of a varint, and bytes of anything else; groups are refused.

    Raises:
        WireError: It is not a message.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = varint(data, at)
        elif kind == FIXED64:
            size = 8
        elif kind == FIXED32:
            size = 4
        else:
            raise WireError(f"wire type {kind}")
        if at + size > end or not number:
            raise WireError("a field that goes beyond its message")
        yield number, kind, data[at : at + size]
        at += size


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the unsigned number at a place, and the place after it.

    Raises:
        WireError: There is none.
    """
    value = shift = 0
    try:
        while (byte := data[at]) > 127:
            value |= (byte & 127) << shift
            shift += 7
            at += 1
            if shift > 63:
                raise WireError("a number of more than 64 bits")
    except IndexError as error:
        raise WireError("a number that is cut off") from error
    return (value | byte << shift) & 0xFFFF_FFFF_FFFF_FFFF, at + 1


def signed(value: int) -> int:
    """Return an int64 that was written as a varint."""
    return value - (1 << 64) if value >> 63 else value


def text(value: int | bytes) -> str:
    """Return a string field; bytes that are not UTF-8 are replaced."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def message(value: int | bytes) -> bytes:
    """Return the bytes of a field that is to be a message or bytes.

    Raises:
        WireError: It is a number.
    """
    if not isinstance(value, bytes):
        raise WireError("a number where a message is to be")
    return value


def numbers(kind: int, value: int | bytes, code: str) -> list[float]:
    """Return the numbers of a repeated `float` (code `f`) or `double` (`d`) field, packed or not.

    Raises:
        WireError: It is neither.
    """
    data = message(value)
    size = struct.calcsize(f"<{code}")
    if kind not in (BYTES, FIXED32, FIXED64) or len(data) % size:
        raise WireError("numbers that are cut off")
    return list(struct.unpack(f"<{len(data) // size}{code}", data))


def varints(value: int | bytes) -> list[int]:
    """Return the numbers of a repeated int64 field, packed or not."""
    if isinstance(value, int):
        return [signed(value)]
    found, at = [], 0
    while at < len(value):
        one, at = varint(value, at)
        found.append(signed(one))
    return found


def _table() -> list[int]:
    made = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        made.append(value)
    return made


_TABLE = _table()
_PLANES = [bytes(value >> shift & 0xFF for value in _TABLE) for shift in (0, 8, 16, 24)]


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes."""
    crc = 0xFFFF_FFFF
    table = _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFF_FFFF


def masked(crc: int) -> int:
    """Return a checksum as TFRecord files keep it."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFF_FFFF


def checksums(records: Sequence[bytes]) -> list[int]:
    """Return the CRC-32C of each record.

    Records of one length are done together, a byte of all of them at a time, with operations on
    whole strings: some 12 ns a byte, where one by one it is 90.
    """
    found = [0] * len(records)
    by_length: dict[int, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        by_length[len(record)].append(place)
    for length, places in by_length.items():
        if len(places) < _FEW:
            for place in places:
                found[place] = crc32c(records[place])
        else:
            made = _together(b"".join([records[place] for place in places]), length, len(places))
            for place, crc in zip(places, made, strict=True):
                found[place] = crc
    return found


def _together(joined: bytes, length: int, count: int) -> list[int]:
    """Return the checksums of `count` records of one length that stand after one another."""
    ones = int.from_bytes(b"\xff" * count, "little")
    low = second = third = high = ones
    for place in range(length):
        byte = int.from_bytes(joined[place::length], "little")
        index = (low ^ byte).to_bytes(count, "little")
        low = second ^ int.from_bytes(index.translate(_PLANES[0]), "little")
        second = third ^ int.from_bytes(index.translate(_PLANES[1]), "little")
        third = high ^ int.from_bytes(index.translate(_PLANES[2]), "little")
        high = int.from_bytes(index.translate(_PLANES[3]), "little")
    planes = [(plane ^ ones).to_bytes(count, "little") for plane in (low, second, third, high)]
    interleaved = bytearray(4 * count)
    for place, plane in enumerate(planes):
        interleaved[place::4] = plane
    return list(struct.unpack(f"<{count}I", interleaved))
