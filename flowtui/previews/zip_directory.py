"""The directory of a ZIP file, opened only if it is of a sensible size."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from flowtui.previews import files
from flowtui.previews.errors import PreviewFailed

MAX_DIRECTORY_BYTES = 4_000_000
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_MAX_COMMENT = 65_535


@contextmanager
def opened(file: BinaryIO) -> Iterator[ZipFile]:
    """Open a ZIP file.

    Raises:
        PreviewFailed: The file is broken, or its directory larger than `MAX_DIRECTORY_BYTES`.
    """
    size = files.size_of(file)
    tail_start = max(size - _END.size - _MAX_COMMENT, 0)
    tail = files.read_at(file, tail_start, _END.size + _MAX_COMMENT)
    place = tail.rfind(_END_MAGIC)
    if place < 0 or len(tail) - place < _END.size:
        raise PreviewFailed("The ZIP file is cut off or broken: it has no directory.")
    directory_bytes = _END.unpack_from(tail, place)[5]
    if directory_bytes > MAX_DIRECTORY_BYTES:
        raise PreviewFailed("The directory of the ZIP file is too large to be shown.")
    try:
        with ZipFile(file) as archive:
            yield archive
    except (BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise PreviewFailed(f"The ZIP file is broken: {error}.") from error
