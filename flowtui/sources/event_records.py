"""The framing of TensorBoard's event files, which is that of TFRecord.

A record is its length (u64), the masked CRC-32C of the length, the data, and the masked CRC-32C of
the data. Source: tensorflow/core/lib/io/record_writer.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

from flowtui.sources.wire import checksums, crc32c, masked

CHUNK_BYTES = 4 << 20
MOST_BYTES = 64 << 20
"""A record larger than this is passed over."""
_CHECKED_BYTES = 64 << 10
"""The checksum of longer data is not made, since it takes 90 ns a byte; they are pictures."""
_HEAD = struct.Struct("<QI")
_CRC = struct.Struct("<I")
_FRAME_BYTES = _HEAD.size + _CRC.size


@dataclass(slots=True)
class Chunk:
    """Some records of a file, and where the next one begins."""

    records: list[bytes]
    end: int
    damaged: int = 0
    """How many records were left out, since their checksum does not fit."""
    too_large: int = 0
    """How many were passed over, since they are larger than MOST_BYTES."""
    is_broken: bool = False
    """Whether the length of the next record does not fit its checksum, so that all ends here."""


def chunks(file: BufferedReader, start: int, until: int) -> Iterator[Chunk]:
    """Yield the whole records of a file from a place on, some 4 MB at a time.

    Args:
        file: The file.
        start: Where a record begins.
        until: The size of the file, as it was found; what is added later is left for later.
    """
    known: dict[bytes, int] = {}
    want = CHUNK_BYTES
    while start + _FRAME_BYTES <= until:
        file.seek(start)
        data = file.read(min(want, until - start))
        chunk, needed = _taken(data, start, known)
        want = CHUNK_BYTES
        if chunk.end == start and not chunk.is_broken:
            if not needed or start + needed > until:
                # The end is torn: the rest of the record is not written yet.
                return
            if needed > MOST_BYTES:
                chunk.end, chunk.too_large = start + needed, 1
            else:
                want = needed
                continue
        yield chunk
        if chunk.is_broken:
            return
        start = chunk.end


def _taken(data: bytes, start: int, known: dict[bytes, int]) -> tuple[Chunk, int]:
    """Return the whole records at the beginning of data, and how long the next one is."""
    records: list[bytes] = []
    wanted: list[int] = []
    at, size, needed, is_broken = 0, len(data), 0, False
    while at + 12 <= size:
        length, header_crc = _HEAD.unpack_from(data, at)
        head = data[at : at + 8]
        # Lengths come again and again.
        crc = known.get(head)
        if crc is None:
            crc = known[head] = masked(crc32c(head))
            if len(known) > 10_000:
                known.clear()
        if crc != header_crc:
            is_broken = True
            break
        end = at + length + _FRAME_BYTES
        if end > size:
            needed = length + _FRAME_BYTES
            break
        records.append(data[at + 12 : end - 4])
        wanted.append(_CRC.unpack_from(data, end - 4)[0])
        at = end
    sound, damaged = _sound(records, wanted)
    return Chunk(sound, start + at, damaged, is_broken=is_broken), needed


def _sound(records: list[bytes], wanted: list[int]) -> tuple[list[bytes], int]:
    checked = [record if len(record) <= _CHECKED_BYTES else b"" for record in records]
    sound = [
        record
        for record, short, crc, expected in zip(
            records, checked, checksums(checked), wanted, strict=True
        )
        if masked(crc) == expected or len(short) != len(record)
    ]
    return sound, len(records) - len(sound)
