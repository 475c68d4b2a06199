"""Compressed files, and text that is not a superset of ASCII, as temporary plain files."""

from __future__ import annotations

import codecs
import importlib.util
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from flowtui import temporary
from flowtui.previews import encodings, files
from flowtui.previews.errors import MissingExtra, PreviewCancelled, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Cancelled, Mode

MAX_UNPACKED_BYTES = 64_000_000
"""How much is unpacked, most of it on the disk; what follows is not shown."""
MAX_RECODED_BYTES = 32_000_000
_PIECE_BYTES = 64 * 1024
_UNPACKED_PIECE_BYTES = 1_000_000
_UNPACKER_BYTES = 1 << 25
"""How much memory an unpacker may take for what it has seen; few files need more."""
_ENDINGS = sorted(
    (ending for kind in PreviewKind if kind.row.is_packed for ending in kind.row.endings),
    key=len,
    reverse=True,
)


@dataclass(frozen=True, slots=True)
class Unpacked:
    path: Path
    size_bytes: int
    is_whole: bool


@contextmanager
def _private_file() -> Iterator[IO[bytes]]:
    """Yield a file to write into, and remove it afterwards.

    Raises:
        PreviewFailed: There is no room for it, which is not the fault of the file that is shown.
    """
    try:
        target = tempfile.NamedTemporaryFile(prefix="flow-tui-")  # noqa: SIM115  # It is closed below.
    except OSError as error:
        raise PreviewFailed(f"It cannot be unpacked: {temporary.why_not(error)}.") from error
    try:
        with target:
            yield target
    except OSError as error:
        if not temporary.is_full(error):
            raise
        raise PreviewFailed(f"It cannot be unpacked: {temporary.why_not(error)}.") from error


@contextmanager
def poured(pieces: Iterator[bytes], cancelled: Cancelled, limit: int) -> Iterator[Unpacked]:
    """Write pieces into a private file, which is gone afterwards.

    Raises:
        PreviewCancelled: It was cancelled between two pieces.
    """
    with _private_file() as target:
        size = 0
        is_whole = False
        for piece in pieces:
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


def head(pieces: Iterator[bytes], cancelled: Cancelled) -> bytes:
    """Return the first bytes of what comes in pieces."""
    found = b""
    for piece in pieces:
        if cancelled():
            raise PreviewCancelled
        found += piece
        if len(found) >= files.HEAD_BYTES:
            break
    return found[: files.HEAD_BYTES]


def inner_name(name: str) -> str:
    """Return the name of what is packed: `log.txt` for `log.txt.gz`."""
    lowered = name.lower()
    for suffix in _ENDINGS:
        if lowered.endswith(suffix):
            return name[: -len(suffix)] + (".tar" if suffix.startswith(".t") else "")
    return name


@dataclass(frozen=True, slots=True)
class Plain:
    path: Path
    encoding: str
    is_whole: bool = True


@contextmanager
def with_ascii(path: Path, encoding: str, cancelled: Cancelled) -> Iterator[Plain]:
    """Yield a text with ASCII bytes and line feeds: the file itself if it has them.

    UTF-16, UTF-32, ISO-2022 and old Macintosh line ends are rewritten as UTF-8 in a private file,
    up to MAX_RECODED_BYTES.
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
        with _private_file() as target:
            taken = 0
            while (piece := file.read(_PIECE_BYTES)) and taken < MAX_RECODED_BYTES:
                if cancelled():
                    raise PreviewCancelled
                taken += len(piece)
                text = decoder.decode(piece)
                target.write((text.replace("\r", "\n") if has_bare_returns else text).encode())
            target.flush()
            yield Plain(Path(target.name), "UTF-8", taken >= files.size_of(file) - mark)


def pieces(file: BinaryIO, packing: PreviewKind) -> Iterator[bytes]:
    """Yield what is packed in a file; what comes before a break is still worth showing.

    Raises:
        PreviewFailed: Nothing comes before the break.
        MissingExtra: The library that unpacks it is not installed.
    """
    file.seek(0)
    has_some = False
    try:
        for piece in _UNPACKERS[packing](file):
            has_some = has_some or bool(piece)
            yield piece
    except _Broken as error:
        if not has_some:
            raise PreviewFailed(str(error)) from error


class _Broken(Exception):
    """What is packed breaks off; `str()` says so."""


class _GzipUnpacker:
    """Unpacks one stream of gzip, as those of bzip2 and xz do theirs."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._unpacker.eof

    @property
    def needs_input(self) -> bool:
        return not self._unpacker.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._unpacker.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._unpacker.decompress(data or self._unpacker.unconsumed_tail, max_length)


def _gzip_pieces(file: BinaryIO) -> Iterator[bytes]:
    try:
        yield from _streams(file, _GzipUnpacker)
    except (EOFError, zlib.error) as error:
        raise _Broken("The gzip file is broken.") from error


def _bzip2_pieces(file: BinaryIO) -> Iterator[bytes]:
    import bz2

    try:
        yield from _streams(file, bz2.BZ2Decompressor)
    except (EOFError, OSError, ValueError) as error:
        raise _Broken("The bzip2 file is broken.") from error


def _xz_pieces(file: BinaryIO) -> Iterator[bytes]:
    import lzma

    try:
        yield from _streams(file, lambda: lzma.LZMADecompressor(memlimit=_UNPACKER_BYTES))
    except (EOFError, lzma.LZMAError, ValueError) as error:
        raise _Broken("The xz file is broken, or needs too much memory.") from error


class _StreamUnpacker(Protocol):
    """What the unpackers of bzip2 and xz have in common: they take one stream."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _streams(file: BinaryIO, start: Callable[[], _StreamUnpacker]) -> Iterator[bytes]:
    """Yield what is in the streams of a file, one after the other.

    A piece is empty where nothing comes of much that is read, so that whoever waits can leave.
    """
    unpacker = start()
    data = b""
    while True:
        if unpacker.eof:
            data = unpacker.unused_data
            # What fills up a block of a tape may stand between two of them.
            while not (data := data.lstrip(b"\0")):
                data = file.read(_PIECE_BYTES)
                if not data:
                    return
                yield b""
            unpacker = start()
        elif unpacker.needs_input:
            data = file.read(_PIECE_BYTES)
            if not data:
                raise EOFError
        piece = unpacker.decompress(data, _UNPACKED_PIECE_BYTES)
        data = b""
        yield piece


def _zstd_pieces(file: BinaryIO) -> Iterator[bytes]:
    if importlib.util.find_spec("zstandard") is None:
        raise MissingExtra("zstd", Mode.HEX)
    import zstandard

    # The default window limit of 128 MB would be most of what a preview may use.
    unpacker = zstandard.ZstdDecompressor(max_window_size=_UNPACKER_BYTES)
    try:
        with unpacker.stream_reader(file, read_across_frames=True, closefd=False) as stream:
            while piece := stream.read(_UNPACKED_PIECE_BYTES):
                yield piece
    except zstandard.ZstdError as error:
        raise _Broken("The zstd file is broken, or needs too much memory.") from error


_UNPACKERS = {
    PreviewKind.GZIP: _gzip_pieces,
    PreviewKind.ZSTD: _zstd_pieces,
    PreviewKind.BZIP2: _bzip2_pieces,
    PreviewKind.XZ: _xz_pieces,
}
