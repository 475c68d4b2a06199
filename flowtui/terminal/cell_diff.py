"""Keeps what each cell of a terminal shows, and sends only the cells that change.

Textual repaints whole lines and screens, and puts each piece of text between a full set of colours
and a reset, which a person feels on a slow link. This sends a third of it or less for the same
screen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from rich.cells import cell_len

from flowtui.terminal.placeholders import PLACEHOLDER, cells_of

_SET = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 7: 27, 8: 28, 9: 29, 21: 24, 53: 55}
"""SGR attributes, each with the code that ends it."""
_ON_BLANKS = frozenset((4, 5, 7, 9, 21, 53))
"""The attributes that show on a blank."""
_TOKEN = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"
    r"|\x1b\[(?P<row>\d+);(?P<column>\d+)H"
    r"|(?P<newline>\r?\n)"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    # Mouse, paste, focus, cursor, wrap, synchronized output, keyboard; their queries; title,
    # pointer shape, clipboard; pictures, of which cells are drawn elsewhere.
    r"|(?P<unseen>\x1b\[\?(?:7|25|10\d\d|20\d\d)(?:[hl]|\$p)(?<!10[4-9]\d[hl])|\x1b\[[<>]\d*u"
    r"|\x1b\](?:0|2|22|52);[^\x07\x1b]*(?:\x07|\x1b\\)|\x1b_G[^\x1b]*\x1b\\)"
    r"|(?P<other>\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|.)",
    re.DOTALL,
)


class SgrStyle(NamedTuple):
    """The colours and attributes of text, as codes of SGR (select graphic rendition)."""

    attributes: frozenset[int] = frozenset()
    foreground: str = ""
    background: str = ""


PLAIN = SgrStyle()
MOVE_BYTES = 4
"""The length of a sequence that skips cells; cells of no more bytes are sent again instead."""
Cell = tuple[str, SgrStyle]
Place = tuple[int, int]
"""Line and column, from 0."""
WirePlace = tuple[int, int | None]
"""Line and column of the terminal's cursor; the column is None after a run of unsure width."""
_REST: Cell = ("", PLAIN)
"""Fills the cells after the first one of a wide character or a run of unsure width."""


class CellDiff:
    """Rewrites what goes to a terminal so that it draws the same with fewer bytes.

    It trusts its copy of the screen only where all terminals draw alike: after a change of size or
    a sequence that it does not know, it sends everything again. A run of characters that terminals
    draw in different widths gets the cells that Textual gives it: they are blanked first, and what
    stands behind the run is drawn again at its place. Without that, one such character would shift
    the rest of its line.
    """

    def __init__(
        self,
        size: Callable[[], tuple[int, int]],
        is_utf8: bool = True,
        is_monochrome: bool = False,
    ) -> None:
        """Begin with a screen that may show anything.

        Args:
            size: Returns the terminal's present number of columns and lines.
            is_utf8: Whether the terminal takes more than ASCII.
            is_monochrome: Whether to leave out colours and send only attributes.
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
        """Cells that a run of unsure width may have been drawn over, with what they should show."""
        self._out: list[str] = []

    def filter(self, data: str) -> str:
        """Return what to send in place of `data`, whose sequences must be whole."""
        if (size := self._get_size()) != self._size:
            self._size = size
            self.forget()
        for token in _TOKEN.finditer(data):
            if token["sgr"] is not None:
                self._take_sgr(token["sgr"])
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
        """Return what to send in place of `data` if its text is to be drawn later.

        The text is left out, so the screen must be drawn again afterwards.
        """
        for token in _TOKEN.finditer(data):
            if token["sgr"] is not None:
                self._take_sgr(token["sgr"])
            elif token["unseen"]:
                self._out.append(token["unseen"])
            elif token["other"]:
                self._out.append(token["other"])
                self.forget()
        self._place = None
        return self._taken()

    def _take_sgr(self, codes: str) -> None:
        self._wanted = changed(self._wanted, codes)
        if self._is_monochrome:
            self._wanted = SgrStyle(self._wanted.attributes)

    def _taken(self) -> str:
        sent = "".join(self._out)
        self._out.clear()
        return sent

    def reset(self) -> str:
        """Return what restores the terminal's own colours, for the program that writes next."""
        self._wanted = self._wire = PLAIN
        return "\x1b[0m"

    def forget(self) -> None:
        """Forget what the screen shows, so that everything drawn from now on is sent."""
        columns, lines = self._size
        self._cells = [[None] * columns for _ in range(lines)]
        self._place = self._wire_place = None
        self._spoilt.clear()

    def _draw(self, text: str) -> None:
        if not (self._is_utf8 or text.isascii()):
            text = in_ascii(text)
        if text.startswith(PLACEHOLDER):
            self._draw_placeholders(text)
            return
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

    def _draw_placeholders(self, text: str) -> None:
        """Draw cells of a picture: only terminals that take one cell for each are sent any."""
        cells, (columns, lines) = cells_of(text), self._size
        line, column = self._place or (lines, 0)
        if cells is None or line >= lines or column + len(cells) > columns:
            self._send(text)
            self.forget()
            return
        self._draw_cells(cells, [1] * len(cells), line, column)

    def _draw_cells(
        self, text: Sequence[str], widths: list[int] | None, line: int, column: int
    ) -> None:
        cells = self._cells[line]
        style = self._wanted
        blank = on_blank(style)
        gap_from = len(text)
        for index, char in enumerate(text):
            width = 1 if widths is None else widths[index]
            cell = (char, blank if char == " " else style)
            if cells[column] != cell:
                self._place = (line, column)
                gap = "".join(text[gap_from:index])
                if gap and len(gap.encode()) <= MOVE_BYTES and self._wire == style:
                    self._out.append(gap)
                    self._wire_place = self._place
                if char == " " and on_blank(self._wire) == blank:
                    # A blank looks the same whatever the colour of the text before it.
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
        """Draw a run that terminals draw in different widths, without moving anything else."""
        cells = self._cells[line]
        width = cell_len(run)
        cell = (run, self._wanted)
        if not width or cells[column] != cell:
            self._place = (line, column)
            # Blanked first: a terminal that draws it narrower would leave old text beside it.
            self._send(f"{' ' * width}\x1b[{width}D{run}" if width > 1 else run)
            self._wire_place = (line, None)
            if width:
                _put(cells, column, width, cell)
            elif column:
                # A run of marks only is drawn into the cell before it.
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
        """Draw again the cells that a run of unsure width may have covered, unless done already."""
        place, wanted = self._place, self._wanted
        while self._spoilt:
            line, column = spoilt = min(self._spoilt)
            text, style = self._spoilt.pop(spoilt)
            if self._cells[line][column] is None:
                self._place, self._wanted = spoilt, style
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
                # Textual leaves the tty's output processing on, which adds a CR to the line feed.
                way = "\n"
        self._out.append(way)
        self._wire_place = self._place


