"""The entries of a zip file, also of one whose end is missing, and of those packed with zstd.

Python's zipfile refuses method 93 (zstd) before 3.14, and files without a directory. Sizes that a
file states are bounds: what unpacks to more is refused. Names are only compared, never opened.
Source: PKWARE APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import importlib.util
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import IO

from flowtui.installation import adding

MOST_DIRECTORY_BYTES = 64 << 20
"""A directory that is longer is not read; that is one of some 600,000 entries."""
_STORED, _DEFLATED, _ZSTD = 0, 8, 93
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_LOCAL_MAGIC, _CENTRAL_MAGIC, _END_MAGIC = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_MOST_COMMENT = 65_535
_FULL_32 = 0xFFFFFFFF
_ENCRYPTED, _SIZES_FOLLOW = 0x1, 0x8
_WINDOW_BYTES = 128 << 20
"""The most that one frame of zstd may look back; its own default for reading."""
_PIECE_BYTES = 1 << 20


class EntryError(ValueError):
    """An entry cannot be unpacked; `str()` says why, as the end of a sentence."""


class ZstdEntryUnread(EntryError):
    """Nothing that is installed unpacks zstd."""


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One entry; sizes are what the file states."""

    name: str
    method: int
    flags: int
    crc: int
    packed_bytes: int
    size_bytes: int
    offset: int
    """Where its local header begins."""


@dataclass(frozen=True, slots=True)
class ZipEntries:
    """The entries of a file, in the order of their places; of one name only the last counts."""

    by_name: dict[str, ZipEntry]
    is_whole: bool
    """Whether there is a directory; without one, these are the entries that are whole."""


def entries(file: BufferedReader, size: int) -> ZipEntries:
    """Return the entries of a zip file.

    Args:
        file: The file.
        size: How long it is.
    """
    listed = _from_directory(file, size)
    found = sorted(listed or _walked(file, size), key=lambda entry: entry.offset)
    by_name: dict[str, ZipEntry] = {}
    for entry in found:
        # A later one takes the place of an earlier one, also in the order.
        by_name.pop(entry.name, None)
        by_name[entry.name] = entry
    return ZipEntries(by_name, listed is not None)


