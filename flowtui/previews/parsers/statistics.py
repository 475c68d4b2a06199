"""Statistics of the arrays of a file, read in pieces; nothing in the file is ever unpickled."""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias
from zipfile import BadZipFile, ZipFile

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = "arrays"
LIBRARIES = ("numpy",)
PIECE_BYTES = 4_000_000
MAX_HEADER_BYTES = 8_000_000
_SAFETENSORS = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "U16": "<u2", "F16": "<f2", "BF16": "bf16",
    "I32": "<i4", "U32": "<u4", "F32": "<f4", "I64": "<i8", "U64": "<u8", "F64": "<f8",
}  # fmt: skip
_BROKEN = (OSError, ValueError, KeyError, TypeError, BadZipFile, zlib.error, RuntimeError, EOFError)
_NumpyArray: TypeAlias = Any


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return [least, largest, mean, how many are NaN] as texts by the name of each wanted array.

    An array is not among them if its type has no numbers, or if the time was over before it.
    """
    names, kind, seconds = arguments["names"], arguments["kind"], arguments["seconds"]
    assert isinstance(names, list)
    assert isinstance(seconds, (int, float))
    wanted = {str(name) for name in names}
    end = time.monotonic() + seconds
    read = {"NPY": _npy, "NPZ": _npz, "SAFETENSORS": _safetensors}[str(kind)]
    found: dict[str, list[str]] = {}
    with path.open("rb") as file:
        try:
            for name, stream, dtype, size in read(file, wanted):
                sums = _Sums(dtype)
                if not _take(stream, sums, size, end):
                    break
                found[name] = sums.texts()
        except _BROKEN as error:
            if not found:
                raise PreviewFailed("The numbers of the file cannot be read.") from error
    return {}, json.dumps(found).encode()


def _take(stream: IO[bytes], sums: _Sums, size: int, end: float) -> bool:
    """Add up an array; say whether it was read whole."""
    while size:
        if time.monotonic() > end:
            return False
        data = stream.read(min(PIECE_BYTES - PIECE_BYTES % sums.item_bytes, size))
        if not data or len(data) % sums.item_bytes:
            raise EOFError
        sums.add(data)
        size -= len(data)
    return True


class _Sums:
    """What is known of numbers that come in pieces."""

    def __init__(self, dtype: str) -> None:
        import numpy

        self._is_bf16 = dtype == "bf16"
        self._dtype = numpy.dtype("<u2" if self._is_bf16 else dtype)
        self.item_bytes = self._dtype.itemsize
        self._least: float | int | None = None
        self._largest: float | int | None = None
        self._sum = 0.0
        self._count = self._nans = 0

    def add(self, data: bytes) -> None:
        import numpy

        values = numpy.frombuffer(data, self._dtype)
        if self._is_bf16:
            # Its bits are the upper half of those of float32.
            values = (values.astype("<u4") << 16).view("<f4")
        if values.dtype.kind == "f":
            is_nan = numpy.isnan(values)
            nans = int(is_nan.sum())
            self._nans += nans
            values = values[~is_nan] if nans else values
        if not values.size:
            return
        self._count += values.size
        with numpy.errstate(all="ignore"):
            self._sum += float(values.sum(dtype="f8"))
        low, high = values.min().item(), values.max().item()
        self._least = low if self._least is None else min(low, self._least)
        self._largest = high if self._largest is None else max(high, self._largest)

    def texts(self) -> list[str]:
        mean = self._sum / self._count if self._count else math.nan
        least, largest = (_text(value) for value in (self._least, self._largest))
        return [least, largest, f"{mean:.6g}" if self._count else "", f"{self._nans:,}"]


def _text(value: float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(int(value))


_Found: TypeAlias = Iterator[tuple[str, IO[bytes], str, int]]


def _safetensors(file: IO[bytes], wanted: set[str]) -> _Found:
    length = int.from_bytes(file.read(8), "little")
    if length > MAX_HEADER_BYTES:
        raise ValueError
    header = json.loads(file.read(length))
    for name, entry in header.items():
        dtype = _SAFETENSORS.get(entry["dtype"]) if name in wanted else None
        if dtype is not None:
            first, last = entry["data_offsets"]
            file.seek(8 + length + int(first))
            yield name, file, dtype, int(last) - int(first)


def _npy(file: IO[bytes], wanted: set[str]) -> _Found:
    dtype, size = _header(file)
    if dtype:
        yield "", file, dtype, size


def _npz(file: IO[bytes], wanted: set[str]) -> _Found:
    with ZipFile(file) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in wanted:
                with archive.open(info) as stream:
                    dtype, size = _header(stream)
                    if dtype:
                        yield name, stream, dtype, size


def _header(stream: IO[bytes]) -> tuple[str, int]:
    """Return the type of an array and the size of its data; no type if it has no numbers."""
    from numpy.lib import format as npy

    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream, max_header_size=10_000)
    is_number = dtype.kind in "biuf" and not dtype.hasobject
    return dtype.str if is_number else "", math.prod(shape) * dtype.itemsize
