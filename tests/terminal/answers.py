"""What a capable terminal says when it is asked: modes, keyboard, device, colours, size."""

from __future__ import annotations

import re
from collections.abc import Callable

_ASKED = re.compile(
    rb"\x1b\[\?(?P<mode>\d+)\$p|\x1b\[\?2048(?P<reports>[hl])|\x1b\[\?(?P<keyboard>u)"
    rb"|\x1b\[(?P<device>0?c)|\x1b\[(?P<status>5n)|\x1b\[(?P<place>6n)|\x1b\](?P<color>1[01]);\?\x07"
)
_LONGEST_ASKED = 12
_KNOWN_MODES = (b"2026", b"2048")
_CELL_PIXELS = (8, 16)
DEVICE = b"\x1b[?62;22c"
"""Says that it is a VT220 with colours."""
GROUND = b"\x1b]11;rgb:0000/0000/0000\x1b\\"
"""Says what its background is."""


class Answers:
    """Reads what is sent to a terminal and returns what the terminal sends back."""

    def __init__(self, size: Callable[[], tuple[int, int]]) -> None:
        """Takes `size`, which returns columns and lines as they are now."""
        self._get_size = size
        self._tail = b""
        self._reports_size = False

    def to(self, data: bytes) -> bytes:
        """Return the answers to the questions in some bytes, which may end within one."""
        data = self._tail + data
        answers, end = [], 0
        for asked in _ASKED.finditer(data):
            end = asked.end()
            answers.append(self._answer(asked))
        self._tail = data[max(end, len(data) - _LONGEST_ASKED) :]
        return b"".join(answers)

    def size_report(self) -> bytes:
        """Return what is sent when the size has changed: a report, if those were asked for."""
        if not self._reports_size:
            return b""
        columns, lines = self._get_size()
        width, height = _CELL_PIXELS
        return b"\x1b[48;%d;%d;%d;%dt" % (lines, columns, lines * height, columns * width)

    def _answer(self, asked: re.Match[bytes]) -> bytes:
        if mode := asked["mode"]:
            return b"\x1b[?%s;%d$y" % (mode, 2 if mode in _KNOWN_MODES else 0)
        if asked["reports"]:
            self._reports_size = asked["reports"] == b"h"
            return self.size_report()
        if asked["color"]:
            return GROUND.replace(b"11", asked["color"], 1)
        fixed = {"keyboard": b"\x1b[?0u", "device": DEVICE, "status": b"\x1b[0n"}
        return fixed.get(str(asked.lastgroup), b"\x1b[1;1R")
