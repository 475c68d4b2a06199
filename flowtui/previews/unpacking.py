"""Files that others are packed in, or whose encoding has no ASCII, as plain ones for a while."""

from __future__ import annotations

import codecs
import importlib.util
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flowtui.previews import encodings, files
from flowtui.previews.errors import MissingExtra, PreviewCancelled, PreviewFailed
from flowtui.previews.values import Cancelled, Mode, PreviewKind

MAX_UNPACKED_BYTES = 64_000_000
"""Of which most stays on the disk; what lies behind it is not shown."""
MAX_RECODED_BYTES = 32_000_000
_PIECE_BYTES = 64 * 1024
_UNPACKED_PIECE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Unpacked:
    path: Path
    size_bytes: int
    is_whole: bool


class _Gzip:
    """gzip, of which a file may hold several one after the other."""

    def __init__(self) -> None:
        self._stream = self._new()
        self._has_ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._has_ended:
                if not data.startswith(b"\x1f\x8b"):
                    # Padding, as gzip itself takes it.
                    return
                self._stream, self._has_ended = self._new(), False
            yield self._stream.decompress(data, _UNPACKED_PIECE_BYTES)
            self._has_ended = self._stream.eof
            data = self._stream.unused_data if self._has_ended else self._stream.unconsumed_tail

    @staticmethod
    def _new() -> zlib._Decompress:
        return zlib.decompressobj(wbits=31)


@contextmanager
def unpacked(
    file: BinaryIO, packing: PreviewKind, cancelled: Cancelled, limit: int = MAX_UNPACKED_BYTES
) -> Iterator[Unpacked]:
    """Unpack into a private file, which is gone afterwards.

    Raises:
        PreviewFailed: not a byte of it can be unpacked.
        MissingExtra: there is nothing here that unpacks zstd.
        PreviewCancelled: between two pieces.
    """
    with tempfile.NamedTemporaryFile(prefix="flow-tui-") as target:
        size = 0
        is_whole = False
        for piece in _pieces(file, packing):
            if cancelled():
                raise PreviewCancelled
            if size + len(piece) > limit:
                target.write(piece[: limit - size])
                size = limit
                break
            target.write(piece)
            size += len(piece)
        else:
            is_whole = True
        target.flush()
        yield Unpacked(Path(target.name), size, is_whole)


def head(file: BinaryIO, packing: PreviewKind) -> bytes:
    """Return the first bytes of what is packed."""
    found = b""
    for piece in _pieces(file, packing):
        found += piece
        if len(found) >= files.HEAD_BYTES:
            break
    return found[: files.HEAD_BYTES]


def inner_name(name: str) -> str:
    """Return the name of what is packed: `log.txt` for `log.txt.gz`."""
    lowered = name.lower()
    for suffix, instead in ((".tgz", ".tar"), (".gz", ""), (".zst", ""), (".zstd", "")):
        if lowered.endswith(suffix):
            return name[: -len(suffix)] + instead
    return name


@dataclass(frozen=True, slots=True)
class Plain:
    path: Path
    encoding: str
    is_whole: bool = True


@contextmanager
def with_ascii(path: Path, encoding: str, cancelled: Cancelled) -> Iterator[Plain]:
    """Give a text as one with the bytes of ASCII in it and line feeds, as it is if it has them.

    UTF-16, UTF-32, ISO-2022 and old Macintosh line ends are written anew as UTF-8 in a private
    file, as far as MAX_RECODED_BYTES.
    """
    with files.opened(path) as file:
        start = files.read_at(file, 0, files.HEAD_BYTES)
        has_bare_returns = b"\r" in start and b"\n" not in start
        if encoding not in encodings.WITHOUT_ASCII and not has_bare_returns:
            yield Plain(path, encoding)
            return
        decoder = codecs.getincrementaldecoder(encodings.CODECS[encoding])("replace")
        mark = encodings.mark_bytes(start, encoding)
        file.seek(mark)
        with tempfile.NamedTemporaryFile(prefix="flow-tui-") as target:
            taken = 0
            while (piece := file.read(_PIECE_BYTES)) and taken < MAX_RECODED_BYTES:
                if cancelled():
                    raise PreviewCancelled
                taken += len(piece)
                text = decoder.decode(piece)
                target.write((text.replace("\r", "\n") if has_bare_returns else text).encode())
            target.flush()
            yield Plain(Path(target.name), "UTF-8", taken >= files.size_of(file) - mark)


def _pieces(file: BinaryIO, packing: PreviewKind) -> Iterator[bytes]:
    if packing is PreviewKind.ZSTD:
        yield from _zstd_pieces(file)
        return
    file.seek(0)
    stream = _Gzip()
    has_some = False
    try:
        while data := file.read(_PIECE_BYTES):
            for piece in stream.feed(data):
                has_some = has_some or bool(piece)
                yield piece
    except zlib.error as error:
        # What came before the break is still worth showing.
        if not has_some:
            raise PreviewFailed("The gzip file is broken.") from error


def _zstd_pieces(file: BinaryIO) -> Iterator[bytes]:
    if importlib.util.find_spec("zstandard") is None:
        raise MissingExtra("zstd", Mode.HEX)
    import zstandard

    file.seek(0)
    # The default window limit of 128 MB would be most of what a preview may use.
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 25)
    has_some = False
    try:
        with unpacker.stream_reader(file, read_across_frames=True, closefd=False) as stream:
            while piece := stream.read(_UNPACKED_PIECE_BYTES):
                has_some = True
                yield piece
    except zstandard.ZstdError as error:
        if not has_some:
            raise PreviewFailed("The zstd file is broken, or needs too much memory.") from error
