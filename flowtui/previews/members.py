"""Members of archives and of other files that hold files, copied out of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from flowtui.previews import files, kinds, unpacking
from flowtui.previews.document_blocks import Member
from flowtui.previews.errors import PreviewCancelled, PreviewFailed
from flowtui.previews.preview import member_pieces
from flowtui.previews.values import Cancelled, Opened


def copy(
    path: Path, name: str, inside: tuple[Member, ...], out: BinaryIO, cancelled: Cancelled
) -> None:
    """Write the content of a member, however large it is.

    Args:
        path: The file that it lies in.
        name: The name of that file.
        inside: The member, after those that it lies in.
        out: Takes the content.
        cancelled: Asked between two pieces.

    Raises:
        PreviewFailed: It is not there any more, is no file, or cannot be unpacked.
        PreviewCancelled: `cancelled` said so.
    """
    with files.opened(path) as file:
        kind = kinds.kind_of(files.read_at(file, 0, files.HEAD_BYTES), name, cancelled)
        if kind.row.is_packed:
            pieces, inner_name = unpacking.pieces(file, kind), unpacking.inner_name(name)
            rest = inside
        else:
            opened = Opened(path, file, kind, name, cancelled)
            pieces, inner_name, rest = member_pieces(opened, inside[0]), inside[0].name, inside[1:]
        if not rest:
            for piece in _unless(pieces, cancelled):
                out.write(piece)
            return
        with unpacking.poured(pieces, cancelled, unpacking.MAX_UNPACKED_BYTES) as inner:
            if not inner.is_whole:
                raise PreviewFailed("The archive unpacks to too much for its members to be read.")
            copy(inner.path, inner_name, rest, out, cancelled)


def _unless(pieces: Iterator[bytes], cancelled: Cancelled) -> Iterator[bytes]:
    for piece in pieces:
        if cancelled():
            raise PreviewCancelled
        yield piece