def content(file: BufferedReader, entry: ZipEntry, most: int) -> bytes:
    """Return what is in an entry.

    Raises:
        EntryError: It is larger than `most` bytes, damaged, or packed in a way that is not read.
        ZstdEntryUnread: It is packed with zstd, and nothing unpacks that here.
    """
    if entry.flags & _ENCRYPTED:
        raise EntryError("is encrypted")
    if max(entry.size_bytes, entry.packed_bytes) > most:
        raise EntryError(f"is larger than {most / 1e6:,.0f} MB")
    file.seek(entry.offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != _LOCAL_MAGIC:
        raise EntryError("is not where the directory says")
    names = _LOCAL.unpack(head)[-2:]
    file.seek(sum(names), 1)
    packed = file.read(entry.packed_bytes)
    if len(packed) < entry.packed_bytes:
        raise EntryError("is cut off")
    data = _unpacked(packed, entry)
    if len(data) != entry.size_bytes or zlib.crc32(data) != entry.crc:
        raise EntryError("is damaged: its checksum or its size does not fit")
    return data


def _unpacked(packed: bytes, entry: ZipEntry) -> bytes:
    # One byte more than is stated shows that there is more.
    most = entry.size_bytes + 1
    if entry.method == _STORED:
        return packed
    if entry.method == _DEFLATED:
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
        except zlib.error as error:
            raise EntryError("is damaged: it cannot be unpacked") from error
    if entry.method == _ZSTD:
        return _unpacked_zstd(packed, most)
    raise EntryError(f"is packed in a way that is not read (method {entry.method})")


def _unpacked_zstd(packed: bytes, most: int) -> bytes:
    stream, broken = _zstd_stream(packed)
    pieces: list[bytes] = []
    size = 0
    try:
        while size < most and (piece := stream.read(min(_PIECE_BYTES, most - size))):
            pieces.append(piece)
            size += len(piece)
    except (broken, EOFError) as error:
        raise EntryError("is damaged: it cannot be unpacked") from error
    return b"".join(pieces)


def _zstd_stream(packed: bytes) -> tuple[IO[bytes], type[Exception]]:
    """Return what unpacks several frames, one after the other, and what it raises."""
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.ZstdFile(BytesIO(packed)), zstd.ZstdError
    if importlib.util.find_spec("zstandard") is None:
        raise ZstdEntryUnread(f"is packed with zstd, which takes an extra: {adding('zstd')}")
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    stream = unpacker.stream_reader(BytesIO(packed), read_across_frames=True)
    return stream, zstandard.ZstdError


def _from_directory(file: BufferedReader, size: int) -> list[ZipEntry] | None:
    """Return the entries that the directory at the end lists, None where there is none."""
    start = max(size - _END.size - _MOST_COMMENT, 0)
    file.seek(start)
    tail = file.read(size - start)
    place = tail.rfind(_END_MAGIC)
    if place < 0 or len(tail) - place < _END.size:
        return None
    *_, count, length, offset, _ = _END.unpack_from(tail, place)
    if _FULL_32 in (length, offset) or count == 0xFFFF:
        before = start + place - _LOCATOR_64.size
        length, offset = _end_64(file, before) or (length, offset)
    if length > MOST_DIRECTORY_BYTES or offset + length > size:
        return None
    file.seek(offset)
    directory = file.read(length)
    return list(_listed(directory)) if len(directory) == length else None


def _end_64(file: BufferedReader, locator: int) -> tuple[int, int] | None:
    """Return the length and the place of the directory of a file with large numbers."""
    if locator < 0:
        return None
    file.seek(locator)
    data = file.read(_LOCATOR_64.size)
    if len(data) < _LOCATOR_64.size or data[:4] != b"PK\6\7":
        return None
    file.seek(_LOCATOR_64.unpack(data)[2])
    data = file.read(_END_64.size)
    if len(data) < _END_64.size or data[:4] != b"PK\6\6":
        return None
    *_, length, offset = _END_64.unpack(data)
    return length, offset


def _listed(directory: bytes) -> Iterator[ZipEntry]:
    at = 0
    while at + _CENTRAL.size <= len(directory):
        (magic, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length,
         comment_length, _, _, _, offset) = _CENTRAL.unpack_from(directory, at)  # fmt: skip
        if magic != _CENTRAL_MAGIC:
            return
        name_end = at + _CENTRAL.size + name_length
        name = directory[at + _CENTRAL.size : name_end].decode("utf-8", "replace")
        extra = directory[name_end : name_end + extra_length]
        size, packed, offset = _large(extra, (size, packed, offset))
        yield ZipEntry(name, method, flags, crc, packed, size, offset)
        at = name_end + extra_length + comment_length


def _large(extra: bytes, numbers: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return numbers with those that are too large for 32 bits taken from the extra field."""
    if _FULL_32 not in numbers:
        return numbers
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            large = iter(
                struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4)
            )
            size, packed, offset = (
                next(large, number) if number == _FULL_32 else number for number in numbers
            )
            return size, packed, offset
        at += 4 + length
    return numbers


def _walked(file: BufferedReader, size: int) -> Iterator[ZipEntry]:
    """Yield the entries that are whole, by their own headers, from the beginning on."""
    at = 0
    while at + _LOCAL.size <= size:
        file.seek(at)
        head = file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or head[:4] != _LOCAL_MAGIC:
            return
        _, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _LOCAL.unpack(
            head
        )
        name = file.read(name_length).decode("utf-8", "replace")
        unpacked, packed, _ = _large(file.read(extra_length), (unpacked, packed, 0))
        end = at + _LOCAL.size + name_length + extra_length + packed
        if flags & _SIZES_FOLLOW or end > size:
            return
        yield ZipEntry(name, method, flags, crc, packed, unpacked, at)
        at = end
