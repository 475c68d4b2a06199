"""Uncompressed tars, written in place and read by position, with nothing in them trusted.

`tarfile` makes and reads the headers. Its other functions, extracting by name and following links,
are not used: members are slices of a file here, and a name is only a key.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from flowtui.store.archive.values import ArtifactError, Slice, Work

CHUNK_BYTES = 1 << 20
MAX_MEMBERS = 300_000
MAX_HEADER_BYTES = 1 << 20
"""How long a name with a block of its own may be; longer ones are an attack on memory."""
_END_BYTES = 2 * tarfile.BLOCKSIZE
BROKEN = (tarfile.TarError, OSError, ValueError, OverflowError)
"""What reading a broken tar may raise."""


class ByteWindow(io.RawIOBase):
    """A range of a file as a file of its own, with positions that count from its start.

    Closing it leaves the outer file open.
    """

    def __init__(self, file: BinaryIO, start: int, size_bytes: int | None = None) -> None:
        """Open a range.

        Args:
            file: The outer file, whose position belongs to the window while the window is used.
            start: Where the range begins in it.
            size_bytes: The size of a range to read; None for one that is written and grows.
        """
        self._file = file
        self._start = start
        self._size_bytes = size_bytes
        self._at = 0
        self._end = size_bytes or 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return self._size_bytes is not None

    def writable(self) -> bool:
        return self._size_bytes is None

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        if base + offset < 0:
            raise OSError("a position before the start")
        self._at = base + offset
        return self._at

    @property
    def left(self) -> int:
        """How many bytes can still be read."""
        assert self._size_bytes is not None
        return max(0, self._size_bytes - self._at)

    def read(self, size: int | None = -1) -> bytes:
        self._file.seek(self._start + self._at)
        data = self._file.read(self.left if size is None or size < 0 else min(size, self.left))
        self._at += len(data)
        return data

    def write(self, data: object) -> int:
        self._file.seek(self._start + self._at)
        written = self._file.write(cast(bytes, data))
        self._at += written
        self._end = max(self._end, self._at)
        return written


class TarWriter:
    """Writes regular files and folders into a tar; sizes need not be known in advance."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.members: dict[str, Slice] = {}
        """The files so far, by name."""

    def folder(self, name: str) -> None:
        self._file.write(_header(name + "/", 0, tarfile.DIRTYPE))

    @contextmanager
    def member(self, name: str) -> Iterator[int]:
        """Let a member be written at the file's position, and then put its size into its header.

        Yields:
            The position of its first byte.
        """
        # A name too long for the header has a block before it; its length does not depend on the
        # size.
        header_at = self._file.tell()
        self._file.write(_header(name, 0))
        start = self._file.tell()
        yield start
        end = self._file.seek(0, io.SEEK_END)
        self._file.write(b"\0" * (-(end - start) % tarfile.BLOCKSIZE))
        self._file.seek(header_at)
        self._file.write(_header(name, end - start))
        self._file.seek(0, io.SEEK_END)
        self.members[name] = Slice(start, end - start)

    def end(self) -> None:
        """Write the end mark of a tar."""
        size = self._file.tell() + _END_BYTES
        self._file.write(b"\0" * (_END_BYTES + -size % tarfile.RECORDSIZE))


def copy(source: IO[bytes], target: BinaryIO, size_bytes: int, work: Work) -> int:
    """Copy at most `size_bytes`, and return how many bytes there were.

    Raises:
        ReadCancelled: The work was cancelled.
    """
    left = size_bytes
    while left > 0:
        work.check()
        data = source.read(min(CHUNK_BYTES, left))
        if not data:
            break
        target.write(data)
        left -= len(data)
        work.step(len(data))
    return size_bytes - left


@dataclass(frozen=True, slots=True)
class Scanned:
    """What is found in a tar that may be damaged."""

    members: dict[str, Slice]
    """The regular files that are whole, by name, in order; the last of a name wins."""
    problem: str = ""
    """Why there may be more that is not found, as a sentence; empty where all of it is read."""
    cut: tuple[str, Slice] | None = None
    """The file that the tar ends within, and what there is of it."""
    has_end: bool = False
    """Whether an end is there, which few tars do without."""


def scan(file: BinaryIO, path: Path, what: str) -> dict[str, Slice]:
    """Return the regular files of an uncompressed tar by name, in order; the last of a name wins.

    Args:
        file: A file with nothing in it but the tar.
        path: The path of the file, for messages.
        what: What it is called in messages: `the file`, `its attachments.tar`.

    Raises:
        ArtifactError: It is not such a tar, is cut off, or is made to harm its reader.
    """
    found = scan_what_is_there(file, path, what)
    if found.problem:
        raise ArtifactError(found.problem)
    return found.members


def scan_what_is_there(file: BinaryIO, path: Path, what: str) -> Scanned:
    """Return the regular files of a tar as far as it can be read; `scan` tells of the arguments.

    Raises:
        ArtifactError: it is made to harm who reads it.
    """
    size = file.seek(0, io.SEEK_END)
    after = 0
    found: dict[str, Slice] = {}
    cut_off = f"{what} is cut off: {path} lacks the rest of its bytes"
    try:
        for count, (member, following) in enumerate(headers(file), 1):
            after = following
            if count > MAX_MEMBERS:
                raise ArtifactError(
                    f"{what} is damaged: {path} has more than {MAX_MEMBERS:,} members"
                )
            start = member.offset_data
            is_whole = start + (member.size if member.isreg() else 0) <= size
            if not is_whole:
                return Scanned(found, cut_off, (member.name, Slice(start, max(0, size - start))))
            if member.isreg() and member.sparse is None:
                found[member.name] = Slice(start, member.size)
    except BROKEN as error:
        return Scanned(found, f"{what} is not a tar that can be read: {path} ({error})")
    return Scanned(found, has_end=size >= after + tarfile.BLOCKSIZE)


def headers(file: BinaryIO, position: int = 0) -> Iterator[tuple[tarfile.TarInfo, int]]:
    """Yield each member of an uncompressed tar and where the next header is, in order.

    Args:
        file: A file with nothing in it but the tar.
        position: Where the first header to read is.

    Raises:
        BROKEN: The tar is broken, or is made to harm its reader.
    """
    file.seek(position)
    # In names, bytes that are not valid UTF-8 survive as surrogates.
    reader = cast(IO[bytes], _HeaderReader(file))
    try:
        with tarfile.open(fileobj=reader, mode="r:", errors="surrogateescape") as tar:
            before = -1
            while (member := tar.next()) is not None:
                # Otherwise tarfile would keep every member that it has read.
                tar.members.clear()  # type: ignore[attr-defined]
                if member.offset <= before or member.size < 0:
                    raise tarfile.ReadError("it has headers that make no sense")
                before = member.offset
                yield member, tar.offset
    except RecursionError as error:
        # tarfile recurses for each header that describes the next one.
        raise tarfile.ReadError("it has too many headers about one member") from error


class _HeaderReader:
    """Gives tarfile only headers, and refuses to read anything too large to be one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER_BYTES:
            raise OSError("a header is too large")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _header(name: str, size_bytes: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size_bytes, kind
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    # In GNU's format a size beyond 8 GB takes no more room than any other.
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
