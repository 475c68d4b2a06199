"""Bytes, for whatever cannot be shown in another way."""

from __future__ import annotations

from typing import BinaryIO

from flowtui.previews import files
from flowtui.previews.values import HexPage, HexRow, Part, Request

PAGE_BYTES = 64 * 1024
_WIDE_CELLS = 76
"""How wide `line` makes 16 bytes."""


def page(file: BinaryIO, request: Request) -> HexPage:
    """Return rows of 16 bytes, or of 8 where the pane is too narrow for that."""
    size = files.size_of(file)
    row_bytes = 16 if request.width >= _WIDE_CELLS else 8
    wanted = max(min(request.count * row_bytes, PAGE_BYTES), row_bytes)
    start = size - wanted if request.is_last else request.position
    start = max(start - start % row_bytes, 0)
    if request.is_last:
        wanted = min(wanted + row_bytes, size - start)
    data = files.read_at(file, start, wanted)
    rows = [
        HexRow(start + offset, data[offset : offset + row_bytes])
        for offset in range(0, len(data), row_bytes)
    ]
    end = start + len(data)
    part = Part("byte", start, len(data), size, end if end < size and data else None, start)
    return HexPage(tuple(rows), row_bytes, part)


def line(row: HexRow, row_bytes: int = 16) -> str:
    """Return one row as text: its position, its bytes, and those of them that are ASCII."""
    groups = [row.data[n : n + 8].hex(" ") for n in range(0, row_bytes, 8)]
    shown = "  ".join(f"{group:<23}" for group in groups)
    letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row.data)
    return f"{row.position:08x}  {shown}  {letters}"
