"""Says everything to a terminal once: keeps what its cells show and sends only what differs.

Textual repaints whole lines and screens, each piece of text between a full set of colours and a
reset. On a slow link that is felt. What is sent here is a third of it or less, and draws the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
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
WirePlace = tuple[int, int | None]
"""The same of the terminal's cursor; None where a character has moved it nobody knows how far."""
_REST: Cell = ("", PLAIN)
"""Stands behind what takes more cells than one: a wide character, a run of unsure width."""


class CellDiff:
    """Rewrites what goes to a terminal so that it draws the same with fewer bytes.

    It trusts its picture of the screen only as far as every terminal draws alike: after sequences
    that it does not know, or a change of size, it sends things as they come. A run of characters
    that terminals draw in different widths has the cells that Textual gives it: they are blanked
    before it, what stands behind it is drawn again where it belongs, and no other line is touched.
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
        self._wire_place: WirePlace | None = None
        self._spoilt: dict[Place, Cell] = {}
        """What a run of unsure width may have been drawn over."""
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
        self._mend()
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
        self._spoilt.clear()

    def _draw(self, text: str) -> None:
        if not (self._is_utf8 or text.isascii()):
            text = in_ascii(text)
        widths = None if text.isascii() else [_sure_width(char) for char in text]
        columns, lines = self._size
        is_sure = widths is None or 0 not in widths
        length = len(text) if widths is None else sum(widths) if is_sure else cell_len(text)
        if self._place is None:
            self._send(text)
            return
        line, column = self._place
        if line >= lines or column + length > columns:
            self._send(text)
            self.forget()
        elif is_sure:
            self._draw_cells(text, widths, line, column)
        else:
            for run, is_run_sure in runs(text):
                if is_run_sure:
                    self._draw_cells(run, [_sure_width(char) for char in run], line, column)
                else:
                    self._draw_unsure(run, line, column)
                column += cell_len(run)

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

    def _draw_unsure(self, run: str, line: int, column: int) -> None:
        """Draw what terminals draw in different widths, so that nothing else is moved by it."""
        cells = self._cells[line]
        width = cell_len(run)
        cell = (run, self._wanted)
        if not width or cells[column] != cell:
            self._place = (line, column)
            # Where it is drawn narrower, what was there before would be left beside it.
            self._send(f"{' ' * width}\x1b[{width}D{run}" if width > 1 else run)
            self._wire_place = (line, None)
            if width:
                _put(cells, column, width, cell)
            elif column:
                # Marks alone change what is before them.
                _put(cells, column - 1, 1, None)
            end = column + width
            for at in range(end, min(column + _most_cells(run), len(cells))):
                behind = cells[at]
                if behind is not None:
                    _put(cells, at, 1, None)
                    if behind is not _REST:
                        self._spoilt[line, at] = behind
        self._place = (line, column + width)

    def _mend(self) -> None:
        """Draw again what a run of unsure width may have been drawn over, unless it was by now."""
        place, wanted = self._place, self._wanted
        while self._spoilt:
            line, column = spoilt = min(self._spoilt)
            text, look = self._spoilt.pop(spoilt)
            if self._cells[line][column] is None:
                self._place, self._wanted = spoilt, look
                self._draw(text)
        self._place, self._wanted = place, wanted

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
            if line == from_line and from_column is not None and column > from_column:
                way = f"\x1b[{column - from_column}C"
            elif line == from_line + 1 and column == 0:
                # Textual leaves the tty's output processing on, which puts the CR before it.
                way = "\n"
        self._out.append(way)
        self._wire_place = self._place


def _put(cells: list[Cell | None], column: int, width: int, cell: Cell | None) -> None:
    """Write something into a line of cells; of what is cut by that nothing is sure."""
    head = column
    while cells[head] is _REST:
        head -= 1
    for at in range(head, column):
        cells[at] = None
    end = column + width
    while end < len(cells) and cells[end] is _REST:
        cells[end] = None
        end += 1
    cells[column] = cell
    for at in range(column + 1, column + width):
        cells[at] = _REST


_MARKS = ("Mn", "Me", "Mc", "Cf", "Cs", "Cn", "Sk")
_LATE_MARKS = frozenset("\u0e33\u0eb3\uff9e\uff9f")
"""Letters that newer terminals draw as marks: Thai's and Lao's am, halfwidth voicing."""
_IDEOGRAPHS = range(0x20000, 0x40000)
_ZWJ = "\u200d"
_VIRAMA = 9
"""The combining class of what joins two consonants."""


@lru_cache(maxsize=4096)
def _sure_width(char: str) -> int:
    """Return how many cells a character takes on every terminal, 0 where they differ.

    What is wide only where a terminal is set up for Chinese counts as narrow: all lines and bars
    are of that kind.
    """
    if _is_mark(char):
        return 0
    width = cell_len(char)
    # Pictures join with what follows, older terminals draw them narrow, and newer ones more of them
    # wide. Parts of Korean syllables join too.
    is_picture = width == 2 and unicodedata.category(char) in ("So", "Sm", "No")
    is_late = ord(char) >= 0x10000 and ord(char) not in _IDEOGRAPHS
    is_part = "\u1100" <= char <= "\u11ff" or "\ua960" <= char <= "\ua97c"
    return 0 if is_picture or is_late or is_part else width


@lru_cache(maxsize=4096)
def _is_mark(char: str) -> bool:
    """Say whether a character is, or may be, drawn into the cell of the one before."""
    return unicodedata.category(char) in _MARKS or char in _LATE_MARKS or not cell_len(char)


@lru_cache(maxsize=1024)
def runs(text: str) -> tuple[tuple[str, bool], ...]:
    """Part a text into runs, each with whether it is as wide on every terminal.

    What a mark or a joiner draws into one with it is in the same run.
    """
    sure = [_sure_width(char) > 0 for char in text]
    for index in range(1, len(text)):
        before = text[index - 1]
        if _is_mark(text[index]):
            sure[index - 1] = False
        if before == _ZWJ or unicodedata.combining(before) == _VIRAMA:
            sure[index] = False
    parts = groupby(zip(text, sure, strict=True), itemgetter(1))
    return tuple(("".join(char for char, _ in part), is_sure) for is_sure, part in parts)


@lru_cache(maxsize=1024)
def _most_cells(run: str) -> int:
    """Return how many cells a run takes on a terminal that draws each character by itself."""
    return sum(1 if _is_mark(char) else 2 for char in run)


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
