"""Arrays of 32-bit numbers in the formats of NumPy and of safetensors."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random

from flowtui.demo.written.archives import zipped

_NPY_ALIGNED = 64
"""The header of an npy file is filled up to a multiple of this."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Numbers in rows, 32 bits each, in the machine's order of bytes made little-endian."""

    shape: tuple[int, ...]
    data: bytes


def drawn(rng: Random, shape: tuple[int, ...], spread: float) -> Tensor:
    """Return normally distributed numbers around 0."""
    numbers = array("f", (rng.gauss(0, spread) for _ in range(math.prod(shape))))
    return Tensor(shape, _little_endian(numbers))


def _little_endian(numbers: array[float]) -> bytes:
    if array("H", [1]).tobytes()[0] == 0:
        numbers.byteswap()
    return numbers.tobytes()


def npz(tensors: Mapping[str, Tensor], at: datetime) -> bytes:
    """Return an npz file: a ZIP file with an npy file for each array."""
    return zipped({f"{name}.npy": _npy(tensor) for name, tensor in tensors.items()}, at)


def _npy(tensor: Tensor) -> bytes:
    described = {"descr": "<f4", "fortran_order": False, "shape": tensor.shape}
    header = f"{described!r}".encode()
    start = b"\x93NUMPY\x01\x00"
    filled = -(len(start) + 2 + len(header) + 1) % _NPY_ALIGNED
    header += b" " * filled + b"\n"
    return start + len(header).to_bytes(2, "little") + header + tensor.data


def safetensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return a safetensors file: the length of a JSON header, the header, the numbers."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    position = 0
    for name, tensor in tensors.items():
        end = position + len(tensor.data)
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [position, end]}
        position = end
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)
    numbers = b"".join(tensor.data for tensor in tensors.values())
    return len(told).to_bytes(8, "little") + told + numbers
