"""Markdown as foldable sections: headings, lists, code, quotes and tables, by a few own rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rich.cells import cell_len

from flowtui.widgets.cells import Piece, Role, fit
from flowtui.widgets.documents.blocks import Block, Section, Text

LEVEL_CELLS = 2
MAX_CELL_CELLS = 40
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"^(\s*)([-*+]|\d+[.)])\s+(?:\[([ xX])\]\s+)?(.*)$")
_FENCE = re.compile(r"^\s*(```+|~~~+)")
_RULE = re.compile(r"^\s*([-*_])(?:\s*\1){2,}\s*$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|__(?P<bold2>[^_]+)__"
    r"|!?\[(?P<link>[^\]]*)\]\((?P<to>[^)\s]*)[^)]*\)|(?<!\w)[*_](?P<thin>[^*_\s][^*_]*)[*_](?!\w)"
)


def sections(lines: Sequence[str]) -> list[Section]:
    """Return a section for each heading; text before the first one is a section without a title."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    is_code = False
    for line in lines:
        is_code ^= _FENCE.match(line) is not None
        heading = None if is_code else _HEADING.match(line)
        if heading is None:
            parts[-1][1].append(line)
        else:
            parts.append((heading[2], []))
    return [
        Section(f"h{number}", _bare(title), trimmed(list(_blocks(body))))
        for number, (title, body) in enumerate(parts)
        if title or any(map(str.strip, body))
    ]


def trimmed(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return blocks without a blank line at the end: the layout puts one after each section."""
    if not blocks or not isinstance(last := blocks[-1], Text):
        return tuple(blocks)
    *pieces, end = last.pieces or (Piece(last.text, last.role),)
    kept = (*pieces, Piece(end.text.rstrip("\n"), end.role)) if last.pieces else ()
    return (*blocks[:-1], replace(last, text=last.text.rstrip("\n"), pieces=_filled(kept)))


def _filled(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the pieces that have text, without the line end of the last one."""
    shown = [piece for piece in pieces if piece.text]
    if shown:
        shown[-1] = Piece(shown[-1].text.rstrip("\n"), shown[-1].role)
    return tuple(shown)


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Yield paragraphs, each item of a list, code, quotes and tables."""
    pending: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        special = _special(lines, at)
        if special is None and line.strip():
            pending.append(line.strip())
            at += 1
            continue
        if pending:
            # A blank line separates it from what comes next.
            yield _inline(" ".join(pending) + ("\n" if special is None else ""))
            pending = []
        if special is None:
            at += 1
            continue
        blocks, at = special
        yield from blocks
    if pending:
        yield _inline(" ".join(pending))


def _special(lines: Sequence[str], at: int) -> tuple[list[Block], int] | None:
    """Return the blocks of anything but a paragraph, and the line after them."""
    line = lines[at]
    if fence := _FENCE.match(line):
        end = next(
            (n for n in range(at + 1, len(lines)) if lines[n].strip().startswith(fence[1])),
            len(lines),
        )
        code = "\n".join(lines[at + 1 : end])
        return [Text(code + "\n", "curve-3", indent=LEVEL_CELLS)], end + 1
    if _RULE.match(line):
        return [Text("─" * 3 + "\n", "muted")], at + 1
    if item := _ITEM.match(line):
        end = at + 1
        parts = [item[4]]
        while end < len(lines) and lines[end].startswith("  ") and not _ITEM.match(lines[end]):
            parts.append(lines[end].strip())
            end += 1
        level = len(item[1].expandtabs(4)) // 2
        mark = "•" if not item[2][0].isdigit() else item[2]
        if item[3] is not None:
            mark = "☐" if item[3] == " " else "☑"
        text = _inline(" ".join(parts), label=mark, indent=LEVEL_CELLS * level)
        return [text], end
    if line.lstrip().startswith(">"):
        end = next(
            (n for n in range(at, len(lines)) if not lines[n].lstrip().startswith(">")), len(lines)
        )
        quoted = " ".join(one.lstrip().lstrip("> ").strip() for one in lines[at:end])
        return [Text(quoted + "\n", "muted", indent=LEVEL_CELLS, label="│")], end
    if "|" in line and at + 1 < len(lines) and _TABLE_RULE.match(lines[at + 1]):
        end = next((n for n in range(at, len(lines)) if "|" not in lines[n]), len(lines))
        rows = [_cells(one) for n, one in enumerate(lines[at:end]) if n != 1]
        return [table(rows)], end
    return None


def table(rows: Sequence[Sequence[str]], note: str = "", right: Collection[int] = ()) -> Text:
    """Return rows as aligned lines, with the first row as the header.

    Args:
        rows: The rows, which may have different lengths.
        note: A line below the rows.
        right: The columns that are aligned to the right.
    """
    width = max(map(len, rows), default=0)
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    lines = [[" ".join(cell.split()) for cell in row] for row in padded]
    cells = [min(max(map(cell_len, column)), MAX_CELL_CELLS) for column in zip(*lines, strict=True)]
    pieces: list[Piece] = []
    for number, row in enumerate(lines):
        text = "  ".join(
            fit(cell, cells[at], "right" if at in right else "left") for at, cell in enumerate(row)
        ).rstrip()
        pieces.append(Piece(text + "\n", "muted" if number == 0 else "text"))
    pieces.append(Piece(f"{note}\n" if note else "\n", "muted"))
    return Text("".join(piece.text for piece in pieces), pieces=tuple(pieces))


def _cells(line: str) -> list[str]:
    return [_bare(cell.strip()) for cell in line.strip().strip("|").split("|")]


def _bare(text: str) -> str:
    return "".join(piece.text for piece in _pieces(text))


def _inline(text: str, label: str = "", indent: int = 0) -> Text:
    pieces = tuple(_pieces(text))
    return Text("".join(piece.text for piece in pieces), label=label, indent=indent, pieces=pieces)


def _pieces(text: str) -> list[Piece]:
    """Return a text in pieces: code, bold, links with their targets, and the rest."""
    pieces: list[Piece] = []
    at = 0
    for found in _INLINE.finditer(text):
        pieces.append(Piece(text[at : found.start()]))
        bold = found["bold"] or found["bold2"]
        if found["code"] is not None:
            pieces.append(Piece(found["code"], "curve-3"))
        elif bold is not None or found["thin"] is not None:
            pieces.append(Piece(bold or found["thin"], "title"))
        else:
            pieces.append(Piece(found["link"], "curve-1"))
            pieces.append(Piece(f" ({found['to']})" if found["to"] else "", "muted"))
        at = found.end()
    pieces.append(Piece(text[at:]))
    # Neighbours of one role become one piece.
    merged: list[Piece] = []
    for role, row in groupby((piece for piece in pieces if piece.text), lambda piece: piece.role):
        shown: Role = role
        merged.append(Piece("".join(piece.text for piece in row), shown))
    return merged
