"""What is in a tar or ZIP file, by its headers alone; models of LUML are tars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO
from zipfile import ZipInfo

from flowtui.previews import encodings, files, zip_directory
from flowtui.previews.errors import PreviewCancelled, PreviewFailed
from flowtui.previews.values import Cancelled, Listing, Member, Part, Request
from flowtui.store import bounded_json
from flowtui.store.values import JsonValue

MAX_MANIFEST_BYTES = 1_000_000
MAX_NAME_BYTES = 64_000
MANIFEST = "manifest.json"
_BLOCK = 512
_TYPES = {b"0": "file", b"\0": "file", b"7": "file", b"5": "folder", b"1": "link", b"2": "link"}
_LONG_NAME = b"L"
_PAX = b"x"
_IS_UTF8 = 0x800
"""Flag of a member of a ZIP file."""
_OF_THE_NEXT = (_LONG_NAME, _PAX, b"K", b"g")


def tar(file: BinaryIO, request: Request, cancelled: Cancelled) -> Listing:
    """Return members of a tar from the one whose header is at `Request.position` on.

    Raises:
        PreviewFailed: there is no header at that place.
        PreviewCancelled: between two members.
    """
    size = files.size_of(file)
    members: list[Member] = []
    manifest: JsonValue = None
    end: int | None = None
    for member, data_at, after in _members(file, request.position):
        if cancelled():
            raise PreviewCancelled
        members.append(member)
        if member.name.removeprefix("./") == MANIFEST and member.size_bytes <= MAX_MANIFEST_BYTES:
            manifest, _ = bounded_json.parsed(
                files.read_at(file, data_at, member.size_bytes).decode("utf-8", "replace")
            )
        if len(members) >= request.count:
            end = (
                after
                if after < size and files.read_at(file, after, 1) not in (b"", b"\0")
                else None
            )
            break
    if not members and not request.position:
        raise PreviewFailed("The tar file is empty or broken.")
    first = request.index if request.position else 0
    total = None if end is not None or first is None else first + len(members)
    part = Part("member", first, len(members), total, end, request.position)
    return Listing(tuple(members), part, manifest)


def unmarked_names(file: BinaryIO) -> bytes:
    """Return the names in a ZIP file, a line each, that are not ASCII and not marked as UTF-8.

    Raises:
        PreviewFailed: the file is broken or its directory too large.
    """
    with zip_directory.opened(file) as archive:
        return b"\n".join(filter(None, map(_unmarked_name, archive.infolist())))


def zipped(file: BinaryIO, request: Request, encoding: str | None = None) -> Listing:
    """Return members of a ZIP file from number `Request.position` on.

    Args:
        file: it.
        request: which members.
        encoding: of those names that `unmarked_names` gives.

    Raises:
        PreviewFailed: the file is broken or its directory too large.
    """
    with zip_directory.opened(file) as archive:
        infos = archive.infolist()
    first = min(request.position, len(infos))
    if request.is_last:
        first = max(len(infos) - request.count, 0)
    shown = tuple(
        Member(_zipped_name(info, encoding), info.file_size, "folder" if info.is_dir() else "file")
        for info in infos[first : first + request.count]
    )
    end = first + len(shown)
    part = Part("member", first, len(shown), len(infos), end if end < len(infos) else None, first)
    return Listing(shown, part)


def _unmarked_name(info: ZipInfo) -> bytes:
    if info.filename.isascii() or info.flag_bits & _IS_UTF8:
        return b""
    # So the library reads them, though programs write what their system has.
    return info.filename.encode("cp437")


def _zipped_name(info: ZipInfo, encoding: str | None) -> str:
    name = _unmarked_name(info)
    return encodings.decode(name, encoding) if name and encoding else info.filename


def _members(file: BinaryIO, position: int) -> Iterator[tuple[Member, int, int]]:
    """Yield (member, where its data begins, where the next header is)."""
    long_name: str | None = None
    long_size: int | None = None
    while True:
        header = files.read_at(file, position, _BLOCK)
        if len(header) < _BLOCK or header[257:262] != b"ustar":
            return
        kind = header[156:157]
        size = _number(header[124:136])
        if size is None:
            return
        data_at = position + _BLOCK
        if kind in _OF_THE_NEXT:
            data = files.read_at(file, data_at, min(size, MAX_NAME_BYTES))
            if kind == _LONG_NAME:
                long_name = _text(data)
            elif kind == _PAX:
                long_name, long_size = _pax(data, long_name)
            position = data_at + _padded(size)
            continue
        member = Member(_name(header), size, _TYPES.get(kind, "other"))
        if long_size is not None:
            member = replace(member, size_bytes=long_size)
        if long_name is not None:
            member = replace(member, name=long_name)
        position = data_at + _padded(member.size_bytes if member.type == "file" else 0)
        yield member, data_at, position
        long_name = long_size = None


def _name(header: bytes) -> str:
    name, prefix = _text(header[:100]), _text(header[345:500])
    # GNU tar keeps times where POSIX has the beginning of a long path.
    is_posix = header[257:263] == b"ustar\0"
    return f"{prefix}/{name}" if prefix and is_posix else name


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(digits: bytes) -> int | None:
    if digits[0] & 0x80:
        value = int.from_bytes(digits, "big") & ((1 << 95) - 1)
        return value if value < 1 << 62 else None
    try:
        value = int(digits.strip(b" \0") or b"0", 8)
    except ValueError:
        return None
    return value if value >= 0 else None


def _pax(data: bytes, name: str | None) -> tuple[str | None, int | None]:
    """Return the path and size that an extended header gives."""
    size: int | None = None
    while data:
        length_text, _, rest = data.partition(b" ")
        if not length_text.isdigit() or len(length_text) > 6:
            break
        length = int(length_text)
        record, data = rest[: length - len(length_text) - 1], data[max(length, 1) :]
        key, _, value = record.rstrip(b"\n").partition(b"=")
        if key == b"path":
            name = value.decode("utf-8", "surrogateescape")
        elif key == b"size" and value.isdigit() and len(value) < 19:
            size = int(value)
    return name, size


def _padded(size: int) -> int:
    return (size + _BLOCK - 1) // _BLOCK * _BLOCK
