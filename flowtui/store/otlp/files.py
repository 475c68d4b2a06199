"""Files and streams of OTLP: their format is detected, and they are unpacked and read in pieces.

protobuf      ExportTraceServiceRequest or TracesData
framed        messages with their length in front: four bytes, as the Collector's file exporter
              writes everything but plain JSON, or a varint, as protobuf's own libraries do
JSON          a document a line, or one document
gzip, zstd    any of these packed, whole or each frame
"""

from __future__ import annotations

import gzip
import importlib.util
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedReader
from typing import IO, cast

from flowtui import installation
from flowtui.store.errors import StoreError
from flowtui.store.otlp.items import Broken, Item, Rejected
from flowtui.store.otlp.source import ByteSection, Readable, Source

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_LENGTH_BYTES = 4
_HEAD_BYTES = 512
_RESOURCE_SPANS = 0x0A
"""The tag that every request begins with: field 1, length-delimited."""
_TEXT_CONTROLS = b"\t\n\r"
_MAX_WINDOW_BYTES = 1 << 27
"""The largest window that zstd itself unpacks by default."""


class ZstdMissing(StoreError):
    """Something is packed with zstd, and the extra that unpacks it is not installed."""

    def __init__(self) -> None:
        super().__init__(f"this is packed with zstd; to read it: {installation.adding('zstd')}")


def items(stream: Readable) -> Iterator[Item]:
    """Yield what is in a file, in its order; what cannot be read is `Rejected`.

    The memory that this takes does not depend on the length of the file.

    Args:
        stream: The file, which is read to its end and not closed.

    Raises:
        ZstdMissing: It is compressed with zstd, and the library for that is not installed.
        OSError: The stream cannot be read.
    """
    source = Source(stream)
    try:
        yield from _unpacked_items(source)
    except Broken as error:
        yield Rejected(f"byte {source.position:,}", str(error))


def _unpacked_items(source: Source) -> Iterator[Item]:
    head = source.peek(_HEAD_BYTES)
    if head.startswith((_GZIP, _ZSTD)):
        source = Source(_Unpacked(source, is_zstd=head.startswith(_ZSTD)))
        head = source.peek(_HEAD_BYTES)
    if _is_json(head):
        from flowtui.store.otlp import text

        yield from text.items(source)
    elif head[:1] == bytes([_RESOURCE_SPANS]):
        from flowtui.store.otlp import proto

        yield from proto.items(source)
    elif head:
        yield from _framed(source, has_varints=_begins_with_varint(head))


def _is_json(head: bytes) -> bool:
    """Say whether a file begins like JSON; protobuf with a `{` as length has controls after it."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return bool(head)
    is_text = all(byte >= 0x20 or byte in _TEXT_CONTROLS for byte in head)
    return is_text and (start[0] in b"{[" or head[:1] != bytes([_RESOURCE_SPANS]))


def _begins_with_varint(head: bytes) -> bool:
    if head[0] == 0 or _is_payload(head[_LENGTH_BYTES:]):
        return False
    end = next((at for at, byte in enumerate(head[:_LENGTH_BYTES]) if byte < 0x80), None)
    return end is not None and _is_payload(head[end + 1 :])


def _is_payload(data: bytes) -> bool:
    return data.startswith((bytes([_RESOURCE_SPANS]), b"{", _GZIP, _ZSTD))


def _framed(source: Source, has_varints: bool) -> Iterator[Item]:
    while not source.is_at_end():
        where = f"byte {source.position:,}"
        length = source.varint() if has_varints else int.from_bytes(source.take(_LENGTH_BYTES))
        if not length:
            # Nobody writes empty messages, but a file full of zeros would be one after another.
            raise Broken("there is an empty message, so this is not OTLP")
        frame = ByteSection(source, length)
        try:
            for item in _frame_items(Source(frame)):
                yield replace(item, where=where) if isinstance(item, Rejected) else item
        except Broken as error:
            yield Rejected(where, str(error))
            if source.is_at_end():
                return
        # The part of the frame that was held is taken; the rest of it is still in the source.
        source.skip(frame.left)


def _frame_items(frame: Source) -> Iterator[Item]:
    head = frame.peek(_LENGTH_BYTES)
    # A frame does not hold frames, so what is not a message is not searched for them.
    if head and not _is_payload(head):
        raise Broken("it is neither protobuf nor JSON, nor gzip or zstd of these")
    yield from _unpacked_items(frame)


class _Unpacked:
    """The unpacked content of a stream, with errors as `Broken`."""

    def __init__(self, source: Source, is_zstd: bool) -> None:
        # Both libraries use only `read`.
        packed = cast("IO[bytes]", _Stream(source))
        self._stream: Readable = _zstd(packed) if is_zstd else cast(
            "BufferedReader", gzip.GzipFile(fileobj=packed, mode="rb")
        )  # fmt: skip
        self._errors = _zstd_errors() if is_zstd else (EOFError, gzip.BadGzipFile, zlib.error)

    def read(self, size: int, /) -> bytes:
        try:
            return self._stream.read(size)
        except self._errors as error:
            raise Broken(f"its packed content is broken or cut off: {error}") from error


class _Stream:
    """A source as a file that is read once from the beginning."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        return self._source.take_up_to(size)

    def seekable(self) -> bool:
        return False


def _zstd(packed: IO[bytes]) -> Readable:
    if importlib.util.find_spec("zstandard") is None:
        raise ZstdMissing
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    return unpacker.stream_reader(packed, read_across_frames=True, closefd=False)


def _zstd_errors() -> tuple[type[Exception], ...]:
    import zstandard

    return (zstandard.ZstdError,)
