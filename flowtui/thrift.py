"""Says everything to a terminal once: keeps what its cells show and sends only what differs.

Textual repaints whole lines and screens, each piece of text between a full set of colours and a
reset. On a slow link that is felt. What is sent here is a third of it or less, and draws the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len

_SET = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 7: 27, 8: 28, 9: 29, 21: 24, 53: 55}
"""Attributes and the code that ends each."""
_ON_BLANKS = frozenset((4, 5, 7, 9, 21, 53))
"""Those that show where there is no character."""
_TOKEN = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"
    r"|\x1b\[(?P<row>\d+);(?P<column>\d+)H"
    r"|(?P<newline>\r?\n)"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    # Mouse, paste, focus, cursor, wrap, synchronized output, keyboard; their queries; title,
    # pointer shape, clipboard.
    r"|(?P<unseen>\x1b\[\?(?:7|25|10\d\d|20\d\d)(?:[hl]|\$p)(?<!10[4-9]\d[hl])|\x1b\[[<>]\d*u"
    r"|\x1b\](?:0|2|22|52);[^\x07\x1b]*(?:\x07|\x1b\\))"
    r"|(?P<other>\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|.)",
    re.DOTALL,
)


class Look(NamedTuple):
    """The colours and attributes that text is drawn with; codes as SGR takes them."""

    attributes: frozenset[int] = frozenset()
    foreground: str = ""
    background: str = ""


PLAIN = Look()
MOVE_BYTES = 4
"""What it takes to step over cells of a line; so few are as well sent again."""
Cell = tuple[str, Look]
Place = tuple[int, int]
"""Line and column, from 0."""
_RIGHT_HALF: Cell = ("", PLAIN)
"""Stands behind a character that is two cells wide."""


class Thrift:
    """Rewrites what goes to a terminal so that it draws the same with fewer bytes.

    It trusts its picture of the screen only as far as every terminal draws alike: after sequences
    that it does not know, a change of size, or characters of disputed width, it sends things as
    they come.
    """

    def __init__(
        self,
        size: Callable[[], tuple[int, int]],
        is_utf8: bool = True,
        is_monochrome: bool = False,
    ) -> None:
        """Begins with a screen of which nothing is known.

        Args:
            size: returns the terminal's columns and lines as they are now.
            is_utf8: whether the terminal takes more than ASCII.
            is_monochrome: whether colours are left out, and only attributes are sent.
        """
        self._is_monochrome = is_monochrome
        self._get_size = size
        self._is_utf8 = is_utf8
        self._size = (0, 0)
        self._cells: list[list[Cell | None]] = []
        self._wanted = self._wire = PLAIN
        self._place: Place | None = None
        self._wire_place: Place | None = None
        self._out: list[str] = []

    def filter(self, data: str) -> str:
        """Return what to send in place of `data`; sequences must be whole."""
        if (size := self._get_size()) != self._size:
            self._size = size
            self.forget()
        for token in _TOKEN.finditer(data):
            if token["sgr"] is not None:
                self._take_look(token["sgr"])
            elif token["row"]:
                self._place = (int(token["row"]) - 1, int(token["column"]) - 1)
            elif token["text"]:
                self._draw(token["text"])
            elif token["newline"] and self._place and self._place[0] + 1 < self._size[1]:
                self._place = (self._place[0] + 1, 0)
            elif token["unseen"]:
                self._out.append(token["unseen"])
            else:
                self._send(token[0])
                self.forget()
        self._move()
        return self._taken()

    def skip(self, data: str) -> str:
        """Return what to send in place of `data` if what it draws is to be drawn later.

        Its text is not sent, and taken for not sent: all of it must be drawn again.
        """
        for token in _TOKEN.finditer(data):
            if token["sgr"] is not None:
                self._take_look(token["sgr"])
            elif token["unseen"]:
                self._out.append(token["unseen"])
            elif token["other"]:
                self._out.append(token["other"])
                self.forget()
        self._place = None
        return self._taken()

    def _take_look(self, codes: str) -> None:
        self._wanted = changed(self._wanted, codes)
        if self._is_monochrome:
            self._wanted = Look(self._wanted.attributes)

    def _taken(self) -> str:
        sent = "".join(self._out)
        self._out.clear()
        return sent

    def reset(self) -> str:
        """Return what gives the terminal its own colours back, for whoever writes next."""
        self._wanted = self._wire = PLAIN
        return "\x1b[0m"

    def forget(self) -> None:
        """Take nothing on the screen for known; all that is drawn from now on is sent."""
        columns, lines = self._size
        self._cells = [[None] * columns for _ in range(lines)]
        self._place = self._wire_place = None

    def _draw(self, text: str) -> None:
        if not (self._is_utf8 or text.isascii()):
            text = in_ascii(text)
        widths = None if text.isascii() else [_sure_width(char) for char in text]
        columns, lines = self._size
        length = len(text) if widths is None else sum(widths)
        is_sure = widths is None or 0 not in widths
        if self._place is None:
            self._send(text)
            return
        line, column = self._place
        if line >= lines or column + length > columns:
            self._send(text)
            self.forget()
        elif not is_sure:
            self._send(text)
            self._cells[line] = [None] * columns
            self._place = self._wire_place = None
        else:
            self._draw_cells(text, widths, line, column)

    def _draw_cells(self, text: str, widths: list[int] | None, line: int, column: int) -> None:
        cells = self._cells[line]
        look = self._wanted
        blank = on_blank(look)
        gap_from = len(text)
        for index, char in enumerate(text):
            width = 1 if widths is None else widths[index]
            cell = (char, blank if char == " " else look)
            if cells[column] != cell:
                self._place = (line, column)
                gap = text[gap_from:index]
                if gap and len(gap.encode()) <= MOVE_BYTES and self._wire == look:
                    self._out.append(gap)
                    self._wire_place = self._place
                if char == " " and on_blank(self._wire) == blank:
                    # It looks the same in whatever colour the text before it had.
                    self._move()
                    self._out.append(char)
                else:
                    self._send(char)
                self._wire_place = (line, column + width)
                _put(cells, column, width, cell)
                gap_from = index + 1
            column += width
        self._place = (line, column)

    def _send(self, text: str) -> None:
        self._move()
        if self._wire != self._wanted:
            self._out.append(transition(self._wire, self._wanted))
            self._wire = self._wanted
        self._out.append(text)

    def _move(self) -> None:
        """Bring the terminal's cursor to where it is wanted."""
        if self._place is None or self._place == self._wire_place:
            return
        line, column = self._place
        way = f"\x1b[{line + 1};{column + 1}H"
        if self._wire_place is not None:
            from_line, from_column = self._wire_place
            if line == from_line and column > from_column:
                way = f"\x1b[{column - from_column}C"
            elif line == from_line + 1 and column == 0:
                # Textual leaves the tty's output processing on, which puts the CR before it.
                way = "\n"
        self._out.append(way)
        self._wire_place = self._place


