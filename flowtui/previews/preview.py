"""The front door: one part of one file, as what the file is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from flowtui.previews import files, guessing, kinds, unpacking
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import (
    Cancelled,
    EmptyFile,
    Encoding,
    Mode,
    Preview,
    PreviewKind,
    Request,
    Shown,
)

_PACKINGS = (PreviewKind.GZIP, PreviewKind.ZSTD)
_TEXTS = frozenset(
    (
        PreviewKind.TEXT,
        PreviewKind.ANSI,
        PreviewKind.SOURCE,
        PreviewKind.MARKDOWN,
        PreviewKind.JSON,
        PreviewKind.JSONL,
        PreviewKind.CSV,
        PreviewKind.TSV,
        PreviewKind.SVG,
    )
)
_SOUGHT_WHOLE = frozenset(
    (
        PreviewKind.PNG,
        PreviewKind.JPEG,
        PreviewKind.GIF,
        PreviewKind.WEBP,
        PreviewKind.BMP,
        PreviewKind.TIFF,
        PreviewKind.PDF,
        PreviewKind.DOCX,
        PreviewKind.PARQUET,
        PreviewKind.NPZ,
        PreviewKind.ZIP,
    )
)
_FIRST_UNPACKED_BYTES = 8_000_000
_AHEAD_BYTES = 2_000_000


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
        if kind in _PACKINGS and request.mode is not Mode.HEX:
            return _unpacked(file, kind, name, request, cancelled, size)
        encoding = _encoding(file, kind, request, cancelled)
        shown = _shown(path, file, kind, name, request, cancelled, encoding)
    return Preview(kind, shown, size, modes_of(kind), encoding=encoding)


def modes_of(kind: PreviewKind) -> tuple[Mode, ...]:
    """Return the modes in which a kind of file can be asked for, the best one first."""
    if kind is PreviewKind.PDF:
        return (Mode.PICTURE, Mode.TEXT, Mode.HEX)
    if kind in _TEXTS:
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
    kind = kinds.kind_of(unpacking.head(file, packing), inner_name, cancelled)
    is_first = not request.position and not request.is_last
    limit = unpacking.MAX_UNPACKED_BYTES
    if is_first and kind not in _SOUGHT_WHOLE:
        limit = _FIRST_UNPACKED_BYTES
    elif not request.is_last and kind not in _SOUGHT_WHOLE:
        limit = min(request.position + _AHEAD_BYTES + _FIRST_UNPACKED_BYTES, limit)
    with unpacking.unpacked(file, packing, cancelled, limit) as inner:
        if kind in _SOUGHT_WHOLE and not inner.is_whole:
            raise PreviewFailed("The file unpacks to too much to be shown.")
        with files.opened(inner.path) as inner_file:
            encoding = _encoding(inner_file, kind, request, cancelled)
            shown = _shown(inner.path, inner_file, kind, inner_name, request, cancelled, encoding)
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
    if kind not in _TEXTS:
        return None
    return guessing.described(guessing.sample(file), request.encoding, cancelled)


def _shown(
    path: Path,
    file: BinaryIO,
    kind: PreviewKind,
    name: str,
    request: Request,
    cancelled: Cancelled,
    encoding: Encoding | None,
) -> Shown:
    if kind is PreviewKind.EMPTY:
        return EmptyFile()
    if request.mode is Mode.HEX or kind in (PreviewKind.BINARY, *_PACKINGS):
        from flowtui.previews import hex_dump

        return hex_dump.page(file, request)
    if encoding is not None and kind in _TEXTS:
        return _text(path, file, kind, name, request, cancelled, encoding.name)
    return _parsed(path, file, kind, request, cancelled, encoding)


def _text(
    path: Path,
    file: BinaryIO,
    kind: PreviewKind,
    name: str,
    request: Request,
    cancelled: Cancelled,
    encoding: str,
) -> Shown:
    if request.mode is not Mode.TEXT:
        if kind is PreviewKind.SVG:
            from flowtui.previews import svg

            return svg.picture(path, request, cancelled)
        if kind in (PreviewKind.CSV, PreviewKind.TSV):
            return _table(path, kind, request, cancelled, encoding)
        if kind in (PreviewKind.JSON, PreviewKind.JSONL):
            from flowtui.previews import json_file

            read = json_file.tree if kind is PreviewKind.JSON else json_file.records
            return read(file, request, encoding)
    from flowtui.previews import text

    languages = {PreviewKind.SVG: "xml", PreviewKind.JSON: "json", PreviewKind.MARKDOWN: "markdown"}
    language = languages.get(kind) or kinds.language_of(name)
    is_overwritten = kind in (PreviewKind.TEXT, PreviewKind.ANSI)
    return text.page(file, request, encoding, language, is_overwritten=is_overwritten)


def _table(
    path: Path, kind: PreviewKind, request: Request, cancelled: Cancelled, encoding: str
) -> Shown:
    """Return a page of a text table by its bytes; `tables.CsvFile` gives pages by row."""
    from flowtui.previews.tables import CsvFile

    with unpacking.with_ascii(path, encoding, cancelled) as plain:
        table = CsvFile(plain.path, kind is PreviewKind.TSV, plain.encoding)
        table.first_column = request.first_column
        if request.is_last:
            page = table.last(request.count)
        else:
            page = table.at(request.position, request.index, request.count)
    if not plain.is_whole:
        # Only the rows up to where reading stopped are counted.
        page = replace(page, part=replace(page.part, total=None))
    return replace(page, encoding=encoding, is_as_written=plain.path == path)


def _parsed(
    path: Path,
    file: BinaryIO,
    kind: PreviewKind,
    request: Request,
    cancelled: Cancelled,
    encoding: Encoding | None,
) -> Shown:
    if kind.is_image:
        from flowtui.previews import images

        return images.picture(path, kind, request, cancelled)
    if kind is PreviewKind.PDF:
        from flowtui.previews import pdf

        return pdf.page(path, request, cancelled)
    if kind is PreviewKind.DOCX:
        from flowtui.previews import docx

        return docx.page(path, request, cancelled)
    if kind is PreviewKind.PARQUET:
        from flowtui.previews import parquet

        return parquet.page(path, request, cancelled)
    if kind in (PreviewKind.TAR, PreviewKind.ZIP):
        from flowtui.previews import archives

        if kind is PreviewKind.ZIP:
            return archives.zipped(file, request, encoding.name if encoding else None)
        return archives.tar(file, request, cancelled)
    from flowtui.previews import arrays

    return arrays.arrays(file, kind, request)
