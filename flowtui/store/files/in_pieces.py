"""Files that lie elsewhere, of which a reader gets the pieces that it reads.

Such a file has a path, so that it is named and compared like any other; behind that path there are
only zeros. Whoever opens one asks here first, and whoever needs all of it has to refuse it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from flowtui.store.archive.values import Slice

if TYPE_CHECKING:
    from flowtui.store.archive.source import ArtifactSource

PIECE_BYTES = 1 << 20
_openers: dict[Path, Callable[[], PiecewiseFile]] = {}


class PiecewiseFile(io.RawIOBase):
    """A part of an artifact, read piece by piece; `ArtifactSource.part` tells what it raises."""

    def __init__(self, source: ArtifactSource, part: Slice) -> None:
        super().__init__()
        self._source = source
        self._part = part
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._part.size_bytes}
        self._at = max(begin[whence] + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        left = self._part.size_bytes - self._at
        if left <= 0 or not buffer:
            return 0
        start = self._at - self._at % PIECE_BYTES
        size = min(PIECE_BYTES, self._part.size_bytes - start)
        with self._source.part(Slice(self._part.offset + start, size)) as piece:
            piece.seek(self._at - start)
            data = piece.read(min(len(buffer), size - (self._at - start)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def placeholder(path: Path, source: ArtifactSource, part: Slice) -> Path:
    """Make a path stand for a part of an artifact; it exists, and has its size.

    Raises:
        OSError: It cannot be made.
    """
    if path not in _openers:
        with path.open("wb") as file:
            file.truncate(part.size_bytes)
        _openers[path] = lambda: PiecewiseFile(source, part)
    return path


def is_in_pieces(path: Path) -> bool:
    """Say whether a path stands for a file that lies elsewhere."""
    return path in _openers


def opened(path: Path) -> BinaryIO:
    """Return the file that a path stands for, to be read in pieces."""
    return cast(BinaryIO, io.BufferedReader(_openers[path]()))


def forget(folder: Path) -> None:
    """Forget what the paths in a folder stood for."""
    for path in [path for path in _openers if path.is_relative_to(folder)]:
        del _openers[path]