def _put(cells: list[Cell | None], column: int, width: int, cell: Cell | None) -> None:
    """Write into a line of cells; what this cuts in part is unknown from then on."""
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
"""Letters that newer terminals draw as marks: am in Thai and Lao, halfwidth voicing marks."""
_IDEOGRAPHS = range(0x20000, 0x40000)
_ZWJ = "\u200d"
_VIRAMA = 9
"""The combining class of signs that join two consonants."""


@lru_cache(maxsize=4096)
def _sure_width(char: str) -> int:
    """Return how many cells a character takes on every terminal, 0 if terminals differ.

    Characters of ambiguous width, such as all lines and bars, count as narrow: only terminals that
    are set up for Chinese draw them wide.
    """
    if _is_mark(char):
        return 0
    width = cell_len(char)
    # A pictograph may join with the character after it, older terminals draw it narrow, and newer
    # ones know more of them as wide. Parts of Korean syllables join too.
    is_picture = width == 2 and unicodedata.category(char) in ("So", "Sm", "No")
    is_late = ord(char) >= 0x10000 and ord(char) not in _IDEOGRAPHS
    is_part = "\u1100" <= char <= "\u11ff" or "\ua960" <= char <= "\ua97c"
    return 0 if is_picture or is_late or is_part else width


@lru_cache(maxsize=4096)
def _is_mark(char: str) -> bool:
    """Say whether a terminal may draw a character into the cell of the one before."""
    return unicodedata.category(char) in _MARKS or char in _LATE_MARKS or not cell_len(char)


@lru_cache(maxsize=1024)
def runs(text: str) -> tuple[tuple[str, bool], ...]:
    """Split a text into runs, each with whether its width is the same on every terminal.

    A character that a mark or a joiner joins to another is in the same run with it.
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
def on_blank(style: SgrStyle) -> SgrStyle:
    """Return what of a style shows on a blank: the background, and lines in the text's colour."""
    attributes = style.attributes & _ON_BLANKS
    return SgrStyle(attributes, style.foreground if attributes else "", style.background)


@lru_cache(maxsize=4096)
def changed(style: SgrStyle, codes: str) -> SgrStyle:
    """Return a style after one SGR sequence (ECMA-48, 8.3.117; colours of ITU T.416)."""
    attributes, foreground, background = style
    rest = (codes or "0").split(";")
    while rest:
        given = rest.pop(0)
        code = int(given.partition(":")[0] or 0)
        if code == 0:
            attributes, foreground, background = PLAIN
        elif code in (38, 48):
            # T.416 keeps a colour in one parameter; the older form spreads it over the next ones.
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
    return SgrStyle(attributes, foreground, background)


@lru_cache(maxsize=4096)
def transition(old: SgrStyle, new: SgrStyle) -> str:
    """Return the shortest sequence that takes a terminal from one style to another."""
    if new == PLAIN:
        return "\x1b[m"
    kept = old.attributes & new.attributes
    ended = {_SET[item] for item in old.attributes - new.attributes}
    # One code ends both bold and dim, so the one that stays is set again.
    kept = frozenset(item for item in kept if _SET[item] not in ended)
    codes = [str(code) for code in sorted(ended)]
    codes += [str(code) for code in sorted(new.attributes - kept)]
    if new.foreground != old.foreground:
        codes.append(new.foreground or "39")
    if new.background != old.background:
        codes.append(new.background or "49")
    from_reset = ["0", *(str(code) for code in sorted(new.attributes))]
    from_reset += [color for color in (new.foreground, new.background) if color]
    return f"\x1b[{min(';'.join(codes), ';'.join(from_reset), key=len)}m"


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
    """Return a text of the same width in cells, with every other character replaced by ASCII."""
    translated = text.translate(ASCII)
    if translated.isascii():
        return translated
    # A character that is joined to another takes no cells of its own.
    translated = _JOINED.sub("", translated)
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in translated)
