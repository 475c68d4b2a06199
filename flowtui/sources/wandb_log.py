"""The framing of `.wandb` files: seven bytes, then LevelDB's log in blocks of 32 KiB.

A record is split into fragments that do not cross blocks: CRC-32 of the type and the data (u32),
length (u16), type (u8: 1 whole, 2 first, 3 middle, 4 last), data.
Source: leveldb doc/log_format.md, wandb core/internal/leveldb.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BufferedReader

BLOCK = 32_768
MAGIC = b":W&B"
START = 7
CHUNK_BYTES = 4 << 20
MOST_BYTES = 64 << 20
"""A record larger than this is passed over."""
_HEADER = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass(slots=True)
class LogChunk:
    """Some records of a file, and where the next one begins."""

    records: list[bytes]
    end: int
    damaged: int = 0
    """How many places were passed over, since their checksum or their order does not fit."""
    too_large: int = 0


def chunk(file: BufferedReader, start: int, until: int) -> LogChunk:
    """Return the whole records of a file from a place on, some 4 MB of them.

    Args:
        file: The file.
        start: Where a record begins.
        until: The size of the file, as it was found. A record that goes beyond it is not whole yet.
    """
    found = LogChunk([], start)
    at, read = start, 0
    parts: list[bytes] | None = None
    size = 0
    while read < CHUNK_BYTES or parts is not None:
        room = BLOCK - at % BLOCK
        if room < _HEADER.size:
            at += room
            continue
        if at + _HEADER.size > until:
            break
        file.seek(at)
        block = file.read(min(room, until - at))
        at_before = at
        place = 0
        while place + _HEADER.size <= len(block):
            crc, length, kind = _HEADER.unpack_from(block, place)
            data = block[place + 7 : place + 7 + length]
            if kind == 0 and length == 0 and crc == 0:
                # The end of a block that is filled up, or a file that is not written further yet.
                place = len(block)
                break
            if len(data) < length and at + room > until:
                return found
            if len(data) < length or zlib.crc32(data, zlib.crc32(bytes([kind]))) != crc:
                found.damaged += 1
                parts, place = None, len(block)
                break
            place += 7 + length
            if kind in (_WHOLE, _FIRST):
                found.damaged += parts is not None
                parts, size = [], 0
            if parts is None:
                # The beginning of this one was damaged.
                continue
            size += length
            if size <= MOST_BYTES:
                parts.append(data)
            if kind in (_WHOLE, _LAST):
                if size <= MOST_BYTES:
                    found.records.append(b"".join(parts))
                else:
                    found.too_large += 1
                parts = None
                found.end = at_before + place
        read += place
        at = at_before + place
        if len(block) < room and place + _HEADER.size > len(block):
            break
        if len(block) - place < _HEADER.size and len(block) == room:
            at = at_before + room
        if parts is None:
            found.end = at
    return found
