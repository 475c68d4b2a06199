"""The front door: one part of one file, as what the file is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from flowtui.previews import files, guessing, kinds, unpacking
from flowtui.previews.document_blocks import Member
from flowtui.previews.errors import MissingExtra, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import (
    Cancelled,
    EmptyFile,
    Encoding,
    Mode,
    Opened,
    Preview,
    Request,
    Shown,
)

_FIRST_UNPACKED_BYTES = 8_000_000
_AHEAD_BYTES = 2_000_000


class _KindReader(Protocol):
    """What the module offers that a row of the table of kinds names."""

    def shown(self, opened: Opened, request: Request) -> Shown:
        """Return the wanted part of a file; raise what `preview` raises."""


class _Container(Protocol):
    """What the reader of a file with members offers besides."""

    def pieces(self, opened: Opened, member: Member) -> Iterator[bytes]:
        """Return the content of a member; raise PreviewFailed if there is none."""


def preview(path: Path, name: str, request: Request, cancelled: Cancelled) -> Preview:
    """Return a part of a file in the form that suits it.

    Args:
        path: The file; `attachments.resolved` has made sure that it may be read.
        name: The file's name in the store, which decides where the content leaves a choice.
        request: Which part is wanted, in which form, for a pane of which size.
        cancelled: Asked some 50 times a second wherever something takes long.

    Raises:
        PreviewFailed: It cannot be shown so; one sentence says why.
        MissingExtra: A library is not installed; it names the mode that does without.
        PreviewCancelled: `cancelled` said so.
    """
    with files.opened(path) as file:
        return _read(path, file, name, request, cancelled, is_unpacked=False)


def _read(
    path: Path,
    file: BinaryIO,
    name: str,
    request: Request,
    cancelled: Cancelled,
    *,
    is_unpacked: bool,
) -> Preview:
    """Return a preview of what may be in another file."""
    size = files.size_of(file)
    kind = kinds.kind_of(files.read_at(file, 0, files.HEAD_BYTES), name, cancelled)
    if kind.row.is_packed and not is_unpacked and (request.inside or request.mode is not Mode.HEX):
        pieces = partial(unpacking.pieces, file, kind)
        read = _poured(pieces, unpacking.inner_name(name), request, cancelled, is_unpacked=True)
        return replace(read, size_bytes=size, packing=kind) if not request.inside else read
    encoding = _encoding(file, kind, request, cancelled)
    opened = Opened(path, file, kind, name, cancelled, encoding.name if encoding else None)
    if request.inside:
        member, *rest = request.inside
        pieces = partial(member_pieces, opened, member)
        inner = replace(request, inside=tuple(rest))
        read = _poured(pieces, member.name, inner, cancelled, is_unpacked=False)
        return read if rest else replace(read, size_bytes=member.size_bytes)
    return Preview(kind, _shown(opened, request), size, modes_of(kind), encoding=encoding)


def member_pieces(opened: Opened, member: Member) -> Iterator[bytes]:
    """Return the content of a member of a file, in pieces.

    Raises:
        PreviewFailed: The file has no such member, or it cannot be read.
    """
    reader = _reader(opened.kind) if opened.kind.row.reader else None
    if not hasattr(reader, "pieces"):
        raise PreviewFailed("The file has changed: it has no members any more.")
    return cast(_Container, reader).pieces(opened, member)


def modes_of(kind: PreviewKind) -> tuple[Mode, ...]:
    """Return the modes in which a kind of file can be asked for, the best one first."""
    if kind is PreviewKind.PDF:
        return (Mode.BEST, Mode.TEXT, Mode.PICTURE, Mode.HEX)
    if kind.row.is_text:
        return (Mode.BEST, Mode.TEXT, Mode.HEX)
    if kind in (PreviewKind.NPY, PreviewKind.NPZ, PreviewKind.SAFETENSORS):
        return (Mode.BEST, Mode.STATISTICS, Mode.HEX)
    if kind is PreviewKind.EMPTY:
        return (Mode.BEST,)
    return (Mode.HEX,) if kind is PreviewKind.BINARY else (Mode.BEST, Mode.HEX)


def _poured(
    pieces: Callable[[], Iterator[bytes]],
    name: str,
    request: Request,
    cancelled: Cancelled,
    *,
    is_unpacked: bool,
) -> Preview:
    """Return a preview of what comes in pieces, as much of it as the request needs."""
    kind = kinds.kind_of(unpacking.head(pieces(), cancelled), name, cancelled)
    is_whole = kind.row.is_whole or bool(request.inside)
    is_first = not request.position and not request.is_last
    limit = unpacking.MAX_UNPACKED_BYTES
    if is_first and not is_whole:
        limit = _FIRST_UNPACKED_BYTES
    elif not request.is_last and not is_whole:
        limit = min(request.position + _AHEAD_BYTES + _FIRST_UNPACKED_BYTES, limit)
    with unpacking.poured(pieces(), cancelled, limit) as inner:
        if kind.row.is_whole and not inner.is_whole:
            raise PreviewFailed("The file unpacks to too much to be shown.")
        with files.opened(inner.path) as file:
            try:
                read = _read(inner.path, file, name, request, cancelled, is_unpacked=is_unpacked)
            except PreviewFailed as error:
                if not request.inside or inner.is_whole or isinstance(error, MissingExtra):
                    raise
                raise PreviewFailed(
                    "The archive unpacks to too much for this member to be reached."
                ) from error
    if request.inside:
        return read
    shown = read.shown
    if not inner.is_whole and not isinstance(shown, EmptyFile):
        # Only what was unpacked could be counted.
        shown = replace(shown, part=replace(shown.part, total=None))
    is_whole = inner.is_whole and read.is_unpacked_whole
    unpacked = read.unpacked_bytes if read.packing is not None else inner.size_bytes
    return replace(read, shown=shown, unpacked_bytes=unpacked, is_unpacked_whole=is_whole)


def _encoding(
    file: BinaryIO, kind: PreviewKind, request: Request, cancelled: Cancelled
) -> Encoding | None:
    """Return the encoding of what is shown as text or made from it, None for anything else.

    For a ZIP file it is that of the names that are not marked as UTF-8.
    """
    if request.mode is Mode.HEX:
        return None
    if kind is PreviewKind.ZIP:
        from flowtui.previews import archives

        names = archives.unmarked_names(file)
        return guessing.described(names, request.encoding, cancelled) if names else None
    if not kind.row.is_text:
        return None
    return guessing.described(guessing.sample(file), request.encoding, cancelled)


def _shown(opened: Opened, request: Request) -> Shown:
    row = opened.kind.row
    if opened.kind is PreviewKind.EMPTY:
        return EmptyFile()
    if request.mode is Mode.HEX or not (row.is_text or row.reader):
        from flowtui.previews import hex_dump

        return hex_dump.page(opened.file, request)
    if row.reader and not (row.is_text and request.mode is Mode.TEXT):
        return _reader(opened.kind).shown(opened, request)
    from flowtui.previews import text

    return text.shown(opened, request)


def _reader(kind: PreviewKind) -> _KindReader:
    return cast(_KindReader, import_module(f"flowtui.previews.{kind.row.reader}"))
