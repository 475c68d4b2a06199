"""How large a picture is, from its first bytes; nothing is decoded."""

from __future__ import annotations

import struct

_PNG, _GIF, _JPEG = b"\x89PNG\r\n\x1a\n", b"GIF8", b"\xff\xd8"
_WITHOUT_SIZE = (0xC4, 0xC8, 0xCC)
"""JPEG's segments that have numbers like those of frames: tables, and an extension."""


def pixel_size(head: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, GIF, JPEG or WebP; None where the bytes do not tell.

    A frame of a JPEG stands behind its metadata, so `head` may have to be some 100 KB.
    """
    try:
        if head.startswith(_PNG):
            width, height = struct.unpack_from(">II", head, 16)
        elif head.startswith(_GIF):
            width, height = struct.unpack_from("<HH", head, 6)
        elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            width, height = _webp(head)
        elif head.startswith(_JPEG):
            width, height = _jpeg(head)
        else:
            return None
    except (struct.error, IndexError):
        return None
    return (width, height) if width and height else None


def _webp(head: bytes) -> tuple[int, int]:
    match head[12:16]:
        case b"VP8X":
            low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", head, 24)
            return (high_w << 16 | low_w) + 1, (high_h << 16 | low_h) + 1
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", head, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(head: bytes) -> tuple[int, int]:
    at = 2
    while head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _WITHOUT_SIZE:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        # A byte of filling, or a marker that has no length.
        if marker == 0xFF:
            at += 1
        else:
            at += 2 + struct.unpack_from(">H", head, at + 2)[0]
    return 0, 0
