"""Keys as the bytes that a terminal sends for them."""

from __future__ import annotations

import re

_NAMED = {
    "enter": b"\r",
    "tab": b"\t",
    "shift+tab": b"\x1b[Z",
    "escape": b"\x1b",
    "backspace": b"\x7f",
    "space": b" ",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "insert": b"\x1b[2~",
    "delete": b"\x1b[3~",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "ctrl+backslash": b"\x1c",
    "ctrl+right_square_bracket": b"\x1d",
    "ctrl+at": b"\x00",
}
_CONTROL = re.compile(r"ctrl\+([a-z])")


def typed(key: str, character: str | None) -> bytes:
    """Return what a terminal sends for a key, nothing for one that it has no bytes for.

    Args:
        key: Its name.
        character: What it types, if it types anything.
    """
    if key in _NAMED:
        return _NAMED[key]
    if control := _CONTROL.fullmatch(key):
        return bytes([ord(control[1]) - ord("a") + 1])
    return character.encode("utf-8", "replace") if character and character.isprintable() else b""
