"""The front door: one part of one file, as what the file is."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from flowtui.previews import files, guessing, kinds, unpacking
from flowtui.previews.errors import PreviewFailed
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


class _Reader(Protocol):
    """What the module offers that a row of the table of kinds names."""

    def shown(self, opened: Opened, request: Request) -> Shown:
        """Return the wanted part of a file; raise what `preview` raises."""


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
        size = files.size_of(file)
        head = files.read_at(file, 0, files.HEAD_BYTES)
        kind = kinds.kind_of(head, name, cancelled)
        if kind.row.is_packed and request.mode is not Mode.HEX:
            return _unpacked(file, kind, name, request, cancelled, size)
        encoding = _encoding(file, kind, request, cancelled)
        opened = Opened(path, file, kind, name, cancelled, encoding.name if encoding else None)
        shown = _shown(opened, request)
    return Preview(kind, shown, size, modes_of(kind), encoding=encoding)


def modes_of(kind: PreviewKind) -> tuple[Mode, ...]:
    """Return the modes in which a kind of file can be asked for, the best one first."""
    if kind is PreviewKind.PDF:
        return (Mode.PICTURE, Mode.TEXT, Mode.HEX)
    if kind.row.is_text:
        return (Mode.BEST, Mode.TEXT, Mode.HEX)
    if kind is PreviewKind.EMPTY:
        return (Mode.BEST,)
    return (Mode.HEX,) if kind is PreviewKind.BINARY else (Mode.BEST, Mode.HEX)


def _unpacked(
    file: BinaryIO,
    packing: PreviewKind,
    name: str,
    request: Request,
    cancelled: Cancelled,
    size: int,
) -> Preview:
    inner_name = unpacking.inner_name(name)
    kind = kinds.kind_of(unpacking.head(file, packing, cancelled), inner_name, cancelled)
    is_first = not request.position and not request.is_last
    limit = unpacking.MAX_UNPACKED_BYTES
    if is_first and not kind.row.is_whole:
        limit = _FIRST_UNPACKED_BYTES
    elif not request.is_last and not kind.row.is_whole:
        limit = min(request.position + _AHEAD_BYTES + _FIRST_UNPACKED_BYTES, limit)
    with unpacking.unpacked(file, packing, cancelled, limit) as inner:
        if kind.row.is_whole and not inner.is_whole:
            raise PreviewFailed("The file unpacks to too much to be shown.")
        with files.opened(inner.path) as inner_file:
            encoding = _encoding(inner_file, kind, request, cancelled)
            code = encoding.name if encoding else None
            opened = Opened(inner.path, inner_file, kind, inner_name, cancelled, code)
            shown = _shown(opened, request)
    if not inner.is_whole and not isinstance(shown, EmptyFile):
        # Only what was unpacked could be counted.
        shown = replace(shown, part=replace(shown.part, total=None))
    return Preview(
        kind, shown, size, modes_of(kind), packing, inner.size_bytes, inner.is_whole, encoding
    )


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
        reader = cast(_Reader, import_module(f"flowtui.previews.{row.reader}"))
        return reader.shown(opened, request)
    from flowtui.previews import text

    return text.shown(opened, request)
