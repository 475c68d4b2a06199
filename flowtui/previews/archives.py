"""What is in a tar or ZIP file, by its headers alone; models of LUML are tars."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tarfile import TarInfo
from typing import BinaryIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipInfo

from flowtui.previews import encodings, files, zip_directory
from flowtui.previews.document_blocks import Member
from flowtui.previews.errors import PreviewCancelled, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Cancelled, Listing, Opened, Part, Request
from flowtui.store import bounded_json
from flowtui.store.archive.tar import BROKEN, headers
from flowtui.store.values import JsonValue

MAX_MANIFEST_BYTES = 1_000_000
MANIFEST = "manifest.json"
PIECE_BYTES = 1 << 20
_NO_FILE = "This member is no file, or the archive has changed."
_IS_ENCRYPTED = 0x1
_IS_UTF8 = 0x800
"""The flag by which a ZIP file marks a member's name as UTF-8."""


def shown(opened: Opened, request: Request) -> Listing:
    """Return the wanted members of a ZIP file, as `zipped` does, or of a tar."""
    if opened.kind is PreviewKind.ZIP:
        return zipped(opened.file, request, opened.encoding)
    return tar(opened.file, request, opened.cancelled)


def tar(file: BinaryIO, request: Request, cancelled: Cancelled) -> Listing:
    """Return members of a tar, beginning with the one whose header is at `Request.position`.

    Raises:
        PreviewFailed: There is no header at that position.
        PreviewCancelled: It was cancelled between two members.
    """
    members: list[Member] = []
    manifest: JsonValue = None
    end: int | None = None
    is_broken = True
    # What comes before the break is still worth showing.
    with suppress(*BROKEN):
        for header, after in headers(file, request.position):
            if cancelled():
                raise PreviewCancelled
            members.append(_tar_member(header))
            is_manifest = header.name.removeprefix("./") == MANIFEST
            if is_manifest and header.isreg() and header.size <= MAX_MANIFEST_BYTES:
                data = files.read_at(file, header.offset_data, header.size)
                manifest, _ = bounded_json.parsed(data.decode("utf-8", "replace"))
            if len(members) >= request.count:
                end = after if files.read_at(file, after, 1) not in (b"", b"\0") else None
                break
        is_broken = False
    if not members and not request.position:
        raise PreviewFailed("The tar file is empty or broken.")
    first = request.index if request.position else 0
    total = None if is_broken or end is not None or first is None else first + len(members)
    part = Part("member", first, len(members), total, end, request.position)
    return Listing(tuple(members), part, manifest)


def _tar_member(header: TarInfo) -> Member:
    if header.isdir():
        return Member(f"{header.name}/", header.size, "folder", header.offset)
    type_ = "file" if header.isreg() else "link" if header.issym() or header.islnk() else "other"
    return Member(header.name, header.size, type_, header.offset)


def unmarked_names(file: BinaryIO) -> bytes:
    """Return the names in a ZIP file, a line each, that are not ASCII and not marked as UTF-8.

    Raises:
        PreviewFailed: The file is broken or its directory too large.
    """
    with zip_directory.opened(file) as archive:
        return b"\n".join(filter(None, map(_unmarked_name, archive.infolist())))


def zipped(file: BinaryIO, request: Request, encoding: str | None = None) -> Listing:
    """Return members of a ZIP file, beginning with number `Request.position`.

    Args:
        file: The ZIP file.
        request: Which members are wanted.
        encoding: The encoding of the names that `unmarked_names` gives.

    Raises:
        PreviewFailed: The file is broken or its directory too large.
    """
    with zip_directory.opened(file) as archive:
        infos = archive.infolist()
    first = min(request.position, len(infos))
    if request.is_last:
        first = max(len(infos) - request.count, 0)
    some = tuple(
        Member(
            _zipped_name(info, encoding),
            info.file_size,
            "folder" if info.is_dir() else "file",
            number,
        )
        for number, info in enumerate(infos[first : first + request.count], first)
    )
    return Listing(some, Part.numbered("member", first, len(some), len(infos)))


def pieces(opened: Opened, member: Member) -> Iterator[bytes]:
    """Yield the content of a member that `shown` has told of.

    Raises:
        PreviewFailed: It is not there any more, is no file, or cannot be unpacked.
    """
    if opened.kind is PreviewKind.ZIP:
        yield from _zip_pieces(opened, member)
        return
    with _reading():
        found = next(headers(opened.file, member.position), None)
        header = None if found is None else found[0]
        if header is None or header.name != member.name or not header.isreg() or header.sparse:
            raise PreviewFailed(_NO_FILE)
        position, left = header.offset_data, header.size
        while left:
            piece = files.read_at(opened.file, position, min(PIECE_BYTES, left))
            if not piece:
                raise PreviewFailed("The tar file ends within this member.")
            position, left = position + len(piece), left - len(piece)
            yield piece


def _zip_pieces(opened: Opened, member: Member) -> Iterator[bytes]:
    with zip_directory.opened(opened.file) as archive, _reading():
        infos = archive.infolist()
        info = infos[member.position] if member.position < len(infos) else None
        # Its name is in whatever encoding the listing was read in.
        if info is None or info.file_size != member.size_bytes or info.is_dir():
            raise PreviewFailed(_NO_FILE)
        if info.flag_bits & _IS_ENCRYPTED:
            raise PreviewFailed("This member is encrypted: it takes a password to read it.")
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2):
            # LZMA would take as much memory as the file says.
            raise PreviewFailed("This member is compressed in a way that is not read here.")
        with archive.open(info) as content:
            while piece := content.read(PIECE_BYTES):
                yield piece


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (*BROKEN, BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise PreviewFailed("This member of the archive is broken.") from error


def _unmarked_name(info: ZipInfo) -> bytes:
    if info.filename.isascii() or info.flag_bits & _IS_UTF8:
        return b""
    # The library reads them as CP437, though programs write them as their system does.
    return info.filename.encode("cp437")


def _zipped_name(info: ZipInfo, encoding: str | None) -> str:
    name = _unmarked_name(info)
    return encodings.decode(name, encoding) if name and encoding else info.filename
