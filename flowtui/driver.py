"""A terminal driver that says everything once: it counts bytes on the wire.

Textual ends every piece of text with a reset and begins the next with a full set of colours. This
driver keeps what the terminal's colours are and sends only what differs, about half of the bytes
of a full screen. It also stands in ASCII for every other character where the locale has no UTF-8.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from textual.drivers.linux_driver import LinuxDriver

from flowtui.terminal import session

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_SEQUENCE = re.compile(r"(\x1b\[[0-9;:]*m)")
_SET = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 7: 27, 8: 28, 9: 29, 21: 24, 53: 55}
"""Attributes and the code that ends each."""

ASCII = str.maketrans(
    {
        "─": "-", "━": "-", "│": "|", "┃": "|", "┊": ":", "╷": "|", "┌": "+", "┐": "+", "└": "+",
        "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+", "╭": "+", "╮": "+", "╰": "+",
        "╯": "+", "▕": "|", "▏": "|", "▎": "|", "▌": "|", "▐": "|", "█": "#", "▉": "#", "▊": "#",
        "▁": "_", "▂": ".", "▃": ".", "▄": "-", "▅": "-", "▆": "=", "▇": "=", "▀": "#", "▔": "-",
        "✓": "+", "✗": "x", "●": "*", "○": "o", "◆": "*", "★": "*", "▲": "!", "▸": ">", "▾": "v",
        "↑": "^", "↓": "v", "←": "<", "→": ">", "↵": "$", "⏎": "$", "…": "~", "·": ".", "×": "x",
        "‹": "<", "›": ">", "«": "<", "»": ">", "–": "-", "—": "-", "“": '"', "”": '"', "‘": "'",
        "’": "'", "µ": "u", "°": "o", "✎": "*", "•": "*", "\u00a0": " ",
    }
)  # fmt: skip


class Look(NamedTuple):
    """The colours and attributes that text is drawn with; codes as SGR takes them."""

    attributes: frozenset[int] = frozenset()
    foreground: str = ""
    background: str = ""


PLAIN = Look()


class Thrift:
    """Rewrites what goes to a terminal, piece by piece, so that it looks the same with fewer bytes.

    A colour or attribute is sent only when something that it shows on is about to be sent.
    """

    def __init__(self, is_utf8: bool = True) -> None:
        self._is_utf8 = is_utf8
        self._wire = PLAIN
        self._wanted = PLAIN

    def filter(self, data: str) -> str:
        """Return what to send in place of `data`; sequences must be whole."""
        is_sent_as_it_is = self._is_utf8 or data.isascii()
        if "\x1b" not in data and self._wire == self._wanted and is_sent_as_it_is:
            return data
        out: list[str] = []
        for part in _SEQUENCE.split(data):
            if not part:
                continue
            if _SGR.fullmatch(part):
                self._wanted = changed(self._wanted, part[2:-1])
                continue
            if self._wire != self._wanted:
                out.append(transition(self._wire, self._wanted))
                self._wire = self._wanted
            out.append(part if self._is_utf8 or part.isascii() else in_ascii(part))
        return "".join(out)

    def reset(self) -> str:
        """Return what gives the terminal its own colours back, for whoever writes next."""
        self._wanted = self._wire = PLAIN
        return "\x1b[0m"


class ThriftyDriver(LinuxDriver):
    """Textual's own driver for Unix terminals, with fewer bytes."""

    # LinuxDriver asks for every movement of the mouse; nothing here needs more than drags.
    _ANY_MOTION = "\x1b[?1003h"
    _DRAGS = "\x1b[?1002h"

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # handed through as they are
        self._thrift = Thrift(session(os.environ).is_utf8)

    def write(self, data: str) -> None:
        if filtered := self._thrift.filter(data.replace(self._ANY_MOTION, self._DRAGS)):
            super().write(filtered)

    def stop_application_mode(self) -> None:
        super().write(self._thrift.reset())
        super().stop_application_mode()

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse:
            self.write("\x1b[?1002l")


@lru_cache(maxsize=4096)
def changed(look: Look, codes: str) -> Look:
    """Return what a look becomes by one SGR sequence (ECMA-48, 8.3.117; ITU T.416 colours)."""
    attributes, foreground, background = look
    rest = (codes or "0").split(";")
    while rest:
        given = rest.pop(0)
        code = int(given.partition(":")[0] or 0)
        if code == 0:
            attributes, foreground, background = PLAIN
        elif code in (38, 48):
            # T.416 keeps a colour in one parameter; the older way spreads it over the next ones.
            taken = 0 if ":" in given else 4 if rest[:1] == ["2"] else 2
            color = ";".join([given, *rest[:taken]])
            rest = rest[taken:]
            foreground, background = (color, background) if code == 38 else (foreground, color)
        elif 30 <= code <= 37 or 90 <= code <= 97 or code == 39:
            foreground = "" if code == 39 else str(code)
        elif 40 <= code <= 47 or 100 <= code <= 107 or code == 49:
            background = "" if code == 49 else str(code)
        elif code in _SET:
            attributes |= {code}
        else:
            attributes = frozenset(item for item in attributes if _SET[item] != code)
    return Look(attributes, foreground, background)


@lru_cache(maxsize=4096)
def transition(old: Look, new: Look) -> str:
    """Return the shortest sequence that takes a terminal from one look to another."""
    if new == PLAIN:
        return "\x1b[m"
    kept = old.attributes & new.attributes
    ended = {_SET[item] for item in old.attributes - new.attributes}
    # Bold and dim end together, so one that stays is set again.
    kept = frozenset(item for item in kept if _SET[item] not in ended)
    codes = [str(code) for code in sorted(ended)]
    codes += [str(code) for code in sorted(new.attributes - kept)]
    if new.foreground != old.foreground:
        codes.append(new.foreground or "39")
    if new.background != old.background:
        codes.append(new.background or "49")
    afresh = ["0", *(str(code) for code in sorted(new.attributes))]
    afresh += [color for color in (new.foreground, new.background) if color]
    return f"\x1b[{min(';'.join(codes), ';'.join(afresh), key=len)}m"


def in_ascii(text: str) -> str:
    """Return text of the same width in cells with an ASCII stand-in for every other character."""
    translated = text.translate(ASCII)
    if translated.isascii():
        return translated
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in translated)
