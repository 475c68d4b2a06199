"""Which arrays a file holds, by its headers alone."""

from __future__ import annotations

import json
import math
import re
import struct
import zlib
from dataclasses import replace
from typing import BinaryIO
from zipfile import BadZipFile

from flowtui.previews import files, isolated, zip_directory
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Array, Arrays, Mode, Opened, Part, Request
from flowtui.store.values import JsonValue

MAX_ARRAYS = 10_000
STATISTICS_S = 20.0
"""How long numbers are read; arrays that were not reached say so."""
MAX_HEADER_BYTES = 8_000_000
_NPY_MAGIC = b"\x93NUMPY"
_NPY_HEAD_BYTES = 10_000
_DESCR = re.compile(rb"'descr':\s*(?:'([^']*)'|(\[.*?\]))\s*,", re.DOTALL)
_SHAPE = re.compile(rb"'shape':\s*\(([\d,\sL]*)\)")
_ITEM_BYTES = re.compile(r"[<>|=]?([a-zA-Z])(\d+)")
_NUMPY_NAMES = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
_SAFETENSORS_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
}  # fmt: skip


def shown(opened: Opened, request: Request) -> Arrays:
    """Return the arrays of an npy, npz or safetensors file, from number `Request.position`.

    Raises:
        PreviewFailed: The headers are broken or too large.
    """
    file, kind = opened.file, opened.kind
    metadata: JsonValue = None
    if kind is PreviewKind.NPY:
        found = [_npy(files.read_at(file, 0, _NPY_HEAD_BYTES), "")]
    elif kind is PreviewKind.NPZ:
        found = _npz(file)
    else:
        found, metadata = _safetensors(file)
    count = min(request.count, MAX_ARRAYS)
    first = max(len(found) - count, 0) if request.is_last else min(request.position, len(found))
    some = tuple(found[first : first + count])
    if request.mode is Mode.STATISTICS:
        some = _with_statistics(opened, some)
    return Arrays(some, Part.numbered("array", first, len(some), len(found)), metadata)


def _with_statistics(opened: Opened, some: tuple[Array, ...]) -> tuple[Array, ...]:
    arguments: dict[str, JsonValue] = {
        "names": [array.name for array in some], "kind": opened.kind.name, "seconds": STATISTICS_S,
    }  # fmt: skip
    timeout_s = STATISTICS_S + isolated.TIMEOUT_S
    reply = isolated.ask(
        "statistics", opened.path, arguments, opened.cancelled, timeout_s, Mode.BEST
    )
    known = json.loads(reply.data)
    unread = ("not read", "", "", "")
    return tuple(replace(one, statistics=tuple(known.get(one.name, unread))) for one in some)


def _npy(head: bytes, name: str) -> Array:
    if not head.startswith(_NPY_MAGIC) or len(head) < 12:
        raise PreviewFailed("The array has no NumPy header.")
    layout, start = ("<H", 10) if head[6] == 1 else ("<I", 12)
    (length,) = struct.unpack_from(layout, head, 8)
    header = head[start : start + length]
    descr, shape = _DESCR.search(header), _SHAPE.search(header)
    if descr is None or shape is None:
        raise PreviewFailed("The NumPy header of the array is broken.")
    sizes = tuple(int(size) for size in re.findall(r"\d{1,18}", shape[1].decode("ascii")))
    dtype = (descr[1] or descr[2]).decode("latin-1")
    return _numpy_array(name, dtype, sizes)


def _numpy_array(name: str, dtype: str, shape: tuple[int, ...]) -> Array:
    match = _ITEM_BYTES.fullmatch(dtype)
    if match is None:
        return Array(name, dtype, shape, None)
    letter, item_bytes = match[1], int(match[2])
    if letter == "U":
        item_bytes *= 4
    named = dtype
    if letter in _NUMPY_NAMES:
        named = f"{_NUMPY_NAMES[letter]}{item_bytes * 8}"
    elif letter == "b":
        named = "bool"
    return Array(name, named, shape, math.prod(shape) * item_bytes)


def _npz(file: BinaryIO) -> list[Array]:
    found: list[Array] = []
    with zip_directory.opened(file) as archive:
        for info in archive.infolist()[:MAX_ARRAYS]:
            name = info.filename.removesuffix(".npy")
            try:
                with archive.open(info) as member:
                    found.append(_npy(member.read(_NPY_HEAD_BYTES), name))
            except (PreviewFailed, BadZipFile, RuntimeError, zlib.error):
                # Encrypted, cut off, or not an array: the others are still there.
                found.append(Array(name, "unreadable", (), info.file_size))
    return found


def _safetensors(file: BinaryIO) -> tuple[list[Array], JsonValue]:
    (length,) = struct.unpack("<Q", files.read_at(file, 0, 8))
    if length > MAX_HEADER_BYTES:
        raise PreviewFailed("The header of the file is too large to be shown.")
    try:
        header = json.loads(files.read_at(file, 8, length))
    except (ValueError, RecursionError) as error:
        raise PreviewFailed("The header of the file is broken.") from error
    if not isinstance(header, dict):
        raise PreviewFailed("The header of the file is broken.")
    metadata = header.pop("__metadata__", None)
    found = [_tensor(name, entry) for name, entry in header.items()]
    return found, metadata


def _tensor(name: str, entry: object) -> Array:
    match entry:
        case {"dtype": str(dtype), "shape": list(sizes)} if all(
            isinstance(size, int) for size in sizes
        ):
            bits = _SAFETENSORS_BITS.get(dtype)
            size_bytes = None if bits is None else math.prod(sizes) * bits // 8
            return Array(name, dtype, tuple(sizes), size_bytes)
    return Array(name, "unreadable", (), None)
