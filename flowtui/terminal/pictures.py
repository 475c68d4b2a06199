"""Pictures in full resolution, in the graphics protocol of the terminal.

The environment says which protocol that is: a terminal's late answer to a query would be taken for
keys.
"""

from __future__ import annotations

import base64
import struct
import subprocess
import zlib
from collections.abc import Iterator, Mapping
from enum import StrEnum

from flowtui.previews.values import Picture
from flowtui.terminal.session import TMUX_TIMEOUT_S, Session

TMUX_LINE = "set -g allow-passthrough on"
_CHUNK = 4096
"""The most characters of base64 that kitty's protocol allows in one sequence."""
_SIXEL_TERMS = ("foot", "mlterm", "contour", "yaft")
_SIXEL_LEVELS = 6
"""Levels of red, green and blue: they make 216 colours, which every sixel terminal can hold."""


class Protocol(StrEnum):
    """How a picture is sent to a terminal."""

    KITTY = "kitty"
    ITERM = "iTerm2"
    SIXEL = "sixel"


def protocol(environ: Mapping[str, str], wanted: str | None = None) -> Protocol | None:
    """Return the protocol that the terminal is known to have, None if there is none.

    Args:
        environ: The environment, which says what the terminal is.
        wanted: The protocol that the person says it has, in lower case, or `none`.
    """
    if wanted is not None:
        return next((one for one in Protocol if one.lower() == wanted), None)
    program = environ.get("TERM_PROGRAM", "")
    term = environ.get("TERM", "")
    if "KITTY_WINDOW_ID" in environ or term in ("xterm-kitty", "xterm-ghostty"):
        return Protocol.KITTY
    if program == "ghostty" or "GHOSTTY_RESOURCES_DIR" in environ:
        return Protocol.KITTY
    lc_terminal = environ.get("LC_TERMINAL", "")
    if program in ("iTerm.app", "WezTerm") or lc_terminal == "iTerm2" or "WEZTERM_PANE" in environ:
        return Protocol.ITERM
    if environ.get("KONSOLE_VERSION", "").isdigit():
        return Protocol.KITTY if int(environ["KONSOLE_VERSION"]) >= 220400 else None
    return Protocol.SIXEL if term.startswith(_SIXEL_TERMS) else None


def passes_through(here: Session) -> bool:
    """Say whether tmux or screen, if either runs, passes pictures on to the terminal."""
    if here.is_screen:
        return False
    if not here.is_tmux:
        return True
    try:
        done = subprocess.run(
            ["tmux", "show-options", "-Apv", "allow-passthrough"],
            capture_output=True,
            timeout=TMUX_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() in (b"on", b"all")


def encoded(picture: Picture, by: Protocol, is_tmux: bool) -> bytes:
    """Return the bytes that show a picture at the terminal's cursor."""
    match by:
        case Protocol.KITTY:
            parts = list(_kitty(picture))
        case Protocol.ITERM:
            data = base64.b64encode(png(picture))
            parts = [b"\x1b]1337;File=inline=1;size=%d:%b\x07" % (len(data) * 3 // 4, data)]
        case Protocol.SIXEL:
            parts = [_sixel(picture)]
    if is_tmux:
        parts = [b"\x1bPtmux;" + part.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\" for part in parts]
    return b"".join(parts)


def png(picture: Picture) -> bytes:
    """Return a picture as a PNG file."""
    stride = picture.width_px * 3
    rows = b"".join(
        b"\0" + picture.rgb[at : at + stride] for at in range(0, len(picture.rgb), stride)
    )
    header = struct.pack(">IIBBBBB", picture.width_px, picture.height_px, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _kitty(picture: Picture) -> Iterator[bytes]:
    data = base64.b64encode(png(picture))
    for at in range(0, len(data), _CHUNK):
        more = int(at + _CHUNK < len(data))
        # q=2 asks for no answer: one would be taken for keys.
        keys = b"f=100,a=T,q=2,m=%d" % more if at == 0 else b"m=%d" % more
        yield b"\x1b_G" + keys + b";" + data[at : at + _CHUNK] + b"\x1b\\"


def _sixel(picture: Picture) -> bytes:
    """Return a picture in bands of six rows, each band drawn once for each of its colours."""
    step = 255 / (_SIXEL_LEVELS - 1)
    level = bytes(round(value / step) for value in range(256))
    reduced = picture.rgb.translate(level)
    width = picture.width_px
    weights = zip(reduced[::3], reduced[1::3], reduced[2::3], strict=True)
    pixels = bytes(red * 36 + green * 6 + blue for red, green, blue in weights)
    out = bytearray(b'\x1bPq"1;1;%d;%d' % (width, picture.height_px))
    for number in range(_SIXEL_LEVELS**3):
        shares = [part * 100 // (_SIXEL_LEVELS - 1)
                  for part in (number // 36, number // 6 % 6, number % 6)]  # fmt: skip
        out += b"#%d;2;%d;%d;%d" % (number, *shares)
    for top in range(0, picture.height_px, 6):
        rows = [
            pixels[y * width : (y + 1) * width] for y in range(top, min(top + 6, picture.height_px))
        ]
        for colour in sorted(set(b"".join(rows))):
            out += b"#%d" % colour + _band(rows, colour, width) + b"$"
        out += b"-"
    return bytes(out + b"\x1b\\")


def _band(rows: list[bytes], colour: int, width: int) -> bytes:
    bits = bytearray(width)
    for number, row in enumerate(rows):
        at = row.find(colour)
        while at >= 0:
            bits[at] |= 1 << number
            at = row.find(colour, at + 1)
    out = bytearray()
    start = 0
    for at in range(1, width + 1):
        if at == width or bits[at] != bits[start]:
            count, char = at - start, bits[start] + 63
            out += b"!%d%c" % (count, char) if count > 3 else bytes([char]) * count
            start = at
    return bytes(out)