def _put(cells: list[Cell | None], column: int, width: int, cell: Cell) -> None:
    """Write a character into a line of cells; of a wide one that is cut nothing is sure."""
    end = column + width
    if cells[column] == _RIGHT_HALF:
        cells[column - 1] = None
    if end < len(cells) and cells[end] == _RIGHT_HALF:
        cells[end] = None
    cells[column] = cell
    if width == 2:
        cells[column + 1] = _RIGHT_HALF


@lru_cache(maxsize=4096)
def _sure_width(char: str) -> int:
    """Return how many cells a character takes on every terminal, 0 where they differ."""
    if unicodedata.category(char) in ("Mn", "Me", "Mc", "Cf", "Cs", "Cn", "Sk"):
        return 0
    width = cell_len(char)
    # Pictures join with what follows, and older terminals draw them narrow.
    is_picture = ord(char) >= 0x1F000 or (width == 2 and unicodedata.category(char) == "So")
    return 0 if is_picture and ord(char) < 0x20000 else width


@lru_cache(maxsize=4096)
def on_blank(look: Look) -> Look:
    """Return what of a look shows on a blank: its ground, and lines in the colour of the text."""
    attributes = look.attributes & _ON_BLANKS
    return Look(attributes, look.foreground if attributes else "", look.background)


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


ASCII = str.maketrans(
    {
        "─": "-", "━": "-", "│": "|", "┃": "|", "┊": ":", "╷": "|", "┌": "+", "┐": "+", "└": "+",
        "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+", "╭": "+", "╮": "+", "╰": "+",
        "╯": "+", "▕": "|", "▏": "|", "▎": "|", "▌": "|", "▐": "|", "█": "#", "▉": "#", "▊": "#",
        "▁": "_", "▂": ".", "▃": ".", "▄": "-", "▅": "-", "▆": "=", "▇": "=", "▀": "'", "▔": "-",
        "▘": "'", "▝": "'", "▖": ".", "▗": ".", "▚": "\\", "▞": "/", "▙": "#", "▛": "#", "▜": "#",
        "▟": "#",
        "✓": "+", "✗": "x", "●": "*", "○": "o", "◆": "*", "★": "*", "▲": "!", "▸": ">", "▾": "v",
        "↑": "^", "↓": "v", "←": "<", "→": ">", "↵": "$", "⏎": "$", "…": "~", "·": ".", "×": "x",
        "‹": "<", "›": ">", "«": "<", "»": ">", "–": "-", "—": "-", "“": '"', "”": '"', "‘": "'",
        "’": "'", "µ": "u", "°": "o", "✎": "*", "•": "*", "\u00a0": " ",
    }
)  # fmt: skip

_JOINED = re.compile("\u200d.?")


def in_ascii(text: str) -> str:
    """Return text of the same width in cells with an ASCII stand-in for every other character."""
    translated = text.translate(ASCII)
    if translated.isascii():
        return translated
    # What is joined to another character takes no room of its own.
    translated = _JOINED.sub("", translated)
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in translated)
