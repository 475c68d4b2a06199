"""Text of files as lines of pieces: highlighted source, logs in their colours, bytes in hex."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Iterator, Sequence

from flowtui import format as fmt
from flowtui.previews import hex_dump
from flowtui.previews.values import HexPage, Style, StyleRun, TextPage
from flowtui.previews.values import Line as FileLine
from flowtui.widgets.cells import Line, Piece, Role

TAB = "    "
MAX_PIECE_CHARS = 4_000
HIGHLIGHT_CHARS = 150_000
"""The longest page that is highlighted; a longer one is shown plain."""
_OF_PALETTE: tuple[Role, ...] = (
    "muted", "error", "ok", "attention", "curve-1", "curve-2", "curve-3", "text",
)  # fmt: skip
_OF_TOKEN: tuple[tuple[str, Role], ...] = (
    ("Token.Comment", "muted"),
    ("Token.Literal.String", "curve-3"),
    ("Token.Literal.Number", "curve-4"),
    ("Token.Keyword", "curve-2"),
    ("Token.Name.Function", "curve-1"),
    ("Token.Name.Class", "curve-1"),
    ("Token.Name.Decorator", "curve-1"),
    ("Token.Name.Tag", "curve-1"),
    ("Token.Name.Attribute", "curve-1"),
    ("Token.Generic.Heading", "title"),
    ("Token.Generic.Subheading", "title"),
    ("Token.Generic.Strong", "title"),
    ("Token.Generic.Inserted", "ok"),
    ("Token.Generic.Deleted", "error"),
    ("Token.Operator.Word", "curve-2"),
)


def text_lines(page: TextPage) -> list[Line]:
    """Return the lines of a page, coloured by its language or by its escape sequences."""
    if page.language is not None:
        coloured = _highlighted(page)
        if coloured is not None:
            return coloured
    return [styled_line(line) for line in page.lines]


def hex_lines(page: HexPage) -> list[Line]:
    """Return bytes as lines with their offset, their values in hex, and their ASCII characters."""
    lines: list[Line] = []
    for row in page.rows:
        text = hex_dump.line(row, page.row_bytes)
        letters = len(text) - len(row.data)
        lines.append(
            [
                Piece(text[:8], "muted"),
                Piece(text[8:letters]),
                Piece(text[letters:], "curve-3"),
            ]
        )
    return lines


def more_characters(count: int) -> Piece:
    """Return what ends a line of which only the beginning is shown."""
    return Piece(f"… {count:,} more characters", "muted")


def _safe(text: str) -> str:
    return fmt.plain(text.replace("\t", TAB), MAX_PIECE_CHARS)


def styled_line(line: FileLine) -> Line:
    """Return a line of a file as pieces that are safe to show, in its own colours."""
    return list(_pieces(line))


def _pieces(line: FileLine) -> Iterator[Piece]:
    at = 0
    for run in line.runs:
        if run.start > at:
            yield Piece(_safe(line.text[at : run.start]))
        yield Piece(_safe(line.text[run.start : run.end]), _role(run))
        at = run.end
    if at < len(line.text):
        yield Piece(_safe(line.text[at:]))
    if line.hidden_chars:
        yield more_characters(line.hidden_chars)


def _role(run: StyleRun) -> Role:
    """Return the role nearest to a log's colour, which is readable in every theme."""
    style: Style = run.style
    match style.colour:
        case None:
            return "title" if style.is_bold else "text"
        case int(number) if number < 8:
            return _OF_PALETTE[number]
        case int(number) if number < 16:
            return _OF_PALETTE[number - 8]
        case int(number) if number < 232:
            cube = number - 16
            return _nearest((cube // 36 / 5, cube // 6 % 6 / 5, cube % 6 / 5))
        case int(number):
            return "muted" if number < 245 else "text"
        case (red, green, blue):
            return _nearest((red / 255, green / 255, blue / 255))


def _nearest(rgb: tuple[float, float, float]) -> Role:
    hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
    if saturation < 0.25 or value < 0.2:
        return "muted" if value < 0.6 else "text"
    hues: tuple[Role, ...] = ("error", "attention", "ok", "curve-3", "curve-1", "curve-2")
    return hues[round(hue * 6) % 6]


def _highlighted(page: TextPage) -> list[Line] | None:
    """Return lines highlighted by Pygments; None if it has no lexer for them."""
    texts = [line.text for line in page.lines]
    if sum(map(len, texts)) > HIGHLIGHT_CHARS or page.language is None:
        return None
    lines = _lexed("\n".join(texts), page.language)
    # If a lexer adds or drops lines, the line numbers would be wrong.
    if lines is None or len(lines) != len(texts):
        return None
    for line, known in zip(lines, page.lines, strict=True):
        if known.hidden_chars:
            line.append(more_characters(known.hidden_chars))
    return list[Line](lines)


def code_pieces(text: str, language: str) -> tuple[Piece, ...]:
    """Return a source in pieces, its line ends included; none if it stays plain."""
    lines = _lexed(text, language) if len(text) <= HIGHLIGHT_CHARS else None
    pieces = [piece for line in lines or () for piece in (*line, Piece("\n"))][:-1]
    return tuple(pieces) if "".join(piece.text for piece in pieces) == text else ()


def _lexed(text: str, language: str) -> list[list[Piece]] | None:
    """Return the lines of a source, coloured; None if Pygments has no lexer for it."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, ensurenl=False, stripnl=False)
    except ClassNotFound:
        return None
    # Some lexers know a line only by its end.
    lines = _split((str(token), part) for token, part in lexer.get_tokens(f"{text}\n"))
    return lines if lines[-1] else lines[:-1]


def _split(tokens: Iterable[tuple[str, str]]) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[]]
    for token, text in tokens:
        role = _token_role(token)
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Piece(_safe(part), role))
    return lines


def _token_role(token: str) -> Role:
    return next((role for prefix, role in _OF_TOKEN if token.startswith(prefix)), "text")


def numbered(lines: Sequence[Line], first: int) -> Iterator[Line]:
    """Yield lines with their numbers before them."""
    cells = len(str(first + len(lines)))
    for number, line in enumerate(lines, first + 1):
        yield [Piece(f"{number:>{cells}}  ", "muted"), *line]
