"""Compressed files, and text that is not a superset of ASCII, as temporary plain files."""

from __future__ import annotations

import codecs
import gzip
import importlib.util
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

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
def unpacked(
    file: BinaryIO, packing: PreviewKind, cancelled: Cancelled, limit: int = MAX_UNPACKED_BYTES
) -> Iterator[Unpacked]:
    """Unpack into a private file, which is gone afterwards.

    Raises:
        PreviewFailed: Nothing of it can be unpacked.
        MissingExtra: The library that unpacks zstd is not installed.
        PreviewCancelled: It was cancelled between two pieces.
    """
    with _private_file() as target:
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


def head(file: BinaryIO, packing: PreviewKind, cancelled: Cancelled) -> bytes:
    """Return the first bytes of what is packed."""
    found = b""
    for piece in _pieces(file, packing):
        if cancelled():
            raise PreviewCancelled
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


def _pieces(file: BinaryIO, packing: PreviewKind) -> Iterator[bytes]:
    """Yield what is packed in a file; what comes before a break is still worth showing.

    Raises:
        PreviewFailed: Nothing comes before the break.
        MissingExtra: The library that unpacks zstd is not installed.
    """
    file.seek(0)
    has_some = False
    try:
        for piece in _zstd_pieces(file) if packing is PreviewKind.ZSTD else _gzip_pieces(file):
            has_some = True
            yield piece
    except _Broken as error:
        if not has_some:
            raise PreviewFailed(str(error)) from error


class _Broken(Exception):
    """What is packed breaks off; `str()` says so."""


def _gzip_pieces(file: BinaryIO) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=file) as stream:
            # read() would lose what it already has of a piece that breaks off.
            while piece := stream.read1(_UNPACKED_PIECE_BYTES):
                yield piece
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _Broken("The gzip file is broken.") from error


def _zstd_pieces(file: BinaryIO) -> Iterator[bytes]:
    if importlib.util.find_spec("zstandard") is None:
        raise MissingExtra("zstd", Mode.HEX)
    import zstandard

    # The default window limit of 128 MB would be most of what a preview may use.
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 25)
    try:
        with unpacker.stream_reader(file, read_across_frames=True, closefd=False) as stream:
            while piece := stream.read(_UNPACKED_PIECE_BYTES):
                yield piece
    except zstandard.ZstdError as error:
        raise _Broken("The zstd file is broken, or needs too much memory.") from error
