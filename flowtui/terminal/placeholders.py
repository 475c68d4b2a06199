"""Pictures in cells: kitty's Unicode placeholders.

A picture is sent once, and shown wherever cells hold U+10EEEE. The colour of such a cell is the
number of the picture, and two marks on it say which row and column of the picture it is. So the
cells scroll, are covered and are drawn again as any others.
"""

from __future__ import annotations

import base64
import fcntl
import math
import os
import re
import struct
import termios
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from flowtui.terminal.session import Session

if TYPE_CHECKING:
    from flowtui.previews.values import Picture

PLACEHOLDER = "\U0010eeee"
_RANGES = (
    "0305 030D-030E 0310 0312 033D-033F 0346 034A-034C 0350-0352 0357 035B 0363-036F 0483-0487"
    " 0592-0595 0597-0599 059C-05A1 05A8-05A9 05AB-05AC 05AF 05C4 0610-0617 0657-065B 065D-065E"
    " 06D6-06DC 06DF-06E2 06E4 06E7-06E8 06EB-06EC 0730 0732-0733 0735-0736 073A 073D 073F-0741"
    " 0743 0745 0747 0749-074A 07EB-07F1 07F3 0816-0819 081B-0823 0825-0827 0829-082D 0951"
    " 0953-0954 0F82-0F83 0F86-0F87 135D-135F 17DD 193A 1A17 1A75-1A7C 1B6B 1B6D-1B73 1CD0-1CD2"
    " 1CDA-1CDB 1CE0 1DC0-1DC1 1DC3-1DC9 1DCB-1DCC 1DD1-1DE6 1DFE 20D0-20D1 20D4-20D7 20DB-20DC"
    " 20E1 20E7 20E9 20F0 2CEF-2CF1 2DE0-2DFF A66F A67C-A67D A6F0-A6F1 A8E0-A8F1 AAB0 AAB2-AAB3"
    " AAB7-AAB8 AABE-AABF AAC1 FE20-FE26 10A0F 10A38 1D185-1D189 1D1AA-1D1AD 1D242-1D244"
)


def _marks() -> Iterator[str]:
    for part in _RANGES.split():
        first, _, last = part.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))


QUERY = "\x1b_Gi=1,a=q,U=1,s=1,v=1,t=d,f=24;AAAA\x1b\\"
"""Asks whether the terminal has placeholders: kitty before 0.28 does not answer, nor does mosh."""
MARKS = "".join(_marks())
"""The marks for the numbers from 0 on: those above of Unicode 6.0 that are never composed."""
USUAL_CELL_PX = 10, 20
MOST_PX, MOST_PX_FAR = 1_200_000, 300_000
"""How many pixels a picture has at most, here and over SSH, where what is drawn meanwhile waits
behind all that the link still holds."""
MOST_CHARS, MOST_CHARS_FAR = 6_000_000, 600_000
"""How much is sent of a picture at most; one that takes more stays in half cells."""
PIECE_CHARS = 16 * 4_096
"""How much is sent at a time, so that what is drawn meanwhile does not wait long."""
_CHUNK = 4_096
"""The most characters of base64 that the protocol allows in one sequence."""
_KNOWN_TERMS = ("xterm-kitty", "xterm-ghostty")
_BETWEEN = ("TMUX", "STY", "ZELLIJ", "NVIM", "VIM_TERMINAL", "INSIDE_EMACS")
"""Variables of programs that draw a terminal of their own and may leave TERM as it was."""


@cache
def _cell() -> re.Pattern[str]:
    # Most terminals never show one.
    return re.compile(f"{PLACEHOLDER}[{MARKS}]{{2}}")


def cells_of(text: str) -> list[str] | None:
    """Return the cells of a picture that a text is, None if there is anything else in it."""
    cells = _cell().findall(text)
    return cells if sum(map(len, cells)) == len(text) else None


def are_likely(environ: Mapping[str, str], wanted: str | None, here: Session) -> bool:
    """Say whether the terminal is of a kind that shows pictures in cells, so that it can be asked.

    Args:
        environ: The environment, which says what the terminal is.
        wanted: The protocol that the person says it has, in lower case, or `none`.
        here: The session.
    """
    from flowtui.terminal.pictures import Protocol, protocol

    if protocol(environ, wanted) is not Protocol.KITTY or here.is_monochrome or not here.is_utf8:
        return False
    return here.term in _KNOWN_TERMS and not any(environ.get(name) for name in _BETWEEN)


def cell_px(descriptor: int) -> tuple[int, int]:
    """Return the width and height of a cell in pixels, as the terminal says, or the usual ones."""
    try:
        said = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return USUAL_CELL_PX
    lines, columns, width, height = struct.unpack("HHHH", said)
    if not (lines and columns and width >= columns and height >= lines):
        return USUAL_CELL_PX
    return width // columns, height // lines


def box_px(
    columns: int, lines: int, cell: tuple[int, int], *, is_far: bool = False
) -> tuple[int, int]:
    """Return the most pixels that are worth sending for so many cells of a size in pixels."""
    width, height = columns * cell[0], lines * cell[1]
    most = MOST_PX_FAR if is_far else MOST_PX
    share = min(1.0, math.sqrt(most / max(width * height, 1)))
    return max(int(width * share), 1), max(int(height * share), 1)


class PlacedPicture(NamedTuple):
    """A picture as it is sent, with the cells that it is scaled to."""

    number: int
    """From 1 to 2^24 - 1: the colour of its cells."""
    columns: int
    lines: int
    pieces: tuple[str, ...]
    """What is sent, in whole sequences."""

    @property
    def removal(self) -> str:
        """What makes the terminal forget it."""
        return f"\x1b_Ga=d,d=I,q=2,i={self.number}\x1b\\"

    @property
    def breaking_off(self) -> str:
        """What ends it where not all of it was sent."""
        return "\x1b_Gq=2,m=0;\x1b\\"

    @property
    def colour(self) -> tuple[int, int, int]:
        return self.number >> 16, self.number >> 8 & 255, self.number & 255

    def cell(self, line: int, column: int) -> str:
        return f"{PLACEHOLDER}{MARKS[line]}{MARKS[column]}"


def placed(
    picture: Picture, columns: int, lines: int, *, is_far: bool = False
) -> PlacedPicture | None:
    """Return a picture to send for so many cells.

    None if it is too much to send, or if there are more cells than can be numbered.
    """
    from flowtui.terminal.pictures import png

    if not (0 < columns <= len(MARKS) and 0 < lines <= len(MARKS)):
        return None
    # Other programs have pictures of their own, so it is drawn by lot; it must not be 0.
    number = int.from_bytes(os.urandom(3), "big") | 0x010101
    data = base64.b64encode(png(picture)).decode()
    if len(data) > (MOST_CHARS_FAR if is_far else MOST_CHARS):
        return None
    keys = f"a=T,U=1,q=2,f=100,i={number},c={columns},r={lines},"
    sequences = []
    for at in range(0, len(data), _CHUNK):
        more = int(at + _CHUNK < len(data))
        sequences.append(f"\x1b_G{'q=2,' if at else keys}m={more};{data[at : at + _CHUNK]}\x1b\\")
    count = PIECE_CHARS // _CHUNK
    pieces = ("".join(sequences[at : at + count]) for at in range(0, len(sequences), count))
    return PlacedPicture(number, columns, lines, tuple(pieces))
